"""Intervals: reproducible, of the right width, and honest about what is undefined."""

from __future__ import annotations

from math import isnan, sqrt

import numpy as np
import pytest

from gexlab.backtest.statistics.inference import return_intervals
from gexlab.backtest.statistics.resampling import Resampling


def test_the_standard_error_of_a_sharpe_ratio() -> None:
    # independent returns: about sqrt(252 / n) while the ratio per session is small
    returns = np.random.default_rng(2).normal(0.0003, 0.01, size=(2520, 1))
    found = return_intervals(returns, Resampling(replications=1000))[0]
    assert found.sharpe_error == pytest.approx(sqrt(252 / 2520), rel=0.15)
    low, high = found.sharpe
    assert high - low == pytest.approx(2 * 1.96 * found.sharpe_error, rel=0.08)
    low, high = found.volatility
    # the standard error of a standard deviation is sd / sqrt(2 n)
    assert high - low == pytest.approx(2 * 1.96 * 0.01 * sqrt(252) / sqrt(2 * 2520), rel=0.15)


def test_blocks_widen_the_interval_of_autocorrelated_returns() -> None:
    noise = np.random.default_rng(3).normal(0.0, 0.01, size=3000)
    returns = np.convolve(noise, np.ones(5) / 5)[: len(noise)][:, None]
    short = return_intervals(returns, Resampling(replications=500, block=1))[0].sharpe_error
    long = return_intervals(returns, Resampling(replications=500, block=40))[0].sharpe_error
    # five-session moving averages: the variance of the mean is five times that of white noise
    assert long / short == pytest.approx(sqrt(5), rel=0.2)


def test_strategies_are_resampled_together() -> None:
    returns = np.random.default_rng(4).normal(0.0, 0.01, size=(500, 1))
    both = return_intervals(np.hstack([returns, returns]), Resampling(replications=200))
    assert both[0] == both[1]


@pytest.mark.parametrize(
    "returns", [np.zeros(50), np.full(50, 0.001), np.r_[np.full(49, 0.01), np.nan]]
)
def test_undefined_intervals(returns: np.ndarray) -> None:
    found = return_intervals(returns[:, None], Resampling(replications=100))[0]
    assert isnan(found.sharpe[0])
    assert isnan(found.sharpe_error)


def test_intervals_are_those_of_the_library() -> None:
    # arch's own percentile interval of the ratio, from the same seed
    from arch.bootstrap import StationaryBootstrap

    returns = np.random.default_rng(6).normal(0.0005, 0.01, size=500)

    def figures(x: np.ndarray) -> np.ndarray:
        sd = x.std(ddof=1)
        growth = np.prod(1.0 + x) ** (252 / len(x)) - 1.0
        return np.array([x.mean() / sd * sqrt(252), growth, sd * sqrt(252)])

    library = StationaryBootstrap(10, returns, seed=3)
    expected = library.conf_int(figures, reps=300, method="percentile", size=0.95)
    found = return_intervals(returns[:, None], Resampling(seed=3, replications=300, block=10))[0]
    np.testing.assert_allclose(
        np.array([found.sharpe, found.cagr, found.volatility]).T, expected, rtol=1e-9
    )
