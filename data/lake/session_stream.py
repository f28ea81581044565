"""Canonical rows on their way to the lake: sorted, and cut where a session ends."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ..base.arrow_values import plain
from ..base.errors import LakeError
from ..base.sql import load_sql
from .parts import CHAIN_SCHEMA, LARGE_SESSION, PART_ROWS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

__all__ = [
    "Piece",
    "UnsortedError",
    "ascending_tables",
    "pieces_of",
    "sorted_rows",
    "whole_sessions",
]


class UnsortedError(Exception):
    """Rows that belong together do not come together; they have to be sorted first."""


@dataclass(frozen=True, slots=True)
class Piece:
    """Rows of a stream.

    Attributes
    ----------
    rows : pyarrow.Table
    part : bool
        Of one session, which comes in several pieces; else of whole sessions.
    last : bool
        The session ends with it.
    """

    rows: Any
    part: bool = False
    last: bool = True


def sorted_rows(rows: Any) -> Any:
    """Return canonical rows in the lake's order."""
    with duckdb.connect() as connection:
        connection.register("canonical_rows", rows)
        return connection.sql(load_sql("lake/sort")).to_arrow_table().cast(CHAIN_SCHEMA)


def ascending_tables(rows: Any) -> Iterator[Any]:
    """Yield rows, whatever holds them, as tables in which sessions ascend."""
    if isinstance(rows, pa.Table):
        yield rows.sort_by("session") if "session" in rows.column_names else rows
        return
    if isinstance(rows, duckdb.DuckDBPyRelation):
        rows = rows.sort(duckdb.ColumnExpression("session")).to_arrow_reader(PART_ROWS // 4)
    for batch in rows:
        yield pa.Table.from_batches([batch])


def whole_sessions(tables: Iterable[Any], least: int = PART_ROWS) -> Iterator[Any]:
    """Cut a stream of tables anew: at least so many rows each, ending where a session ends."""
    waiting: list[Any] = []
    for table in tables:
        if "session" not in table.column_names:
            raise LakeError("canonical rows lack the column 'session': add it")
        waiting.append(table)
        if sum(t.num_rows for t in waiting) < least:
            continue
        joined = pa.concat_tables(waiting)
        cut = _last_session_start(joined)
        if cut:
            yield joined.slice(0, cut)
        waiting = [joined.slice(cut)]
    if waiting:
        yield pa.concat_tables(waiting)


def pieces_of(tables: Iterable[Any], least: int, may_cut: Callable[[Any], bool]) -> Iterator[Piece]:
    """Cut a stream of tables anew: whole sessions, and of large ones whole snapshots.

    Parameters
    ----------
    tables : iterable of pyarrow.Table
        Sessions ascend.
    least : int
        Rows of a piece.
    may_cut : callable
        Says, of the first rows of a session, whether its snapshots may be taken one by one.

    Yields
    ------
    Piece

    Raises
    ------
    UnsortedError
        If a session that was cut has rows of an earlier snapshot.
    """
    waiting: list[Any] = []
    cutting, whole = False, False
    written = None
    for table in tables:
        waiting.append(table)
        if sum(t.num_rows for t in waiting) < least:
            continue
        joined = pa.concat_tables(waiting)
        start = _last_session_start(joined)
        if start:
            yield from _ended(joined.slice(0, start), cutting, written)
            joined = joined.slice(start)
            cutting, whole, written = False, False, None
        if not cutting and not whole and joined.num_rows >= LARGE_SESSION:
            cutting = _last_snapshot(joined, None) is not None and may_cut(joined)
            whole = not cutting
        if cutting:
            start, written = _cut(joined, written)
            if start:
                yield Piece(joined.slice(0, start), part=True, last=False)
                joined = joined.slice(start)
        waiting = [joined]
    if waiting:
        yield from _ended(pa.concat_tables(waiting), cutting, written)


def _ended(rows: Any, cutting: bool, written: int | None) -> Iterator[Piece]:
    """Yield rows at the end of which a session ends; the first may have been cut."""
    if not cutting:
        yield Piece(rows)
        return
    days = rows.column("session")
    end = int(pc.index(pc.equal(days, days[0]), False).as_py())
    end = rows.num_rows if end < 0 else end
    rest = rows.slice(0, end)
    if written is not None and pc.min(rest.column("quote_ts").cast(pa.int64())).as_py() <= written:
        raise UnsortedError
    yield Piece(rest, part=True, last=True)
    if end < rows.num_rows:
        yield Piece(rows.slice(end))


def _cut(rows: Any, written: int | None) -> tuple[int, int | None]:
    """Return where the last snapshot of a session's rows begins, and the moment before it."""
    found = _last_snapshot(rows, written)
    if found is None:
        raise UnsortedError
    start, before = found
    return start, written if before is None else before


def _last_snapshot(rows: Any, written: int | None) -> tuple[int, int | None] | None:
    """Return where the last snapshot begins, and the latest moment before it.

    None where rows of it, or of what was written, come in between.
    """
    column = rows.column("quote_ts")
    if column.null_count:
        return None
    stamps = plain(column)
    start = int(np.argmax(stamps == stamps.max()))
    if (stamps[start:] != stamps[start]).any():
        return None
    if written is not None and int(stamps.min()) <= written:
        return None
    return start, int(stamps[:start].max()) if start else None


def _last_session_start(table: Any) -> int:
    days = table.column("session")
    return int(pc.index(days, days[-1]).as_py())
