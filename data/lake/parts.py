"""Parts: the Parquet files of the lake, each with the whole rows of one or more sessions."""

from __future__ import annotations

import os
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from ..base.arrow_values import plain
from ..base.errors import LakeError
from ..base.fingerprints import file_fingerprint, session_fingerprints
from ..base.schema import CHAIN_COLUMNS, OPTIONAL_COLUMNS
from .arrow_tables import array_of, coded_words
from .data_files import DIGITS
from .delta_log import DataFile
from .integrity import require_intact
from .manifest import SessionEntry
from .session_facts import UNKNOWN, SessionFacts, facts_of_rows, facts_of_sessions

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import date
    from pathlib import Path

__all__ = [
    "CHAIN_SCHEMA",
    "CODED_SCHEMA",
    "LARGE_SESSION",
    "PART_ROWS",
    "PartWriter",
    "SessionRows",
    "part_rows",
    "part_tables",
    "split_sessions",
    "to_canonical",
    "with_optional",
]

#: Rows after which a part is closed at the next end of a session.
PART_ROWS: Final = 524_288
#: Rows from which a session has a part of its own, and may be written while it is read.
LARGE_SESSION: Final = PART_ROWS
#: DuckDB scans row groups in parallel and skips those whose sessions are not asked for.
_GROUP_ROWS: Final = 122_880

_ARROW_TYPES: Final = {
    "VARCHAR": pa.string(),
    "DATE": pa.date32(),
    "DOUBLE": pa.float64(),
    "TIMESTAMPTZ": pa.timestamp("us", tz="UTC"),
}
CHAIN_SCHEMA: Final = pa.schema([(k, _ARROW_TYPES[v]) for k, v in CHAIN_COLUMNS.items()])
_WORDS: Final = tuple(name for name, kind in CHAIN_COLUMNS.items() if kind == "VARCHAR")
#: The same with text as dictionaries of few words: nothing has to look for them again.
CODED_SCHEMA: Final = pa.schema(
    [
        (f.name, pa.dictionary(pa.int32(), pa.string()) if f.name in _WORDS else f.type)
        for f in CHAIN_SCHEMA
    ]
)
_REQUIRED: Final = (
    "session",
    "quote_ts",
    "expiry",
    "settlement",
    "expiry_ts",
    "strike",
    "right",
    "spot",
    "known_at",
)

#: No other column's smallest and largest value would let a reader skip a row group.
_SOUGHT: Final = ("session", "quote_ts", "expiry", "expiry_ts", "strike", "known_at")
#: Where more numbers than this share of a sample are distinct, a dictionary was measured to be
#: larger than the numbers themselves, and takes half as long again to write.
_DISTINCT: Final = 0.75
_SAMPLE: Final = 16_384
#: Rows that are encoded at a time; larger pages do not come of it.
_BATCH_ROWS: Final = 65_536
#: Sessions of more rows than this are encoded where they lie; smaller ones are laid together first.
_CHUNK_ROWS: Final = 4_096


@dataclass(frozen=True, slots=True)
class SessionRows:
    """The canonical rows of one session, in the lake's order: some rows of a table of several.

    Sessions that follow each other in a table go on together, without being laid together anew.
    """

    session: date
    table: Any
    start: int
    end: int
    fingerprint: str
    sources: tuple[str, ...]
    facts: SessionFacts = UNKNOWN

    @property
    def count(self) -> int:
        """Rows."""
        return self.end - self.start

    @property
    def rows(self) -> Any:
        """The rows as a table."""
        return self.table.slice(self.start, self.count)


def to_canonical(rows: Any, underlying: str, source: str | None) -> Any:
    """Return a table with exactly the canonical columns and types.

    Parameters
    ----------
    rows : pyarrow.Table
        Canonical columns in any order; `underlying` and `source` may be missing.
    underlying : str
        Goes into the column `underlying`.
    source : str or None
        Goes into the column `source`; None keeps the one there is.

    Raises
    ------
    LakeError
        If a column is missing, of another type, or empty where it may not be.
    """
    fixed = {"underlying": underlying} | ({"source": source} if source is not None else {})
    rows = with_optional(rows)
    missing = [n for n in CHAIN_COLUMNS if n not in fixed and n not in rows.column_names]
    if missing:
        raise LakeError(f"canonical rows lack the column {missing[0]!r}: add it, NULL if unknown")
    columns = [
        pa.array([fixed[f.name]], f.type).take(pa.nulls(len(rows), pa.int32()).fill_null(0))
        if f.name in fixed
        else _cast(rows.column(f.name), f)
        for f in CHAIN_SCHEMA
    ]
    return pa.Table.from_arrays(columns, schema=CHAIN_SCHEMA)


def with_optional(rows: Any) -> Any:
    """Return a table with the columns that writers may leave out, as NULL where they did."""
    for name in OPTIONAL_COLUMNS:
        if name not in rows.column_names:
            nulls = pa.nulls(len(rows), CHAIN_SCHEMA.field(name).type)
            rows = rows.add_column(CHAIN_SCHEMA.get_field_index(name), name, nulls)
    return rows


def _cast(column: Any, field: Any) -> Any:
    if field.name in _REQUIRED and column.null_count:
        raise LakeError(
            f"canonical rows: column {field.name!r} holds {column.null_count} NULL: it is "
            "required in every row, correct or reject those rows before writing"
        )
    try:
        return column.cast(field.type)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
        raise LakeError(
            f"canonical rows: column {field.name!r} is {column.type}, which does not convert to "
            f"{field.type} ({str(error).splitlines()[0]}): cast it before writing"
        ) from error


def split_sessions(rows: Any) -> Iterator[SessionRows]:
    """Yield the sessions of a table that is in the lake's order."""
    days = plain(rows.column("session"))
    edges = [0, *(np.flatnonzero(np.diff(days)) + 1).tolist(), len(days)]
    if not len(days):
        return
    prints = session_fingerprints(rows, edges)
    facts = facts_of_sessions(rows, edges)
    sources = _sources_of_sessions(rows.column("source"), edges)
    dates = days[edges[:-1]].astype("datetime64[D]").tolist()
    for i, (start, end) in enumerate(pairwise(edges)):
        yield SessionRows(dates[i], rows, start, end, prints[i], sources[i], facts[i])


def _sources_of_sessions(column: Any, edges: list[int]) -> list[tuple[str, ...]]:
    """Return the words of a column in each of some sessions that follow each other, sorted."""
    words = column.unique()
    if len(words) == 1:
        return [_words_in(words)] * (len(edges) - 1)
    return [_words_in(column.slice(start, end - start)) for start, end in pairwise(edges)]


def _words_in(column: Any) -> tuple[str, ...]:
    return tuple(sorted(filter(None, column.unique().to_pylist())))


class PartWriter:
    """One Parquet file in the making: sessions of one year, row groups that never cut a session
    unless it is larger than a group.

    Its sessions ascend, as readers expect that go through a file once.
    """

    def __init__(self, draft: Path, version: int, limit: float = PART_ROWS) -> None:
        self._version = version
        self._rows = 0
        self._limit = limit
        self._draft = draft
        self._writer: Any = None
        self._waiting: list[tuple[Any, int, int]] = []  # tables, and which of their rows
        self._entries: list[SessionEntry] = []

    def takes(self, session: date) -> bool:
        """Return whether a session belongs here: of the same year, later, and there is room."""
        if not self._entries:
            return True
        last = self._entries[-1].session
        return self._rows < self._limit and last.year == session.year and last < session

    def add(self, entry: SessionRows) -> None:
        """Take a session."""
        count = entry.count
        self._entries.append(
            SessionEntry(
                entry.session, count, entry.fingerprint, self._draft, entry.sources, entry.facts
            )
        )
        if count >= LARGE_SESSION:
            self._write_group()
            self.add_rows(entry.rows)
            self._write_rest()
            return
        self._rows += count
        table, start, end = self._waiting[-1] if self._waiting else (None, 0, 0)
        if table is entry.table and end == entry.start:
            self._waiting[-1] = table, start, entry.end
        else:
            self._waiting.append((entry.table, entry.start, entry.end))
        if self._waiting_rows() > _GROUP_ROWS * 3 // 4:
            self._write_group()

    def _waiting_rows(self) -> int:
        return sum(end - start for _, start, end in self._waiting)

    def _waiting_tables(self) -> list[Any]:
        return [table.slice(start, end - start) for table, start, end in self._waiting]

    def add_rows(self, rows: Any) -> None:
        """Take rows of a large session, in the lake's order: its bytes depend on no piece's end."""
        self._rows += rows.num_rows
        self._waiting.append((rows, 0, rows.num_rows))
        if self._waiting_rows() < _GROUP_ROWS:
            return
        whole = _laid_together(self._waiting_tables())
        full = len(whole) - len(whole) % _GROUP_ROWS
        for start in range(0, full, _GROUP_ROWS):
            self._write([_in_one_piece(whole.slice(start, _GROUP_ROWS))])
        self._waiting = [(whole, full, len(whole))] if full < len(whole) else []

    def _write_rest(self) -> None:
        """Write what is left of a large session."""
        if self._waiting:
            self._write([_in_one_piece(_laid_together(self._waiting_tables()))])

    def add_written(self, session: date) -> SessionEntry:
        """Finish the file of a large session that came in pieces, and return what it holds."""
        self._write_rest()
        self._writer.close()
        with pq.ParquetFile(self._draft) as file:
            columns = _Columns(file)
            [fingerprint] = session_fingerprints(columns, [0, self._rows])
            sources = _words_in(columns.column("source"))
            facts = facts_of_rows(columns)
        made = SessionEntry(session, self._rows, fingerprint, self._draft, sources, facts)
        self._entries.append(made)
        return made

    def close(self) -> tuple[list[SessionEntry], DataFile]:
        """Finish the file, whose bytes are then on disk, and return what it holds.

        Its name says which sessions it spans, for which version it was written, and which bytes it
        has: a name that was deleted never comes back. The file's path is its name alone.
        """
        self._write_group()
        self._writer.close()
        with self._draft.open("rb") as stream:
            os.fsync(stream.fileno())
        days = sorted(entry.session for entry in self._entries)
        digest = file_fingerprint(self._draft)
        name = f"{days[0]:%Y%m%d}-{days[-1]:%Y%m%d}-v{self._version}-{digest[:DIGITS]}.parquet"
        path = self._draft.rename(self._draft.with_name(name))
        size, partition = path.stat().st_size, {"year": str(days[0].year)}
        first, last = days[0].isoformat(), days[-1].isoformat()
        made = DataFile(name, size, self._rows, digest, partition, first, last)
        return [entry.lying_in(path) for entry in self._entries], made

    def abandon(self) -> None:
        """Give up the file; whoever owns the folder removes it."""
        self._waiting = []
        # nobody will read the file, so it does not matter whether its footer fits on the disk
        with suppress(OSError):
            if self._writer is not None:
                self._writer.close()

    def _write_group(self) -> None:
        if self._waiting:
            self._write(self._waiting_tables())

    def _write(self, tables: list[Any]) -> None:
        """Write tables as they follow each other; nothing waits any more."""
        group = _coded(tables)
        if self._writer is None:
            self._writer = _opened(self._draft, group)
        self._writer.write_table(group, row_group_size=_GROUP_ROWS)
        self._waiting = []


def _opened(draft: Path, first: Any) -> Any:
    """Return a writer of a part, its encodings chosen by the rows that it will be given first."""
    numbers = [f.name for f in CODED_SCHEMA if pa.types.is_floating(f.type)]
    plain = {name for name in numbers if not _recurs(first.column(name))}
    return pq.ParquetWriter(
        draft,
        CODED_SCHEMA,
        compression="zstd",
        store_schema=False,
        use_dictionary=[name for name in CHAIN_COLUMNS if name not in plain],
        write_statistics=list(_SOUGHT),
        write_batch_size=_BATCH_ROWS,
    )


def _recurs(column: Any) -> bool:
    """Return whether the numbers of a column come again so often that a dictionary is smaller."""
    step = max(1, len(column) // _SAMPLE)
    sample = plain(column)[::step]
    return len(np.unique(sample)) <= _DISTINCT * len(sample)


class _Columns:
    """Columns of a file, each read when it is asked for."""

    def __init__(self, file: Any) -> None:
        self._file = file

    def column(self, name: str) -> Any:
        return self._file.read([name], use_threads=False).column(0)


def _in_codes(table: Any) -> Any:
    return table if table.schema.equals(CODED_SCHEMA) else table.cast(CODED_SCHEMA)


def _laid_together(tables: list[Any]) -> Any:
    return pa.concat_tables([_in_codes(table) for table in tables])


def _in_one_piece(table: Any) -> Any:
    return table.unify_dictionaries().combine_chunks()


def _coded(tables: list[Any]) -> Any:
    """Return tables as one, its text as dictionaries of exactly the words that occur, sorted.

    File bytes do not depend on input order or batch boundaries.
    """
    rows = _laid_together(tables).unify_dictionaries()
    if rows.num_rows < _CHUNK_ROWS * len(tables) or rows.column(0).num_chunks != len(tables):
        rows = rows.combine_chunks()
    for name in _WORDS:
        place = rows.column_names.index(name)
        rows = rows.set_column(place, CODED_SCHEMA.field(name), _sorted_words(rows.column(name)))
    return rows


def _sorted_words(column: Any) -> Any:
    """Return a dictionary column with only the words that occur, in alphabetical order."""
    coded = column.chunk(0) if column.num_chunks == 1 else column.combine_chunks()
    if len(coded.dictionary) == 1 and coded.null_count < len(coded):
        return coded
    words = np.array(coded.dictionary.to_pylist(), dtype=object)
    used = np.flatnonzero(np.bincount(plain(coded.indices.drop_null()), minlength=len(words)))
    kept = used[np.argsort(words[used])]
    if np.array_equal(kept, np.arange(len(words))):
        return coded
    code = np.full(len(words) + 1, -1, dtype=np.int32)
    code[kept] = np.arange(len(kept), dtype=np.int32)
    return coded_words(code[plain(coded.indices, len(words))], words[kept].tolist())


def part_rows(path: Path, sessions: list[date]) -> Any:
    """Return the rows of some sessions of a part, in the lake's order.

    Raises
    ------
    LakeError
        If the part is not what was written.
    """
    with _reading(path) as part:
        return _of_sessions(part.read(), sessions)


def part_tables(path: Path, sessions: list[date]) -> Iterator[Any]:
    """Yield what `part_rows` returns, some rows at a time.

    Raises
    ------
    LakeError
        If the part is not what was written.
    """
    with _reading(path) as part:
        for batch in part.iter_batches(_GROUP_ROWS):
            rows = _of_sessions(pa.Table.from_batches([batch]), sessions)
            if rows.num_rows:
                yield rows


@contextmanager
def _reading(path: Path) -> Iterator[Any]:
    require_intact([path], path.parents[3])
    try:
        with pq.ParquetFile(path) as part:
            yield part
    except (OSError, pa.ArrowInvalid) as error:
        raise LakeError(
            f"{path} is named by the lake but cannot be read "
            f"({str(error).splitlines()[0]}): restore it, or ingest its sessions again"
        ) from error


def _of_sessions(rows: Any, sessions: list[date]) -> Any:
    import pyarrow.compute as pc  # takes .02 s, and many a command reads no chain by Arrow

    wanted = array_of(np.array(sessions, "datetime64[D]"))
    return with_optional(rows.filter(pc.is_in(rows.column("session"), value_set=wanted)))
