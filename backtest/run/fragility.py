"""Answers that hang on fewer than five observations: without those, the answer is another."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from ..statistics.intervals import ratio_interval
from ..statistics.sharpe_intervals import return_intervals
from .results import Fragile

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ..statistics.resampling import Resampling

__all__ = ["fragile_direction", "fragile_volatility"]

Floats = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]
Answer = Literal["yes", "no", "undecided"]

#: An answer that fewer observations than this decide must say so.
_FEW: Final = 5


def fragile_volatility(
    variance: Floats, short: Mask, long: Mask, sessions: pd.DatetimeIndex, how: Resampling
) -> Fragile | None:
    """Return whether few sessions decide that volatility differs after short gamma.

    Parameters
    ----------
    variance : ndarray, shape (n,)
        Of each session; NaN where unknown.
    short, long : ndarray of bool, shape (n,)
        Sessions labelled so; the observation that belongs to a label is the next session.
    sessions : DatetimeIndex, shape (n,)
    how : Resampling
        As of the ratio's own interval.

    Returns
    -------
    Fragile or None
        None where no set of fewer than five observations changes the answer.
    """
    following = np.append(variance[1:], np.nan)
    known = np.isfinite(following)
    groups = [mask & known for mask in (short, long)]
    value = np.where(known, following, 0.0)

    def answer(gone: npt.NDArray[np.int64]) -> Answer:
        kept = np.ones(value.size, np.bool_)
        kept[gone] = False
        left = [np.asarray(g & kept) for g in groups]
        return _side(*ratio_interval(value, left[0], left[1], how.level), 1.0)

    orders = [np.flatnonzero(g)[np.argsort(-value[g], kind="stable")] for g in groups]
    observed = sessions[np.minimum(np.arange(value.size) + 1, value.size - 1)]
    return _fewest("volatility", orders, answer, pd.DatetimeIndex(observed))


def fragile_direction(returns: pd.Series[float], how: Resampling) -> Fragile | None:
    """Return whether few sessions decide that a strategy earns or loses.

    Parameters
    ----------
    returns : Series of float
        Simple, by session.
    how : Resampling
    """
    values: Floats = np.asarray(returns.to_numpy(), dtype=np.float64)
    if values.size < 2 * _FEW or not np.isfinite(values).all():
        return None

    def answer(gone: npt.NDArray[np.int64]) -> Answer:
        kept = np.delete(values, gone)[:, None]
        return _side(*return_intervals(kept, how)[0].sharpe, 0.0)

    orders = [np.argsort(-values, kind="stable"), np.argsort(values, kind="stable")]
    return _fewest("direction", orders, answer, pd.DatetimeIndex(returns.index))


def _side(low: float, high: float, at: float) -> Answer:
    if low > at:
        return "yes"
    return "no" if high < at else "undecided"


def _fewest(
    question: Literal["direction", "volatility"],
    orders: list[npt.NDArray[np.int64]],
    answer: Callable[[npt.NDArray[np.int64]], Answer],
    sessions: pd.DatetimeIndex,
) -> Fragile | None:
    """Return the smallest set of observations, largest first, without which an answer changes."""
    whole = answer(np.empty(0, np.int64))
    for gone in _sets(orders):
        without = answer(gone)
        if without != whole:
            left = tuple(day.date() for day in sessions[gone])
            return Fragile(question, left, whole, without)
    return None


def _sets(orders: list[npt.NDArray[np.int64]]) -> Iterator[npt.NDArray[np.int64]]:
    for count in range(1, _FEW):
        for order in orders:
            if order.size > count:
                yield order[:count].astype(np.int64)
