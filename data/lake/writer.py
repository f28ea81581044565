"""The one way rows enter the lake: whole sessions, in one step, by one writer at a time."""

from __future__ import annotations

import shutil
from contextlib import contextmanager, suppress
from dataclasses import replace
from itertools import groupby
from typing import TYPE_CHECKING, Any, Final

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from ..base.errors import LakeError
from ..base.sql import load_sql
from .integrity import part_damage, require_inside
from .locks import write_lock
from .manifest import Manifest, check_underlying, read_manifest, sync_folder, write_manifest
from .naming import folder_of
from .parts import (
    CHAIN_SCHEMA,
    PART_ROWS,
    PartWriter,
    SessionRows,
    part_rows,
    split_sessions,
    to_canonical,
)
from .strays import remove_files, remove_strays, sweep_alone

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from datetime import date
    from pathlib import Path

    from .lake import Lake
    from .manifest import SessionEntry, SourceEntry

__all__ = [
    "LakeWriter",
    "compact",
    "lake_writer",
    "lake_writers",
    "sorted_rows",
    "whole_sessions",
    "write_sessions",
]

_DRAFTS: Final = ".tmp"


class LakeWriter:
    """Rows on their way into one underlying of a lake; nothing is visible before `commit`.

    Attributes
    ----------
    before : Manifest
        The state that this writer found.
    drafts : Path
        A folder for temporary files, removed when the writer is done, whatever happens.
    """

    def __init__(self, root: Path, underlying: str, drafts: Path) -> None:
        self._root = root
        self.folder = root / "chains" / folder_of(underlying)
        self.before = read_manifest(self.folder, underlying)
        self.drafts = drafts
        self._old = {entry.session: entry for entry in self.before.sessions}
        self._fresh: dict[date, SessionEntry] = {}
        self._seen: set[date] = set()
        self._unchanged: set[date] = set()
        self._dropped: set[date] = set()
        self._part: PartWriter | None = None
        self._parts = 0

    def add(self, rows: Any) -> None:
        """Take whole sessions, which replace the lake's.

        Parameters
        ----------
        rows : pyarrow.Table
            Canonical columns and types in the lake's order; sessions ascend from call to call.
        """
        self.add_sessions(split_sessions(rows))

    def add_sessions(self, sessions: Iterable[SessionRows]) -> None:
        """Take whole sessions that are cut and fingerprinted already, as `add` does."""
        for entry in sessions:
            self._add_session(entry)

    def readd(self, rows: Any) -> None:
        """Take sessions that are already in the lake, to be written to new parts."""
        for entry in split_sessions(rows):
            self._put(entry)

    def forget(self) -> None:
        """Start over, as if nothing had been added or dropped."""
        self.abandon()
        self._fresh, self._seen, self._unchanged, self._dropped = {}, set(), set(), set()

    def abandon(self) -> None:
        """Let go of the part that is being written."""
        if self._part is not None:
            self._part.abandon()
            self._part = None

    def drop(self, sessions: Iterable[date]) -> None:
        """Take sessions out of the lake."""
        self._dropped.update(sessions)

    def commit(self, sources: tuple[SourceEntry, ...] | None = None) -> Manifest:
        """Make everything visible in one step and return the new state.

        Parameters
        ----------
        sources : tuple of SourceEntry, optional
            Replaces the record of what was ingested; None keeps it.
        """
        self._flush()
        replaced = (set(self._fresh) | (self._dropped - self._unchanged)) & set(self._old)
        stale = {self._old[day].file for day in replaced}
        self._rescue(stale, replaced)
        after = self._after(replaced, self.before.sources if sources is None else sources)
        if after != self.before or self._fresh:  # the same rows come back where a part was lost
            self._publish(after)
            remove_files(self._root, stale - {entry.file for entry in after.sessions})
        return after

    def _add_session(self, entry: SessionRows) -> None:
        day = entry.session
        if day in self._seen:
            raise LakeError(f"session {day} arrived in two pieces: sort the rows by session")
        self._seen.add(day)
        old = self._old.get(day)
        same = old and (old.fingerprint, old.sources) == (entry.fingerprint, entry.sources)
        if old and same and part_damage(old.file, self._root) is None:
            self._unchanged.add(day)
        else:
            self._put(entry)

    def _put(self, entry: SessionRows) -> None:
        part = self._part
        if part is not None and not part.takes(entry.session):
            self._flush()
        if self._part is None:
            self._parts += 1
            self._part = PartWriter(self.drafts / f"{self._parts}.draft")
        self._part.add(entry)

    def finish(self) -> None:
        """Close the part that is being written: nothing more is added before `commit`."""
        self._flush()

    def _flush(self) -> None:
        if self._part is not None:
            entries = self._part.close()
            self._part = None
            self._fresh.update((entry.session, entry) for entry in entries)

    def _rescue(self, stale: set[Path], replaced: set[date]) -> None:
        """Copy the sessions that share a part with a replaced one into parts of their own."""
        for path in sorted(stale):
            kept = [e.session for e in self.before.sessions if e.file == path]
            kept = [day for day in kept if day not in replaced]
            if kept:
                self._require_rescue(path, kept)
                self.readd(part_rows(path, kept))
                self._flush()

    def _require_rescue(self, path: Path, kept: list[date]) -> None:
        """Refuse to write while a damaged part holds further sessions, which would be lost."""
        what = part_damage(path, self._root)
        if what is None:
            return
        sources = {s for e in self.before.sessions if e.session in kept for s in e.sources}
        files = [p for e in self.before.sources if e.source in sources for p in e.paths]
        raise LakeError(
            f"{path}: {what}; it also held {len(kept)} sessions from {kept[0]} to {kept[-1]}, read "
            f"from {', '.join(files[:20]) or 'elsewhere'}: ingest those files in the same call, or "
            "restore it"
        )

    def _after(self, replaced: set[date], sources: tuple[SourceEntry, ...]) -> Manifest:
        entries = {day: e for day, e in self._old.items() if day not in replaced}
        entries.update((day, self._final(e)) for day, e in self._fresh.items())
        return Manifest(
            self.before.underlying,
            tuple(entries[day] for day in sorted(entries)),
            tuple(sorted(sources, key=lambda s: s.source)),
        )

    def _final(self, entry: SessionEntry) -> SessionEntry:
        return replace(entry, file=self.folder / f"year={entry.session.year}" / entry.file.name)

    def _publish(self, after: Manifest) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        moves = {(e.file, self._final(e).file) for e in self._fresh.values()}
        for draft, final in sorted(moves):
            final.parent.mkdir(exist_ok=True)
            require_inside(final.parent, self._root)
            draft.replace(final)
        for folder in sorted({final.parent for _, final in moves} | {self.folder}):
            sync_folder(folder)
        write_manifest(self.folder, after)


@contextmanager
def lake_writer(lake: Lake, underlying: str) -> Iterator[LakeWriter]:
    """Open the lake for writing: one writer at a time, leftovers of killed ones removed first.

    Nothing changes unless `LakeWriter.commit` is called.

    Raises
    ------
    LakeLockedError
        If another process is writing.
    LakeError
        If the lake cannot be written: no permission, no space.
    """
    check_underlying(underlying)
    with lake_writers(lake) as (writer_of, _):
        yield writer_of(underlying)


@contextmanager
def lake_writers(lake: Lake) -> Iterator[tuple[Callable[[str], LakeWriter], Path]]:
    """Open the lake for writing several underlyings, each made visible by its own `commit`.

    Yields
    ------
    callable
        Gives the writer of an underlying, always the same one.
    Path
        A folder for temporary files.

    Raises
    ------
    LakeLockedError, LakeError
        As `lake_writer`.
    """
    with write_lock(lake.root), _naming_the_lake(lake.root):
        drafts = lake.root / _DRAFTS
        shutil.rmtree(drafts, ignore_errors=True)
        drafts.mkdir()
        opened: dict[str, LakeWriter] = {}

        def writer_of(underlying: str) -> LakeWriter:
            if underlying not in opened:
                folder = drafts / str(len(opened))
                folder.mkdir()
                writer = LakeWriter(lake.root, check_underlying(underlying), folder)
                remove_strays(lake.root, writer.folder, writer.before)
                opened[underlying] = writer
            return opened[underlying]

        try:
            yield writer_of, drafts
        finally:
            for writer in opened.values():
                writer.abandon()
            shutil.rmtree(drafts, ignore_errors=True)
            with suppress(OSError):
                sweep_alone(lake.root)


@contextmanager
def _naming_the_lake(root: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise LakeError(
            f"cannot write to the lake {root}: {error.strerror or error}; free some space or "
            "choose a folder you may write to; the lake is as it was"
        ) from error


def write_sessions(
    lake: Lake, underlying: str, rows: Any, *, source: str | None = None
) -> tuple[SessionEntry, ...]:
    """Replace whole sessions of an underlying by canonical rows, atomically.

    Parameters
    ----------
    lake : Lake
        Where to write.
    underlying : str
        Goes into the column `underlying`.
    rows : pyarrow.Table, pyarrow.RecordBatchReader or duckdb relation
        Canonical columns (`schema.CHAIN_COLUMNS`), the rows of a session together; a reader is
        worked through in bounded memory.
    source : str, optional
        Goes into the column `source`; by default the rows bring their own.

    Returns
    -------
    tuple of SessionEntry
        All sessions of the underlying after the write. Rows that are already there change nothing.

    Raises
    ------
    LakeError
        If a column is missing or empty where it is required, a session arrives in two pieces,
        or the lake cannot be written. The lake is then as it was.
    """
    with lake_writer(lake, underlying) as writer:
        for piece in whole_sessions(_batches(rows)):
            writer.add(sorted_rows(to_canonical(piece, underlying, source)))
        return writer.commit().sessions


def compact(lake: Lake, underlying: str) -> tuple[SessionEntry, ...]:
    """Join the small parts that daily appending leaves behind; rows and fingerprints stay.

    Parameters
    ----------
    lake : Lake
    underlying : str

    Returns
    -------
    tuple of SessionEntry
        All sessions of the underlying after the write.

    Raises
    ------
    LakeError
        If the lake cannot be read or written, or another process writes to it for too long.
    """
    with lake_writer(lake, underlying) as writer:
        for path, days in _crowded(writer.before):
            writer.readd(part_rows(path, days))
        return writer.commit().sessions


def _crowded(manifest: Manifest) -> Iterator[tuple[Path, list[date]]]:
    """Yield, in order, what has to be rewritten: years with more parts than their rows need."""
    for _, entries in groupby(manifest.sessions, key=lambda e: e.session.year):
        year = list(entries)
        needed = sum(e.rows for e in year) // PART_ROWS + 1
        if len({e.file for e in year}) > needed:
            for path, run in groupby(year, key=lambda e: e.file):
                yield path, [e.session for e in run]


def sorted_rows(rows: Any) -> Any:
    """Return canonical rows in the lake's order."""
    with duckdb.connect() as connection:
        connection.register("canonical_rows", rows)
        return connection.sql(load_sql("lake/sort")).to_arrow_table().cast(CHAIN_SCHEMA)


def _batches(rows: Any) -> Iterator[Any]:
    """Yield tables in which sessions ascend."""
    if isinstance(rows, pa.Table):
        yield rows.sort_by("session") if "session" in rows.column_names else rows
        return
    if isinstance(rows, duckdb.DuckDBPyRelation):
        rows = rows.sort(duckdb.ColumnExpression("session")).to_arrow_reader(PART_ROWS // 4)
    for batch in rows:
        yield pa.Table.from_batches([batch])


def whole_sessions(tables: Iterable[Any], least: int = PART_ROWS) -> Iterator[Any]:
    """Cut a stream of tables anew: at least so many rows each, ending where a session ends."""
    waiting: list[Any] = []
    for table in tables:
        if "session" not in table.column_names:
            raise LakeError("canonical rows lack the column 'session': add it")
        waiting.append(table)
        if sum(t.num_rows for t in waiting) < least:
            continue
        joined = pa.concat_tables(waiting)
        cut = _last_session_start(joined)
        if cut:
            yield joined.slice(0, cut)
        waiting = [joined.slice(cut)]
    if waiting:
        yield pa.concat_tables(waiting)


def _last_session_start(table: Any) -> int:
    days = table.column("session")
    return int(pc.index(days, days[-1]).as_py())
