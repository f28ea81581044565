"""A Delta table that only grows, beside those that the versions of a lake name.

What it holds is of no version of the lake: a commit adds rows after those of the one before, if no
other was first. Each commit states the digest of the one before and its own, and a mark the last.
"""

from __future__ import annotations

import hashlib
import uuid
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from ..base.errors import LakeError
from .data_files import file_damage, read_file, write_file
from .delta_log import TableShape, commit_lines, files_in, log_file, log_numbers, table_lines
from .mirror import address_of, remote_of
from .sealing import MARK, marked, put_mark, sealed, unsealed
from .storage import TakenError, at_once, has_log, put_new, read_kept, removed, same_as_kept

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import pyarrow as pa

    from .delta_log import DataFile

__all__ = ["TRIALS", "Grown", "RowTable", "is_mirror", "place_of", "row_table"]

#: The table of trials beside a lake's own.
TRIALS: Final = "trials"
_REMEDY: Final = "restore it from a copy"
#: Commits that are read at once, and remembered.
_BLOCK: Final = 64


@dataclass(frozen=True, slots=True, eq=False)
class Grown:
    """What a table holds.

    Attributes
    ----------
    number : int
        Of its last commit; -1 where it has none.
    digest : str
        Of that commit's file.
    rows : pyarrow.Table
        In the order in which they were added.
    """

    number: int
    digest: str
    rows: pa.Table


@dataclass(frozen=True, slots=True, eq=False)
class RowTable:
    """A table that only grows.

    Attributes
    ----------
    root : Path
        Of the lake, or another folder.
    name : str
    schema : pyarrow.Schema
    """

    root: Path
    name: str
    schema: pa.Schema

    @property
    def folder(self) -> Path:
        """Where it lies."""
        return self.root / self.name

    def exists(self) -> bool:
        """Return whether anything was ever written to it.

        Returns
        -------
        bool
        """
        return has_log(self.folder)

    def read(self) -> Grown:
        """Return what it holds now.

        Returns
        -------
        Grown

        Raises
        ------
        LakeError
            If anything of it is not what was written, or it has columns that are not known here.
        """
        import pyarrow as pa

        commits = _commits(self.folder)
        digest, pieces = "", list[pa.Table]()
        for first in range(0, len(commits), _BLOCK):
            block = tuple(commits[first : first + _BLOCK])
            read = _block if len(block) == _BLOCK else _read
            digest, more = read(self.root, self.name, first, digest, block)
            pieces += more
        known = [self._cast(piece) for piece in pieces]
        rows = pa.concat_tables(known) if known else self.schema.empty_table()
        return Grown(len(commits) - 1, digest, rows)

    def _cast(self, rows: pa.Table) -> pa.Table:
        if rows.schema.equals(self.schema):
            return rows
        raise LakeError(
            f"{self.folder}: its columns are not those that are known here: it was written by "
            "another version of gexlab; upgrade gexlab"
        )

    def append(self, after: Grown, rows: pa.Table) -> bool:
        """Add rows to what was read; return False where somebody has added others since.

        Parameters
        ----------
        after : Grown
            From `read`.
        rows : pyarrow.Table

        Returns
        -------
        bool

        Raises
        ------
        LakeError
            If it cannot be written.
        """
        number = after.number + 1
        # a name of its own: another writer may have the same rows, and loses its file
        stem = f"{number:020d}-{uuid.uuid4().hex[:12]}"
        file = write_file(self.root, self.name, {}, stem, rows.cast(self.schema))
        head = table_lines(self.name, TableShape(self.schema, ())) if number == 0 else []
        lines = commit_lines([file], [], operation="WRITE", head=head)
        content = sealed(lines, {"version": number, "previous": after.digest})
        try:
            put_new(log_file(self.folder, number), content)
        except TakenError:
            with suppress(OSError, LakeError):  # else vacuum finds it
                removed(self.folder / file.path)
            return False
        put_mark(self.folder, number, hashlib.sha256(content).hexdigest())
        return True

    def checked(self, *, quick: bool = False) -> Iterator[tuple[Path, str | None]]:
        """Yield every file of it, and what is wrong with it; None where nothing is.

        Parameters
        ----------
        quick : bool
            Of data presence, size and footer alone; otherwise every byte.

        Yields
        ------
        tuple of Path and str
        """
        numbers = log_numbers(self.folder)
        digest, digests = "", [(-1, "")]
        for number in range(numbers[-1] + 1 if numbers else 0):
            path = log_file(self.folder, number)
            try:
                content = read_kept(path)
                files = _files_of(content, number, digest)
            except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
                yield path, "gone" if isinstance(error, FileNotFoundError) else str(error)
                return  # what follows it cannot be told
            digest = hashlib.sha256(content).hexdigest()
            digests.append((number, digest))
            yield path, None
            for file in files:
                yield self.folder / file.path, file_damage(self.root, self.name, file, quick=quick)
        try:
            said = marked(self.folder)
        except LakeError as error:
            yield self.folder / MARK, str(error)
            return
        known = said in digests and (said[0] >= 0 or len(digests) == 1)
        wrong = "is not that of a commit: delete it, it is written again with the next one"
        yield self.folder / MARK, None if known else wrong

    def data_files(self) -> set[Path]:
        """Return the files that its commits name.

        Returns
        -------
        set of Path

        Raises
        ------
        LakeError
            If its log is not what was written.
        """
        return {
            self.folder / file.path
            for content in _commits(self.folder)
            for file in files_in(content.splitlines()).values()
        }


def row_table(root: Path, name: str, schema: pa.Schema | None = None) -> RowTable:
    """Return a table that only grows; without a schema it can be looked at, not read.

    Parameters
    ----------
    root : Path
    name : str
    schema : pyarrow.Schema, optional

    Returns
    -------
    RowTable
    """
    import pyarrow as pa

    return RowTable(root, name, pa.schema([]) if schema is None else schema)


def is_mirror(folder: Path) -> bool:
    """Return whether a folder stands for a place in an object store (see `folder_of_lake`).

    Parameters
    ----------
    folder : Path

    Returns
    -------
    bool
    """
    return remote_of(folder) is not None


def place_of(folder: Path) -> str:
    """Return what a folder is called: itself, or the address that it stands for.

    Parameters
    ----------
    folder : Path

    Returns
    -------
    str
    """
    found = remote_of(folder)
    below = "" if found is None else folder.relative_to(found.root).as_posix()
    return f"{address_of(folder)}/{below}" if below not in ("", ".") else address_of(folder)


def _commits(folder: Path) -> list[bytes]:
    """Return the commits of a table, as they are where it lies.

    Raises
    ------
    LakeError
        If one of them is gone.
    """
    said = marked(folder)[0]  # before the log is listed: others may commit in between
    numbers = log_numbers(folder)
    kept = next((n for n in reversed(numbers) if log_file(folder, n).is_file()), None)
    if kept is not None and not same_as_kept(log_file(folder, kept)):
        numbers = log_numbers(folder)  # another table lies there now
    last = numbers[-1] if numbers else -1
    if said > last:
        raise LakeError(
            f"{folder}: version {said} was written, but its log has gone: restore "
            f"{log_file(folder, said).name} from a copy; to go on from version {last} delete "
            f"{folder / MARK}"
        )
    try:
        return at_once(read_kept, [log_file(folder, number) for number in range(last + 1)])
    except OSError as error:
        raise LakeError(f"{folder}: its log cannot be read ({error}): {_REMEDY}") from error


def _read(
    root: Path, name: str, first: int, digest: str, commits: tuple[bytes, ...]
) -> tuple[str, tuple[pa.Table, ...]]:
    """Return the digest of the last of some commits, and the rows that they add."""
    files: list[DataFile] = []
    for number, content in enumerate(commits, first):
        try:
            files += _files_of(content, number, digest)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            path = log_file(root / name, number)
            raise LakeError(f"{path} cannot be read ({error}): {_REMEDY}") from error
        digest = hashlib.sha256(content).hexdigest()
    return digest, tuple(at_once(lambda file: read_file(root, name, file, _REMEDY), files))


#: The same, remembered: commits that are followed by others stay what they are.
_block = lru_cache(maxsize=256)(_read)


def _files_of(content: bytes, number: int, previous: str) -> list[DataFile]:
    """Return the files that a commit adds, if it is that which was written."""
    if unsealed(content, number)["previous"] != previous:
        raise ValueError("it does not follow the commit before")
    return list(files_in(content.splitlines()).values())
