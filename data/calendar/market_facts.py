"""The facts of one market, resolved once: what every reader of its data must agree on."""

from __future__ import annotations

from dataclasses import dataclass

from .market_rules import (
    DEFAULT_CALENDAR,
    EXCHANGE_SESSIONS,
    OPEN_EVERY_DAY,
    MonthlyRule,
    currency_sign,
    known_currency,
    market_defaults,
    monthly_rule,
)
from .trading import trading_calendar

__all__ = ["MarketFacts", "market_facts"]


@dataclass(frozen=True, slots=True)
class MarketFacts:
    """What every reader of a market's data must agree on.

    Attributes
    ----------
    calendar : str
        A name of ``exchange_calendars``, aliases resolved.
    monthly : MonthlyRule
        Of its standard expirations.
    currency : str
        ISO code of the prices, and so of exposures; empty where unknown.
    sessions_per_year : int
        By convention: 252, and 365 where every day is a session.
    """

    calendar: str
    monthly: MonthlyRule
    currency: str
    sessions_per_year: int

    @property
    def sign(self) -> str:
        """What stands before an amount; empty where the currency is unknown."""
        return currency_sign(self.currency)


def market_facts(
    calendar: str = DEFAULT_CALENDAR, *, monthly: str | None = None, currency: str | None = None
) -> MarketFacts:
    """Return the facts of a market.

    Parameters
    ----------
    calendar : str
        A name of ``exchange_calendars``, or an alias of one (``NYSE``).
    monthly : str, optional
        Rule of its monthly expirations; by default the calendar's.
    currency : str, optional
        ISO code; by default the calendar's.

    Returns
    -------
    MarketFacts
        Calendar, monthly rule, sessions a year, currency.

    Raises
    ------
    CalendarError
        If calendar, rule or currency are unknown.

    Examples
    --------
    >>> market_facts("24/7").sessions_per_year, market_facts("XTAI").sign
    (365, 'NT$')
    """
    known = trading_calendar(calendar)
    rule, code = market_defaults(known.name)
    return MarketFacts(
        known.name,
        rule if monthly is None else monthly_rule(monthly),
        code if currency is None else known_currency(currency),
        OPEN_EVERY_DAY if known.open_every_day else EXCHANGE_SESSIONS,
    )
