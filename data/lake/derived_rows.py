"""Reading the files of a rebuilt table: the rows that count, in order.

They were written by `derived_writer`, so that nothing about them has to be guessed: Arrow reads
them as they are, where a database would have to be started first. Each is of one underlying,
dealer model and book.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeAlias

import numpy as np
import numpy.typing as npt

from ..base.errors import LakeError
from ..calendar.day_numbers import to_days

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import pyarrow as pa

    from .derived_tables import Piece

__all__ = ["read_rows"]

#: Columns by which rows are put in order.
_KEYS: Final = ("underlying", "dealer_model", "session", "book")

Ints: TypeAlias = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True, order=True)
class _Run:
    """Neighbouring rows of one session, in the order in which they are to lie.

    Attributes
    ----------
    underlying, dealer_model : str
    session : int
        Days since 1970.
    book : str
    file, start, stop : int
        Number of the file, its first row and the one after the last.
    """

    underlying: str
    dealer_model: str
    session: int
    book: str
    file: int
    start: int
    stop: int


def read_rows(pieces: Sequence[Piece]) -> pa.Table:
    """Return the rows of parts of one table, those alone whose session counts in their part.

    Parameters
    ----------
    pieces : sequence of Piece
        At least one; from `DerivedStore.pieces`. Of a file that parts share, the row groups of the
        part alone are read.

    Returns
    -------
    Table
        By underlying, dealer model, session and book; where these are equal, as they were written.

    Raises
    ------
    LakeError
        If a file cannot be read, or has other columns than the first; the message names it.
    """
    import pyarrow as pa

    tables: list[pa.Table] = []
    runs: list[_Run] = []
    for piece in pieces:
        rows = _read(piece)
        if tables and rows.schema != tables[0].schema:
            raise LakeError(f"{piece.path} has other columns than {pieces[0].path}")
        counted = {to_days(session) for session in piece.sessions}
        runs += [run for run in _runs(rows, len(tables), piece.path) if run.session in counted]
        tables.append(rows)
    runs.sort()
    slices = [tables[number].slice(start, stop - start) for number, start, stop in _stretches(runs)]
    if not slices:
        return tables[0].slice(0, 0)
    return slices[0] if len(slices) == 1 else pa.concat_tables(slices).combine_chunks()


def _read(piece: Piece) -> pa.Table:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with pq.ParquetFile(piece.path) as opened:
            own = piece.groups
            rows = opened.read() if own is None else opened.read_row_groups(own)
    except (OSError, IndexError, pa.ArrowException) as error:
        raise LakeError(f"{piece.path}: {str(error).splitlines()[0]}") from error
    lacking = next((name for name in _KEYS if name not in rows.column_names), None)
    if lacking is not None:
        raise LakeError(f"{piece.path} lacks the column {lacking}")
    # what else was noted is how their writer's library kept them in memory
    plain = pa.schema([(field.name, _plain(field.type)) for field in rows.schema])
    if plain.types != rows.schema.types:
        return rows.cast(plain)
    return pa.table(rows.columns, schema=plain)


def _plain(kind: pa.DataType) -> pa.DataType:
    import pyarrow as pa

    if pa.types.is_dictionary(kind):
        return _plain(kind.value_type)
    return pa.string() if pa.types.is_large_string(kind) else kind


def _runs(rows: pa.Table, number: int, file: str) -> Iterator[_Run]:
    """Yield the stretches of a file in which the session stays the same."""
    if not rows.num_rows:
        return
    underlying, dealer, book = (
        str(rows.column(name)[0].as_py()) for name in ("underlying", "dealer_model", "book")
    )
    days = _days(rows.column("session"), file)
    starts = np.concatenate([[0], np.flatnonzero(np.diff(days)) + 1])
    stops = np.append(starts[1:], days.size)
    for day, start, stop in zip(days[starts], starts, stops, strict=True):
        yield _Run(underlying, dealer, int(day), book, number, int(start), int(stop))


def _days(column: pa.ChunkedArray, file: str) -> Ints:
    """Return dates as days since 1970, from memory: Arrow's own way loads all of pandas."""
    import pyarrow as pa

    if column.type != pa.date32() or column.null_count:
        raise LakeError(f"{file}: column session is {column.type}, with gaps or no dates")
    found = [
        np.frombuffer(part.buffers()[1], np.int32, len(part), 4 * part.offset)
        for part in column.chunks
        if len(part)
    ]
    return np.concatenate(found).astype(np.int64)


def _stretches(runs: Sequence[_Run]) -> Iterator[tuple[int, int, int]]:
    """Yield file, first row and end of what lies in order: neighbouring runs are one."""
    held: tuple[int, int, int] | None = None
    for run in runs:
        if held is not None and held[0] == run.file and held[2] == run.start:
            held = (run.file, held[1], run.stop)
            continue
        if held is not None:
            yield held
        held = (run.file, run.start, run.stop)
    if held is not None:
        yield held
