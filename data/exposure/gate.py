"""The quality gate: when a session's book may not be called a regime."""

from __future__ import annotations

import math
from typing import Final, TypeAlias

import numba
import numpy as np
import numpy.typing as npt

from .snapshot import Snapshot

__all__ = ["COPY_SHARE", "REJECTED_SHARE", "gate_reasons", "share_unchanged"]

Floats: TypeAlias = npt.NDArray[np.float64]

#: A session is a copy where this share of the contracts it has in common is unchanged.
COPY_SHARE: Final = 0.95
#: A regime is not called where more open interest than this was rejected.
REJECTED_SHARE: Final = 0.05


@numba.njit(nogil=True, cache=True)
def _compare(a: Floats, i: int, b: Floats, j: int) -> int:
    """Return -1, 0 or 1: the order of two contracts by their key columns."""
    for k in range(4):
        if a[k, i] < b[k, j]:
            return -1
        if a[k, i] > b[k, j]:
            return 1
    return 0


@numba.njit(nogil=True, cache=True)
def _same(x: float, y: float) -> bool:
    return x == y or (math.isnan(x) and math.isnan(y))


@numba.njit(nogil=True, cache=True)
def _unchanged(a: Floats, b: Floats, quotes_a: Floats, quotes_b: Floats) -> tuple[int, int]:
    """Merge two sorted chains; return contracts in common and those with equal quotes."""
    i, j, common, equal = 0, 0, 0, 0
    while i < a.shape[1] and j < b.shape[1]:
        order = _compare(a, i, b, j)
        if order < 0:
            i += 1
        elif order > 0:
            j += 1
        else:
            common += 1
            same = True
            for k in range(quotes_a.shape[0]):
                same = same and _same(quotes_a[k, i], quotes_b[k, j])
            equal += same
            i += 1
            j += 1
    return common, equal


def _keys(chain: Snapshot) -> Floats:
    return np.stack([chain.expiry, ~chain.morning, chain.strike, ~chain.is_call]).astype(float)


def share_unchanged(
    chain: Snapshot, quotes: Floats, previous: Snapshot, previous_quotes: Floats
) -> float:
    """Return the share of the contracts in both chains whose quotes are the same.

    Parameters
    ----------
    chain, previous : Snapshot
        A session and the lake's session before it.
    quotes, previous_quotes : ndarray, shape (4, n)
        Their open interest, volatility, bid and ask as delivered; NaN equals NaN.

    Returns
    -------
    float
        0 ... 1; NaN where they have no contract in common.
    """
    common, equal = _unchanged(_keys(chain), _keys(previous), quotes, previous_quotes)
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
