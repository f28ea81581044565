"""Arrow tables of numpy's and Python's values, without pandas.

``pyarrow.array`` imports pandas, in a tenth of a second, to ask whether it was given something of
it. Here Arrow is given memory as it is.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from itertools import accumulate
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

__all__ = [
    "Coded",
    "Gapped",
    "PlainTable",
    "array_of",
    "as_table",
    "coded_words",
    "table_of",
]

_KINDS: Final = {
    "float64": pa.float64(),
    "int64": pa.int64(),
    "int32": pa.int32(),
    "bool": pa.bool_(),
    "datetime64[D]": pa.date32(),
    "datetime64[us]": pa.timestamp("us"),
}
#: How numbers lie in Arrow's memory, by the number of their type.
_FORMS: Final = {
    pa.float64().id: "f8",
    pa.int64().id: "i8",
    pa.timestamp("us").id: "i8",
    pa.int32().id: "i4",
    pa.date32().id: "i4",
}
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_FIRST: Final = _EPOCH.toordinal()
_MICROSECOND: Final = timedelta(microseconds=1)

Codes: TypeAlias = npt.NDArray[np.int32]
Flags: TypeAlias = npt.NDArray[np.bool_]


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
class Gapped:
    """A column of doubles of which it is known where they are missing.

    Attributes
    ----------
    values : ndarray of float64
    missing : ndarray of bool or None
        None: nowhere.
    """

    values: npt.NDArray[np.float64]
    missing: Flags | None


@dataclass(frozen=True, slots=True)
class PlainTable:
    """Columns that are to become an Arrow table, see `table_of`.

    Attributes
    ----------
    columns : mapping of str to list, ndarray, Coded, Gapped or Array
        Of equal length. Missing is None, in arrays of numpy's NaN and NaT too.
    kinds : mapping of str to DataType
        Types; of what is not named those of numpy's arrays, and text for others.
    required : collection of str
        Columns of which no value is ever missing: a file then need not say where they are.
    """

    columns: Mapping[str, Any]
    kinds: Mapping[str, pa.DataType]
    required: Collection[str] = ()


def table_of(
    columns: Mapping[str, Any],
    kinds: Mapping[str, pa.DataType] | None = None,
    required: Collection[str] = (),
    *,
    coded: bool = False,
) -> pa.Table:
    """Return columns as a table.

    Parameters
    ----------
    columns, kinds, required
        As in `PlainTable`.
    coded : bool
        Whether text that recurs becomes a dictionary of its words, in the order in which they
        occur: a file is written from it three times as fast.

    Returns
    -------
    Table
        What ``pyarrow.table`` gives of the same; text of `Coded` is coded in any case.

    Examples
    --------
    >>> name = Coded(["a", None], np.array([1, 0]))
    >>> table_of({"x": np.array([1.5, np.nan]), "name": name}).to_pydict()
    {'x': [1.5, None], 'name': [None, 'a']}
    """
    said = kinds or {}
    made = {name: _array_of(values, said.get(name), coded) for name, values in columns.items()}
    fields = [pa.field(name, each.type, name not in required) for name, each in made.items()]
    return pa.Table.from_arrays(list(made.values()), schema=pa.schema(fields))


def as_table(rows: pa.Table | PlainTable) -> pa.Table:
    """Return rows as an Arrow table, be they one or not, text coded.

    Parameters
    ----------
    rows : Table or PlainTable
    """
    if isinstance(rows, PlainTable):
        return table_of(rows.columns, rows.kinds, rows.required, coded=True)
    return rows


def array_of(values: Any, kind: pa.DataType | None = None) -> pa.Array:
    """Return an array, text as it is.

    Parameters
    ----------
    values : list or ndarray
        Missing is None, in arrays of numpy's NaN and NaT too.
    kind : DataType, optional
        By default numpy's own, and text for a list.
    """
    if kind is not None and pa.types.is_list(kind):
        ends = np.fromiter(accumulate(map(len, values), initial=0), np.int32, len(values) + 1)
        flat = [each for value in values for each in value]
        return pa.ListArray.from_arrays(_numbers(ends, pa.int32()), array_of(flat, kind.value_type))
    return _array_of(values, kind, coded=False)


def coded_words(codes: npt.NDArray[np.integer], words: Sequence[str]) -> pa.Array:
    """Return words by their places among some, NULL where a place is negative.

    Parameters
    ----------
    codes : ndarray of int
    words : sequence of str
    """
    return _coded(codes.astype(np.int32), _words(words), missing=True)


def _array_of(values: Any, kind: pa.DataType | None, coded: bool) -> pa.Array:
    if isinstance(values, pa.Array):
        return values
    if isinstance(values, Gapped):
        return _stored(values.values, values.missing, _KINDS["float64"])
    if isinstance(values, Coded):
        return _taken(values.values, values.places, kind)
    if isinstance(values, np.ndarray):
        if values.dtype.kind not in "OU":
            return _numbers(values, kind or _KINDS[values.dtype.name])
        values = values.tolist()
    if kind is None or pa.types.is_string(kind):
        return _coded_list(values) if coded else _words(values)
    return _stored(*_listed(values, kind), kind)


def _taken(values: Sequence[Any], places: npt.NDArray[Any], kind: pa.DataType | None) -> pa.Array:
    if kind is None or pa.types.is_string(kind):
        codes, words = _dictionary_of(tuple(values))
        own = codes[places] if codes.size > 1 else np.repeat(codes, places.size)
        return _coded(own, words, missing=None in values)
    stored, missing = _listed(values, kind)
    return _stored(stored[places], None if missing is None else missing[places], kind)


def _coded_list(values: Sequence[str | None]) -> pa.Array:
    """Return text, coded where words recur."""
    codes, words = _codes_of(values)
    if 2 * len(words) > len(values):
        return _words(values)
    return _coded(codes, _words(words), missing=None in values)


@lru_cache(maxsize=256)  # a table's columns are of the same few words in every file
def _dictionary_of(values: tuple[str | None, ...]) -> tuple[Codes, pa.Array]:
    """Return as `_codes_of` does, with the words as an array."""
    codes, words = _codes_of(values)
    codes.flags.writeable = False
    return codes, _words(words)


def _codes_of(values: Sequence[str | None]) -> tuple[Codes, list[str]]:
    """Return the number of each word, -1 of None, and the words in the order of their numbers."""
    words = [word for word in dict.fromkeys(values) if word is not None]
    numbers: dict[str | None, int] = {None: -1} | {word: i for i, word in enumerate(words)}
    return np.fromiter(map(numbers.__getitem__, values), np.int32, len(values)), words


def _coded(codes: Codes, words: pa.Array, *, missing: bool) -> pa.Array:
    indices = _stored(codes, codes < 0 if missing else None, _KINDS["int32"])
    return pa.DictionaryArray.from_arrays(indices, words, safe=False)


def _words(values: Sequence[str | None]) -> pa.Array:
    """Return text."""
    codes = [(value or "").encode() for value in values]
    ends = np.fromiter(accumulate(map(len, codes), initial=0), np.int32, len(codes) + 1)
    memory = [_bits(_missing(values)), pa.py_buffer(ends), pa.py_buffer(b"".join(codes))]
    return pa.Array.from_buffers(pa.string(), len(codes), memory)


def _listed(values: Sequence[Any], kind: pa.DataType) -> tuple[npt.NDArray[Any], Flags | None]:
    """Return numbers, days or moments that are listed as numbers, and which are missing."""
    missing = _missing(values)
    if pa.types.is_timestamp(kind):
        since = [0 if value is None else (value - _EPOCH) // _MICROSECOND for value in values]
        return np.array(since, np.int64), missing
    if pa.types.is_date32(kind):
        ordinals = [_FIRST if value is None else value.toordinal() for value in values]
        return np.array(ordinals, np.int64) - _FIRST, missing
    plain = values if missing is None else [0 if value is None else value for value in values]
    return (np.array(plain) if plain else np.zeros(0, np.int64)), missing


def _missing(values: Sequence[Any]) -> Flags | None:
    return np.array([value is None for value in values]) if None in values else None


def _numbers(values: npt.NDArray[Any], kind: pa.DataType) -> pa.Array:
    """Return numpy's numbers, days or moments."""
    if values.dtype.kind == "f":
        return _stored(values, np.isnan(values), kind)
    if values.dtype.kind == "M":
        return _stored(values.view(np.int64), np.isnat(values), kind)
    return _stored(values, None, kind)


def _stored(values: npt.NDArray[Any], missing: Flags | None, kind: pa.DataType) -> pa.Array:
    if pa.types.is_boolean(kind):
        memory = np.packbits(values.astype(np.bool_), bitorder="little")
    else:
        # a fraction or NaN is never cut to a whole number: that is a TypeError
        form = _FORMS[kind.id]
        memory = np.ascontiguousarray(values.astype(form, casting="same_kind", copy=False))
    return pa.Array.from_buffers(kind, len(values), [_bits(missing), pa.py_buffer(memory)])


def _bits(missing: Flags | None) -> pa.Buffer | None:
    """Return one bit for each value, set where it is there; None where all are."""
    if missing is None or not missing.any():
        return None
    return pa.py_buffer(np.packbits(~missing, bitorder="little"))
