"""Exchange sessions: when they open and close, and when contracts stop existing.

A thin, cached layer over ``exchange_calendars`` that speaks in ``datetime.date`` and UTC time
stamps. Early closes are included throughout.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import Literal

import numpy as np
import numpy.typing as npt

from ..base.errors import CalendarError
from .corrections import base_calendar, corrections_in, with_corrections
from .kept_schedules import Schedule, keep, kept
from .market_defaults import DEFAULT_CALENDAR, market_defaults
from .monthly_rules import MonthlyRule

__all__ = [
    "Settlement",
    "TradingCalendar",
    "exchange_timezone",
    "require_calendar",
    "trading_calendar",
]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
Settlement = Literal["AM", "PM"]


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
        """Return whether `day` is a session.

        Parameters
        ----------
        day : date

        Returns
        -------
        bool
        """
        i = int(np.searchsorted(self.sessions, np.datetime64(day, "D")))
        return i < len(self.sessions) and bool(self.sessions[i] == np.datetime64(day, "D"))

    def position(self, day: date, *, at_or_before: bool = False) -> int:
        """Return the index of session `day`, or of the last session at or before it.

        Parameters
        ----------
        day : date
        at_or_before : bool
            Accept days that are no session.

        Returns
        -------
        int
            In `sessions`.

        Raises
        ------
        CalendarError
            If `day` lies outside the calendar, or is no session and `at_or_before` is False.
        """
        stamp = np.datetime64(day, "D")
        i = int(self.sessions.searchsorted(stamp, side="right")) - 1
        if i >= 0 and self.sessions[i] == stamp:
            return i
        self._require_inside(day)
        if not at_or_before:
            raise CalendarError(
                f"{day} is not a session of {self.name}: use a session of that exchange"
            )
        return i

    def open_of(self, day: date) -> datetime:
        """Return the opening moment of session `day`, UTC.

        Parameters
        ----------
        day : date

        Returns
        -------
        datetime
            With time zone.

        Raises
        ------
        CalendarError
            If `day` is no session.
        """
        return _moment(self.opens[self.position(day)])

    def close_of(self, day: date) -> datetime:
        """Return the closing moment of session `day`, UTC.

        Parameters
        ----------
        day : date

        Returns
        -------
        datetime
            With time zone; early closes included.

        Raises
        ------
        CalendarError
            If `day` is no session.
        """
        return _moment(self.closes[self.position(day)])

    def shift(self, day: date, sessions: int) -> date:
        """Return the session `sessions` after session `day` (before it where negative).

        Parameters
        ----------
        day : date
            A session.
        sessions : int
            How many to go forward; back where negative.

        Returns
        -------
        date

        Raises
        ------
        CalendarError
            If `day` is no session, or the result lies outside the calendar.
        """
        i = self.position(day) + sessions
        if not 0 <= i < len(self.sessions):
            raise CalendarError(
                f"{self.name} is known from {self.sessions[0]} to {self.sessions[-1]}: "
                f"{sessions:+d} sessions from {day} lies outside; widen the calendar"
            )
        return _day(self.sessions[i])

    def last_session_at_or_before(self, day: date) -> date:
        """Return `day` where it is a session, else the last session before it.

        Parameters
        ----------
        day : date

        Returns
        -------
        date

        Raises
        ------
        CalendarError
            If `day` lies outside the calendar.
        """
        return _day(self.sessions[self.position(day, at_or_before=True)])

    def first_session_at_or_after(self, day: date) -> date:
        """Return `day` where it is a session, else the first session after it.

        Parameters
        ----------
        day : date

        Returns
        -------
        date

        Raises
        ------
        CalendarError
            If `day` lies outside the calendar.
        """
        self._require_inside(day)
        return _day(self.sessions[np.searchsorted(self.sessions, np.datetime64(day, "D"))])

    def expiry_ts(self, expiry: date, settlement: Settlement) -> datetime:
        """Return the moment at which a contract stops existing, UTC.

        The open (AM) or the close (PM) of the last session at or before `expiry`.

        Parameters
        ----------
        expiry : date
            As listed.
        settlement : {"AM", "PM"}

        Returns
        -------
        datetime
            With time zone.

        Raises
        ------
        CalendarError
            If `expiry` lies outside the calendar.
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

        Returns
        -------
        date

        Raises
        ------
        CalendarError
            If it lies outside the calendar.
        """
        return _monthly_expiration(self, rule or self.monthly, year, month)

    def is_monthly(self, expiry: date, rule: MonthlyRule | None = None) -> bool:
        """Return whether a listed expiration date is a monthly one, by a rule or the calendar's.

        A Saturday listing counts as its Friday, where the rule names Fridays and no Saturday is a
        session.

        Parameters
        ----------
        expiry : date
            As listed.
        rule : MonthlyRule, optional
            By default the calendar's own.

        Returns
        -------
        bool

        Raises
        ------
        CalendarError
            If `expiry` lies outside the calendar.
        """
        chosen = rule or self.monthly
        day = expiry
        if expiry.weekday() == 5 and not self.is_session(expiry):
            friday = expiry - timedelta(days=1)
            day = friday if chosen.saturday(friday.year, friday.month) else expiry
        if day == _named_day(chosen, day.year, day.month):
            return True
        months = {(day.year, day.month), _month_of(day + timedelta(days=7))}
        months.add(_month_of(day - timedelta(days=7)))
        return any(day == self.monthly_expiration(*month, rule=chosen) for month in months)

    @property
    def monthly(self) -> MonthlyRule:
        """The rule of the market's monthly expirations."""
        return market_defaults(self.name)[0]

    def _require_inside(self, day: date) -> None:
        if not self.sessions[0] <= np.datetime64(day, "D") <= self.sessions[-1]:
            raise CalendarError(
                f"{day} lies outside the calendar {self.name}, known from {self.sessions[0]} to "
                f"{self.sessions[-1]}: widen the calendar or correct the date"
            )


@lru_cache(maxsize=4_096)
def _named_day(rule: MonthlyRule, year: int, month: int) -> date:
    return rule.day(year, month)


@lru_cache(maxsize=4_096)
def _monthly_expiration(
    calendar: TradingCalendar, rule: MonthlyRule, year: int, month: int
) -> date:
    day = rule.day(year, month)
    if rule.roll(year, month) == "before":
        return calendar.last_session_at_or_before(day)
    return calendar.first_session_at_or_after(day)


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


@lru_cache(maxsize=8)
def trading_calendar(
    name: str = DEFAULT_CALENDAR, first: str = "1990-01-01", last: str = "2040-12-31"
) -> TradingCalendar:
    """Return the sessions of an exchange.

    A name may carry corrections (`with_corrections`): sessions that were announced after the
    package's release, with the hours of the preceding session, and days that turned out to be none.

    Parameters
    ----------
    name : str
        A calendar name of ``exchange_calendars``.
    first, last : str
        Bounds, ISO dates. The calendar must reach the last expiry that is asked of it. Where the
        exchange has announced its holidays for fewer years, the calendar begins with the first
        recorded one, and every weekday after the last recorded one is a session.

    Returns
    -------
    TradingCalendar

    Raises
    ------
    CalendarError
        If there is no calendar of that name, or it has no session within the bounds.
    """
    base, more, less = corrections_in(name)
    asked = f"{with_corrections(base, more, less)} {first} {last}"
    made = kept(asked)
    if made is None:
        made = _made(base, more, less, first, last)
        keep(asked, made)
    return TradingCalendar(
        with_corrections(made.name, more, less), made.sessions, made.opens, made.closes, made.zone
    )


def _made(base: str, more: set[date], less: set[date], first: str, last: str) -> Schedule:
    from .exchange_schedule import exchange_schedule

    name, zone, schedule = exchange_schedule(base, more, less, first, last)
    return Schedule(
        name,
        zone,
        schedule.index.to_numpy().astype("datetime64[D]"),
        schedule["open"].dt.tz_convert(None).to_numpy().astype("datetime64[ns]"),
        schedule["close"].dt.tz_convert(None).to_numpy().astype("datetime64[ns]"),
    )


def _day(value: np.datetime64) -> date:
    day = value.astype("datetime64[D]").item()
    assert isinstance(day, date)
    return day


def _moment(value: np.datetime64) -> datetime:
    return _EPOCH + timedelta(microseconds=int(value.astype("datetime64[us]").astype(np.int64)))
