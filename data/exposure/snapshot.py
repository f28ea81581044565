"""One session's chain as plain arrays, the input of everything else here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from ..base.compiling import compiled

__all__ = ["Groups", "Snapshot", "expiry_groups"]

Floats: TypeAlias = npt.NDArray[np.float64]
Ints: TypeAlias = npt.NDArray[np.int64]
Days: TypeAlias = npt.NDArray[np.int32]
Flags: TypeAlias = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The contracts of one snapshot, sorted by expiry, settlement (AM first), strike and right.

    Attributes
    ----------
    quote_us : int
        Moment of the quotes, microseconds since 1970, UTC.
    known_us : int
        Moment from which all rows were public, likewise.
    spot : float
        Median of the rows' spots.
    expiry : ndarray of int32, shape (n,)
        Listed expiration, days since 1970.
    morning : ndarray of bool
        True for AM settlement.
    expiry_us : ndarray of int64
        Moment at which the contract stops existing, microseconds since 1970, UTC.
    strike : ndarray
        Points.
    is_call : ndarray of bool
    open_interest : ndarray
        Contracts; NaN is unknown.
    mid : ndarray
        Price from which a volatility or a forward may be derived, points: the middle of a
        two-sided quote, or an official settlement price; NaN where there is neither.
    volatility : ndarray
        The vendor's, decimal; NaN where missing.
    position : ndarray
        Contracts that dealers hold times the multiplier: positive long, negative short. NaN where
        open interest is unknown.
    """

    quote_us: int
    known_us: int
    spot: float
    expiry: Days
    morning: Flags
    expiry_us: Ints
    strike: Floats
    is_call: Flags
    open_interest: Floats
    mid: Floats
    volatility: Floats
    position: Floats


@dataclass(frozen=True, slots=True)
class Groups:
    """Contracts that stop existing together: one group per expiry and settlement.

    Attributes
    ----------
    start : ndarray of int64, shape (g + 1,)
        Group k holds the contracts start[k] ... start[k + 1] - 1.
    expiry : ndarray of int32, shape (g,)
        Listed expiration, days since 1970.
    morning : ndarray of bool, shape (g,)
    expiry_us : ndarray of int64, shape (g,)
    """

    start: Ints
    expiry: Days
    morning: Flags
    expiry_us: Ints


def expiry_groups(chain: Snapshot) -> Groups:
    """Return the groups of a sorted snapshot."""
    start = _run_starts(chain.expiry, chain.morning)
    first = start[:-1]
    return Groups(start, chain.expiry[first], chain.morning[first], chain.expiry_us[first])


@compiled(nogil=True)
def _run_starts(expiry: Days, morning: Flags) -> Ints:
    """Return where runs of equal expiry and settlement begin, and one past the end."""
    found = np.empty(expiry.size + 1, np.int64)
    runs = 0
    for i in range(expiry.size):
        if i == 0 or expiry[i] != expiry[i - 1] or morning[i] != morning[i - 1]:
            found[runs] = i
            runs += 1
    found[runs] = expiry.size
    return found[: runs + 1].copy()
