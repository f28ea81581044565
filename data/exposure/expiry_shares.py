"""Shares of gross gamma by the session on which contracts die."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, TypeAlias

import numpy as np
import numpy.typing as npt

from ..base.compiling import compiled
from .pairwise import pairwise_sum

__all__ = ["ExpiryShares", "expiry_shares"]

Floats: TypeAlias = npt.NDArray[np.float64]
Flags: TypeAlias = npt.NDArray[np.bool_]
Days: TypeAlias = npt.NDArray[np.int32]

#: Later than any session.
_NEVER: Final = 2**31


@dataclass(frozen=True, slots=True)
class ExpiryShares:
    """Shares of gross; NaN where the book is empty or holds no such expiration.

    Attributes
    ----------
    zero_dte : float
        Of contracts dying in the valuation session.
    next_expiry : float
        Of the session on which the book's first contracts die, AM and PM together.
    next_opex : float
        Of the session of the book's earliest monthly expiration.
    """

    zero_dte: float
    next_expiry: float
    next_opex: float


@compiled(nogil=True)
def expiry_shares(
    gross: Floats, live: Flags, dies: Days, monthly: Flags, valuation_session: int
) -> tuple[float, float, float]:
    """Return what part of gross gamma dies when: the fields of `ExpiryShares`.

    Parameters
    ----------
    gross : ndarray, shape (g,)
        Gross dollar gamma of each expiry group.
    live : ndarray of bool, shape (g,)
        Groups that are still there at the valuation; those without gamma do not count either.
    dies : ndarray of int32, shape (g,)
        Session on which each dies, days since 1970.
    monthly : ndarray of bool, shape (g,)
        Whether it is a monthly expiration.
    valuation_session : int
        Days since 1970.

    Examples
    --------
    >>> expiry_shares(np.array([1.0, 2.0, 5.0]), np.array([True, True, True]),
    ...               np.array([10, 10, 12], np.int32), np.array([False, False, True]), 10)
    (0.375, 0.375, 0.625)
    """
    first, opex, n = _NEVER, _NEVER, 0
    present, day = np.empty(gross.size), np.empty(gross.size, np.int64)
    for g in range(gross.size):
        if live[g] and gross[g] > 0.0:
            present[n], day[n] = gross[g], dies[g]
            first = min(first, day[n])
            opex = min(opex, day[n]) if monthly[g] else opex
            n += 1
    total, dying, shares = pairwise_sum(present[:n]), np.empty(n), np.empty(3)
    for k in range(3):
        wanted, m = (valuation_session, first, opex)[k], 0
        for i in range(n):
            if day[i] == wanted:
                dying[m] = present[i]
                m += 1
        shares[k] = pairwise_sum(dying[:m]) / total if total > 0.0 else np.nan
    return shares[0], shares[1], shares[2] if opex < _NEVER else np.nan
