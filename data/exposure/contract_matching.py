"""The same contracts in two sessions: lines of equal expiry, settlement, strike (and right)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from ..base.compiling import compiled
from .snapshot import Groups
from .strike_lines import Lines

__all__ = ["LineKeys", "line_keys", "match_lines"]

Floats: TypeAlias = npt.NDArray[np.float64]
Ints: TypeAlias = npt.NDArray[np.int64]
Days: TypeAlias = npt.NDArray[np.int32]
Flags: TypeAlias = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class LineKeys:
    """What makes a line the same contract in another session.

    Attributes
    ----------
    series : ndarray of int64, shape (m,)
        Listed expiration (days since 1970) and settlement, as a number that grows in the order
        of the lines: 2 x days for AM, 2 x days + 1 for PM.
    strike : ndarray, shape (m,)
        Points.
    side : ndarray of int8, shape (m,)
        0 a call, 1 a put, where each contract is a line of its own; 0 throughout where a strike's
        call and put share a line.
    """

    series: Ints
    strike: Floats
    side: npt.NDArray[np.int8]


def line_keys(lines: Lines, groups: Groups, *, by_right: bool) -> LineKeys:
    """Return the keys of the lines of a chain.

    Parameters
    ----------
    lines, groups : Lines, Groups
    by_right : bool
        Whether each contract is a line (``iv_source = own``).
    """
    series = 2 * groups.expiry.astype(np.int64) + ~groups.morning
    put = lines.put_size > 0.0 if by_right else np.zeros(lines.strike.size, np.bool_)
    return LineKeys(series[lines.group], lines.strike, put.astype(np.int8))


@compiled(nogil=True)
def _merge(
    series_x: Ints, strike_x: Floats, side_x: npt.NDArray[np.int8],
    series_y: Ints, strike_y: Floats, side_y: npt.NDArray[np.int8], out: Ints,
) -> None:  # fmt: skip
    j = 0
    for i in range(series_x.size):
        out[i] = -1
        while j < series_y.size and (
            series_y[j] < series_x[i]
            or (series_y[j] == series_x[i] and strike_y[j] < strike_x[i])
            or (series_y[j] == series_x[i] and strike_y[j] == strike_x[i] and side_y[j] < side_x[i])
        ):
            j += 1
        if (
            j < series_y.size
            and series_y[j] == series_x[i]
            and strike_y[j] == strike_x[i]
            and side_y[j] == side_x[i]
        ):
            out[i] = j
            j += 1


def match_lines(here: LineKeys, there: LineKeys) -> Ints:
    """Return, for each line here, the index of the same line there, or -1.

    Both are sorted as chains are: by expiry, settlement (AM first), strike and right (calls
    first). Where contracts share a key (two series whose root is unknown), the first meets the
    first, the second the second.

    Examples
    --------
    >>> side = np.zeros(3, np.int8)
    >>> here = LineKeys(np.array([8, 8, 11]), np.array([90.0, 95.0, 90.0]), side)
    >>> there = LineKeys(np.array([8, 9, 11]), np.array([95.0, 95.0, 90.0]), side)
    >>> match_lines(here, there).tolist()
    [-1, 0, 2]
    """
    out = np.empty(here.strike.size, np.int64)
    _merge(here.series, here.strike, here.side, there.series, there.strike, there.side, out)
    return out
