"""Shares of gross gamma by the session on which contracts die."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

__all__ = ["ExpiryShares", "expiry_shares"]

Floats: TypeAlias = npt.NDArray[np.float64]


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
    gross: Floats,
    dies: npt.NDArray[np.int32],
    monthly: npt.NDArray[np.bool_],
    valuation_session: int,
) -> ExpiryShares:
    """Return what part of gross gamma dies when.

    Parameters
    ----------
    gross : ndarray, shape (g,)
        Gross dollar gamma of the expiry groups that are live.
    dies : ndarray of int32, shape (g,)
        Session on which each dies, days since 1970.
    monthly : ndarray of bool, shape (g,)
        Whether it is a monthly expiration.
    valuation_session : int
        Days since 1970.

    Examples
    --------
    >>> expiry_shares(np.array([1.0, 2.0, 5.0]), np.array([10, 10, 12], np.int32),
    ...               np.array([False, False, True]), 10)
    ExpiryShares(zero_dte=0.375, next_expiry=0.375, next_opex=0.625)
    """
    total = float(gross.sum())
    if not total > 0.0:
        return ExpiryShares(math.nan, math.nan, math.nan)

    def share(day: int) -> float:
        return float(gross[dies == day].sum()) / total

    opex = share(int(dies[monthly].min())) if monthly.any() else math.nan
    return ExpiryShares(share(valuation_session), share(int(dies.min())), opex)
