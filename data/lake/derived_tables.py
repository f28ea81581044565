"""Where rebuilt tables live in a lake, and how they are read back.

``derived/underlying=X/definition=ID/dealer=M/`` holds a manifest and, per table, Parquet parts.
The manifest says which part is valid for which session; it is replaced in one step, so that a
reader sees either the state before a rebuild or the state after it. What was computed for a
comparison only lies under ``compared/`` in the same way, where no other command reads it.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from ..base.errors import DefinitionError, LakeError, MissingPartError, NotRebuiltError
from ..exposure.dealers import dealer_name
from .locks import write_lock

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator

    import pyarrow as pa

    from .manifest import SessionEntry

__all__ = ["COMPARED", "TABLES", "DerivedStore", "Part", "find_stores", "session_marks"]

_REBUILT: Final = "derived"
#: Folder of a lake for rows that only a comparison reads.
COMPARED: Final = "compared"

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
    sessions : dict of str to str
        ISO session to the fingerprint of what it was computed from.
    """

    name: str
    sessions: dict[str, str]

    @classmethod
    def of(cls, sessions: dict[str, str]) -> Part:
        """Return the part of some sessions: its name says which, computed from what."""
        digest = hashlib.sha256("".join(sessions.values()).encode()).hexdigest()[:8]
        return cls(f"{min(sessions)}_{max(sessions)}_{digest}", sessions)


def session_marks(
    entries: Iterable[SessionEntry], what: str, own: Callable[[date], str] = lambda _: ""
) -> dict[str, str]:
    """Return, per ISO session, a mark of all that its rows depend on.

    That is its chain, the chain of the session before it, `what` all rows depend on, and what is
    its `own` besides the chain.
    """
    marks, before = {}, ""
    for entry in entries:
        here = entry.fingerprint + own(entry.session)
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
    rebuilt_at : str
        UTC time stamp of the last rebuild, ISO.
    parts : tuple of Part
    """

    folder: Path
    definition: dict[str, Any]
    dealer_model: str
    rebuilt_at: str = ""
    parts: tuple[Part, ...] = field(default=())

    @classmethod
    def at(
        cls,
        lake: Path,
        underlying: str,
        definition: dict[str, Any],
        definition_id: str,
        dealer: str,
        *,
        tree: str = _REBUILT,
    ) -> DerivedStore:
        """Return the place of a definition's rows; `writing` reads what is there."""
        folder = (
            lake / tree / f"underlying={underlying}" / f"definition={definition_id}"
            / f"dealer={_folder_name(dealer)}"
        )  # fmt: skip
        return cls(folder, definition, dealer)

    @classmethod
    def load(cls, folder: Path) -> DerivedStore:
        """Read a store's manifest."""
        try:
            stored = json.loads((folder / _MANIFEST).read_text(encoding="utf-8"))
            parts = tuple(Part(p["name"], p["sessions"]) for p in stored["parts"])
            return cls(
                folder, stored["definition"], stored["dealer_model"], stored["rebuilt_at"], parts
            )
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise LakeError(
                f"{folder / _MANIFEST}: not a readable manifest ({error}): delete the folder and "
                "rebuild"
            ) from error

    @property
    def fingerprints(self) -> dict[str, str]:
        """ISO session to the fingerprint of what its rows were computed from."""
        return {day: mark for part in self.parts for day, mark in part.sessions.items()}

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
        """Make new parts the valid ones for their sessions, in one step.

        Older parts lose the sessions that the new ones hold and those that are not `held` by the
        lake any more; files of no part are deleted afterwards.
        """
        current = set(held).difference(*(part.sessions for part in parts))
        kept = [
            Part(p.name, {d: mark for d, mark in p.sessions.items() if d in current})
            for p in self.parts
        ]
        merged = tuple(p for p in [*kept, *parts] if p.sessions)
        store = replace(self, parts=merged, rebuilt_at=datetime.now(UTC).isoformat())
        store._save()
        store._sweep()
        return store

    def _save(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        content = {
            "definition": self.definition,
            "dealer_model": self.dealer_model,
            "rebuilt_at": self.rebuilt_at,
            "parts": [{"name": p.name, "sessions": p.sessions} for p in self.parts],
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

    def files(self, table: str) -> dict[str, list[date]]:
        """Return the Parquet files of a table, each with the sessions that count in it.

        Raises
        ------
        MissingPartError
            If one is gone: its sessions must not silently be missing too.
        """
        if not (self.folder / table).is_dir():  # a table that this store does not have
            return {}
        found = {}
        for part in self.parts:
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
                yield self.load(self.folder).intact() if manifest.is_file() else self
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


def find_stores(
    lake: Path,
    underlying: str,
    *,
    definition_id: str | None = None,
    dealer_model: str | None = None,
    tree: str = _REBUILT,
) -> list[DerivedStore]:
    """Return the stores of one definition: the one named, else the one rebuilt last.

    Raises
    ------
    NotRebuiltError
        If nothing has been rebuilt for the underlying.
    DefinitionError
        If that definition or dealer model has not been rebuilt.
    """
    root = lake / tree / f"underlying={underlying}"
    stores = [DerivedStore.load(p.parent) for p in sorted(root.glob(f"*/*/{_MANIFEST}"))]
    if not stores:
        raise NotRebuiltError(
            f"{lake}: no regimes of {underlying} have been rebuilt: run gexlab rebuild --lake "
            f"{lake} --underlying {underlying}"
        )
    if dealer_model is not None:
        name = dealer_name(dealer_model)
        stores = [s for s in stores if s.dealer_model == name]
    if definition_id is None and stores:
        definition_id = _id_of(max(stores, key=lambda s: s.rebuilt_at))
    chosen = [s for s in stores if _id_of(s) == definition_id]
    if not chosen:
        raise DefinitionError(
            f"{lake}: nothing rebuilt of {underlying} for definition {definition_id or 'any'} and "
            f"dealer model {dealer_model or 'any'}: run gexlab rebuild with them"
        )
    return chosen


def _id_of(store: DerivedStore) -> str:
    return store.folder.parent.name.removeprefix("definition=")
