"""Model confidence set (Hansen, Lunde, Nason 2011): the trials that may be the best.

Both statistics of the paper that survived its corrigendum: the largest studentised difference of
two trials (``range``) and of a trial to the mean of those left (``max``). Each difference is
studentised by its own bootstrap deviation.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
import numpy.typing as npt

from ...data import NOISE, UnknownNameError
from ..statistics.resampling import Resampling, resampled_sums
from .studentised import drawn_rows, return_matrix

__all__ = ["SetStatistic", "confidence_set"]

Floats = npt.NDArray[np.float64]
SetStatistic = Literal["range", "max"]
_STATISTICS = ("range", "max")
_PIECES = 10


def confidence_set(
    returns: npt.ArrayLike, how: Resampling, statistic: SetStatistic = "range"
) -> Floats:
    """Return each trial's p-value of belonging to the set of the best.

    The set at confidence 1 - alpha is every trial whose p-value is above alpha.

    Parameters
    ----------
    returns : array_like, shape (n, k)
        Periods by trials; more is better. At most a few hundred trials: all pairs are compared.
    how : Resampling
    statistic : {"range", "max"}

    Returns
    -------
    ndarray, shape (k,)
        1 for the last one left. Trials with the same returns are one trial: they share its value.

    References
    ----------
    Hansen, Lunde, Nason (2011), The model confidence set, Econometrica 79.
    """
    if statistic not in _STATISTICS:
        raise UnknownNameError("statistic", statistic, _STATISTICS)
    x = return_matrix(returns)
    twin = _twins(x)
    kept = np.unique(twin)
    chosen = x[:, kept]
    mean = chosen.mean(axis=0)
    # counts are small whole numbers: float32 has held them exactly
    counts = tuple(
        rows.astype(np.float64) for rows in np.array_split(drawn_rows(len(x), how), _PIECES)
    )
    draws = resampled_sums(chosen - mean, how, counts) / len(x)
    p = _by_range(mean, draws) if statistic == "range" else _by_max(mean, draws)
    return np.asarray(p[np.searchsorted(kept, twin)])


def _twins(x: Floats) -> npt.NDArray[np.int64]:
    """Return for each column the first one that never differs from it by more than rounding."""
    twin = np.arange(x.shape[1])
    for j in range(1, x.shape[1]):
        earlier = np.flatnonzero(twin[:j] == np.arange(j))
        close = np.abs(x[:, earlier] - x[:, j : j + 1]).max(axis=0) <= NOISE
        if close.any():
            twin[j] = earlier[int(np.argmax(close))]
    return twin


def _by_range(mean: Floats, draws: Floats) -> Floats:
    """Eliminate by the largest difference of two; then add draws in the opposite order.

    Who goes depends on the means alone, so that the draws' maximum over the pairs that are left is
    built up from the last pair: one pass over all pairs instead of one for every round.
    """
    k = len(mean)
    deviation = _pair_deviations(draws)
    t = (mean[None, :] - mean[:, None]) / deviation  # row i: how much worse i is than each other
    left = list(range(k))
    gone: list[int] = []
    observed: list[float] = []
    while len(left) > 1:
        worst = t[np.ix_(left, left)].max(axis=1)
        place = int(np.argmax(worst))
        observed.append(float(worst[place]))
        gone.append(left.pop(place))
    running = np.full(len(draws), -np.inf)
    p = np.empty(k)
    p[left[0]] = 1.0
    inside = [left[0]]
    for i, reached in zip(reversed(gone), reversed(observed), strict=True):
        pairs = np.abs(draws[:, inside] - draws[:, [i]]) / deviation[i, inside]
        running = np.maximum(running, pairs.max(axis=1))
        p[i] = np.mean(running >= reached)
        inside.append(i)
    return _rising(p, gone)


def _pair_deviations(draws: Floats) -> Floats:
    """Return the bootstrap deviation of each pair's difference; 1 on the diagonal."""
    out = np.ones((draws.shape[1], draws.shape[1]))
    for i in range(draws.shape[1]):
        others = np.arange(draws.shape[1]) != i
        out[i, others] = np.sqrt(np.mean((draws[:, others] - draws[:, [i]]) ** 2, axis=0))
    return out


def _by_max(mean: Floats, draws: Floats) -> Floats:
    """Eliminate by the largest difference to the mean of those left."""
    k = len(mean)
    left = list(range(k))
    gone: list[int] = []
    p = np.ones(k)
    while len(left) > 1:
        off = draws[:, left] - draws[:, left].mean(axis=1, keepdims=True)
        deviation = np.sqrt(np.mean(off**2, axis=0))
        worse = (mean[left].mean() - mean[left]) / deviation
        place = int(np.argmax(worse))
        p[left[place]] = np.mean((-off / deviation).max(axis=1) >= worse[place])
        gone.append(left.pop(place))
    return _rising(p, gone)


def _rising(p: Floats, gone: list[int]) -> Floats:
    """Return p-values that never fall in the order of elimination."""
    p[gone] = np.maximum.accumulate(p[gone])
    return p
