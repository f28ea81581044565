"""Files of many underlyings: read once, each underlying's rows through to its own writer."""

from __future__ import annotations

import tempfile
from collections import Counter
from contextlib import closing, contextmanager
from dataclasses import dataclass, field, replace
from itertools import groupby, pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ..base.errors import InputFileError, LakeError
from ..base.sql import load_sql
from ..lake.connection import connect
from ..lake.joint_commit import commit_together
from ..lake.lake import Lake, open_lake
from ..lake.records import manifest_at
from ..lake.writer import lake_writers
from .archive_members import fitting_members
from .calendar_tables import calendar_tables
from .canonical_rows import Rows, canonical_rows, naming_the_file
from .files import opened
from .plan import Plan, with_spots
from .read_rows import UnsortedError, read_stream, take_out_replaced
from .result import IngestResult, as_said, result_of
from .tally import Tally, files_without_rows, refuse_rejects
from .timing import Dating, stated
from .underlying_choice import Choice, Chosen, NameInFile

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence

    from ..base.progress import Progress
    from ..lake.manifest import Manifest
    from ..lake.writer import LakeWriter
    from ..tables.underlying_settings import UnderlyingSettings
    from ..vendors.preset import InputFile, Preset
    from .files import Found

__all__ = ["ingested_many"]

_BATCH_ROWS: Final = 131_072
#: Their readers go to the rows of one column; of others everything is kept once it has been read.
_COLUMNAR: Final = (".parquet", ".pq", ".parq")


@dataclass(frozen=True, slots=True)
class _Work:
    """Where a command works: the lake before, writers (None: a dry run), a temporary folder."""

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
    with _place_of_work(root, dry_run=dry_run) as work:
        opening = [file for path in found.files for file in opened(path, work.folder)]
        filled = [file for file in opening if file.path.stat().st_size]
        if not filled:
            raise InputFileError(f"{opening[0].label} is empty: download or export it again")
        files, aside = fitting_members([as_said(file, preset) for file in filled], preset)
        with connect(spill=work.folder / "spill") as connection:
            reading = _Reading(connection, files, found, preset, choice, settings, work)
            ones, named = reading.read(progress)
        total = _total(ones, files, reading.left)
        if not allow_rejects and not dry_run:
            refuse_rejects(files, total)
        _commit(ones, work)
        total.empty += len(opening) - len(filled)
        result = _summed(found, ones, total, aside, files, named, dry_run=dry_run)
        return replace(result, settings_unused=tuple(settings.unused(result.by_underlying)))


@contextmanager
def _place_of_work(root: Path, *, dry_run: bool) -> Iterator[_Work]:
    def before(name: str) -> Manifest:
        return manifest_at(root, name)

    if dry_run:
        held = tuple(Lake(root).underlyings()) if root.exists() else ()
        with tempfile.TemporaryDirectory(prefix="gexlab-") as folder:
            yield _Work(before, None, Path(folder), held)
        return
    from .ingest import remove_empty_lake

    existed = root.exists()
    lake = open_lake(root, create=True)
    try:
        with lake_writers(lake) as (writer, drafts):
            yield _Work(lambda n: writer(n).before, writer, drafts, tuple(lake.underlyings()))
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
        named = self._names(keep=not columnar)
        choice = Choice(
            self.choice, self.files, self.found, self.preset, self.settings, self.work.before,
            self.work.held,
        )  # fmt: skip
        ones, self.left = choice.among(named)
        wanted = {pair for one in ones for pair in one.wanted}
        if wanted:
            self._stream(rows, ones, [n for n in named if (n.said, n.index) in wanted], progress)
        return ones, named

    def _names(self, *, keep: bool) -> list[NameInFile]:
        """Return what names the files hold; with `keep` each file is parsed once and for all."""
        with naming_the_file(self.files):
            if keep:
                self.connection.execute("CREATE OR REPLACE TEMP TABLE held AS FROM contracts")
                self.connection.execute("CREATE OR REPLACE TEMP VIEW contracts AS FROM held")
            found = self.connection.sql(load_sql("ingest/names")).fetchall()
        return [
            NameInFile(said, index, count, last - first + 1 == count)
            for said, index, count, first, last in found
        ]

    def _stream(
        self, rows: Rows, ones: Sequence[Chosen], named: Sequence[NameInFile], progress: Progress
    ) -> None:
        """Read in file order where each underlying's rows stand together, else sorted."""
        single = len({n.index for n in named}) == 1 and all(len(o.said) < 2 for o in ones)
        if single and all(n.together for n in named):
            try:
                self._through("FROM contracts", rows, ones, progress)
            except UnsortedError:
                self._forget(ones)
            else:
                return
        calendar = calendar_tables(self.preset.timing)
        self.connection.register("stamps", calendar.stamps)
        pairs = [(s, i, place) for place, one in enumerate(ones) for s, i in one.wanted]
        said, index, place = zip(*pairs, strict=True)
        wanted = pa.table({"said": said, "file_index": index, "place": place})
        self.connection.register("wanted", wanted)
        self._through(load_sql("ingest/by_underlying"), rows, ones, progress)

    def _forget(self, ones: Sequence[Chosen]) -> None:
        for one in ones:
            one.tally = Tally()
            if self.work.writer is not None:
                self.work.writer(one.name).forget()

    def _through(self, query: str, rows: Rows, ones: Sequence[Chosen], progress: Progress) -> None:
        self._forget(ones)
        places = {pair: i for i, one in enumerate(ones) for pair in one.wanted}
        more = sorted({name for one in ones for name in one.preset.constants})
        done: set[int] = set()
        read = 0
        for place, tables in groupby(self._slices(query, places, more), key=lambda found: found[0]):
            if place in done:
                raise UnsortedError
            done.add(place)
            one = ones[place]
            dating = Dating(one.preset, one.name, self.files, rows.dating.joins, named=True)
            stream = (dating.dated(_as_assumed(table, one.preset)) for _, table in tables)
            writer = None if self.work.writer is None else self.work.writer(one.name)
            one.tally = read_stream(
                replace(rows, dating=dating), stream, one.plan, one.preset, one.before, writer,
                _onward(progress, read, one.name),
            )  # fmt: skip
            if writer is not None:
                writer.finish()
            one.tally.left_out = dating.left_out["where"]
            one.tally.outside = dating.left_out["outside"]
            one.tally.joins = dating.joins
            read += one.tally.by_file.total()

    def _slices(
        self, query: str, places: Mapping[tuple[str, int], int], more: Sequence[str]
    ) -> Generator[tuple[int, Any]]:
        """Yield runs of rows of one underlying, with its place; the rows of others are left out."""
        names = dict.fromkeys(["underlying", *stated(self.preset), *more])
        with naming_the_file(self.files):
            columns = map(duckdb.ColumnExpression, names)
            relation = self.connection.sql(query).select(*columns)
            with closing(relation.to_arrow_reader(_BATCH_ROWS)) as reader:
                for batch in reader:
                    yield from _runs(pa.Table.from_batches([batch]), places)


def _runs(table: Any, places: Mapping[tuple[str, int], int]) -> Iterator[tuple[int, Any]]:
    if not len(table):
        return
    encoded = table.column("underlying").combine_chunks().dictionary_encode()
    words = encoded.dictionary.to_pylist()
    files = table.column("file_index").to_numpy()
    first, last = int(files.min()), int(files.max())
    known = np.full((len(words) + 1, last - first + 1), -1, dtype=np.int64)
    for i, word in enumerate(words):
        known[i] = [places.get((word, number), -1) for number in range(first, last + 1)]
    code = pc.fill_null(encoded.indices, len(words)).to_numpy(zero_copy_only=False)
    place = known[code, files - first]
    edges = [0, *(np.flatnonzero(np.diff(place)) + 1).tolist(), len(place)]
    for start, end in pairwise(edges):
        if end > start and place[start] >= 0:
            yield int(place[start]), table.slice(start, end - start)


def _as_assumed(table: Any, preset: Preset) -> Any:
    """Return rows with the multiplier that is assumed of their underlying."""
    value = preset.constants.get("multiplier")
    if value is None or "multiplier" in preset.columns:
        return table
    column = pa.repeat(pa.scalar(float(value)), len(table))
    return table.set_column(table.column_names.index("multiplier"), "multiplier", column)


def _onward(progress: Progress, before: int, name: str) -> Progress:
    def told(done: int, total: int | None, what: str = "") -> None:
        progress(before + done, total, f"rows read, {name}")

    return told


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
