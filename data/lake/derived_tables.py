"""Where rebuilt tables live in a lake, and how they are read back.

``derived/underlying=X/definition=ID/dealer=M/`` holds a manifest and, per table, Parquet parts.
The manifest says which part is valid for which session, book and mark, a mark being that of
everything that the rows were computed from; and for every set of inputs that somebody rebuilt with
(positions, curves, calendar) which marks it means. Rows of several marks lie side by side: nobody's
rebuild replaces rows that others read. The manifest is replaced in one step, so that a reader sees
either the state before a rebuild or the state after it.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from ..base.errors import LakeError, MissingPartError
from ..base.sealed import sealed, unsealed
from .integrity import digest_of
from .locks import write_lock

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping

    import pyarrow as pa

    from .manifest import Manifest

__all__ = ["TABLES", "WITHOUT_SIDE_TABLES", "DerivedStore", "Part", "session_marks", "stores_of"]

_REBUILT: Final = "derived"
#: Input of a store that has the regime table and the findings alone.
WITHOUT_SIDE_TABLES: Final = "without_side_tables"

TABLES: Final = (
    "regimes",
    "exposure_by_expiry",
    "exposure_by_strike",
    "flip_roots",
    "profile",
    "fixed_strike_vol",
    "quality_findings",
)

_MANIFEST: Final = "manifest.json"
#: Format 1 had no seal.
_FORMAT: Final = 2
_PART: Final = re.compile(r"[\w.=-]+")
#: Seconds that a rebuild waits for another one of the same store.
_PATIENCE: Final = 600.0


@dataclass(frozen=True, slots=True)
class Part:
    """A set of Parquet files, one per table, and the sessions that they are valid for.

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
        Table to the SHA-256 of its file; empty where an earlier version wrote it.
    """

    name: str
    book: str
    sessions: dict[str, str]
    tables: tuple[str, ...]
    digests: dict[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, book: str, sessions: dict[str, str], tables: Iterable[str]) -> Part:
        """Return the part of some sessions: its name says which, computed from what."""
        digest = hashlib.sha256("".join(sessions.values()).encode()).hexdigest()[:8]
        name = f"{min(sessions)}_{max(sessions)}_{book}_{digest}"
        return cls(name, book, sessions, tuple(tables))

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
    held: Manifest, what: str, own: Callable[[date], str] = lambda _: ""
) -> dict[str, str]:
    """Return, per ISO session, a mark of everything that its rows depend on.

    That is its chain and which of its prices are settlements, the same of the lake's session
    before it, `what` all rows depend on, and what is its `own` besides the chain (positions,
    rates).
    """
    settled = held.settlement_sources
    marks, before = {}, ""
    for entry in held.sessions:
        official = sorted(settled.intersection(entry.sources))
        prices = "all" if official and len(official) == len(entry.sources) else ",".join(official)
        here = f"{entry.fingerprint}|{prices}|{own(entry.session)}"
        digest = hashlib.sha256(f"{what}|{before}|{here}".encode()).hexdigest()
        marks[str(entry.session)] = digest[:24]
        before = here
    return marks


@dataclass(frozen=True, slots=True)
class DerivedStore:
    """The rebuilt tables of one underlying, definition and dealer model.

    Attributes
    ----------
    folder : Path
    definition : dict
        The definition's settings.
    dealer_model : str
    inputs : dict of str to str
        Of whoever asks; see `Variant`.
    parts : tuple of Part
        Whatever lies there, of all marks, or what is meant by the inputs; see `only`.
    variants : tuple of Variant
    """

    folder: Path
    definition: dict[str, Any]
    dealer_model: str
    inputs: dict[str, str] = field(default_factory=dict)
    parts: tuple[Part, ...] = field(default=())
    variants: tuple[Variant, ...] = field(default=())

    @classmethod
    def at(
        cls,
        lake: Path,
        underlying: str,
        definition: dict[str, Any],
        definition_id: str,
        dealer: str,
        inputs: Mapping[str, str],
    ) -> DerivedStore:
        """Return the place of a definition's rows; `current` reads what is there."""
        folder = (
            lake / _REBUILT / f"underlying={underlying}" / f"definition={definition_id}"
            / f"dealer={_folder_name(dealer)}"
        )  # fmt: skip
        return cls(folder, definition, dealer, dict(inputs))

    @classmethod
    def load(cls, folder: Path) -> DerivedStore:
        """Read a store's manifest."""
        try:
            stored = unsealed((folder / _MANIFEST).read_text(encoding="utf-8"))
            found = cls(folder, stored["definition"], stored["dealer_model"])
            if "variants" not in stored:  # an older version: nobody knows what its rows rest on
                return found
            parts = [Part(**(p | {"tables": tuple(p["tables"])})) for p in stored["parts"]]
            strange = next((p.name for p in parts if not _is_part(p)), None)
            if strange is not None:
                raise ValueError(f"{strange!r} is no name of a part")
            variants = [Variant(**v) for v in stored["variants"]]
            return replace(found, parts=tuple(parts), variants=tuple(variants))
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise LakeError(
                f"{folder / _MANIFEST}: not a readable manifest ({error}): delete the folder and "
                "rebuild"
            ) from error

    @property
    def definition_id(self) -> str:
        """Id of the definition."""
        return self.folder.parent.name.removeprefix("definition=")

    @property
    def label(self) -> str:
        """Name that no other store of the underlying and dealer model has: the id, with a key."""
        return self.definition_id + (f"@{_inputs_key(self.inputs)}" if self.inputs else "")

    @property
    def rows(self) -> set[tuple[str, str, str]]:
        """Book, ISO session and mark of all rows."""
        return {(p.book, day, mark) for p in self.parts for day, mark in p.sessions.items()}

    def means(self, marks: Marks) -> bool:
        """Return whether the store records that its inputs mean these marks, and no others."""
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
        """Return the store as it is on disk now."""
        if not (self.folder / _MANIFEST).is_file():
            return self
        found = self.load(self.folder)
        return replace(self, parts=found.parts, variants=found.variants)

    def only(self, wanted: Marks) -> DerivedStore:
        """Return the store with the rows of some marks alone."""
        kept = (
            part.only(lambda book, day, mark: wanted.get(book, {}).get(day) == mark)
            for part in self.parts
        )
        return replace(self, parts=tuple(part for part in kept if part.sessions))

    def of_book(self, book: str) -> DerivedStore:
        """Return the store with the rows of one book alone."""
        return replace(self, parts=tuple(part for part in self.parts if part.book == book))

    def by_variant(self) -> list[DerivedStore]:
        """Return the store once for each set of inputs, with the rows that they mean."""
        found = []
        for variant in self.variants:
            own = replace(self, inputs=variant.inputs, definition=variant.definition)
            found.append(own.only(variant.marks))
        return [store for store in found if store.parts]

    def write_part(self, part: Part, tables: dict[str, pa.Table]) -> Part:
        """Write the files of a part, and return it with their digests; it counts once committed."""
        import pyarrow.parquet as pq

        digests = {}
        for table, rows in tables.items():
            folder = self.folder / table
            folder.mkdir(parents=True, exist_ok=True)
            target = folder / f"{part.name}.parquet"
            half = folder / f".{part.name}.{os.getpid()}.half"
            with half.open("wb") as file:
                pq.write_table(rows, file, compression="zstd", row_group_size=262_144)
                file.flush()
                os.fsync(file.fileno())  # a manifest on disk must not name what is not
            half.replace(target)
            digests[table] = digest_of(target)
        return replace(part, digests=digests)

    def commit(self, parts: tuple[Part, ...], marks: Marks) -> DerivedStore:
        """Make new parts valid, and `marks` what the store's inputs mean, in one step.

        Rows that no inputs mean any more are dropped, and those of sessions that the lake no
        longer holds; files of no part are deleted afterwards.
        """
        held = set().union(*marks.values())
        variants = tuple(v for v in self._variants_with(marks, held) if any(v.marks.values()))
        meant = {
            (book, day, mark)
            for variant in variants
            for book, days in variant.marks.items()
            for day, mark in days.items()
        }
        kept: list[Part] = []
        for part in (*self.parts, *parts):
            fresh = part.only(_among(meant))
            meant -= {(part.book, day, mark) for day, mark in fresh.sessions.items()}
            if fresh.sessions:
                kept.append(fresh)
        store = replace(self, parts=tuple(kept), variants=variants)
        store._save()
        store._sweep()
        return store

    def _variants_with(self, marks: Marks, held: Collection[str]) -> Iterator[Variant]:
        """Yield all variants, that of the store's inputs with new marks, of held sessions only."""
        own: Marks = {}
        for variant in self.variants:
            kept = {
                book: {day: mark for day, mark in days.items() if day in held}
                for book, days in variant.marks.items()
            }
            if variant.inputs == self.inputs:
                own = kept
            else:
                yield replace(variant, marks=kept)
        yield Variant(self.inputs, self.definition, {**own, **marks})

    def _save(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        content = {
            "format": _FORMAT,
            "definition": self.definition,
            "dealer_model": self.dealer_model,
            "parts": [asdict(part) for part in self.parts],
            "variants": [asdict(variant) for variant in self.variants],
        }
        half = self.folder / f".{_MANIFEST}.{os.getpid()}.half"
        with half.open("w", encoding="utf-8") as file:
            file.write(sealed(json.dumps(content)))
            file.flush()
            os.fsync(file.fileno())
        half.replace(self.folder / _MANIFEST)

    def _sweep(self) -> None:
        """Remove files of no part: replaced ones, and what a killed rebuild left."""
        names = {f"{part.name}.parquet" for part in self.parts}
        for table in TABLES:
            folder = self.folder / table
            for path in folder.glob("*"):
                if path.name not in names:
                    path.unlink(missing_ok=True)
            with suppress(OSError):  # no part has the table
                folder.rmdir()

    def files(self, table: str, book: str | None = None) -> dict[str, list[date]]:
        """Return the Parquet files of a table and a book (None: both), with what counts in each.

        Raises
        ------
        MissingPartError
            If one is gone: its sessions must not silently be missing too.
        """
        found = {}
        for part in self.parts:
            if book not in (None, part.book) or table not in part.tables:
                continue
            path = self._file(table, part)
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
        """Return what is wrong with a file of a part that is there, None where nothing is."""
        path = self._file(table, part)
        home = os.path.realpath(self.folder)
        if os.path.commonpath([home, os.path.realpath(path)]) != home:
            return "lies outside the lake"
        said = part.digests.get(table)
        if said is not None and digest_of(path) != said:
            return "its bytes are not those that were written"
        return None

    def intact(self) -> DerivedStore:
        """Return the store with the parts of which no file is gone."""
        whole = (p for p in self.parts if all(self._file(t, p).is_file() for t in p.tables))
        return replace(self, parts=tuple(whole))

    def _file(self, table: str, part: Part) -> Path:
        return self.folder / table / f"{part.name}.parquet"

    def closed(self) -> bool:
        """Return whether there are rows of an earlier rebuild that cannot be added to."""
        return (self.folder / _MANIFEST).is_file() and not os.access(self.folder, os.W_OK | os.X_OK)

    @contextmanager
    def writing(self) -> Iterator[DerivedStore]:
        """Hold the only right to rebuild, and give the store as the one before left it.

        Raises
        ------
        LakeLockedError
            If another rebuild of this store takes more than ten minutes.
        """
        manifest = self.folder / _MANIFEST
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise LakeError(
                f"{self.folder} cannot be made ({error.strerror}): rebuild as a user who may write "
                "to the lake, or work on a copy of it"
            ) from error
        try:
            with write_lock(self.folder, patience=_PATIENCE):
                yield self.current().intact()
        finally:
            if not manifest.is_file():  # a first rebuild that failed leaves nothing
                _remove(self.folder)


def _is_part(part: Part) -> bool:
    return bool(_PART.fullmatch(part.name)) and set(part.tables) <= set(TABLES)


def _among(rows: Collection[tuple[str, str, str]]) -> Callable[[str, str, str], bool]:
    return lambda book, day, mark: (book, day, mark) in rows


def _remove(store: Path) -> None:
    """Remove a store without a manifest, and the folders above it that are then empty."""
    shutil.rmtree(store, ignore_errors=True)
    with suppress(OSError):
        for above in store.parents[:3]:  # of the definition, the underlying, all that is rebuilt
            above.rmdir()


def _folder_name(dealer: str) -> str:
    """Return a folder's name that no other dealer model has, an expression included."""
    plain = re.sub(r"[^A-Za-z0-9_.-]", "_", dealer)
    if plain == dealer:
        return plain
    return f"{plain[:40]}-{hashlib.sha256(dealer.encode()).hexdigest()[:12]}"


def _inputs_key(inputs: Mapping[str, str]) -> str:
    """Return a short text that no other set of inputs has."""
    return hashlib.sha256(json.dumps(dict(inputs), sort_keys=True).encode()).hexdigest()[:8]


def stores_of(lake: Path, underlying: str) -> list[DerivedStore]:
    """Return everything that was rebuilt of an underlying: a store for each set of inputs.

    Rows of an older version of gexlab are left out: nothing says what they were computed from.
    """
    root = lake / _REBUILT / f"underlying={underlying}"
    found = [DerivedStore.load(p.parent) for p in sorted(root.glob(f"*/*/{_MANIFEST}"))]
    return [own for store in found for own in store.by_variant()]
