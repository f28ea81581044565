"""Listed expirations on a calendar: the last session of each, and whether it is monthly."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from typing import Final

import numpy as np
import numpy.typing as npt

from .day_numbers import from_days, to_days
from .monthly_rules import MonthlyRule
from .trading import TradingCalendar

__all__ = ["CalendarFacts", "SessionDates", "calendar_facts"]

#: Of a day of which nobody has asked whether it is a monthly expiration.
_UNKNOWN: Final = -1
#: Lists of expirations that are remembered.
_MOST_LISTS: Final = 4096


@dataclass(frozen=True, slots=True)
class SessionDates:
    """A session, the one after it, and what becomes of the contracts listed on it.

    Attributes
    ----------
    session, following : int
        The session and the next one, days since 1970.
    opens_us : int
        Open of the next one, microseconds since 1970, UTC.
    dies : ndarray of int32, shape (g,)
        Last session of each listed expiration, days since 1970.
    monthly : ndarray of bool, shape (g,)
        Whether it is a monthly one.
    """

    session: int
    following: int
    opens_us: int
    dies: npt.NDArray[np.int32]
    monthly: npt.NDArray[np.bool_]


@lru_cache(maxsize=16)
def calendar_facts(calendar: TradingCalendar, rule: MonthlyRule | None = None) -> CalendarFacts:
    """Return what a calendar says, remembered for all who ask: names share sessions and expiries.

    Parameters
    ----------
    calendar : TradingCalendar
    rule : MonthlyRule, optional
        Of the monthly expirations; by default the calendar's.
    """
    return CalendarFacts(calendar, rule)


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
        days = calendar.sessions.astype(np.int64)
        self._days, self._first = days, int(days[0])
        # of each calendar day: the last session at or before it, and whether it is a monthly one
        self._dies = np.repeat(days.astype(np.int32), np.diff(days, append=days[-1] + 1))
        self._monthly = np.full(self._dies.size, _UNKNOWN, np.int8)
        self._together: dict[bytes, tuple[npt.NDArray[np.int32], npt.NDArray[np.bool_]]] = {}
        self._following: dict[date, tuple[int, int]] = {}

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
            Both are those of earlier calls too: not to be written to.
        """
        listed = expiry.tobytes()
        found = self._together.get(listed)
        if found is None:
            if len(self._together) >= _MOST_LISTS:
                self._together.clear()
            found = self._together[listed] = self._look_up(expiry)
        return found

    def of_session(self, session: date, expiry: npt.NDArray[np.int32]) -> SessionDates:
        """Return the dates that the books of a session need.

        Parameters
        ----------
        session : date
        expiry : ndarray of int32, shape (g,)
            Listed expirations, days since 1970.
        """
        following, opens_us = self.following(session)
        dies, monthly = self.expirations(expiry)
        return SessionDates(to_days(session), following, opens_us, dies, monthly)

    def following(self, session: date) -> tuple[int, int]:
        """Return the session after a session, and its open.

        Days since 1970; microseconds since 1970, UTC.
        """
        found = self._following.get(session)
        if found is None:
            day = to_days(session)
            i = int(self._days.searchsorted(day, side="right"))
            if i == self._days.size or self._days[i - 1] != day:
                self.calendar.shift(session, 1)  # says what is wrong
            opens = self.calendar.opens[i].astype("datetime64[us]").astype(np.int64)
            found = self._following[session] = int(self._days[i]), int(opens)
        return found

    def _look_up(
        self, expiry: npt.NDArray[np.int32]
    ) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.bool_]]:
        place = expiry - self._first
        if place.size and not (place.min() >= 0 and place.max() < self._dies.size):
            for day in expiry.tolist():
                self.calendar.last_session_at_or_before(from_days(day))  # says which lies outside
        monthly = self._monthly[place]
        if (monthly == _UNKNOWN).any():
            for i in place[monthly == _UNKNOWN].tolist():
                day = from_days(self._first + i)
                self._monthly[i] = self.calendar.is_monthly(day, self.rule)
            monthly = self._monthly[place]
        return self._dies[place], monthly == 1
