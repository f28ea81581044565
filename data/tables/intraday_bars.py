"""Users' intraday bars: from their file to sessions and the moments at which bars begin.

A bar is known at its end.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from ..base.errors import InputFileError
from ..calendar.market_defaults import DEFAULT_CALENDAR
from ..calendar.trading import TradingCalendar, exchange_timezone, trading_calendar
from .bars import PRICE_NAMES, PRICES, VOLUME_NAMES, columns_to_read, require_once, require_valid
from .cells import clock_minutes, days, numbers, stamps
from .clock import require_clock
from .reader import Scalar, read_table

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["IntradaySet", "load_intraday", "read_intraday"]

_INTRADAY: dict[str, tuple[str, ...]] = {
    "timestamp": ("timestamp", "datetime", "ts", "ts_utc", "t"),
    "session": ("session", "date", "day", "<date>"),
    "time": ("time", "<time>"),
    **PRICE_NAMES,
    "volume": VOLUME_NAMES,
}


@dataclass(frozen=True, slots=True, eq=False)
class IntradaySet:
    """Intraday bars and what was left out of them.

    Attributes
    ----------
    frame : DataFrame
        Columns ``session`` (datetime64[ns]), ``ts`` (start of the bar, UTC), ``open, high, low,
        close`` and, where the file has it, ``volume``; sorted by ``ts``, plain index.
    minutes : float
        Length of a bar: the most frequent distance between neighbours of one session.
    outside_hours : int
        Bars outside the sessions' hours: left out unless all hours were asked for.
    unplaced : int
        Bars whose clock time was skipped or repeated by a clock change: left out.
    missing : int
        Bars lacking in the sessions that have any, within the session's hours.
    """

    frame: pd.DataFrame
    minutes: float
    outside_hours: int
    unplaced: int
    missing: int

    def within(
        self, first: pd.Timestamp, last: pd.Timestamp, calendar: TradingCalendar
    ) -> IntradaySet:
        """Return the bars of the sessions from `first` to `last`, and what these lack.

        Parameters
        ----------
        first, last : Timestamp
            Bounds, sessions, both included.
        calendar : TradingCalendar
            Of the bars.

        Returns
        -------
        IntradaySet
            Bars of the period, and what it lacks.
        """
        session = self.frame["session"]
        frame = self.frame[(session >= first) & (session <= last)].reset_index(drop=True)
        minutes = _bar_minutes(frame)
        return IntradaySet(
            frame=frame,
            minutes=minutes,
            outside_hours=self.outside_hours,
            unplaced=self.unplaced,
            missing=_missing_bars(calendar, frame, minutes),
        )


def read_intraday(
    path: str | Path,
    columns: Mapping[str, str] | None = None,
    *,
    where: Mapping[str, Scalar] | None = None,
    calendar: str = DEFAULT_CALENDAR,
    timezone: str | None = None,
    hours: Literal["regular", "all"] = "regular",
) -> pd.DataFrame:
    """Return intraday bars: the frame of `load_intraday`.

    Parameters
    ----------
    path : str or Path
        Parquet, or CSV with a header.
    columns : mapping of str to str, optional
        As in `load_intraday`.
    where : mapping of str to scalar, optional
        Rows to take: column to value.
    calendar : str
        Exchange calendar.
    timezone : str, optional
        Of stamps that name none; by default the exchange's.
    hours : {"regular", "all"}
        Whether bars outside the session are left out.

    Returns
    -------
    DataFrame
        ``session, ts`` (UTC, start of the bar), ``open, high, low, close``; a bar is known at its
        end.

    Raises
    ------
    InputFileError, MissingColumnError, CalendarError
        As `load_intraday`.
    """
    return load_intraday(
        path, columns, where=where, calendar=calendar, timezone=timezone, hours=hours
    ).frame


def load_intraday(
    path: str | Path,
    columns: Mapping[str, str] | None = None,
    *,
    where: Mapping[str, Scalar] | None = None,
    calendar: str = DEFAULT_CALENDAR,
    timezone: str | None = None,
    hours: Literal["regular", "all"] = "regular",
) -> IntradaySet:
    """Read intraday bars and count what was left out.

    Parameters
    ----------
    path, columns, where, calendar
        As in `load_bars`; the bar's start is a column ``timestamp``, or ``session`` and ``time``,
        or ``time`` alone where it holds whole time stamps.
    timezone : str, optional
        Zone of stamps that name none; default the exchange's.
    hours : {"regular", "all"}
        ``regular`` keeps bars that start within their session's hours, early closes included;
        ``all`` gives every bar to the last session opened at or before it.

    Returns
    -------
    IntradaySet

    Raises
    ------
    InputFileError
        As `load_bars`; also if two bars share a start, or fewer than half of the bars lie within
        sessions' hours while only regular hours were asked for: then the zone is wrong.
    """
    file = Path(path)
    zone = timezone or exchange_timezone(calendar)
    wanted = columns_to_read(file, _INTRADAY, columns)
    optional = ["timestamp", "session", "time", "volume"]
    frame = read_table(file, wanted, optional=optional, where=where)
    moment = _bar_starts(file, frame, zone)
    values = {c: numbers(file, frame, c) for c in (*PRICES, "volume") if c in frame}
    bars = pd.DataFrame({"ts": moment, **values})
    placed = bars["ts"].notna()
    bars = bars[placed].sort_values("ts", ignore_index=True)
    require_valid(file, bars, pd.DatetimeIndex(bars["ts"]))
    require_once(file, pd.DatetimeIndex(bars["ts"]))
    known = trading_calendar(calendar)
    require_clock(file, bars["ts"], known, zone)
    session, regular = _place(known, bars["ts"])
    outside = int((~regular).sum())
    if hours == "regular":
        _require_hours(file, regular, zone)
        bars, session = bars[regular].reset_index(drop=True), session[regular]
    bars.insert(0, "session", session.astype("datetime64[ns]"))
    minutes = _bar_minutes(bars)
    return IntradaySet(
        frame=bars,
        minutes=minutes,
        outside_hours=outside if hours == "regular" else 0,
        unplaced=int((~placed).sum()),
        missing=_missing_bars(known, bars, minutes),
    )


def _bar_starts(path: Path, frame: pd.DataFrame, zone: str) -> pd.Series[pd.Timestamp]:
    if "timestamp" in frame:
        return stamps(path, frame, "timestamp", zone)
    if "time" not in frame:
        raise InputFileError(f"{path}: no column for the start of a bar: map timestamp, or time")
    if "session" not in frame:
        return stamps(path, frame, "time", zone)
    minutes = clock_minutes(path, frame, "time")
    day = days(path, frame, "session", zone)
    local = day + pd.to_timedelta(minutes, unit="m")
    return stamps(path, pd.DataFrame({"time": local}), "time", zone)


def _place(
    calendar: TradingCalendar, moments: pd.Series[pd.Timestamp]
) -> tuple[npt.NDArray[np.datetime64], npt.NDArray[np.bool_]]:
    """Return each bar's session and whether it starts within that session's hours."""
    utc = moments.dt.tz_localize(None).to_numpy().astype("datetime64[ns]")
    row = np.searchsorted(calendar.opens, utc, side="right") - 1
    inside = (row >= 0) & (utc < calendar.closes[np.maximum(row, 0)])
    return calendar.sessions[np.maximum(row, 0)], inside


def _require_hours(path: Path, regular: npt.NDArray[np.bool_], zone: str) -> None:
    if 2 * int(regular.sum()) < len(regular):
        raise InputFileError(
            f"{path}: only {int(regular.sum())} of {len(regular)} bars lie within sessions' hours "
            f"when stamps without a zone are read as {zone}: name their zone (intraday_timezone), "
            'or ask for all hours (intraday_hours = "all")'
        )


def _bar_minutes(bars: pd.DataFrame) -> float:
    """Return the most frequent distance of neighbouring bars, NaN where no session has two."""
    steps = bars.groupby("session")["ts"].diff().dropna()
    if steps.empty:
        return float("nan")
    return float(steps.mode().iloc[0].total_seconds() / 60)


def _missing_bars(calendar: TradingCalendar, bars: pd.DataFrame, minutes: float) -> int:
    if not minutes > 0:
        return 0
    counts = bars.groupby("session").size()
    rows = np.searchsorted(calendar.sessions, counts.index.to_numpy().astype("datetime64[D]"))
    length = (calendar.closes[rows] - calendar.opens[rows]) / np.timedelta64(1, "m")
    expected = np.ceil(length / minutes)
    return int(np.maximum(expected - counts.to_numpy(), 0).sum())
