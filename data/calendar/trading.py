"""Exchange sessions: when they open and close, and when contracts stop existing.

A thin, cached layer over ``exchange_calendars`` that speaks in ``datetime.date`` and UTC time
stamps. Early closes are included throughout.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from ..base.errors import CalendarError
from .market_rules import DEFAULT_CALENDAR, MonthlyRule, market_defaults, third_friday

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = [
    "CalendarFacts",
    "Settlement",
    "TradingCalendar",
    "base_calendar",
    "exchange_timezone",
    "from_days",
    "require_calendar",
    "third_friday",
    "to_days",
    "trading_calendar",
    "united_calendar",
    "with_corrections",
]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_EPOCH_ORDINAL = date(1970, 1, 1).toordinal()

Settlement = Literal["AM", "PM"]

#: Sessions that exchanges held and ``exchange_calendars`` does not know: Taiwan's make-up
#: Saturdays, special sessions in Mumbai (budgets, tests of the disaster site).
_ANNOUNCED: dict[str, tuple[date, ...]] = {
    "XTAI": (
        date(2016, 1, 30),
        date(2016, 6, 4),
        date(2016, 9, 10),
        date(2017, 2, 18),
        date(2017, 6, 3),
        date(2017, 9, 30),
        date(2018, 3, 31),
        date(2018, 12, 22),
    ),
    "XBOM": (
        date(2015, 2, 28),
        date(2020, 2, 1),
        date(2024, 1, 20),
        date(2024, 3, 2),
        date(2024, 5, 18),
        date(2025, 2, 1),
        date(2026, 2, 1),
    ),
}


@dataclass(frozen=True, slots=True, eq=False)
class TradingCalendar:
    """The sessions of one exchange within bounds.

    Attributes
    ----------
    name : str
        Name in ``exchange_calendars``, e.g. ``XNYS``.
    sessions : ndarray of datetime64[D], shape (n,)
        Sessions in ascending order.
    opens, closes : ndarray of datetime64[ns], shape (n,)
        Opening and closing moments in UTC, early closes included.
    timezone : str
        IANA zone of the exchange.
    """

    name: str
    sessions: npt.NDArray[np.datetime64]
    opens: npt.NDArray[np.datetime64]
    closes: npt.NDArray[np.datetime64]
    timezone: str = "UTC"

    @property
    def open_every_day(self) -> bool:
        """Whether every day is a session."""
        return len(self.sessions) == int((self.sessions[-1] - self.sessions[0]).astype(int)) + 1

    def is_session(self, day: date) -> bool:
        """Return whether `day` is a session."""
        i = int(np.searchsorted(self.sessions, np.datetime64(day, "D")))
        return i < len(self.sessions) and bool(self.sessions[i] == np.datetime64(day, "D"))

    def position(self, day: date, *, at_or_before: bool = False) -> int:
        """Return the index of session `day`, or of the last session at or before it.

        Raises
        ------
        CalendarError
            If `day` lies outside the calendar, or is no session and `at_or_before` is False.
        """
        self._require_inside(day)
        i = int(np.searchsorted(self.sessions, np.datetime64(day, "D"), side="right")) - 1
        if i < 0 or (not at_or_before and self.sessions[i] != np.datetime64(day, "D")):
            raise CalendarError(
                f"{day} is not a session of {self.name}: use a session of that exchange"
            )
        return i

    def open_of(self, day: date) -> datetime:
        """Return the opening moment of session `day`, UTC."""
        return _moment(self.opens[self.position(day)])

    def close_of(self, day: date) -> datetime:
        """Return the closing moment of session `day`, UTC."""
        return _moment(self.closes[self.position(day)])

    def shift(self, day: date, sessions: int) -> date:
        """Return the session `sessions` after session `day` (before it where negative)."""
        i = self.position(day) + sessions
        if not 0 <= i < len(self.sessions):
            raise CalendarError(
                f"{self.name} is known from {self.sessions[0]} to {self.sessions[-1]}: "
                f"{sessions:+d} sessions from {day} lies outside; widen the calendar"
            )
        return _day(self.sessions[i])

    def session_of(self, moment: datetime) -> date:
        """Return the session that a time stamp belongs to: the last opened at or before it."""
        stamp = np.datetime64(pd.Timestamp(moment).tz_convert("UTC").tz_localize(None), "ns")
        i = int(np.searchsorted(self.opens, stamp, side="right")) - 1
        if i < 0:
            raise CalendarError(
                f"{moment} precedes the first session of {self.name}, {self.sessions[0]}"
            )
        return _day(self.sessions[i])

    def last_session_at_or_before(self, day: date) -> date:
        """Return `day` where it is a session, else the last session before it."""
        return _day(self.sessions[self.position(day, at_or_before=True)])

    def first_session_at_or_after(self, day: date) -> date:
        """Return `day` where it is a session, else the first session after it."""
        self._require_inside(day)
        return _day(self.sessions[np.searchsorted(self.sessions, np.datetime64(day, "D"))])

    def expiry_ts(self, expiry: date, settlement: Settlement) -> datetime:
        """Return the moment at which a contract stops existing, UTC.

        The open (AM) or the close (PM) of the last session at or before `expiry`.
        """
        i = self.position(expiry, at_or_before=True)
        return _moment(self.opens[i] if settlement == "AM" else self.closes[i])

    def monthly_expiration(self, year: int, month: int, rule: MonthlyRule | None = None) -> date:
        """Return the session on which a month's standard contracts expire.

        Parameters
        ----------
        year, month : int
        rule : MonthlyRule, optional
            By default the calendar's own; where its day is no session, the session before or
            after, as it says.
        """
        chosen = rule or self.monthly
        day = chosen.day(year, month)
        if chosen.roll(year, month) == "before":
            return self.last_session_at_or_before(day)
        return self.first_session_at_or_after(day)

    def is_monthly(self, expiry: date, rule: MonthlyRule | None = None) -> bool:
        """Return whether a listed expiration date is a monthly one, by a rule or the calendar's.

        A Saturday listing counts as its Friday, where the rule names Fridays and no Saturday is a
        session.
        """
        chosen = rule or self.monthly
        day = expiry
        if expiry.weekday() == 5 and not self.is_session(expiry):
            friday = expiry - timedelta(days=1)
            day = friday if chosen.saturday(friday.year, friday.month) else expiry
        if day == chosen.day(day.year, day.month):
            return True
        months = {(day.year, day.month), _month_of(day + timedelta(days=7))}
        months.add(_month_of(day - timedelta(days=7)))
        return any(day == self.monthly_expiration(*month, rule=chosen) for month in months)

    @property
    def monthly(self) -> MonthlyRule:
        """The rule of the market's monthly expirations."""
        return market_defaults(self.name)[0]

    def moments(
        self, positions: npt.NDArray[np.int64], clock: str, zone: str | None = None
    ) -> npt.NDArray[np.datetime64]:
        """Return the moment of a wall clock on sessions, UTC, shape of `positions`.

        Parameters
        ----------
        positions : ndarray of int
            Of the sessions.
        clock : str
            ``HH:MM``. A time that a clock change skips moves on; one that it repeats means the
            later.
        zone : str, optional
            Whose clock; by default the exchange's.
        """
        hours, minutes = clock.split(":")
        wall = pd.DatetimeIndex(self.sessions[positions].astype("datetime64[ns]"))
        placed = (wall + pd.Timedelta(hours=int(hours), minutes=int(minutes))).tz_localize(
            zone or self.timezone,
            ambiguous=np.zeros(len(wall), dtype=bool),
            nonexistent="shift_forward",
        )
        return placed.tz_convert("UTC").tz_localize(None).to_numpy().astype("datetime64[ns]")

    def _require_inside(self, day: date) -> None:
        if not self.sessions[0] <= np.datetime64(day, "D") <= self.sessions[-1]:
            raise CalendarError(
                f"{day} lies outside the calendar {self.name}, known from {self.sessions[0]} to "
                f"{self.sessions[-1]}: widen the calendar or correct the date"
            )


class CalendarFacts:
    """What a calendar says of listed expirations, remembered: chains ask the same ones daily.

    Parameters
    ----------
    calendar : TradingCalendar
    rule : MonthlyRule, optional
        Of the monthly expirations; by default the calendar's.
    """

    def __init__(self, calendar: TradingCalendar, rule: MonthlyRule | None = None) -> None:
        self.calendar = calendar
        self.rule = rule or calendar.monthly
        self._known: dict[int, tuple[int, bool]] = {}

    def expirations(
        self, expiry: npt.NDArray[np.int32]
    ) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.bool_]]:
        """Return when contracts die, and which are monthly.

        Parameters
        ----------
        expiry : ndarray of int32, shape (g,)
            Listed expirations, days since 1970.

        Returns
        -------
        dies : ndarray of int32, shape (g,)
            The session on which each dies, days since 1970.
        monthly : ndarray of bool, shape (g,)
        """
        days = expiry.tolist()
        for day in days:
            if day not in self._known:
                self._known[day] = self._look_up(day)
        facts = [self._known[day] for day in days]
        dies = np.array([last for last, _ in facts], np.int32)
        return dies, np.array([monthly for _, monthly in facts], np.bool_)

    def following(self, session: date) -> tuple[int, int]:
        """Return the session after a session, and its open.

        Days since 1970; microseconds since 1970, UTC.
        """
        calendar = self.calendar
        i = calendar.position(calendar.shift(session, 1))
        opens = calendar.opens[i].astype("datetime64[us]").astype(np.int64)
        return int(calendar.sessions[i].astype(np.int64)), int(opens)

    def _look_up(self, expiry: int) -> tuple[int, bool]:
        day = from_days(expiry)
        last = self.calendar.last_session_at_or_before(day)
        return to_days(last), self.calendar.is_monthly(day, self.rule)


def to_days(day: date) -> int:
    """Return the days from 1970-01-01 to a date.

    Examples
    --------
    >>> to_days(date(1970, 1, 31)), from_days(30)
    (30, datetime.date(1970, 1, 31))
    """
    return day.toordinal() - _EPOCH_ORDINAL


def from_days(days: int) -> date:
    """Return the date that lies `days` after 1970-01-01."""
    return date.fromordinal(days + _EPOCH_ORDINAL)


def _month_of(day: date) -> tuple[int, int]:
    return day.year, day.month


def exchange_timezone(calendar: str) -> str:
    """Return the IANA zone of an exchange, e.g. ``America/New_York`` for ``XNYS``.

    Raises
    ------
    CalendarError
        If there is no calendar of that name.
    """
    return trading_calendar(calendar).timezone


def require_calendar(known: str, asked: str | None, whose: str) -> None:
    """Refuse a calendar that contradicts what the data say; an alias of theirs does not.

    Parameters
    ----------
    known : str
        The data's calendar.
    asked : str or None
        What a configuration or command says; None says nothing.
    whose : str
        Names the data, for the message.

    Raises
    ------
    CalendarError
    """
    mine, theirs = (
        (None, None)
        if asked is None
        else (base_calendar(trading_calendar(n).name) for n in (asked, known))
    )
    if mine != theirs:
        raise CalendarError(
            f"calendar {asked!r} contradicts {whose}, which are of {known}: leave it out, or name "
            f"{known}"
        )


def with_corrections(name: str, add: Iterable[date], drop: Iterable[date]) -> str:
    """Return the name of a calendar with sessions added and dropped.

    Examples
    --------
    >>> with_corrections("XBOM", [date(2025, 2, 1)], [date(2024, 11, 20)])
    'XBOM+20250201~20241120'
    """
    base, more, less = _corrections(name)
    more, less = more | set(add), less | set(drop)
    both = sorted(more & less)
    if both:
        raise CalendarError(f"{both[0]} is both added and dropped: keep one of them")
    return (
        base
        + "".join(f"+{day:%Y%m%d}" for day in sorted(more))
        + "".join(f"~{day:%Y%m%d}" for day in sorted(less))
    )


def united_calendar(names: Iterable[str]) -> str:
    """Return the calendar with the corrections of several of one exchange."""
    ordered = sorted(names)
    united = ordered[0]
    for name in ordered[1:]:
        _, more, less = _corrections(name)
        united = with_corrections(united, more, less)
    return united


def base_calendar(name: str) -> str:
    """Return the name of a calendar in ``exchange_calendars``, without corrections."""
    return re.split(r"[+~]", name, maxsplit=1)[0]


def _corrections(name: str) -> tuple[str, set[date], set[date]]:
    days: dict[str, set[date]] = {"+": set(), "~": set()}
    for sign, digits in re.findall(r"([+~])(\d{8})", name):
        days[sign].add(date.fromisoformat(digits))
    return base_calendar(name), days["+"], days["~"]


@lru_cache(maxsize=8)
def trading_calendar(
    name: str = DEFAULT_CALENDAR, first: str = "1990-01-01", last: str = "2040-12-31"
) -> TradingCalendar:
    """Return the sessions of an exchange.

    A name may carry corrections (`with_corrections`): sessions that were announced after the
    package's release, with the hours of the session before them, and days that turned out to be
    none.

    Parameters
    ----------
    name : str
        A calendar name of ``exchange_calendars``.
    first, last : str
        Bounds, ISO dates. The calendar must reach the last expiry that is asked of it. Where the
        exchange has announced its holidays for fewer years, the calendar begins with the first
        recorded one, and every weekday after the last recorded one is a session.

    Raises
    ------
    CalendarError
        If there is no calendar of that name, or it has no session within the bounds.
    """
    import exchange_calendars

    base, more, less = _corrections(name)
    try:
        calendar = _within_bounds(base, first, last)
    except exchange_calendars.errors.InvalidCalendarName as error:
        raise CalendarError(
            f"unknown exchange calendar {name!r}: use a name of exchange_calendars, "
            f"e.g. {DEFAULT_CALENDAR}"
        ) from error
    except ValueError as error:
        raise CalendarError(
            f"calendar {name!r} cannot cover {first} to {last}: {str(error).splitlines()[0]}"
        ) from error
    schedule = pd.concat([calendar.schedule[["open", "close"]], _beyond(calendar, last)])
    known = with_corrections(str(calendar.name), more, less)
    announced = _ANNOUNCED.get(str(calendar.name), ())
    more |= {day for day in announced if first <= day.isoformat() <= last} - less
    if more or less:
        schedule = _corrected(schedule, str(calendar.tz), more, less)
    return TradingCalendar(
        name=known,
        sessions=schedule.index.to_numpy().astype("datetime64[D]"),
        opens=schedule["open"].dt.tz_convert(None).to_numpy().astype("datetime64[ns]"),
        closes=schedule["close"].dt.tz_convert(None).to_numpy().astype("datetime64[ns]"),
        timezone=str(calendar.tz),
    )


def _corrected(schedule: pd.DataFrame, zone: str, more: set[date], less: set[date]) -> pd.DataFrame:
    """Return a schedule with sessions added, with the usual hours of their year, and dropped."""
    kept = schedule[~schedule.index.isin([pd.Timestamp(day) for day in less])]
    fresh = [pd.Timestamp(day) for day in sorted(more) if pd.Timestamp(day) not in kept.index]
    rows = {}
    for day in fresh:
        place = int(kept.index.searchsorted(day))
        like = kept.iloc[max(place - 1, 0)]
        offset = day - kept.index[max(place - 1, 0)]
        rows[day] = {
            side: (like[side].tz_convert(zone).tz_localize(None) + offset)
            .tz_localize(zone)
            .tz_convert("UTC")
            for side in ("open", "close")
        }
    if not rows:
        return kept
    added = pd.DataFrame.from_dict(rows, orient="index")
    return pd.concat([kept, added.astype(kept.dtypes.to_dict())]).sort_index()


def _within_bounds(name: str, first: str, last: str) -> Any:
    """Return a calendar of ``exchange_calendars``, cut to what its exchange has announced."""
    import exchange_calendars

    try:
        return exchange_calendars.get_calendar(name, start=first, end=last)
    except ValueError:
        # only a calendar knows its bounds, and building a second one costs as much as the first
        kind = type(exchange_calendars.get_calendar(name))
        earliest, latest = kind.bound_min(), kind.bound_max()
        return exchange_calendars.get_calendar(
            name,
            start=first if earliest is None else max(pd.Timestamp(first), earliest),
            end=last if latest is None else min(pd.Timestamp(last), latest),
        )


def _beyond(calendar: Any, last: str) -> pd.DataFrame:
    """Return open and close of the weekdays after a calendar's end: hours of its last session."""
    final = calendar.schedule.iloc[-1]
    begin = calendar.bound_max() or pd.Timestamp(last)
    days = pd.bdate_range(begin + pd.Timedelta(days=1), last)
    hours = {
        side: final[side].tz_convert(calendar.tz).tz_localize(None) - pd.Timestamp(final.name)
        for side in ("open", "close")
    }
    return pd.DataFrame(
        {
            side: (days + after).tz_localize(calendar.tz).tz_convert("UTC")
            for side, after in hours.items()
        },
        index=days,
    )


def _day(value: np.datetime64) -> date:
    day = value.astype("datetime64[D]").item()
    assert isinstance(day, date)
    return day


def _moment(value: np.datetime64) -> datetime:
    return _EPOCH + timedelta(microseconds=int(value.astype("datetime64[us]").astype(np.int64)))
