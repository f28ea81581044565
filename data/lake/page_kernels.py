"""Loops over the bytes of Parquet pages: their headers, and values that are kept as codes.

The format is described in https://github.com/apache/parquet-format: parquet.thrift (headers, in
Thrift's compact protocol) and Encodings.md (values). No loop reads beyond the bytes that it was
given, whatever they are.
"""

from __future__ import annotations

from typing import Final, TypeAlias

import numpy as np
import numpy.typing as npt

from ..base.compiling import compiled

__all__ = [
    "AT",
    "CHUNK",
    "CODES",
    "DATA",
    "DICTIONARY",
    "ENCODING",
    "FIRST",
    "KIND",
    "MARGIN",
    "PACKED",
    "PLAIN",
    "ROWS",
    "SIZE",
    "fill_columns",
    "walk_pages",
]

Bytes: TypeAlias = npt.NDArray[np.uint8]
Words: TypeAlias = npt.NDArray[np.uint64]
Ints: TypeAlias = npt.NDArray[np.int64]

#: Columns of a table of pages. Of its header, in its order: the kind, bytes when decompressed and
#: as they are, values, and their encoding; then which chunk it is of, where its bytes begin, and
#: how many rows of the chunk come before it.
KIND, SIZE, PACKED, ROWS, ENCODING, CHUNK, AT, FIRST = range(8)
#: Kinds of pages; there are others, of version 2 for example.
DATA, DICTIONARY = 0, 2
#: Encodings: values one after the other, or codes of values in a dictionary, by two names.
PLAIN, CODES = 0, (2, 8)
#: What a table of asked columns says of each: its pages and its dictionary's values, from and to;
#: bits that say whether a value is there; bytes of a plain value; what stands for a missing one.
_PAGES, _PAGES_END, _WORDS, _WORDS_END, _LEVEL, _WIDTH, _MISSING = range(7)
#: Bytes behind the last page: values are taken from memory sixteen bytes at a time.
MARGIN: Final = 16
#: Kinds of fields in Thrift's compact protocol.
_YES, _NO, _SHORT, _LONG, _BINARY, _STRUCT = 1, 2, 4, 6, 8, 12
#: Structs inside each other: a header has three.
_DEEPEST: Final = 4
#: Of loops that only other loops call: without a door for Python they are compiled faster.
_INNER: Final = {"nogil": True, "no_cpython_wrapper": True, "no_cfunc_wrapper": True}


@compiled(nogil=True)
def walk_pages(raw: Bytes, edges: Ints, rows: int, table: Ints) -> int:
    """Fill a table of the pages of chunks, and return their number.

    Parameters
    ----------
    raw : ndarray of uint8
        Chunks, one after the other.
    edges : ndarray of int64, shape (k + 1,)
        Where each begins, and the end of the last.
    rows : int
        Of every chunk.
    table : ndarray of int64, shape (pages, 8)
        Where it has fewer rows than there are pages, these are only counted.

    Returns
    -------
    int
        -1 where a header is not understood, or there are others than `rows` rows.
    """
    found, fields = 0, np.empty(_DEEPEST, np.int64)
    for chunk in range(edges.size - 1):
        at, stop, before = edges[chunk], edges[chunk + 1], 0
        while at < stop:
            p = found if found < table.shape[0] else 0
            at = _header(raw, at, stop, table, p, fields)
            if at < 0 or table[p, PACKED] < 0 or table[p, ROWS] < 0:
                return -1
            table[p, CHUNK], table[p, AT], table[p, FIRST] = chunk, at, before
            before += table[p, ROWS] if table[p, KIND] == DATA else 0
            at += table[p, PACKED]
            found += 1
        if at != stop or before != rows:
            return -1
    return found


@compiled(**_INNER)
def _header(raw: Bytes, at: int, stop: int, table: Ints, p: int, last: Ints) -> int:
    """Take from a page's header what the table says of it; return where it ends, -1 if nowhere.

    `last` is room for the number of the last field of each of the structs inside each other.
    """
    for i in range(8):
        table[p, i] = -1
    last[0], depth = 0, 0
    while at < stop:
        step, kind = int(raw[at]) >> 4, int(raw[at]) & 15
        at += 1
        if kind == 0:
            if depth == 0:
                return at
            depth -= 1
            continue
        last[depth] += step
        if kind == _STRUCT and depth + 1 < _DEEPEST:
            depth += 1
            last[depth] = 0
        elif kind == _BINARY:
            number, at = _number(raw, at, stop)
            at += number
        elif _SHORT <= kind <= _LONG:
            number, at = _number(raw, at, stop)
            column = last[depth] - 1 + 3 * depth
            if depth < 2 and last[depth] <= 3 - depth:
                table[p, column] = (number >> 1) ^ -(number & 1)
        elif kind != _YES and kind != _NO:
            return -1
    return -1


@compiled(**_INNER)
def _number(raw: Bytes, at: int, stop: int) -> tuple[int, int]:
    """Return a number of seven bits a byte, the lowest first, and where it ends."""
    number, shift = 0, 0
    while at < stop and shift < 35:
        byte = int(raw[at])
        at += 1
        number |= (byte & 127) << shift
        shift += 7
        if byte < 128:
            return number, at
    return 0, stop


@compiled(nogil=True)
def fill_columns(
    memory: Words, pages: Ints, asked: Ints, words: Ints, begin: int, end: int,
    out: Ints, missing: Ints,
) -> bool:  # fmt: skip
    """Put the values of some rows into arrays, as the 64 bits that they are.

    Parameters
    ----------
    memory : ndarray of uint64
        Decompressed pages, and `MARGIN` bytes more.
    pages : ndarray of int64, shape (pages, 8)
        Where they are in it; those of a column follow each other.
    asked : ndarray of int64, shape (k, 7)
        Columns.
    words : ndarray of int64
        0 and 1, then the values of the columns' dictionaries.
    begin, end : int
        Rows: the first, and one past the last.
    out : ndarray of int64, shape (k, end - begin)
        Filled.
    missing : ndarray of int64, shape (k,)
        Filled with the number of missing values.

    Returns
    -------
    bool
        Whether the pages were whole.
    """
    for k in range(asked.shape[0]):
        done, missing[k] = begin, 0
        for p in range(asked[k, _PAGES], asked[k, _PAGES_END]):
            first, stop = pages[p, FIRST], min(pages[p, FIRST] + pages[p, ROWS], end)
            if pages[p, KIND] == DATA and first <= done < stop:
                values = out[k, done - begin : stop - begin]
                lacking = _fill(memory, pages, p, asked, k, words, done - first, values)
                if lacking < 0:
                    return False
                missing[k] += lacking
                done = stop
        if done != end:
            return False
    return True


@compiled(**_INNER)
def _fill(
    memory: Words, pages: Ints, p: int, asked: Ints, k: int, words: Ints, skip: int, out: Ints
) -> int:
    """Fill in values of a page from a row on; return how many are missing, -1 if it is torn."""
    at, stop = pages[p, AT], pages[p, AT] + pages[p, SIZE]
    levels, level = at + 4, asked[k, _LEVEL]
    before, known = skip, out.size
    if level:
        at = levels + (_bits(memory, at * 8) & 0xFFFFFFFF)
        if at > stop:
            return -1
        before = _count(memory, levels, at, level, skip)
        known = _count(memory, levels, at, level, skip + out.size) - before
        if before < 0 or known < 0:
            return -1
    if pages[p, ENCODING] == PLAIN:
        whole = _copy(memory, at, stop, asked[k, _WIDTH], before, out, known)
    else:
        first, last = asked[k, _WORDS], asked[k, _WORDS_END]
        width = _bits(memory, at * 8) & 255
        whole = _decode(memory, at + 1, stop, width, words, first, last, before, out, known)
    if whole and known < out.size:
        whole = _spread(memory, levels, at, level, words, skip, out, known, asked[k, _MISSING])
    return out.size - known if whole else -1


@compiled(**_INNER)
def _spread(
    memory: Words, at: int, stop: int, level: int, words: Ints, skip: int, out: Ints, known: int,
    missing: int,
) -> bool:  # fmt: skip
    """Bring values that are there to their places, and what is missing between them."""
    flags = np.zeros(out.size, np.int64)
    if known and not _decode(memory, at, stop, level, words, 0, 2, skip, flags, out.size):
        return False
    for i in range(out.size - 1, -1, -1):
        known -= flags[i]
        out[i] = out[known] if flags[i] else missing
    return True


@compiled(**_INNER)
def _copy(memory: Words, at: int, stop: int, width: int, skip: int, out: Ints, count: int) -> bool:
    """Fill in plain values of 4 or 8 bytes, after some of them; return whether they are there."""
    at += skip * width
    if width == 0 or at + count * width > stop:
        return count == 0
    sign = 1 << (8 * int(width) - 1)
    for i in range(count):
        bits = _bits(memory, (at + i * width) * 8) & (2 * sign - 1)
        out[i] = (bits ^ sign) - sign
    return True


@compiled(**_INNER)
def _decode(
    memory: Words, at: int, stop: int, width: int, words: Ints, first: int, last: int,
    skip: int, out: Ints, count: int,
) -> bool:  # fmt: skip
    """Fill in the words whose codes are kept as runs or in bits, after some of them."""
    done, mask = 0, (1 << min(width, 32)) - 1
    while done < count:
        code, size, begin, at = _run(memory, at, stop, width)
        some = min(size - skip, count - done)
        if begin < 0 or code >= last - first:
            return False
        if code >= 0:
            word = words[first + code]
            for i in range(done, done + some):
                out[i] = word
        else:
            place = begin * 8 + skip * width
            for i in range(done, done + some):
                code = _bits(memory, place) & mask
                if code >= last - first:
                    return False
                out[np.uint64(i)] = words[np.uint64(first + code)]
                place += width
        done += max(some, 0)
        skip = max(skip - size, 0)
    return True


@compiled(**_INNER)
def _count(memory: Words, at: int, stop: int, width: int, rows: int) -> int:
    """Return how many of the first bits are set, which are kept as runs; -1 if there are fewer."""
    found = 0
    while rows > 0:
        code, size, begin, at = _run(memory, at, stop, width)
        if begin < 0:
            return -1
        some = min(size, rows)
        if code >= 0:
            found += some * code
        else:
            for i in range(0, some, 32):
                mask = (1 << min(some - i, 32)) - 1
                found += _ones(_bits(memory, begin * 8 + i) & mask)
        rows -= some
    return found


@compiled(**_INNER)
def _run(memory: Words, at: int, stop: int, width: int) -> tuple[int, int, int, int]:
    """Return the code of a run, how long it is, where its bytes begin and where they end.

    The code is -1 where there are groups of eight codes instead, of `width` bits each. Begin and
    end are -1 where the run is not whole.
    """
    head, shift, byte = 0, 0, 128
    while at < stop and shift < 35 and byte >= 128:
        byte = _bits(memory, at * 8) & 255
        at += 1
        head |= (byte & 127) << shift
        shift += 7
    if head & 1:
        code, size, end = -1, (head >> 1) * 8, at + (head >> 1) * width
    else:
        code = _bits(memory, at * 8) & ((1 << min(width, 32)) - 1)
        size, end = head >> 1, at + (width + 7) // 8
    if size == 0 or end > stop or width > 32:
        return 0, 0, -1, -1
    return code, size, at, end


@compiled(**_INNER)
def _bits(memory: Words, place: int) -> int:
    """Return the 64 bits from a place on.

    Numba does not ask whether an unsigned place counts from the end, which takes half the time.
    """
    shift, word = np.uint64(place & 63), np.uint64(place >> 6)
    low = memory[word] >> shift
    high = (memory[word + np.uint64(1)] << np.uint64(1)) << (np.uint64(63) - shift)
    return int(np.int64(low | high))


@compiled(**_INNER)
def _ones(bits: int) -> int:
    """Return how many of 32 bits are set."""
    bits -= (bits >> 1) & 0x55555555
    bits = (bits & 0x33333333) + ((bits >> 2) & 0x33333333)
    bits = (bits + (bits >> 4)) & 0x0F0F0F0F
    bits += bits >> 8
    return (bits + (bits >> 16)) & 0xFF
