"""What a reader yields of users' files: rows as the vendor wrote them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Collection
    from concurrent.futures import Future
    from pathlib import Path

    import duckdb

__all__ = ["InputFile", "RawTable", "SecondReading"]


@dataclass(frozen=True, slots=True)
class InputFile:
    """A file to be read.

    Attributes
    ----------
    path : Path
        Where its bytes are, perhaps a temporary copy taken out of an archive.
    label : str
        What the user calls it, for messages and for the record: the absolute path, with
        ``!member`` where it came out of an archive.
    digest : str or Future of str
        SHA-256 of its bytes, perhaps still being worked out: `fingerprint` waits for it.
    work : Path or None
        A folder for temporary copies.
    encoding : str or None
        Of its text, where the user says so.
    """

    path: Path
    label: str
    digest: str | Future[str]
    work: Path | None = None
    encoding: str | None = None

    @property
    def fingerprint(self) -> str:
        """SHA-256 of its bytes."""
        return self.digest if isinstance(self.digest, str) else self.digest.result()


@dataclass(frozen=True, slots=True)
class SecondReading:
    """Another way to read the rows of a relation of text.

    Attributes
    ----------
    of : DuckDBPyRelation
        Which relation: a table whose relation is another one by now cannot be read this way.
    with_numbers : callable
        Takes names of its columns and returns the same rows with these read as DOUBLE, which is
        faster, and an error where a cell is not a number.
    """

    of: duckdb.DuckDBPyRelation
    with_numbers: Callable[[Collection[str]], duckdb.DuckDBPyRelation]


@dataclass(frozen=True, slots=True)
class RawTable:
    """What a reader yields: rows as the vendor wrote them.

    Attributes
    ----------
    relation : DuckDBPyRelation
        The vendor's columns, `file_index` (BIGINT: position in `files`) and `file_row` (BIGINT:
        ascending within a file).
    files : tuple of InputFile
        The files it is read from.
    ambiguous : frozenset of str
        Column names that occur twice in the file, and thus may not be used.
    rereading : SecondReading, optional
        For text: how it is read faster, as long as `relation` is the one that was read.
    header : tuple of str
        For text: the columns that its header line names; a row that repeats it is no data.
    head : DuckDBPyRelation, optional
        For large text: the first rows, read from a small copy.
    columnar : bool
        One column can be read without the others.
    zones : tuple of str
        Time zones that the types of the files' columns state.
    implied_spot : bool
        The files state no spot; put-call parity is to imply it.
    """

    relation: duckdb.DuckDBPyRelation
    files: tuple[InputFile, ...]
    ambiguous: frozenset[str] = frozenset()
    rereading: SecondReading | None = None
    header: tuple[str, ...] = ()
    head: duckdb.DuckDBPyRelation | None = None
    columnar: bool = False
    zones: tuple[str, ...] = ()
    implied_spot: bool = False

    @property
    def with_numbers(self) -> Callable[[Collection[str]], duckdb.DuckDBPyRelation] | None:
        """What reads the same rows faster, None where nothing does."""
        reread = self.rereading
        return None if reread is None or reread.of is not self.relation else reread.with_numbers
