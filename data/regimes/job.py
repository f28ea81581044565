"""What stays the same over the sessions of one evaluation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Final

from ..base.errors import UnknownNameError
from ..base.schema import BOOKS, Book
from ..calendar.trading import CalendarFacts, trading_calendar
from ..exposure.dealers import DealerModel
from ..exposure.definition import Definition
from ..tables.positions import DealerSource, dealer_source
from ..tables.rates import curve_in

if TYPE_CHECKING:
    from ..exposure.rate_curves import RateCurve
    from ..lake.lake import Lake

__all__ = ["INSTRUMENTS", "Job", "make_job"]

#: What an underlying can be.
INSTRUMENTS: Final = ("index", "etf", "future", "share")


@dataclass(frozen=True, slots=True)
class Job:
    """What stays the same over the sessions of one evaluation.

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

    def mark(self, session: date) -> str:
        """Return a text that changes whenever a user's positions of a session change.

        Curves need none: another curve is another definition.
        """
        return self.source.mark(session) if self.source else ""


def make_job(
    lake: Lake,
    underlying: str,
    definition: Definition,
    *,
    dealer: str = "naive",
    positions: str | Path | None = None,
    books: Sequence[Book] = BOOKS,
    calendar: str | None = None,
    side_tables: bool = True,
    instrument: str | None = None,
) -> Job:
    """Return a job, with whatever files its definition and dealer model name.

    Parameters
    ----------
    lake : Lake
    underlying : str
    definition : Definition
    dealer : str
        A built-in model, ``signed``, or ``sql:`` and an expression.
    positions : path, optional
        The dealers' positions that ``signed`` needs.
    books : sequence of {"as_of_close", "post_expiry"}
    calendar : str, optional
        The one that the lake's chains were stamped with if left out.
    side_tables : bool
    instrument : {"index", "etf", "future", "share"}, optional
        What the underlying is, where that is known.

    Raises
    ------
    UnknownNameError, DefinitionError, InputFileError
    """
    if instrument is not None and instrument not in INSTRUMENTS:
        raise UnknownNameError("instrument", instrument, INSTRUMENTS)
    source = dealer_source(dealer, positions)
    return Job(
        underlying,
        definition,
        definition.definition_id,
        source.model,
        tuple(b for b in BOOKS if b in books),
        _calendar_facts(lake, underlying, calendar),
        side_tables,
        None if source.by_right else source,
        curve_in(definition.rate_curve),
        curve_in(definition.dividend_curve),
        instrument,
    )


def _calendar_facts(lake: Lake, underlying: str, calendar: str | None) -> CalendarFacts:
    """Return the calendar of the lake's chains, and its rule of monthly expirations."""
    held = lake.manifest(underlying)
    name = held.agreed_calendar(calendar)
    return CalendarFacts(trading_calendar(name), held.facts.monthly if held.sources else None)
