"""``gexlab tournament``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...terminal.output import emit
from ...terminal.progress import progress_on_stderr
from ..options import (
    AsOfOption,
    ConfigArgument,
    DebugOption,
    JsonOption,
    OutOption,
    PdfOption,
    PngOption,
    SchedulerOption,
    WorkersOption,
)

if TYPE_CHECKING:
    from pathlib import Path

    from rich.console import Console

    from ....backtest import TournamentResult

EXAMPLES = (
    "gexlab tournament config.toml --out out",
    "gexlab tournament config.toml --out out --workers 2",
)


def command(
    config: ConfigArgument,
    out: OutOption,
    as_of: AsOfOption = None,
    workers: WorkersOption = 1,
    scheduler: SchedulerOption = None,
    pdf: PdfOption = False,
    png: PngOption = False,
    as_json: JsonOption = False,
    debug: DebugOption = False,
) -> None:
    """Hold regime filters against luck, their own rules, hold and placebos.

    Every combination of [grid] competes, corrected for every trial that the ledger counts on these
    data. Writes tournament.json, trials.parquet and tournament.html. Killed and started again it
    goes on.
    """
    from ....backtest import (
        as_of_version,
        clear_kept,
        load_config,
        run_tournament,
        tournament_document,
        write_tournament,
    )
    from ....data import Workers, published
    from ...page.browser import find_browser, printed
    from ...page.tournament_page import write_tournament_page

    crew = Workers(workers, scheduler)
    if pdf or png:
        find_browser()  # before any work
    settings = as_of_version(load_config(config), as_of)
    with progress_on_stderr("tournament") as progress, published(out) as stage:
        result = run_tournament(settings, out, workers=crew, progress=progress)
        write_tournament(result, stage)
        page = write_tournament_page(result, stage / "tournament.html")
        printed(page, stage, pdf=pdf, png=png)
    clear_kept(out)
    report = out / "tournament.html"
    document = tournament_document(result) | {"report": report}
    emit(document, as_json, lambda console: _show(console, result, report))


def _show(console: Console, result: TournamentResult, report: Path) -> None:
    from ...terminal.tournament import tournament_text

    console.print(tournament_text(result))
    console.print(f"report: {report}", style="bold", markup=False)
