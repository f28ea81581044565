"""Arrow columns as arrays of numbers and codes, and back.

Moments are counted in microseconds and days in days since 1970, both as int64; `NONE` stands for
a moment or day that is not known.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from ..base.arrow_values import plain
from ..lake.arrow_tables import coded_words

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


__all__ = [
    "NONE",
    "Codes",
    "Flags",
    "Ints",
    "codes_of",
    "day_array",
    "earliest",
    "first_known",
    "float_array",
    "floats_of",
    "integers",
    "integers_of",
    "is_there",
    "moment_array",
    "taken_at",
    "word_array",
]

Ints = npt.NDArray[np.int64]
Codes = npt.NDArray[np.int8]
Flags = npt.NDArray[np.bool_]

NONE: Final = int(np.iinfo(np.int64).min)
_MOMENT: Final = pa.timestamp("us", tz="UTC")


def integers(column: Any) -> Ints:
    """Return moments or days as numbers, `NONE` where NULL."""
    column = column.chunk(0) if column.num_chunks == 1 else column.combine_chunks()
    width = pa.int32() if pa.types.is_date(column.type) else pa.int64()
    return plain(column.view(width).cast(pa.int64()), NONE)


def integers_of(table: Any, name: str) -> Ints:
    """Return a column of moments or days, `NONE` where NULL or absent."""
    if name not in table.column_names or not len(table):
        return np.full(len(table), NONE)
    return integers(table.column(name))


def floats_of(table: Any, name: str) -> npt.NDArray[np.float64]:
    """Return a column of numbers, NaN where NULL."""
    if name not in table.column_names:
        return np.full(len(table), np.nan)
    return plain(table.column(name))


def is_there(column: Any) -> Flags:
    """Return whether each value is not NULL."""
    if not column.null_count:
        return np.ones(len(column), dtype=bool)
    return plain(column.is_valid())


def codes_of(table: Any, name: str, code_of: Callable[[str], int]) -> Codes:
    """Return the code of each word, -1 where it is NULL."""
    if name not in table.column_names:
        return np.full(len(table), -1, dtype=np.int8)
    column = table.column(name).combine_chunks()
    letters = _letters(column)
    if letters is not None:
        code = np.full(256, -1, dtype=np.int8)
        for letter in np.flatnonzero(np.bincount(letters, minlength=256)).tolist():
            code[letter] = code_of(chr(letter))
        return code[letters]
    encoded = column.dictionary_encode()
    known = [code_of(word) for word in encoded.dictionary.to_pylist()]
    index = plain(encoded.indices, len(known))
    found: Codes = np.array([*known, -1], dtype=np.int8)[index]
    return found


def _letters(column: Any) -> npt.NDArray[np.uint8] | None:
    """Return words that are all one ASCII letter as numbers, None where one is not."""
    count = len(column)
    if not count or column.null_count or not pa.types.is_string(column.type):
        return None
    _, offsets, text = column.buffers()
    ends = np.frombuffer(offsets, np.int32, count + 1, 4 * column.offset)
    if ends[-1] - ends[0] != count or (ends[1:] - ends[:-1] != 1).any():
        return None
    letters = np.frombuffer(text, np.uint8, count, int(ends[0]))
    return None if (letters > 127).any() else letters


def taken_at(values: Any, position: Ints, missing: Any = NONE) -> Any:
    """Return the values at positions, `missing` where a position is -1."""
    found = values.take(position)
    nowhere = position < 0
    if nowhere.any():
        found[nowhere] = missing
    return found


def first_known(first: Ints, second: Ints) -> Ints:
    """Return the first moment or day, the second where the first is not known."""
    missing = first == NONE
    return second if missing.all() else np.where(missing, second, first)


def earliest(first: Ints, second: Ints) -> Ints:
    """Return the earlier moment, the other one where one is not known."""
    both = (first != NONE) & (second != NONE)
    return np.where(both, np.minimum(first, second), np.maximum(first, second))


def _array(values: npt.NDArray[Any], missing: Flags, kind: Any) -> Any:
    """Return an Arrow array over numpy's memory: `pyarrow.array` copies masks bit by bit."""
    known = pa.py_buffer(np.packbits(~missing, bitorder="little")) if missing.any() else None
    return pa.Array.from_buffers(kind, len(values), [known, pa.py_buffer(values)])


def moment_array(values: Ints) -> Any:
    """Return an Arrow array of moments in UTC, NULL where not known."""
    return _array(np.ascontiguousarray(values), values == NONE, _MOMENT)


def day_array(values: Ints) -> Any:
    """Return an Arrow array of dates, NULL where not known."""
    return _array(values.astype(np.int32), values == NONE, pa.date32())


def float_array(values: npt.NDArray[np.float64]) -> Any:
    """Return an Arrow array of numbers, NULL where NaN."""
    return _array(np.ascontiguousarray(values), np.isnan(values), pa.float64())


def word_array(codes: npt.NDArray[np.integer], words: Sequence[str]) -> Any:
    """Return words by their codes, NULL where a code is negative."""
    return coded_words(codes, words)
