"""Files that a table's log names, each read from its line when it is asked for.

A lake of thousands of underlyings names tens of thousands of files; who works on one of them need
not read what is said of the others.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, TypeAlias
from urllib.parse import quote, unquote

from ..base.errors import LakeError
from .naming import PREFIX, folder_of, name_in

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = [
    "DataFile",
    "LoggedFiles",
    "Said",
    "add_in",
    "inside",
    "lines_about",
    "path_said",
    "said_of",
]

#: A file of a table lies below its folder; any other name could lead elsewhere.
_INSIDE: Final = re.compile(r"(?:[A-Za-z0-9^$._=@+%-]+/)*[A-Za-z0-9^$._=@+%-]+\.parquet")
#: How a line that adds a file begins; paths are quoted, so that nothing in them is escaped.
_ADD: Final = b'{"add": {"path": "'


@dataclass(frozen=True, slots=True)
class DataFile:
    """A Parquet file of a table.

    Attributes
    ----------
    path : str
        Below the table's folder, with slashes.
    size, rows : int
    digest : str
        SHA-256 of its bytes.
    partition : dict of str to str
    first, last : str or None
        ISO sessions that it spans.
    tags : dict of str to str
        What the file holds, where its rows do not say it.
    """

    path: str
    size: int
    rows: int
    digest: str
    partition: dict[str, str]
    first: str | None = None
    last: str | None = None
    tags: dict[str, str] = field(default_factory=dict)


#: What a log says of a file: read already, a line of a commit, or a row of a checkpoint.
Said: TypeAlias = "DataFile | bytes | tuple[pa.ChunkedArray, int]"


class LoggedFiles(Mapping[str, DataFile]):
    """The files of a table at one version, by path.

    Parameters
    ----------
    said : dict of str to Said
        By path; nothing comes or goes once it is given.
    """

    __slots__ = ("_folders", "_said")

    def __init__(self, said: dict[str, Said]) -> None:
        self._said = said
        self._folders: dict[str, list[str]] | None = None

    def __getitem__(self, path: str) -> DataFile:
        """Return a file; it is read from the log once."""
        found = self._said[path]
        if not isinstance(found, DataFile):
            try:
                found = self._said[path] = said_of(found)
            except (ValueError, KeyError, TypeError, AttributeError) as error:
                raise LakeError(
                    f"what the log of a table says of {path} cannot be read "
                    f"({type(error).__name__}: {error}): restore the lake from a copy"
                ) from error
        return found

    def __iter__(self) -> Iterator[str]:
        """Iterate over the paths."""
        return iter(self._said)

    def __len__(self) -> int:
        """Return how many files there are."""
        return len(self._said)

    def underlyings(self) -> list[str]:
        """Return whose files there are, sorted."""
        return sorted(name_in(folder) for folder in self._by_folder() if folder.startswith(PREFIX))

    def of(self, underlying: str) -> list[DataFile]:
        """Return the files of one underlying."""
        return [self[path] for path in self._by_folder().get(folder_of(underlying), ())]

    def _by_folder(self) -> dict[str, list[str]]:
        """Return the paths in each folder, sorted out once: all names are asked for in turn."""
        if self._folders is None:
            self._folders = {}
            for path in self._said:
                self._folders.setdefault(path.partition("/")[0], []).append(path)
        return self._folders


def inside(underlying: str) -> str:
    """Return what the paths of an underlying's files begin with."""
    return f"{folder_of(underlying)}/"


def lines_about(content: bytes, underlying: str) -> list[bytes]:
    """Return the lines of a commit that name files of one underlying, in their order.

    All of them where files lie in no underlying's folder.
    """
    if f'"path": "{PREFIX}'.encode() not in content:
        return content.splitlines()
    mark = f'"path": "{quote(inside(underlying), safe="/=")}'.encode()
    found = []
    place = content.find(mark)
    while place >= 0:
        end = content.find(b"\n", place)
        end = len(content) if end < 0 else end
        found.append(content[content.rfind(b"\n", 0, place) + 1 : end])
        place = content.find(mark, end)
    return found


def add_in(line: bytes) -> tuple[str, Said] | None:
    """Return path and file of a line that adds one, None of others that do not remove one."""
    if line.startswith(_ADD):
        end = line.index(b'"', len(_ADD))
        return path_said(line[len(_ADD) : end].decode()), line
    action = json.loads(line)
    if "add" not in action:
        return None
    file = _read_add(action["add"])
    return file.path, file


def said_of(said: bytes | tuple[pa.ChunkedArray, int]) -> DataFile:
    """Return the file that a line of a commit or a row of a checkpoint names."""
    if isinstance(said, bytes):
        return _read_add(json.loads(said)["add"])
    column, row = said
    return _read_add(column[row].as_py(maps_as_pydicts="strict"))


def path_said(quoted: str) -> str:
    """Return the path of a file as a log quotes it.

    Raises
    ------
    ValueError
        If it leads elsewhere.
    """
    path = unquote(quoted)
    if not _INSIDE.fullmatch(path) or (".." in path and ".." in path.split("/")):
        raise ValueError(f"{path!r} is no name of a file of this table")
    return path


def _read_add(add: dict[str, Any]) -> DataFile:
    """Return the file of an ``add`` action.

    Raises
    ------
    ValueError
        If its path leads elsewhere.
    """
    path = path_said(add["path"])
    tags, stats = dict(add["tags"]), json.loads(add["stats"])
    least, most = stats.get("minValues", {}), stats.get("maxValues", {})
    return DataFile(
        path,
        add["size"],
        stats["numRecords"],
        tags.pop("sha256"),
        add["partitionValues"],
        least.get("session"),
        most.get("session"),
        tags,
    )
