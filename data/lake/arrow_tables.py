"""Arrow tables of numpy's and Python's values, without pandas.

``pyarrow.array`` imports pandas, in a tenth of a second, to ask whether it was given something of
it. Here Arrow is given memory as it is.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["Coded", "PlainTable", "Repeated", "as_table", "numbers_of", "table_of"]

_KINDS: Final = {
    "float64": pa.float64(),
    "int64": pa.int64(),
    "int32": pa.int32(),
    "bool": pa.bool_(),
    "datetime64[D]": pa.date32(),
    "datetime64[us]": pa.timestamp("us"),
}


@dataclass(frozen=True, slots=True)
class Repeated:
    """A column of few values that follow each other, each so many times.

    Attributes
    ----------
    values : list
    counts : list of int
        Of the same length.
    """

    values: list[Any]
    counts: list[int]


@dataclass(frozen=True, slots=True)
class Coded:
    """A column of few values, by their places in a list.

    Attributes
    ----------
    values : sequence
    places : ndarray of int64
    """

    values: Sequence[Any]
    places: npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class PlainTable:
    """Columns that are to become an Arrow table, see `table_of`.

    Attributes
    ----------
    columns : mapping of str to list, ndarray, Repeated, Coded or Array
        Of equal length. Missing is None, in arrays of numpy's NaN and NaT too.
    kinds : mapping of str to DataType
        Types; of what is not named those of numpy's arrays, and text for others.
    """

    columns: Mapping[str, Any]
    kinds: Mapping[str, pa.DataType]


def table_of(
    columns: Mapping[str, Any], kinds: Mapping[str, pa.DataType] | None = None
) -> pa.Table:
    """Return columns as a table.

    Parameters
    ----------
    columns, kinds
        As in `PlainTable`.

    Returns
    -------
    Table
        What ``pyarrow.table`` gives of the same.

    Examples
    --------
    >>> table_of({"x": np.array([1.5, np.nan]), "name": Repeated(["a"], [2])}).to_pydict()
    {'x': [1.5, None], 'name': ['a', 'a']}
    >>> table_of({"name": Coded(["a", None], np.array([1, 0, 0]))}).to_pydict()
    {'name': [None, 'a', 'a']}
    """
    said = kinds or {}
    made = {name: _array_of(values, said.get(name)) for name, values in columns.items()}
    return pa.Table.from_arrays(list(made.values()), names=list(made))


def as_table(rows: pa.Table | PlainTable) -> pa.Table:
    """Return rows as an Arrow table, be they one or not.

    Parameters
    ----------
    rows : Table or PlainTable
    """
    return table_of(rows.columns, rows.kinds) if isinstance(rows, PlainTable) else rows


def numbers_of(column: pa.Array, kind: npt.DTypeLike) -> npt.NDArray[Any]:
    """Return numbers, days or moments as a view of Arrow's memory; anything where they are NULL.

    Parameters
    ----------
    column : Array
    kind : dtype
        What its values are stored as.

    Returns
    -------
    ndarray
        Read-only.
    """
    memory = column.buffers()[1]
    if memory is None or not len(column):
        return np.zeros(len(column), kind)
    width = np.dtype(kind).itemsize
    return np.frombuffer(memory, kind, len(column), column.offset * width)


def _array_of(values: Any, kind: pa.DataType | None) -> pa.Array:
    if isinstance(values, pa.Array):
        return values
    if isinstance(values, Repeated):
        places = np.repeat(np.arange(len(values.values)), values.counts)
        return _array_of(Coded(values.values, places), kind)
    if isinstance(values, Coded):
        return _array_of(values.values, kind).take(_array_of(values.places, None))
    if isinstance(values, np.ndarray):
        if values.dtype.kind in "OU":
            return _words(values.tolist())
        return _numbers(values, kind or _KINDS[values.dtype.name])
    if kind is None or pa.types.is_string(kind):
        return _words(values)
    return _listed(values, kind)


def _words(values: Sequence[str | None]) -> pa.Array:
    """Return text."""
    codes = [None if value is None else value.encode() for value in values]
    ends = np.zeros(len(codes) + 1, np.int32)
    np.cumsum([len(code or b"") for code in codes], out=ends[1:])
    known = np.array([code is not None for code in codes], np.bool_)
    text = pa.py_buffer(b"".join(code or b"" for code in codes))
    memory = [_bits(known), pa.py_buffer(ends), text]
    return pa.Array.from_buffers(pa.string(), len(codes), memory)


def _listed(values: Sequence[Any], kind: pa.DataType) -> pa.Array:
    """Return numbers, days or moments that are listed."""
    known = np.array([value is not None for value in values], np.bool_)
    if pa.types.is_timestamp(kind):
        plain = [None if v is None else v.astimezone(UTC).replace(tzinfo=None) for v in values]
        stored = np.array(plain, "datetime64[us]").view(np.int64)
    elif pa.types.is_date32(kind):
        stored = np.array(values, "datetime64[D]").view(np.int64)
    else:
        plain = [0 if value is None else value for value in values]
        stored = np.array(plain) if plain else np.zeros(0, np.int64)
    return _stored(stored, known, kind)


def _numbers(values: npt.NDArray[Any], kind: pa.DataType) -> pa.Array:
    """Return numpy's numbers, days or moments."""
    known = np.ones(len(values), np.bool_)
    if values.dtype.kind == "f":
        known = ~np.isnan(values)
    elif values.dtype.kind == "M":
        known, values = ~np.isnat(values), values.view(np.int64)
    return _stored(values, known, kind)


def _stored(values: npt.NDArray[Any], known: npt.NDArray[np.bool_], kind: pa.DataType) -> pa.Array:
    if pa.types.is_boolean(kind):
        memory = np.packbits(values.astype(np.bool_), bitorder="little")
    else:
        form = f"{'f' if pa.types.is_floating(kind) else 'i'}{kind.bit_width // 8}"
        # a fraction or NaN is never cut to a whole number: that is a TypeError
        memory = np.ascontiguousarray(values.astype(form, casting="same_kind", copy=False))
    return pa.Array.from_buffers(kind, len(values), [_bits(known), pa.py_buffer(memory)])


def _bits(known: npt.NDArray[np.bool_]) -> pa.Buffer | None:
    """Return one bit for each value that is there, None where all are."""
    return None if known.all() else pa.py_buffer(np.packbits(known, bitorder="little"))
