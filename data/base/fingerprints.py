"""Fingerprints: what was read, and whether the rows of a session changed."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from .schema import CHAIN_COLUMNS

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["file_fingerprint", "session_fingerprint"]

#: `source` says where rows were read, not what they are: the same rows read from a file that
#: grew by a day keep their fingerprint, and nothing has to be rebuilt for them.
_CONTENT: Final = tuple(name for name in CHAIN_COLUMNS if name != "source")


def file_fingerprint(path: Path) -> str:
    """Return the SHA-256 of a file's bytes, 64 hexadecimal digits.

    Parameters
    ----------
    path : Path

    Returns
    -------
    str
    """
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def session_fingerprint(rows: Any) -> str:
    """Return the SHA-256 of one session's canonical rows.

    Parameters
    ----------
    rows : pyarrow.Table
        Canonical rows of one session in the lake's order. NULL and every value count, the
        column `source` does not.

    Returns
    -------
    str
        64 hexadecimal digits: the same rows give the same digits on every machine.
    """
    digest = hashlib.sha256()
    for name in _CONTENT:
        column = _in_one(rows.column(name))
        digest.update(f"{name}:{len(column)}:".encode())
        digest.update(_validity(column))
        digest.update(_values(column))
    return digest.hexdigest()


def _in_one(column: Any) -> Any:
    return column.chunk(0) if column.num_chunks == 1 else column.combine_chunks()


def _validity(column: Any) -> bytes:
    """Return one bit per value, the first in the highest bit; the last byte is filled with 0."""
    count, missing = len(column), column.null_count
    if missing == count:
        return bytes((count + 7) // 8)
    if missing:
        return bytes(np.packbits(column.is_valid().to_numpy(zero_copy_only=False)).tobytes())
    full, left = divmod(count, 8)
    return b"\xff" * full + (bytes([256 - (1 << (8 - left))]) if left else b"")


def _values(column: Any) -> Any:
    """Return 8 bytes per value, zero where it is NULL."""
    if column.null_count == len(column):
        return bytes(8 * len(column))
    if pa.types.is_string(column.type) or pa.types.is_dictionary(column.type):
        return _text(column)
    if pa.types.is_floating(column.type):
        # adding zero turns -0.0 into 0.0: equal numbers have equal bytes
        return (_filled(column, 0.0) + 0.0).astype("<f8", copy=False)
    width = pa.int32() if pa.types.is_date(column.type) else pa.int64()
    return _filled(column.cast(width), 0).astype("<i8", copy=False)


def _filled(column: Any, value: float) -> Any:
    full = pc.fill_null(column, value) if column.null_count else column
    return full.to_numpy(zero_copy_only=False)


def _text(column: Any) -> Any:
    """Return 8 bytes per value, zero where it is NULL, whatever the order of the dictionary."""
    encoded = column if pa.types.is_dictionary(column.type) else column.dictionary_encode()
    words = encoded.dictionary.to_pylist()
    keys = [hashlib.sha256(word.encode()).digest()[:8] for word in words] + [bytes(8)]
    codes = _filled(encoded.indices, len(words))
    return np.frombuffer(b"".join(keys), dtype="<u8")[codes]
