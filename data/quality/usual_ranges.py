"""What range is usual at each bar: by the bars up to it, and by those on both sides of it.

The first decides what counts as missing, since a decision may rest on it: it is the same however
the data go on. The second only reports.
"""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
import numpy.typing as npt
import pandas as pd
from pandas.api.indexers import BaseIndexer

__all__ = ["around", "share_until", "typical", "up_to"]

Floats: TypeAlias = npt.NDArray[np.float64]
Flags: TypeAlias = npt.NDArray[np.bool_]
Ints: TypeAlias = npt.NDArray[np.int64]

#: Bars whose median range is the scale of what is usual.
_BARS = 21
#: Fewer bars have no usual range.
_FEWEST = 5
#: The least that is usual, as a share of the median range of all bars known.
_LEAST = 0.25


class _Between(BaseIndexer):
    """Windows from one row to another, both included."""

    first: Ints
    last: Ints

    def get_window_bounds(
        self,
        num_values: int = 0,
        min_periods: int | None = None,
        center: bool | None = None,
        closed: str | None = None,
        step: int | None = None,
    ) -> tuple[Ints, Ints]:
        """Return each window's first row and the one after its last."""
        return self.first, self.last + 1


def up_to(span: Floats, last: Ints, ever: Floats) -> Floats:
    """Return the usual range of each bar by bars up to the end of its session.

    Parameters
    ----------
    span : ndarray of float, shape (n,)
        Ranges, log(high / low).
    last : ndarray of int64, shape (n,)
        Last row of each bar's session: the bar itself for daily ones.
    ever : ndarray of float, shape (n,)
        From `typical`.

    Returns
    -------
    ndarray of float, shape (n,)
        Median of 21 bars: the one itself, the ten after it as far as its session goes, and those
        before; at least a quarter of the median of all ranges until then. NaN where fewer than
        five bars are known, or nothing moves.
    """
    ranges = pd.Series(span)
    end = np.minimum(np.arange(span.size) + _BARS // 2, last)
    begin = np.maximum(end - (_BARS - 1), 0)
    here = ranges.rolling(_Between(first=begin, last=end), min_periods=_FEWEST).median()
    return _positive(np.fmax(here.to_numpy(), _LEAST * ever))


def typical(span: Floats, last: Ints) -> Floats:
    """Return the range that is typical of all bars up to the end of each one's session.

    Parameters
    ----------
    span : ndarray of float, shape (n,)
        Ranges, log(high / low).
    last : ndarray of int64, shape (n,)
        Last row of each bar's session.

    Returns
    -------
    ndarray of float, shape (n,)
        Median of the ranges that are not 0; NaN where there are fewer than five.
    """
    ranges = pd.Series(span)
    ever = ranges.where(ranges > 0.0).expanding(min_periods=_FEWEST).median()
    return np.asarray(ever.to_numpy()[last], dtype=np.float64)


def around(span: Floats) -> Floats:
    """Return the usual range of each bar by the ten before and the ten after it.

    Parameters
    ----------
    span : ndarray of float, shape (n,)
        Ranges, log(high / low).

    Returns
    -------
    ndarray of float, shape (n,)
    """
    ranges = pd.Series(span)
    here = ranges.rolling(_BARS, center=True, min_periods=_FEWEST).median().to_numpy()
    positive = ranges[ranges > 0.0]
    least = _LEAST * float(positive.median()) if len(positive) else np.nan
    return _positive(np.fmax(here, least))


def share_until(flags: Flags, bars: int, fewest: int) -> Floats:
    """Return the share of flagged bars among the last `bars`, the one itself included.

    Parameters
    ----------
    flags : ndarray of bool, shape (n,)
    bars, fewest : int
        Most bars that are looked back at, and the least that a share is told of.

    Returns
    -------
    ndarray of float, shape (n,)
        NaN where there are fewer bars than `fewest`.
    """
    shares = pd.Series(flags.astype(np.float64)).rolling(bars, min_periods=fewest).mean()
    return np.asarray(shares, dtype=np.float64)


def _positive(usual: Floats) -> Floats:
    """Return NaN for 0: nothing is usual where nothing moves."""
    return np.where(usual > 0.0, usual, np.nan)
