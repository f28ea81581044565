"""Intervals of statistics by regime: those of a plain twin; none where the sample is too small."""

from __future__ import annotations

from math import isnan
from types import SimpleNamespace
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from reference_intervals import correlation_interval, ratio_interval

from gexlab.backtest.calibration.former_intervals import _of_returns, _sharpe
from gexlab.backtest.calibration.intervals import _of_ratio, interval_coverage
from gexlab.backtest.calibration.return_kinds import KINDS
from gexlab.backtest.statistics import intervals, realised
from gexlab.backtest.statistics.volatility_by_regime import HORIZONS, correlation, volatility_ratio

RNG = np.random.default_rng(11)
N = 300
SHORT = np.repeat(RNG.random(N // 12) < 0.4, 12)
SIZE = np.exp(np.cumsum(0.1 * RNG.standard_normal(N)) * 0.3)
TOTAL = 0.01 * SIZE * RNG.standard_normal(N)
FLAT = np.zeros(N)
LOGS = realised.LogBars(FLAT, FLAT, FLAT, TOTAL)
SQUARES = realised.mean_estimator("squares", TOTAL**2)


def windows(labelled: npt.NDArray[np.bool_], horizon: str) -> npt.NDArray[np.float64]:
    first, last = HORIZONS[horizon]
    out = np.zeros(N)
    for t in np.flatnonzero(labelled):
        if t + last < N:
            out[t + first : t + last + 1] += 1.0
    return out


@pytest.mark.parametrize("horizon", list(HORIZONS))
def test_ratios_are_the_twins(horizon: str) -> None:
    found = volatility_ratio(SQUARES, SQUARES.moments(LOGS), SHORT, ~SHORT, horizon, 0.95)
    weights = [windows(mask, horizon) for mask in (SHORT, ~SHORT)]
    variances = [float(TOTAL**2 @ w / w.sum()) for w in weights]
    assert found.value == pytest.approx((variances[0] / variances[1]) ** 0.5, rel=1e-12)
    assert (found.low, found.high) == pytest.approx(
        ratio_interval(TOTAL**2, weights[0], weights[1]), rel=1e-6
    )


def test_close_to_close_differs_from_squares_by_the_mean_alone() -> None:
    e = realised.estimator("close_to_close")
    found = volatility_ratio(e, e.moments(LOGS), SHORT, ~SHORT, "today", 0.95)
    groups = [TOTAL[mask] - TOTAL[mask].mean() for mask in (SHORT, ~SHORT)]
    deviations = np.empty(N)
    deviations[SHORT], deviations[~SHORT] = groups
    same = ratio_interval(deviations**2, *(m.astype(np.float64) for m in (SHORT, ~SHORT)))
    assert (found.low, found.high) == pytest.approx(same, rel=0.01)  # n - 1 against n


def test_a_correlation_is_the_twins() -> None:
    x, y = RNG.standard_t(5, N), RNG.standard_t(5, N)
    y += 0.4 * x
    found = correlation(x, y, SHORT, 0.95)
    n = int(SHORT.sum())
    count = max(5, int(0.25 * n ** (2 / 3)))
    twin = correlation_interval(x[SHORT], y[SHORT], count)
    assert (found.low, found.high) == pytest.approx(twin, rel=1e-9)


@pytest.mark.parametrize(
    ("short", "horizon", "reason"),
    [
        (9, "next_1", "9 sessions in the smaller group, 10 are needed"),
        (20, "next_21", "20 sessions in the smaller group hold 1.0 windows of 21"),
        (70, "next_21", ""),
    ],
)
def test_too_few_sessions_have_no_interval_but_a_reason(
    short: int, horizon: str, reason: str
) -> None:
    label = np.zeros(N, bool)
    label[np.linspace(0, N - 30, short).astype(int)] = True
    found = volatility_ratio(SQUARES, SQUARES.moments(LOGS), label, ~label, horizon, 0.95)
    assert found.reason.startswith(reason)
    assert bool(found.reason) is bool(reason) is isnan(found.low) is isnan(found.high)
    assert found.value > 0.0


def test_overlap_and_memory_are_those_of_a_full_matrix() -> None:
    v = RNG.standard_normal((40, 2))
    lag = np.abs(np.subtract.outer(np.arange(40), np.arange(40)))
    triangle = np.maximum(0.0, 1.0 - lag / 5.0)
    gamma = 0.75 * triangle + 0.25 * 0.98**lag
    expected = np.array([v[:, k] @ gamma @ v[:, k] for k in (0, 1)])
    found = intervals.expected(v, intervals.VARIANCES, overlap=5)
    np.testing.assert_allclose(found, expected, rtol=1e-12)


def test_a_small_sample_of_the_coverage_table() -> None:
    found = interval_coverage(
        samples=60, lengths=(126,), kinds=("t", "garch"), statistics=("sharpe", "ratio_next_1")
    )
    assert all(cell.sound for cell in found.cells)
    assert all(cell.width < 2.0 * cell.former_width for cell in found.cells)
    assert all(cell.printed >= 50 for cell in found.cells)
    again = interval_coverage(
        samples=60, lengths=(126,), kinds=("t", "garch"), statistics=("sharpe", "ratio_next_1")
    )
    assert found == again


@pytest.mark.slow
def test_every_printed_cell_covers() -> None:
    cells = interval_coverage(samples=1_000).cells
    markets = [cell for cell in cells if cell.kind != "gjr-t"]
    assert [cell for cell in markets if not cell.sound] == []
    # the former width is itself an estimate, of a tenth of the samples
    wide = [c for c in markets if c.printed and c.width > 2.02 * c.former_width]
    assert wide == []
    always = ("sharpe", "ratio_today", "ratio_next_1", "autocorrelation")
    assert all(c.printed > 0.9 * c.samples for c in cells if c.statistic in always and c.n >= 126)


def test_the_ratio_that_former_intervals_were_of_is_the_annual_one() -> None:
    rng = np.random.default_rng(2)
    sample = SimpleNamespace(returns=0.001 + 0.01 * rng.standard_normal(300))
    sums = _of_returns(sample, "sharpe").sum(axis=0)[None, :]  # type: ignore[arg-type]
    r = sample.returns
    assert _sharpe(sums)[0] == pytest.approx(252**0.5 * r.mean() / r.std(ddof=1), rel=1e-12)


def test_each_ratio_is_of_its_own_estimator_and_horizon() -> None:
    rng = np.random.default_rng(4)
    close = 0.01 * rng.standard_normal(400)
    high = np.maximum(close, 0.0) + 0.004 * rng.random(400)
    low = np.minimum(close, 0.0) - 0.004 * rng.random(400)
    logs = realised.LogBars(np.zeros(400), high, low, close)
    short = rng.random(400) < 0.3
    sample: Any = SimpleNamespace(logs=logs, short=short)
    for name, estimator, horizon in (
        ("ratio_parkinson", "parkinson", "next_1"),
        ("ratio_next_1", "close_to_close", "next_1"),
        ("ratio_next_5", "close_to_close", "next_5"),
    ):
        e = realised.estimator(estimator)
        wanted = volatility_ratio(e, e.moments(logs), short, ~short, horizon, 0.95)
        assert _of_ratio(sample, name) == (wanted.low, wanted.high)


def test_the_true_growth_is_that_of_many_years() -> None:
    """Normal returns of the same mean and deviation: mean log over a million, to its error."""
    kind = KINDS["normal"]
    sharpe = kind.truth("sharpe")
    daily = 0.01
    mean = daily * sharpe / 252**0.5
    r = mean + daily * np.random.default_rng(6).standard_normal(2_000_000)
    growth = np.log1p(r)
    error = 252 * growth.std() / len(r) ** 0.5
    assert np.log1p(kind.truth("cagr")) == pytest.approx(252 * growth.mean(), abs=4 * error)
