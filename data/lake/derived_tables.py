"""Where rebuilt tables live in a lake, and how they are read back.

Each table is a Delta table of files of one year; a row of the table `rebuilds` says, for an
underlying, definition and dealer model, which of them is valid for which session, book and mark, a
mark being that of everything that the rows were computed from; and for every set of inputs that
somebody rebuilt with (positions, curves, calendar) which marks it means. Rows of several marks lie
side by side: nobody's rebuild replaces rows that others read.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import tempfile
import weakref
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from ..base.errors import MissingPartError
from ..base.schema import TABLES
from .data_files import DIGITS, partition_folder
from .derived_parts import Marks, Part, Place, Variant
from .integrity import digest_of, digest_of_parts, is_inside

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .lake import Lake
from .naming import folder_of
from .shared_places import MISPLACED, is_misplaced
from .storage import fetched, names_below_each, renewed

__all__ = [
    "REBUILDS",
    "TABLES",
    "WITHOUT_SIDE_TABLES",
    "DerivedStore",
    "Piece",
    "Scratch",
    "spans_of",
]

REBUILDS: Final = "rebuilds"
#: Input of a store that has the regime table and the findings alone.
WITHOUT_SIDE_TABLES: Final = "without_side_tables"


class Scratch:
    """A folder that goes with whoever holds it.

    Attributes
    ----------
    path : Path
    """

    def __init__(self) -> None:
        self.path = Path(tempfile.mkdtemp(prefix="gexlab-as-of-"))
        weakref.finalize(self, shutil.rmtree, self.path, ignore_errors=True)


@dataclass(frozen=True, slots=True)
class Piece:
    """Rows of one part in a file.

    Attributes
    ----------
    path : str
    sessions : tuple of date
        Those whose rows count, ascending.
    whole : bool
        Whether all of its rows count.
    groups : list of int or None
        Its row groups in a file that is shared; None: the file is the part's own.
    """

    path: str
    sessions: tuple[date, ...]
    whole: bool
    groups: list[int] | None


def spans_of(place: Place, size: int) -> tuple[tuple[int, int], tuple[int, int]]:
    """Return the bytes of a file of a size that the rows of a place depend on."""
    return (place.begin, place.end), (place.tail, size)


@dataclass(frozen=True, slots=True)
class DerivedStore:
    """The rebuilt tables of one underlying, definition and dealer model.

    Attributes
    ----------
    lake : Lake
    underlying : str
    definition_id : str
    definition : dict
        The definition's settings.
    dealer_model : str
    inputs : dict of str to str
        Of whoever asks; see `Variant`.
    parts : tuple of Part
        Whatever lies there, of all marks, or what is meant by the inputs; see `only`.
    variants : tuple of Variant
    record : str or None
        Path of the file that says so in the table of rebuilds; None where nothing was rebuilt.
    scratch : Scratch or None
        Where rows are kept that a past version of the lake lacks; it goes with the store.
    lost : tuple of Part
        Those of which a file is gone, see `intact`.
    """

    lake: Lake
    underlying: str
    definition_id: str
    definition: dict[str, Any]
    dealer_model: str
    inputs: dict[str, str] = field(default_factory=dict)
    parts: tuple[Part, ...] = field(default=())
    variants: tuple[Variant, ...] = field(default=())
    record: str | None = None
    scratch: Scratch | None = field(default=None, compare=False, repr=False)
    lost: tuple[Part, ...] = field(default=(), compare=False, repr=False)

    @property
    def stem(self) -> str:
        """What the names of its files begin with: no other store of the underlying has it."""
        return f"{self.definition_id}-{_folder_name(self.dealer_model)}"

    @property
    def label(self) -> str:
        """Name that no other store of the underlying and dealer model has: the id, with a key."""
        return self.definition_id + (f"@{_inputs_key(self.inputs)}" if self.inputs else "")

    @property
    def rows(self) -> set[tuple[str, str, str]]:
        """Book, ISO session and mark of all rows."""
        return {(p.book, day, mark) for p in self.parts for day, mark in p.sessions.items()}

    def means(self, marks: Marks) -> bool:
        """Return whether the store records that its inputs mean these marks, and no others.

        Parameters
        ----------
        marks : mapping
            Book to ISO session to mark.

        Returns
        -------
        bool
            Of the store's own inputs and definition.
        """
        for variant in self.variants:
            if variant.inputs == self.inputs:
                same = all(variant.marks.get(book) == days for book, days in marks.items())
                return same and variant.definition == json.loads(json.dumps(self.definition))
        return False

    @property
    def content(self) -> str:
        """Content id of everything that its rows were computed from, definition included."""
        entries = sorted("|".join(row) for row in self.rows)
        text = "\n".join([self.definition_id, self.dealer_model, *entries])
        return hashlib.sha256(text.encode()).hexdigest()

    def only(self, wanted: Marks) -> DerivedStore:
        """Return the store with the rows of some marks alone.

        Parameters
        ----------
        wanted : mapping
            Book to ISO session to mark.

        Returns
        -------
        DerivedStore
            Parts without a wanted row are left out.
        """
        kept = (
            part
            if part.sessions.items() <= wanted.get(part.book, {}).items()
            else part.only(lambda book, day, mark: wanted.get(book, {}).get(day) == mark)
            for part in self.parts
        )
        return replace(self, parts=tuple(part for part in kept if part.sessions))

    def of_book(self, book: str) -> DerivedStore:
        """Return the store with the rows of one book alone.

        Parameters
        ----------
        book : {"as_of_close", "post_expiry"}

        Returns
        -------
        DerivedStore
        """
        return replace(self, parts=tuple(part for part in self.parts if part.book == book))

    def by_variant(self) -> list[DerivedStore]:
        """Return the store once for each set of inputs, with the rows that they mean.

        Returns
        -------
        list of DerivedStore
            Sets of inputs without rows are left out.
        """
        found = []
        for variant in self.variants:
            own = replace(self, inputs=variant.inputs, definition=variant.definition)
            found.append(own.only(variant.marks))
        return [store for store in found if store.parts]

    def files(self, table: str, book: str | None = None) -> dict[str, list[date]]:
        """Return the Parquet files of a table and a book (None: both), with what counts in each.

        Parameters
        ----------
        table : str
            One of `TABLES`.
        book : {"as_of_close", "post_expiry"}, optional

        Returns
        -------
        dict of str to list of date
            Path to the sessions whose rows count in that file, ascending.

        Raises
        ------
        MissingPartError
            If one is gone: its sessions must not silently be missing too.
        """
        found: dict[str, set[date]] = {}
        for piece in self.pieces(table, book):
            found.setdefault(piece.path, set()).update(piece.sessions)
        return {path: sorted(days) for path, days in found.items()}

    def pieces(self, table: str, book: str | None = None) -> list[Piece]:
        """Return where the rows of a table and a book (None: both) lie: files, or some of them.

        Parameters
        ----------
        table : str
            One of `TABLES`.
        book : {"as_of_close", "post_expiry"}, optional

        Returns
        -------
        list of Piece

        Raises
        ------
        MissingPartError
            If a file is gone: its sessions must not silently be missing too.
        """
        found = []
        for part in self.parts:
            if book not in (None, part.book) or table not in part.tables:
                continue
            path = self.file(table, part)
            if not fetched(path):
                raise MissingPartError(
                    f"{path} is gone, and with it {len(part.sessions)} sessions: run gexlab "
                    "rebuild again, which computes them anew"
                )
            what = self.damage(table, part)
            if what is not None:
                raise MissingPartError(
                    f"{path}: {what}: delete it and run gexlab rebuild again, which computes its "
                    f"{len(part.sessions)} sessions anew"
                )
            days = tuple(sorted(date.fromisoformat(day) for day in part.sessions))
            found.append(Piece(str(path), days, part.whole, part.groups(table)))
        return found

    def damage(self, table: str, part: Part) -> str | None:
        """Return what is wrong with a file of a part that is there.

        Parameters
        ----------
        table : str
            One of `TABLES`.
        part : Part

        Returns
        -------
        str or None
            None where nothing is, or where no digest was recorded.
        """
        path = self.file(table, part)
        if not is_inside(path, self._root_of(table, part)):
            return "lies outside the lake"
        said = part.digests.get(table)
        whole = said is None or self._digest(path, table, part) == said
        if not whole and not (renewed(path) and self._digest(path, table, part) == said):
            return "its bytes are not those that were written"
        place = part.places.get(table)
        if place is not None and is_misplaced(path, place):
            return MISPLACED
        return None

    def _digest(self, path: Path, table: str, part: Part) -> str:
        place = part.places.get(table)
        if place is None:
            return digest_of(path)
        size = path.stat().st_size
        # a record from elsewhere may state any number: no more is read than there is
        return digest_of_parts(path, spans_of(place, size)) if place.tail <= size else ""

    def intact(self) -> DerivedStore:
        """Return the store with the parts of which no file is gone.

        Returns
        -------
        DerivedStore
        """
        if not self.parts:
            return self
        whole: list[Part] = []
        lost: list[Part] = []
        root = self.lake.root
        folders = [root / table / folder_of(self.underlying) for table in TABLES]
        far = dict(zip(TABLES, names_below_each(folders), strict=True))
        for part in self.parts:
            folder, names = partition_folder(self.partition(part)), self._names(part)
            there = all(
                os.path.isfile(f"{root}/{table}/{folder}{name}")
                if (there := far[table]) is None
                else f"year={part.year}/{name}" in there
                for table, name in names.items()
            )
            (whole if there else lost).append(part)
        return replace(self, parts=tuple(whole), lost=tuple(lost))

    def file(self, table: str, part: Part) -> Path:
        """Return where a table of a part lies.

        Parameters
        ----------
        table : str
            One of `TABLES`.
        part : Part

        Returns
        -------
        Path
        """
        return self._root_of(table, part) / table / self.path(table, part)

    def path(self, table: str, part: Part) -> str:
        """Return where a table of a part lies below the table's folder.

        Parameters
        ----------
        table : str
            One of `TABLES`.
        part : Part

        Returns
        -------
        str
        """
        return f"{partition_folder(self.partition(part))}{self._names(part)[table]}"

    def _root_of(self, table: str, part: Part) -> Path:
        """Return the folder of the lake, or the scratch where the table lies there."""
        if self.scratch is not None:
            aside = self.scratch.path
            if (aside / table / self.path(table, part)).is_file():
                return aside
        return self.lake.root

    def _names(self, part: Part) -> dict[str, str]:
        """Return the name of each table's file of a part."""
        begin = f"{self.stem}-{part.name}-v{part.version}"
        return {
            t: part.places[t].name
            if t in part.places
            else f"{begin}-{part.digests[t][:DIGITS]}.parquet"
            for t in part.tables
        }

    def partition(self, part: Part) -> dict[str, str]:
        """Return the keys of the folders in which a part lies.

        Parameters
        ----------
        part : Part

        Returns
        -------
        dict of str to str
        """
        return {"underlying": self.underlying, "year": part.year}


def _folder_name(dealer: str) -> str:
    """Return a folder's name that no other dealer model has, an expression included."""
    plain = re.sub(r"[^A-Za-z0-9_.-]", "_", dealer)
    if plain == dealer:
        return plain
    return f"{plain[:40]}-{hashlib.sha256(dealer.encode()).hexdigest()[:12]}"


def _inputs_key(inputs: Mapping[str, str]) -> str:
    """Return a short text that no other set of inputs has."""
    return hashlib.sha256(json.dumps(dict(inputs), sort_keys=True).encode()).hexdigest()[:8]
