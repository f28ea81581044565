"""Intraday bars on a grid, and realised measures of variance from them.

`IntradayGrid` is a matrix of log prices, one session per row; its returns feed the measures,
which return variances per session in decimal squared log return. Missing is NaN. All numbers of
a session are known at its close.

Formulas: Barndorff-Nielsen and Shephard (2004), Huang and Tauchen (2005), Barndorff-Nielsen,
Kinnebrock and Shephard (2010).
"""

from __future__ import annotations

from dataclasses import dataclass
from math import gamma, pi
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from ...data import NotEnoughDataError

if TYPE_CHECKING:
    import pandas as pd

    from ...data import TradingCalendar

__all__ = [
    "IntradayGrid",
    "JumpTest",
    "bipower_variation",
    "intraday_grid",
    "jump_test",
    "realised_variance",
    "semivariances",
]

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class IntradayGrid:
    """Log prices of each session at equal distances from its open.

    Attributes
    ----------
    sessions : ndarray of datetime64[D], shape (s,)
        Ascending; sessions without intraday bars are absent.
    minutes : int
        Distance between columns.
    log_prices : ndarray, shape (s, m + 1)
        Column j is the log of the last price at or before j * minutes after the open; column 0
        the first price. NaN after an early close and while nothing has traded.
    carried : int
        Grid points whose own bar is missing, so that the price before stands in.
    """

    sessions: npt.NDArray[np.datetime64]
    minutes: int
    log_prices: Floats
    carried: int = 0

    @property
    def length(self) -> int:
        """Minutes from the open to the last column."""
        return self.minutes * (int(self.log_prices.shape[1]) - 1)

    @property
    def full(self) -> npt.NDArray[np.bool_]:
        """Sessions with a price at the first and at the last column (no early close)."""
        return np.isfinite(self.log_prices[:, 0] + self.log_prices[:, -1])

    def at(self, minute: int) -> Floats:
        """Return the log prices at a minute after the open (before the end where negative).

        Parameters
        ----------
        minute : int
            After the open; before the end of the session where negative.

        Returns
        -------
        ndarray of float, shape (s,)
            One per session; NaN where the bar is missing.

        Raises
        ------
        NotEnoughDataError
            If that minute is not on the grid.
        """
        place = minute if minute >= 0 else self.length + minute
        if place % self.minutes or not 0 <= place <= self.length:
            raise NotEnoughDataError(
                f"minute {minute} is not on the grid of {self.minutes} minutes over {self.length}: "
                "use intraday bars short enough to divide it"
            )
        return self.log_prices[:, place // self.minutes]

    def returns(self, minutes: int | None = None) -> Floats:
        """Return log returns over `minutes` (default: the grid's own), shape (s, k).

        They start at the open; a rest shorter than `minutes` at the end is left out.

        Parameters
        ----------
        minutes : int, optional

        Returns
        -------
        ndarray of float, shape (s, k)
            NaN where a bar is missing.
        """
        step = self._step(minutes)
        return np.diff(self.log_prices[:, ::step], axis=1)

    def _step(self, minutes: int | None) -> int:
        wanted = self.minutes if minutes is None else minutes
        if wanted % self.minutes or not 0 < wanted <= self.length:
            raise NotEnoughDataError(
                f"returns over {wanted} minutes need a grid that divides it, this one has "
                f"{self.minutes} minutes: use shorter intraday bars"
            )
        return wanted // self.minutes


def intraday_grid(bars: pd.DataFrame, calendar: TradingCalendar, minutes: int = 5) -> IntradayGrid:
    """Put intraday bars on a grid.

    Parameters
    ----------
    bars : DataFrame
        Columns ``session``, ``ts`` (UTC, start of the bar), ``open``, ``close``.
    calendar : TradingCalendar
        Opens and closes; bars outside are left out.
    minutes : int
        Distance of the grid; a multiple of the bars' own length.

    Returns
    -------
    IntradayGrid

    Raises
    ------
    NotEnoughDataError
        If there is no bar within a session, or the bars are longer than the grid's distance.
    """
    import pandas as pd

    day = pd.to_datetime(bars["session"]).to_numpy().astype("datetime64[D]")
    stamp = pd.to_datetime(bars["ts"], utc=True).dt.tz_localize(None).to_numpy()
    where = np.searchsorted(calendar.sessions, day)
    where = np.minimum(where, len(calendar.sessions) - 1)
    opened, closed = calendar.opens[where], calendar.closes[where]
    inside = (calendar.sessions[where] == day) & (stamp >= opened) & (stamp < closed)
    if not inside.any():
        raise NotEnoughDataError(
            "no intraday bar lies within a session: ts must be the UTC start of the bar"
        )
    offset = _minutes(stamp - opened)[inside]
    length = _minutes(closed - opened)[inside]
    rows, index = np.unique(day[inside], return_inverse=True)
    order = np.lexsort((offset, index))
    prices = bars.loc[inside, ["open", "close"]].to_numpy(dtype=np.float64)[order]
    return _fill(rows, index[order], offset[order], length[order], prices, minutes)


def _minutes(span: npt.NDArray[np.timedelta64]) -> npt.NDArray[np.int64]:
    return (span // np.timedelta64(1, "m")).astype(np.int64)


def _bar_length(index: npt.NDArray[np.int64], offset: npt.NDArray[np.int64]) -> int:
    """Return the most frequent distance between neighbouring bars of a session."""
    steps = np.diff(offset)[np.diff(index) == 0]
    return int(np.bincount(steps).argmax()) if steps.size else 1


def _fill(
    sessions: npt.NDArray[np.datetime64],
    index: npt.NDArray[np.int64],
    offset: npt.NDArray[np.int64],
    length: npt.NDArray[np.int64],
    prices: Floats,
    minutes: int,
) -> IntradayGrid:
    bar = _bar_length(index, offset)
    if bar > minutes:
        raise NotEnoughDataError(
            f"a grid of {minutes} minutes needs bars at most as long, these have {bar}: "
            "ask for a wider grid or give shorter bars"
        )
    columns = int(length.max()) // minutes
    grid = np.full((len(sessions), columns + 1), np.nan)
    ends = -(-np.minimum(offset + bar, length) // minutes)
    last = np.ones(len(ends), dtype=bool)
    last[:-1] = (ends[1:] != ends[:-1]) | (index[1:] != index[:-1])
    keep = last & (ends <= columns)
    grid[index[keep], ends[keep]] = np.log(prices[keep, 1])
    first = np.concatenate([[True], np.diff(index) > 0]) & (offset < minutes)
    grid[index[first], 0] = np.log(prices[first, 0])
    span = np.zeros(len(sessions), dtype=np.int64)
    span[index] = length // minutes
    return _carried(sessions, minutes, grid, span)


def _carried(
    sessions: npt.NDArray[np.datetime64], minutes: int, grid: Floats, span: npt.NDArray[np.int64]
) -> IntradayGrid:
    """Carry the last price over missing bars, up to each session's own close."""
    columns = np.arange(grid.shape[1])
    seen = np.maximum.accumulate(np.where(np.isfinite(grid), columns, -1), axis=1)
    usable = (seen >= 0) & (columns <= span[:, None])
    filled = np.where(usable, np.take_along_axis(grid, np.maximum(seen, 0), axis=1), np.nan)
    carried = int((np.isfinite(filled) & ~np.isfinite(grid)).sum())
    return IntradayGrid(sessions, minutes, filled, carried)


def realised_variance(returns: npt.ArrayLike, overnight: npt.ArrayLike | None = None) -> Floats:
    """Return each session's sum of squared intraday log returns, shape (s,).

    Parameters
    ----------
    returns : array_like, shape (s, m)
        One session per row; NaN where there is no bar (an early close ends in NaN).
    overnight : array_like, shape (s,), optional
        Log return from the previous close to the open; its square is added.

    Returns
    -------
    ndarray
        NaN for a session without any return, and where `overnight` is NaN.
    """
    squares = np.asarray(returns, dtype=np.float64) ** 2
    value = np.where(np.isfinite(squares).any(axis=1), np.nansum(squares, axis=1), np.nan)
    return value if overnight is None else value + np.asarray(overnight, dtype=np.float64) ** 2


def _staggered(returns: Floats, width: int, power: float) -> tuple[Floats, Floats]:
    """Return the mean over i of the product of `width` neighbouring abs(r)^power, and its count."""
    m = max(returns.shape[1] - width + 1, 0)
    product = np.ones((returns.shape[0], m))
    for k in range(width):
        product = product * np.abs(returns[:, k : k + m]) ** power
    count = np.isfinite(product).sum(axis=1).astype(np.float64)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.nansum(product, axis=1) / count, count


def bipower_variation(returns: npt.ArrayLike) -> Floats:
    """Return each session's bipower variation: the variance that is not due to jumps.

    (pi/2) M/(M-1) sum abs(r_i r_{i-1}); next to a missing bar the products that need it are left
    out and the mean product stands in. NaN below two neighbouring returns.

    Parameters
    ----------
    returns : array_like of float, shape (s, k)
        Log returns of each session; NaN next to a missing bar.

    Returns
    -------
    ndarray of float, shape (s,)
        Variance per session.
    """
    r = np.asarray(returns, dtype=np.float64)
    m = np.isfinite(r).sum(axis=1)
    return np.asarray(pi / 2.0 * m * _staggered(r, 2, 1.0)[0], dtype=np.float64)


@dataclass(frozen=True, slots=True, eq=False)
class JumpTest:
    """Ratio test of jumps per session (Huang and Tauchen 2005); arrays of shape (s,).

    Attributes
    ----------
    z : ndarray
        Standard normal without jumps; large positive with one.
    p_value : ndarray
        One-sided.
    jump_share : ndarray
        max(0, 1 - BV/RV): share of the variance due to jumps.
    """

    z: Floats
    p_value: Floats
    jump_share: Floats


def jump_test(returns: npt.ArrayLike) -> JumpTest:
    """Test each session for jumps; NaN below three neighbouring returns or without movement.

    Parameters
    ----------
    returns : array_like of float, shape (s, k)
        Log returns of each session; NaN next to a missing bar.

    Returns
    -------
    JumpTest
    """
    from scipy.stats import norm

    r = np.asarray(returns, dtype=np.float64)
    m = np.isfinite(r).sum(axis=1)
    rv, bv = realised_variance(r), bipower_variation(r)
    mu = 2.0 ** (2.0 / 3.0) * gamma(7.0 / 6.0) / gamma(0.5)
    tripower = m**2 * mu**-3.0 * _staggered(r, 3, 4.0 / 3.0)[0]
    with np.errstate(invalid="ignore", divide="ignore"):
        share = 1.0 - bv / rv
        spread = (pi**2 / 4.0 + pi - 5.0) / m * np.maximum(1.0, tripower / bv**2)
        z = share / np.sqrt(spread)
    return JumpTest(z, np.asarray(norm.sf(z), dtype=np.float64), np.maximum(share, 0.0))


def semivariances(returns: npt.ArrayLike) -> tuple[Floats, Floats]:
    """Return each session's variance of up and of down moves; they add up to the whole.

    Their difference (up minus down) is the signed jump variation.

    Parameters
    ----------
    returns : array_like of float, shape (s, k)
        Log returns of each session; NaN next to a missing bar.

    Returns
    -------
    up, down : ndarray of float, shape (s,)
        Variance per session.
    """
    r = np.asarray(returns, dtype=np.float64)
    up = realised_variance(np.where(np.isnan(r), np.nan, np.maximum(r, 0.0)))
    down = realised_variance(np.where(np.isnan(r), np.nan, np.minimum(r, 0.0)))
    return up, down
