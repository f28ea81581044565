"""Where gamma sits: walls, pin strike, concentration, and shares of what dies soon."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from ..base.compiling import compiled
from .book import Book, SpotExposure

__all__ = [
    "NO_WALL",
    "ByStrike",
    "Wall",
    "Walls",
    "by_strike",
    "call_wall",
    "pin_strike",
    "put_wall",
    "walls_of",
]

Floats: TypeAlias = npt.NDArray[np.float64]
Ints: TypeAlias = npt.NDArray[np.int64]
Flags: TypeAlias = npt.NDArray[np.bool_]


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

    @property
    def concentration(self) -> float:
        """Sum over strikes of the squared share of gross: 1 for a single strike, NaN for none."""
        total = float(self.gross.sum())
        return float(((self.gross / total) ** 2).sum()) if total > 0.0 else math.nan


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


NO_WALL = Wall(math.nan, math.nan)


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
def _sum_by_strike(
    start: Ints, strike: Floats, call: Floats, put: Floats, gross: Floats,
    ladder: Floats, out: Floats,
) -> None:  # fmt: skip
    for g in range(start.size - 1):
        k = 0
        for i in range(start[g], start[g + 1]):
            while ladder[k] < strike[i]:
                k += 1
            out[0, k] += call[i]
            out[1, k] += put[i]
            out[2, k] += gross[i]


def by_strike(book: Book, exposure: SpotExposure) -> ByStrike:
    """Return dollar gamma by strike, summed over expiries."""
    lines = book.lines
    ladder = _ladder(lines.start, lines.strike)
    out = np.zeros((3, ladder.size))
    _sum_by_strike(
        lines.start, lines.strike, exposure.call_gex, exposure.put_gex, exposure.gross, ladder, out
    )
    return ByStrike(ladder, out[0], out[1], out[2])


@compiled()
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


def _wall(strikes: ByStrike, spot: float, score: Floats, side: int) -> Wall:
    i = _best(strikes.strike, spot, score, side)
    if i < 0:
        return NO_WALL
    return Wall(float(strikes.strike[i]), float(score[i] / strikes.gross.sum()))


def call_wall(strikes: ByStrike, spot: float) -> Wall:
    """Return the strike at or above spot with the largest positive call exposure.

    Examples
    --------
    >>> ladder = ByStrike(np.array([90.0, 100.0, 110.0]), np.array([9.0, 2.0, 3.0]),
    ...                   np.array([-1.0, -1.0, -4.0]), np.array([10.0, 3.0, 7.0]))
    >>> call_wall(ladder, 95.0)
    Wall(strike=110.0, strength=0.15)
    >>> put_wall(ladder, 105.0).strike
    100.0
    """
    return _wall(strikes, spot, strikes.call, 1)


def put_wall(strikes: ByStrike, spot: float) -> Wall:
    """Return the strike at or below spot with the most negative put exposure."""
    return _wall(strikes, spot, -strikes.put, -1)


def pin_strike(strikes: ByStrike, spot: float) -> Wall:
    """Return the strike with the largest absolute net gamma."""
    return _wall(strikes, spot, np.abs(strikes.net), 0)


def walls_of(strikes: ByStrike, spot: float) -> Walls:
    """Return call wall, put wall, pin strike and concentration of a book."""
    return Walls(
        call_wall(strikes, spot),
        put_wall(strikes, spot),
        pin_strike(strikes, spot),
        strikes.concentration,
    )
