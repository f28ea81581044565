"""Vendor files to the canonical lake."""

from __future__ import annotations

import tempfile
from collections import Counter, deque
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ..base.errors import InputFileError
from ..base.progress import silent
from ..lake.lake import Lake, check_underlying, connect, open_lake
from ..lake.manifest import Manifest, read_manifest
from ..lake.parts import split_sessions
from ..lake.writer import LakeWriter, lake_writer, whole_sessions
from ..vendors import vendor as vendor_preset
from ..vendors.column_map import check_preset, read_mapping
from ..vendors.column_map import mapped as with_mapping
from .canonical_rows import canonical_rows, naming_the_file
from .files import find_files, opened
from .merge import merged, rows_to_keep
from .plan import Plan, plan_sources, source_of
from .session_order import canonical_sessions

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Generator, Iterable, Iterator, Sequence
    from concurrent.futures import Future
    from datetime import date

    import duckdb

    from ..base.progress import Progress
    from ..vendors.preset import InputFile, Preset, RawTable
    from .canonical_rows import Rows
    from .files import Found

__all__ = ["IngestResult", "ingest"]

#: Rows that are put in order and written at a time: about one row group.
_PIECE_ROWS: Final = 131_072
#: Files smaller than this together are sorted at once: setting up the stream costs more.
_STREAMED_BYTES: Final = 4 << 20


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
    dry_run : bool
        Nothing was written: the other numbers say what would have been.
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
    dry_run: bool = False


@dataclass(slots=True)
class _Tally:
    """Counts that grow while rows stream by."""

    by_file: Counter[int] = field(default_factory=Counter)
    rejects: Counter[str] = field(default_factory=Counter)
    others: Counter[str] = field(default_factory=Counter)
    replaced: int = 0
    sessions: set[date] = field(default_factory=set)


def ingest(
    paths: Iterable[str | Path],
    *,
    vendor: str,
    underlying: str,
    lake: Lake | str | Path,
    mapping: str | Path | None = None,
    dry_run: bool = False,
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
        preset = with_mapping(preset, read_mapping(Path(mapping)))
    check_preset(preset)
    found = find_files(paths)
    root = lake.root if isinstance(lake, Lake) else Path(lake)
    with _session_of_work(root, underlying, dry_run=dry_run) as (before, folder, writer):
        return _ingested(found, preset, before, folder, writer, progress or silent)


@contextmanager
def _session_of_work(
    root: Path, underlying: str, *, dry_run: bool
) -> Iterator[tuple[Manifest, Path, LakeWriter | None]]:
    """Give the state before, a folder for temporary files, and the writer unless it is dry."""
    if dry_run:
        with tempfile.TemporaryDirectory(prefix="gexlab-") as folder:
            chains = root / "chains" / f"underlying={underlying}"
            yield read_manifest(chains, underlying), Path(folder), None
        return
    existed = root.exists()
    lake = open_lake(root, create=True)
    try:
        with lake_writer(lake, underlying) as writer:
            yield writer.before, writer.drafts, writer
    except BaseException:
        if not existed:
            _unmake(lake.root)
        raise


def _unmake(root: Path) -> None:
    """Remove a lake that was made for an ingest which then failed, if nobody else uses it."""
    if not any((root / "chains").iterdir()):
        (root / "chains").rmdir()
        (root / ".lock").unlink(missing_ok=True)
        if not any(root.iterdir()):
            root.rmdir()


def _ingested(
    found: Found,
    preset: Preset,
    before: Manifest,
    folder: Path,
    writer: LakeWriter | None,
    progress: Progress,
) -> IngestResult:
    files = [file for path in found.files for file in opened(path, folder)]
    plan = plan_sources(preset, files, found.files, before.sources)
    tally = _Tally()
    if plan.fresh:
        with connect(spill=folder / "spill") as connection:
            with naming_the_file(plan.fresh):
                tables = preset.reader(connection, plan.fresh)
            tally = _read_tables(connection, tables, plan, preset, before, writer, progress)
    if writer is not None:
        _take_out(plan, before, tally.sessions, writer)
        writer.commit(plan.sources)
    return _result(found, plan, tally, dry_run=writer is None)


def _result(found: Found, plan: Plan, tally: _Tally, *, dry_run: bool) -> IngestResult:
    read, rejected = tally.by_file.total(), tally.rejects.total()
    return IngestResult(
        rows_read=read,
        rows_written=read - rejected,
        rows_rejected=rejected,
        rejects=dict(sorted(tally.rejects.items())),
        sessions=len(tally.sessions),
        files=len(plan.fresh),
        files_unchanged=plan.unchanged,
        files_ignored=found.ignored,
        rows_of_others=tally.others.total(),
        rows_replaced=tally.replaced,
        dry_run=dry_run,
    )


def _read_tables(
    connection: duckdb.DuckDBPyConnection,
    tables: Sequence[RawTable],
    plan: Plan,
    preset: Preset,
    before: Manifest,
    writer: LakeWriter | None,
    progress: Progress,
) -> _Tally:
    """Take all rows through to the writer.

    The reader of text parses numbers itself, which is faster. Where it meets one that it cannot
    parse, everything is read again cell by cell: "n/a" is then missing, and what is to be refused
    is named.
    """
    typed = any(table.with_numbers is not None for table in tables)
    for numbers in (True, False) if typed else (False,):
        try:
            rows = canonical_rows(connection, tables, preset, before.underlying, numbers=numbers)
            tally = _read(rows, plan, preset, before, writer, progress)
        except InputFileError:
            if not numbers:
                raise
            if writer is not None:
                writer.forget()
            continue
        tally.others = rows.dating.others
        _check_counts(rows.files, before.underlying, tally)
        break
    return tally


def _read(
    rows: Rows,
    plan: Plan,
    preset: Preset,
    before: Manifest,
    writer: LakeWriter | None,
    progress: Progress,
) -> _Tally:
    """Take all rows through to the writer.

    Large files are streamed in file order, which is faster; if it turns out that the rows of a
    session do not come together, they are read again and sorted.
    """
    if sum(file.path.stat().st_size for file in rows.files) > _STREAMED_BYTES:
        try:
            return _read_stream(rows, rows.in_file_order(), plan, preset, before, writer, progress)
        except _UnsortedError:
            if writer is not None:
                writer.forget()
    return _read_stream(rows, rows.by_session(), plan, preset, before, writer, progress)


def _read_stream(
    rows: Rows,
    stream: Generator[Any],
    plan: Plan,
    preset: Preset,
    before: Manifest,
    writer: LakeWriter | None,
    progress: Progress,
) -> _Tally:
    """Work through one reading of the rows, whole sessions at a time."""
    tally = _Tally()
    age = np.array([plan.fresh.index(file) for file in rows.files])
    sources = [source_of(preset, file) for file in rows.files]
    accepted = _ascending(_accepted(stream, tally, progress))
    with closing(stream), _in_background(writer) as write:
        for piece in whole_sessions(accepted, _PIECE_ROWS):
            days = pc.unique(piece.column("session")).to_pylist()
            tally.sessions.update(days)
            fresh, replaced = canonical_sessions(piece, before.underlying, sources, age)
            tally.replaced += replaced
            write(_over_held(fresh, days, plan, before, tally))
    return tally


class _UnsortedError(Exception):
    """The rows of a session do not come together; they have to be sorted first."""


def _ascending(tables: Iterable[Any]) -> Iterator[Any]:
    last = None
    for table in tables:
        days = table.column("session").cast(pa.int32()).to_numpy()
        if (np.diff(days) < 0).any() or (last is not None and days[0] < last):
            raise _UnsortedError
        last = days[-1]
        yield table


@contextmanager
def _in_background(writer: LakeWriter | None) -> Iterator[Callable[[Any], None]]:
    """Give a function that writes while the next rows are being read, at most two pieces behind.

    Sessions are fingerprinted before they are handed over: the two threads then have about the same
    to do.
    """
    if writer is None:
        yield lambda rows: None
        return
    pending: deque[Future[None]] = deque()
    with ThreadPoolExecutor(max_workers=1) as worker:

        def write(rows: Any) -> None:
            if len(pending) >= 2:
                pending.popleft().result()
            pending.append(worker.submit(writer.add_sessions, list(split_sessions(rows))))

        yield write
        for future in pending:
            future.result()


def _accepted(batches: Iterable[Any], tally: _Tally, progress: Progress) -> Iterator[Any]:
    """Count what comes and let through what is not rejected."""
    for batch in batches:
        counts = np.bincount(batch.column("file_index").to_numpy())
        tally.by_file.update({int(i): int(counts[i]) for i in np.flatnonzero(counts)})
        progress(tally.by_file.total(), None, "rows read")
        reasons = batch.column("reject")
        if reasons.null_count < len(batch):
            tally.rejects.update(filter(None, reasons.to_pylist()))
            batch = batch.filter(pc.is_null(reasons))
        if len(batch):
            yield batch


def _over_held(rows: Any, days: Sequence[date], plan: Plan, before: Manifest, tally: _Tally) -> Any:
    """Lay rows over what the lake holds of the same sessions from other files."""
    here = set(days)
    held = rows_to_keep((e for e in before.sessions if e.session in here), plan.replaced)
    if held is None:
        return rows
    both = merged(rows, held)
    tally.replaced += len(rows) + len(held) - len(both)
    return both


def _take_out(
    plan: Plan, before: Manifest, rewritten: Collection[date], writer: LakeWriter
) -> None:
    """Take the rows of replaced sources out of sessions that nothing new was read for."""
    left = [
        e
        for e in before.sessions
        if e.session not in rewritten and not plan.replaced.isdisjoint(e.sources)
    ]
    writer.drop(e.session for e in left)
    kept = rows_to_keep(left, plan.replaced)
    if kept is not None:
        writer.add(kept)


def _check_counts(files: Sequence[InputFile], underlying: str, tally: _Tally) -> None:
    """Refuse files that hold nothing to read, and columns that cannot be what they were mapped as.

    A file of rejected rows is no error: a holiday's file, say, counts and adds nothing.
    """
    rejected = tally.rejects.total()
    if rejected and rejected == tally.rejects["bad_contract"] == tally.by_file.total():
        raise InputFileError(
            f"{files[0].label}: no row names a contract ({rejected} rows): expected dates, numbers "
            "and C or P in the columns for expiry, strike and right; correct the column map, or "
            "choose another vendor"
        )
    empty = [file for i, file in enumerate(files) if not tally.by_file[i]]
    if not empty:
        return
    if tally.others and len(empty) < len(files):
        return
    hint = (
        f"it holds {', '.join(sorted(tally.others))}"
        if tally.others
        else "it has a header and no rows"
    )
    raise InputFileError(f"{empty[0].label} holds no rows of {underlying}: {hint}; leave it out")
