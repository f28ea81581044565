"""Reading of files spread over workers: each writes the parts of some underlyings, one commits.

A piece depends on the files and on what the lake held before, and writes to a folder of its own, so
that it may be run again anywhere: what a lost worker wrote is left aside. Into a store workers put
their parts themselves, wherever they run. Nothing counts before the process that handed the pieces
out names it in a version.
"""

from __future__ import annotations

import os
import tempfile
import uuid
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeAlias

import duckdb
import pyarrow as pa

from ..base.allocator import share_freed_memory
from ..base.errors import GexlabError, LakeError
from ..base.progress import silent
from ..base.workers import Crew
from ..lake.connection import connect
from ..lake.drafts import draft_folder
from ..lake.mirror import address_of, folder_of_lake, is_remote, remote_of
from ..lake.records import CHAINS
from ..lake.storage import sent
from ..lake.writer import LakeWriter
from .canonical_rows import canonical_rows, naming_the_file
from .many_streams import ByName
from .read_rows import read_rows
from .tally import Tally

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from ..base.progress import Progress
    from ..base.workers import Workers
    from ..lake.writer import Written
    from ..vendors.vendor_preset import InputFile, Preset
    from .joined_file import JoinedFile
    from .plan import Plan
    from .underlying_choice import Chosen, NameInFile

__all__ = ["Spread", "most_pieces", "read_elsewhere"]

#: Pieces for each worker, so that the last ones end at about the same time. Where names do not
#: stand together, and of text, each looks at all rows: more cost more than they even out. So they
#: do for few workers, who end together: two take a fiftieth less with a piece each.
_PIECES: Final = 2
_FEW: Final = 4
#: Smaller pieces cost more to hand out than to read.
_LEAST_ROWS: Final = 131_072

#: What came of an underlying: its counts, and what was written.
Outcome: TypeAlias = "tuple[Tally, Written | None]"


@dataclass(frozen=True, slots=True)
class Spread:
    """What all pieces of one reading share.

    Attributes
    ----------
    root : str
        The lake's folder or address.
    drafts : Path
        A folder for what is in the making, which workers see too; of a lake on a disk alone.
    files : tuple of InputFile
    preset : Preset
    careful : bool
        As for `canonical_rows`.
    columnar : bool
        The files' readers go to the rows of one name.
    """

    root: str
    drafts: Path
    files: Sequence[InputFile]
    preset: Preset
    careful: bool
    columnar: bool

    def read(
        self,
        crew: Crew,
        ones: Sequence[Chosen],
        named: Sequence[NameInFile],
        writer: Callable[[str], LakeWriter] | None,
        progress: Progress,
    ) -> None:
        """Read the chosen underlyings, and give each one's writer what was written of it.

        Parameters
        ----------
        crew : Crew
            Of several workers.
        ones : sequence of Chosen
            Their tallies are filled.
        named : sequence of NameInFile
            What the files hold of them.
        writer : callable or None
            Gives the writer of an underlying; None where nothing is written.
        progress : Progress
            Called after each piece.

        Raises
        ------
        GexlabError
            Of the first piece that cannot be read.
        LakeMovedError
            If others wrote to one of the underlyings meanwhile.
        """
        threads = None  # those of another machine are its own
        if crew.workers.scheduler is None:
            threads = max(1, (os.cpu_count() or 1) // crew.workers.number)
        number = crew.size(progress)
        pieces = self._pieces(number, ones, named, threads, dry=writer is None)
        done = list(crew.spread(_read, pieces, progress=progress, named=_names_of))
        outcome_of: dict[str, Outcome] = {}
        met: list[tuple[JoinedFile, ...]] = []
        for outcomes in done:
            if isinstance(outcomes, GexlabError):
                raise outcomes
            outcome_of |= outcomes
            met.append(max((tally.joins for tally, _ in outcomes.values()), key=len))
        joins = _summed_joins(met)
        for one in ones:
            one.tally, written = outcome_of[one.name]
            one.tally.joins = joins
            if writer is not None and written is not None:
                writer(one.name).take(written)

    def _pieces(
        self,
        workers: int,
        ones: Sequence[Chosen],
        named: Sequence[NameInFile],
        threads: int | None,
        *,
        dry: bool,
    ) -> list[_Piece]:
        """Cut the underlyings, in their order, into runs of about as many rows each."""
        counts = {(n.said, n.index): n.count for n in named}
        rows = [sum(counts.get(pair, 0) for pair in one.wanted) for one in ones]
        total = sum(rows)
        most = most_pieces(total, workers, columnar=self.columnar)
        runs: list[list[Chosen]] = [[] for _ in range(most)]
        before = 0
        for one, count in zip(ones, rows, strict=True):
            # by the middle of its rows: never more pieces than asked for, and no small last one
            runs[(2 * before + count) * most // (2 * total + 1)].append(one)
            before += count
        return [self._piece(run, named, threads, dry=dry) for run in runs if run]

    def _piece(
        self, run: Sequence[Chosen], named: Sequence[NameInFile], threads: int | None, *, dry: bool
    ) -> _Piece:
        mine = {pair for one in run for pair in one.wanted}
        here = tuple(n for n in named if (n.said, n.index) in mine)
        return _Piece(self, tuple(run), here, dry, threads)


def most_pieces(rows: int, workers: int, *, columnar: bool) -> int:
    """Return into how many pieces the rows of files are cut, at most.

    Parameters
    ----------
    rows, workers : int
    columnar : bool
        The files' readers go to the rows of one name.

    Returns
    -------
    int
    """
    each = _PIECES if columnar and workers > _FEW else 1
    return min(workers * each, max(1, rows // _LEAST_ROWS))


@dataclass(frozen=True, slots=True)
class _Piece:
    """Some underlyings of the files."""

    of: Spread
    ones: tuple[Chosen, ...]
    named: tuple[NameInFile, ...]
    dry: bool
    threads: int | None


def _names_of(piece: _Piece) -> str:
    first, last = piece.ones[0].name, piece.ones[-1].name
    return first if first == last else f"{first} to {last}"


def _read(piece: _Piece) -> dict[str, Outcome] | GexlabError:
    """Read a piece, in the process of a worker."""
    share_freed_memory()
    of = piece.of
    try:
        with (
            _own_folder(of.root, of.drafts, dry=piece.dry) as folder,
            connect(threads=piece.threads, spill=folder / "spill") as connection,
        ):
            writers = _Writers(folder_of_lake(of.root), folder)
            with naming_the_file(of.files):
                tables = of.preset.reader(connection, of.files)
            rows = canonical_rows(
                connection, tables, of.preset, "", work=folder, numbers=not of.careful,
                careful=of.careful,
            )  # fmt: skip
            _narrow(connection, piece.named)
            streams = ByName(connection, of.files, of.preset, None if piece.dry else writers.of)
            if piece.named:
                streams.read(rows, piece.ones, piece.named, silent)
            return {
                one.name: (_light(one.tally), None if piece.dry else _written(writers.of(one.name)))
                for one in piece.ones
            }
    except GexlabError as error:
        return error


@dataclass(frozen=True, slots=True)
class _Alone:
    """Files of one underlying."""

    root: str
    drafts: Path
    plan: Plan
    preset: Preset
    name: str
    dry: bool


def read_elsewhere(
    workers: Workers,
    plan: Plan,
    preset: Preset,
    name: str,
    root: Path,
    drafts: Path,
    writer: LakeWriter | None,
    progress: Progress,
) -> Tally:
    """Let a worker read the files of one underlying: they are one piece.

    Parameters
    ----------
    workers : Workers
    plan : Plan
    preset : Preset
    name : str
        The underlying.
    root, drafts : Path
        The lake's folder, and one for what is in the making.
    writer : LakeWriter or None
        Is given what was written; None where nothing is.
    progress : Progress

    Returns
    -------
    Tally
    """
    piece = _Alone(address_of(root), drafts, plan, preset, name, writer is None)
    with Crew(workers) as crew:
        [found] = crew.spread(_read_alone, [piece], progress=progress, named=lambda one: one.name)
    if isinstance(found, GexlabError):
        raise found
    tally, written = found
    if writer is not None and written is not None:
        writer.take(written)
    return tally


def _read_alone(piece: _Alone) -> Outcome | GexlabError:
    try:
        with (
            _own_folder(piece.root, piece.drafts, dry=piece.dry) as folder,
            connect(spill=folder / "spill") as connection,
        ):
            writer = _Writers(folder_of_lake(piece.root), folder).of(piece.name)
            with naming_the_file(piece.plan.fresh):
                tables = piece.preset.reader(connection, piece.plan.fresh)
            tally = read_rows(
                connection, tables, piece.plan, piece.preset, writer.before,
                None if piece.dry else writer, silent, folder,
            )  # fmt: skip
            return _light(tally), None if piece.dry else _written(writer)
    except GexlabError as error:
        return error


def _written(writer: LakeWriter) -> Written:
    """Return what a writer wrote; in a store its parts lie where they belong then."""
    written = writer.written()
    if remote_of(writer.root) is not None:
        for file in sorted({entry.file for entry in written.fresh.values()}):
            sent(file, writer.root / CHAINS / written.made[file.name].path)
    return written


@contextmanager
def _own_folder(root: str, drafts: Path, *, dry: bool) -> Iterator[Path]:
    """Give a folder of this attempt's own; on a disk what it wrote stays, for whoever commits.

    Raises
    ------
    LakeError
        If this machine does not have the folder of the process that hands out the pieces.
    """
    if dry:
        with tempfile.TemporaryDirectory(prefix="gexlab-") as made:
            yield Path(made)
        return
    if is_remote(root):
        with draft_folder(folder_of_lake(root)) as own:
            yield own
        return
    if not drafts.is_dir():
        raise LakeError(
            f"a worker does not find {drafts}, where parts of the lake are written: let all "
            "workers see the lake's folder under this very path"
        )
    folder = drafts / uuid.uuid4().hex
    folder.mkdir()
    yield folder


class _Writers:
    """Writers of an attempt, each with a folder of its own."""

    def __init__(self, root: Path, folder: Path) -> None:
        self._root, self._folder = root, folder
        self._opened: dict[str, LakeWriter] = {}

    def of(self, name: str) -> LakeWriter:
        """Return the writer of an underlying, always the same one."""
        if name not in self._opened:
            folder = self._folder / str(len(self._opened))
            folder.mkdir()
            self._opened[name] = LakeWriter(self._root, name, folder)
        return self._opened[name]


def _narrow(connection: duckdb.DuckDBPyConnection, named: Sequence[NameInFile]) -> None:
    """Leave in the view ``contracts`` little besides the rows of some names.

    Where those of each name stand together in one file, its reader skips what lies before and after
    them, and the order stays; a filter by name would lose it, and all would be sorted.
    """
    if not named:
        return
    connection.execute("ALTER VIEW contracts RENAME TO contracts_of_all")
    if len({n.index for n in named}) == 1:
        row, index = map(duckdb.ColumnExpression, ("file_row", "file_index"))
        mine = row >= duckdb.ConstantExpression(min(n.first for n in named))
        mine &= row <= duckdb.ConstantExpression(max(n.last for n in named))
        mine &= index == duckdb.ConstantExpression(named[0].index)
    if len({n.index for n in named}) > 1 or not all(n.together for n in named):
        wanted = map(duckdb.ConstantExpression, sorted({n.said for n in named}))
        mine = duckdb.ColumnExpression("underlying").isin(*wanted)
    connection.view("contracts_of_all").filter(mine).create_view("contracts")


def _light(tally: Tally) -> Tally:
    """Return a tally to be sent: of the joined files one row is enough, for messages."""
    joins = tuple(
        replace(j, rows=j.rows.take(pa.array([0][: len(j.rows)], pa.int64()))) for j in tally.joins
    )
    return replace(tally, joins=joins)


def _summed_joins(found: Sequence[tuple[JoinedFile, ...]]) -> tuple[JoinedFile, ...]:
    """Return the joins of all pieces as one of each."""
    there = [joins for joins in found if joins]
    return tuple(
        replace(
            same[0],
            matched=sum(j.matched for j in same),
            unmatched=sum(j.unmatched for j in same),
            example=next((j.example for j in same if j.example), ""),
        )
        for same in zip(*there, strict=True)
    )
