"""Files of many underlyings: read once, each underlying's rows through to its own writer."""

from __future__ import annotations

import tempfile
from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

import duckdb

from ..base.allocator import share_freed_memory
from ..base.errors import InputFileError, LakeError
from ..base.sql import load_sql
from ..base.workers import HERE, Crew, Workers
from ..lake.connection import connect
from ..lake.joint_commit import commit_together
from ..lake.lake import Lake, open_lake
from ..lake.mirror import address_of
from ..lake.records import manifest_at
from ..lake.writer import lake_writers
from .archive_members import fitting_members
from .canonical_rows import canonical_rows, naming_the_file
from .files import opened
from .many_streams import ByName
from .plan import Plan, with_spots
from .read_rows import take_out_replaced
from .result import IngestResult, as_said, result_of
from .spellings import refuse_doubled
from .spread import Spread
from .tally import Tally, files_without_rows, refuse_rejects
from .underlying_choice import Choice, Chosen, NameInFile

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from ..base.progress import Progress
    from ..lake.manifest import Manifest
    from ..lake.writer import LakeWriter
    from ..tables.underlying_settings import UnderlyingSettings
    from ..vendors.vendor_preset import InputFile, Preset
    from .files import Found

__all__ = ["ingested_many"]

#: Their readers go to the rows of one column; of others everything is kept once it has been read.
_COLUMNAR: Final = (".parquet", ".pq", ".parq")


@dataclass(frozen=True, slots=True)
class _Work:
    """Where a command works: the lake before, writers (None: a dry run), a temporary folder."""

    root: Path
    before: Callable[[str], Manifest]
    writer: Callable[[str], LakeWriter] | None
    folder: Path
    held: tuple[str, ...]


def ingested_many(
    found: Found,
    preset: Preset,
    choice: str,
    root: Path,
    settings: UnderlyingSettings,
    progress: Progress,
    *,
    dry_run: bool,
    allow_rejects: bool,
    workers: Workers = HERE,
) -> IngestResult:
    """Read the chosen underlyings of files into the lake.

    Everything is read and checked before anything becomes visible, and all underlyings become so
    at once, in one version of the lake.

    Parameters
    ----------
    found : Found
    preset : Preset
        Its columns (or the files' paths) must name the underlying.
    choice : str
        Names with commas, patterns.
    root : Path
        The lake's folder.
    settings : UnderlyingSettings
    progress : Progress
    dry_run, allow_rejects : bool
        As for `ingest`.
    workers : Workers, optional
        They read and write the parts of the lake; this process finds the names and commits.

    Returns
    -------
    IngestResult
        Sums, and `by_underlying`.
    """
    if "underlying" not in {*preset.columns, *preset.dialect.path, *preset.constants}:
        raise LakeError(
            f"files of vendor {preset.name} do not name the underlying of their rows: name one "
            "(--underlying SPX), or map its column ([columns] underlying)"
        )
    share_freed_memory()
    # workers are copies of this process, made while it has one thread: DuckDB has several
    with Crew(workers, _loaded) as crew, _place_of_work(root, dry_run=dry_run) as work:
        opening = [file for path in found.files for file in opened(path, work.folder)]
        filled = [file for file in opening if file.path.stat().st_size]
        if not filled:
            raise InputFileError(f"{opening[0].label} is empty: download or export it again")
        files, aside = fitting_members([as_said(file, preset) for file in filled], preset)
        with connect(spill=work.folder / "spill") as connection:
            reading = _Reading(connection, files, found, preset, choice, settings, work, crew)
            try:
                ones, named = reading.read(progress)
            finally:
                crew.end()  # before the folder goes that they write to
        for one in ones:
            refuse_doubled(one.tally.doubled, one.name)
        total = _total(ones, files, reading.left)
        if not allow_rejects and not dry_run:
            refuse_rejects(files, total)
        _commit(ones, work)
        total.empty += len(opening) - len(filled)
        result = _summed(found, ones, total, aside, files, named, dry_run=dry_run)
        return replace(result, settings_unused=tuple(settings.unused(result.by_underlying)))


def _loaded() -> None:
    """Load what reading needs, for workers that are copies of this process."""
    from ..vendors import table_reader  # noqa: F401


@contextmanager
def _place_of_work(root: Path, *, dry_run: bool) -> Iterator[_Work]:
    def before(name: str) -> Manifest:
        return manifest_at(root, name)

    if dry_run:
        held = tuple(Lake(root).underlyings()) if root.exists() else ()
        with tempfile.TemporaryDirectory(prefix="gexlab-") as folder:
            yield _Work(root, before, None, Path(folder), held)
        return
    from .ingest import remove_empty_lake

    existed = root.exists()
    lake = open_lake(root, create=True)
    try:
        with lake_writers(lake) as (writer, drafts):
            held = tuple(lake.underlyings())
            yield _Work(lake.root, lambda n: writer(n).before, writer, drafts, held)
    except BaseException:
        if not existed:
            remove_empty_lake(lake.root)
        raise


@dataclass(slots=True)
class _Reading:
    """One pass over the files."""

    connection: duckdb.DuckDBPyConnection
    files: Sequence[InputFile]
    found: Found
    preset: Preset
    choice: str
    settings: UnderlyingSettings
    work: _Work
    crew: Crew
    left: Counter[str] = field(default_factory=Counter)

    def read(self, progress: Progress) -> tuple[list[Chosen], list[NameInFile]]:
        """Take the rows of all chosen underlyings to their writers.

        As for one underlying, everything is read again with care where a cell is written in
        another way than the first rows are.
        """
        for careful in (False, True):
            try:
                return self._read(progress, careful=careful)
            except InputFileError:
                if careful:
                    raise
        raise AssertionError("unreachable")

    def _read(self, progress: Progress, *, careful: bool) -> tuple[list[Chosen], list[NameInFile]]:
        with naming_the_file(self.files):
            tables = self.preset.reader(self.connection, self.files)
        rows = canonical_rows(
            self.connection, tables, self.preset, "", work=self.work.folder,
            numbers=not careful, careful=careful,
        )  # fmt: skip
        columnar = all(f.path.suffix.lower() in _COLUMNAR for f in self.files)
        named = self._names(keep=not columnar and self.crew.workers.here)
        choice = Choice(
            self.choice, self.files, self.found, self.preset, self.settings, self.work.before,
            self.work.held,
        )  # fmt: skip
        ones, self.left = choice.among(named)
        wanted = {pair for one in ones for pair in one.wanted}
        if not wanted:
            return ones, named
        meant = [n for n in named if (n.said, n.index) in wanted]
        if self.crew.workers.here:
            writer = self.work.writer
            ByName(self.connection, self.files, self.preset, writer).read(
                rows, ones, meant, progress
            )
        else:
            spread = Spread(
                address_of(self.work.root),
                self.work.folder,
                self.files,
                self.preset,
                careful,
                columnar,
            )
            spread.read(self.crew, ones, meant, self.work.writer, progress)
        return ones, named

    def _names(self, *, keep: bool) -> list[NameInFile]:
        """Return what names the files hold; with `keep` each file is parsed once and for all."""
        with naming_the_file(self.files):
            if keep:
                self.connection.execute("CREATE OR REPLACE TEMP TABLE held AS FROM contracts")
                self.connection.execute("CREATE OR REPLACE TEMP VIEW contracts AS FROM held")
            found = self.connection.sql(load_sql("ingest/names")).fetchall()
        return [NameInFile(*row) for row in found]


def _total(ones: Iterable[Chosen], files: Sequence[InputFile], left: Counter[str]) -> Tally:
    """Return the sums over underlyings, and refuse what no underlying has a row of."""
    total = Tally(others=left)
    for one in ones:
        tally = one.tally
        total.by_file.update(tally.by_file)
        total.rejects.update(tally.rejects)
        total.rejected_by_file.update(tally.rejected_by_file)
        total.left_out += tally.left_out
        total.outside += tally.outside
        total.replaced += tally.replaced
        total.outside_volatility += tally.outside_volatility
        total.repeated += tally.repeated
        total.joins = tally.joins or total.joins
        total.sessions |= tally.sessions
        total.stated |= tally.stated
        total.first_rows = total.first_rows or tally.first_rows
    if total.by_file:
        read = sorted({i for one in ones for _, i in one.wanted})
        total.empty = files_without_rows([files[i] for i in read], "them", _renumbered(total, read))
    return total


def _renumbered(tally: Tally, read: Sequence[int]) -> Tally:
    """Return a tally whose files are those that were read."""
    by_file = Counter({k: tally.by_file[i] for k, i in enumerate(read)})
    return replace(tally, by_file=by_file)


def _commit(ones: Sequence[Chosen], work: _Work) -> None:
    """Make all underlyings visible in one version."""
    if work.writer is None:
        return
    writers = []
    for one in ones:
        writer = work.writer(one.name)
        take_out_replaced(one.plan, one.before, one.tally.sessions, writer)
        writers.append((writer, with_spots(one.plan.sources, one.tally.implied)))
    if writers:
        commit_together(writers, operation="ingest", whole=True)


def _summed(
    found: Found,
    ones: Sequence[Chosen],
    total: Tally,
    aside: Sequence[str],
    files: Sequence[InputFile],
    named: Sequence[NameInFile],
    *,
    dry_run: bool,
) -> IngestResult:
    plan = Plan((), 0, frozenset(), ())
    each = {
        one.name: result_of(_nothing(), one.plan, one.tally, (), dry_run=dry_run) for one in ones
    }
    whole = result_of(found, plan, total, aside, dry_run=dry_run)
    read = {i for one in ones for _, i in one.wanted}
    holding = {n.index for n in named}
    return replace(
        whole,
        sessions=sum(result.sessions for result in each.values()),
        spots_implied=sum(result.spots_implied for result in each.values()),
        files=len(read),
        files_unchanged=len(holding - read),
        files_empty=whole.files_empty + len(set(range(len(files))) - holding),
        by_underlying=each,
        assumed={one.name: one.assumed for one in ones if one.assumed.values},
    )


def _nothing() -> Found:
    from .files import Found

    return Found((), ())
