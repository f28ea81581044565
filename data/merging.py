"""What happens where rows meet: the newest of one contract stays, and the order is the lake's."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import duckdb
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from .parts import CHAIN_SCHEMA, part_rows
from .queries import load_sql
from .writing import sorted_rows

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable
    from datetime import date
    from pathlib import Path

    from .manifest import SessionEntry

__all__ = ["in_lake_order", "merged", "newest_only", "rows_to_keep"]

_Flags = npt.NDArray[np.bool_]
#: One contract in one snapshot, but for its root.
_CONTRACT: Final = ("session", "quote_ts", "expiry", "settlement", "strike", "right")


def newest_only(rows: Any, age: npt.NDArray[np.int64]) -> _Flags:
    """Return which rows stay where several files hold the same contract.

    Parameters
    ----------
    rows : pyarrow.Table
        Canonical rows, those with equal keys next to each other.
    age : ndarray of int64, shape (n,)
        Ascending from the oldest file to the newest.

    Returns
    -------
    ndarray of bool, shape (n,)
        True for the rows of the newest file with their key. Rows of one file that share a key
        all stay: where the root is unknown they are two contracts.
    """
    if not len(rows):
        return np.ones(0, dtype=bool)
    starts = np.flatnonzero(_starts_run(rows, (*_CONTRACT, "root")))
    newest = np.maximum.reduceat(age, starts)
    keep: _Flags = age == np.repeat(newest, np.diff(np.append(starts, len(rows))))
    return keep


def in_lake_order(rows: Any) -> Any:
    """Return rows in the lake's order, given that only roots and equal keys may be out of it."""
    return rows if bool(_starts_run(rows, _CONTRACT).all()) else sorted_rows(rows)


def rows_to_keep(entries: Iterable[SessionEntry], replaced: Collection[str]) -> Any | None:
    """Return what the lake holds of some sessions from sources that are not replaced, or None."""
    by_file: dict[Path, list[date]] = {}
    for entry in entries:
        if not set(entry.sources) <= set(replaced):
            by_file.setdefault(entry.file, []).append(entry.session)
    if not by_file:
        return None
    gone = pa.array(sorted(replaced), pa.string())
    tables = [part_rows(path, days) for path, days in sorted(by_file.items())]
    rows = pa.concat_tables(tables)
    return rows.filter(pc.invert(pc.is_in(rows.column("source"), value_set=gone)))


def merged(fresh: Any, held: Any) -> Any:
    """Return new rows laid over held ones, in the lake's order.

    Where both have a contract (all of the key: underlying, moment, root, expiry, settlement,
    strike, right), the new rows stay.
    """
    with duckdb.connect() as connection:
        connection.register("fresh_rows", fresh)
        connection.register("held_rows", held)
        return connection.sql(load_sql("lake_merge")).to_arrow_table().cast(CHAIN_SCHEMA)


def _starts_run(rows: Any, keys: Iterable[str]) -> _Flags:
    """Return which rows differ from the row before them in any of the keys."""
    starts = np.zeros(len(rows), dtype=bool)
    starts[:1] = True
    for key in keys:
        values = _comparable(rows.column(key))
        starts[1:] |= values[1:] != values[:-1]
    return starts


def _comparable(column: Any) -> Any:
    if pa.types.is_string(column.type):
        codes = column.combine_chunks().dictionary_encode().indices
        return pc.fill_null(codes, -1).to_numpy(zero_copy_only=False)
    return column.to_numpy()
