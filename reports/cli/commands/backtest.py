"""``gexlab backtest``."""

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
)

if TYPE_CHECKING:
    from pathlib import Path

    from rich.console import Console

    from ....backtest import BacktestResult

EXAMPLES = ("gexlab backtest config.toml --out out",)


def command(
    config: ConfigArgument,
    out: OutOption,
    as_of: AsOfOption = None,
    pdf: PdfOption = False,
    png: PngOption = False,
    as_json: JsonOption = False,
    debug: DebugOption = False,
) -> None:
    """Run the strategies of a configuration and write the report.

    Writes report.html, results.json, trades.parquet, orders.parquet and equity.parquet.
    """
    from ....backtest import backtest, load_config, open_run, results_document, write_result_files
    from ....data import published
    from ...page.browser import find_browser, printed
    from ...page.report import REPORT_FILE, write_report

    if pdf or png:
        find_browser()  # before any work

    settings = load_config(config)
    with (
        progress_on_stderr("backtest") as progress,
        published(out) as stage,
        open_run(settings, as_of=as_of, progress=progress) as run,
    ):
        result = backtest(settings, market=run.market, progress=progress)
        write_result_files(result, stage)
        page = write_report(result, settings, stage, market=run.market, progress=progress)
        printed(page, stage, pdf=pdf, png=png)
    report = out / REPORT_FILE
    document = results_document(result) | {"report": report}
    emit(document, as_json, lambda console: _show(console, result, report))


def _show(console: Console, result: BacktestResult, report: Path) -> None:
    from ...terminal.backtest import backtest_text

    console.print(backtest_text(result))
    console.print(f"report: {report}", style="bold")
