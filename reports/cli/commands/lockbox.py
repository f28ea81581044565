"""``gexlab lockbox``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from ...terminal.output import emit
from ..options import ConfigArgument, DebugOption, JsonOption

if TYPE_CHECKING:
    from rich.console import Console

    from ....backtest import LockboxResult

EXAMPLES = ("gexlab lockbox config.toml", "gexlab lockbox config.toml --open 3f0c6a51b2d94e77")


def command(
    config: ConfigArgument,
    open_for: Annotated[
        list[str] | None,
        typer.Option(
            "--open",
            metavar="TRIAL_ID",
            help="Open it, once, for this trial of tournament.json; may be repeated.",
        ),
    ] = None,
    as_json: JsonOption = False,
    debug: DebugOption = False,
) -> None:
    """Show the sessions that no trial may see, or open them once.

    [tournament] lockbox keeps the last years out of every backtest, grid, tournament and test until
    they are opened for named trials. The ledger keeps what was found; a second opening is refused.
    """
    from ....backtest import lockbox

    result = lockbox(config, open_for or ())
    emit(result.document(), as_json, lambda console: _show(console, result))


def _show(console: Console, result: LockboxResult) -> None:
    from ...terminal.tournament import lockbox_text

    console.print(lockbox_text(result))
