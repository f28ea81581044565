"""Intervals: those of a plain twin, as wide as theory says, honest about what is undefined."""

from __future__ import annotations

from math import isnan, sqrt

import numpy as np
import pytest
from reference_intervals import growth_interval, sharpe_interval

from gexlab.backtest.statistics.resampling import Resampling, interval
from gexlab.backtest.statistics.sharpe_intervals import return_intervals

HOW = Resampling()


def test_the_standard_error_of_a_sharpe_ratio() -> None:
    # independent returns: about sqrt(252 / n) while the ratio per session is small
    returns = np.random.default_rng(2).normal(0.0003, 0.01, size=(2520, 40))
    found = return_intervals(returns, HOW)
    errors = [f.sharpe_error for f in found]
    assert np.mean(errors) == pytest.approx(sqrt(252 / 2520), rel=0.05)
    # 46 cosine sums: Student's quantile is 2.013
    widths = [f.sharpe[1] - f.sharpe[0] for f in found]
    assert widths == pytest.approx([2 * 2.013 * e for e in errors], rel=1e-3)


def test_dependence_widens_the_interval() -> None:
    noise = np.random.default_rng(3).normal(0.0, 0.01, size=(3000, 40))
    sums = np.cumsum(noise, axis=0)
    returns = (sums[5:] - sums[:-5]) / 5
    plain, smooth = (
        np.mean([f.sharpe_error for f in return_intervals(x, HOW)]) for x in (noise, returns)
    )
    # five-session moving averages: the variance of the mean is five times that of white noise
    assert smooth / plain == pytest.approx(sqrt(5), rel=0.1)


def test_a_strategy_is_what_it_is_alone() -> None:
    returns = np.random.default_rng(4).normal(0.0, 0.01, size=(500, 1))
    both = return_intervals(np.hstack([returns, returns, 2.0 * returns]), HOW)
    assert both[0] == both[1]
    assert both[2].sharpe == pytest.approx(both[0].sharpe, rel=1e-9)


@pytest.mark.parametrize(
    "returns",
    [np.zeros(50), np.full(50, 0.001), np.r_[np.full(49, 0.01), np.nan], np.tile([0.1, -0.05], 4)],
)
def test_undefined_intervals(returns: np.ndarray) -> None:
    found = return_intervals(returns[:, None], HOW)[0]
    assert isnan(found.sharpe[0])
    assert isnan(found.sharpe_error)


@pytest.mark.parametrize(("n", "count"), [(60, 5), (126, 6), (500, 15)])
def test_intervals_are_the_twins(n: int, count: int) -> None:
    returns = np.random.default_rng(6).standard_t(5, size=n) * 0.01 + 0.001
    found = return_intervals(returns[:, None], HOW)[0]
    assert found.sharpe == pytest.approx(sharpe_interval(returns, count), rel=1e-9)
    assert found.cagr == pytest.approx(growth_interval(returns, count), rel=1e-9)


def test_a_percentile_interval_by_hand() -> None:
    draws = [float(x) for x in range(101)]
    assert interval(draws[::-1], 0.9) == pytest.approx((5.0, 95.0))
    # 5 of 106 without a value are few enough, 6 of 107 are not
    assert interval([*draws, *[np.nan] * 5], 0.9) == pytest.approx((5.0, 95.0))
    assert all(map(isnan, interval([*draws, *[np.nan] * 6], 0.9)))
