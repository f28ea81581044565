"""``gexlab runs``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ...terminal.output import emit
from ..options import DebugOption, JsonOption

if TYPE_CHECKING:
    from rich.console import Console

    from ...nightly.runs import RunsResult

EXAMPLES = (
    "gexlab runs config.toml",
    "gexlab runs nights --json",
    "gexlab runs nights --compare 2026-07-01 2026-07-02",
)


def command(
    place: Annotated[
        Path,
        typer.Argument(
            metavar="CONFIG.toml or DIR", help="Configuration, or the folder of its nights."
        ),
    ] = Path(),
    compare: Annotated[
        tuple[str, str] | None,
        typer.Option(
            "--compare",
            metavar="NIGHT NIGHT",
            help="Two nights by folder, digest or session: the numbers and inputs that differ.",
        ),
    ] = None,
    as_json: JsonOption = False,
    debug: DebugOption = False,
) -> None:
    """List the nights of an archive, or compare two of them.

    Every file is compared with what was written; exit code 1 where one is damaged.
    """
    from ...nightly.runs import runs

    result = runs(place, compare=compare)
    emit(_document(result), as_json, lambda console: _show(console, result))
    if any(night.damaged for night in result.nights):
        raise typer.Exit(1)


def _document(result: RunsResult) -> dict[str, Any]:
    return {"folder": result.folder, "nights": result.nights, "differences": result.differences}


def _show(console: Console, result: RunsResult) -> None:
    from ...page.sections.nights import night_row
    from ...terminal.tables import simple_table

    if result.differences is not None:
        table = simple_table("what", "name", *(night.name for night in result.nights))
        for found in result.differences:
            cells = ("\N{EN DASH}" if v is None else str(v) for v in (found.first, found.second))
            table.add_row(found.kind, found.name, *cells)
        console.print(table if result.differences else "The two nights say the same.")
        return
    numbers = ("net GEX", "spot", "flip", "above flip")
    table = simple_table("session", "regime", *numbers, "state", "night", right=numbers)
    for night in result.nights:
        session, regime, net, _, spot, flip, above, _, _, state, name = night_row(night)
        table.add_row(session, regime, net, spot, flip, above, state, name)
    console.print(table if result.nights else f"{result.folder}: no nights yet")
