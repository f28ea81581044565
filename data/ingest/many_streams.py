"""Rows of files of many underlyings, each underlying's in a run of its own to its writer."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass, replace
from functools import partial
from itertools import groupby, pairwise
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import duckdb
import numpy as np
import pyarrow as pa

from ..base.arrow_values import plain
from ..base.sql import load_sql
from ..lake.session_stream import UnsortedError
from .background import Background, background
from .calendar_tables import calendar_tables
from .canonical_rows import Rows, naming_the_file
from .read_rows import read_stream
from .spellings import spelling
from .tally import Tally
from .timing import Dating, stated

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from ..base.progress import Progress
    from ..lake.writer import LakeWriter
    from ..vendors.vendor_preset import InputFile, Preset
    from .arrow_arrays import Ints
    from .underlying_choice import Chosen, NameInFile

__all__ = ["ByName"]

#: Rows that are read at a time: columns of twice as many were measured to be made in fresh memory.
_BATCH_ROWS: Final = 65_536
#: Cuts a table into runs of rows of one underlying, each with its place.
_Runs: TypeAlias = "Callable[[Any], Iterator[tuple[int, Any]]]"


@dataclass(frozen=True, slots=True)
class ByName:
    """One way of the rows in the view ``contracts`` to the writers of their underlyings.

    Attributes
    ----------
    connection : DuckDBPyConnection
    files : sequence of InputFile
    preset : Preset
    writer : callable or None
        Gives the writer of an underlying; None where nothing is written.
    """

    connection: duckdb.DuckDBPyConnection
    files: Sequence[InputFile]
    preset: Preset
    writer: Callable[[str], LakeWriter] | None

    def read(
        self, rows: Rows, ones: Sequence[Chosen], named: Sequence[NameInFile], progress: Progress
    ) -> None:
        """Read in file order where each underlying's rows stand together, else sorted.

        Parameters
        ----------
        rows : Rows
            Of all files, typed.
        ones : sequence of Chosen
            Their tallies are filled.
        named : sequence of NameInFile
            What the files hold of them.
        progress : Progress
        """
        single = len({n.index for n in named}) == 1 and all(len(o.said) < 2 for o in ones)
        places = {pair: i for i, one in enumerate(ones) for pair in one.wanted}
        if single and all(n.together for n in named):
            runs = partial(_runs_by_row, spans=_spans(named, places))
            try:
                self._through("FROM contracts", "file_row", runs, rows, ones, progress, cut=True)
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
        runs = partial(_runs_by_name, places=places)
        query = load_sql("ingest/by_underlying")
        self._through(query, "underlying", runs, rows, ones, progress)

    def _forget(self, ones: Sequence[Chosen]) -> None:
        for one in ones:
            one.tally = Tally()
            if self.writer is not None:
                self.writer(one.name).forget()

    def _through(
        self,
        query: str,
        by: str,
        runs: _Runs,
        rows: Rows,
        ones: Sequence[Chosen],
        progress: Progress,
        *,
        cut: bool = False,
    ) -> None:
        self._forget(ones)
        names = dict.fromkeys([by, *stated(self.preset)])
        names |= dict.fromkeys(sorted({name for one in ones for name in one.preset.constants}))
        if by != "underlying" and not self.preset.joins:
            names.pop("underlying", None)  # text is a third of what is read
        slices = self._slices(query, names, runs)
        with background() as behind:
            self._names_in_turn(slices, rows, ones, progress, behind, cut=cut)

    def _names_in_turn(
        self,
        slices: Iterator[tuple[int, Any]],
        rows: Rows,
        ones: Sequence[Chosen],
        progress: Progress,
        behind: Background,
        *,
        cut: bool,
    ) -> None:
        done: set[int] = set()
        read = 0
        for place, tables in groupby(slices, key=lambda found: found[0]):
            if place in done:
                raise UnsortedError
            done.add(place)
            one = ones[place]
            several = len({spelling(said) for said in one.said}) > 1
            dating = Dating(
                one.preset, one.name, self.files, rows.dating.joins, named=True, several=several
            )
            stream = (
                dating.dated(_as_assumed(table, one.preset, self.preset)) for _, table in tables
            )
            writer = None if self.writer is None else self.writer(one.name)
            one.tally = read_stream(
                replace(rows, dating=dating), stream, one.plan, one.preset, one.before, writer,
                _onward(progress, read, one.name), behind, cut=cut,
            )  # fmt: skip
            if writer is not None:
                behind.once_written(writer.finish)
            one.tally.left_out = dating.left_out["where"]
            one.tally.outside = dating.left_out["outside"]
            one.tally.joins = dating.joins
            read += one.tally.by_file.total()

    def _slices(self, query: str, names: Iterable[str], runs: _Runs) -> Iterator[tuple[int, Any]]:
        """Yield runs of rows of one underlying, with its place; the rows of others are left out."""
        with naming_the_file(self.files):
            columns = map(duckdb.ColumnExpression, names)
            relation = self.connection.sql(query).select(*columns)
            with closing(relation.to_arrow_reader(_BATCH_ROWS)) as reader:
                for batch in reader:
                    yield from runs(pa.Table.from_batches([batch]))


def _spans(
    named: Sequence[NameInFile], places: Mapping[tuple[str, int], int]
) -> tuple[Ints, Ints, list[int]]:
    """Return the first rows of names that stand together, the rows after their last, and places."""
    ordered = sorted(named, key=lambda name: name.first)
    first = np.array([name.first for name in ordered])
    after = np.array([name.last + 1 for name in ordered])
    return first, after, [places[name.said, name.index] for name in ordered]


def _runs_by_row(table: Any, spans: tuple[Ints, Ints, list[int]]) -> Iterator[tuple[int, Any]]:
    """Yield what `_runs_by_name` yields, of rows that are known by their number in the file."""
    row = plain(table.column("file_row"))
    if (row[1:] <= row[:-1]).any():
        raise UnsortedError
    first, after, places = spans
    starts, ends = np.searchsorted(row, first), np.searchsorted(row, after)
    for i in np.flatnonzero(ends > starts).tolist():
        yield places[i], table.slice(int(starts[i]), int(ends[i] - starts[i]))


def _runs_by_name(table: Any, places: Mapping[tuple[str, int], int]) -> Iterator[tuple[int, Any]]:
    if not len(table):
        return
    encoded = table.column("underlying").combine_chunks().dictionary_encode()
    words = encoded.dictionary.to_pylist()
    files = plain(table.column("file_index"))
    first, last = int(files.min()), int(files.max())
    known = np.full((len(words) + 1, last - first + 1), -1, dtype=np.int64)
    for i, word in enumerate(words):
        known[i] = [places.get((word, number), -1) for number in range(first, last + 1)]
    code = plain(encoded.indices, len(words))
    place = known[code, files - first]
    edges = [0, *(np.flatnonzero(np.diff(place)) + 1).tolist(), len(place)]
    for start, end in pairwise(edges):
        if end > start and place[start] >= 0:
            yield int(place[start]), table.slice(start, end - start)


def _as_assumed(table: Any, preset: Preset, read: Preset) -> Any:
    """Return rows, which were read by one preset, with the multiplier of their underlying's."""
    value = preset.constants.get("multiplier")
    if value in (None, read.constants.get("multiplier")) or "multiplier" in preset.columns:
        return table
    column = pa.repeat(pa.scalar(float(value)), len(table))
    return table.set_column(table.column_names.index("multiplier"), "multiplier", column)


def _onward(progress: Progress, before: int, name: str) -> Progress:
    def told(done: int, total: int | None, what: str = "") -> None:
        progress(before + done, total, f"rows read, {name}")

    return told
