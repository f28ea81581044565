"""Intervals of performance figures, of the scores of their logarithms and ratios.

The Sharpe ratio's score has two parts: that of the mean, and that of the volatility that it is
divided by, whose clusters outlast most samples. The second part counts once more, twice as large
and from the four slowest cosine sums: where volatility is calm that adds nothing, and where it is
not the ratio's denominator is as unsure as the sample can tell. The volatility of a strategy has
no interval at all: on clustering returns none of less than twice the width covered.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import nan
from typing import Final

import numpy as np
import numpy.typing as npt

from ...data import EXCHANGE_SESSIONS
from .intervals import FEWEST, Memory, Spread, ends, spread_of_scores
from .metrics import sharpe_of_moments
from .resampling import NORMAL_LEVEL, Resampling

__all__ = ["ReturnIntervals", "return_intervals"]

Floats = npt.NDArray[np.float64]
#: The slowest of what volatility does.
_CLUSTERS: Final = Memory(fewest=4)
#: Columns at once: what is in memory beside them is some ten times as much.
_CHUNK: Final = 250
#: Columns at once where all are whole: what is made of them stays in the processor's cache.
_CACHED: Final = 40


@dataclass(frozen=True, slots=True)
class ReturnIntervals:
    """Intervals of one strategy's figures.

    Attributes
    ----------
    sharpe, cagr : tuple of float
        Low and high end, NaN where undefined.
    sharpe_error : float
        Standard error of the Sharpe ratio.
    """

    sharpe: tuple[float, float]
    cagr: tuple[float, float]
    sharpe_error: float


def return_intervals(
    returns: Floats,
    how: Resampling,
    *,
    year: int = EXCHANGE_SESSIONS,
    spans: npt.NDArray[np.int64] | None = None,
) -> list[ReturnIntervals]:
    """Return intervals of Sharpe ratio and compound growth.

    Parameters
    ----------
    returns : ndarray, shape (n, k)
        Simple returns per session of k strategies.
    how : Resampling
        Its level is the coverage.
    year : int
        Sessions a year.
    spans : ndarray of int, shape (n,), optional
        Sessions of the calendar that each return spans, 1 unless bars are missing: longer ones
        count in growth and not among returns of one session.
    """
    k = returns.shape[1]
    found: list[ReturnIntervals] = []
    for first in range(0, k, _CACHED):  # columns do not act on each other
        found += _return_intervals(returns[:, first : first + _CACHED], how, year, spans)
    return found


def _return_intervals(
    returns: Floats, how: Resampling, year: int, spans: npt.NDArray[np.int64] | None
) -> list[ReturnIntervals]:
    n, k = returns.shape
    undefined = ReturnIntervals((nan, nan), (nan, nan), nan)
    length = np.ones(n) if spans is None else spans.astype(np.float64)
    single = returns[length == 1]
    if len(single) < FEWEST:
        return [undefined] * k
    with np.errstate(invalid="ignore", divide="ignore"):
        growth = np.log1p(returns)
    broken = np.asarray(~np.isfinite(growth).all(axis=0))
    ratio, error = _sharpes(np.where(broken, np.nan, single))
    rate = growth.sum(axis=0) / length.sum()
    clean = np.where(broken, 0.0, growth - rate * length[:, None]) / length.sum()
    growths = spread_of_scores(clean)
    root = np.sqrt(year)
    return [
        undefined
        if broken[j] or not np.isfinite(ratio[j])
        else ReturnIntervals(
            sharpe=ends(
                root * ratio[j], Spread(root * error[j].error, error[j].freedom), how.level
            ),
            cagr=_annual(ends(year * rate[j], _times(growths[j], year), how.level)),
            sharpe_error=root * error[j].error,
        )
        for j in range(k)
    ]


def sharpe_intervals(returns: Floats, level: float, year: int) -> tuple[Floats, Floats]:
    """Return both ends of the interval of each column's Sharpe ratio a year.

    The same interval as `return_intervals`, of columns that may miss sessions.

    Parameters
    ----------
    returns : ndarray, shape (n, k)
        NaN on sessions that a column does not have.
    level : float
        Coverage.
    year : int
        Sessions a year.

    Returns
    -------
    tuple of ndarray, shape (k,)
        NaN where undefined.
    """
    known = np.isfinite(returns)
    ends_of = np.full((2, returns.shape[1]), nan)
    groups: dict[bytes, list[int]] = {}
    for j, mask in enumerate(np.packbits(known, axis=0).T):
        groups.setdefault(mask.tobytes(), []).append(j)
    for alike in groups.values():
        rows = known[:, alike[0]]
        for start in range(0, len(alike), _CHUNK):
            members = alike[start : start + _CHUNK]
            part = returns[np.ix_(rows, np.array(members))]
            if len(part) >= FEWEST:
                ends_of[:, members] = _sharpe_ends(part, level, year)
    return ends_of[0], ends_of[1]


def _sharpe_ends(returns: Floats, level: float, year: int) -> Floats:
    """Return both ends of each column's interval; NaN where the equity was lost."""
    ratio, error = _sharpes(np.where((returns <= -1.0).any(axis=0), nan, returns))
    root = np.sqrt(year)
    found = [
        ends(root * r, Spread(root * e.error, e.freedom), level)
        for r, e in zip(ratio, error, strict=True)
    ]
    return np.array(found, dtype=np.float64).T


def _annual(logs: tuple[float, float]) -> tuple[float, float]:
    return float(np.expm1(logs[0])), float(np.expm1(logs[1]))


def _times(spread: Spread, factor: float) -> Spread:
    return Spread(factor * spread.error, spread.freedom)


def _sharpes(returns: Floats) -> tuple[Floats, list[Spread]]:
    """Return Sharpe ratios of a session and their spreads, column by column."""
    n = len(returns)
    mean, deviation = returns.mean(axis=0), returns.std(axis=0, ddof=1)
    ratio = sharpe_of_moments(mean, deviation, 1)
    with np.errstate(invalid="ignore", divide="ignore"):
        z = np.where(np.isfinite(ratio), (returns - mean) / deviation, 0.0)
    squares = z**2 - (z**2).mean(axis=0)
    half = np.nan_to_num(ratio) / 2.0
    both = spread_of_scores((z - half * squares) / n)
    slow = spread_of_scores(half * squares / n, _CLUSTERS)
    return ratio, [_joined(a, b) for a, b in zip(both, slow, strict=True)]


def _joined(whole: Spread, slow: Spread) -> Spread:
    """Return the spread that reaches as far as the root of both squared, at 95 %."""
    reach = np.hypot(whole.reach(NORMAL_LEVEL), 2.0 * slow.reach(NORMAL_LEVEL))
    return Spread(
        float(whole.error * reach / whole.reach(NORMAL_LEVEL)) if reach else 0.0, whole.freedom
    )
