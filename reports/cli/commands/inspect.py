"""``gexlab inspect``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ...terminal.output import emit
from ..options import DebugOption, JsonOption

if TYPE_CHECKING:
    from rich.console import Console

    from ....data import Inspection

EXAMPLES = ("gexlab inspect chains.csv --map-out map.toml",)


def command(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A file of chains, or an archive.")],
    map_out: Annotated[
        Path | None,
        typer.Option("--map-out", metavar="MAP.toml", help="Write the starting column map here."),
    ] = None,
    as_json: JsonOption = False,
    debug: DebugOption = False,
) -> None:
    """Recognise a file: its columns, the preset that fits, and a starting column map.

    Stores nothing. The map states what was recognised and marks what you have to check.
    """
    from ....data import encodable, inspect, published_file

    result = inspect(file)
    if map_out is not None:
        with published_file(map_out) as draft:
            draft.write_text(encodable(result.map), encoding="utf-8")
    emit(result, as_json, lambda console: _show(console, result))


def _show(console: Console, result: Inspection) -> None:
    def say(text: str) -> None:
        console.print(text, highlight=False, markup=False)

    say(f"vendor: {result.vendor or 'none fits: --vendor columns with a map'}")
    if result.underlyings:
        say(f"underlyings: {', '.join(result.underlyings)}")
    if result.sessions:
        say(f"sessions: {len(result.sessions)}, {result.sessions[0]} ... {result.sessions[-1]}")
    for column in result.columns:
        meaning = f" -> {column.meaning}" if column.meaning else ""
        say(f"  {column.name}: {column.type}{meaning}")
        if column.warning:
            say(f"    {column.warning}")
    say("")
    say(result.map)
