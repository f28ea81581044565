"""The facts of one market, resolved once: what every reader of its data must agree on."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Final

from .market_defaults import (
    DEFAULT_CALENDAR,
    EXCHANGE_SESSIONS,
    OPEN_EVERY_DAY,
    currency_sign,
    known_currency,
    market_defaults,
)
from .monthly_rules import MonthlyRule, monthly_rule
from .trading import trading_calendar

__all__ = ["MarketFacts", "Spell", "market_facts", "spells_in_words"]

#: Changes that a sentence names.
_NAMED: Final = 4


@dataclass(frozen=True, slots=True)
class Spell:
    """A value in force from a session on, to the session before the next one's first."""

    first: date
    value: float


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
    instrument : {"index", "etf", "future", "share"} or None
        Kind of underlying, where the lake says so.
    settlement : str or None
        Of the lake's contracts: ``AM``, ``PM`` or ``AM and PM``.
    multiplier, oi_lag_sessions : tuple of Spell
        What a contract delivers, and how many sessions before its own a session's open interest
        was settled: of the lake, as they changed. Empty where unknown.
    """

    calendar: str
    monthly: MonthlyRule
    currency: str
    sessions_per_year: int
    instrument: str | None = None
    settlement: str | None = None
    multiplier: tuple[Spell, ...] = ()
    oi_lag_sessions: tuple[Spell, ...] = ()

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


def spells_in_words(spells: tuple[Spell, ...]) -> str:
    """Return what was in force when.

    Parameters
    ----------
    spells : tuple of Spell
        In order.

    Returns
    -------
    str

    Examples
    --------
    >>> spells_in_words((Spell(date(2025, 1, 2), 75.0), Spell(date(2025, 12, 31), 65.0)))
    '75 from 2025-01-02, 65 from 2025-12-31'
    """
    if len(spells) == 1:
        return f"{spells[0].value:g}"
    said = [f"{spell.value:g} from {spell.first}" for spell in spells[:_NAMED]]
    more = len(spells) - _NAMED
    return ", ".join(said) + (f" and {more} further changes" if more > 0 else "")
