"""Fingerprints: what was read, and whether the rows of a session changed."""

from __future__ import annotations

import hashlib
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from .schema import CHAIN_COLUMNS

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    import numpy.typing as npt

    _Room = npt.NDArray[np.int64]
    _Laying = Callable[[int, int, _Room], None]

__all__ = ["file_fingerprint", "session_fingerprint", "session_fingerprints"]

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
    # a session's values fit into the processor's cache, those of all sessions do not
    room = np.empty(max((end - start for start, end in spans), default=0), dtype="<i8")
    for name in _CONTENT:
        column = _in_one(rows.column(name))
        validity, lay = _validity(column), _laying(column)
        for digest, (start, end) in zip(digests, spans, strict=True):
            here: Any = room[: end - start]
            lay(start, end, here)
            digest.update(f"{name}:{end - start}:".encode())
            digest.update(_bits(validity, start, end))
            digest.update(here)
    return [digest.hexdigest() for digest in digests]


def _in_one(column: Any) -> Any:
    return column.chunk(0) if column.num_chunks == 1 else column.combine_chunks()


def _validity(column: Any) -> Any:
    """Return whether each value is there; one flag where that is the same of all."""
    if column.null_count in (0, len(column)):
        return column.null_count == 0
    return column.is_valid().to_numpy(zero_copy_only=False)


def _bits(validity: Any, start: int, end: int) -> bytes:
    """Return one bit per value, the first in the highest bit; the last byte is filled with 0."""
    if not isinstance(validity, bool):
        return bytes(np.packbits(validity[start:end]).tobytes())
    full, left = divmod(end - start, 8)
    if not validity:
        return bytes(full + bool(left))
    return b"\xff" * full + (bytes([256 - (1 << (8 - left))]) if left else b"")


def _laying(column: Any) -> _Laying:
    """Return what lays out the values of a span, 8 bytes each, zero where NULL."""
    if column.null_count == len(column):
        return _lay_zeros
    if pa.types.is_string(column.type) or pa.types.is_dictionary(column.type):
        return _laying_text(column)
    if pa.types.is_floating(column.type):
        numbers = _filled(column, 0.0)

        def lay_numbers(start: int, end: int, room: _Room) -> None:
            # adding zero turns -0.0 into 0.0: equal numbers have equal bytes
            np.add(numbers[start:end], 0.0, out=room.view("<f8"))

        return lay_numbers
    width = pa.int32() if pa.types.is_date(column.type) else pa.int64()
    counts = _filled(column.cast(width), 0)

    def lay_counts(start: int, end: int, room: _Room) -> None:
        room[:] = counts[start:end]

    return lay_counts


def _lay_zeros(start: int, end: int, room: _Room) -> None:
    room[:] = 0


def _filled(column: Any, value: float) -> Any:
    full = pc.fill_null(column, value) if column.null_count else column
    return full.to_numpy(zero_copy_only=False)


def _laying_text(column: Any) -> _Laying:
    """Return what lays out 8 bytes of each word's digest, whatever the dictionary's order."""
    encoded = column if pa.types.is_dictionary(column.type) else column.dictionary_encode()
    words = encoded.dictionary.to_pylist()
    digests = [hashlib.sha256(word.encode()).digest()[:8] for word in words] + [bytes(8)]
    keys = np.frombuffer(b"".join(digests), dtype="<i8")
    codes = _filled(encoded.indices, len(words))

    def lay_words(start: int, end: int, room: _Room) -> None:
        room[:] = keys[codes[start:end]]

    return lay_words
