"""What a vendor module states: which columns mean what, in which units, and when they were known.

A vendor is one `Preset`. It says where each canonical column comes from; one shared pipeline does
everything else (types, sessions, settlement, expiry moments, publication times, rejects), so that
no vendor can do it differently by accident.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from ..calendar.market_defaults import DEFAULT_CALENDAR
from .raw_table import InputFile, RawTable, SecondReading

if TYPE_CHECKING:
    import duckdb

__all__ = [
    "Clocked",
    "Column",
    "Dialect",
    "FirstOf",
    "InputFile",
    "Join",
    "Part",
    "Preset",
    "RawTable",
    "Reader",
    "SecondReading",
    "SettlementRule",
    "Sql",
    "Timing",
    "Where",
]

SettlementRule = Literal["PM", "AM", "third_friday"]


@dataclass(frozen=True, slots=True)
class Sql:
    """A DuckDB expression over the columns that a reader yields.

    Only presets hold expressions; a user's column map names columns.
    """

    text: str


@dataclass(frozen=True, slots=True)
class FirstOf:
    """The first of several columns that says something; of a group of columns, their mean.

    Attributes
    ----------
    choices : tuple of tuple of str
        Names of source columns, best first.
    """

    choices: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True)
class Clocked:
    """A moment whose date and whose time of day stand in two columns."""

    date: str
    time: str


@dataclass(frozen=True, slots=True)
class Part:
    """What the first group of a regular expression finds in the cells of a column.

    Exchanges name a contract in one text: of ``KOSPI200 C 202402 350.0`` the pattern
    ``^\\S+ [CP] (\\d{6})`` finds the month. A cell in which it finds nothing says nothing.
    """

    column: str
    pattern: str


#: The name of a source column, or what is made of one or several of them.
Column = str | Sql | FirstOf | Clocked | Part


@dataclass(frozen=True, slots=True)
class Where:
    """Which rows of a file are taken: those whose cell is (or is not) one of some values."""

    column: str
    values: tuple[str, ...]
    negated: bool = False


@dataclass(frozen=True, slots=True)
class Dialect:
    """How a file writes what it says.

    Attributes
    ----------
    encoding : str, optional
        Of text files; by default found from the file's first bytes, UTF-8 where they say nothing.
    decimal, thousands : str, optional
        The marks in numbers; by default found from the whole file.
    date_format : mapping of str to str
        Canonical name to a ``strptime`` format; ``"*"`` stands for all others.
    order : {"MDY", "DMY", "YMD"}, optional
        What the vendor documents of dates that leave it open.
    values : mapping of str to mapping
        Canonical name to what its cells mean.
    missing : mapping of str to tuple of str
        Canonical name (``"*"``: every column) to the texts and numbers that mean unknown.
    where : tuple of Where
        Rows to take; the others are counted and left out.
    aliases : mapping of str to tuple of str
        Underlying to the other names that files use for it.
    path : mapping of str to str
        Canonical name to a regular expression whose group finds the value in a file's path.
    sides : tuple of (str, str, str)
        Canonical name, its column for calls and its column for puts, of files that hold a call and
        a put in each row.
    expiry_rule : str, optional
        On which day of its month a contract expires whose file says the month alone.
    spot : str, optional
        ``"parity"``: implied by put-call parity where the file has no spot. ``"nearest_expiry"``:
        the file states each expiry's own future, and that of the nearest counts for all rows.
    """

    encoding: str | None = None
    decimal: str | None = None
    thousands: str | None = None
    date_format: Mapping[str, str] = field(default_factory=dict)
    order: Literal["MDY", "DMY", "YMD"] | None = None
    values: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    missing: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    where: tuple[Where, ...] = ()
    aliases: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    path: Mapping[str, str] = field(default_factory=dict)
    sides: tuple[tuple[str, str, str], ...] = ()
    expiry_rule: str | None = None
    spot: str | None = None


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
        that leaves open what comes first.
    monthly : str, optional
        Rule of the monthly expirations (see `monthly_rules.monthly_rule`); by default the
        calendar's.
    currency : str, optional
        ISO code of strikes and prices; by default the calendar's.
    instrument : {"index", "etf", "future", "share"}, optional
        Kind of underlying. It changes no row: files are not read again because of it.
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
    instrument: str | None = field(default=None, repr=False)


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
    dialect : Dialect
        How the files write dates, numbers and words.
    joins : tuple of Join
        Files that give further columns.
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
    dialect: Dialect = field(default_factory=Dialect)
    joins: tuple[Join, ...] = ()


@dataclass(frozen=True, slots=True)
class Join:
    """Another file that gives columns of the same contracts.

    Attributes
    ----------
    name : str
        As in the column map.
    files : tuple of str
        Files, folders or globs.
    keys : tuple of (str, str)
        What a row of the chains and a row of these files have in common: canonical names, or
        columns of the two files.
    given : tuple of str
        Canonical names that the files give.
    preset : Preset
        How they are read: columns, timing (their own lag and publication), dialect.
    absent : mapping of str to float
        Canonical name to the value of a contract that the files do not list for a session that
        they cover; without an entry it is unknown.
    take : {"only", "first", "last"}
        Which row counts where several have one key; with ``only``, two that differ are refused.
    fingerprint : str
        Of the files' bytes.
    """

    name: str
    files: tuple[str, ...]
    keys: tuple[tuple[str, str], ...]
    given: tuple[str, ...]
    preset: Preset
    absent: Mapping[str, float] = field(default_factory=dict)
    take: Literal["only", "first", "last"] = "only"
    fingerprint: str = ""
