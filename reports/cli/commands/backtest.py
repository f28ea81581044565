"""``gexlab backtest``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from ...terminal.output import emit
from ...terminal.progress import progress_on_stderr
from ..options import (
    AsOfOption,
    ConfigArgument,
    ConfiguredUnderlyingsOption,
    DebugOption,
    JsonOption,
    OutOption,
    PdfOption,
    PngOption,
)

if TYPE_CHECKING:
    from pathlib import Path

    from rich.console import Console

    from ....backtest import BacktestResult, Config, UnderlyingsBook
    from ..many_runs import ManyRuns

EXAMPLES = (
    "gexlab backtest config.toml --out out",
    "gexlab backtest config.toml --underlying 'A*,MU' --out out",
)


def command(
    config: ConfigArgument,
    out: OutOption,
    as_of: AsOfOption = None,
    underlying: ConfiguredUnderlyingsOption = None,
    pdf: PdfOption = False,
    png: PngOption = False,
    as_json: JsonOption = False,
    debug: DebugOption = False,
) -> None:
    """Run the strategies of a configuration and write the report.

    Writes report.html, results.json, trades.parquet, orders.parquet and equity.parquet.
    Of several underlyings each has a folder of its own, and the ones that fail are listed with
    their reason (exit code 1); {underlying} in the configuration's [data] stands for the name. The
    main strategies of those that do not fail are one book as well, in equal shares of one capital.
    """
    from ....backtest import (
        book_of_underlyings,
        load_configs,
        results_document,
        underlyings_book_document,
    )
    from ...page.browser import find_browser
    from ...page.report import REPORT_FILE
    from ..many_runs import run_each

    if pdf or png:
        find_browser()  # before any work

    def run(settings: Config, folder: Path) -> BacktestResult:
        return _run(settings, folder, as_of, pdf=pdf, png=png)

    configs = load_configs(config, underlying)
    if len(configs) == 1:
        result = run(next(iter(configs.values())), out)
        report = out / REPORT_FILE
        document = results_document(result) | {"report": report}
        emit(document, as_json, lambda console: _show(console, result, report))
        return
    runs = run_each(configs, out, run)
    said = runs.document(
        lambda name, r: results_document(r) | {"report": runs.folders[name] / REPORT_FILE}
    )
    book = book_of_underlyings(runs.done, left_out=tuple(runs.failed))
    said |= {"combined": underlyings_book_document(book)}
    emit(said, as_json, lambda console: _show_many(console, runs, book))
    if runs.failed:
        raise typer.Exit(1)


def _run(settings: Config, out: Path, as_of: str | None, *, pdf: bool, png: bool) -> BacktestResult:
    """Run one configuration and write its files."""
    from ....backtest import backtest, open_run, write_result_files
    from ....data import published
    from ...page.browser import printed
    from ...page.report import write_report

    with (
        progress_on_stderr("backtest") as progress,
        published(out) as stage,
        open_run(settings, as_of=as_of, progress=progress) as run,
    ):
        result = backtest(settings, market=run.market, progress=progress)
        write_result_files(result, stage)
        page = write_report(result, settings, stage, market=run.market, progress=progress)
        printed(page, stage, pdf=pdf, png=png)
    return result


def _show_many(console: Console, runs: ManyRuns[BacktestResult], book: UnderlyingsBook) -> None:
    from ...page.formats import count, fixed
    from ...terminal.tables import simple_table
    from ...terminal.underlyings_book import show_underlyings_book

    numbers = ("Sharpe", "from", "to", "n")
    table = simple_table("underlying", "strategy", *numbers, "folder", right=numbers)
    for name, result in runs.done.items():
        for strategy, found in result.strategies.items():
            m = found.metrics
            table.add_row(
                name, strategy, fixed(m.sharpe), fixed(m.sharpe_low), fixed(m.sharpe_high),
                count(m.n), str(runs.folders[name]),
            )  # fmt: skip
    console.print(table)
    show_underlyings_book(console, book)
    for name, reason in runs.failed.items():
        console.print(f"{name}: {reason}", style="red", markup=False)


def _show(console: Console, result: BacktestResult, report: Path) -> None:
    from ...terminal.backtest import backtest_text

    console.print(backtest_text(result))
    console.print(f"report: {report}", style="bold")
