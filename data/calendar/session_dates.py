"""Listed expirations on a calendar: the last session of each, and whether it is monthly."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from .day_numbers import from_days, to_days
from .monthly_rules import MonthlyRule
from .trading import TradingCalendar

__all__ = ["CalendarFacts", "SessionDates", "calendar_facts"]


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
        self._known: dict[int, tuple[int, bool]] = {}
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
            days = expiry.tolist()
            for day in days:
                if day not in self._known:
                    self._known[day] = self._look_up(day)
            facts = [self._known[day] for day in days]
            dies = np.array([last for last, _ in facts], np.int32)
            found = dies, np.array([monthly for _, monthly in facts], np.bool_)
            self._together[listed] = found
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
            calendar = self.calendar
            i = calendar.position(calendar.shift(session, 1))
            opens = calendar.opens[i].astype("datetime64[us]").astype(np.int64)
            found = int(calendar.sessions[i].astype(np.int64)), int(opens)
            self._following[session] = found
        return found

    def _look_up(self, expiry: int) -> tuple[int, bool]:
        day = from_days(expiry)
        last = self.calendar.last_session_at_or_before(day)
        return to_days(last), self.calendar.is_monthly(day, self.rule)
