"""Arrow's values as Python's and numpy's, without pandas.

Arrow loads it to say what a moment is, and for every array that it gives to numpy.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["plain", "records_of", "values_of"]

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_UNITS: Final = {
    "s": timedelta(seconds=1),
    "ms": timedelta(milliseconds=1),
    "us": timedelta(microseconds=1),
}


def values_of(column: pa.Array | pa.ChunkedArray) -> list[Any]:
    """Return the values of a column, missing as None.

    Parameters
    ----------
    column : Array or ChunkedArray

    Returns
    -------
    list
        What ``to_pylist`` gives; moments in UTC have `datetime.UTC`.

    Raises
    ------
    OverflowError
        If a moment is beyond Python's.

    Examples
    --------
    >>> import pyarrow as pa
    >>> values_of(pa.array([1_000_000, None], pa.timestamp("us", tz="UTC")))
    [datetime.datetime(1970, 1, 1, 0, 0, 1, tzinfo=datetime.timezone.utc), None]
    """
    import pyarrow as pa

    kind = column.type
    known = pa.types.is_timestamp(kind) and kind.unit in _UNITS and kind.tz in (None, "UTC")
    if not known:
        found: list[Any] = column.to_pylist()
        return found
    if isinstance(column, pa.ChunkedArray):
        return [value for chunk in column.chunks for value in values_of(chunk)]
    unit = _UNITS[kind.unit]
    epoch = _EPOCH if kind.tz else _EPOCH.replace(tzinfo=None)
    return [None if n is None else epoch + n * unit for n in column.view(pa.int64()).to_pylist()]


def records_of(table: pa.Table) -> list[dict[str, Any]]:
    """Return the rows of a table, each a dictionary of its columns; see `values_of`.

    Parameters
    ----------
    table : Table

    Returns
    -------
    list of dict
        Missing is None.
    """
    columns = [values_of(column) for column in table.columns]
    return [dict(zip(table.column_names, row, strict=True)) for row in zip(*columns, strict=True)]


def plain(column: pa.Array | pa.ChunkedArray, missing: float = np.nan) -> npt.NDArray[Any]:
    """Return numbers, days, moments or flags as an array of numpy's.

    Parameters
    ----------
    column : Array or ChunkedArray
    missing : float
        Stands for NULL; a column of others than floating numbers that has one needs it.

    Returns
    -------
    ndarray, shape (n,)
        Days and moments as integers, as Arrow stores them; numbers without a sign as int64.
        Arrow's own memory where none is missing: not to be written to.

    Raises
    ------
    TypeError
        If it is a dictionary: its codes, ``column.indices``, mean nothing without its words.
    OverflowError
        If a number without a sign is 2^63 or more.

    Examples
    --------
    >>> import pyarrow as pa
    >>> plain(pa.array([1.5, None])), plain(pa.array([None, 3]), -1)
    (array([1.5, nan]), array([-1,  3]))
    """
    import pyarrow as pa

    if isinstance(column, pa.ChunkedArray):
        column = column.chunk(0) if column.num_chunks == 1 else column.combine_chunks()
    kind, (there, memory) = column.type, column.buffers()
    if memory is None or not len(column):
        form = np.dtype(bool) if pa.types.is_boolean(kind) else _form(kind)
        form = np.dtype(np.int64) if form.kind == "u" else form
        return np.full(len(column), missing, form) if column.null_count else np.empty(0, form)
    values: npt.NDArray[Any]
    if pa.types.is_boolean(kind):
        values = _flags(memory, column)
    else:
        form = _form(kind)
        values = np.frombuffer(memory, form, len(column), column.offset * form.itemsize)
        if form.kind == "u":
            values = _signed(values)
    if not column.null_count:
        return values
    found = values.copy()
    found[~_flags(there, column)] = missing
    return found


def _form(kind: pa.DataType) -> np.dtype[Any]:
    """Return how numbers, days or moments lie in Arrow's memory."""
    import pyarrow as pa

    if pa.types.is_dictionary(kind):
        raise TypeError(f"{kind} is no number: take the column's indices, and its dictionary")
    whole = "u" if pa.types.is_unsigned_integer(kind) else "i"
    return np.dtype(f"{'f' if pa.types.is_floating(kind) else whole}{kind.bit_width // 8}")


def _signed(values: npt.NDArray[np.unsignedinteger[Any]]) -> npt.NDArray[np.int64]:
    """Return numbers that have no sign as those that have one: the two together are floats."""
    found = values.astype(np.int64)
    if (found < 0).any():
        raise OverflowError("a number is 2^63 or more, which no whole number here holds")
    return found


def _flags(bits: pa.Buffer, column: pa.Array) -> npt.NDArray[np.bool_]:
    """Return the bits of a column's values."""
    end = column.offset + len(column)
    memory = np.frombuffer(bits, np.uint8, (end + 7) // 8)
    return np.unpackbits(memory, count=end, bitorder="little")[column.offset :].view(np.bool_)
