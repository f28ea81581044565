"""Settings of one rebuild: underlying, definition, dealers, books, calendar, rates."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from typing import TYPE_CHECKING

from ..base.errors import DefinitionError, UnknownNameError
from ..base.schema import BOOKS, Book
from ..calendar.market_defaults import INSTRUMENTS
from ..calendar.session_dates import CalendarFacts, calendar_facts
from ..calendar.trading import TradingCalendar, trading_calendar
from ..exposure.dealers import DealerModel
from ..exposure.definition import Definition
from ..tables.positions import DealerSource, dealer_source
from ..tables.rates import curve_in

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ..exposure.rate_curves import RateCurve
    from ..lake.lake import Lake
    from ..lake.manifest import Manifest
    from .spec import RegimeSpec

__all__ = ["Job", "calendar_mark", "make_job"]


@dataclass(frozen=True, slots=True)
class Job:
    """Settings of one rebuild: a `RegimeSpec` with its files read.

    Attributes
    ----------
    underlying : str
    definition : Definition
    definition_id : str
    dealer : DealerModel
    books : tuple of {"as_of_close", "post_expiry"}
    facts : CalendarFacts
    side_tables : bool
        Whether a rebuild writes them.
    source : DealerSource or None
        Where positions come from when the right alone does not give them.
    rate, dividend : RateCurve or None
        Curves that replace the definition's constants.
    instrument : {"index", "etf", "future", "share"} or None
    """

    underlying: str
    definition: Definition
    definition_id: str
    dealer: DealerModel
    books: tuple[Book, ...]
    facts: CalendarFacts
    side_tables: bool = True
    source: DealerSource | None = None
    rate: RateCurve | None = None
    dividend: RateCurve | None = None
    instrument: str | None = None

    def marks(self, sessions: Iterable[date]) -> dict[date, str]:
        """Return, per session, a text that changes with a user's positions or rates of it.

        Parameters
        ----------
        sessions : iterable of date

        Returns
        -------
        dict of date to str
        """
        inputs = (self.source, self.rate, self.dividend)
        if all(each is None for each in inputs):
            return dict.fromkeys(sessions, "||")
        return {
            day: "|".join("" if each is None else each.mark(day) for each in inputs)
            for day in sessions
        }

    @property
    def common_mark(self) -> str:
        """A text that changes with whatever else all rows depend on, the definition excepted."""
        share = "share" if self.instrument == "share" else ""  # others change no row
        calendar = f"{calendar_mark(self.facts.calendar)}|{self.facts.rule.name}"
        return f"{calendar}|{share}|{self.side_tables}"


@lru_cache(maxsize=8)  # of one market, many underlyings
def calendar_mark(calendar: TradingCalendar) -> str:
    """Return a mark of a calendar's sessions and their hours.

    Parameters
    ----------
    calendar : TradingCalendar

    Returns
    -------
    str
        16 hexadecimal digits; changes with any session, open or close.
    """
    digest = hashlib.sha256(calendar.name.encode())
    for array in (calendar.sessions, calendar.opens, calendar.closes):
        digest.update(array.tobytes())
    return digest.hexdigest()[:16]


def make_job(
    lake: Lake, spec: RegimeSpec, *, side_tables: bool = True, chains: Manifest | None = None
) -> Job:
    """Return a job, with whatever files its definition and dealer model name.

    Parameters
    ----------
    lake : Lake
    spec : RegimeSpec
    side_tables : bool
    chains : Manifest, optional
        What the lake holds of the underlying; read where it is left out.

    Raises
    ------
    UnknownNameError, DefinitionError, InputFileError, CalendarError, ConfigError
    """
    if spec.instrument is not None and spec.instrument not in INSTRUMENTS:
        raise UnknownNameError("instrument", spec.instrument, INSTRUMENTS)
    definition = spec.definition
    if not isinstance(definition, Definition):
        raise DefinitionError(
            f"the definition is the peer rule {definition.name!r}, which has neither profile nor "
            "books: name one of gexlab's definitions"
        )
    chains = chains or lake.manifest(spec.underlying)
    calendar, rule, instrument = chains.agreed_market(spec.calendar, spec.instrument)
    source = dealer_source(spec.dealer, spec.positions)
    return Job(
        spec.underlying,
        definition,
        definition.definition_id,
        source.model,
        tuple(b for b in BOOKS if b in spec.books),
        calendar_facts(trading_calendar(calendar), rule),
        side_tables,
        None if source.by_right else source,
        None if definition.rate_curve is None else curve_in(definition.rate_curve),
        None if definition.dividend_curve is None else curve_in(definition.dividend_curve),
        instrument,
    )
