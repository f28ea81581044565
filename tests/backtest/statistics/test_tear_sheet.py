"""Figures of a tear sheet by hand; the undefined is NaN."""

from __future__ import annotations

from dataclasses import asdict
from math import isnan, nan, sqrt
from typing import Any

import numpy as np
import pandas as pd
import pytest

from gexlab.backtest.statistics.metrics import max_drawdown, sharpe
from gexlab.backtest.statistics.tear_sheet import (
    Sheet,
    drawdowns,
    monthly_returns,
    rolling_measures,
    sheet_of,
    yearly_returns,
)

R = [0.01, -0.02, 0.03, 0.0]
DAYS = pd.DatetimeIndex(["2025-12-30", "2025-12-31", "2026-01-02", "2026-01-05", "2026-01-06"])


def _sheet(returns: list[float], moves: list[float] | None = None, **more: Any) -> Sheet:
    own = pd.Series(returns, DAYS[1 : len(returns) + 1], dtype=float)
    equity = pd.Series(np.cumprod([100.0, *(1.0 + own)]), DAYS[: len(returns) + 1])
    other = pd.Series(moves or [0.02, -0.04, 0.06, 0.0][: len(returns)], own.index, dtype=float)
    single = more.get("single", np.ones(len(own), bool))
    return sheet_of(own, equity, other, single, growth=0.5, year=252)


def test_a_sheet_by_hand() -> None:
    s = _sheet(R)
    # mean .005; one loss of .02: root of .0004 / 4 is .01
    assert s.sortino == pytest.approx(0.005 / 0.01 * sqrt(252), rel=1e-12)
    # peak 101, trough 98.98, at a peak again in the next session
    assert s.calmar == pytest.approx(0.5 / 0.02, rel=1e-12)
    assert s.recovery == pytest.approx(0.019494 / 0.02, rel=1e-12)
    assert s.ulcer == pytest.approx(sqrt(0.0004 / 5), rel=1e-12)
    assert s.longest == 2.0
    assert s.omega == pytest.approx(0.04 / 0.02, rel=1e-12)
    assert s.payoff == pytest.approx(1.0, rel=1e-12)
    # deviations .005, -.025, .025, -.005: cubes cancel; fourth powers 2 (6.25e-10 + 3.90625e-7)
    assert s.skew == pytest.approx(0.0, abs=1e-12)
    assert s.kurtosis == pytest.approx((7.825e-7 / 4) / (0.0013 / 4) ** 2 - 3.0, rel=1e-9)
    # sorted -.02, 0, .01, .03: .15 and 2.85 steps along
    assert s.value_at_risk == pytest.approx(-0.017, rel=1e-12)
    assert s.shortfall == -0.02
    assert s.tail_ratio == pytest.approx(0.027 / 0.017, rel=1e-12)
    assert (s.best, s.worst) == (0.03, -0.02)
    assert s.beta == pytest.approx(0.5, rel=1e-12)
    assert s.correlation == pytest.approx(1.0, rel=1e-12)
    # December .01; January .98 * 1.03 - 1 = .0094
    assert s.best_month == pytest.approx(0.01, rel=1e-12)
    assert s.worst_month == pytest.approx(0.0094, rel=1e-10)
    assert (s.positive_months, s.months) == (1.0, 2)


def test_what_is_undefined() -> None:
    flat = asdict(_sheet([0.0, 0.0, 0.0]))
    defined = {"value_at_risk", "shortfall", "best", "worst", "ulcer", "longest", "months"}
    defined |= {"best_month", "worst_month", "positive_months", "beta"}
    assert {name for name, value in flat.items() if not isnan(value)} == defined
    assert {flat[name] for name in defined - {"months"}} == {0.0}
    none = asdict(_sheet([]))
    assert {name for name, value in none.items() if not isnan(value)} == {"months"}
    gained = _sheet([0.01, 0.02])  # neither losses nor drawdowns
    assert all(isnan(v) for v in (gained.sortino, gained.omega, gained.payoff, gained.calmar))


def test_gone_equity_is_no_gain() -> None:
    s = _sheet([0.1, nan, nan, nan])
    for name in ("sortino", "omega", "payoff", "skew", "value_at_risk", "best", "beta",
                 "best_month", "positive_months"):  # fmt: skip
        assert isnan(getattr(s, name)), name


def test_a_return_over_missing_bars_is_none_of_one_session() -> None:
    s = _sheet(R, single=np.array([True, False, True, True]))
    assert (s.worst, s.best) == (0.0, 0.03)
    assert s.longest == 2.0  # the equity fell all the same
    assert s.worst_month == pytest.approx(0.0094, rel=1e-10)


def test_months_and_years_compound_to_the_whole() -> None:
    own = pd.Series(R, DAYS[1:])
    assert [str(month) for month in monthly_returns(own).index] == ["2025-12", "2026-01"]
    np.testing.assert_allclose(yearly_returns(own), [0.01, 0.0094], rtol=1e-10)


def test_drawdowns_by_hand() -> None:
    money = pd.Series([100.0, 110.0, 88.0, 99.0, 110.0, 121.0, 108.9],
                      pd.bdate_range("2026-01-05", periods=7))  # fmt: skip
    first, second = drawdowns(money).to_dict("records")
    assert [f"{first[k]:%m-%d}" for k in ("peak", "trough", "recovered")] == [
        "01-06", "01-07", "01-09",
    ]  # fmt: skip
    assert (round(first["depth"], 12), first["sessions"]) == (-0.2, 3)
    assert second["recovered"] is pd.NaT
    assert (round(second["depth"], 12), second["sessions"]) == (-0.1, 1)
    assert drawdowns(money[:0]).empty
    assert drawdowns(money[:2]).empty


def test_the_deepest_and_longest_are_the_metrics() -> None:
    draw = np.random.default_rng(4)
    days = pd.bdate_range("2020-01-01", periods=61)
    for _ in range(20):
        own = pd.Series(draw.normal(0.0, 0.01, 60), days[1:])
        money = pd.Series(np.cumprod([1.0, *(1.0 + own)]), days)
        found = drawdowns(money)
        assert found["depth"].iloc[0] == max_drawdown(np.asarray(money, dtype=np.float64))
        sheet = sheet_of(own, money, own, np.ones(60, bool), growth=nan)
        assert sheet.longest == found["sessions"].max()
        assert sheet.beta == pytest.approx(1.0)


def test_rolling_is_that_of_each_window() -> None:
    draw = np.random.default_rng(5)
    days = pd.bdate_range("2020-01-01", periods=30)
    own, other = (pd.Series(draw.normal(0.0, 0.01, 30), days) for _ in range(2))
    found = rolling_measures(own, other, 20)
    assert found.index.tolist() == days[19:].tolist()
    for k in range(11):
        x, y = (np.asarray(each, dtype=np.float64)[k : k + 20] for each in (other, own))
        row = found.iloc[k]
        assert row["sharpe"] == pytest.approx(sharpe(y), rel=1e-9)
        assert row["volatility"] == pytest.approx(y.std(ddof=1) * sqrt(252), rel=1e-9)
        assert row["beta"] == pytest.approx(np.polyfit(x, y, 1)[0], rel=1e-9)
        loss = sqrt(sum(min(r, 0.0) ** 2 for r in y) / 20)
        assert row["sortino"] == pytest.approx(y.mean() / loss * sqrt(252), rel=1e-9)
    assert rolling_measures(own, other, 31).empty
    flat = rolling_measures(own * 0.0, other * 0.0, 20)
    assert flat[["sharpe", "sortino", "beta"]].isna().all(axis=None)
