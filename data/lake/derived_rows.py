"""Reading the files of a rebuilt table: the rows that count, in order.

They were written by `derived_writer`, so that nothing about them has to be guessed: Arrow reads
them as they are, where a database would have to be started first.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from ..base.errors import LakeError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date

    import pyarrow as pa

__all__ = ["read_rows"]

#: Rows lie by these; where they are equal, as they were written.
_ORDER: Final = ("underlying", "dealer_model", "session", "book")


def read_rows(files: Mapping[str, Sequence[date]]) -> pa.Table:
    """Return the rows of files of one table, those alone whose session counts in their file.

    Parameters
    ----------
    files : mapping of str to sequence of date
        At least one Parquet file, and the sessions that count in it; from `DerivedStore.files`.

    Returns
    -------
    Table
        By underlying, dealer model, session and book; where these are equal, as they were written.
        Every column may hold nulls, and the schema says nothing but names and types.

    Raises
    ------
    LakeError
        If a file cannot be read, or has other columns than the first: it names the file, and
        ends where what to do begins.
    """
    import pyarrow as pa

    tables: list[pa.Table] = []
    for file, sessions in files.items():
        rows = _counted(_read(file), sessions)
        if tables and rows.schema != tables[0].schema:
            raise LakeError(f"{file} has other columns than {next(iter(files))}")
        tables.append(rows)
    return _in_order(pa.concat_tables(tables))


def _read(file: str) -> pa.Table:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with pq.ParquetFile(file) as opened:
            rows = opened.read()
    except (OSError, pa.ArrowException) as error:
        raise LakeError(f"{file}: {str(error).splitlines()[0]}") from error
    return rows.cast(pa.schema([(field.name, _plain(field.type)) for field in rows.schema]))


def _plain(kind: pa.DataType) -> pa.DataType:
    """Return the type of the values: how Arrow kept them in memory is remembered in the file."""
    import pyarrow as pa

    if pa.types.is_dictionary(kind):
        return _plain(kind.value_type)
    return pa.string() if pa.types.is_large_string(kind) else kind


def _counted(rows: pa.Table, sessions: Sequence[date]) -> pa.Table:
    """Return the rows of some sessions."""
    import pyarrow as pa
    import pyarrow.compute as pc

    count: Any = pc.is_in(rows.column("session"), pa.array(list(sessions), pa.date32()))
    return rows if pc.all(count).as_py() else rows.filter(count)


def _in_order(rows: pa.Table) -> pa.Table:
    import pyarrow as pa

    place = np.zeros(rows.num_rows, dtype=np.int64)
    for name in _ORDER:
        rank, different = _ranks(rows.column(name))
        place = place * different + rank
    steps = np.diff(place)
    if (steps >= 0).all():
        return rows
    starts = np.concatenate([[0], np.flatnonzero(steps) + 1])
    ends = np.append(starts[1:], rows.num_rows)
    runs = np.argsort(place[starts], kind="stable")
    slices = [rows.slice(starts[i], ends[i] - starts[i]) for i in runs]
    return pa.concat_tables(slices).combine_chunks()


def _ranks(column: pa.ChunkedArray) -> tuple[np.ndarray[Any, np.dtype[np.int64]], int]:
    """Return each value's place among the different ones, and how many of them there are."""
    import pyarrow.compute as pc

    values = pc.unique(column)
    values = values.take(pc.array_sort_indices(values))
    return pc.index_in(column, value_set=values).to_numpy().astype(np.int64), len(values)
