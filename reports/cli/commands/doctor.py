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
        Path | None, typer.Option("--lake", metavar="DIR", help="A lake to look at too.")
    ] = None,
    as_json: JsonOption = False,
    debug: DebugOption = False,
) -> None:
    """Say what is wrong with this installation, and the remedy.

    Does the main job on a tiny simulated market in a temporary folder, and looks at versions,
    engines, calendars and free space; exit code 1 where something fails.
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
