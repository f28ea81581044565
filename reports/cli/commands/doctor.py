"""``gexlab doctor``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ...terminal.output import emit
from ...terminal.progress import progress_on_stderr
from ..options import DebugOption, JsonOption

if TYPE_CHECKING:
    from rich.console import Console

    from ..doctor import Health

EXAMPLES = ("gexlab doctor", "gexlab doctor --lake lake --json")


def command(
    lake: Annotated[
        Path | None, typer.Option("--lake", metavar="DIR", help="Check this lake too.")
    ] = None,
    as_json: JsonOption = False,
    debug: DebugOption = False,
) -> None:
    """Check this installation and say how to mend what fails.

    Does the main job on a tiny simulated market in a temporary folder, and checks versions,
    engines, calendars and free space. Exit code 1 if anything fails.
    """
    from ..doctor import doctor

    with progress_on_stderr("doctor") as progress:
        health = doctor(lake, progress=progress)
    emit(health, as_json, lambda console: _show(console, health))
    if not health.healthy:
        raise typer.Exit(1)


def _show(console: Console, health: Health) -> None:
    from ...terminal.tables import health_table

    console.print(health_table(health))
