"""What becomes of a lake over time: its versions, and the files that none of them needs."""

from __future__ import annotations

import math
import time
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import groupby
from typing import TYPE_CHECKING, Final

from ..base.errors import LakeError, UnknownNameError
from .checkpointing import write_checkpoints
from .delta_log import apply, log_file, log_numbers
from .derived_tables import TABLES
from .drafts import naming_the_lake, remove_abandoned
from .joint_files import join_rebuilt
from .lake import open_lake
from .naming import check_underlying, folder_of
from .parts import part_tables
from .records import CHAINS
from .row_table import TRIALS, row_table
from .storage import TakenError, read_kept, removed, stored_files
from .versions import ATTEMPTS, VERSIONS, Version, commit, newest, readable, table_files, version_at
from .writer import LakeMovedError, lake_writer

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Collection, Iterator
    from pathlib import Path

    from .lake import Lake
    from .logged_files import Said
    from .manifest import Manifest

__all__ = [
    "RETENTION",
    "CompactResult",
    "LakeVersion",
    "VacuumResult",
    "compact",
    "vacuum",
    "versions",
]

#: Days for which every version of a lake stays readable unless something else is said.
RETENTION: Final = 30.0
#: Hours for which a file that no version names is left alone: its writer may be at work.
_GRACE: Final = 24.0


@dataclass(frozen=True, slots=True)
class LakeVersion:
    """What changed in a lake when.

    Attributes
    ----------
    version : int
        Its number, from 0 on.
    at : datetime
        When it was committed, UTC.
    operation : str
        ``ingest``, ``write``, ``rebuild``, ``compact``, ``migrate`` or ``vacuum``.
    underlying : str or None
        Whose sessions, several with commas; None where the whole lake is meant.
    sessions : int
        How many changed.
    """

    version: int
    at: datetime
    operation: str
    underlying: str | None
    sessions: int


@dataclass(frozen=True, slots=True)
class VacuumResult:
    """What a vacuum removed.

    Attributes
    ----------
    files, bytes : int
        Deleted from the disk.
    oldest : int
        From here on every version can be read, before it those alone that archived runs name.
    versions : int
        How many can be read.
    """

    files: int
    bytes: int
    oldest: int
    versions: int


@dataclass(frozen=True, slots=True)
class CompactResult:
    """What a compaction joined.

    Attributes
    ----------
    underlyings : int
    files_before, files_after : int
        Files of chains that the newest version names.
    rebuilt_before, rebuilt_after : int
        Files of rebuilt tables.
    """

    underlyings: int
    files_before: int
    files_after: int
    rebuilt_before: int
    rebuilt_after: int


def compact(
    lake: Lake | str | os.PathLike[str], *, underlying: str | None = None, more_than: int = 1
) -> CompactResult:
    """Join the small files that daily ingests and rebuilds leave behind: one for each year.

    No value changes. The files that were joined stay for earlier versions until `vacuum`.

    Parameters
    ----------
    lake : Lake, str or Path
    underlying : str, optional
        All of the lake unless named.
    more_than : int
        Underlyings whose chains have no more files than these in any year are left alone.

    Returns
    -------
    CompactResult

    Raises
    ------
    UnknownNameError
        If the lake holds nothing of the underlying.
    LakeError
        If the lake cannot be read or written.
    """
    opened = open_lake(lake)
    names = opened.underlyings()
    if underlying is not None:
        if underlying not in names:
            raise UnknownNameError("underlying", check_underlying(underlying), names)
        names = [underlying]
    before = _count(opened.root, names)
    for name in _with_many(opened.root, names, more_than):
        with naming_the_lake(opened.root):
            _until_done(opened.root, lambda name=name: _compact_chains(opened, name))  # type: ignore[misc]
            _until_done(opened.root, lambda name=name: join_rebuilt(opened, name))  # type: ignore[misc]
    _until_done(opened.root, lambda: write_checkpoints(opened.root))
    return CompactResult(len(names), *_pairs(before, _count(opened.root, names)))


def _pairs(before: tuple[int, int], after: tuple[int, int]) -> tuple[int, int, int, int]:
    return before[0], after[0], before[1], after[1]


def _until_done(root: Path, work: Callable[[], object]) -> None:
    """Work again where others wrote to the same meanwhile."""
    for attempt in range(ATTEMPTS):
        try:
            work()
        except (LakeMovedError, TakenError):
            time.sleep(min(0.01 * attempt, 0.5))
        else:
            return
    raise LakeMovedError(f"the lake {root} is written to without a pause: try again")


def _count(root: Path, names: Collection[str]) -> tuple[int, int]:
    version, folders = newest(root), {folder_of(name) for name in names}
    counts = [
        sum(path.partition("/")[0] in folders for path in table_files(root, version, t))
        for t in (CHAINS, *TABLES)
    ]
    return counts[0], sum(counts[1:])


def _with_many(root: Path, names: Collection[str], most: int) -> list[str]:
    """Return the underlyings whose chains have more files than `most` in some year."""
    if most < 2:  # its rebuilt tables may have many
        return list(names)
    files = table_files(root, newest(root), CHAINS)
    counts = Counter(path.rpartition("/")[0] for path in files)  # folders of a name and year
    found = {folder.partition("/")[0] for folder, count in counts.items() if count > most}
    return [name for name in names if folder_of(name) in found]


def _compact_chains(lake: Lake, underlying: str) -> None:
    """Join the small parts that daily appending leaves behind; rows and fingerprints stay.

    Raises
    ------
    LakeMovedError
        If others wrote to the underlying meanwhile.
    """
    with lake_writer(lake, underlying) as writer:
        writer.limit = math.inf
        for path, days in _crowded(writer.before):
            writer.readd(part_tables(path, days))
        writer.commit(operation="compact", whole=True)


def _crowded(manifest: Manifest) -> Iterator[tuple[Path, list[date]]]:
    """Yield, in order, what has to be rewritten: years with more than one part."""
    for _, entries in groupby(manifest.sessions, key=lambda e: e.session.year):
        year = list(entries)
        if len({e.file for e in year}) > 1:
            for path, run in groupby(year, key=lambda e: e.file):
                yield path, [e.session for e in run]


def versions(lake: Lake | str | os.PathLike[str]) -> list[LakeVersion]:
    """Return the versions of a lake that can be read, ascending.

    Parameters
    ----------
    lake : Lake, str or Path

    Returns
    -------
    list of LakeVersion

    Raises
    ------
    LakeError
        If the folder is no lake, or a version cannot be read.
    """
    return [
        LakeVersion(v.number, v.at, v.operation, v.underlying, v.sessions)
        for v in _readable(open_lake(lake).root)
    ]


def _readable(root: Path) -> list[Version]:
    last = newest(root)
    numbers = readable(root, last, log_numbers(root / VERSIONS))
    return [version_at(root, number) for number in numbers]


def vacuum(
    lake: Lake | str | os.PathLike[str],
    *,
    retention: float = RETENTION,
    grace: float = _GRACE,
    now: datetime | None = None,
) -> VacuumResult:
    """Delete files that only versions older than a retention need, and what killed writers left.

    Parameters
    ----------
    lake : Lake, str or Path
    retention : float
        Days for which versions stay readable; the one that was in force so long ago stays too, and
        so do those that archived runs name (`archive_version`).
    grace : float
        Hours for which files that no version names are left alone, since they may be of a writer
        that is still at work.
    now : datetime, optional
        The moment from which the retention counts; the clock's where not given.

    Returns
    -------
    VacuumResult

    Raises
    ------
    LakeError
        If the folder is no lake, a log cannot be read, or a file cannot be deleted.
    """
    if not retention >= 0.0 or not grace >= 0.0:
        raise LakeError(f"a retention of {retention:g} days: name 0 or more")
    root = open_lake(lake).root
    until = (now or datetime.now(UTC)) - timedelta(days=retention)
    with naming_the_lake(root):
        kept = _forget(root, until)
    alive, named = _files(root, kept)
    alive |= row_table(root, TRIALS).data_files()
    count, size = 0, 0
    for path, length, written in _candidates(root):
        young = time.time() - written < 3600.0 * grace
        if path in alive or (path not in named and young):
            continue
        count, size = count + 1, size + length
        try:
            removed(path)
        except OSError as error:
            raise LakeError(
                f"{path} cannot be deleted ({error.strerror}): vacuum as a user who may write to "
                "the lake"
            ) from error
    remove_abandoned(root)
    return VacuumResult(count, size, newest(root).oldest, len(kept))


def _forget(root: Path, until: datetime) -> list[Version]:
    """Commit that versions before one are gone, where there are such; return the others."""
    for _ in range(ATTEMPTS):
        found = _readable(root)
        past = [v.number for v in found if v.at <= until]
        oldest = max(past, default=0)
        if not found or oldest <= found[-1].oldest:
            return found
        try:
            last = commit(
                root, found[-1], [], operation="vacuum", underlying=None, sessions=0, oldest=oldest
            )
        except TakenError:
            continue
        able = set(readable(root, last, [v.number for v in found]))
        return [*(v for v in found if v.number in able), last]
    raise LakeMovedError(f"the lake {root} is written to without a pause: try again")


def _files(root: Path, kept: list[Version]) -> tuple[set[Path], set[Path]]:
    """Return the files that some versions need, and all that any version ever named.

    What a table's log alone names may be of a writer that was not first and tries again.
    """
    ever = [version_at(root, number) for number in log_numbers(root / VERSIONS)]
    alive: set[Path] = set()
    named: set[Path] = set()
    for table in sorted({name for version in kept for name in version.tables}):
        wanted = {v.tables[table].version for v in kept if table in v.tables}
        once = {v.tables[table].version for v in ever if table in v.tables}
        files: dict[str, Said] = {}
        for number in range(max(wanted) + 1):
            apply(read_kept(log_file(root / table, number)), files)
            if number in once:
                here = {root / table / path for path in files}
                named |= here
                alive |= here if number in wanted else set()
    return alive, named


def _candidates(root: Path) -> Iterator[tuple[Path, int, float]]:
    """Yield the data files of the lake's tables, and files in the making: path, size, time."""
    for path, size, written in stored_files(root):
        below = path.relative_to(root).parts
        if below[0] == VERSIONS:
            continue
        unfinished = path.name.startswith(".") and path.suffix in (".half", ".tmp")
        data = path.suffix == ".parquet" and "_delta_log" not in below
        if data or unfinished:
            yield path, size, written
