"""``gexlab compact``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from ...terminal.output import emit
from ..options import DebugOption, JsonOption, LakeOption

if TYPE_CHECKING:
    from rich.console import Console

    from ....data import CompactResult

EXAMPLES = ("gexlab compact --lake lake", "gexlab compact --lake lake --underlying SPX --json")


def command(
    lake: LakeOption,
    underlying: Annotated[
        str | None, typer.Option("--underlying", metavar="X", help="All of the lake unless named.")
    ] = None,
    as_json: JsonOption = False,
    debug: DebugOption = False,
) -> None:
    """Join the small files that daily ingests and rebuilds leave behind, one for each year.

    No value changes. Earlier versions keep their files until gexlab vacuum.
    """
    from ....data import compact

    result = compact(lake, underlying=underlying)
    emit(result, as_json, lambda console: _show(console, result))


def _show(console: Console, result: CompactResult) -> None:
    console.print(
        f"chains: {result.files_before} files, now {result.files_after}; "
        f"rebuilt tables: {result.rebuilt_before} files, now {result.rebuilt_after}",
        highlight=False, markup=False,
    )  # fmt: skip
