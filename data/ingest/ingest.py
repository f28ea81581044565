"""Vendor files to the canonical lake."""

from __future__ import annotations

import tempfile
from collections import Counter, deque
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ..base.errors import GexlabError, InputFileError, MissingColumnError
from ..base.progress import silent
from ..base.sql import load_sql
from ..lake.lake import Lake, check_underlying, connect, open_lake
from ..lake.manifest import Manifest, read_manifest
from ..lake.parts import split_sessions
from ..lake.writer import LakeWriter, lake_writer, sorted_rows, whole_sessions
from ..vendors import vendor as vendor_preset
from ..vendors.column_map import check_preset, read_mapping
from ..vendors.column_map import mapped as with_mapping
from ..vendors.column_names import names_in
from ..vendors.paths import with_path
from ..vendors.projection import projected
from .calendar_tables import zone_of
from .canonical_rows import canonical_rows, naming_the_file
from .files import find_files, opened
from .joins import fingerprinted, with_joins
from .merge import LENDABLE, lent, merged, rows_to_keep
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
#: Rows that a dry run shows.
_SHOWN_ROWS: Final = 6
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


@dataclass(slots=True)
class _Tally:
    """Counts that grow while rows stream by."""

    by_file: Counter[int] = field(default_factory=Counter)
    rejects: Counter[str] = field(default_factory=Counter)
    others: Counter[str] = field(default_factory=Counter)
    left_out: int = 0
    unmatched: dict[str, int] = field(default_factory=dict)
    replaced: int = 0
    repeated: int = 0
    empty: int = 0
    first_rows: tuple[dict[str, Any], ...] = ()
    outside: int = 0
    rejected_by_file: Counter[tuple[int, str]] = field(default_factory=Counter)
    sessions: set[date] = field(default_factory=set)


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
        said = read_mapping(Path(mapping))
        preset = with_joins(with_mapping(preset, said), said, Path(mapping).absolute().parent)
    check_preset(preset)
    preset = fingerprinted(preset)
    found = find_files(paths)
    root = lake.root if isinstance(lake, Lake) else Path(lake)
    with _session_of_work(root, underlying, dry_run=dry_run) as (before, folder, writer):
        return _ingested(
            found, preset, before, folder, writer, progress or silent, allow_rejects=allow_rejects
        )


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
            _remove_empty_lake(lake.root)
        raise


def _remove_empty_lake(root: Path) -> None:
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
    *,
    allow_rejects: bool,
) -> IngestResult:
    opening = [file for path in found.files for file in opened(path, folder)]
    filled = [file for file in opening if file.path.stat().st_size]
    if not filled:
        raise InputFileError(f"{opening[0].label} is empty: download or export it again")
    files, aside = _fitting([_as_said(file, preset) for file in filled], preset)
    plan = plan_sources(preset, files, found.files, before.sources)
    tally = _Tally()
    if plan.fresh:
        with connect(spill=folder / "spill") as connection:
            with naming_the_file(plan.fresh):
                tables = preset.reader(connection, plan.fresh)
            tally = _read_tables(connection, tables, plan, preset, before, writer, progress, folder)
    after = None
    if not allow_rejects and writer is not None:
        _refuse_rejects(plan.fresh, tally)
    if writer is not None:
        _take_out(plan, before, tally.sessions, writer)
        after = writer.commit(plan.sources)
    tally.empty += len(opening) - len(filled)
    result = _result(found, plan, tally, aside, dry_run=writer is None)
    return result if after is None else replace(result, changes=after.changes)


def _as_said(file: InputFile, preset: Preset) -> InputFile:
    """Return a file with what the map says of it."""
    columns = [name for column in preset.columns.values() for name in names_in(column)]
    patterns = list(preset.dialect.path.values())
    return with_path(replace(file, encoding=preset.dialect.encoding), columns, patterns)


def _fitting(files: list[InputFile], preset: Preset) -> tuple[list[InputFile], list[str]]:
    """Put aside members of archives that hold another table than their neighbours.

    Vendors' archives hold statistics and manuals beside the chains.
    """
    archives = Counter(f.label.rpartition("!")[0] for f in files if "!" in f.label)
    crowded = {name for name, count in archives.items() if count > 1 and name}
    members = [f for f in files if f.label.rpartition("!")[0] in crowded]
    if not members:
        return files, []
    zone = zone_of(preset.timing)
    # members of one header are alike: a year of daily files is looked at once
    known: dict[tuple[str, bytes], bool] = {}
    for file in members:
        if _kind(file) not in known:
            known[_kind(file)] = _fits(file, preset, zone)
    misfits = {f.label for f in members if not known[_kind(f)]}
    fitting = {f.label.rpartition("!")[0] for f in members if f.label not in misfits}
    aside = {label for label in misfits if label.rpartition("!")[0] in fitting}
    return [f for f in files if f.label not in aside], sorted(aside)


def _kind(file: InputFile) -> tuple[str, bytes]:
    """Return what files of one kind have in common: suffix and first lines, of text the header."""
    with file.path.open("rb") as stream:
        start = stream.read(4096)
    suffix = file.path.suffix.lower()
    text = suffix in (".csv", ".txt", ".tsv")
    return suffix, (start.split(b"\n", 1)[0] if text and start[:1] not in b"\r\n" else start)


def _fits(file: InputFile, preset: Preset, zone: str) -> bool:
    with connect() as connection:
        connection.execute(load_sql("ingest/macros"))
        try:
            for table in preset.reader(connection, [file]):
                projected(connection, table, preset, zone, 0, careful=False)
        except MissingColumnError:
            return False
        except GexlabError:
            return file.path.suffix.lower() != ".txt"
    return True


def _result(
    found: Found, plan: Plan, tally: _Tally, aside: Sequence[str], *, dry_run: bool
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


def _read_tables(
    connection: duckdb.DuckDBPyConnection,
    tables: Sequence[RawTable],
    plan: Plan,
    preset: Preset,
    before: Manifest,
    writer: LakeWriter | None,
    progress: Progress,
    folder: Path,
) -> _Tally:
    """Take all rows through to the writer.

    How dates are written is told by the first rows, and the reader of text parses numbers itself,
    which is faster. Where a cell is written in another way, everything is read again: the whole
    column then decides, "n/a" is missing, and what is to be refused is named.
    """
    for careful in (False, True):
        try:
            rows = canonical_rows(
                connection,
                tables,
                preset,
                before.underlying,
                work=folder,
                numbers=not careful,
                careful=careful,
            )
            tally = _read(rows, plan, preset, before, writer, progress)
        except InputFileError:
            if careful:
                raise
            if writer is not None:
                writer.forget()
            continue
        tally.others = rows.dating.others
        tally.left_out = rows.dating.left_out["where"]
        tally.outside = rows.dating.left_out["outside"]
        tally.unmatched = {j.join.name: j.unmatched.total() for j in rows.dating.joins}
        tally.empty = _check_counts(rows.files, before.underlying, tally)
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
    joined = {name for join in preset.joins for name in join.given}
    stated = {*preset.columns, *preset.constants, *joined}
    unstated = [name for name in LENDABLE if name not in stated]
    place = {file.fingerprint: i for i, file in enumerate(plan.fresh)}
    age = np.array([place[file.fingerprint] for file in rows.files])
    sources = [source_of(preset, file) for file in rows.files]
    accepted = _ascending(_accepted(stream, tally, progress))
    with closing(stream), _in_background(writer) as write:
        for piece in whole_sessions(accepted, _PIECE_ROWS):
            days = pc.unique(piece.column("session")).to_pylist()
            tally.sessions.update(days)
            fresh, replaced, repeated = canonical_sessions(piece, before.underlying, sources, age)
            tally.replaced += replaced
            tally.repeated += repeated
            if writer is None and not tally.first_rows:
                tally.first_rows = tuple(fresh.slice(0, _SHOWN_ROWS).to_pylist())
            write(_over_held(fresh, days, plan, before, tally, unstated))
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
            said = reasons.to_pylist()
            places = batch.column("file_index").to_pylist()
            tally.rejects.update(filter(None, said))
            tally.rejected_by_file.update((i, s) for i, s in zip(places, said, strict=True) if s)
            batch = batch.filter(pc.is_null(reasons))
        if len(batch):
            yield batch


def _over_held(
    rows: Any,
    days: Sequence[date],
    plan: Plan,
    before: Manifest,
    tally: _Tally,
    unstated: Collection[str],
) -> Any:
    """Lay rows over what the lake holds of the same sessions from other files."""
    here = set(days)
    entries = [e for e in before.sessions if e.session in here]
    if unstated and entries:
        # a file that is read in another way lends nothing to itself
        reread = plan.replaced & {entry.source for entry in plan.sources}
        lenders = rows_to_keep(entries, reread)
        rows = rows if lenders is None else sorted_rows(lent(rows, lenders, unstated))
    held = rows_to_keep(entries, plan.replaced)
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


def _refuse_rejects(files: Sequence[InputFile], tally: _Tally) -> None:
    """Refuse an ingest that would lose more than half of the rows it read."""
    holidays = 0
    for i, rows in tally.by_file.items():
        if tally.rejected_by_file[i, "not_a_session"] == rows and not tally.outside:
            holidays += rows
    read, rejected = tally.by_file.total() - holidays, tally.rejects.total() - holidays
    if 2 * rejected <= read:
        return
    reasons = ", ".join(f"{k.replace('_', ' ')}: {n}" for k, n in tally.rejects.most_common())
    years = "; its dates lie outside the calendar: state date_format" if tally.outside else ""
    raise InputFileError(
        f"{files[0].label}: {rejected} of {read} rows would be rejected ({reasons}){years}. "
        "Nothing was written: correct the files or the column map (gexlab inspect helps), or say "
        "--allow-rejects to keep the rest"
    )


def _check_counts(files: Sequence[InputFile], underlying: str, tally: _Tally) -> int:
    """Refuse files that hold nothing to read, and columns that cannot be what they were mapped as.

    A file of rejected rows is no error: a holiday's file, say, counts and adds nothing. Returned
    are the files without a row among others that have some.
    """
    rejected = tally.rejects.total()
    if rejected and rejected == tally.rejects["bad_contract"] == tally.by_file.total():
        raise InputFileError(
            f"{files[0].label}: no row names a contract ({rejected} rows): expected dates, numbers "
            "and C or P in the columns for expiry, strike and right; correct the column map, or "
            "choose another vendor"
        )
    empty = [file for i, file in enumerate(files) if not tally.by_file[i]]
    if len(empty) < len(files):
        return len(empty)
    hint = "it has a header and no rows; leave it out"
    if tally.others:
        names = sorted(tally.others)
        more = f" and {len(names) - 20} more" if len(names) > 20 else ""
        hint = (
            f"it holds {', '.join(names[:20])}{more}; name one of them, or say in the map that it "
            f'is the same: [aliases] {underlying} = ["{names[0]}"]'
        )
    elif tally.left_out:
        hint = f"[where] asks for none of its {tally.left_out} rows; correct the map"
    raise InputFileError(f"{empty[0].label} holds no rows of {underlying}: {hint}")
