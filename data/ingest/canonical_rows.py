"""Raw rows to canonical ones: the shared second half of every vendor's reading."""

from __future__ import annotations

import re
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import duckdb
import pyarrow as pa

from ..base.errors import GexlabError, InputFileError
from ..base.sql import load_sql
from ..vendors.layout import both_sides
from ..vendors.projection import projected
from .calendar_tables import calendar_tables, zone_of
from .joins import joined_files
from .timing import Dating, refused, stated

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator, Sequence
    from pathlib import Path

    from ..vendors.vendor_preset import InputFile, Preset, RawTable

__all__ = ["Rows", "canonical_rows", "naming_the_file"]

#: Rows that are read at a time: columns of twice as many were measured to be made in fresh memory.
_BATCH_ROWS: Final = 65_536
_REFUSAL: Final = re.compile(r"gexlab:(\d+):(\w+):(.*)", re.DOTALL)
_CSV_LINE: Final = re.compile(r"CSV Error on Line: (\d+)")
_CSV_FILE: Final = re.compile(r"^\s*file = (.*)$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Rows:
    """Rows of all files of an ingest, typed, about to be streamed and dated.

    Attributes
    ----------
    connection : DuckDBPyConnection
        Holds the view ``contracts``.
    dating : Dating
        Gives every row its session, moments and reason to reject it.
    implied : frozenset of int
        Files, as `file_index` counts them, without a spot in some rows: put-call parity implies it.
    """

    connection: duckdb.DuckDBPyConnection
    dating: Dating
    implied: frozenset[int] = frozenset()

    @property
    def files(self) -> Sequence[InputFile]:
        """What `file_index` counts through."""
        return self.dating.files

    def in_file_order(self) -> Generator[Any]:
        """Yield dated tables of rows in file order, as fast as they can be read."""
        return self._dated("FROM contracts")

    def by_session(self) -> Generator[Any]:
        """Yield dated tables of rows, those of each session together: sorted, on disk if need be.

        Within a session they are in file order.
        """
        calendar = calendar_tables(self.dating.preset.timing)
        self.connection.register("stamps", calendar.stamps)
        return self._dated(load_sql("ingest/by_session"))

    def _dated(self, query: str) -> Generator[Any]:
        self.dating.others.clear()
        self.dating.left_out.clear()
        wanted = map(duckdb.ColumnExpression, stated(self.dating.preset))
        with naming_the_file(self.files):
            relation = self.connection.sql(query).select(*wanted)
            with closing(relation.to_arrow_reader(_BATCH_ROWS)) as reader:
                for batch in reader:
                    yield self.dating.dated(pa.Table.from_batches([batch]))


def canonical_rows(
    connection: duckdb.DuckDBPyConnection,
    tables: Sequence[RawTable],
    preset: Preset,
    name: str,
    *,
    work: Path,
    numbers: bool = False,
    careful: bool = False,
    exact: bool = False,
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
    numbers : bool
        Let the reader of text parse numbers: faster, but a cell that is no number ends the reading
        with an error that does not name it.
    work : Path
        A folder for temporary files.
    careful : bool
        Look at every cell of a column before deciding how it is written.
    exact : bool
        Names that differ in case alone are two.
    """
    files = tuple(file for table in tables for file in table.files)
    with naming_the_file(files):
        connection.execute(load_sql("ingest/macros"))
        implied = _type(connection, tables, preset, numbers=numbers, careful=careful)
        joins = joined_files(connection, preset, work, zone_of)
    return Rows(connection, Dating(preset, name, files, joins, exact=exact), implied)


def _type(
    connection: duckdb.DuckDBPyConnection,
    tables: Sequence[RawTable],
    preset: Preset,
    *,
    numbers: bool,
    careful: bool,
) -> frozenset[int]:
    """Make the view ``contracts``: the rows of all tables, in types.

    Returned are the files that lack the spot of some rows, which parity then implies.
    """
    zone = zone_of(preset.timing)
    offset, contracts = 0, None
    implied: set[int] = set()
    for raw in tables:
        table = both_sides(raw, preset.dialect.sides) if preset.dialect.sides else raw
        part = projected(connection, table, preset, zone, offset, numbers=numbers, careful=careful)
        contracts = part if contracts is None else contracts.union(part)
        if table.implied_spot:
            implied.update(range(offset, offset + len(table.files)))
        offset += len(table.files)
    assert contracts is not None
    files = sorted(implied)
    if preset.dialect.spot == "parity":
        lacking = contracts.filter("spot IS NULL").select("file_index").distinct().fetchall()
        implied.update(index for (index,) in lacking)
        files = list(range(offset))
    if preset.dialect.spot == "nearest_expiry":
        contracts.create_view("typed")
        contracts = connection.sql(load_sql("ingest/nearest_spot"))
    elif files:
        contracts.create_view("typed")
        options = {"settled": preset.timing.last_is_settlement, "files": files}
        contracts = connection.sql(load_sql("ingest/implied_spot"), params=options)
    contracts.create_view("contracts")
    return frozenset(implied)


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
        return refused(
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
