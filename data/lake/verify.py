"""Every byte of a lake held against what was recorded when it was written."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from ..base.errors import LakeError
from ..base.progress import silent
from .derived_tables import DerivedStore
from .integrity import part_damage
from .lake import open_lake
from .manifest import check_underlying, read_manifest
from .naming import chosen, folder_of, is_several, name_in

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..base.progress import Progress
    from .derived_parts import Part
    from .lake import Lake
    from .manifest import SessionEntry

__all__ = ["Damage", "Verification", "verify"]


@dataclass(frozen=True, slots=True)
class Damage:
    """One session that is not what was written.

    Attributes
    ----------
    underlying : str
    session : date or None
        None where a whole underlying is concerned: its record cannot be read.
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
    unrecorded : int
        Rebuilt files of an earlier version, of which no digest was recorded.
    """

    files: int
    sessions: int
    damaged: tuple[Damage, ...]
    unrecorded: int = 0


@dataclass(slots=True)
class _Found:
    files: int = 0
    sessions: int = 0
    unrecorded: int = 0
    damaged: list[Damage] = field(default_factory=list)


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
    held = _underlyings(opened)
    if underlying is None:
        names = held
    elif is_several(underlying):
        names = chosen(underlying, held)
    else:
        names = [check_underlying(underlying)]
    if not set(names) <= set(held) and underlying is not None:
        opened.held(underlying)
    found = _Found()
    with opened.reading():
        for i, name in enumerate(names):
            progress(i, len(names), name)
            _chains(opened, name, quick, found)
            _derived(opened, name, quick, found)
        progress(len(names), len(names))
    return Verification(found.files, found.sessions, tuple(found.damaged), found.unrecorded)


def _underlyings(lake: Lake) -> list[str]:
    """Return every underlying of which there is a record, readable or not."""
    folders = {p.parent for p in (lake.root / "chains").glob("underlying=*/manifest.json")}
    folders |= {p for p in (lake.root / "chains").glob("underlying=*") if list(p.glob("year=*/*"))}
    return sorted(name_in(folder.name) for folder in folders)


def _chains(lake: Lake, name: str, quick: bool, found: _Found) -> None:
    folder = lake.root / "chains" / folder_of(name)
    record = folder / "manifest.json"
    found.files += 1
    if not record.is_file():
        what = "gone: restore it, or ingest everything again"
        found.damaged.append(Damage(name, None, str(record), what))
        return
    try:
        held = read_manifest(folder, name)
    except LakeError as error:
        found.damaged.append(Damage(name, None, str(record), str(error)))
        return
    by_file: dict[Path, list[SessionEntry]] = {}
    for entry in held.sessions:
        by_file.setdefault(entry.file, []).append(entry)
    found.files += len(by_file)
    found.sessions += len(held.sessions)
    paths = {source.source: source.paths for source in held.sources}
    for file, entries in by_file.items():
        wrong = _footer_damage(file, entries, lake.root) if quick else part_damage(file, lake.root)
        if wrong is None:
            continue
        files = sorted({p for e in entries for s in e.sources for p in paths.get(s, ())})
        again = f"ingest {', '.join(files[:5])} again" if files else "ingest its sessions again"
        remedy = f"restore it, or delete it and {again}" if wrong != "gone" else again
        found.damaged += [Damage(name, e.session, str(file), f"{wrong}: {remedy}") for e in entries]


def _footer_damage(file: Path, entries: list[SessionEntry], root: Path) -> str | None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    if not file.is_file():
        return "gone"
    if file.is_symlink():
        return part_damage(file, root)
    try:
        rows = pq.read_metadata(file).num_rows
    except (OSError, pa.ArrowInvalid) as error:
        return f"cannot be read ({str(error).splitlines()[0]})"
    wanted = sum(entry.rows for entry in entries)
    return None if rows >= wanted else f"holds {rows} rows, {wanted} were written"


def _derived(lake: Lake, name: str, quick: bool, found: _Found) -> None:
    root = lake.root / "derived" / folder_of(name)
    for record in sorted(root.glob("*/*/manifest.json")):
        found.files += 1
        try:
            store = DerivedStore.load(record.parent)
        except LakeError as error:
            found.damaged.append(Damage(name, None, str(record), str(error)))
            continue
        for part in store.parts:
            for file, wrong in _part_damages(store, part, quick, found):
                remedy = "delete it and run gexlab rebuild again" if wrong != "gone" else (
                    "run gexlab rebuild again")  # fmt: skip
                found.damaged += [
                    Damage(name, date.fromisoformat(day), str(file), f"{wrong}: {remedy}")
                    for day in sorted(part.sessions)
                ]


def _part_damages(
    store: DerivedStore, part: Part, quick: bool, found: _Found
) -> Iterator[tuple[Path, str]]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    for table in part.tables:
        file = store.folder / table / f"{part.name}.parquet"
        found.files += 1
        if not file.is_file():
            yield file, "gone"
            continue
        if table not in part.digests:
            found.unrecorded += 1
        what: str | None = None
        try:
            if quick or table not in part.digests:
                pq.read_metadata(file)
            if not quick:
                what = store.damage(table, part)
        except (OSError, pa.ArrowInvalid) as error:
            what = f"cannot be read ({str(error).splitlines()[0]})"
        if what is not None:
            yield file, what
