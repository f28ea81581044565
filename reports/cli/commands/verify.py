"""``gexlab verify``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from ...terminal.output import emit
from ...terminal.progress import progress_on_stderr
from ..options import DebugOption, JsonOption, LakeOption

if TYPE_CHECKING:
    from rich.console import Console

    from ....data import Verification

EXAMPLES = ("gexlab verify --lake lake", "gexlab verify --lake lake --quick --json")


def command(
    lake: LakeOption,
    underlying: Annotated[
        str | None,
        typer.Option("--underlying", metavar="X|X,Y|'A*'", help="All of the lake unless named."),
    ] = None,
    quick: Annotated[
        bool, typer.Option("--quick", help="Records, presence and footers alone.")
    ] = False,
    as_json: JsonOption = False,
    debug: DebugOption = False,
) -> None:
    """Compare every byte of a lake with what was recorded when it was written.

    Lists each damaged session with its file and the remedy; exit code 1 where there is one.
    Commands that read a lake refuse a damaged file by themselves, before a number comes of it.
    """
    from ....data import verify

    with progress_on_stderr("verify") as progress:
        result = verify(lake, underlying=underlying, quick=quick, progress=progress)
    emit(result, as_json, lambda console: _show(console, result))
    if result.damaged:
        raise typer.Exit(1)


def _show(console: Console, result: Verification) -> None:
    from ...page.formats import count, plural
    from ...terminal.tables import simple_table

    if result.damaged:
        table = simple_table("underlying", "session", "file", "what")
        for damage in result.damaged:
            day = "all" if damage.session is None else str(damage.session)
            table.add_row(damage.underlying, day, damage.file, damage.what)
        console.print(table)
    about = f"{plural(result.files, 'file')}, {plural(result.sessions, 'session')}"
    end = f"{count(len(result.damaged))} damaged" if result.damaged else "nothing is damaged"
    console.print(f"{about}: {end}", highlight=False, markup=False)
