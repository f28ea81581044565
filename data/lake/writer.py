"""The one way rows enter the lake: whole sessions, in one step, whoever else writes."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from ..base.errors import LakeError
from .delta_log import TableShape
from .drafts import draft_folder, naming_the_lake
from .integrity import content_of, part_damage, require_inside, require_rescue
from .joint_commit import LakeMovedError, Prepared, Written, commit_together
from .manifest import Manifest, changed_sessions
from .naming import check_underlying, folder_of
from .part_closing import PartClosing
from .parts import (
    CHAIN_SCHEMA,
    LARGE_SESSION,
    PART_ROWS,
    PartWriter,
    SessionRows,
    part_tables,
    split_sessions,
    to_canonical,
)
from .records import CHAINS, manifest_at, record_changes, record_of
from .session_stream import ascending_tables, sorted_rows, whole_sessions
from .storage import sent, sync_folder
from .versions import Change, newest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from concurrent.futures import Executor
    from datetime import date
    from pathlib import Path

    from .delta_log import DataFile
    from .lake import Lake
    from .manifest import SessionEntry, SourceEntry

__all__ = [
    "CHAIN_TABLE",
    "LakeMovedError",
    "LakeWriter",
    "Written",
    "lake_writer",
    "lake_writers",
    "write_sessions",
]

CHAIN_TABLE: Final = TableShape(CHAIN_SCHEMA, ("underlying", "year"))


class LakeWriter:
    """Rows on their way into one underlying of a lake; nothing is visible before `commit`.

    Attributes
    ----------
    root : Path
        The lake's folder.
    version : Version
        The lake as this writer found it.
    before : Manifest
        What it then held of the underlying.
    drafts : Path
        A folder for temporary files, removed when the writer is done, whatever happens.
    limit : float
        Rows after which a part is closed at the next end of a session.
    """

    def __init__(
        self, root: Path, underlying: str, drafts: Path, hand: Executor | None = None
    ) -> None:
        self.root = root
        self._full = PartClosing(hand)
        self._underlying = underlying
        self.folder = root / CHAINS / folder_of(underlying)
        self.drafts = drafts
        self.limit: float = PART_ROWS
        self._fresh: dict[date, SessionEntry] = {}
        self._rescued: dict[date, SessionEntry] = {}
        self._made: dict[str, DataFile] = {}
        self._seen: set[date] = set()
        self._unchanged: set[date] = set()
        self._dropped: set[date] = set()
        self._part: PartWriter | None = None
        self._growing: date | None = None
        self._parts = 0
        self._finals: dict[Path, Path] = {}
        self._look()

    def _look(self) -> None:
        """Take the lake's state as the one to write over."""
        self.version = newest(self.root)
        self._record = record_of(self.root, self._underlying, self.version)
        self.before = manifest_at(self.root, self._underlying, self.version)
        self._old = {entry.session: entry for entry in self.before.sessions}
        self._named = {content_of(e.file.name): e.file.name for e in self.before.sessions}

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

    def add_piece(self, rows: Any, *, last: bool) -> None:
        """Take rows of one large session, in its order; it is whole with the `last` of them."""
        if self._growing is None:
            self._growing = rows.column("session")[0].as_py()
            self._see(self._growing)
            if self._part is not None:
                self._full.add(self._part)
            self._part = self._opened_part()
        assert self._part is not None
        self._part.add_rows(rows)
        if not last:
            return
        entry = self._part.add_written(self._growing)
        part, self._part, self._growing = self._part, None, None
        if self._holds(entry):
            self._unchanged.add(entry.session)
            part.abandon()
        else:
            self._full.add(part)

    def readd(self, tables: Iterable[Any]) -> None:
        """Take sessions that are already in the lake, to be written to new parts."""
        for entry in (entry for rows in whole_sessions(tables) for entry in split_sessions(rows)):
            self._put(entry)

    def forget(self) -> None:
        """Start over, as if nothing had been added or dropped."""
        self.abandon()
        self._fresh, self._seen, self._unchanged, self._dropped = {}, set(), set(), set()

    def abandon(self) -> None:
        """Let go of what is being written."""
        self._full.abandon()
        self._growing = None
        if self._part is not None:
            self._part.abandon()
            self._part = None

    def drop(self, sessions: Iterable[date]) -> None:
        """Take sessions out of the lake."""
        self._dropped.update(sessions)

    def commit(
        self,
        sources: tuple[SourceEntry, ...] | None = None,
        *,
        operation: str = "write",
        whole: bool = False,
    ) -> Manifest:
        """Make everything visible in one step and return the new state.

        Parameters
        ----------
        sources : tuple of SourceEntry, optional
            Replaces the record of what was ingested; None keeps it.
        operation : str
            What the version is called.
        whole : bool
            The rows were worked out from `before`, and count only where that is still so.

        Raises
        ------
        LakeMovedError
            If it is not.
        """
        return commit_together([(self, sources)], operation=operation, whole=whole)[0]

    def look_again(self, *, whole: bool) -> None:
        """Take the lake's newest state as the one to write over.

        Raises
        ------
        LakeMovedError
            If the rows were worked out from the one before as a `whole`, and it has changed.
        """
        record = self._record
        self._look()
        if whole and record != self._record:
            raise LakeMovedError(
                f"{self._underlying} in {self.root} was written to by others: run it again"
            )

    def _add_session(self, entry: SessionRows) -> None:
        self._see(entry.session)
        if self._holds(entry):
            self._unchanged.add(entry.session)
        else:
            self._put(entry)

    def _see(self, day: date) -> None:
        if day in self._seen:
            raise LakeError(f"session {day} arrived in two pieces: sort the rows by session")
        self._seen.add(day)

    def _holds(self, entry: SessionRows | SessionEntry) -> bool:
        """Return whether the lake holds these very rows, undamaged."""
        old = self._old.get(entry.session)
        same = old and (old.fingerprint, old.sources) == (entry.fingerprint, entry.sources)
        return bool(old and same and part_damage(old.file, self.root) is None)

    def _put(self, entry: SessionRows) -> None:
        part = self._part
        large = entry.count >= LARGE_SESSION and self.limit == PART_ROWS
        if part is not None and (large or not part.takes(entry.session)):
            self._part = None
            self._full.add(part)
        if self._part is None:
            self._part = self._opened_part()
        self._part.add(entry)
        if large:
            self._full.add(self._part)
            self._part = None

    def _opened_part(self) -> PartWriter:
        self._parts += 1
        draft = self.drafts / f"{self._parts}.draft"
        return PartWriter(draft, self.version.number + 1, self.limit)

    def finish(self) -> None:
        """Close the part that is being written: nothing more is added before `commit`."""
        self._flush()

    def written(self) -> Written:
        """Close the part that is being written, and return what another process may `take`."""
        self._flush()
        fresh, made = dict(self._fresh), dict(self._made)
        return Written(self._record, fresh, made, frozenset(self._seen), frozenset(self._unchanged))

    def take(self, written: Written) -> None:
        """Take what a writer of this underlying wrote elsewhere, as if it had been added here.

        Parameters
        ----------
        written : Written
            Its parts lie on this file system, or in the lake's store already.

        Raises
        ------
        LakeMovedError
            If it was written over another state of the underlying than this writer found.
        """
        if written.record != self._record:
            raise LakeMovedError(
                f"{self._underlying} in {self.root} was written to by others: run it again"
            )
        self._fresh.update(written.fresh)
        self._made.update(written.made)
        self._seen |= written.seen
        self._unchanged |= written.unchanged

    def _flush(self) -> None:
        self._fresh.update((entry.session, entry) for entry in self._closed())

    def _closed(self) -> list[SessionEntry]:
        """Finish the parts that are being written, and return what they hold."""
        part, self._part = self._part, None
        if part is not None:
            self._full.add(part)
        return [entry for closed in self._full.settled() for entry in self._placed(*closed)]

    def _placed(self, entries: list[SessionEntry], made: DataFile) -> list[SessionEntry]:
        """Note the file of a part, and return its sessions with the file that they lie in."""
        before = self._named.get(content_of(made.path))
        if before is not None:  # what was lost comes back where it lay
            there = entries[0].file.rename(entries[0].file.with_name(before))
            entries = [entry.lying_in(there) for entry in entries]
            made = replace(made, path=before)
        year = made.partition["year"]
        path = f"{folder_of(self._underlying)}/year={year}/{made.path}"
        partition = {"underlying": self._underlying, "year": year}
        self._made[made.path] = replace(made, path=path, partition=partition)
        return entries

    def _rescue(self, stale: set[Path], replaced: set[date]) -> None:
        """Copy the sessions that share a part with a replaced one into parts of their own."""
        self._rescued = {}
        for path in sorted(stale):
            kept = [e.session for e in self.before.sessions if e.file == path]
            kept = [day for day in kept if day not in replaced]
            if kept:
                require_rescue(path, self.root, self.before, kept)
                self.readd(part_tables(path, kept))
                self._rescued.update((entry.session, entry) for entry in self._closed())

    def _after(self, replaced: set[date], sources: tuple[SourceEntry, ...]) -> Manifest:
        entries = {day: e for day, e in self._old.items() if day not in replaced}
        entries.update((day, self._final(e)) for day, e in self._rescued.items())
        entries.update((day, self._final(e)) for day, e in self._fresh.items())
        return Manifest(
            self.before.underlying,
            tuple(entries[day] for day in sorted(entries)),
            tuple(sorted(sources, key=lambda s: s.source)),
        )

    def _final(self, entry: SessionEntry) -> SessionEntry:
        return entry.lying_in(self._final_path(entry.file, entry.session.year))

    def _final_path(self, draft: Path, year: int) -> Path:
        """Return where a part comes to lie; made once for all of its sessions."""
        path = self._finals.get(draft)
        if path is None:
            path = self._finals[draft] = self.folder / f"year={year}" / draft.name
        return path

    def prepared(self, sources: tuple[SourceEntry, ...] | None) -> Prepared:
        """Bring the files of everything added where they belong, and say what a commit does.

        They count once a version names them.

        Parameters
        ----------
        sources : tuple of SourceEntry, optional
            As for `commit`.
        """
        self._flush()
        replaced = (set(self._fresh) | (self._dropped - self._unchanged)) & set(self._old)
        stale = {self._old[day].file for day in replaced}
        self._rescue(stale, replaced)
        after = self._after(replaced, self.before.sources if sources is None else sources)
        if after == self.before and not self._fresh:
            return Prepared(self.version, after, (), 0)
        # the same rows come back where a part was lost
        add = self._moved({entry.file for entry in after.sessions})
        gone = stale - {entry.file for entry in after.sessions}
        less = [path.relative_to(self.root / CHAINS).as_posix() for path in gone]
        chains = Change(CHAINS, CHAIN_TABLE, tuple(add), tuple(less))
        records = record_changes(self.root, self.version, self._record, after, held=self.before)
        changes = (*([chains] if add or less else []), *records)
        return Prepared(self.version, after, changes, len(changed_sessions(self.before, after)))

    def _moved(self, named: set[Path]) -> list[DataFile]:
        """Move what was written to its place; return what of it the lake then names."""
        self.folder.mkdir(parents=True, exist_ok=True)
        entries = [*self._rescued.values(), *self._fresh.values()]
        moves = {(e.file, self._final_path(e.file, e.session.year)) for e in entries}
        for draft, final in sorted(moves):
            final.parent.mkdir(exist_ok=True)
            require_inside(final.parent, self.root)
            if draft.exists():  # not yet moved by an attempt before
                sent(draft, final)
                draft.replace(final)
        for folder in sorted({final.parent for _, final in moves} | {self.folder}):
            sync_folder(folder)
        return [self._made[draft.name] for draft, final in sorted(moves) if final in named]


@contextmanager
def lake_writer(lake: Lake, underlying: str) -> Iterator[LakeWriter]:
    """Open the lake for writing; what killed writers left aside is removed first.

    Nothing changes unless `LakeWriter.commit` is called. Others may write meanwhile.

    Raises
    ------
    LakeError
        If the lake cannot be written: no permission, no space, a past version.
    """
    check_underlying(underlying)
    with lake_writers(lake) as (writer_of, _):
        yield writer_of(underlying)


@contextmanager
def lake_writers(lake: Lake) -> Iterator[tuple[Callable[[str], LakeWriter], Path]]:
    """Open the lake for writing several underlyings; `commit_together` makes them visible.

    Yields
    ------
    callable
        Gives the writer of an underlying, always the same one.
    Path
        A folder for temporary files.

    Raises
    ------
    LakeError
        As `lake_writer`.
    """
    if lake.version is not None:
        raise LakeError(f"{lake} is a past version, which is only read: open the lake without it")
    with (
        naming_the_lake(lake.root),
        draft_folder(lake.root) as drafts,
        ThreadPoolExecutor(1) as hand,
    ):
        opened: dict[str, LakeWriter] = {}

        def writer_of(underlying: str) -> LakeWriter:
            if underlying not in opened:
                folder = drafts / str(len(opened))
                folder.mkdir()
                name = check_underlying(underlying)
                opened[underlying] = LakeWriter(lake.root, name, folder, hand)
            return opened[underlying]

        try:
            yield writer_of, drafts
        finally:
            for writer in opened.values():
                writer.abandon()


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
        for piece in whole_sessions(ascending_tables(rows)):
            writer.add(sorted_rows(to_canonical(piece, underlying, source)))
        return writer.commit().sessions
