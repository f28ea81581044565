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

from ..base.errors import LakeError, MissingPartError
from .data_files import DIGITS, partition_folder, read_file
from .derived_parts import Marks, Part, Variant
from .integrity import digest_of
from .lake import Lake
from .versions import Version, table_files

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .delta_log import DataFile

__all__ = [
    "REBUILDS",
    "TABLES",
    "WITHOUT_SIDE_TABLES",
    "DerivedStore",
    "Scratch",
    "record_of",
    "stores_of",
]

REBUILDS: Final = "rebuilds"
#: Input of a store that has the regime table and the findings alone.
WITHOUT_SIDE_TABLES: Final = "without_side_tables"

TABLES: Final = (
    "regimes",
    "exposure_by_expiry",
    "exposure_by_strike",
    "flip_roots",
    "profile",
    "fixed_strike_vol",
    "implied_volatility",
    "quality_findings",
)

_PART: Final = re.compile(r"[\w.=-]+")
_REMEDY: Final = "restore it from a copy, or run gexlab rebuild again"


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
class Lacking:
    """What a store has of wanted rows, and what it lacks.

    Attributes
    ----------
    store : DerivedStore
        As it is on disk, without parts of which a file is gone.
    sessions : dict of book to set of date
        Those that it lacks, or has from other inputs.
    closed : bool
        Whether it cannot be written to.
    recorded : bool
        Whether it records that its inputs mean the rows wanted, and no others.
    """

    store: DerivedStore
    sessions: dict[str, set[date]]
    closed: bool
    recorded: bool


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

    @classmethod
    def load(cls, lake: Lake, record: DataFile) -> DerivedStore:
        """Read the record of a store.

        Parameters
        ----------
        lake : Lake
        record : DataFile
            Of the table of rebuilds.

        Returns
        -------
        DerivedStore
            With all parts and variants.

        Raises
        ------
        LakeError
            If the record cannot be read, or is not what was written.
        """
        path = lake.root / REBUILDS / record.path
        rows = read_file(lake.root, REBUILDS, record, _REMEDY)
        try:
            [row] = rows.to_pylist()
            parts = [Part(**(p | {"tables": tuple(p["tables"])})) for p in json.loads(row["parts"])]
            strange = next((p.name for p in parts if not _is_part(p)), None)
            if strange is not None:
                raise ValueError(f"{strange!r} is no name of a part")
            return cls(
                lake,
                row["underlying"],
                row["definition_id"],
                json.loads(row["definition"]),
                row["dealer_model"],
                parts=tuple(parts),
                variants=tuple(Variant(**v) for v in json.loads(row["variants"])),
                record=record.path,
            )
        except (ValueError, KeyError, TypeError) as error:
            raise LakeError(f"{path}: not a record of a rebuild ({error}): {_REMEDY}") from error

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

    def current(self) -> DerivedStore:
        """Return the store as it is on disk now.

        Returns
        -------
        DerivedStore
            The same place; without parts where nothing was rebuilt yet.
        """
        record = record_of(self, self.lake.at())
        if record is None:
            return self
        found = self.load(self.lake, record)
        return replace(self, parts=found.parts, variants=found.variants, record=record.path)

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
            part.only(lambda book, day, mark: wanted.get(book, {}).get(day) == mark)
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

    def lacking(self, wanted: Marks) -> Lacking:
        """Return what the store on disk has of the rows wanted, and what it lacks of them.

        Parameters
        ----------
        wanted : mapping
            Book to ISO session to mark.

        Returns
        -------
        Lacking
        """
        store = self.current().intact()
        done = store.rows
        missing = {
            book: {date.fromisoformat(d) for d, mark in days.items() if (book, d, mark) not in done}
            for book, days in wanted.items()
        }
        return Lacking(store, missing, self.closed(), store.means(wanted))

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
        found = {}
        for part in self.parts:
            if book not in (None, part.book) or table not in part.tables:
                continue
            path = self.file(table, part)
            if not path.is_file():
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
            found[str(path)] = sorted(date.fromisoformat(day) for day in part.sessions)
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
        home = os.path.realpath(self.root_of(table, part))
        if os.path.commonpath([home, os.path.realpath(path)]) != home:
            return "lies outside the lake"
        said = part.digests.get(table)
        if said is not None and digest_of(path) != said:
            return "its bytes are not those that were written"
        return None

    def intact(self) -> DerivedStore:
        """Return the store with the parts of which no file is gone.

        Returns
        -------
        DerivedStore
        """
        whole: list[Part] = []
        lost: list[Part] = []
        root = self.lake.root
        for part in self.parts:
            folder, names = partition_folder(self.partition(part)), self._names(part)
            there = all(
                os.path.isfile(f"{root}/{table}/{folder}{name}") for table, name in names.items()
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
        return self.root_of(table, part) / table / self.path(table, part)

    def root_of(self, table: str, part: Part) -> Path:
        """Return the folder of the lake, or of the scratch where a table of a part lies there.

        Parameters
        ----------
        table : str
            One of `TABLES`.
        part : Part

        Returns
        -------
        Path
        """
        if self.scratch is not None:
            aside = self.scratch.path
            if (aside / table / self.path(table, part)).is_file():
                return aside
        return self.lake.root

    def path(self, table: str, part: Part) -> str:
        """Return the same below the table's folder.

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

    def _names(self, part: Part) -> dict[str, str]:
        """Return the name of each table's file of a part."""
        begin = f"{self.stem}-{part.name}-v{part.version}"
        return {t: f"{begin}-{part.digests[t][:DIGITS]}.parquet" for t in part.tables}

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

    def closed(self) -> bool:
        """Return whether there are rows of an earlier rebuild that cannot be added to.

        Returns
        -------
        bool
        """
        writable = os.access(self.lake.root / REBUILDS, os.W_OK | os.X_OK)
        return self.record is not None and not writable and self.lake.version is None


def _is_part(part: Part) -> bool:
    return bool(_PART.fullmatch(part.name)) and set(part.tables) <= set(TABLES)


def _folder_name(dealer: str) -> str:
    """Return a folder's name that no other dealer model has, an expression included."""
    plain = re.sub(r"[^A-Za-z0-9_.-]", "_", dealer)
    if plain == dealer:
        return plain
    return f"{plain[:40]}-{hashlib.sha256(dealer.encode()).hexdigest()[:12]}"


def _inputs_key(inputs: Mapping[str, str]) -> str:
    """Return a short text that no other set of inputs has."""
    return hashlib.sha256(json.dumps(dict(inputs), sort_keys=True).encode()).hexdigest()[:8]


def record_of(store: DerivedStore, version: Version) -> DataFile | None:
    """Return the record of a store at a version of the lake, None where it has none."""
    for file in table_files(store.lake.root, version, REBUILDS).values():
        if file.partition["underlying"] == store.underlying and file.tags["store"] == store.stem:
            return file
    return None


def stores_of(lake: Lake | Path, underlying: str) -> list[DerivedStore]:
    """Return everything that was rebuilt of an underlying: a store for each set of inputs.

    Parameters
    ----------
    lake : Lake or Path
    underlying : str

    Returns
    -------
    list of DerivedStore

    Raises
    ------
    LakeError
        If a record cannot be read.
    """
    opened = lake if isinstance(lake, Lake) else Lake(lake)
    files = table_files(opened.root, opened.at(), REBUILDS).values()
    mine = (f for f in files if f.partition["underlying"] == underlying)
    found = [DerivedStore.load(opened, f) for f in sorted(mine, key=lambda f: f.tags["store"])]
    return [own for store in found for own in store.by_variant()]
