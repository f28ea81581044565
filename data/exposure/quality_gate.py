"""The quality gate: when a session's book may not be called a regime."""

from __future__ import annotations

import math
from typing import Final, TypeAlias

import numba
import numpy as np
import numpy.typing as npt

__all__ = ["COPY_SHARE", "REJECTED_SHARE", "gate_reasons", "share_unchanged"]

Floats: TypeAlias = npt.NDArray[np.float64]
Contracts: TypeAlias = tuple[
    npt.NDArray[np.int32], npt.NDArray[np.uint8], Floats, Floats, Floats, Floats, Floats
]

#: A session is a copy where this share of the contracts it has in common is unchanged.
COPY_SHARE: Final = 0.95
#: A regime is not called where more open interest than this was rejected.
REJECTED_SHARE: Final = 0.05


@numba.njit(nogil=True, cache=True)
def _order(x: Contracts, i: int, y: Contracts, j: int) -> int:
    """Return -1, 0 or 1: the order of two contracts as the lake sorts them."""
    if x[0][i] != y[0][j]:
        return -1 if x[0][i] < y[0][j] else 1
    morning_x, morning_y = x[1][i] & 1, y[1][j] & 1
    if morning_x != morning_y:
        return -1 if morning_x > morning_y else 1
    if x[2][i] != y[2][j]:
        return -1 if x[2][i] < y[2][j] else 1
    call_x, call_y = x[1][i] & 2, y[1][j] & 2
    if call_x != call_y:
        return -1 if call_x > call_y else 1
    return 0


@numba.njit(nogil=True, cache=True)
def _same(x: float, y: float) -> bool:
    return x == y or (math.isnan(x) and math.isnan(y))


@numba.njit(nogil=True, cache=True)
def _unchanged(x: Contracts, y: Contracts) -> tuple[int, int]:
    """Merge two sorted chains; return contracts in common and those with equal quotes."""
    i, j, common, equal = 0, 0, 0, 0
    while i < x[0].size and j < y[0].size:
        order = _order(x, i, y, j)
        if order < 0:
            i += 1
        elif order > 0:
            j += 1
        else:
            common += 1
            equal += (
                _same(x[3][i], y[3][j])
                and _same(x[4][i], y[4][j])
                and _same(x[5][i], y[5][j])
                and _same(x[6][i], y[6][j])
            )
            i += 1
            j += 1
    return common, equal


def share_unchanged(today: Contracts, before: Contracts) -> float:
    """Return the share of the contracts in both of two chains whose quotes are the same.

    Parameters
    ----------
    today, before : tuple of ndarray
        A session and the lake's session before it, sorted as in the lake: expiry (days), kind
        (bit 0: AM, bit 1: call), strike, open interest, volatility, bid, ask. NaN equals NaN.

    Returns
    -------
    float
        0 ... 1; NaN where they have no contract in common.
    """
    common, equal = _unchanged(today, before)
    return equal / common if common else math.nan


def gate_reasons(
    *, known_before_quotes: bool, unchanged: float, oi_rejected_share: float, gross_gex: float
) -> tuple[str, ...]:
    """Return why a book may not be called a regime; empty where it may.

    Examples
    --------
    >>> gate_reasons(known_before_quotes=False, unchanged=0.99, oi_rejected_share=0.01,
    ...              gross_gex=1e9)
    ('copy_of_previous_session',)
    """
    failed = {
        "known_before_quotes": known_before_quotes,
        "copy_of_previous_session": unchanged >= COPY_SHARE,
        "open_interest_rejected": oi_rejected_share > REJECTED_SHARE,
        "empty_book": not gross_gex > 0.0,
    }
    return tuple(reason for reason, fails in failed.items() if fails)
