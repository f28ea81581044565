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
    """Return the SHA-256 of a file's bytes, 64 hexadecimal digits."""
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
        column = rows.column(name).combine_chunks()
        digest.update(f"{name}:{len(column)}:".encode())
        digest.update(np.packbits(_valid(column)).tobytes())
        digest.update(_values(column))
    return digest.hexdigest()


def _valid(column: Any) -> Any:
    return pc.is_valid(column).to_numpy(zero_copy_only=False)


def _values(column: Any) -> bytes:
    if pa.types.is_string(column.type) or pa.types.is_dictionary(column.type):
        return _text(column)
    if pa.types.is_floating(column.type):
        # adding zero turns -0.0 into 0.0: equal numbers have equal bytes
        filled = pc.fill_null(column, 0.0).to_numpy() + 0.0
        return bytes(filled.astype("<f8").tobytes())
    width = pa.int32() if pa.types.is_date(column.type) else pa.int64()
    filled = pc.fill_null(column.cast(width), 0).to_numpy(zero_copy_only=False)
    return bytes(filled.astype("<i8").tobytes())


def _text(column: Any) -> bytes:
    """Return 8 bytes per value, zero where it is NULL, whatever the order of the dictionary."""
    encoded = column if pa.types.is_dictionary(column.type) else column.dictionary_encode()
    words = encoded.dictionary.to_pylist()
    keys = [hashlib.sha256(word.encode()).digest()[:8] for word in words] + [bytes(8)]
    codes = pc.fill_null(encoded.indices, len(words)).to_numpy(zero_copy_only=False)
    return bytes(np.frombuffer(b"".join(keys), dtype="<u8")[codes].tobytes())
