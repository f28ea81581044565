"""Raw rows to canonical ones: the shared second half of every vendor's reading."""

from __future__ import annotations

import re
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import duckdb
import numpy as np
import pyarrow as pa

from .errors import GexlabError, InputFileError
from .parts import CHAIN_SCHEMA
from .queries import load_sql
from .schema import CHAIN_COLUMNS
from .sessions import calendar_tables, zone_of
from .vendors.projection import PROJECTED, projected

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator, Sequence

    from .vendors.base import InputFile, Preset, RawTable

__all__ = ["Rows", "canonical_rows", "count_others", "naming_the_file"]

_BATCH_ROWS: Final = 131_072
_WHOLE_FILE: Final = ("underlying", "source")
_DERIVED: Final = (
    "session",
    "quote_ts",
    "settlement",
    "expiry_ts",
    "oi_asof",
    "known_at",
)
_REFUSAL: Final = re.compile(r"gexlab:(\d+):(\w+):(.*)", re.DOTALL)
_CSV_LINE: Final = re.compile(r"CSV Error on Line: (\d+)")
_CSV_FILE: Final = re.compile(r"^\s*file = (.*)$", re.MULTILINE)
_MISSING: Final = {
    "settlement": "it states no settlement and no root for a row: say in [timing] settlement what "
    "holds there",
    "known_at": "it states for a row no time at which it was known: say in [timing] known_at what "
    "holds there",
}


@dataclass(frozen=True, slots=True)
class Rows:
    """Rows of all files of an ingest, typed, about to be dated, settled and streamed.

    Attributes
    ----------
    connection : DuckDBPyConnection
        Holds the views ``contracts``, ``dated`` and ``settled``.
    files : tuple of InputFile
        What `file_index` counts through.
    preset : Preset
        Columns and timing.
    underlying : str
        Rows of others are left out.
    """

    connection: duckdb.DuckDBPyConnection
    files: tuple[InputFile, ...]
    preset: Preset
    underlying: str

    def in_file_order(self) -> Generator[Any]:
        """Yield tables of rows in file order, as fast as they can be read.

        Typing streams in order, on all cores; joins do not keep the order of a stream, so the
        calendar is joined to one table after the other.
        """
        with naming_the_file(self.files), duckdb.connect(config={"threads": 1}) as dating:
            _prepare(dating, self.preset, self.underlying)
            with closing(self._reader(self.connection, "FROM contracts", None)) as reader:
                for batch in reader:
                    yield self._dated(dating, pa.Table.from_batches([batch]))

    def by_session(self) -> Generator[Any]:
        """Yield tables of rows, those of each session together: sorted, on disk if need be.

        Within a session they are in file order.
        """
        query = load_sql("ingest_by_session")
        with (
            naming_the_file(self.files),
            closing(self._reader(self.connection, query, _selected(self.preset))) as reader,
        ):
            for batch in reader:
                yield pa.Table.from_batches([batch])

    def _dated(self, dating: duckdb.DuckDBPyConnection, table: Any) -> Any:
        numbered = table.set_column(
            table.column_names.index("file_row"), "file_row", pa.array(np.arange(len(table)))
        )
        dating.register("contracts", numbered)
        wanted = (*_selected(self.preset), "file_row")
        with closing(self._reader(dating, "FROM settled", wanted)) as reader:
            dated = reader.read_all()
        row = dated.column("file_row").to_numpy()
        return dated if bool((np.diff(row) > 0).all()) else dated.take(np.argsort(row))

    def _reader(
        self,
        connection: duckdb.DuckDBPyConnection,
        query: str,
        columns: tuple[str, ...] | None,
    ) -> Any:
        relation = connection.sql(query)
        if columns is not None:
            relation = relation.select(*map(duckdb.ColumnExpression, columns))
        return relation.to_arrow_reader(_BATCH_ROWS)


def canonical_rows(
    connection: duckdb.DuckDBPyConnection, tables: Sequence[RawTable], preset: Preset, name: str
) -> Rows:
    """Return the rows of raw tables, typed, ready to be streamed as canonical ones.

    Parameters
    ----------
    connection : DuckDBPyConnection
        Where the raw tables live.
    tables : sequence of RawTable
        What the preset's reader gave.
    preset : Preset
        Columns and timing.
    name : str
        The underlying; rows of others are left out.
    """
    files = tuple(file for table in tables for file in table.files)
    with naming_the_file(files):
        connection.execute(load_sql("ingest_macros"))
        _type(connection, tables, preset)
        _prepare(connection, preset, name, macros=False)
    return Rows(connection, files, preset, name)


def _type(
    connection: duckdb.DuckDBPyConnection, tables: Sequence[RawTable], preset: Preset
) -> None:
    """Make the view ``contracts``: the rows of all tables, in types."""
    zone = zone_of(preset.timing)
    offset, contracts = 0, None
    for table in tables:
        part = projected(table, preset, zone, offset)
        contracts = part if contracts is None else contracts.union(part)
        offset += len(table.files)
    assert contracts is not None
    contracts.create_view("contracts")


def _prepare(
    connection: duckdb.DuckDBPyConnection, preset: Preset, name: str, *, macros: bool = True
) -> None:
    """Make the views ``dated`` and ``settled`` over ``contracts`` and the calendar."""
    if macros:
        connection.execute("SET TimeZone = 'UTC'")
        connection.execute(load_sql("ingest_macros"))
        connection.register("contracts", _no_contracts())
    calendar = calendar_tables(preset.timing)
    connection.register("sessions", calendar.sessions)
    connection.register("expiries", calendar.expiries)
    connection.register("stamps", calendar.stamps)
    timing = preset.timing
    known = {"underlying": name.upper(), "known_is_quote": timing.known_at == "quote"}
    connection.sql(load_sql("ingest_dated"), params=known).create_view("dated")
    rule = {"rule": timing.settlement}
    connection.sql(load_sql("ingest_settled"), params=rule).create_view("settled")


def _no_contracts() -> Any:
    fields = [CHAIN_SCHEMA.field(name) for name in PROJECTED]
    extra = [pa.field("file_index", pa.int64()), pa.field("file_row", pa.int64())]
    return pa.schema([*fields, *extra]).empty_table()


def _selected(preset: Preset) -> tuple[str, ...]:
    """Return the columns that this preset can fill; the others would be NULL in every row."""
    given = {*preset.columns, *preset.constants, *_DERIVED}
    if "iv" in given:
        given.add("iv_outside")
    undecided = ("morning_ts",) if preset.timing.settlement == "third_friday" else ()
    names = (name for name in CHAIN_COLUMNS if name in given and name not in _WHOLE_FILE)
    return ("file_index", "reject", *undecided, *names)


def count_others(connection: duckdb.DuckDBPyConnection, name: str) -> dict[str, int]:
    """Return how many rows the registered contracts have of each other underlying."""
    found = connection.sql(load_sql("ingest_others"), params={"underlying": name.upper()})
    return dict(found.fetchall())


@contextmanager
def naming_the_file(files: Sequence[InputFile]) -> Iterator[None]:
    """Turn DuckDB's and Arrow's errors while reading into one line that says what to do."""
    try:
        yield
    except (duckdb.Error, pa.ArrowException, OSError) as error:
        raise _translated(str(error), files) from error


def _translated(message: str, files: Sequence[InputFile]) -> GexlabError:
    refusal = _REFUSAL.search(message)
    if refusal:
        return _refused(
            files[int(refusal[1])], refusal[2], refusal[3].splitlines()[0] if refusal[3] else ""
        )
    file = _file_in(message, files)
    line = _CSV_LINE.search(message)
    if line:
        return InputFileError(f"{file}: line {line[1]}: {_csv_reason(message)}")
    reason = message.splitlines()[0] if message else "unknown reason"
    return InputFileError(
        f"{file} cannot be read ({reason}): it is damaged, or not what its suffix says; download "
        "or export it again"
    )


def _refused(file: InputFile, column: str, value: str) -> GexlabError:
    if value == "" and column in _MISSING:
        return InputFileError(f"{file.label}: {_MISSING[column]}")
    expected = "AM or PM" if column == "settlement" else "a number or a date"
    return InputFileError(
        f"{file.label}: column for {column} holds {value!r} where {expected} is expected: correct "
        "the value, or map another column"
    )


def _file_in(message: str, files: Sequence[InputFile]) -> str:
    stated = _CSV_FILE.search(message)
    for file in files:
        if stated and str(file.path) == stated[1].strip():
            return file.label
    named = [file.label for file in files if str(file.path) in message]
    if named:
        return named[0]
    return files[0].label if len(files) == 1 else f"one of {len(files)} files ({files[0].label}...)"


def _csv_reason(message: str) -> str:
    if "nvalid unicode" in message:
        return "not UTF-8: convert the file, e.g. with iconv -t UTF-8"
    reasons = [s for s in message.splitlines() if s.startswith(("Expected", "Value", "Max"))]
    reason = reasons[0].rstrip(".").lower() if reasons else "not readable as a table"
    return f"{reason}: correct the line, or export the file again"
