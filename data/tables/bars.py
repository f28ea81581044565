"""Daily and intraday bars from users' files, one row per session or per bar.

A daily bar is known at its session's close, except its open, which is known at the open. Nothing
is repaired: what cannot be a bar is refused with its date, and what is left out is counted.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from ..base.errors import InputFileError
from ..calendar.market_rules import DEFAULT_CALENDAR
from ..calendar.trading import TradingCalendar, exchange_timezone, trading_calendar
from .clock import require_clock
from .reader import Scalar, clock_minutes, days, numbers, read_table, stamps

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = [
    "BarSet",
    "IntradaySet",
    "load_bars",
    "load_intraday",
    "read_bars",
    "read_intraday",
]

PRICES = ("open", "high", "low", "close")

_PRICE_NAMES: dict[str, tuple[str, ...]] = {
    "open": ("open", "o", "<open>", "1. open"),
    "high": ("high", "h", "<high>", "2. high"),
    "low": ("low", "l", "<low>", "3. low"),
    "close": ("close", "c", "<close>", "4. close", "close/last", "price"),
}
_VOLUME = ("volume", "v", "<vol>", "5. volume", "vol.")
_DAILY: dict[str, tuple[str, ...]] = {
    "session": ("session", "date", "day", "timestamp", "datetime", "time", "t", "<date>", "key"),
    **_PRICE_NAMES,
    "volume": _VOLUME,
    "adjusted_close": (),
}
_INTRADAY: dict[str, tuple[str, ...]] = {
    "timestamp": ("timestamp", "datetime", "ts", "ts_utc", "t"),
    "session": ("session", "date", "day", "<date>"),
    "time": ("time", "<time>"),
    **_PRICE_NAMES,
    "volume": _VOLUME,
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
        """Return the bars from `first` to `last` with the counts of these alone."""
        frame = self.frame.loc[first:last]
        when = pd.DatetimeIndex(frame.index)
        outside = tuple(day for day in self.left_out if first <= pd.Timestamp(day) <= last)
        return BarSet(
            frame=frame,
            not_sessions=len(outside),
            missing=_sessions_between(calendar, when) - len(when) if len(when) else 0,
            outside_range=_outside_range(frame),
            jumps=_jumps(frame),
            left_out=outside,
        )


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
        """Return the bars of the sessions from `first` to `last`, and what these lack."""
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


def read_bars(
    path: str | Path,
    columns: Mapping[str, str] | None = None,
    *,
    where: Mapping[str, Scalar] | None = None,
    calendar: str = DEFAULT_CALENDAR,
    timezone: str | None = None,
) -> pd.DataFrame:
    """Return daily bars indexed by session: the frame of `load_bars`."""
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

    Raises
    ------
    InputFileError
        If a column is missing, a cell is no number or date, a session appears twice, a close is
        missing, a price is not positive, or a high lies below its low.
    """
    file = Path(path)
    optional = [] if "adjusted_close" in (columns or {}) else ["adjusted_close"]
    wanted = _wanted(file, _DAILY, columns)
    frame = read_table(file, wanted, optional=["volume", *optional], where=where)
    session = days(file, frame, "session", timezone or exchange_timezone(calendar))
    values = {c: numbers(file, frame, c) for c in frame.columns if c != "session"}
    bars = pd.DataFrame(values).set_axis(pd.DatetimeIndex(session, name="session"))
    bars = bars.sort_index(kind="stable")
    when = pd.DatetimeIndex(bars.index)
    _require_valid(file, bars, when)
    _require_once(file, when)
    bars = _adjusted(file, bars)
    known = trading_calendar(calendar)
    inside = np.isin(when.to_numpy().astype("datetime64[D]"), known.sessions)
    bars = bars[inside]
    if bars.empty:
        raise InputFileError(f"{file}: none of its dates is a session of {calendar}")
    return BarSet(
        frame=bars,
        not_sessions=int((~inside).sum()),
        missing=_sessions_between(known, when[inside]) - len(bars),
        outside_range=_outside_range(bars),
        jumps=_jumps(bars),
        left_out=tuple(when[~inside].to_numpy().astype("datetime64[D]")),
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
    """Return intraday bars: the frame of `load_intraday`."""
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

    Raises
    ------
    InputFileError
        As `load_bars`; also if two bars share a start, or fewer than half of the bars lie within
        sessions' hours while only regular hours were asked for: then the zone is wrong.
    """
    file = Path(path)
    zone = timezone or exchange_timezone(calendar)
    wanted = _wanted(file, _INTRADAY, columns)
    optional = ["timestamp", "session", "time", "volume"]
    frame = read_table(file, wanted, optional=optional, where=where)
    moment = _bar_starts(file, frame, zone)
    values = {c: numbers(file, frame, c) for c in (*PRICES, "volume") if c in frame}
    bars = pd.DataFrame({"ts": moment, **values})
    placed = bars["ts"].notna()
    bars = bars[placed].sort_values("ts", ignore_index=True)
    _require_valid(file, bars, pd.DatetimeIndex(bars["ts"]))
    _require_once(file, pd.DatetimeIndex(bars["ts"]))
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


def _wanted(
    path: Path, known: Mapping[str, tuple[str, ...]], columns: Mapping[str, str] | None
) -> dict[str, Sequence[str]]:
    mapped = dict(columns or {})
    strange = sorted(set(mapped) - set(known))
    if strange:
        raise InputFileError(
            f"{path}: column map names {strange[0]!r}, which is none of {', '.join(known)}"
        )
    return {name: [mapped[name]] if name in mapped else known[name] for name in known}


def _require_valid(path: Path, bars: pd.DataFrame, when: pd.DatetimeIndex) -> None:
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
        raise InputFileError(f"{path}: bar of {_written(first)} {what}: {remedy}")


def _written(moment: pd.Timestamp) -> str:
    midnight = moment.tzinfo is None and moment == moment.normalize()
    return str(moment.date()) if midnight else moment.isoformat()


def _require_once(path: Path, when: pd.DatetimeIndex) -> None:
    twice = when[when.duplicated()]
    if len(twice):
        raise InputFileError(
            f"{path}: two bars of {_written(twice[0])}: keep one, or select one instrument by a "
            "column (bars_where)"
        )


def _adjusted(path: Path, bars: pd.DataFrame) -> pd.DataFrame:
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


def _sessions_between(calendar: TradingCalendar, sessions: pd.DatetimeIndex) -> int:
    bounds = sessions[[0, -1]].to_numpy().astype("datetime64[D]")
    first = np.searchsorted(calendar.sessions, bounds[0])
    last = np.searchsorted(calendar.sessions, bounds[1], side="right")
    return int(last - first)


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
