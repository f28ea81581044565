"""Columns of returns in units of their mean's standard error, and their bootstrap draws.

Means of different spread cannot be compared: whatever is widest decides for all. Every test of
this package starts from here, so that no statistic is unstudentised by accident.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt

from ...data import NOISE, GexlabError, NotEnoughDataError, compiled, short_repr
from ..statistics.resampling import Resampling, row_counts

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = [
    "Studentised",
    "automatic_block",
    "column_parts",
    "drawn_rows",
    "long_run_deviation",
    "return_matrix",
    "studentise",
]

Floats = npt.NDArray[np.float64]
Singles = npt.NDArray[np.float32]
_COLUMNS: Final = 256
#: Columns whose sessions a processor keeps beside itself.
_CACHED: Final = 64
_FEWEST: Final = 10


@dataclass(frozen=True, slots=True, eq=False)
class Studentised:
    """Means of columns over their standard errors, beside the same of each draw.

    Attributes
    ----------
    statistic : ndarray, shape (k,)
        Mean over standard error; NaN for a column without variation, which takes no part.
    draws : ndarray of float32, shape (replications, k)
        Of each resample: its mean less the column's, over the same standard error; minus
        infinity for a column that takes no part.
    deviation : ndarray, shape (k,)
        Long-run standard deviation of a period's value: standard error times root of n.
    unit : ndarray, shape (k,)
        What the column was divided by: `deviation`, or 1; NaN for a column that takes no part.
    rows : int
    block : float
        Mean block length.
    """

    statistic: Floats
    draws: Singles
    deviation: Floats
    unit: Floats
    rows: int
    block: float
    __repr__ = short_repr


def return_matrix(returns: npt.ArrayLike, fewest: int = _FEWEST) -> Floats:
    """Return periods by trials, checked: two-dimensional, finite, and long enough.

    Raises
    ------
    GexlabError
        If there is no column, or a value is missing: trials are compared on the same periods.
    NotEnoughDataError
        If there are fewer than `fewest` periods.
    """
    x = np.asarray(returns, dtype=np.float64)
    if x.ndim == 1:
        x = x[:, None]
    if x.ndim != 2 or not x.shape[1]:
        raise GexlabError(f"expected periods by trials, found an array of shape {x.shape}")
    if len(x) < fewest:
        raise NotEnoughDataError(f"{len(x)} periods; at least {fewest} are needed")
    if not np.isfinite(x).all():
        row, column = (int(i[0]) for i in np.nonzero(~np.isfinite(x)))
        raise GexlabError(
            f"period {row} of trial {column} has no value: trials are compared on periods that all "
            "of them have; leave the others out, or the trial"
        )
    return x


def studentise(returns: npt.ArrayLike, how: Resampling, *, scale: bool = True) -> Studentised:
    """Return studentised means and draws of every column.

    Parameters
    ----------
    returns : array_like, shape (n, k)
        Periods by trials, oriented so that more is better; differences to a benchmark where
        there is one.
    how : Resampling
        Stationary bootstrap of periods, shared by all columns so that their dependence counts.
    scale : bool
        False leaves every column in its own unit, as White (2000) has it: for comparison only.
    """
    x = return_matrix(returns)
    n, k = x.shape
    mean = x.mean(axis=0)
    deviation = long_run_deviation(x, how.block)
    spread = np.concatenate([x[:, part].std(axis=0) for part in column_parts(k, _CACHED)])
    moves = spread > NOISE * np.maximum(1.0, np.abs(mean))
    usable = moves & (deviation > 0.0)
    unit = np.where(usable, deviation if scale else 1.0, np.nan)
    counts = drawn_rows(n, how)
    draws = np.empty((len(counts), k), dtype=np.float32, order="F")
    for part in column_parts(k):
        centred = np.nan_to_num((x[:, part] - mean[part]) / unit[part])
        draws[:, part] = counts @ centred.astype(np.float32)
    draws /= np.float32(np.sqrt(n))
    draws[:, ~usable] = -np.inf
    return Studentised(mean / unit * np.sqrt(n), draws, deviation, unit, n, how.block)


@lru_cache(maxsize=1)
def drawn_rows(n: int, how: Resampling) -> Singles:
    """Return how often each draw takes each row: the same for every family of one tournament.

    float32 holds a standardised mean to 1e-6 of its error, far below what draws can resolve.
    """
    return np.concatenate([c.astype(np.float32) for c in row_counts(n, how)])


def long_run_deviation(columns: Floats, block: float) -> Floats:
    """Return the standard deviation of root n times each column's mean under the bootstrap.

    Exact for the stationary bootstrap of mean block length `block` (Politis and Romano 1994, the
    kernel of Hansen 2005), so that draws add no error of their own.

    Parameters
    ----------
    columns : ndarray, shape (n, k)
    block : float
        At least 1, which takes periods as independent.
    """
    k = columns.shape[1]
    stay = 1.0 - 1.0 / max(block, 1.0)
    variance = np.empty(k)
    for part in column_parts(k, _CACHED):
        mine = columns[:, part]
        _long_run(np.ascontiguousarray(mine - mine.mean(axis=0)), stay, variance[part])
    return np.sqrt(np.maximum(variance, 0.0))


@compiled(nogil=True)
def _long_run(x: Floats, stay: float, out: Floats) -> None:
    """Put the sum over lags i of (1 - i / n) stay^i times the circular autocovariance into `out`.

    Both ways through time, lag 0 once. With y the sum of stay^i x(t - i) and z that of i stay^i
    x(t - i), going around, the lags need no loop of their own: y and z follow from those of the
    session before. The first time around finds where they start.
    """
    n, k = x.shape
    y, z = np.zeros(k), np.zeros(k)
    for t in range(n):
        for j in range(k):
            z[j] = stay * (z[j] + y[j])
            y[j] = stay * y[j] + x[t, j]
    around = stay**n
    for j in range(k):  # so far the lags up to n - 1; going on around adds the same, ever smaller
        z[j] = z[j] / (1.0 - around) + n * around / (1.0 - around) ** 2 * y[j]
        y[j] = y[j] / (1.0 - around)
    squares, plain, weighted = np.zeros(k), np.zeros(k), np.zeros(k)
    for t in range(n):
        for j in range(k):
            z[j] = stay * (z[j] + y[j])
            y[j] = stay * y[j] + x[t, j]
            squares[j] += x[t, j] * x[t, j]
            plain[j] += x[t, j] * y[j]
            weighted[j] += x[t, j] * z[j]
    for j in range(k):
        # back from all lags to those up to n - 1
        lagged = plain[j] * (1.0 - around)
        by_lag = (weighted[j] - n * around / (1.0 - around) * plain[j]) * (1.0 - around)
        out[j] = (2.0 * (lagged - by_lag / n) - squares[j]) / n


def automatic_block(returns: npt.ArrayLike) -> float:
    """Return the mean block length that Politis and White choose for the stationary bootstrap.

    Parameters
    ----------
    returns : array_like, shape (n,) or (n, k)
        Of several columns, the longest: each must keep its dependence.

    Returns
    -------
    float
        At least 1; at most a third of the periods.

    References
    ----------
    Politis, White (2004), Econometric Reviews 23; correction of Patton, Politis, White (2009).
    """
    from arch.bootstrap import optimal_block_length

    x = return_matrix(returns)
    moving = x[:, x.std(axis=0) > NOISE]
    if not moving.shape[1]:
        return 1.0
    found = optimal_block_length(moving)["stationary"].to_numpy(dtype=np.float64)
    longest = float(np.nanmax(found)) if np.isfinite(found).any() else 1.0
    return min(max(longest, 1.0), len(x) / 3.0)


def column_parts(k: int, most: int = _COLUMNS) -> Iterator[slice]:
    """Yield columns some at a time."""
    for start in range(0, k, most):
        yield slice(start, min(start + most, k))
