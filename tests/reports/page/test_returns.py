"""The returns of a report: cells against calculations of their own."""

from __future__ import annotations

import re
from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from gexlab.backtest import BacktestResult, Metrics, return_sheets
from gexlab.reports.page.backtest_page import backtest_page
from gexlab.reports.page.sections.returns import returns_section
from gexlab.reports.page.views import Section, Table


def _table(section: Section, name: str) -> Table:
    return next(table for table in section.tables if table.id == name)


def test_months_by_hand(result: BacktestResult) -> None:
    section = returns_section(result)
    own = result.main.returns
    days = pd.DatetimeIndex(own.index)
    this = np.asarray(days.year == 2025)
    wanted = {
        m: float(np.prod(1.0 + own.to_numpy()[this & np.asarray(days.month == m)])) - 1.0
        for m in range(1, 13)
    }
    table = _table(section, "tab-months")
    (first,) = [row for row in table.rows if row.cells[0] == "2025"]
    figure = next(made for made in section.figures if made.id == "fig-months")
    (trace,) = figure.spec["data"]
    for month, value in wanted.items():
        shown = first.cells[month].replace("\N{MINUS SIGN}", "-")
        assert float(shown) == pytest.approx(100.0 * value, abs=0.051)
        assert trace["z"][0][month - 1] == pytest.approx(100.0 * value, rel=1e-5)
    year = np.prod(1.0 + own.to_numpy()[this]) - 1.0
    assert float(first.cells[13].replace("\N{MINUS SIGN}", "-")) == pytest.approx(
        100.0 * year, abs=0.051
    )


def test_drawdowns_and_tails_are_those_of_the_sheet(result: BacktestResult) -> None:
    section = returns_section(result)
    sheet = return_sheets(result)[result.main.spec.name]
    money = result.main.equity
    deepest = (money / money.cummax() - 1.0).min()
    first = _table(section, "tab-drawdowns").rows[0]
    assert first.cells[3].replace("\N{MINUS SIGN}", "-") == f"{100 * deepest:.2f} %"
    assert [row.cells[0] for row in _table(section, "tab-sheet").rows] == list(result.strategies)
    assert _table(section, "tab-sheet").rows[0].cells[7] == f"{sheet.longest:.0f}"
    assert _table(section, "tab-tails").rows[0].cells[11] == str(sheet.months)
    spread = next(made for made in section.figures if made.id == "fig-distribution")
    # holidays of the exchange have a bar here and are no sessions of it
    counted = sum(spread.spec["data"][0]["y"])
    assert 0 < len(result.main.returns) - counted < 20


def test_rolling_needs_half_a_year(result: BacktestResult) -> None:
    assert "fig-rolling" in {made.id for made in returns_section(result).figures}
    main = result.main
    short = replace(
        main,
        returns=main.returns[:40],
        equity=main.equity[:40],
        metrics=replace(main.metrics, n=39),
    )
    few = replace(result, strategies={main.spec.name: short})
    section = returns_section(few)
    assert "fig-rolling" not in {made.id for made in section.figures}
    assert section.text[1] == (
        "Rolling figures need 126 returns of one session, half a year; there are 39."
    )


def test_nothing_to_show(result: BacktestResult) -> None:
    main = result.main
    none = main.returns[:0]
    empty = replace(main, returns=none, equity=none, metrics=replace(main.metrics, n=0))
    section = returns_section(replace(result, strategies={main.spec.name: empty}))
    assert section.figures == ()
    assert _table(section, "tab-drawdowns").rows == ()
    assert set(_table(section, "tab-sheet").rows[0].cells[1:]) == {"–"}


#: Labels of the metrics and plots of quantstats' full tear sheet, without units.
SHOWN = """
Start and end period; Risk-free rate; Time in market; Cumulative return; CAGR; Sharpe; Smart
Sharpe; Sortino; Sortino / sqrt(2); Smart Sortino; Omega; Probabilistic Sharpe; Max drawdown;
Longest drawdown; Volatility; R^2; Information ratio; Calmar; Skew; Kurtosis; Expected daily,
monthly, yearly; Kelly; Risk of ruin; Value at risk; cVaR; Max consecutive wins, losses;
Gain/pain; Payoff; Profit factor; Common sense ratio; CPC index; Tail ratio; Outlier win; Outlier
loss; MTD; 3M; 6M; YTD; 1Y; 3Y; 5Y; 10Y; All-time; Best and worst day; Best and worst month; Best
and worst year; Average drawdown; Average drawdown days; Recovery factor; Ulcer index; Serenity
index; Average up month; Average down month; Win days; Win months, quarters, years; Beta; Alpha;
Correlation; Treynor; EOY returns; Log returns; Volatility-matched returns; Monthly distribution;
Daily returns; Rolling beta, volatility, Sharpe, Sortino; Drawdown periods; Underwater; Heat map
of monthly returns; Return quantiles
"""


def test_the_table_beside_a_tear_sheet_names_what_is_there(result: BacktestResult) -> None:
    document = Path(__file__).resolve().parents[3] / "docs" / "outputs.md"
    part = document.read_text(encoding="utf-8").partition("| quantstats | here |\n")[2]
    rows = [line.strip("| ").split(" | ") for line in part.splitlines() if line.startswith("| ")]
    sections = {section.title: section for section in backtest_page(result).sections}
    metrics = {field.name for field in fields(Metrics)}
    for _, here in rows:
        titles = re.findall(r"\*([A-Z][\w ]+)\*", here)
        there = {made.id for title in titles for made in sections[title].tables}
        there |= {made.id for title in titles for made in sections[title].figures}
        names = [name for name in re.findall(r"`([\w-]+)`", here) if name != "cash_rate"]
        for name in names:
            assert name in (there if name.startswith(("tab-", "fig-")) else metrics), here
        assert titles or names or here.startswith("no: "), here
    labels = " ; ".join(what for what, _ in rows).lower()
    lost = [label for label in SHOWN.replace("\n", " ").split(";")
            if label.strip().lower() not in labels]  # fmt: skip
    assert not lost
