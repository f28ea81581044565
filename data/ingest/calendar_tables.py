"""The calendar as small tables that SQL can join: sessions, expiration days, time stamps."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from ..base.errors import CalendarError, ConfigError
from ..calendar.monthly_rules import is_friday, monthly_rule
from ..calendar.trading import trading_calendar
from ..calendar.wall_clocks import moments_of
from ..lake.arrow_tables import array_of, table_of
from .open_interest_lag import settled_by_lag

if TYPE_CHECKING:
    from ..calendar.monthly_rules import MonthlyRule
    from ..calendar.trading import TradingCalendar
    from ..vendors.vendor_preset import Timing

__all__ = ["CalendarTables", "calendar_tables", "rule_of", "zone_of"]

_Moments = npt.NDArray[np.datetime64]
_NOT: Final = np.datetime64("NaT", "ns")
_NO_DAY: Final = np.datetime64("NaT", "D")


@dataclass(frozen=True, slots=True)
class CalendarTables:
    """One exchange's calendar under one set of timing rules.

    Attributes
    ----------
    sessions : pyarrow.Table
        `session`, `close_ts`, and what the rules say of every row of the session: `quote_ts` (never
        after the close), `known_at`, `oi_asof`; NULL where the rules leave it to a column.
    expiries : pyarrow.Table
        For each day on which a contract may be listed to expire: `expiry`, `open_ts` and `close_ts`
        of the last session at or before it, `is_monthly`.
    stamps : pyarrow.Table
        For each day in UTC: `day`, `open_ts` of the session that opens on it, that `session`, and
        the session `before` it. The three are NULL, NULL and the current one where none opens.
    """

    sessions: Any
    expiries: Any
    stamps: Any


def rule_of(timing: Timing) -> MonthlyRule:
    """Return the rule of monthly expirations: the preset's, else the calendar's."""
    if timing.monthly is not None:
        return monthly_rule(timing.monthly)
    return trading_calendar(timing.calendar).monthly


def zone_of(timing: Timing) -> str:
    """Return the time zone of stamps that state none: the preset's, else the exchange's.

    Raises
    ------
    ConfigError
        If there is no such time zone.
    """
    if timing.timezone is None:
        return trading_calendar(timing.calendar).timezone
    try:
        ZoneInfo(timing.timezone)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ConfigError(
            f"[timing] timezone {timing.timezone!r} is unknown: use a name such as "
            "Europe/London or UTC"
        ) from error
    return timing.timezone


@lru_cache(maxsize=8)
def calendar_tables(timing: Timing) -> CalendarTables:
    """Return the tables that the ingest joins.

    Beyond the last session that the calendar knows, weekdays count as sessions with the hours of
    that last one: only distant expirations reach there.
    """
    calendar = trading_calendar(timing.calendar)
    return CalendarTables(
        _sessions(calendar, timing), _expiries(calendar, rule_of(timing)), _stamps(calendar)
    )


def _sessions(calendar: TradingCalendar, timing: Timing) -> Any:
    quoted = _clock(calendar, timing, timing.quote_time)
    later = np.append(calendar.opens[1:], _NOT)
    known = later if timing.known_at == "next_open" else _clock(calendar, timing, timing.known_at)
    settled = settled_by_lag(calendar.sessions, timing.oi_lag_sessions)
    return table_of(
        {
            "session": calendar.sessions,
            "close_ts": _moments(calendar.closes),
            "quote_ts": _moments(np.minimum(quoted, calendar.closes)),
            "known_at": _moments(known),
            "oi_asof": settled,
        }
    )


def _clock(calendar: TradingCalendar, timing: Timing, rule: str | None) -> _Moments:
    """Return the moment in each session that ``close`` or ``HH:MM`` names, NaT for other rules."""
    if rule == "close":
        return calendar.closes
    if rule is None or ":" not in rule:
        return np.full(len(calendar.sessions), _NOT)
    return moments_of(calendar.sessions, rule, zone_of(timing))


def _expiries(calendar: TradingCalendar, rule: MonthlyRule) -> Any:
    sessions, opens, closes = _extended(calendar)
    days = np.arange(sessions[0], sessions[-1] + 1)
    last = np.searchsorted(sessions, days, side="right") - 1
    return table_of(
        {
            "expiry": days,
            "open_ts": _moments(opens[last]),
            "close_ts": _moments(closes[last]),
            "is_monthly": np.isin(days, _monthlies(calendar, sessions, rule)),
        }
    )


def _extended(calendar: TradingCalendar) -> tuple[_Moments, _Moments, _Moments]:
    end = np.datetime64("2060-12-31")
    days = np.arange(calendar.sessions[-1] + 1, end)
    days = days if calendar.open_every_day else days[np.is_busday(days)]
    shift = (days - calendar.sessions[-1]).astype("timedelta64[ns]")
    return (
        np.append(calendar.sessions, days),
        np.append(calendar.opens, calendar.opens[-1] + shift),
        np.append(calendar.closes, calendar.closes[-1] + shift),
    )


def _monthlies(
    calendar: TradingCalendar, sessions: _Moments, rule: MonthlyRule
) -> npt.NDArray[np.datetime64]:
    """Return the days that count as a monthly expiration, Saturday listings included."""
    months = np.unique(sessions.astype("datetime64[M]"))[1:-1]
    found = []
    for month in months.tolist():
        named = np.datetime64(rule.day(month.year, month.month), "D")
        side = "right" if rule.roll(month.year, month.month) == "before" else "left"
        place = int(np.searchsorted(sessions, named, side=side)) - (side == "right")  # type: ignore[call-overload]
        moved = sessions[place]
        found += [named, moved]
        if rule.saturday(month.year, month.month) and not calendar.open_every_day:
            found += [named + 1] + ([moved + 1] if is_friday(moved.item()) else [])
    return np.unique(np.array(found, dtype="datetime64[D]"))


def _stamps(calendar: TradingCalendar) -> Any:
    opening = calendar.opens.astype("datetime64[D]")
    if len(np.unique(opening)) != len(opening):
        raise CalendarError(f"{calendar.name} opens twice within a day in UTC: not supported")
    days = np.arange(opening[0], opening[-1] + 1)
    last = np.searchsorted(opening, days, side="right") - 1
    opens_here = opening[last] == days
    before = np.where(opens_here, last - 1, last)
    first = before < 0
    return table_of(
        {
            "day": days,
            "open_ts": _moments(np.where(opens_here, calendar.opens[last], _NOT)),
            "session": np.where(opens_here, calendar.sessions[last], _NO_DAY),
            "before": np.where(first, _NO_DAY, calendar.sessions[np.maximum(before, 0)]),
        }
    )


def _moments(values: _Moments) -> Any:
    return array_of(values.astype("datetime64[us]"), pa.timestamp("us", tz="UTC"))
