"""Underlyings to rebuild as pieces of work: in this process, or some at a time by workers."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from ..base.compiling import numba_loaded
from ..base.errors import GexlabError, LakeError
from ..base.progress import silent
from ..base.workers import Crew
from ..lake.derived_writer import Uncommitted

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    import pyarrow as pa

    from ..base.progress import Progress
    from ..base.workers import Workers
    from ..lake.lake import Lake
    from .rebuild import RebuildResult
    from .session_blocks import Readers
    from .spec import RegimeSpec

__all__ = ["Made", "Piece", "computed_of_each", "light", "names_together"]

#: Pieces for each worker, and the most underlyings of one: a piece opens the lake and readers of
#: its own, which takes as long as a dozen thin sessions, and is what a lost worker costs.
_PIECES: Final = 8
_MOST_TOGETHER: Final = 16


@dataclass(frozen=True, slots=True)
class Piece:
    """One underlying to rebuild, for whoever does it."""

    root: str
    spec: RegimeSpec
    side_tables: bool


@dataclass(frozen=True, slots=True)
class Made:
    """What was done of an underlying, and what is to be committed of it; None: nothing."""

    done: RebuildResult
    rows: Uncommitted | None


def computed_of_each(
    lake: Lake, asked: Iterable[Piece], workers: Workers, progress: Progress
) -> Iterator[tuple[str, Made | GexlabError]]:
    """Yield each underlying with what was computed, or why it was not.

    In this process each piece is asked for when its turn comes.
    """
    if workers.here:
        yield from _computed_here(lake, asked, progress)
        return
    threads = None  # those of another machine are its own
    if workers.scheduler is None:
        threads = max(1, (os.cpu_count() or 1) // workers.number)
    with Crew(workers, _loaded) as crew:
        pieces = list(asked)
        size = names_together(len(pieces), crew.size(progress))
        groups = [_Group(tuple(pieces[i : i + size]), threads) for i in range(0, len(pieces), size)]
        spread = crew.spread(_computed_elsewhere, groups, progress=progress, named=_names_of)
        for group, together in zip(groups, spread, strict=True):
            now = lake.as_it_is_now()
            for piece, (found, mark) in zip(group.pieces, together, strict=True):
                name = piece.spec.underlying
                if not isinstance(found, GexlabError) and mark != now.written(name):
                    found = LakeError(
                        f"a worker's {piece.root} is another lake, or chains of {name} were "
                        "written meanwhile: give all workers this very folder, then rebuild again"
                    )
                yield name, found


def names_together(names: int, workers: int) -> int:
    """Return how many underlyings are one piece of work.

    Parameters
    ----------
    names, workers : int

    Returns
    -------
    int
    """
    return min(_MOST_TOGETHER, max(1, names // (workers * _PIECES)))


@dataclass(frozen=True, slots=True)
class _Group:
    """Underlyings that a worker rebuilds one after the other, with so many threads."""

    pieces: tuple[Piece, ...]
    threads: int | None


def _names_of(group: _Group) -> str:
    first, last = (group.pieces[i].spec.underlying for i in (0, -1))
    return first if first == last else f"{first} to {last}"


def _computed_here(
    lake: Lake, pieces: Iterable[Piece], progress: Progress
) -> Iterator[tuple[str, Made | GexlabError]]:
    """Yield as `_computed`, by the same threads and connection until an underlying fails.

    What one failed by may have spoilt the connection: the next one begins with a new one.
    """
    from .session_blocks import started_readers

    left = iter(pieces)
    piece = next(left, None)
    while piece is not None:
        with started_readers(lake) as readers:
            found: Made | GexlabError | None = None
            while piece is not None and not isinstance(found, GexlabError):
                found = _made(lake, piece, progress, readers)
                yield piece.spec.underlying, found
                piece = next(left, None)


def _made(lake: Lake, piece: Piece, progress: Progress, readers: Readers) -> Made | GexlabError:
    from .rebuild import computed

    try:
        with lake.reading():
            made = computed(
                lake, piece.spec, side_tables=piece.side_tables, progress=progress, readers=readers
            )
    except GexlabError as error:
        return error
    return Made(made.done, made.rows if isinstance(made.rows, Uncommitted) else None)


def _loaded() -> None:
    """Load what a rebuild needs, for workers that are copies of this process."""
    from . import rebuild, session_blocks  # noqa: F401

    numba_loaded()


def _computed_elsewhere(group: _Group) -> list[tuple[Made | GexlabError, str]]:
    """Return what was computed of each, and the mark of the chains that it was computed from.

    As in `_computed_here` what one failed by may have spoilt the readers: the next has new ones.
    """
    from ..lake.lake import open_lake
    from .session_blocks import started_readers

    try:
        lake = open_lake(group.pieces[0].root)
    except GexlabError as error:
        return [(error, "")] * len(group.pieces)
    found: list[tuple[Made | GexlabError, str]] = []
    while len(found) < len(group.pieces):
        with started_readers(lake, group.threads) as readers:
            made: Made | GexlabError | None = None
            for piece in group.pieces[len(found) :]:
                try:
                    mark = lake.held_with_mark(piece.spec.underlying)[1]
                    made = _made(lake, piece, silent, readers)
                except GexlabError as error:
                    made, mark = error, ""
                if isinstance(made, Made):
                    made = replace(made, rows=light(lake, made.rows, {}))
                found.append((made, mark))
                if isinstance(made, GexlabError):
                    break
    return found


def light(lake: Lake, rows: Uncommitted | None, shapes: dict[str, pa.Schema]) -> Uncommitted | None:
    """Return rows without what a commit reads again, their columns held once for all underlyings.

    The store is of the lake of this process, wherever the rows were computed.
    """
    if rows is None or rows.store.scratch is not None:
        return rows
    store = replace(
        rows.store, lake=lake.as_it_is_now(), parts=(), variants=(), record=None, lost=()
    )  # fmt: skip
    written = (
        replace(part, schemas={t: shapes.setdefault(t, s) for t, s in part.schemas.items()})
        for part in rows.written
    )
    return replace(rows, store=store, written=tuple(written))
