"""Values that stand in the names of files and folders."""

from __future__ import annotations

import hashlib
import re
from dataclasses import replace
from pathlib import PurePath
from typing import TYPE_CHECKING, Final
from urllib.parse import unquote

from ..base.errors import InputFileError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .vendor_preset import InputFile, RawTable

__all__ = ["FILENAME", "FOLDER", "path_texts", "with_path"]

#: Columns that every file has: its name without suffixes, and the name of its folder.
FILENAME: Final = "filename"
FOLDER: Final = "folder"
_PATTERN: Final = "re:"
_DATE: Final = re.compile(r"(?<!\d)(\d{4}-\d{2}-\d{2}|\d{4}_\d{2}_\d{2}|\d{8})(?!\d)")
_DAYS: Final = ("session", "expiry", "oi_asof", "quote_ts", "known_at")


def path_texts(table: RawTable, column: str, name: str) -> list[str | None] | None:
    """Return what the path of each file of a table says under a column, None if it says nothing.

    Parameters
    ----------
    table : RawTable
    column : str
        The key of a folder such as ``symbol=SPY``; ``filename``; ``folder``; or ``re:`` and a
        regular expression with a group.
    name : str
        The canonical name that it is for: of a file's name, dates are taken out of their
        surroundings.

    Raises
    ------
    InputFileError
        If an expression does not fit a file's path.
    """
    paths = [file.label.replace("!", "/") for file in table.files]
    if column.startswith(_PATTERN):
        return [_matched(path, column.removeprefix(_PATTERN), name) for path in paths]
    if column.casefold() == FOLDER:
        return [PurePath(path).parent.name for path in paths]
    if column.casefold() == FILENAME:
        stems = [PurePath(path).name.partition(".")[0] for path in paths]
        return [_date_in(stem) if name in _DAYS else stem for stem in stems]
    found = [_of_folder(path, column) for path in paths]
    return None if all(text is None for text in found) else found


def with_path(file: InputFile, columns: Sequence[str], patterns: Sequence[str]) -> InputFile:
    """Return a file whose fingerprint also covers what is read out of its path.

    Two files of equal bytes in ``symbol=SPY`` and ``symbol=QQQ`` are two.
    """
    path = file.label.replace("!", "/")
    said = [(c, found) for c in columns if (found := _of_folder(path, c)) is not None]
    said += [(c, path) for c in columns if c.casefold() in (FILENAME, FOLDER)]
    said += [(p, path) for p in patterns]
    if not said:
        return file
    digest = hashlib.sha256(f"{file.fingerprint}{sorted(said)}".encode()).hexdigest()
    return replace(file, digest=digest)


def _matched(path: str, pattern: str, name: str) -> str:
    found = re.search(pattern, path)
    if found is None or found[1] is None:
        raise InputFileError(
            f"{path}: its path does not fit the pattern {pattern!r} for {name}: correct [path]"
        )
    return found[1]


def _date_in(stem: str) -> str:
    found = _DATE.search(stem)
    return found[1].replace("_", "-") if found else stem


def _of_folder(path: str, column: str) -> str | None:
    for part in PurePath(path).parts[:-1]:
        key, sign, value = part.partition("=")
        if sign and key.casefold() == column.strip().casefold():
            return None if value == "__HIVE_DEFAULT_PARTITION__" else unquote(value)
    return None
