"""Shares of gross gamma by the session on which contracts die."""

from __future__ import annotations

import math
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


def expiry_shares(
    gross: Floats, live: Flags, dies: Days, monthly: Flags, valuation_session: int
) -> ExpiryShares:
    """Return what part of gross gamma dies when.

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
    ExpiryShares(zero_dte=0.375, next_expiry=0.375, next_opex=0.625)
    """
    return ExpiryShares(*_shares(gross, live, dies, monthly, valuation_session))


@compiled(nogil=True)
def _shares(
    gross: Floats, live: Flags, dies: Days, monthly: Flags, valuation_session: int
) -> tuple[float, float, float]:
    present, n = np.empty(gross.size), 0
    first, opex = _NEVER, _NEVER
    for g in range(gross.size):
        if live[g] and gross[g] > 0.0:
            present[n] = gross[g]
            n += 1
            first = min(first, dies[g])
            opex = min(opex, dies[g]) if monthly[g] else opex
    total = pairwise_sum(present[:n])
    if not total > 0.0:
        return math.nan, math.nan, math.nan
    return (
        _dying_on(valuation_session, gross, live, dies, present) / total,
        _dying_on(first, gross, live, dies, present) / total,
        _dying_on(opex, gross, live, dies, present) / total if opex < _NEVER else math.nan,
    )


@compiled(nogil=True)
def _dying_on(day: int, gross: Floats, live: Flags, dies: Days, work: Floats) -> float:
    """Return the gross gamma that dies on a session."""
    n = 0
    for g in range(gross.size):
        if live[g] and gross[g] > 0.0 and dies[g] == day:
            work[n] = gross[g]
            n += 1
    return pairwise_sum(work[:n])
