"""``gexlab runs``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ...terminal.output import emit
from ...terminal.progress import progress_on_stderr
from ..options import DebugOption, JsonOption

if TYPE_CHECKING:
    from rich.console import Console

    from ...nightly.replay import Again
    from ...nightly.runs import RunsResult

EXAMPLES = (
    "gexlab runs config.toml",
    "gexlab runs nights --json",
    "gexlab runs nights --compare 2026-07-01 2026-07-02",
    "gexlab runs nights --again 2026-07-01",
)

#: Differences that the terminal shows; the document has all.
_SHOWN = 30


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
    again: Annotated[
        str | None,
        typer.Option(
            "--again",
            metavar="ID",
            help="A night by folder, digest, content id or session: make it again and compare.",
        ),
    ] = None,
    as_json: JsonOption = False,
    debug: DebugOption = False,
) -> None:
    """List the nights of an archive, compare two of them, or reproduce one.

    Every file and stored input is compared with what was written; exit code 1 where one is
    damaged. With --again a night is made again, aside, from the lake's version and the stored
    inputs that it read, and compared with what was written then: exit code 0 where all is equal, 1
    where something differs.
    """
    from ....data import InputFileError
    from ...nightly.runs import runs

    if compare is not None and again is not None:
        raise InputFileError("--compare and --again are two questions: ask one of them")
    with progress_on_stderr("runs") as progress:
        result = runs(place, compare=compare, again=again, progress=progress)
    emit(_document(result), as_json, lambda console: _show(console, result))
    if result.again is not None:
        raise typer.Exit(0 if result.again.equal else 1)
    if any(night.damaged for night in result.nights):
        raise typer.Exit(1)


def _document(result: RunsResult) -> dict[str, Any]:
    told = {"folder": result.folder, "nights": result.nights, "differences": result.differences}
    return told if result.again is None else told | {"again": result.again}


def _show(console: Console, result: RunsResult) -> None:
    from ...page.sections.nights import night_row
    from ...terminal.tables import simple_table

    if result.again is not None:
        _show_again(console, result.again)
        return
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
        short = "DAMAGED" if night.damaged else state
        table.add_row(session, regime, net, spot, flip, above, short, name)
    console.print(table if result.nights else f"{result.folder}: no nights yet")
    for night in filter(lambda night: night.damaged, result.nights):
        console.print(f"{night.name}: {night_row(night)[-2]}", style="bold red")


def _show_again(console: Console, again: Again) -> None:
    """Print what became of a night that was made again."""
    from ...page.formats import count, plural
    from ...terminal.tables import simple_table

    source = "its series" if again.lake_version is None else f"lake version {again.lake_version}"
    if again.equal:
        console.print(
            f"{again.night}: made again from {source} and its stored inputs: "
            f"{plural(again.files, 'file')}, every byte as then"
        )
        return
    table = simple_table("what", "name", "then", "now")
    for found in again.differences[:_SHOWN]:
        cells = ("\N{EN DASH}" if v is None else str(v) for v in (found.first, found.second))
        table.add_row(found.kind, found.name, *cells)
    console.print(table)
    left = len(again.differences) - _SHOWN
    if left > 0:
        console.print(f"and {count(left)} more: --json lists them")
    console.print(f"{again.night} is not what was written then (gexlab {again.gexlab}).")
