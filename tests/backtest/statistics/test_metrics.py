"""Each metric against a calculation by hand; the undefined is NaN."""

from __future__ import annotations

from collections.abc import Callable
from math import isnan, nan, sqrt
from typing import Any

import numpy as np
import pytest

from gexlab.backtest.execution.costs import Costs, break_even_bps
from gexlab.backtest.statistics import metrics
from gexlab.backtest.statistics.resampling import Resampling
from gexlab.backtest.statistics.sharpe_intervals import return_intervals

R = np.array([0.01, -0.02, 0.03, 0.0])


def test_equity_returns() -> None:
    found = metrics.equity_returns(np.array([100.0, 101.0, 50.5, -1.0, 10.0]))
    np.testing.assert_allclose(found, [0.01, -0.5, nan, nan], rtol=1e-12)


def test_sharpe() -> None:
    # mean .005; deviations .005, -.025, .025, -.005: squares sum to .0013, variance .0013 / 3
    assert metrics.sharpe(R) == pytest.approx(0.005 / sqrt(0.0013 / 3) * sqrt(252), rel=1e-12)


def test_volatility() -> None:
    assert metrics.volatility(R) == pytest.approx(sqrt(0.0013 / 3 * 252), rel=1e-12)


def test_total_return_and_growth() -> None:
    # 1.01 * .98 * 1.03 = 1.019494
    assert metrics.total_return(R) == pytest.approx(0.019494, rel=1e-12)
    assert metrics.cagr(R) == pytest.approx(1.019494**63 - 1.0, rel=1e-12)


def test_max_drawdown() -> None:
    # peak 110, trough 88: -20 %; the later 12 % fall from 125 is smaller
    assert metrics.max_drawdown(np.array([100.0, 110.0, 88.0, 125.0, 110.0])) == pytest.approx(-0.2)
    assert metrics.max_drawdown(np.array([1.0, 2.0])) == 0.0


def test_turnover() -> None:
    assert metrics.turnover(np.array([1.0, 0.0, 2.0, 0.0])) == pytest.approx(0.75 * 252)


def test_exposure() -> None:
    assert metrics.exposure(np.array([0.0, -1.0, 1.0, 0.5])) == 0.625


def test_hit_rate() -> None:
    # the flat session does not count, a return of zero is no hit
    held = np.array([1.0, -1.0, 0.0, 1.0])
    assert metrics.hit_rate(R, held) == pytest.approx(1 / 3)


def test_break_even() -> None:
    # 30 bp earned on four sides of 100 %
    found = break_even_bps(np.array([0.001, 0.002]), np.array([2.0, 2.0]))
    assert found == pytest.approx(30.0 / 4.0)


@pytest.mark.parametrize(
    ("metric", "arguments"),
    [
        (metrics.sharpe, [np.zeros(10)]),
        (metrics.sharpe, [np.full(10, 0.001)]),
        (metrics.sharpe, [np.array([0.01])]),
        (metrics.sharpe, [np.array([0.01, nan, 0.02])]),
        (metrics.volatility, [np.array([0.01])]),
        (metrics.total_return, [np.array([])]),
        (metrics.cagr, [np.array([])]),
        (metrics.cagr, [np.array([0.1, nan])]),
        (metrics.cagr, [np.array([0.1, -1.5])]),
        (metrics.max_drawdown, [np.array([1.0])]),
        (metrics.turnover, [np.array([])]),
        (metrics.exposure, [np.array([])]),
        (metrics.hit_rate, [R, np.zeros(4)]),
        (break_even_bps, [R, np.zeros(4)]),
        (break_even_bps, [-R, np.ones(4)]),
    ],
)
def test_what_is_undefined_is_nan(metric: Callable[..., float], arguments: list[Any]) -> None:
    assert isnan(metric(*arguments))


def test_fees_of_a_share() -> None:
    # 5 bp and half a cent on a share of 50: 5 + 1 basis points
    assert Costs(fees_bps=5.0, fixed_per_share=0.005).fee_rate(np.array([50.0]))[0] == (
        pytest.approx(6e-4)
    )
    assert Costs().free
    assert not Costs(slippage_bps=1.0).free


@pytest.mark.parametrize(
    "returns",
    [
        np.array([0.0, 1e-17, -1e-17]),  # a flat portfolio
        np.array([2.2e-16, 0.0, 0.0, 0.0]),
        -1e-4 + 2.2e-16 * np.array([1.0, -1.0, 1.0, 0.0]),  # pays the same fee every session
        0.1 * np.array([1.0, 1.0 + 1e-15, 1.0]),
        10.0 * np.array([1.0, 1.0 + 1e-15, 1.0]),
    ],
)
def test_a_spread_of_rounding_makes_no_ratio(returns: Any) -> None:
    assert isnan(metrics.sharpe(returns))
    assert isnan(metrics.per_session_sharpe(returns))
    intervals = return_intervals(returns[:, None], Resampling(replications=200, block=2.0))[0]
    assert np.isnan([*intervals.sharpe, intervals.sharpe_error]).all()


def test_small_returns_are_no_rounding() -> None:
    # a basis point of a basis point has a Sharpe ratio like any other
    assert metrics.sharpe(1e-8 * R) == pytest.approx(metrics.sharpe(R), rel=1e-9)


def test_hit_rate_counts_real_returns_only() -> None:
    returns = np.array([0.01, 1e-17, -0.01, nan, 2e-16, 0.02])
    held = np.array([1.0, 1.0, 1.0, 1.0, 1e-17, 1.0])
    # of .01, (rounding), -.01 and .02 two gain; no return and no position do not count
    assert metrics.hit_rate(returns, held) == 0.5


def test_break_even_of_a_ruined_portfolio_is_undefined() -> None:
    assert isnan(break_even_bps(np.array([0.5, 0.5, nan]), np.array([1.0, 1.0, 0.0])))
    assert isnan(break_even_bps(np.array([1e-17, 0.0]), np.array([1.0, 1.0])))
