"""Iterate over evaluated sessions, for analyses that the regime table does not hold."""

from __future__ import annotations

import os
from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeVar

from ..base.schema import BOOKS, Book
from ..lake.chain_reader import RawSession, read_entries
from ..lake.connection import Database
from ..lake.lake import Lake, open_lake
from .job import Job, make_job
from .session_evaluation import SessionEvaluation, evaluate_session
from .spec import RegimeSpec

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from datetime import date

    from ..exposure.definition import Definition

__all__ = ["evaluated_sessions", "job_of", "map_sessions"]

#: Sessions read ahead of the one that is handed over: bounds the memory.
_AHEAD: Final = 4

T = TypeVar("T")


def job_of(
    lake: Lake | str | Path,
    underlying: str | RegimeSpec | Job,
    definition: Definition,
    *,
    dealer: str = "naive",
    positions: str | Path | None = None,
    books: Sequence[Book] = BOOKS,
    calendar: str | None = None,
) -> Job:
    """Return what stays the same over the sessions of one evaluation; see `jobs.make_job`.

    A `RegimeSpec` in the place of the underlying says everything but the books, a `Job` likewise
    with its files as they were read.
    """
    if isinstance(underlying, Job):
        return replace(underlying, books=tuple(books))
    opened = open_lake(lake)
    given = None if positions is None else Path(positions)
    spec = underlying
    if not isinstance(spec, RegimeSpec):
        spec = RegimeSpec(spec, definition, dealer, given, calendar=calendar)
    return make_job(opened, replace(spec, books=tuple(books)))


def map_sessions(
    lake: Lake | str | Path,
    job: Job,
    function: Callable[[RawSession, RawSession | None], T],
    *,
    first: date | None = None,
    last: date | None = None,
) -> Iterator[T]:
    """Yield what a function makes of each session, in order, computed in threads.

    Parameters
    ----------
    lake : Lake or path
    job : Job
        Its underlying is read, with its dealers' positions.
    function : callable
        Takes a session and the lake's previous session (None before the first one).
    first, last : date, optional
        Bounds, both included; the one that precedes `first` is read too.
    """
    opened = open_lake(lake)
    with opened.reading():
        yield from _mapped(opened, job, function, first, last)


def _mapped(
    opened: Lake,
    job: Job,
    function: Callable[[RawSession, RawSession | None], T],
    first: date | None,
    last: date | None,
) -> Iterator[T]:
    manifest = opened.held(job.underlying)
    entries = manifest.sessions
    wanted = [e for e in entries if (not first or e.session >= first) and _until(e.session, last)]
    if not wanted:
        return
    before = entries.index(wanted[0]) - 1
    needed = entries[max(before, 0) : entries.index(wanted[-1]) + 1]
    settled = manifest.settlement_sources
    with ThreadPoolExecutor(os.cpu_count() or 1) as pool, ExitStack() as until:
        database = Database(opened, until)
        pending: deque[Future[T]] = deque()
        previous: RawSession | None = None
        for raw in read_entries(database, needed, settled=settled, source=job.source):
            if raw.session >= wanted[0].session:
                pending.append(pool.submit(function, raw, previous))
            previous = raw
            while len(pending) > _AHEAD:
                yield pending.popleft().result()
        while pending:
            yield pending.popleft().result()


def _until(session: date, last: date | None) -> bool:
    return last is None or session <= last


def evaluated_sessions(
    lake: Lake | str | Path,
    job: Job,
    *,
    first: date | None = None,
    last: date | None = None,
) -> Iterator[SessionEvaluation]:
    """Yield the evaluation of each session of the job's underlying, in order."""
    return map_sessions(
        lake,
        job,
        lambda raw, previous: evaluate_session(raw, previous, job),
        first=first,
        last=last,
    )
