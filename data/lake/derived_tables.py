"""Where rebuilt tables live in a lake, and how they are read back.

``derived/underlying=X/definition=ID/dealer=M/`` holds a manifest and, per table, Parquet parts;
``dealer=M,inputs=KEY`` the same computed with a user's own files (positions, curves), another
calendar or as a share, so that users with different inputs never replace each other's rows.
The manifest says which part is valid for which session and book, and the mark of everything that
those rows were computed from; it is replaced in one step, so that a reader sees either the state
before a rebuild or the state after it.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from ..base.errors import LakeError, MissingPartError
from .locks import write_lock

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping

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
    """

    name: str
    book: str
    sessions: dict[str, str]

    @classmethod
    def of(cls, book: str, sessions: dict[str, str]) -> Part:
        """Return the part of some sessions: its name says which, computed from what."""
        digest = hashlib.sha256("".join(sessions.values()).encode()).hexdigest()[:8]
        return cls(f"{min(sessions)}_{max(sessions)}_{book}_{digest}", book, sessions)


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
    """The rebuilt tables of one underlying, definition, dealer model and set of inputs.

    Attributes
    ----------
    folder : Path
    definition : dict
        The definition's settings.
    dealer_model : str
    inputs : dict of str to str
        What else its rows were computed with, where that is not the lake's own: ``calendar``,
        ``positions``, ``rate_curve``, ``dividend_curve`` (paths), ``instrument``.
    parts : tuple of Part
    """

    folder: Path
    definition: dict[str, Any]
    dealer_model: str
    inputs: dict[str, str] = field(default_factory=dict)
    parts: tuple[Part, ...] = field(default=())

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
        """Return the place of a definition's rows; `writing` reads what is there."""
        folder = (
            lake / _REBUILT / f"underlying={underlying}" / f"definition={definition_id}"
            / f"dealer={_folder_name(dealer)}{_inputs_key(inputs)}"
        )  # fmt: skip
        return cls(folder, definition, dealer, dict(inputs))

    @classmethod
    def load(cls, folder: Path) -> DerivedStore:
        """Read a store's manifest."""
        try:
            stored = json.loads((folder / _MANIFEST).read_text(encoding="utf-8"))
            if "inputs" not in stored:  # an older version: nobody knows what its rows rest on
                return cls(folder, stored["definition"], stored["dealer_model"])
            parts = tuple(Part(p["name"], p["book"], p["sessions"]) for p in stored["parts"])
            return cls(
                folder, stored["definition"], stored["dealer_model"], stored["inputs"], parts
            )
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
        return self.definition_id + _inputs_key(self.inputs).replace(",inputs=", "@")

    def marks(self, book: str) -> dict[str, str]:
        """Return the mark of what its rows were computed from, per ISO session of a book."""
        own = [part for part in self.parts if part.book == book]
        return {day: mark for part in own for day, mark in part.sessions.items()}

    @property
    def content(self) -> str:
        """Content id of everything that its rows were computed from, definition included."""
        entries = sorted(
            f"{part.book}|{day}|{mark}"
            for part in self.parts
            for day, mark in part.sessions.items()
        )
        text = "\n".join([self.definition_id, self.dealer_model, *entries])
        return hashlib.sha256(text.encode()).hexdigest()

    def current(self) -> DerivedStore:
        """Return the store as it is on disk now."""
        if not (self.folder / _MANIFEST).is_file():
            return self
        return replace(self, parts=self.load(self.folder).parts)

    def only(self, wanted: Mapping[str, Mapping[str, str]]) -> DerivedStore:
        """Return the store with the rows of some marks alone: book to ISO session to mark."""
        kept = []
        for part in self.parts:
            marks = wanted.get(part.book, {})
            days = {d: mark for d, mark in part.sessions.items() if marks.get(d) == mark}
            if days:
                kept.append(Part(part.name, part.book, days))
        return replace(self, parts=tuple(kept))

    def write_part(self, name: str, tables: dict[str, pa.Table]) -> None:
        """Write the Parquet files of one part; they count only once `commit` names the part."""
        import pyarrow.parquet as pq

        for table, rows in tables.items():
            folder = self.folder / table
            folder.mkdir(parents=True, exist_ok=True)
            target = folder / f"{name}.parquet"
            half = folder / f".{name}.{os.getpid()}.half"
            with half.open("wb") as file:
                pq.write_table(rows, file, compression="zstd", row_group_size=262_144)
                file.flush()
                os.fsync(file.fileno())  # a manifest on disk must not name what is not
            half.replace(target)

    def commit(self, parts: tuple[Part, ...], held: Collection[str]) -> DerivedStore:
        """Make new parts the valid ones for their sessions and book, in one step.

        Older parts lose the sessions that new ones of the same book hold, and those that are not
        `held` by the lake any more; files of no part are deleted afterwards.
        """
        fresh = {(part.book, day) for part in parts for day in part.sessions}
        kept = []
        for part in self.parts:
            days = {
                day: mark
                for day, mark in part.sessions.items()
                if day in held and (part.book, day) not in fresh
            }
            kept.append(Part(part.name, part.book, days))
        merged = tuple(p for p in [*kept, *parts] if p.sessions)
        store = replace(self, parts=merged)
        store._save()
        store._sweep()
        return store

    def _save(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        content = {
            "definition": self.definition,
            "dealer_model": self.dealer_model,
            "inputs": self.inputs,
            "parts": [{"name": p.name, "book": p.book, "sessions": p.sessions} for p in self.parts],
        }
        half = self.folder / f".{_MANIFEST}.{os.getpid()}.half"
        with half.open("w", encoding="utf-8") as file:
            file.write(json.dumps(content))
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
            with suppress(OSError):  # a folder says that all parts have the table
                folder.rmdir()

    def files(self, table: str, book: str | None = None) -> dict[str, list[date]]:
        """Return the Parquet files of a table and a book (None: both), with what counts in each.

        Raises
        ------
        MissingPartError
            If one is gone: its sessions must not silently be missing too.
        """
        if not (self.folder / table).is_dir():  # a table that this store does not have
            return {}
        found = {}
        for part in self.parts:
            if book not in (None, part.book):
                continue
            path = self._file(table, part)
            if not path.is_file():
                raise MissingPartError(
                    f"{path} is gone, and with it {len(part.sessions)} sessions: run gexlab "
                    "rebuild again, which computes them anew"
                )
            found[str(path)] = sorted(date.fromisoformat(day) for day in part.sessions)
        return found

    def intact(self) -> DerivedStore:
        """Return the store with the parts of which no file is gone."""
        tables = [table for table in TABLES if (self.folder / table).is_dir()]
        whole = (p for p in self.parts if all(self._file(t, p).is_file() for t in tables))
        return replace(self, parts=tuple(whole))

    def _file(self, table: str, part: Part) -> Path:
        return self.folder / table / f"{part.name}.parquet"

    @contextmanager
    def writing(self) -> Iterator[DerivedStore]:
        """Hold the only right to rebuild, and give the store as the one before left it.

        Raises
        ------
        LakeLockedError
            If another rebuild of this store takes more than ten minutes.
        """
        manifest = self.folder / _MANIFEST
        self.folder.mkdir(parents=True, exist_ok=True)
        try:
            with write_lock(self.folder, patience=_PATIENCE):
                yield self.current().intact()
        finally:
            if not manifest.is_file():  # a first rebuild that failed leaves nothing
                _remove(self.folder)


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
    """Return what a folder's name says of a user's own inputs; nothing where there are none."""
    if not inputs:
        return ""
    text = json.dumps(dict(inputs), sort_keys=True)
    return f",inputs={hashlib.sha256(text.encode()).hexdigest()[:8]}"


def stores_of(lake: Path, underlying: str) -> list[DerivedStore]:
    """Return everything that was rebuilt of an underlying, in the order of its folders' names.

    Rows of an older version of gexlab are left out: nothing says what they were computed from.
    """
    root = lake / _REBUILT / f"underlying={underlying}"
    found = [DerivedStore.load(p.parent) for p in sorted(root.glob(f"*/*/{_MANIFEST}"))]
    return [store for store in found if store.parts]
