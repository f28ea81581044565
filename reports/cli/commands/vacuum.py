"""``gexlab vacuum``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from ...terminal.output import emit
from ..options import DebugOption, JsonOption, LakeOption

if TYPE_CHECKING:
    from rich.console import Console

    from ....data import VacuumResult

EXAMPLES = ("gexlab vacuum --lake lake", "gexlab vacuum --lake lake --retention 365 --json")


def command(
    lake: LakeOption,
    retention: Annotated[
        float,
        typer.Option(
            "--retention", metavar="DAYS", help="Versions stay readable for so many days.", min=0.0
        ),
    ] = 30.0,
    as_json: JsonOption = False,
    debug: DebugOption = False,
) -> None:
    """Delete files that only versions older than a retention need.

    The version that was in force so long ago stays readable, and all later ones. Files that no
    version names go a day after they were written: a killed writer left them.
    """
    from ....data import vacuum

    result = vacuum(lake, retention=retention)
    emit(result, as_json, lambda console: _show(console, result))


def _show(console: Console, result: VacuumResult) -> None:
    from ...page.formats import plural

    console.print(
        f"{plural(result.files, 'file')} deleted ({result.bytes / 1e6:.1f} MB); "
        f"{plural(result.versions, 'version')} can be read, from {result.oldest} on",
        highlight=False, markup=False,
    )  # fmt: skip
