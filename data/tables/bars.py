"""Users' daily bars: from their file to one row per session.

A daily bar is known at its session's close, except its open, which is known at the open. Nothing
is repaired: what cannot be a bar is refused with its date, and what is left out is counted.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pandas as pd

from ..base.errors import InputFileError
from ..calendar.market_defaults import DEFAULT_CALENDAR
from ..calendar.trading import TradingCalendar, exchange_timezone, trading_calendar
from .cells import days, numbers
from .clock import on_sessions
from .reader import Scalar, read_table

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["BarSet", "load_bars", "read_bars"]

PRICES = ("open", "high", "low", "close")

PRICE_NAMES: dict[str, tuple[str, ...]] = {
    "open": ("open", "o", "<open>", "1. open"),
    "high": ("high", "h", "<high>", "2. high"),
    "low": ("low", "l", "<low>", "3. low"),
    "close": ("close", "c", "<close>", "4. close", "close/last", "price"),
}
VOLUME_NAMES = ("volume", "v", "<vol>", "5. volume", "vol.")
_DAILY: dict[str, tuple[str, ...]] = {
    "session": ("session", "date", "day", "timestamp", "datetime", "time", "t", "<date>", "key"),
    **PRICE_NAMES,
    "volume": VOLUME_NAMES,
    "adjusted_close": (),
}


@dataclass(frozen=True, slots=True, eq=False)
class BarSet:
    """Daily bars and what was left out of them.

    Attributes
    ----------
    frame : DataFrame
        Index ``session`` (datetime64[ns]); columns ``open, high, low, close`` and, where the file
        has it, ``volume``; floats.
    not_sessions : int
        Rows dated on a day that is no session, or before the calendar begins: left out.
    missing : int
        Sessions between the first and the last bar that have no bar.
    outside_range : int
        Bars whose open or close lies outside low ... high: kept.
    jumps : int
        Bars that open more than a factor of 1.4 away from the close before: kept; on an
        unadjusted file these are mostly splits.
    left_out : tuple of datetime64
        Days of the rows that `not_sessions` counts.
    """

    frame: pd.DataFrame
    not_sessions: int
    missing: int
    outside_range: int
    jumps: int
    left_out: tuple[np.datetime64, ...] = ()

    def within(self, first: pd.Timestamp, last: pd.Timestamp, calendar: TradingCalendar) -> BarSet:
        """Return the bars from `first` to `last` with the counts of these alone.

        Parameters
        ----------
        first, last : Timestamp
            Bounds, both included.
        calendar : TradingCalendar
            Of the bars: counts the sessions of the period that have none.

        Returns
        -------
        BarSet
            Bars of the period, and what was left out of it.
        """
        frame = self.frame.loc[first:last]
        when = pd.DatetimeIndex(frame.index)
        outside = tuple(day for day in self.left_out if first <= pd.Timestamp(day) <= last)
        return BarSet(
            frame=frame,
            not_sessions=len(outside),
            missing=sessions_between(calendar, when) - len(when) if len(when) else 0,
            outside_range=_outside_range(frame),
            jumps=_jumps(frame),
            left_out=outside,
        )


def read_bars(
    path: str | Path,
    columns: Mapping[str, str] | None = None,
    *,
    where: Mapping[str, Scalar] | None = None,
    calendar: str = DEFAULT_CALENDAR,
    timezone: str | None = None,
) -> pd.DataFrame:
    """Return daily bars indexed by session: the frame of `load_bars`.

    Parameters
    ----------
    path : str or Path
        Parquet, or CSV with a header.
    columns : mapping of str to str, optional
        As in `load_bars`.
    where : mapping of str to scalar, optional
        Rows to take: column to value.
    calendar : str
        Exchange calendar.
    timezone : str, optional
        Of stamps that name none; by default the exchange's.

    Returns
    -------
    DataFrame
        ``open, high, low, close`` (points) and perhaps ``volume``; known at the session's close.

    Raises
    ------
    InputFileError, MissingColumnError, CalendarError
        As `load_bars`.
    """
    return load_bars(path, columns, where=where, calendar=calendar, timezone=timezone).frame


def load_bars(
    path: str | Path,
    columns: Mapping[str, str] | None = None,
    *,
    where: Mapping[str, Scalar] | None = None,
    calendar: str = DEFAULT_CALENDAR,
    timezone: str | None = None,
) -> BarSet:
    """Read daily bars and count what was left out.

    Parameters
    ----------
    path : str or Path
        Parquet, or CSV with a header.
    columns : mapping of str to str, optional
        ``session, open, high, low, close, volume`` to the file's columns. Names that are not
        mapped are looked for under themselves (``session`` also as ``date``), in any letter case.
        Where ``adjusted_close`` is mapped, all prices are scaled by adjusted / close, so that
        returns include dividends and splits.
    where : mapping, optional
        Column of the file to the value of the rows to keep, for files with several instruments.
    calendar : str
        An ``exchange_calendars`` name.
    timezone : str, optional
        Zone in which a stamp with a zone becomes a day; default the exchange's.

    Returns
    -------
    BarSet

    Raises
    ------
    InputFileError
        If a column is missing, a cell is no number or date, a session appears twice, a close is
        missing, a price is not positive, or a high lies below its low.
    """
    file = Path(path)
    optional = [] if "adjusted_close" in (columns or {}) else ["adjusted_close"]
    wanted = columns_to_read(file, _DAILY, columns)
    frame = read_table(file, wanted, optional=["volume", *optional], where=where)
    session = days(file, frame, "session", timezone or exchange_timezone(calendar))
    values = {c: numbers(file, frame, c) for c in frame.columns if c != "session"}
    bars = pd.DataFrame(values).set_axis(pd.DatetimeIndex(session, name="session"))
    bars = bars.sort_index(kind="stable")
    when = pd.DatetimeIndex(bars.index)
    require_valid(file, bars, when)
    require_once(file, when)
    bars = adjusted(file, bars)
    known = trading_calendar(calendar)
    inside = on_sessions(file, when.to_numpy().astype("datetime64[D]"), known)
    bars = bars[inside]
    if bars.empty:
        raise InputFileError(f"{file}: none of its dates is a session of {calendar}")
    return BarSet(
        frame=bars,
        not_sessions=int((~inside).sum()),
        missing=sessions_between(known, when[inside]) - len(bars),
        outside_range=_outside_range(bars),
        jumps=_jumps(bars),
        left_out=tuple(when[~inside].to_numpy().astype("datetime64[D]")),
    )


def columns_to_read(
    path: Path, known: Mapping[str, tuple[str, ...]], columns: Mapping[str, str] | None
) -> dict[str, Sequence[str]]:
    mapped = dict(columns or {})
    strange = sorted(set(mapped) - set(known))
    if strange:
        raise InputFileError(
            f"{path}: column map names {strange[0]!r}, which is none of {', '.join(known)}"
        )
    return {name: [mapped[name]] if name in mapped else known[name] for name in known}


def require_valid(path: Path, bars: pd.DataFrame, when: pd.DatetimeIndex) -> None:
    """Refuse a bar that cannot be one, naming the first."""
    prices = bars[list(PRICES)]
    _refuse(path, when, prices["close"].isna().to_numpy(), "has no close", "fill or remove it")
    low = (prices <= 0.0).any(axis=1).to_numpy()
    _refuse(path, when, low, "has a price that is not positive", "correct or remove it")
    crossed = (prices["high"] < prices["low"]).to_numpy()
    _refuse(path, when, crossed, "has a high below its low", "correct or remove it")


def _refuse(
    path: Path, when: pd.DatetimeIndex, bad: npt.NDArray[np.bool_], what: str, remedy: str
) -> None:
    if bad.any():
        first = when[int(np.flatnonzero(bad)[0])]
        raise InputFileError(f"{path}: bar of {moment_text(first)} {what}: {remedy}")


def moment_text(moment: pd.Timestamp) -> str:
    midnight = moment.tzinfo is None and moment == moment.normalize()
    return str(moment.date()) if midnight else moment.isoformat()


def require_once(path: Path, when: pd.DatetimeIndex) -> None:
    twice = when[when.duplicated()]
    if len(twice):
        raise InputFileError(
            f"{path}: two bars of {moment_text(twice[0])}: keep one, or select one instrument by a "
            "column (bars_where)"
        )


def adjusted(path: Path, bars: pd.DataFrame) -> pd.DataFrame:
    """Return prices scaled by adjusted / close, where the file's adjusted closes were mapped."""
    if "adjusted_close" not in bars:
        return bars
    factor = bars["adjusted_close"] / bars["close"]
    bad = ~(factor > 0.0).to_numpy()
    when = pd.DatetimeIndex(bars.index)
    _refuse(path, when, bad, "has no positive adjusted close", "correct it, or do not map it")
    prices = bars[list(PRICES)].mul(factor, axis=0)
    return bars.drop(columns="adjusted_close").assign(**{c: prices[c] for c in PRICES})


def _jumps(bars: pd.DataFrame) -> int:
    overnight = np.log(bars["open"].to_numpy()[1:] / bars["close"].to_numpy()[:-1])
    return int((np.abs(overnight) > np.log(1.4)).sum())


def _outside_range(bars: pd.DataFrame) -> int:
    ends = bars[["open", "close"]]
    above, below = ends.gt(bars["high"], axis=0), ends.lt(bars["low"], axis=0)
    return int((above | below).any(axis=1).sum())


def sessions_between(calendar: TradingCalendar, sessions: pd.DatetimeIndex) -> int:
    bounds = sessions[[0, -1]].to_numpy().astype("datetime64[D]")
    first = np.searchsorted(calendar.sessions, bounds[0])
    last = np.searchsorted(calendar.sessions, bounds[1], side="right")
    return int(last - first)
