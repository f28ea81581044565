"""Intervals of performance figures by stationary block bootstrap.

Whole blocks of sessions are drawn, so that volatility clustering and autocorrelation survive;
the same draws serve every strategy, so that differences between them are paired.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import nan

import numpy as np
import numpy.typing as npt

from ...data import EXCHANGE_SESSIONS, real_difference
from .metrics import sharpe_of_moments
from .resampling import Draws, Resampling, interval, resampled_sums

__all__ = ["ReturnIntervals", "return_intervals"]

Floats = npt.NDArray[np.float64]


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


def return_intervals(
    returns: Floats,
    how: Resampling,
    *,
    year: int = EXCHANGE_SESSIONS,
    spans: npt.NDArray[np.int64] | None = None,
    draws: Draws | None = None,
) -> list[ReturnIntervals]:
    """Return intervals of Sharpe ratio, compound growth and volatility.

    Parameters
    ----------
    returns : ndarray, shape (n, k)
        Simple returns per session of k strategies, resampled together.
    how : Resampling
    year : int
        Sessions a year.
    spans : ndarray of int, shape (n,), optional
        Sessions of the calendar that each return spans, 1 unless bars are missing: longer ones
        count in growth and not among returns of one session.
    draws : Draws, optional
        Of `resampling.drawn` for n rows, where several tables are resampled alike.
    """
    n, k = returns.shape
    with np.errstate(invalid="ignore", divide="ignore"):
        growth = np.log1p(returns)
    broken: npt.NDArray[np.bool_] = np.asarray(~np.isfinite(growth).all(axis=0))
    clean = np.where(broken, 0.0, returns)
    growth = np.where(broken, 0.0, growth)
    length = np.ones(n, dtype=np.int64) if spans is None else spans
    single = (length == 1).astype(np.float64)[:, None]
    clean = clean * single
    parts = [clean, clean**2, growth, single, length[:, None]]
    sums = resampled_sums(np.hstack(parts), how, draws)
    total, squares, logs = sums[:, :k], sums[:, k : 2 * k], sums[:, 2 * k : 3 * k]
    counts, sessions = sums[:, 3 * k : 3 * k + 1], sums[:, 3 * k + 1 :]
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = total / counts
        variance = real_difference(squares - counts * mean**2, squares) / (counts - 1)
        ratio = sharpe_of_moments(mean, np.sqrt(variance), year)
        annual = np.expm1(logs * (year / sessions))
    volatility = np.sqrt(variance * year)
    undefined = ReturnIntervals((nan, nan), (nan, nan), (nan, nan), nan)
    return [
        undefined
        if broken[j]
        else _intervals(ratio[:, j], annual[:, j], volatility[:, j], how.level)
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
