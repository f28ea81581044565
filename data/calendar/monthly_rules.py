"""Rules of monthly expirations: the third Friday, the last Thursday and their like.

Which market has which rule stands in `market_defaults`; a preset or a column map may name another.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache
from typing import Final, Literal

from ..base.errors import CalendarError

__all__ = ["MonthlyRule", "is_friday", "monthly_rule", "nth_weekday", "third_friday"]

Roll = Literal["before", "after"]
_WEEKDAYS: Final = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_ORDINALS: Final = {"first": 1, "second": 2, "third": 3, "fourth": 4, "last": -1}
_RULE: Final = re.compile(rf"({'|'.join(_ORDINALS)})_({'|'.join(_WEEKDAYS)})(_or_next)?")
#: Rules that changed: names, each with the first month in which it holds.
_CHANGED: Final[dict[str, tuple[tuple[tuple[int, int], str], ...]]] = {
    "nse": (((1, 1), "last_thursday"), ((2025, 9), "last_tuesday")),
}


@dataclass(frozen=True, slots=True)
class MonthlyRule:
    """On which day of a month its standard contracts expire.

    Attributes
    ----------
    name : str
        ``third_friday``, ``last_thursday`` and the like; ``_or_next`` at the end moves a holiday
        to the session after instead of the one before; ``nse``.
    """

    name: str

    def day(self, year: int, month: int) -> date:
        """Return the day that the rule names, session or not.

        Parameters
        ----------
        year, month : int

        Returns
        -------
        date
            By the rule alone, be it a session or not.

        Examples
        --------
        >>> MonthlyRule("nse").day(2025, 8), MonthlyRule("nse").day(2025, 9)
        (datetime.date(2025, 8, 28), datetime.date(2025, 9, 30))
        """
        ordinal, weekday, _ = _parts(self._at(year, month))
        return nth_weekday(year, month, weekday, ordinal)

    def roll(self, year: int, month: int) -> Roll:
        """Return where a holiday moves the expiration of that month.

        Parameters
        ----------
        year, month : int

        Returns
        -------
        {"before", "after"}
            Which session stands in where the day is none.
        """
        return _parts(self._at(year, month))[2]

    def saturday(self, year: int, month: int) -> bool:
        """Return whether a Saturday listing stands for the day before.

        Parameters
        ----------
        year, month : int

        Returns
        -------
        bool
        """
        return _parts(self._at(year, month))[1] == _WEEKDAYS.index("friday")

    def _at(self, year: int, month: int) -> str:
        eras = _CHANGED.get(self.name, (((1, 1), self.name),))
        return [name for first, name in eras if first <= (year, month)][-1]


@lru_cache(maxsize=64)
def _parts(name: str) -> tuple[int, int, Roll]:
    found = _RULE.fullmatch(name)
    assert found is not None  # `monthly_rule` refuses the rest
    ordinal, weekday, after = found.groups()
    return _ORDINALS[ordinal], _WEEKDAYS.index(weekday), "after" if after else "before"


def monthly_rule(name: str) -> MonthlyRule:
    """Return the rule of that name.

    Raises
    ------
    CalendarError
        If there is none.

    Examples
    --------
    >>> monthly_rule("third_wednesday_or_next").day(2024, 2)
    datetime.date(2024, 2, 21)
    """
    if name not in _CHANGED and not _RULE.fullmatch(name):
        raise CalendarError(
            f"monthly rule {name!r} is unknown: use first, second, third, fourth or last, and a "
            "weekday, as in third_friday or last_thursday; with _or_next where a holiday moves it "
            f"to the session after; or {', '.join(_CHANGED)}"
        )
    return MonthlyRule(name)


def nth_weekday(year: int, month: int, weekday: int, n: int) -> date:
    """Return the n-th weekday (Monday is 0) of a month; the last one where `n` is -1.

    Examples
    --------
    >>> nth_weekday(2026, 3, 4, -1), nth_weekday(2026, 1, 2, 3)
    (datetime.date(2026, 3, 27), datetime.date(2026, 1, 21))
    """
    if n > 0:
        first = date(year, month, 1)
        return first + timedelta(days=(weekday - first.weekday()) % 7 + 7 * (n - 1))
    end = date(year + month // 12, month % 12 + 1, 1) - timedelta(days=1)
    return end - timedelta(days=(end.weekday() - weekday) % 7)


def is_friday(day: date) -> bool:
    """Return whether a day is a Friday, whose contracts may be listed on the Saturday."""
    return day.weekday() == _WEEKDAYS.index("friday")


def third_friday(year: int, month: int) -> date:
    """Return the third Friday of a month.

    Examples
    --------
    >>> third_friday(2022, 4)
    datetime.date(2022, 4, 15)
    """
    return nth_weekday(year, month, _WEEKDAYS.index("friday"), 3)
