"""Expirations written as a code of their month, dated by the exchange's rule and calendar."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, Final

from ..base.date_dialect import days_of
from .monthly_rules import MonthlyRule, monthly_rule, nth_weekday

if TYPE_CHECKING:
    from .trading import TradingCalendar

__all__ = ["MonthCodes", "expiry_rule"]

_LETTERS: Final = "FGHJKMNQUVXZ"
_DIGITS: Final = re.compile(r"(\d{4})[-/. ]?(\d{2})(?:([WF])([1-5]))?$")
_NAMED: Final = re.compile(r"([A-Za-z]{3,9})[-/. ']*(\d{4}|\d{2})$")
_FUTURES: Final = re.compile(rf"([{_LETTERS}])(\d{{4}}|\d{{1,2}})$")


def expiry_rule(text: str) -> MonthlyRule:
    """Return the rule that a text names: ``third_wednesday``, ``third_wednesday next``.

    Raises
    ------
    CalendarError
        If it names none.
    """
    name = re.sub(r"[ ,_-]+", "_", text.strip().casefold())
    return monthly_rule(re.sub(r"_(or_)?(next|after)(_session)?$", "_or_next", name))


@dataclass(frozen=True, slots=True)
class MonthCodes:
    """What turns the codes of a column into days.

    Attributes
    ----------
    calendar : TradingCalendar
    rule : MonthlyRule
    since : int
        Year from which a futures code of one digit counts (``H4``).
    """

    calendar: TradingCalendar
    rule: MonthlyRule
    since: int = 2000

    def __call__(self, text: str) -> date | None:
        """Return the day of expiration, None where a text is no code of a month."""
        text = text.strip()
        found = _DIGITS.match(text)
        if found and 1990 <= int(found[1]) <= 2060 and 1 <= int(found[2]) <= 12:
            return self._dated(int(found[1]), int(found[2]), found[3], int(found[4] or 0))
        found = _NAMED.match(text)
        if found:
            year = int(found[2]) + (2000 if len(found[2]) == 2 else 0)
            month = days_of([f"1 {found[1]} {year}"], zone="UTC")
            return self._dated(year, next(iter(month.values())).month) if month else None
        found = _FUTURES.match(text.upper())
        if found:
            return self._dated(self._year(found[2]), _LETTERS.index(found[1]) + 1)
        return None

    def _year(self, digits: str) -> int:
        if len(digits) == 4:
            return int(digits)
        if len(digits) == 2:
            return 2000 + int(digits)
        return self.since + (int(digits) - self.since) % 10

    def _dated(self, year: int, month: int, kind: str | None = None, week: int = 0) -> date | None:
        """Return a month's expiration, or that of one of its weeks (F: Friday, W: Wednesday)."""
        if kind is None:
            day = self.rule.day(year, month)
        else:
            day = nth_weekday(year, month, 4 if kind == "F" else 2, week)
        if day.month != month:
            return None
        step = timedelta(days=1 if self.rule.roll(year, month) == "after" else -1)
        for _ in range(15):
            if self.calendar.is_session(day):
                break
            day += step
        return day
