"""Text as people have it: encodings, line ends and trailing commas, made plain before reading."""

from __future__ import annotations

import codecs
import csv
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING, Final
from uuid import uuid4

from ..base.errors import InputFileError

if TYPE_CHECKING:
    from pathlib import Path

    from .raw_table import InputFile

__all__ = ["TextTable", "plain_text"]

_HEAD_BYTES: Final = 1 << 20
_CHUNK: Final = 1 << 20
#: How far a header is looked for below the lines of a title.
_TITLE_LINES: Final = 12
_TITLE_BYTES: Final = 1 << 14
_DELIMITERS: Final = (",", "\t", ";", "|")
_MARKS: Final = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


@dataclass(frozen=True, slots=True)
class TextTable:
    """A delimited text file that can be read as it is.

    Attributes
    ----------
    file : InputFile
        Its path leads to UTF-8 text with one kind of line end.
    header : str
        Its header line.
    delimiter : str
    trailing : bool
        Data lines end in a delimiter that the header lacks.
    """

    file: InputFile
    header: str
    delimiter: str
    trailing: bool


def plain_text(file: InputFile, encoding: str | None) -> TextTable:
    """Return a text file as one that can be read, copied beside it where its bytes must change.

    Parameters
    ----------
    file : InputFile
    encoding : str, optional
        What the user says; else the byte order mark decides, and UTF-8 where there is none.

    Raises
    ------
    InputFileError
        If it is no text in that encoding, or no table.
    """
    with file.path.open("rb") as stream:
        head = stream.read(_HEAD_BYTES)
    found = encoding or _encoding_of(head)
    if found is not None and found != "utf-8-sig" and not _is_utf8(found):
        file, head = _transcoded(file, found)
    elif _mixed_ends(head):
        file, head = _transcoded(file, "utf-8-sig")
    above = _lines_above(head)
    if above:
        file, head = _transcoded(file, "utf-8-sig", above)
    header, first = _first_lines(file, head)
    delimiter = max(_DELIMITERS, key=header.count)
    return TextTable(file, header, delimiter, _trailing(header, first, delimiter))


def _encoding_of(head: bytes) -> str | None:
    """Return the encoding that the first bytes show: by a mark, or by every other being zero."""
    marked = next((name for mark, name in _MARKS if head.startswith(mark)), None)
    start = head[:64]
    if marked is not None or len(start) < 4:
        return marked
    if not any(start[1::2]) and all(start[::2]):
        return "utf-16-le"
    return "utf-16-be" if not any(start[::2]) and all(start[1::2]) else None


def _is_utf8(name: str) -> bool:
    try:
        return codecs.lookup(name).name in ("utf-8", "ascii")
    except LookupError:
        return False


def _mixed_ends(head: bytes) -> bool:
    windows, all_ends = head.count(b"\r\n"), head.count(b"\n")
    return 0 < windows < all_ends


def _lines_above(head: bytes) -> int:
    """Return how many lines of a title stand above the header: they hold no separator, it does."""
    text = head[:_TITLE_BYTES].removeprefix(codecs.BOM_UTF8).decode("utf-8", errors="replace")
    lines = text.splitlines()[:_TITLE_LINES]
    if not lines or any(mark in lines[0] for mark in _DELIMITERS if mark != ","):
        return 0
    for i, (line, below) in enumerate(pairwise(lines)):
        for mark in _DELIMITERS:
            columns = line.count(mark)
            if columns >= 3:
                # a title may hold a comma or two, as in "as of January 12, 2024"
                title = all(above.count(mark) < min(columns, 3) for above in lines[:i])
                return i if title and below.count(mark) >= columns else 0
    return 0


def _transcoded(file: InputFile, encoding: str, above: int = 0) -> tuple[InputFile, bytes]:
    """Return a copy in UTF-8 with one kind of line end, without the lines above its header."""
    target = _beside(file)
    try:
        with (
            file.path.open("r", encoding=encoding, newline=None) as source,
            target.open("w", encoding="utf-8", newline="\n") as copy,
        ):
            for _ in range(above):
                source.readline()
            while chunk := source.read(_CHUNK):
                copy.write(chunk)
    except LookupError as error:
        raise InputFileError(
            f"encoding {encoding!r} is unknown: use a name such as utf-8, cp1252, cp950, shift_jis "
            "or gb18030"
        ) from error
    except UnicodeError as error:
        raise InputFileError(
            f"{file.label} is not {encoding} ({str(error)[:120]}): state its encoding in the map, "
            'e.g. encoding = "cp1252"'
        ) from error
    with target.open("rb") as stream:
        return replace(file, path=target), stream.read(_HEAD_BYTES)


def _beside(file: InputFile) -> Path:
    """Return a fresh path in the folder of temporary files."""
    if file.work is None:
        raise InputFileError(f"{file.label} has to be rewritten to be read: convert it to UTF-8")
    return file.work / f"{uuid4().hex}{file.path.suffix.lower()}"


def _first_lines(file: InputFile, head: bytes) -> tuple[str, list[str]]:
    lines = head.removeprefix(codecs.BOM_UTF8).splitlines()[:4]
    try:
        text = [line.decode("utf-8") for line in lines[:1]]
    except UnicodeDecodeError as error:
        raise InputFileError(
            f"{file.label}: the header is not UTF-8 (byte {error.start}): state the encoding in "
            'the map, e.g. encoding = "cp950" (shift_jis, gb18030, cp1252), or convert the file '
            "with iconv -t UTF-8"
        ) from error
    if not text or not text[0].strip() or "\x00" in text[0]:
        raise InputFileError(
            f"{file.label}: the first line is not a header of column names: this is no table in "
            "text; export it again, or leave the file out"
        )
    return text[0], [line.decode("utf-8", errors="replace") for line in lines[1:3]]


def _trailing(header: str, lines: list[str], delimiter: str) -> bool:
    """Return whether data lines have one field more than the header, and nothing in it."""
    try:
        names, *rows = csv.reader([header, *(line for line in lines if line)], delimiter=delimiter)
    except csv.Error:
        return False
    return bool(rows) and all(len(row) == len(names) + 1 and row[-1] == "" for row in rows)
