"""What markets differ in: which monthly rule, sessions a year, currency.

The only place that holds such constants; the rules themselves stand in `monthly_rules`. Everything
else takes them from `market_facts`.
"""

from __future__ import annotations

import re
from typing import Final

from ..base.errors import CalendarError
from .monthly_rules import MonthlyRule

__all__ = [
    "DEFAULT_CALENDAR",
    "DEFAULT_VOLUME",
    "EXCHANGE_SESSIONS",
    "INSTRUMENTS",
    "OPEN_EVERY_DAY",
    "assumed_volume",
    "currency_sign",
    "known_currency",
    "market_defaults",
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
