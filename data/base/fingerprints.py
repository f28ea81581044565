"""Fingerprints: what was read, and whether the rows of a session changed."""

from __future__ import annotations

import hashlib
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pyarrow as pa

from .arrow_values import plain
from .schema import CHAIN_COLUMNS

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

__all__ = ["file_fingerprint", "session_fingerprint", "session_fingerprints"]

#: `source` says where rows were read, not what they are: the same rows read from a file that
#: grew by a day keep their fingerprint, and nothing has to be rebuilt for them.
_CONTENT: Final = tuple(name for name in CHAIN_COLUMNS if name != "source")

#: The bits of -0.0.
_MINUS_ZERO: Final = np.iinfo(np.int64).min
#: Rows of a session up to which all of its columns are laid together.
_SMALL: Final = 4096


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
    [found] = session_fingerprints(rows, [0, len(rows)])
    return found


def session_fingerprints(rows: Any, edges: Sequence[int]) -> list[str]:
    """Return what `session_fingerprint` gives of each of several sessions that follow each other.

    Parameters
    ----------
    rows : pyarrow.Table
        Canonical rows in the lake's order.
    edges : sequence of int
        Where sessions begin, and the number of rows.
    """
    spans = list(pairwise(edges))
    digests = [hashlib.sha256() for _ in spans]
    longest = max((end - start for start, end in spans), default=0)
    zeros = np.zeros(longest, dtype="<i8")
    small = longest <= _SMALL
    for names in [_CONTENT] if small else [(name,) for name in _CONTENT]:
        laid = [(f"{name}:".encode(), *_laid_out(_in_one(rows.column(name)))) for name in names]
        for digest, (start, end) in zip(digests, spans, strict=True):
            count, parts = end - start, list[Any]()
            said, same = b"%d:" % count, (_same_bits(False, count), _same_bits(True, count))
            for name, there, values in laid:
                bits = same[there] if isinstance(there, bool) else _bits(there[start:end])
                parts += name, said, bits, zeros[:count] if values is None else values[start:end]
            # of a small session at once: to wait for the interpreter's lock takes longer than this
            for part in [b"".join(parts)] if small else parts:
                digest.update(part)
    return [digest.hexdigest() for digest in digests]


def _in_one(column: Any) -> Any:
    return column.chunk(0) if column.num_chunks == 1 else column.combine_chunks()


def _validity(column: Any) -> Any:
    """Return whether each value is there; one flag where that is the same of all."""
    if column.null_count in (0, len(column)):
        return column.null_count == 0
    return plain(column.is_valid())


def _bits(validity: Any) -> bytes:
    """Return one bit per value, the first in the highest bit; the last byte is filled with 0."""
    return bytes(np.packbits(validity).tobytes())


def _same_bits(validity: bool, count: int) -> bytes:
    """Return what `_bits` gives where all values are there, or none."""
    full, left = divmod(count, 8)
    if not validity:
        return bytes(full + bool(left))
    return b"\xff" * full + (bytes([256 - (1 << (8 - left))]) if left else b"")


def _laid_out(column: Any) -> tuple[Any, Any]:
    """Return whether values are there, and 8 bytes of each, zero where NULL; None: all are zero."""
    validity = _validity(column)
    if validity is False:
        return validity, None
    if pa.types.is_string(column.type) or pa.types.is_dictionary(column.type):
        return validity, _words_laid_out(column)
    if pa.types.is_floating(column.type):
        numbers = plain(column, 0)
        # adding zero turns -0.0 into 0.0: equal numbers have equal bytes
        bits = numbers.view("<i8")
        return validity, (numbers + 0.0).view("<i8") if (bits == _MINUS_ZERO).any() else bits
    return validity, plain(column, 0).astype("<i8", copy=False)


def _words_laid_out(column: Any) -> Any:
    """Return 8 bytes of each word's digest, whatever the dictionary's order."""
    encoded = column if pa.types.is_dictionary(column.type) else column.dictionary_encode()
    words = encoded.dictionary.to_pylist()
    digests = [hashlib.sha256(word.encode()).digest()[:8] for word in words] + [bytes(8)]
    keys = np.frombuffer(b"".join(digests), dtype="<i8")
    return keys.take(plain(encoded.indices, len(words)))
