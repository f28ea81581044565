"""Raw rows to canonical ones: the shared second half of every vendor's reading."""

from __future__ import annotations

import re
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

import duckdb
import pyarrow as pa

from .errors import GexlabError, InputFileError
from .queries import load_sql
from .sessions import calendar_tables, zone_of
from .vendors.projection import projected

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from .vendors.base import InputFile, Preset, RawTable

__all__ = ["count_others", "naming_the_file", "ordered_rows"]

_BATCH_ROWS: Final = 131_072
_REFUSAL: Final = re.compile(r"gexlab:(\d+):(\w+):(.*)", re.DOTALL)
_CSV_LINE: Final = re.compile(r"CSV Error on Line: (\d+)")
_CSV_FILE: Final = re.compile(r"^\s*file = (.*)$", re.MULTILINE)
_MISSING: Final = {
    "settlement": "it states no settlement and no root for a row: say in [timing] settlement what "
    "holds there",
    "known_at": "it states for a row no time at which it was known: say in [timing] known_at what "
    "holds there",
}


def ordered_rows(
    connection: duckdb.DuckDBPyConnection, tables: Sequence[RawTable], preset: Preset, name: str
) -> Iterator[Any]:
    """Yield tables of canonical rows in the lake's order, rejected ones first.

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

    Yields
    ------
    pyarrow.Table
        Columns as in ``ingest_ordered.sql``: canonical ones but `underlying` and `source`, with
        `file_index` (position in the files of all tables together) and `reject`.
    """
    files = [file for table in tables for file in table.files]
    with naming_the_file(files):
        _register(connection, tables, preset)
        ordered = _chained(connection, preset, name)
        for batch in ordered.to_arrow_reader(_BATCH_ROWS):
            yield pa.Table.from_batches([batch])


def _register(
    connection: duckdb.DuckDBPyConnection, tables: Sequence[RawTable], preset: Preset
) -> None:
    connection.execute(load_sql("ingest_macros"))
    calendar = calendar_tables(preset.timing)
    connection.register("sessions", calendar.sessions)
    connection.register("expiries", calendar.expiries)
    connection.register("stamps", calendar.stamps)
    offset, contracts = 0, None
    for table in tables:
        part = projected(table, preset, zone_of(preset.timing), offset)
        contracts = part if contracts is None else contracts.union(part)
        offset += len(table.files)
    assert contracts is not None
    contracts.create_view("contracts")


def _chained(
    connection: duckdb.DuckDBPyConnection, preset: Preset, name: str
) -> duckdb.DuckDBPyRelation:
    timing = preset.timing
    known = {"underlying": name.upper(), "known_is_quote": timing.known_at == "quote"}
    connection.sql(load_sql("ingest_dated"), params=known).create_view("dated")
    if timing.settlement == "third_friday":
        settled = connection.sql(load_sql("ingest_settled_third_friday"))
    else:
        settled = connection.sql(load_sql("ingest_settled"), params={"rule": timing.settlement})
    settled.create_view("settled")
    return connection.sql(load_sql("ingest_ordered"))


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
        return _refused(files[int(refusal[1])], refusal[2], refusal[3].strip())
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
    if value == "":
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
