"""What markets differ in: monthly expirations, sessions a year, currency.

The only place that holds such constants. Everything else takes them from `market_facts`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache
from typing import Final, Literal

from ..base.errors import CalendarError

__all__ = [
    "DEFAULT_CALENDAR",
    "DEFAULT_VOLUME",
    "EXCHANGE_SESSIONS",
    "INSTRUMENTS",
    "OPEN_EVERY_DAY",
    "MonthlyRule",
    "assumed_volume",
    "currency_sign",
    "is_friday",
    "known_currency",
    "market_defaults",
    "monthly_rule",
    "nth_weekday",
    "third_friday",
]

#: The calendar of data that name none and come from no lake.
DEFAULT_CALENDAR: Final = "XNYS"
#: What an underlying can be.
INSTRUMENTS: Final = ("index", "etf", "future", "share")
#: Sessions a year by convention: of exchanges, and of markets that never close.
EXCHANGE_SESSIONS: Final = 252
OPEN_EVERY_DAY: Final = 365
#: Value traded a day, in the currency of the exposures, of the underlyings for which an assumption
#: is stated: the S&P 500's futures.
_VOLUMES: Final = dict.fromkeys(("SPX", "SPXW", "ES"), 400e9)
DEFAULT_VOLUME: Final = _VOLUMES["SPX"]

Roll = Literal["before", "after"]
_WEEKDAYS: Final = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_ORDINALS: Final = {"first": 1, "second": 2, "third": 3, "fourth": 4, "last": -1}
_RULE: Final = re.compile(rf"({'|'.join(_ORDINALS)})_({'|'.join(_WEEKDAYS)})(_or_next)?")
#: Rules that changed: names, each with the first month in which it holds.
_CHANGED: Final[dict[str, tuple[tuple[tuple[int, int], str], ...]]] = {
    "nse": (((1, 1), "last_thursday"), ((2025, 9), "last_tuesday")),
}
#: Calendar to its rule of monthly expirations and its currency.
_MARKETS: Final[dict[str, tuple[str, str]]] = {
    "XNYS": ("third_friday", "USD"),
    "XCBF": ("third_friday", "USD"),
    "CMES": ("third_friday", "USD"),
    "us_futures": ("third_friday", "USD"),
    "24/7": ("last_friday", "USD"),
    "XBOM": ("nse", "INR"),
    "XTAI": ("third_wednesday_or_next", "TWD"),
    "XEUR": ("third_friday", "EUR"),
    "XETR": ("third_friday", "EUR"),
    "XFRA": ("third_friday", "EUR"),
    "XAMS": ("third_friday", "EUR"),
    "XPAR": ("third_friday", "EUR"),
    "XBRU": ("third_friday", "EUR"),
    "XMIL": ("third_friday", "EUR"),
    "XMAD": ("third_friday", "EUR"),
    "XLON": ("third_friday", "GBP"),
    "XSWX": ("third_friday", "CHF"),
    "XTSE": ("third_friday", "CAD"),
    "XASX": ("third_thursday", "AUD"),
    "XTKS": ("second_friday", "JPY"),
    "XSHG": ("third_friday_or_next", "CNY"),
    "XKRX": ("second_thursday", "KRW"),
    "XHKG": ("third_friday", "HKD"),
    "XSTO": ("third_friday", "SEK"),
    "BVMF": ("third_friday", "BRL"),
}
_SIGNS: Final = {
    "USD": "$", "EUR": "€", "GBP": "£", "INR": "₹", "TWD": "NT$", "JPY": "¥", "KRW": "₩",
    "HKD": "HK$", "CAD": "C$", "AUD": "A$", "BRL": "R$", "CHF": "CHF ", "SEK": "SEK ",
}  # fmt: skip


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


def currency_sign(code: str) -> str:
    """Return what stands before an amount of a currency.

    Parameters
    ----------
    code : str
        ISO code; empty where it is unknown.

    Returns
    -------
    str

    Examples
    --------
    >>> currency_sign("USD"), currency_sign("PLN"), currency_sign("")
    ('$', 'PLN ', '')
    """
    return _SIGNS.get(code, f"{code} " if code else "")


def known_currency(code: str) -> str:
    """Return an ISO code of a currency in capitals.

    Raises
    ------
    CalendarError
        If it is not three letters.
    """
    if not re.fullmatch(r"[A-Za-z]{3}", code):
        raise CalendarError(f"currency {code!r} is no ISO code: write USD, EUR, INR and the like")
    return code.upper()


def assumed_volume(underlying: str) -> float | None:
    """Return the value traded a day that is assumed of an underlying, None where nothing is.

    Parameters
    ----------
    underlying : str

    Returns
    -------
    float or None
        Dollars a day.
    """
    return _VOLUMES.get(underlying.upper())


def market_defaults(calendar: str) -> tuple[MonthlyRule, str]:
    """Return the monthly rule and the currency of a calendar; third Fridays where unknown."""
    rule, currency = _MARKETS.get(re.split(r"[+~]", calendar)[0], ("third_friday", ""))
    return MonthlyRule(rule), currency
