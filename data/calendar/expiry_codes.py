"""Expirations written as a code of their month, dated by the exchange's rule and calendar."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, Final, Literal

from ..base.date_dialect import days_of
from ..base.errors import ConfigError

if TYPE_CHECKING:
    from .trading import TradingCalendar

__all__ = ["ExpiryRule", "MonthCodes", "default_rule", "expiry_rule"]

_ORDINALS: Final = {"first": 1, "second": 2, "third": 3, "fourth": 4, "last": -1}
_WEEKDAYS: Final = ("monday", "tuesday", "wednesday", "thursday", "friday")
_LETTERS: Final = "FGHJKMNQUVXZ"

_DIGITS: Final = re.compile(r"(\d{4})[-/. ]?(\d{2})(?:([WF])([1-5]))?$")
_NAMED: Final = re.compile(r"([A-Za-z]{3,9})[-/. ']*(\d{4}|\d{2})$")
_FUTURES: Final = re.compile(rf"([{_LETTERS}])(\d{{4}}|\d{{1,2}})$")


@dataclass(frozen=True, slots=True)
class ExpiryRule:
    """On which day of a month its contracts expire.

    Attributes
    ----------
    nth : int
        1 to 4, or -1 for the last of the month.
    weekday : int
        0 is Monday.
    holiday : {"previous", "next"}
        Which session takes the place of a day that is none.
    """

    nth: int
    weekday: int
    holiday: Literal["previous", "next"] = "previous"


_DEFAULTS: Final = {
    "XTAI": ExpiryRule(3, 2, "next"),
    "XKRX": ExpiryRule(2, 3),
    "XSHG": ExpiryRule(3, 4, "next"),
    "XTKS": ExpiryRule(2, 4),
    "24/7": ExpiryRule(-1, 4),
    "XBOM": ExpiryRule(-1, 3),
}
#: NSE's index contracts expire on Tuesdays from this month on.
_NSE_TUESDAYS: Final = date(2025, 9, 1)


def expiry_rule(text: str, where: str = "expiry_rule") -> ExpiryRule:
    """Return the rule that a text names: ``third_wednesday``, ``last_friday next``.

    Raises
    ------
    ConfigError
        If it names none.
    """
    words = re.split(r"[ _,-]+", text.strip().casefold())
    if len(words) >= 2 and words[0] in _ORDINALS and words[1] in _WEEKDAYS:
        holiday: Literal["previous", "next"] = "next" if "next" in words[2:] else "previous"
        if set(words[2:]) <= {"next", "previous", "session", "holiday"}:
            return ExpiryRule(_ORDINALS[words[0]], _WEEKDAYS.index(words[1]), holiday)
    raise ConfigError(
        f"{where}: expected a day of the month such as third_wednesday, second_thursday or "
        f"last_friday, with next or previous for holidays (third_wednesday next); found {text!r}"
    )


def default_rule(calendar: str) -> ExpiryRule:
    """Return the rule of an exchange's monthly expirations: the third Friday where none is known.

    Examples
    --------
    >>> default_rule("XTAI")
    ExpiryRule(nth=3, weekday=2, holiday='next')
    """
    return _DEFAULTS.get(calendar.partition("+")[0], ExpiryRule(3, 4))


@dataclass(frozen=True, slots=True)
class MonthCodes:
    """What turns the codes of a column into days.

    Attributes
    ----------
    calendar : TradingCalendar
    rule : ExpiryRule
    since : int
        Year from which a futures code of one digit counts (``H4``).
    tuesdays : bool
        NSE's rule: from September 2025 on Tuesdays take the place of Thursdays.
    """

    calendar: TradingCalendar
    rule: ExpiryRule
    since: int = 2000
    tuesdays: bool = False

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
        rule = self.rule
        if self.tuesdays and date(year, month, 1) >= _NSE_TUESDAYS:
            rule = ExpiryRule(-1, 1, rule.holiday)
        if kind is not None:
            rule = ExpiryRule(week, 4 if kind == "F" else 2, rule.holiday)
        day = _nth_weekday(year, month, rule)
        if day is None:
            return None
        return self._moved(day, rule.holiday)

    def _moved(self, day: date, holiday: str) -> date:
        step = timedelta(days=1 if holiday == "next" else -1)
        for _ in range(15):
            if self.calendar.is_session(day):
                break
            day += step
        return day


def _nth_weekday(year: int, month: int, rule: ExpiryRule) -> date | None:
    first = date(year, month, 1)
    day = first + timedelta(days=(rule.weekday - first.weekday()) % 7)
    if rule.nth > 0:
        day += timedelta(weeks=rule.nth - 1)
    else:
        while (day + timedelta(weeks=1)).month == month:
            day += timedelta(weeks=1)
    return day if day.month == month else None
