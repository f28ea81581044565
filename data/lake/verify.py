"""Every byte of a lake held against what was recorded when it was written."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from ..base.errors import LakeError
from ..base.progress import silent
from .checkpointing import checkpoint_damage
from .data_files import file_damage
from .delta_log import apply, chained, files_in, files_of, log_file, log_numbers
from .derived_records import read_store
from .derived_tables import REBUILDS, TABLES
from .lake import open_lake
from .logged_files import LoggedFiles
from .mirror import forgotten
from .naming import PREFIX, check_underlying, chosen, is_several
from .records import CHAINS, SESSIONS, manifest_at
from .row_table import TRIALS, row_table
from .shared_places import MISPLACED, is_misplaced, rows_of_group
from .storage import read_kept
from .versions import MARK, VERSIONS, marked, previous_of, readable, table_files, version_at

if TYPE_CHECKING:
    from ..base.progress import Progress
    from .derived_parts import Part
    from .derived_tables import DerivedStore
    from .lake import Lake
    from .logged_files import Said
    from .manifest import SessionEntry
    from .versions import Version

__all__ = ["Damage", "Verification", "verify"]


@dataclass(frozen=True, slots=True)
class Damage:
    """One session that is not what was written.

    Attributes
    ----------
    underlying : str
        Empty where the whole lake is concerned.
    session : date or None
        None where more is concerned: a record or a log.
    file : str
        The damaged file.
    what : str
        What is wrong with it, and what to do.
    """

    underlying: str
    session: date | None
    file: str
    what: str


@dataclass(frozen=True, slots=True)
class Verification:
    """What was compared, and what is damaged.

    Attributes
    ----------
    files, sessions : int
        Files of chains and of rebuilt tables, with their records; sessions of chains.
    damaged : tuple of Damage
    """

    files: int
    sessions: int
    damaged: tuple[Damage, ...]


@dataclass(slots=True)
class _Found:
    files: int = 0
    sessions: int = 0
    damaged: list[Damage] = field(default_factory=list)
    #: What logs say by their digest, of one underlying where no other is asked for.
    said: dict[str, dict[str, Said]] = field(default_factory=dict)


def verify(
    lake: Lake | str | Path,
    *,
    underlying: str | None = None,
    quick: bool = False,
    progress: Progress = silent,
) -> Verification:
    """Compare the files of a lake with what was recorded when they were written.

    Parameters
    ----------
    lake : Lake, str or Path
    underlying : str, optional
        All of the lake unless named; several by commas or a pattern (capitals matter).
    quick : bool
        Records, presence and footers alone; otherwise every byte.
    progress : Progress
        Told how many underlyings are done.

    Returns
    -------
    Verification
        With every session that is damaged, by session and file.

    Raises
    ------
    LakeError
        If the folder is no lake.
    UnknownNameError
        If the lake holds nothing of the underlying.
    """
    opened = open_lake(lake)
    found = _Found()
    forgotten(opened.root)  # every byte is compared where it lies
    with opened.reading():
        only = None if underlying is None or is_several(underlying) else underlying
        alive = _logs(opened.root, found, only)
        version = _version(opened, found)
        if version is None:
            return Verification(found.files, 0, tuple(found.damaged))
        names = _underlyings(opened.root, version, found)
        if underlying is not None:
            names = _chosen(opened, underlying, names, found)
        for i, name in enumerate(names):
            progress(i, len(names), name)
            _chains(opened, version, name, quick, found, alive, only)
            _derived(opened, version, name, quick, found, alive, only)
            _others(opened.root, name, quick, found, alive)
        _others(opened.root, None, quick, found, alive)
        _trials(opened.root, quick, found)
        progress(len(names), len(names))
    return Verification(found.files, found.sessions, tuple(found.damaged))


def _chosen(lake: Lake, choice: str, held: list[str], found: _Found) -> list[str]:
    """Return the underlyings that are meant, of those of which there is a record."""
    if is_several(choice):
        return chosen(choice, held)
    if check_underlying(choice) not in held:
        if not found.damaged:
            lake.held(choice)
        return []
    return [choice]


def _logs(root: Path, found: _Found, only: str | None) -> dict[str, dict[str, Said]]:
    """Compare the rows of the versions with each other, and the logs of all tables with them.

    Returned are, by table and path, the files that any version names that can still be read.
    """
    numbers = log_numbers(root / VERSIONS)
    versions: list[Version] = []
    for number in range(numbers[-1] + 1) if numbers else ():
        path = log_file(root / VERSIONS, number)
        found.files += 1
        try:
            version, previous = version_at(root, number), previous_of(root, number)
        except (LakeError, OSError, ValueError, KeyError) as error:
            found.damaged.append(Damage("", None, str(path), str(error)))
            continue
        if versions and versions[-1].number == number - 1 and previous != versions[-1].digest:
            what = "does not follow the version before: restore both from a copy"
            found.damaged.append(Damage("", None, str(path), what))
        versions.append(version)
        _row_damage(root, number, found)
    _mark_damage(root, versions, found)
    names = sorted({name for version in versions for name in version.tables})
    return {name: _log_damage(root, name, versions, found, only) for name in names}


def _mark_damage(root: Path, versions: list[Version], found: _Found) -> None:
    """Compare the mark of the newest version with it."""
    path = root / VERSIONS / MARK
    found.files += 1
    try:
        number, digest = marked(root)
    except LakeError as error:
        found.damaged.append(Damage("", None, str(path), str(error)))
        return
    if versions and not any((v.number, v.digest) == (number, digest) for v in versions):
        what = "is not that of a version: delete it, it is written again with the next one"
        what = "gone: it is written again with the next version" if number < 0 else what
        found.damaged.append(Damage("", None, str(path), what))


def _row_damage(root: Path, number: int, found: _Found) -> None:
    """Compare the file of a version's row with what its commit says of it."""
    lines = read_kept(log_file(root / VERSIONS, number)).splitlines()
    for file in files_in(lines).values():
        found.files += 1
        what = file_damage(root, VERSIONS, file)
        if what is not None:
            path = str(root / VERSIONS / file.path)
            found.damaged.append(Damage("", None, path, f"{what}: restore it from a copy"))


def _log_damage(
    root: Path, name: str, versions: list[Version], found: _Found, only: str | None
) -> dict[str, Said]:
    """Compare a table's log with the digests that the versions state of it."""
    chains = {v.tables[name].version: v.tables[name].chain for v in versions if name in v.tables}
    try:
        able = set(readable(root, versions[-1], [v.number for v in versions]))
    except LakeError:  # found damaged as a log of its own
        able = {v.number for v in versions if v.number >= versions[-1].oldest}
    kept = {v.tables[name].version for v in versions if v.number in able and name in v.tables}
    alive: dict[str, Said] = {}
    files: dict[str, Said] = {}
    chain = ""
    for number in range(max(chains) + 1):
        path = log_file(root / name, number)
        found.files += 1
        try:
            content = read_kept(path)
            chain = chained(chain, content)
            if chains.get(number, chain) != chain:
                raise ValueError("its bytes, or those before it, are not those that were written")
            apply(content, files, only)
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            what = "gone" if isinstance(error, FileNotFoundError) else str(error)
            found.damaged.append(Damage("", None, str(path), f"{what}: restore it from a copy"))
            break
        if number in kept:
            alive |= files
    found.said[chain] = files
    point = versions[-1].tables[name].checkpoint if name in versions[-1].tables else None
    harmed = None if point is None else checkpoint_damage(root / name, point)
    if harmed is not None:
        what = f"{harmed[1]}: run gexlab compact, which writes it again from the log"
        found.damaged.append(Damage("", None, harmed[0], what))
    found.files += 0 if point is None else 2
    return alive


def _others(
    root: Path, name: str | None, quick: bool, found: _Found, alive: dict[str, dict[str, Said]]
) -> None:
    """Compare what no session of the newest version lies in: records, and earlier versions."""
    for table, held in alive.items():
        files = LoggedFiles(held)
        mine = files.of(name) if name is not None else (
            [files[path] for path in files if not path.startswith(PREFIX)])  # fmt: skip
        for file in mine:
            path = file.path
            found.files += 1
            what = file_damage(root, table, file, quick=quick)
            if what is not None:
                said = f"{what}: restore it; only earlier versions need it (gexlab vacuum)"
                found.damaged.append(Damage(name or "", None, str(root / table / path), said))


def _trials(root: Path, quick: bool, found: _Found) -> None:
    """Compare the table of trials, which no version of the lake names, with its own log."""
    table = row_table(root, TRIALS)
    if not table.exists():
        return
    for path, what in table.checked(quick=quick):
        found.files += 1
        if what is not None:
            said = what if ": " in what else f"{what}: restore it from a copy"
            found.damaged.append(Damage("", None, str(path), said))


def _version(lake: Lake, found: _Found) -> Version | None:
    try:
        return lake.at()
    except LakeError as error:
        if not any(d.what == str(error) for d in found.damaged):
            found.damaged.append(Damage("", None, str(lake.root / VERSIONS), str(error)))
        return None


def _underlyings(root: Path, version: Version, found: _Found) -> list[str]:
    """Return every underlying of which there is a record, readable or not."""
    try:
        return table_files(root, version, SESSIONS).underlyings()
    except LakeError as error:
        if not found.damaged:
            found.damaged.append(Damage("", None, str(root / SESSIONS), str(error)))
        return []


def _files(
    lake: Lake, version: Version, table: str, found: _Found, only: str | None
) -> LoggedFiles:
    """Return the files of a table; of one underlying where no other is asked for."""
    at = version.tables.get(table)
    if only is None or at is None:
        return table_files(lake.root, version, table)
    said = found.said.get(at.chain)
    return files_of(lake.root / table, at, only) if said is None else LoggedFiles(said)


def _chains(
    lake: Lake,
    version: Version,
    name: str,
    quick: bool,
    found: _Found,
    alive: dict[str, dict[str, Said]],
    only: str | None,
) -> None:
    try:
        held = manifest_at(lake.root, name, version)
        files = _files(lake, version, CHAINS, found, only)
    except LakeError as error:
        found.damaged.append(Damage(name, None, str(lake.root / SESSIONS), str(error)))
        return
    by_file: dict[Path, list[SessionEntry]] = {}
    for entry in held.sessions:
        by_file.setdefault(entry.file, []).append(entry)
    found.files += len(by_file)
    found.sessions += len(held.sessions)
    paths = {source.source: source.paths for source in held.sources}
    mine = {file.path: file for file in files.of(name)}
    for path in sorted(
        mine.keys() - {f.relative_to(lake.root / CHAINS).as_posix() for f in by_file}
    ):
        what = "named by the table, but no session lies in it: ingest again"
        found.damaged.append(Damage(name, None, str(lake.root / CHAINS / path), what))
    for file, entries in by_file.items():
        named = mine.get(file.relative_to(lake.root / CHAINS).as_posix())
        if named is not None:
            alive.get(CHAINS, {}).pop(named.path, None)
        wrong = "not named by the table" if named is None else (
            file_damage(lake.root, CHAINS, named, quick=quick))  # fmt: skip
        if wrong is None:
            continue
        files_read = sorted({p for e in entries for s in e.sources for p in paths.get(s, ())})
        again = f"ingest {', '.join(files_read[:5])} again" if files_read else (
            "ingest its sessions again")  # fmt: skip
        remedy = f"restore it, or delete it and {again}" if wrong != "gone" else again
        found.damaged += [Damage(name, e.session, str(file), f"{wrong}: {remedy}") for e in entries]


def _derived(
    lake: Lake,
    version: Version,
    name: str,
    quick: bool,
    found: _Found,
    alive: dict[str, dict[str, Said]],
    only: str | None,
) -> None:
    try:
        tables = {table: _files(lake, version, table, found, only) for table in TABLES}
        records = _files(lake, version, REBUILDS, found, only)
    except LakeError as error:
        if not found.damaged:
            found.damaged.append(Damage(name, None, str(lake.root / REBUILDS), str(error)))
        return
    told: dict[tuple[str, str], str | None] = {}
    for record in records.of(name):
        try:
            store = read_store(lake, record)
        except LakeError as error:
            path = str(lake.root / REBUILDS / record.path)
            found.damaged.append(Damage(name, None, path, str(error)))
            continue
        for part in store.parts:
            for table in part.tables:
                path = store.path(table, part)
                if (table, path) not in told:  # parts may share it
                    found.files += 1
                    alive.get(table, {}).pop(path, None)
                    known = tables[table].get(path)
                    told[table, path] = "not named by the table" if known is None else (
                        file_damage(lake.root, table, known, quick=quick))  # fmt: skip
                wrong = told[table, path] or _mixed(store, part, table, tables[table][path].rows)
                place = part.places.get(table)
                if wrong is None and place and is_misplaced(store.file(table, part), place):
                    wrong = MISPLACED
                if wrong is None:
                    continue
                remedy = "delete it and run gexlab rebuild again" if wrong != "gone" else (
                    "run gexlab rebuild again")  # fmt: skip
                file = str(store.file(table, part))
                found.damaged += [
                    Damage(name, date.fromisoformat(day), file, f"{wrong}: {remedy}")
                    for day in sorted(part.sessions)
                ]


def _mixed(store: DerivedStore, part: Part, table: str, rows: int) -> str | None:
    """Return what is wrong where regimes have another number of rows than of sessions.

    Of a part of which not all sessions count any more there may be more rows.
    """
    if table != "regimes":
        return None
    place, days = part.places.get(table), len(part.sessions)
    held = rows if place is None else place.rows
    if place is None and part.group is not None:
        held = rows_of_group(store.file(table, part), part.group)
    if held == days or (held > days and not part.whole):
        return None
    return f"holds {held} rows for {days} sessions"
