"""Vendor files to the canonical lake."""

from __future__ import annotations

import os
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from ..base.errors import InputFileError
from ..base.progress import silent
from ..base.workers import HERE, Workers
from ..lake.connection import connect
from ..lake.lake import Lake, check_underlying, open_lake
from ..lake.manifest import Manifest
from ..lake.mirror import folder_of_lake
from ..lake.naming import is_several
from ..lake.records import manifest_at
from ..lake.versions import is_lake
from ..lake.writer import LakeMovedError, LakeWriter, lake_writer
from ..vendors import vendor as vendor_preset
from ..vendors.column_map import mapped as with_mapping
from ..vendors.column_map import of_each, of_underlying, read_mapping
from ..vendors.map_checks import check_preset
from ..vendors.shipped_maps import map_file
from .archive_members import fitting_members
from .canonical_rows import naming_the_file
from .files import find_files, opened
from .joins import fingerprinted, with_joins
from .plan import Plan, plan_sources, with_spots
from .read_rows import read_rows, take_out_replaced
from .result import IngestResult, as_said, result_of
from .settings import settings_from, with_settings
from .tally import Tally, refuse_rejects

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from concurrent.futures import Executor

    from ..base.progress import Progress
    from ..tables.underlying_settings import UnderlyingSettings
    from ..vendors.vendor_preset import Preset
    from .files import Found

__all__ = ["IngestResult", "ingest", "remove_empty_lake"]

#: How often an ingest starts anew because others wrote to the same underlying meanwhile.
_ATTEMPTS = 100


def ingest(
    paths: Iterable[str | Path],
    *,
    vendor: str,
    underlying: str,
    lake: Lake | str | Path,
    mapping: str | Path | None = None,
    dry_run: bool = False,
    allow_rejects: bool = False,
    settings: UnderlyingSettings | str | Path | None = None,
    workers: Workers = HERE,
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
        What the chains are of. ``"*"``, a pattern like ``"A*"`` (capitals matter), or several names
        with commas: files that name the underlyings of their rows are read once, and each enters
        the lake under its own name. Names that differ in case alone are two.
    lake : Lake, str or Path
        The lake; made where it does not exist.
    mapping : str or Path, optional
        A column map (TOML) laid over the preset.
    dry_run : bool
        Read, check and count, and write nothing.
    allow_rejects : bool
        Write what is left where more than half of the rows are rejected. Files of days without a
        session are no reason to refuse: a collector may have run on a holiday.
    settings : UnderlyingSettings or path, optional
        Multiplier, calendar, settlement, monthly rule, currency and kind by underlying, laid over
        the preset; see `load_underlying_settings`.
    workers : Workers, optional
        Processes that read the files and write the parts, some underlyings each; files of one
        underlying are one piece. The lake is the one of a single process, to the last byte.
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
    several = is_several(underlying)
    if not several:
        check_underlying(underlying)
    preset = vendor_preset(vendor)
    if mapping is not None:
        file = map_file(mapping)
        read = read_mapping(file)
        said = of_each(read) if several else of_underlying(read, underlying)
        preset = with_joins(with_mapping(preset, said), said, file.absolute().parent)
    check_preset(preset)
    preset = fingerprinted(preset)
    found = find_files(paths)
    root = lake.root if isinstance(lake, Lake) else folder_of_lake(lake)
    rules = settings_from(settings)
    for attempt in range(_ATTEMPTS):
        try:
            if several:
                from .many import ingested_many

                return ingested_many(
                    found, preset, underlying, root, rules, progress or silent,
                    dry_run=dry_run, allow_rejects=allow_rejects, workers=workers,
                )  # fmt: skip
            assumed = rules.of(underlying, preset.timing.instrument)
            mine = with_settings(preset, assumed)
            with _session_of_work(root, underlying, dry_run=dry_run) as (before, folder, writer):
                done = _ingested(
                    found, mine, before, root, folder, writer, workers, progress or silent,
                    allow_rejects=allow_rejects,
                )  # fmt: skip
        except LakeMovedError:  # others wrote to the same underlying: all rows meet anew
            if attempt + 1 == _ATTEMPTS:
                raise
            time.sleep(min(0.01 * attempt, 0.5))
        else:
            return done if settings is None else replace(done, assumed={underlying: assumed})
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
            remove_empty_lake(lake.root)
        raise


def remove_empty_lake(root: Path) -> None:
    """Remove a lake that was made for an ingest which then failed, if nobody else uses it."""
    if not is_lake(root):
        for folder, _, _ in os.walk(root, topdown=False):
            with suppress(OSError):  # not empty: it is another writer's
                os.rmdir(folder)


def _ingested(
    found: Found,
    preset: Preset,
    before: Manifest,
    root: Path,
    folder: Path,
    writer: LakeWriter | None,
    workers: Workers,
    progress: Progress,
    *,
    allow_rejects: bool,
) -> IngestResult:
    with ThreadPoolExecutor(1) as hand:
        # one file of a new underlying is sure to be read: meanwhile its digest is worked out
        first = len(found.files) == 1 and not before.sources and workers.here
        one = hand if first else None
        opening = [file for path in found.files for file in opened(path, folder, one)]
        filled = [file for file in opening if file.path.stat().st_size]
        if not filled:
            raise InputFileError(f"{opening[0].label} is empty: download or export it again")
        files, aside = fitting_members([as_said(file, preset) for file in filled], preset)
        lost = {s for e in before.sessions if not e.file.is_file() for s in e.sources}
        planning = hand.submit(plan_sources, preset, files, found.files, before.sources, lost)
        alone = first and len(files) == 1
        plan = Plan((files[0],), 0, frozenset(), ()) if alone else planning.result()
        tally = Tally()
        if plan.fresh and not workers.here:
            from .spread import read_elsewhere

            tally = read_elsewhere(
                workers, plan, preset, before.underlying, root, folder, writer, progress
            )
        elif plan.fresh:
            tally = _read_here(plan, preset, before, writer, progress, folder, hand)
        plan = planning.result()
        after = None
        if not allow_rejects and writer is not None:
            refuse_rejects(plan.fresh, tally)
        if writer is not None:
            take_out_replaced(plan, before, tally.sessions, writer)
            sources = with_spots(plan.sources, tally.implied)
            after = writer.commit(sources, operation="ingest", whole=True)
    tally.empty += len(opening) - len(filled)
    result = result_of(found, plan, tally, aside, dry_run=writer is None)
    return result if after is None else replace(result, changes=after.changes)


def _read_here(
    plan: Plan,
    preset: Preset,
    before: Manifest,
    writer: LakeWriter | None,
    progress: Progress,
    folder: Path,
    hand: Executor,
) -> Tally:
    connection = connect(spill=folder / "spill")
    try:
        with naming_the_file(plan.fresh):
            tables = preset.reader(connection, plan.fresh)
        return read_rows(connection, tables, plan, preset, before, writer, progress, folder)
    finally:
        hand.submit(connection.close)  # which takes as long as a commit
