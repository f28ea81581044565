"""Where gamma sits: walls, pin strike, concentration, and shares of what dies soon."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, TypeAlias

import numpy as np
import numpy.typing as npt

from ..base.compiling import compiled
from .pairwise import pairwise_sum

__all__ = ["ByStrike", "Wall", "Walls", "fill_walls", "sums_by_strike"]

Floats: TypeAlias = npt.NDArray[np.float64]
Ints: TypeAlias = npt.NDArray[np.int64]

#: Of call wall, put wall and pin strike, as `_best` takes them.
_SIDES: Final = (1, -1, 0)


@dataclass(frozen=True, slots=True)
class ByStrike:
    """Dollar gamma summed over expiries.

    Attributes
    ----------
    strike : ndarray, shape (k,)
        Points, ascending.
    call, put : ndarray, shape (k,)
        Signed, dollars per 1 %.
    gross : ndarray, shape (k,)
    """

    strike: Floats
    call: Floats
    put: Floats
    gross: Floats

    @property
    def net(self) -> Floats:
        """Signed dollar gamma of calls and puts together, shape (k,)."""
        return self.call + self.put


@dataclass(frozen=True, slots=True)
class Wall:
    """A strike that stands out.

    Attributes
    ----------
    strike : float
        Points; NaN where no strike qualifies.
    strength : float
        Its absolute exposure over the gross of the book; NaN likewise.
    """

    strike: float
    strength: float


@dataclass(frozen=True, slots=True)
class Walls:
    """The strikes of a book that stand out, and how concentrated its gamma is.

    Attributes
    ----------
    call, put, pin : Wall
    concentration : float
        Sum over strikes of the squared share of gross, 0 ... 1; NaN for an empty book.
    """

    call: Wall
    put: Wall
    pin: Wall
    concentration: float


@compiled(nogil=True)
def _ladder(start: Ints, strike: Floats) -> Floats:
    """Return the distinct strikes of runs that are each ascending, by merging run after run."""
    have, merged = np.empty(strike.size), np.empty(strike.size)
    size = 0
    for g in range(start.size - 1):
        i, j, m = 0, start[g], 0
        while i < size or j < start[g + 1]:
            if j >= start[g + 1] or (i < size and have[i] <= strike[j]):
                value = have[i]
                i += 1
            else:
                value = strike[j]
                j += 1
            if m == 0 or value > merged[m - 1]:
                merged[m] = value
                m += 1
        have, merged, size = merged, have, m
    return have[:size].copy()


@compiled(nogil=True)
def sums_by_strike(start: Ints, strike: Floats, call: Floats, put: Floats, gross: Floats) -> Floats:
    """Return dollar gamma by strike, summed over expiries: the fields of `ByStrike` as rows.

    Parameters
    ----------
    start : ndarray of int64, shape (g + 1,)
        Expiry group k holds the lines start[k] ... start[k + 1] - 1, their strikes ascending.
    strike, call, put, gross : ndarray, shape (m,)
        Of each line: points, and dollars per 1 %.
    """
    ladder = _ladder(start, strike)
    out = np.zeros((4, ladder.size))
    for k in range(ladder.size):
        out[0, k] = ladder[k]
    for g in range(start.size - 1):
        k = 0
        for i in range(start[g], start[g + 1]):
            while ladder[k] < strike[i]:
                k += 1
            out[1, k] += call[i]
            out[2, k] += put[i]
            out[3, k] += gross[i]
    return out


@compiled(nogil=True)
def _best(strike: Floats, spot: float, score: Floats, side: int) -> int:
    """Return the strike of the largest positive score: ties to the nearest, then to the lower.

    `side` 1 allows strikes at or above spot, -1 those at or below it, 0 all. -1 for none.
    """
    best = -1
    for i in range(strike.size):
        if not score[i] > 0.0 or side * (strike[i] - spot) < 0.0:
            continue
        if best < 0 or score[i] > score[best]:
            best = i
        elif score[i] == score[best] and abs(strike[i] - spot) < abs(strike[best] - spot):
            best = i  # strikes ascend, so that the lower one comes first
    return best


@compiled(nogil=True)
def fill_walls(
    strike: Floats, call: Floats, put: Floats, gross: Floats, spot: float, found: Floats
) -> float:
    """Fill strike and strength of call wall, put wall and pin strike; return the concentration.

    The call wall is the strike at or above spot with the largest positive call exposure, the put
    wall the one at or below spot with the most negative put exposure, the pin strike that with the
    largest absolute net gamma.

    Parameters
    ----------
    strike, call, put, gross : ndarray, shape (k,)
        The fields of `ByStrike`.
    spot : float
        Points.
    found : ndarray, shape (3, 2)
        To fill: a row for each `Wall`.

    Examples
    --------
    >>> strike, call = np.array([90.0, 100.0, 110.0]), np.array([9.0, 2.0, 3.0])
    >>> put, gross = np.array([-1.0, -1.0, -4.0]), np.array([10.0, 3.0, 7.0])
    >>> found = np.empty((3, 2))
    >>> round(fill_walls(strike, call, put, gross, 95.0, found), 3)
    0.395
    >>> found.tolist()
    [[110.0, 0.15], [90.0, 0.05], [90.0, 0.4]]
    """
    n, total = strike.size, pairwise_sum(gross)
    scores, square = np.empty((3, n)), np.empty(n)
    for i in range(n):
        scores[0, i], scores[1, i], scores[2, i] = call[i], -put[i], abs(call[i] + put[i])
        square[i] = (gross[i] / total) ** 2 if total > 0.0 else np.nan
    for k in range(3):  # a loop, so that it is compiled once
        i = _best(strike, spot, scores[k], _SIDES[k])
        found[k, 0] = strike[i] if i >= 0 else np.nan
        found[k, 1] = scores[k, i] / total if i >= 0 else np.nan
    return pairwise_sum(square) if total > 0.0 else np.nan
