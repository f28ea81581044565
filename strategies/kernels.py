"""Compiled loops over decisions: one pass each where whole arrays would need a dozen."""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from ..data import NOISE, compiled
from .codes import ABSTAIN, LONG, NEUTRAL, SHORT

__all__ = ["finished", "latched_ranks", "ranks_of_last", "ruled"]

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

_NEVER: Final = np.iinfo(np.int64).min


@compiled(nogil=True)
def ranks_of_last(windows: Floats) -> Floats:
    """Return `filters.ranks.rank_of_last` of windows, shape (n, window)."""
    n, size = windows.shape
    rank = np.full(n, np.nan)
    for t in range(n):
        last = windows[t, size - 1]
        if np.isnan(last):
            continue
        less, tied, whole = 0, 0, True
        for i in range(size):
            value = windows[t, i]
            if np.isnan(value):
                whole = False
                break
            if abs(value - last) <= NOISE * max(abs(value), abs(last)):
                tied += 1
            elif value < last:
                less += 1
        if whole and tied < size:
            rank[t] = (less + (tied + 1) / 2) / size
    return rank


@compiled(nogil=True)
def latched_ranks(rank: Floats, enter: float, leave: float, rounding: float) -> Floats:
    """Return labels by rank with hysteresis; short mirrors long about 1/2."""
    out = np.full(rank.size, ABSTAIN)
    state = NEUTRAL
    for t in range(rank.size):
        above, below = rank[t] + rounding, 1.0 - rank[t] + rounding
        if np.isnan(rank[t]):
            state = NEUTRAL
            continue
        if above >= enter:
            state = LONG
        elif below >= enter:
            state = SHORT
        elif not ((state == LONG and above >= leave) or (state == SHORT and below >= leave)):
            state = NEUTRAL
        out[t] = state
    return out


@compiled(nogil=True)
def ruled(
    codes: Floats,
    values: tuple[Floats, ...],
    moments: tuple[Ints, ...],
) -> tuple[Floats, Ints]:
    """Return the target of the rule that each label asks for, and when its inputs were known.

    Parameters
    ----------
    codes : ndarray, shape (n,)
    values, moments : tuple of ndarray, shape (n,)
        Of the rules for long, short and neutral.
    """
    target = np.full(codes.size, np.nan)  # abstains: no target, so no position
    known = np.full(codes.size, _NEVER, dtype=np.int64)
    (long, short, neutral), (long_at, short_at, neutral_at) = values, moments
    for t in range(codes.size):
        if codes[t] == LONG:
            target[t], known[t] = long[t], long_at[t]
        elif codes[t] == SHORT:
            target[t], known[t] = short[t], short_at[t]
        elif codes[t] == NEUTRAL:
            target[t], known[t] = neutral[t], neutral_at[t]
    return target, known


@compiled(nogil=True)
def finished(
    codes: Floats, label_at: Ints, rule_at: Ints, sized: Floats, sized_at: Ints
) -> tuple[Floats, Flags, Ints, Ints]:
    """Return positions, which are undefined, and when label and target were known.

    Parameters
    ----------
    codes : ndarray, shape (n,)
    label_at, rule_at, sized_at : ndarray of int64, shape (n,)
        When the inputs of filter, rule and sizing were known.
    sized : ndarray, shape (n,)
        Positions, NaN where undefined.
    """
    n = codes.size
    position, undefined = np.zeros(n), np.zeros(n, dtype=np.bool_)
    filter_known = np.full(n, _NEVER, dtype=np.int64)
    rule_known = np.full(n, _NEVER, dtype=np.int64)
    for t in range(n):
        if codes[t] == ABSTAIN:
            continue
        filter_known[t], rule_known[t] = label_at[t], max(rule_at[t], sized_at[t])
        if np.isnan(sized[t]):
            undefined[t] = True
        else:
            position[t] = sized[t]
    return position, undefined, filter_known, rule_known
