"""Parts of rebuilt tables, what one set of inputs means, and the marks of what rows depend on."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field, replace
from datetime import date
from typing import TYPE_CHECKING, Any, Final, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from .manifest import Manifest

__all__ = ["Marks", "Part", "Place", "Variant", "other_generations", "session_marks"]

#: Generations of rows after a version's own that it still recognises as another version's.
_LATER: Final = 8


@dataclass(frozen=True, slots=True)
class Place:
    """Where the rows of a part lie in a file that other parts share.

    Attributes
    ----------
    name : str
        Of the file.
    group, groups : int
        Its first row group, and how many are the part's.
    row, rows : int
        Its first row, and how many are the part's.
    begin, end : int
        Bytes of these row groups.
    tail : int
        Where the footer begins, which says how all bytes are read.
    """

    name: str
    group: int
    groups: int
    row: int
    rows: int
    begin: int
    end: int
    tail: int


@dataclass(frozen=True, slots=True)
class Part:
    """A set of Parquet files, one per table, and the sessions that they are valid for.

    Its files may be shared with the other book's part, and any file with others: each part has
    row groups of its own there.

    Attributes
    ----------
    name : str
        File name without its ending, the same in every table's folder.
    book : str
        The book of all of its rows.
    sessions : dict of str to str
        ISO session to the mark of what it was computed from.
    tables : tuple of str
        Those that it has.
    digests : dict of str to str
        Table to the SHA-256 of its file; of its own row groups and the footer where it is shared.
    version : int
        Of the lake, for which it was written; part of its files' names.
    places : dict of str to Place
        Table to where its rows lie, where they lie in files that others wrote together.
    group : int or None
        Its row group in each of its files, where the parts of both books of some sessions were
        written to the same files; None: its files hold no other rows.
    """

    name: str
    book: str
    sessions: dict[str, str]
    tables: tuple[str, ...]
    digests: dict[str, str] = field(default_factory=dict)
    version: int = 0
    places: dict[str, Place] = field(default_factory=dict)
    group: int | None = None

    @property
    def year(self) -> str:
        """The year of its sessions, four digits: all are of one."""
        return self.name[:4]

    @classmethod
    def of(
        cls,
        book: str,
        sessions: dict[str, str],
        tables: Iterable[str],
        group: int | None = None,
    ) -> Part:
        """Return the part of some sessions: its name says which, computed from what."""
        digest = hashlib.sha256("".join(sessions.values()).encode()).hexdigest()[:8]
        whose = book if group is None else "both"
        name = f"{min(sessions)}_{max(sessions)}_{whose}_{digest}"
        return cls(name, book, sessions, tuple(tables), group=group)

    @property
    def whole(self) -> bool:
        """Whether all of its rows count: its name says of which sessions it was made."""
        return Part.of(self.book, self.sessions, (), self.group).name == self.name

    def groups(self, table: str) -> list[int] | None:
        """Return the row groups of a table's file that hold its rows; None for all of them.

        Parameters
        ----------
        table : str

        Returns
        -------
        list of int or None
        """
        place = self.places.get(table)
        if place is not None:
            return list(range(place.group, place.group + place.groups))
        return None if self.group is None else [self.group]

    def only(self, keep: Callable[[str, str, str], bool]) -> Part:
        """Return the part with the sessions that are kept: of book, ISO session and mark."""
        days = {d: mark for d, mark in self.sessions.items() if keep(self.book, d, mark)}
        return replace(self, sessions=days)


#: Book to ISO session to mark: which rows are meant.
Marks: TypeAlias = "Mapping[str, Mapping[str, str]]"


@dataclass(frozen=True, slots=True)
class Variant:
    """What one set of inputs means.

    Attributes
    ----------
    inputs : dict of str to str
        What rows were computed with that is not the lake's own: ``calendar``, ``positions``,
        ``rate_curve``, ``dividend_curve`` (paths), ``instrument``.
    definition : dict
        The definition's settings, with the curves as they were read.
    marks : mapping
        Book to ISO session to mark.
    """

    inputs: dict[str, str]
    definition: dict[str, Any]
    marks: Marks


def session_marks(
    chains: Manifest, what: str, own: Mapping[date, str] | None = None
) -> dict[str, str]:
    """Return, per ISO session, a mark of everything that its rows depend on.

    That is its chain and which of its prices are settlements, the same of the lake's session
    before it, `what` all rows depend on, and what is its `own` besides the chain (positions,
    rates).
    """
    settled, more = chains.settlement_sources, own or {}
    marks, before, prices = {}, "", ""
    for entry in chains.sessions:
        if settled:
            official = sorted(settled.intersection(entry.sources))
            whole = official and len(official) == len(entry.sources)
            prices = "all" if whole else ",".join(official)
        here = f"{entry.fingerprint}|{prices}|{more.get(entry.session, '')}"
        digest = hashlib.sha256(f"{what}|{before}|{here}".encode()).hexdigest()
        marks[str(entry.session)] = digest[:24]
        before = here
    return marks


def other_generations(own: int) -> list[int]:
    """Return the generations of rows that other versions of gexlab may have written.

    Examples
    --------
    >>> other_generations(2)
    [1, 3, 4, 5, 6, 7, 8, 9]
    """
    return [number for number in range(1, own + _LATER) if number != own]
