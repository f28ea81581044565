"""Pages of results that have too much of something, or nothing at all."""

from __future__ import annotations

import math
from dataclasses import replace

import pandas as pd

from gexlab.backtest.run.results import BacktestResult, Ratio
from gexlab.reports.page.html import render_page
from gexlab.reports.page.sections.maps import what_if_section
from gexlab.reports.page.sections.performance import equity_figure
from gexlab.reports.page.sections.volatility import volatility_section
from gexlab.reports.page.views import Page, Row, Section, Table, text_column


def _many(result: BacktestResult, number: int) -> BacktestResult:
    """Return a result with strategies whose equity is a straight line from 1 to 1 + i / 100."""
    days = result.main.equity.index
    line = pd.Series(range(len(days)), index=days) / (len(days) - 1)
    made = {
        f"s{i}": replace(
            result.main,
            spec=replace(result.main.spec, name=f"s{i}"),
            role="main" if i == 0 else "control",
            equity=100.0 * (1.0 + i / 100.0 * line),
        )
        for i in range(number)
    }
    return replace(result, strategies=made)


def test_of_many_strategies_a_few_have_lines_and_the_rest_a_band(result: BacktestResult) -> None:
    """Lines: the first six, the highest and the lowest of the others; s7 to s18 are the band."""
    made = equity_figure(_many(result, 20))
    lowest, highest, *lines, _ = made.spec["data"]
    assert (lowest["y"][-1], highest["y"][-1]) == (1.07, 1.18)
    assert (highest["name"], highest["fill"]) == ("12 others", "tonexty")
    assert {t["name"] for t in lines} == {"s0", "s1", "s2", "s3", "s4", "s5", "s19", "s6"}
    assert lines[-1]["name"] == "s0"  # on top
    looks = {(t["line"]["color"], t["line"].get("dash")) for t in lines}
    assert len(looks) == 8
    assert "The band holds the 12 strategies" in made.caption


def test_up_to_eight_all_have_lines(result: BacktestResult) -> None:
    """The last trace is the drawdown."""
    made = equity_figure(_many(result, 8))
    assert [t["name"] for t in made.spec["data"]][-2:] == ["s0", "drawdown"]
    assert len(made.spec["data"]) == 9
    assert "band" not in made.caption


def test_a_ratio_that_is_undefined_is_no_empty_chart(result: BacktestResult) -> None:
    """Without sessions in short gamma nothing is set against long gamma."""
    nothing = Ratio(math.nan, math.nan, math.nan, 0, 0, 0)
    ratio = {name: dict.fromkeys(h, nothing) for name, h in result.volatility.ratio.items()}
    without = replace(result, volatility=replace(result.volatility, ratio=ratio))
    assert "fig-ratio" in [f.id for f in volatility_section(result).figures]
    assert "fig-ratio" not in [f.id for f in volatility_section(without).figures]


def test_unmoved_volatilities_come_first() -> None:
    """Whatever order the rows have."""
    found = pd.DataFrame(
        {
            "spot_move": [0.0, 0.0, 0.01, 0.0],
            "spot": 100.0,
            "sessions_ahead": 0,
            "moment": pd.Timestamp("2026-01-05 14:30", tz="UTC"),
            "volatility_shift": [-0.02, 0.0, 0.0, 0.02],
            "net_gex": 1e9,
            "net_to_gross": 0.1,
            "flip": 99.0,
            "flow_dollars": 0.0,
            "unwind_dollars": 0.0,
        }
    )
    (table,) = what_if_section(found, "$").tables
    assert [(row.cells[0], row.cells[4]) for row in table.rows] == [
        ("0 %", "0"),
        ("+1 %", "0"),
        ("0 %", "\N{MINUS SIGN}2"),
        ("0 %", "+2"),
    ]


def test_only_long_words_wrap() -> None:
    """44 letters stand on one line, 45 may not."""
    rows = (Row(("a" * 44, "b" * 45)),)
    table = Table("tab-t", "Words", (text_column("One"), text_column("Two")), rows)
    text = render_page(Page("t", "h", "s", sections=(Section("s", "S", tables=(table,)),)))
    assert f'<th scope="row">{"a" * 44}</th>' in text
    assert f'<td class="lengthy">{"b" * 45}</td>' in text
