"""``gexlab ledger``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ...terminal.output import emit
from ..options import DebugOption, JsonOption

if TYPE_CHECKING:
    from rich.console import Console

    from ....backtest import LedgerSummary

EXAMPLES = (
    "gexlab ledger config.toml",
    "gexlab ledger --lake lake --json",
    'gexlab ledger --lake lake --delete 3f0c6a51b2d94e77 --reason "wrong prices"',
)


def command(
    config: Annotated[
        Path | None,
        typer.Argument(metavar="CONFIG.toml", help="Configuration whose ledger to read."),
    ] = None,
    lake: Annotated[
        str | None, typer.Option("--lake", metavar="DIR", help="Lake whose ledger to read.")
    ] = None,
    delete: Annotated[
        str | None,
        typer.Option(
            "--delete",
            metavar="TRIAL_ID",
            help="Delete the metrics and returns of a trial; it still counts. Needs --reason.",
        ),
    ] = None,
    reason: Annotated[
        str | None,
        typer.Option("--reason", metavar="TEXT", help="Reason for the deletion; it is recorded."),
    ] = None,
    as_json: JsonOption = False,
    debug: DebugOption = False,
) -> None:
    """List the trials evaluated so far, by data set.

    Counts distinct trials, and clusters of correlated returns, by market and by data set.
    """
    from ....backtest import delete_trial, ledger, ledger_beside, load_config

    if (config is None) == (lake is None):
        raise typer.BadParameter("name either a configuration or --lake")
    if (delete is None) != (reason is None):
        raise typer.BadParameter("--delete and --reason belong together")
    settings = None if config is None else load_config(config)
    path = _path(settings.ledger_path if settings else ledger_beside(lake or "."))
    stand_ins = settings.ledger.stand_ins if settings else ()
    if delete is not None and reason is not None:
        delete_trial(path, delete, reason)
    summary = ledger(path, stand_ins)
    emit(_document(summary), as_json, lambda console: _show(console, summary))


def _path(path: Path | None) -> Path:
    from ....data import ConfigError

    if path is None:
        raise ConfigError("this configuration has no ledger: it names no lake; set [ledger] path")
    return path


def _document(summary: LedgerSummary) -> dict[str, Any]:
    return {
        "path": summary.path,
        "trials": summary.trials,
        "effective_trials": sum(m["effective_trials"] for m in summary.markets),
        "markets": summary.markets,
        "data": summary.data,
        "entries": summary.entries,
        "deleted": summary.deletions,
    }


def _show(console: Console, summary: LedgerSummary) -> None:
    from ...terminal.ledger import ledger_tables

    for part in ledger_tables(summary):
        console.print(part)
