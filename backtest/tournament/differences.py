"""Difference of two Sharpe ratios on the same sessions, by a studentised bootstrap of pairs.

References
----------
Ledoit, Wolf (2008), Robust performance hypothesis testing with the Sharpe ratio, J. Empirical
Finance 15; Politis, Romano (1994) for the stationary bootstrap.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt

from ...data import EXCHANGE_SESSIONS, NOISE, GexlabError
from ..statistics.resampling import Resampling
from .studentised import automatic_block, long_run_deviation, return_matrix

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["SharpeDifference", "sharpe_difference"]

Floats = npt.NDArray[np.float64]
_CHUNK: Final = 200


@dataclass(frozen=True, slots=True)
class SharpeDifference:
    """Sharpe ratio of one strategy less that of another.

    Attributes
    ----------
    difference, low, high : float
        Annual, with its interval.
    statistic : float
        Difference over its long-run standard error.
    p_value : float
        Two-sided.
    block : float
        Mean block length, sessions.
    automatic : bool
        Whether the block was chosen from the data.
    sessions : int
    """

    difference: float
    low: float
    high: float
    statistic: float
    p_value: float
    block: float
    automatic: bool
    sessions: int


def sharpe_difference(
    returns: npt.ArrayLike,
    other: npt.ArrayLike,
    how: Resampling,
    *,
    block: float | None = None,
    year: int = EXCHANGE_SESSIONS,
) -> SharpeDifference:
    """Compare two strategies on the same sessions.

    Parameters
    ----------
    returns, other : array_like, shape (n,)
        Per session, without gaps.
    how : Resampling
        Seed, replications and level; its block is used where `block` says so.
    block : float, optional
        Mean block length; default what Politis and White choose from the two series.
    year : int
        Sessions a year.

    Returns
    -------
    SharpeDifference
        NaN where one of the two has no Sharpe ratio, or both are the same.

    Notes
    -----
    Each resample draws sessions of both at once, and its difference is divided by its own standard
    error, from the sums of its consecutive blocks: the two are then distributed alike to second
    order, which keeps the size where returns are dependent and fat-tailed.
    """
    a, b = np.asarray(returns, dtype=np.float64), np.asarray(other, dtype=np.float64)
    if a.ndim != 1 or a.shape != b.shape:
        raise GexlabError(f"expected two series of the same sessions, found {a.shape}, {b.shape}")
    x = return_matrix(np.column_stack([a, b]))
    used = automatic_block(x) if block is None else block
    nan = float("nan")
    empty = SharpeDifference(nan, nan, nan, nan, nan, used, block is None, len(x))
    if (x.std(axis=0) <= NOISE).any():
        return empty
    difference, influence = _influence(x[None])
    found = float(difference[0])
    error = float(long_run_deviation(influence[0][:, None], used)[0]) / math.sqrt(len(x))
    if not error > NOISE:
        return replace(empty, difference=found * math.sqrt(year))
    draws = np.concatenate(list(_statistics(x, found, replace(how, block=used))))
    statistic = found / error
    extreme = float(np.sum(np.abs(draws) >= abs(statistic)))
    reach = float(np.quantile(np.abs(draws), how.level)) * error
    scale = math.sqrt(year)
    return SharpeDifference(
        difference=found * scale,
        low=(found - reach) * scale,
        high=(found + reach) * scale,
        statistic=statistic,
        p_value=(extreme + 1.0) / (len(draws) + 1.0),
        block=used,
        automatic=block is None,
        sessions=len(x),
    )


def _statistics(x: Floats, centre: float, how: Resampling) -> Iterator[Floats]:
    """Yield the studentised, centred difference of each resample, some at a time."""
    from arch.bootstrap import StationaryBootstrap

    rows = np.arange(len(x))
    # arch wants a whole block size but only ever uses its reciprocal
    source = StationaryBootstrap(how.block, rows, seed=how.seed)  # type: ignore[arg-type]
    taken = [positional[0] for positional, _ in source.bootstrap(how.replications)]
    length = min(max(round(how.block), 1), len(x) // 2)
    blocks = len(x) // length
    for start in range(0, len(taken), _CHUNK):
        difference, influence = _influence(x[np.array(taken[start : start + _CHUNK])])
        cut = influence[:, : blocks * length].reshape(len(influence), blocks, length)
        variance = (cut.sum(axis=2) ** 2).mean(axis=1) / length
        error = np.sqrt(variance / len(x))
        usable = np.isfinite(difference) & (error > NOISE)
        yield (difference[usable] - centre) / error[usable]


def _influence(x: Floats) -> tuple[Floats, Floats]:
    """Return the difference per session of each sample and what each session adds to it.

    Parameters
    ----------
    x : ndarray, shape (samples, n, 2)

    Returns
    -------
    ndarray, shape (samples,), and ndarray, shape (samples, n)
    """
    mean = x.mean(axis=1, keepdims=True)
    deviation = x.std(axis=1, ddof=1, keepdims=True)
    with np.errstate(divide="ignore", invalid="ignore"):
        z = (x - mean) / deviation
        ratio = mean / deviation
        own = z - 0.5 * ratio * (z**2 - 1.0)
        return (ratio[:, 0, 0] - ratio[:, 0, 1]), own[:, :, 0] - own[:, :, 1]
