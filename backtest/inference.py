"""Intervals by stationary block bootstrap (Politis and Romano, 1994).

Whole blocks of sessions are drawn, so that volatility clustering and autocorrelation survive;
the same draws serve every strategy, so that differences between them are paired. Statistics that
are functions of sums over sessions are resampled as one matrix product.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import nan

import numpy as np
import numpy.typing as npt

from .realised import SESSIONS_PER_YEAR
from .results import Estimate

__all__ = [
    "Bootstrap",
    "ReturnIntervals",
    "correlation",
    "interval",
    "resampled_correlation",
    "resampled_sums",
    "return_intervals",
]

Floats = npt.NDArray[np.float64]

#: Draws whose counts are held in memory at once.
_CHUNK = 250


@dataclass(frozen=True, slots=True)
class Bootstrap:
    """How intervals are made.

    Attributes
    ----------
    seed, draws : int
        Seed and number of resamples.
    block : int
        Mean block length, sessions; the stationary bootstrap's blocks are geometric.
    level : float
        Coverage.
    """

    seed: int = 7
    draws: int = 2_000
    block: int = 10
    level: float = 0.95


@dataclass(frozen=True, slots=True)
class ReturnIntervals:
    """Intervals of one strategy's figures.

    Attributes
    ----------
    sharpe, cagr, volatility : tuple of float
        Low and high end, NaN where undefined.
    sharpe_error : float
        Standard deviation of the resampled Sharpe ratio.
    """

    sharpe: tuple[float, float]
    cagr: tuple[float, float]
    volatility: tuple[float, float]
    sharpe_error: float


def resampled_sums(columns: Floats, bootstrap: Bootstrap) -> Floats:
    """Return the column sums of each resample of the rows.

    Parameters
    ----------
    columns : ndarray, shape (n, k)
        One row per session, in order; no NaN (multiply with a mask instead).
    bootstrap : Bootstrap

    Returns
    -------
    ndarray, shape (draws, k)
        The same for the same seed, whatever else is in the process.
    """
    from arch.bootstrap import StationaryBootstrap

    n = len(columns)
    if n == 0:
        return np.full((bootstrap.draws, columns.shape[1]), nan)
    generator = np.random.default_rng(bootstrap.seed)
    sampler = StationaryBootstrap(bootstrap.block, np.arange(n), seed=generator)
    sums = np.empty((bootstrap.draws, columns.shape[1]))
    for first in range(0, bootstrap.draws, _CHUNK):
        last = min(first + _CHUNK, bootstrap.draws)
        counts = np.empty((last - first, n))
        for row in range(last - first):
            counts[row] = np.bincount(sampler.update_indices(), minlength=n)
        sums[first:last] = counts @ columns
    return sums


def interval(draws: Floats, level: float) -> tuple[float, float]:
    """Return the percentile interval of resampled values.

    Draws in which the statistic is undefined are left out; where they are more than half, the
    interval is NaN.
    """
    defined = draws[np.isfinite(draws)]
    if 2 * len(defined) < len(draws) or not len(defined):
        return nan, nan
    tail = (1.0 - level) / 2.0
    low, high = np.quantile(defined, [tail, 1.0 - tail])
    return float(low), float(high)


def return_intervals(returns: Floats, bootstrap: Bootstrap) -> list[ReturnIntervals]:
    """Return intervals of Sharpe ratio, compound growth and volatility.

    Parameters
    ----------
    returns : ndarray, shape (n, k)
        Simple returns per session of k strategies, resampled together.
    """
    n, k = returns.shape
    with np.errstate(invalid="ignore", divide="ignore"):
        growth = np.log1p(returns)
    broken: npt.NDArray[np.bool_] = np.asarray(~np.isfinite(growth).all(axis=0))
    clean = np.where(broken, 0.0, returns)
    growth = np.where(broken, 0.0, growth)
    sums = resampled_sums(np.hstack([clean, clean**2, growth]), bootstrap)
    total, squares, logs = sums[:, :k], sums[:, k : 2 * k], sums[:, 2 * k :]
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = total / n
        variance = np.maximum(squares - n * mean**2, 0.0) / (n - 1)
        sd = np.sqrt(np.where(variance > 1e-24 * mean**2, variance, nan))
        ratio = mean / sd * np.sqrt(SESSIONS_PER_YEAR)
        annual = np.expm1(logs * (SESSIONS_PER_YEAR / n))
    volatility = np.sqrt(variance * SESSIONS_PER_YEAR)
    undefined = ReturnIntervals((nan, nan), (nan, nan), (nan, nan), nan)
    return [
        undefined
        if broken[j]
        else _intervals(ratio[:, j], annual[:, j], volatility[:, j], bootstrap.level)
        for j in range(k)
    ]


def _intervals(ratio: Floats, annual: Floats, volatility: Floats, level: float) -> ReturnIntervals:
    ends = interval(ratio, level)
    defined = ratio[np.isfinite(ratio)]
    return ReturnIntervals(
        sharpe=ends,
        cagr=interval(annual, level),
        volatility=interval(volatility, level),
        sharpe_error=float(np.std(defined, ddof=1)) if np.isfinite(ends[0]) else nan,
    )


def correlation(x: Floats, y: Floats) -> float:
    """Return Pearson's correlation; NaN for fewer than three pairs or without spread."""
    return float(_correlate(_moments(x, y, np.ones(len(x), dtype=bool)).sum(axis=0)))


def resampled_correlation(
    x: Floats, y: Floats, rows: npt.NDArray[np.bool_], bootstrap: Bootstrap
) -> Estimate:
    """Return the correlation of some rows' pairs with its interval.

    Parameters
    ----------
    x, y : ndarray, shape (n,)
        Pairs in session order; NaN pairs are left out.
    rows : ndarray of bool, shape (n,)
        Rows that count; blocks are drawn from all rows, so that time stays in order.
    """
    counted = rows & np.isfinite(x) & np.isfinite(y)
    moments = _moments(x, y, counted)
    draws = _correlate(resampled_sums(moments, bootstrap))
    low, high = interval(draws, bootstrap.level)
    return Estimate(float(_correlate(moments.sum(axis=0))), low, high, int(counted.sum()))


def _moments(x: Floats, y: Floats, counted: npt.NDArray[np.bool_]) -> Floats:
    """Return what each pair adds to the sums that a correlation is made of."""
    a, b = np.where(counted, x, 0.0), np.where(counted, y, 0.0)
    return np.column_stack([counted.astype(np.float64), a, b, a * a, b * b, a * b])


def _correlate(sums: Floats) -> Floats:
    n, a, b, aa, bb, ab = np.moveaxis(sums, -1, 0)
    with np.errstate(invalid="ignore", divide="ignore"):
        spread = (aa - a * a / n) * (bb - b * b / n)
        value = (ab - a * b / n) / np.sqrt(spread)
    return np.where((n >= 3) & (spread > 0.0), value, nan)
