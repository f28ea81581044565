"""What a vendor module states: which columns mean what, in which units, and when they were known.

A vendor is one `Preset`. It says where each canonical column comes from; one shared pipeline does
everything else (types, sessions, settlement, expiry moments, publication times, rejects), so that
no vendor can do it differently by accident.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from ..calendar.market_rules import DEFAULT_CALENDAR

if TYPE_CHECKING:
    import duckdb

__all__ = [
    "Column",
    "InputFile",
    "Preset",
    "RawTable",
    "Reader",
    "Rereading",
    "SettlementRule",
    "Sql",
    "Timing",
]

SettlementRule = Literal["PM", "AM", "third_friday"]


@dataclass(frozen=True, slots=True)
class Sql:
    """A DuckDB expression over the columns that a reader yields.

    Only presets hold expressions; a user's column map names columns.
    """

    text: str


#: The name of a source column, or an expression over them.
Column = str | Sql


@dataclass(frozen=True, slots=True)
class Timing:
    """When quotes were taken, when rows were public, and which session their numbers belong to.

    Attributes
    ----------
    calendar : str
        A name of ``exchange_calendars``.
    timezone : str, optional
        Of time stamps that state none, in columns and in `quote_time` and `known_at`; by default
        the exchange's.
    quote_time : str, optional
        ``"close"`` or ``"HH:MM"`` of the session; None where a column `quote_ts` says so.
    known_at : str, optional
        ``"quote"``, ``"next_open"`` or ``"HH:MM"`` of the session; None where a column says so.
        Where a column says so too, the later of the two counts.
    oi_lag_sessions : int, optional
        How many sessions before `session` the open interest was settled: 0 after the session
        itself, 1 after the one before. None where a column `oi_asof` says so.
    settlement : {"PM", "AM", "third_friday"}, optional
        For contracts whose root is unknown.
    last_is_settlement : bool
        `last` is an official settlement price, from which a volatility may be solved.
    date_format : str, optional
        A ``strptime`` format of dates and stamps in text that is not understood by itself, or
        that would be understood wrongly (day before month).
    monthly : str, optional
        Rule of the monthly expirations (see `market_rules.monthly_rule`); by default the
        calendar's.
    currency : str, optional
        ISO code of strikes and prices; by default the calendar's.
    """

    calendar: str = DEFAULT_CALENDAR
    timezone: str | None = None
    quote_time: str | None = None
    known_at: str | None = None
    oi_lag_sessions: int | None = None
    settlement: SettlementRule | None = None
    last_is_settlement: bool = False
    date_format: str | None = None
    monthly: str | None = None
    currency: str | None = None


@dataclass(frozen=True, slots=True)
class InputFile:
    """A file to be read.

    Attributes
    ----------
    path : Path
        Where its bytes are, perhaps a temporary copy taken out of an archive.
    label : str
        What the user calls it, for messages and for the record: the absolute path, with
        ``!member`` where it came out of an archive.
    fingerprint : str
        SHA-256 of its bytes.
    """

    path: Path
    label: str
    fingerprint: str


@dataclass(frozen=True, slots=True)
class Rereading:
    """Another way to read the rows of a relation of text.

    Attributes
    ----------
    of : DuckDBPyRelation
        Which relation: a table whose relation is another one by now cannot be read this way.
    with_numbers : callable
        Takes names of its columns and returns the same rows with these read as DOUBLE, which is
        faster, and an error where a cell is none.
    """

    of: duckdb.DuckDBPyRelation
    with_numbers: Callable[[Collection[str]], duckdb.DuckDBPyRelation]


@dataclass(frozen=True, slots=True)
class RawTable:
    """What a reader yields: rows as the vendor wrote them.

    Attributes
    ----------
    relation : DuckDBPyRelation
        The vendor's columns, `file_index` (BIGINT: position in `files`) and `file_row` (BIGINT:
        ascending within a file).
    files : tuple of InputFile
        The files it is read from.
    ambiguous : frozenset of str
        Column names that occur twice in the file, and thus may not be used.
    rereading : Rereading, optional
        For text: how it is read faster, as long as `relation` is the one that was read.
    """

    relation: duckdb.DuckDBPyRelation
    files: tuple[InputFile, ...]
    ambiguous: frozenset[str] = frozenset()
    rereading: Rereading | None = None

    @property
    def with_numbers(self) -> Callable[[Collection[str]], duckdb.DuckDBPyRelation] | None:
        """What reads the same rows faster, None where nothing does."""
        reread = self.rereading
        return None if reread is None or reread.of is not self.relation else reread.with_numbers


#: Reads files that exist and are not empty. Several tables where files differ in their columns.
Reader = Callable[["duckdb.DuckDBPyConnection", Sequence[InputFile]], list[RawTable]]


def _default_reader(
    connection: duckdb.DuckDBPyConnection, files: Sequence[InputFile]
) -> list[RawTable]:
    from .table_reader import read_tables

    return read_tables(connection, files)


@dataclass(frozen=True, slots=True)
class Preset:
    """A vendor's format.

    Attributes
    ----------
    name : str
        As on the command line.
    doc : str
        One paragraph: what the files are, units, what is peculiar.
    columns : mapping of str to Column
        Canonical name to source column. `underlying`, where mapped, selects the rows of the
        underlying that is asked for; the others are counted, not rejected.
    timing : Timing
        See there.
    scale : mapping of str to float
        Canonical name to the factor that turns the vendor's unit into the canonical one.
    constants : mapping of str to float or str
        Canonical name to the value that every row has.
    optional : frozenset of str
        Canonical names whose source column may be absent from a file; they are NULL then.
    reader : Reader
        How files become rows; by default CSV, Parquet and JSON tables.
    cites : str
        Where the open-interest lag and the publication time are documented.
    """

    name: str
    doc: str
    columns: Mapping[str, Column]
    timing: Timing
    scale: Mapping[str, float] = field(default_factory=dict)
    constants: Mapping[str, float | str] = field(default_factory=dict)
    optional: frozenset[str] = frozenset()
    reader: Reader = _default_reader
    cites: str = ""
