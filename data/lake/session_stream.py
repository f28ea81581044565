"""Canonical rows on their way to the lake: sorted, and cut where a session ends."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from ..base.errors import LakeError
from ..base.sql import load_sql
from .parts import CHAIN_SCHEMA, PART_ROWS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

__all__ = ["ascending_tables", "sorted_rows", "whole_sessions"]


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


def _last_session_start(table: Any) -> int:
    days = table.column("session")
    return int(pc.index(days, days[-1]).as_py())
