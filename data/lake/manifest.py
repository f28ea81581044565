"""What a lake holds of an underlying: which sessions, in which file, read from what."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from ..base.errors import ConfigError, LakeError
from ..calendar.corrections import base_calendar, united_calendar
from ..calendar.market_defaults import DEFAULT_CALENDAR
from ..calendar.market_facts import MarketFacts, market_facts, spells_in_words
from ..calendar.monthly_rules import MonthlyRule
from ..calendar.trading import require_calendar, trading_calendar
from .naming import check_underlying
from .session_facts import UNKNOWN, SessionFacts, lags, multipliers, settlements

if TYPE_CHECKING:
    from datetime import date
    from pathlib import Path

__all__ = [
    "Manifest",
    "SessionEntry",
    "SourceEntry",
    "changed_sessions",
    "check_underlying",
]


@dataclass(frozen=True, slots=True)
class SessionEntry:
    """One session of one underlying.

    Attributes
    ----------
    session : date
        The exchange session.
    rows : int
        Canonical rows, all snapshots together.
    fingerprint : str
        SHA-256 of the rows (see `fingerprints.session_fingerprint`).
    file : Path
        The one Parquet file that holds the session.
    sources : tuple of str
        The distinct values of the rows' `source`, sorted.
    facts : SessionFacts
        What the rows say of their market; nothing where an older version wrote them.
    """

    session: date
    rows: int
    fingerprint: str
    file: Path
    sources: tuple[str, ...] = ()
    facts: SessionFacts = UNKNOWN

    def lying_in(self, file: Path) -> SessionEntry:
        """Return the same in another file; `dataclasses.replace` takes three times as long."""
        return SessionEntry(
            self.session, self.rows, self.fingerprint, file, self.sources, self.facts
        )


@dataclass(frozen=True, slots=True)
class SourceEntry:
    """One ingested file content.

    Attributes
    ----------
    source : str
        Preset and file fingerprint, as in the rows' `source`.
    recipe : str
        Fingerprint of how it was read: preset, column map, version of the pipeline.
    paths : tuple of str
        Where that content was found, sorted.
    calendar : str
        The exchange calendar that its sessions are of.
    last_is_settlement : bool
        `last` is an official settlement price in these rows.
    monthly, currency : str or None
        Rule of the monthly expirations and currency, where not the calendar's own.
    instrument : str or None
        Kind of underlying, where the column map states it.
    spot : str or None
        ``"parity"`` where put-call parity implies the spot of some rows, which the file lacks.
    """

    source: str
    recipe: str
    paths: tuple[str, ...]
    calendar: str = DEFAULT_CALENDAR
    last_is_settlement: bool = False
    monthly: str | None = None
    currency: str | None = None
    instrument: str | None = None
    spot: str | None = None


@dataclass(frozen=True, slots=True)
class Manifest:
    """The state of one underlying: sessions in ascending order, and what they were read from.

    Attributes
    ----------
    underlying : str
    sessions : tuple of SessionEntry
        Ascending.
    sources : tuple of SourceEntry
        One per file content.
    version : int or None
        Version of the lake that wrote this state; None where it is not written yet.
    """

    underlying: str
    sessions: tuple[SessionEntry, ...] = ()
    sources: tuple[SourceEntry, ...] = ()
    version: int | None = field(default=None, compare=False)

    @property
    def calendar(self) -> str:
        """The exchange calendar of the sessions, the default where nothing says so."""
        names = {source.calendar for source in self.sources}
        if len(names) < 2:
            return names.pop() if names else DEFAULT_CALENDAR
        return united_calendar(names)

    def agreed_calendar(self, asked: str | None) -> str:
        """Return the calendar of the sessions; the one asked for where nothing says so.

        Parameters
        ----------
        asked : str, optional
            Name of a calendar; None asks for none.

        Returns
        -------
        str

        Raises
        ------
        CalendarError
            If another one is asked for than the sessions are of.
        """
        if not self.sources:
            return trading_calendar(asked or DEFAULT_CALENDAR).name
        if asked is not None:
            require_calendar(self.calendar, asked, f"the lake's sessions of {self.underlying}")
        return self.calendar

    def agreed_market(
        self, calendar: str | None, instrument: str | None
    ) -> tuple[str, MonthlyRule | None, str | None]:
        """Return calendar, rule of monthly expirations and kind of underlying of the sessions.

        Parameters
        ----------
        calendar, instrument : str or None
            As asked for; None asks for nothing.

        Returns
        -------
        str
            As `agreed_calendar`.
        MonthlyRule or None
            None where the lake has no files yet: the calendar's own then holds.
        str or None
            As `agreed_instrument`.

        Raises
        ------
        CalendarError, ConfigError
            If something else is asked for than the lake states.
        LakeError
            If the files that the lake was made from contradict each other.
        """
        rule = self.rules.monthly if self.sources else None
        return self.agreed_calendar(calendar), rule, self.agreed_instrument(instrument)

    @property
    def rules(self) -> MarketFacts:
        """Calendar, monthly rule, currency and kind of underlying, without what rows say.

        Raises
        ------
        LakeError
            If the files that the lake was made from contradict each other.
        """
        stated = {(s.calendar, s.monthly, s.currency): s for s in self.sources}
        said = {_rules_of(source) for source in stated.values()} if len(stated) > 1 else set()
        if len(said) > 1:
            raise LakeError(
                f"the sessions of {self.underlying} were ingested under different rules "
                f"({'; '.join(sorted(' '.join(each) for each in said))}): ingest all of them with "
                "one map"
            )
        monthly, currency = next(iter(stated))[1:] if stated else (None, None)
        usual = market_facts(self.calendar, monthly=monthly, currency=currency)
        return replace(usual, instrument=self.instrument)

    @property
    def facts(self) -> MarketFacts:
        """What the sessions say of their market, and the files that they came from.

        Raises
        ------
        LakeError
            If the files that the lake was made from contradict each other.
        """
        said = [(entry.session, entry.facts) for entry in self.sessions]
        return replace(
            self.rules,
            settlement=settlements(said),
            multiplier=multipliers(said),
            oi_lag_sessions=lags(said, trading_calendar(self.calendar)),
        )

    @property
    def changes(self) -> tuple[str, ...]:
        """Facts of the contracts that are not the same in all sessions, in words."""
        facts = self.facts
        return tuple(
            f"{name}: {spells_in_words(spells)}"
            for name, spells in (
                ("multiplier", facts.multiplier),
                ("oi_lag_sessions", facts.oi_lag_sessions),
            )
            if len(spells) > 1
        )

    @property
    def instrument(self) -> str | None:
        """Kind of underlying; None where no column map stated it.

        Raises
        ------
        LakeError
            If the files that the lake was made from contradict each other.
        """
        said = sorted({s.instrument for s in self.sources if s.instrument is not None})
        if len(said) > 1:
            raise LakeError(
                f"the sessions of {self.underlying} were ingested as those of an {said[0]} and of "
                f"an {said[1]}: ingest all of them with one map"
            )
        return said[0] if said else None

    def agreed_instrument(self, asked: str | None) -> str | None:
        """Return the kind of underlying; the one asked for where nothing says so.

        Parameters
        ----------
        asked : str, optional
            Kind of underlying; None asks for none.

        Returns
        -------
        {"index", "etf", "future", "share"} or None

        Raises
        ------
        ConfigError
            If another one is asked for than the lake states.
        """
        known = self.instrument
        if known is not None and asked not in (None, known):
            raise ConfigError(
                f"instrument {asked!r} contradicts the lake's {self.underlying}, {known!r}: leave "
                f'it out, or ingest again with [timing] instrument = "{asked}"'
            )
        return known or asked

    @property
    def implied_spots(self) -> tuple[date, ...]:
        """Sessions that hold rows whose spot put-call parity implies: their files state none."""
        implied = {s.source for s in self.sources if s.spot == "parity"}
        return tuple(e.session for e in self.sessions if not implied.isdisjoint(e.sources))

    @property
    def settlement_sources(self) -> frozenset[str]:
        """The values of `source` whose rows carry official settlement prices in `last`."""
        return frozenset(s.source for s in self.sources if s.last_is_settlement)


def _rules_of(source: SourceEntry) -> tuple[str, str, str]:
    """Return calendar, monthly rule and currency that a file was read under, defaults filled in."""
    name = base_calendar(source.calendar)
    facts = market_facts(name, monthly=source.monthly, currency=source.currency)
    return name, facts.monthly.name, facts.currency


def changed_sessions(before: Manifest, after: Manifest) -> set[date]:
    """Return the sessions that differ between two states: new, gone, or of other rows."""
    old, new = ({e.session: e.fingerprint for e in m.sessions} for m in (before, after))
    return {day for day in old.keys() | new.keys() if old.get(day) != new.get(day)}
