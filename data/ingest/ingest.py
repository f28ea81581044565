"""Vendor files to the canonical lake."""

from __future__ import annotations

import os
import tempfile
import time
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..base.errors import InputFileError
from ..base.progress import silent
from ..lake.connection import connect
from ..lake.lake import Lake, check_underlying, open_lake
from ..lake.manifest import Manifest
from ..lake.records import manifest_at
from ..lake.versions import is_lake
from ..lake.writer import LakeMovedError, LakeWriter, lake_writer
from ..vendors import vendor as vendor_preset
from ..vendors.column_map import check_preset, of_underlying, read_mapping
from ..vendors.column_map import mapped as with_mapping
from ..vendors.column_names import names_in
from ..vendors.paths import with_path
from ..vendors.shipped_maps import map_file
from .archive_members import fitting_members
from .canonical_rows import naming_the_file
from .files import find_files, opened
from .joins import fingerprinted, with_joins
from .plan import Plan, plan_sources
from .read_rows import read_rows, take_out_replaced
from .tally import Tally, refuse_rejects

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from ..base.progress import Progress
    from ..vendors.preset import InputFile, Preset
    from .files import Found

__all__ = ["IngestResult", "ingest"]

#: How often an ingest starts anew because others wrote to the same underlying meanwhile.
_ATTEMPTS = 100


@dataclass(frozen=True, slots=True)
class IngestResult:
    """What an ingest did. Every row that was read was either written or rejected.

    Attributes
    ----------
    rows_read : int
        Rows of the underlying in files that were not in the lake yet.
    rows_written : int
        Rows that entered the lake.
    rows_rejected : int
        Rows that did not.
    rejects : dict of str to int
        Rejected rows by reason (`schema.REJECT_REASONS`), reasons that occurred.
    sessions : int
        Sessions that the written rows belong to.
    files : int
        Files read, members of archives each.
    files_unchanged : int
        Files left out because the lake holds their very content, read the same way.
    files_ignored : int
        Files in folders that are not data by their suffix.
    rows_of_others : int
        Rows of other underlyings in the files.
    rows_replaced : int
        Rows that gave way to a newer file's row of the same contract and snapshot, in the lake or
        within this ingest.
    rows_repeated : int
        Rows that equal another row of their file in everything: one of them is written.
    rows_left_out : int
        Rows that the column map does not ask for (``[where]``).
    files_empty : int
        Files without a row of the underlying, among others that have some.
    others : dict of str to int
        Rows of other underlyings by name, the 20 most frequent.
    ignored : tuple of str
        Names of the files that were ignored, and of members of archives that hold another table.
    unmatched : dict of str to int
        For each join of the map, the rows that its files say nothing about.
    first_rows : tuple of dict
        After a dry run: the first rows as they would enter.
    dry_run : bool
        Nothing was written: the other numbers say what would have been.
    changes : tuple of str
        Facts of the lake's contracts that are not the same in all of its sessions, multiplier and
        lag of the open interest, each with what holds from when on.
    """

    rows_read: int
    rows_written: int
    rows_rejected: int
    rejects: dict[str, int]
    sessions: int
    files: int
    files_unchanged: int
    files_ignored: int
    rows_of_others: int
    rows_replaced: int
    rows_repeated: int = 0
    rows_left_out: int = 0
    files_empty: int = 0
    others: dict[str, int] = field(default_factory=dict)
    ignored: tuple[str, ...] = ()
    unmatched: dict[str, int] = field(default_factory=dict)
    first_rows: tuple[dict[str, Any], ...] = ()
    dry_run: bool = False
    changes: tuple[str, ...] = ()


def ingest(
    paths: Iterable[str | Path],
    *,
    vendor: str,
    underlying: str,
    lake: Lake | str | Path,
    mapping: str | Path | None = None,
    dry_run: bool = False,
    allow_rejects: bool = False,
    progress: Progress | None = None,
) -> IngestResult:
    """Read vendor files into the lake, atomically: all of them, or none.

    Parameters
    ----------
    paths : iterable of str or Path
        Files (CSV, Parquet, JSON, and zip or gzip of them), folders, glob patterns. Where two files
        hold the same contract of the same snapshot, the later one counts.
    vendor : str
        Name of the preset.
    underlying : str
        What the chains are of; also a folder in the lake.
    lake : Lake, str or Path
        The lake; made where it does not exist.
    mapping : str or Path, optional
        A column map (TOML) laid over the preset.
    dry_run : bool
        Read, check and count, and write nothing.
    allow_rejects : bool
        Write what is left where more than half of the rows are rejected. Files of days without a
        session are no reason to refuse: a collector may have run on a holiday.
    progress : Progress, optional
        Told how many rows have been worked through.

    Returns
    -------
    IngestResult
        Counts.

    Raises
    ------
    GexlabError
        If anything is not as it should be; the message names the file, the column and what to do.
        The lake is then as it was.
    """
    check_underlying(underlying)
    preset = vendor_preset(vendor)
    if mapping is not None:
        file = map_file(mapping)
        said = of_underlying(read_mapping(file), underlying)
        preset = with_joins(with_mapping(preset, said), said, file.absolute().parent)
    check_preset(preset)
    preset = fingerprinted(preset)
    found = find_files(paths)
    root = lake.root if isinstance(lake, Lake) else Path(lake)
    told = progress or silent
    for attempt in range(_ATTEMPTS):
        try:
            with _session_of_work(root, underlying, dry_run=dry_run) as (before, folder, writer):
                return _ingested(
                    found, preset, before, folder, writer, told, allow_rejects=allow_rejects
                )
        except LakeMovedError:  # others wrote to the same underlying: all rows meet anew
            if attempt + 1 == _ATTEMPTS:
                raise
            time.sleep(min(0.01 * attempt, 0.5))
    raise AssertionError("unreachable")


@contextmanager
def _session_of_work(
    root: Path, underlying: str, *, dry_run: bool
) -> Iterator[tuple[Manifest, Path, LakeWriter | None]]:
    """Give the state before, a folder for temporary files, and the writer unless it is dry."""
    if dry_run:
        with tempfile.TemporaryDirectory(prefix="gexlab-") as folder:
            yield manifest_at(root, underlying), Path(folder), None
        return
    existed = root.exists()
    lake = open_lake(root, create=True)
    try:
        with lake_writer(lake, underlying) as writer:
            yield writer.before, writer.drafts, writer
    except BaseException:
        if not existed:
            _remove_empty_lake(lake.root)
        raise


def _remove_empty_lake(root: Path) -> None:
    """Remove a lake that was made for an ingest which then failed, if nobody else uses it."""
    if not is_lake(root):
        for folder, _, _ in os.walk(root, topdown=False):
            with suppress(OSError):  # not empty: it is another writer's
                os.rmdir(folder)


def _ingested(
    found: Found,
    preset: Preset,
    before: Manifest,
    folder: Path,
    writer: LakeWriter | None,
    progress: Progress,
    *,
    allow_rejects: bool,
) -> IngestResult:
    opening = [file for path in found.files for file in opened(path, folder)]
    filled = [file for file in opening if file.path.stat().st_size]
    if not filled:
        raise InputFileError(f"{opening[0].label} is empty: download or export it again")
    files, aside = fitting_members([_as_said(file, preset) for file in filled], preset)
    lost = {s for e in before.sessions if not e.file.is_file() for s in e.sources}
    plan = plan_sources(preset, files, found.files, before.sources, lost)
    tally = Tally()
    if plan.fresh:
        with connect(spill=folder / "spill") as connection:
            with naming_the_file(plan.fresh):
                tables = preset.reader(connection, plan.fresh)
            tally = read_rows(connection, tables, plan, preset, before, writer, progress, folder)
    after = None
    if not allow_rejects and writer is not None:
        refuse_rejects(plan.fresh, tally)
    if writer is not None:
        take_out_replaced(plan, before, tally.sessions, writer)
        after = writer.commit(plan.sources, operation="ingest", whole=True)
    tally.empty += len(opening) - len(filled)
    result = _result(found, plan, tally, aside, dry_run=writer is None)
    return result if after is None else replace(result, changes=after.changes)


def _as_said(file: InputFile, preset: Preset) -> InputFile:
    """Return a file with what the map says of it."""
    columns = [name for column in preset.columns.values() for name in names_in(column)]
    patterns = list(preset.dialect.path.values())
    return with_path(replace(file, encoding=preset.dialect.encoding), columns, patterns)


def _result(
    found: Found, plan: Plan, tally: Tally, aside: Sequence[str], *, dry_run: bool
) -> IngestResult:
    read, rejected = tally.by_file.total(), tally.rejects.total()
    return IngestResult(
        rows_read=read,
        rows_written=read - rejected - tally.repeated,
        rows_rejected=rejected,
        rejects=dict(sorted(tally.rejects.items())),
        sessions=len(tally.sessions),
        files=len(plan.fresh),
        files_unchanged=plan.unchanged,
        files_ignored=len(found.ignored),
        rows_of_others=tally.others.total(),
        rows_replaced=tally.replaced,
        rows_repeated=tally.repeated,
        rows_left_out=tally.left_out,
        files_empty=tally.empty,
        others=dict(tally.others.most_common(20)),
        ignored=(*(str(path) for path in found.ignored), *aside),
        unmatched=tally.unmatched,
        first_rows=tally.first_rows,
        dry_run=dry_run,
    )
