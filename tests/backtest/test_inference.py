"""Intervals: reproducible, of the right width, and honest about what is undefined."""

from __future__ import annotations

from math import isnan, sqrt

import numpy as np
import pytest

from gexlab.backtest.inference import (
    Bootstrap,
    correlation,
    interval,
    resampled_correlation,
    resampled_sums,
    return_intervals,
)


def test_sums_are_those_of_the_librarys_resamples() -> None:
    from arch.bootstrap import StationaryBootstrap

    data = np.arange(30.0)
    found = resampled_sums(np.column_stack([data, data**2]), Bootstrap(seed=5, draws=260, block=4))
    sampler = StationaryBootstrap(4, data, seed=np.random.default_rng(5))
    for draw, (sample, _) in zip(found, sampler.bootstrap(260), strict=True):
        assert draw.tolist() == [sample[0].sum(), (sample[0] ** 2).sum()]


def test_the_same_seed_gives_the_same_numbers() -> None:
    columns = np.random.default_rng(0).normal(size=(100, 2))
    first = resampled_sums(columns, Bootstrap(seed=1, draws=100))
    np.random.default_rng(9).normal(size=5)
    assert (resampled_sums(columns, Bootstrap(seed=1, draws=100)) == first).all()
    assert (resampled_sums(columns, Bootstrap(seed=2, draws=100)) != first).any()


def test_a_column_does_not_depend_on_its_neighbours() -> None:
    columns = np.random.default_rng(0).normal(size=(100, 3))
    boot = Bootstrap(seed=1, draws=100)
    together, alone = resampled_sums(columns, boot), resampled_sums(columns[:, :1], boot)
    np.testing.assert_allclose(together[:, 0], alone[:, 0], atol=1e-12)


def test_interval_is_the_central_share() -> None:
    # 0 ... 100 in steps of 1: 2.5 % and 97.5 % of them
    assert interval(np.arange(101.0), 0.95) == pytest.approx((2.5, 97.5))


def test_interval_of_mostly_undefined_draws() -> None:
    assert isnan(interval(np.array([1.0, np.nan, np.nan]), 0.9)[0])
    assert interval(np.array([1.0, 1.0, np.nan]), 0.9) == (1.0, 1.0)


def test_the_standard_error_of_a_sharpe_ratio() -> None:
    # independent returns: about sqrt(252 / n) while the ratio per session is small
    returns = np.random.default_rng(2).normal(0.0003, 0.01, size=(2520, 1))
    found = return_intervals(returns, Bootstrap(draws=1000))[0]
    assert found.sharpe_error == pytest.approx(sqrt(252 / 2520), rel=0.15)
    low, high = found.sharpe
    assert high - low == pytest.approx(2 * 1.96 * found.sharpe_error, rel=0.08)
    low, high = found.volatility
    # the standard error of a standard deviation is sd / sqrt(2 n)
    assert high - low == pytest.approx(2 * 1.96 * 0.01 * sqrt(252) / sqrt(2 * 2520), rel=0.15)


def test_blocks_widen_the_interval_of_autocorrelated_returns() -> None:
    noise = np.random.default_rng(3).normal(0.0, 0.01, size=3000)
    returns = np.convolve(noise, np.ones(5) / 5)[: len(noise)][:, None]
    short = return_intervals(returns, Bootstrap(draws=500, block=1))[0].sharpe_error
    long = return_intervals(returns, Bootstrap(draws=500, block=40))[0].sharpe_error
    # five-session moving averages: the variance of the mean is five times that of white noise
    assert long / short == pytest.approx(sqrt(5), rel=0.2)


def test_strategies_are_resampled_together() -> None:
    returns = np.random.default_rng(4).normal(0.0, 0.01, size=(500, 1))
    both = return_intervals(np.hstack([returns, returns]), Bootstrap(draws=200))
    assert both[0] == both[1]


@pytest.mark.parametrize("returns", [np.zeros(50), np.r_[np.full(49, 0.01), np.nan]])
def test_undefined_intervals(returns: np.ndarray) -> None:
    found = return_intervals(returns[:, None], Bootstrap(draws=100))[0]
    assert isnan(found.sharpe[0])
    assert isnan(found.sharpe_error)


def test_correlation_by_hand() -> None:
    # deviations (-1, 0, 1) and (-1, 1, 0): 1 / sqrt(2 * 2)
    assert correlation(np.array([1.0, 2.0, 3.0]), np.array([0.0, 2.0, 1.0])) == pytest.approx(0.5)
    assert isnan(correlation(np.array([1.0, 1.0, 1.0]), np.array([0.0, 2.0, 1.0])))
    assert isnan(correlation(np.array([1.0, 2.0]), np.array([0.0, 2.0])))


def test_correlation_of_some_rows() -> None:
    x = np.array([1.0, 9.0, 2.0, 3.0, np.nan])
    y = np.array([0.0, 9.0, 2.0, 1.0, 4.0])
    rows = np.array([True, False, True, True, True])
    found = resampled_correlation(x, y, rows, Bootstrap(draws=200, block=2))
    assert found.value == pytest.approx(0.5)
    assert found.n == 3
