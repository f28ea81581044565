"""A chain file's columns as plain numbers, read by Arrow: what ``sql/rebuild_scan.sql`` gives.

No database has to be started for it, nor is pandas imported, which Arrow does for every conversion
of its own: its memory is looked at instead. Only files whose columns have the lake's own types are
read so; `is_plain` says which.
"""

from __future__ import annotations

from functools import lru_cache
from hashlib import blake2b
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from ..base.errors import LakeError
from .arrow_tables import numbers_of
from .parts import CODED_SCHEMA

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator
    from datetime import date
    from pathlib import Path

__all__ = ["is_plain", "opened_part", "rows_between"]

Columns: TypeAlias = dict[str, npt.NDArray[Any]]

#: Rows that are read at a time: few enough that they are still in the processor's cache when they
#: are copied.
_BATCH_ROWS: Final = 16_000
_NUMBERS: Final = ("strike", "open_interest", "bid", "ask", "iv", "spot", "multiplier")
_MOMENTS: Final = {"quote_ts": "quote_us", "known_at": "known_us", "expiry_ts": "expiry_us"}
_DAYS: Final = ("session", "expiry")
_WORDS: Final = ("settlement", "right", "root")
_READ: Final = (*_DAYS, "oi_asof", *_MOMENTS, *_NUMBERS, *_WORDS)
#: What official settlement prices are found by.
_SETTLED: Final = ("last", "source")
#: Stands for a day that is not known.
_NEVER: Final = -1


def opened_part(file: Path) -> pq.ParquetFile:
    """Return a chain file, its words as they are kept: numbers of few words."""
    return pq.ParquetFile(file, read_dictionary=[*_WORDS, "source"])


def is_plain(part: pq.ParquetFile) -> bool:
    """Return whether a file has all columns, in the types in which the lake writes them."""
    kept = part.schema_arrow
    return all(
        name in kept.names and kept.field(name).type == CODED_SCHEMA.field(name).type
        for name in (*_READ, *_SETTLED)
    )


def rows_between(
    part: pq.ParquetFile, first: date, last: date, settled: Collection[str]
) -> Iterator[Columns]:
    """Yield the columns of a file's rows, in its order, some at a time.

    Parameters
    ----------
    part : ParquetFile
        One that `is_plain`.
    first, last : date
        Row groups without a session between them are left out; other rows may come.
    settled : collection of str
        Sources whose ``last`` is an official settlement price.

    Yields
    ------
    dict of str to ndarray
        As `chain_reader.RawSession` describes them. They may be read-only.
    """
    groups = _groups_of(part.metadata, first, last)
    names = [*_READ, *(_SETTLED if settled else ())]
    for batch in part.iter_batches(
        _BATCH_ROWS, row_groups=groups, columns=names, use_threads=False
    ):
        yield _plain(batch, settled)


def _groups_of(kept: pq.FileMetaData, first: date, last: date) -> list[int]:
    """Return the row groups that may hold sessions between two days, both included."""
    place = kept.schema.to_arrow_schema().get_field_index("session")
    found = []
    for i in range(kept.num_row_groups):
        said = kept.row_group(i).column(place).statistics
        if said is None or not said.has_min_max or (said.min <= last and first <= said.max):
            found.append(i)
    return found


def _plain(batch: pa.RecordBatch, settled: Collection[str]) -> Columns:
    """Return the columns of a batch as plain numbers."""
    read = dict(zip(batch.schema.names, batch.columns, strict=True))
    columns: Columns = {name: _floats(read[name]) for name in _NUMBERS}
    columns |= {name: _whole(read[name], np.int32) for name in _DAYS}
    columns |= {us: _whole(read[name], np.int64) for name, us in _MOMENTS.items()}
    columns["oi_asof"] = _filled(read["oi_asof"], _NEVER)
    columns["kind"] = _is(read["settlement"], "AM") | (_is(read["right"], "C") << 1)
    columns["root_number"] = _root_numbers(read["root"])
    if settled:
        columns["settlement_price"] = _settlement_prices(read, settled)
    return columns


def _floats(column: pa.Array) -> npt.NDArray[np.float64]:
    """Return numbers, NaN where they are NULL; without NULL as a view of Arrow's memory."""
    found = numbers_of(column, np.float64)
    return np.where(_known_of(column), found, np.nan) if column.null_count else found


def _filled(column: pa.Array, value: int) -> npt.NDArray[np.int32]:
    """Return whole numbers or days, with a value in the place of NULL."""
    found = numbers_of(column, np.int32)
    return np.where(_known_of(column), found, np.int32(value)) if column.null_count else found


def _whole(column: pa.Array, kind: type[np.signedinteger[Any]]) -> npt.NDArray[Any]:
    """Return a column that is never NULL."""
    if column.null_count:
        raise LakeError(
            f"a chain file holds {column.null_count} contracts without a day or moment, which no "
            "ingest writes: ingest its sessions again"
        )
    return numbers_of(column, kind)


def _is(column: pa.DictionaryArray, word: str) -> npt.NDArray[np.uint8]:
    """Return 1 where a column that is never NULL holds a word, else 0."""
    if column.null_count:
        raise LakeError(
            f"a chain file holds {column.null_count} contracts without a right or a settlement, "
            "which no ingest writes: ingest its sessions again"
        )
    words = column.dictionary.to_pylist()
    if word not in words:
        return np.zeros(len(column), np.uint8)
    here: npt.NDArray[np.uint8] = numbers_of(column.indices, np.int32) == words.index(word)
    return here.view(np.uint8)


def _root_numbers(column: pa.DictionaryArray) -> npt.NDArray[np.uint64]:
    """Return a number per root, 0 where it is unknown."""
    numbers = np.array([*map(_number_of, column.dictionary.to_pylist()), 0], np.uint64)
    if len(numbers) == 2 and not column.null_count:
        return np.full(len(column), numbers[0])
    found: npt.NDArray[np.uint64] = numbers[_filled(column.indices, len(numbers) - 1)]
    return found


@lru_cache(maxsize=4096)
def _number_of(root: str | None) -> int:
    """Return a number that another root shares as seldom as 64 bits allow; 0 of none."""
    if root is None:
        return 0
    return int.from_bytes(blake2b(root.encode(), digest_size=8).digest(), "little") or 1


def _settlement_prices(
    read: dict[str, pa.Array], settled: Collection[str]
) -> npt.NDArray[np.float64]:
    """Return official settlement prices of contracts without quotes; NaN where there is none."""
    words = read["source"].dictionary.to_pylist()
    says = np.array([*(word in settled for word in words), False])
    codes = _filled(read["source"].indices, len(words))
    quoted = _known_of(read["bid"]) | _known_of(read["ask"])
    price = _floats(read["last"])
    return np.where(says[codes] & ~quoted & ~(price <= 0.0), price, np.nan)


def _known_of(column: pa.Array) -> npt.NDArray[np.bool_]:
    """Return which values of a column are not NULL."""
    memory = column.buffers()[0]
    if memory is None or not column.null_count:
        return np.ones(len(column), np.bool_)
    begin, end = column.offset, column.offset + len(column)
    bits = np.unpackbits(np.frombuffer(memory, np.uint8), count=end, bitorder="little")
    return bits[begin:].view(np.bool_)
