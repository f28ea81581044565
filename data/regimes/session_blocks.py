"""Many sessions of a lake: cut into blocks, each read and evaluated by one thread.

A block is read by the thread that evaluates it, so that decoding, evaluating and the little
Python between them take turns in every thread and no thread feeds the others. The first
session of a block is compared with the last one of the block before it, which another thread
evaluates: that comparison comes last.
"""

from __future__ import annotations

import os
from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import ExitStack, contextmanager, nullcontext
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from ..base.allocator import collect_new_only, share_freed_memory
from ..exposure.evaluation import PreparedChain
from ..lake.chain_reader import RawSession, read_entries
from ..lake.connection import Database
from ..lake.lake import Lake
from .session_evaluation import (
    RegimeRows,
    SessionEvaluation,
    evaluate_session,
    likeness_of,
    prepared_session,
    session_rows,
)

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence
    from datetime import date

    from ..lake.manifest import Manifest, SessionEntry
    from .job import Job

__all__ = ["Readers", "evaluated_blocks", "session_blocks", "started_readers"]

#: Rows of a block: enough that opening files costs little against reading them, and that threads
#: do not take turns at small chains, whose Python only one of them can run (a name of 84,000 rows
#: in 62 sessions takes a tenth more processor time in two blocks, and as long); few enough that
#: all threads have work until the end. Neither bound is crossed for the sake of the other.
_FEWEST_ROWS: Final = 131_072
_MOST_ROWS: Final = 524_288
#: Blocks for each thread, where there are rows enough.
_BLOCKS_PER_WORKER: Final = 4


@dataclass(frozen=True, slots=True)
class Readers:
    """Threads that evaluate blocks, and the database that they take cursors of where they need it.

    Attributes
    ----------
    pool : ThreadPoolExecutor
    database : Database
    workers : int
        Threads of the pool.
    """

    pool: ThreadPoolExecutor
    database: Database
    workers: int


@contextmanager
def started_readers(lake: Lake, threads: int | None = None) -> Iterator[Readers]:
    """Start threads and give a database, which one underlying or many after each other may use.

    Threads are one per core where nothing is said; which rows come of it does not hang on them.
    """
    workers = threads or os.cpu_count() or 1
    share_freed_memory()
    with ThreadPoolExecutor(workers) as pool, ExitStack() as until:
        collect_new_only(until)
        yield Readers(pool, Database(lake, until, threads=1), workers)


@dataclass(frozen=True, slots=True)
class _Before:
    """A previous session, with what the next one is compared by."""

    raw: RawSession
    prepared: PreparedChain | None


@dataclass(frozen=True, slots=True)
class _Evaluated:
    """The rows of a block's sessions, and its last session."""

    rows: list[RegimeRows]
    last: _Before | None


def session_blocks(
    entries: Sequence[SessionEntry], stale: Collection[date], *, workers: int
) -> Iterator[tuple[list[SessionEntry], bool]]:
    """Yield what is to be read, in order: blocks of neighbouring sessions.

    Parameters
    ----------
    entries : sequence of SessionEntry
        All sessions of the underlying, ascending.
    stale : collection of date
        The ones to evaluate. Each is read after the previous session, be that stale or not.
    workers : int
        Threads that share the work.

    Yields
    ------
    sessions : list of SessionEntry
    continues : bool
        Whether the session before the first one is the last one of the block before; else the
        first one has no previous session or is read for the comparison only.
    """
    need = [
        e.session in stale or (i + 1 < len(entries) and entries[i + 1].session in stale)
        for i, e in enumerate(entries)
    ]
    total = sum(e.rows for e, needed in zip(entries, need, strict=True) if needed)
    most = min(max(total // (_BLOCKS_PER_WORKER * workers), _FEWEST_ROWS), _MOST_ROWS)
    block: list[SessionEntry] = []
    rows, continues = 0, False
    for entry, needed in zip(entries, need, strict=True):
        if block and (not needed or rows >= most):
            yield block, continues
            block, rows, continues = [], 0, needed
        if needed:
            block.append(entry)
            rows += entry.rows
    if block:
        yield block, continues


def evaluated_blocks(
    lake: Lake,
    job: Job,
    held: Manifest,
    stale: Collection[date],
    readers: Readers | None = None,
) -> Iterator[list[RegimeRows]]:
    """Yield the rows of the stale sessions in order, some sessions at a time.

    Parameters
    ----------
    lake : Lake
    job : Job
    held : Manifest
        What the lake holds of the job's underlying.
    stale : collection of date
        The sessions to evaluate.
    readers : Readers, optional
        Started for this alone where not given.

    Notes
    -----
    No more blocks are under way than threads have work for, so that memory does not grow with
    history. None is under way once this has ended, by an error or not.
    """
    if not stale:
        return
    with started_readers(lake) if readers is None else nullcontext(readers) as at_work:
        pending: deque[Future[_Evaluated]] = deque()
        before: Future[_Evaluated] | None = None
        try:
            for block, continues in session_blocks(held.sessions, stale, workers=at_work.workers):
                before = at_work.pool.submit(
                    _evaluated, at_work.database, block, stale, held.settlement_sources, job,
                    before if continues else None,
                )  # fmt: skip
                pending.append(before)
                while len(pending) > 2 * at_work.workers:
                    yield pending.popleft().result().rows
            while pending:
                yield pending.popleft().result().rows
        finally:
            # In order, so that no block waits for one that was called off.
            for future in reversed(pending):
                future.cancel()
            wait(pending)


def _evaluated(
    database: Database,
    block: Sequence[SessionEntry],
    stale: Collection[date],
    settled: Collection[str],
    job: Job,
    before: Future[_Evaluated] | None,
) -> _Evaluated:
    """Evaluate a block; `before` is the block before it, where the two are neighbours.

    Waiting for it cannot deadlock: it was handed to the pool earlier, so that it is running or
    done.
    """
    prints = {e.session: e.fingerprint for e in block}
    rows: list[RegimeRows] = []
    head: SessionEvaluation | None = None
    last: _Before | None = None
    for raw in read_entries(database, block, settled=settled, source=job.source):
        if raw.session not in stale:
            last = _Before(raw, prepared_session(raw, job)[0] if job.side_tables else None)
            continue
        evaluation = evaluate_session(raw, last.raw if last else None, job)
        if last is None and before is not None:
            head = evaluation
        else:
            chain = last.prepared if last else None
            rows.append(session_rows(evaluation, job, prints[raw.session], before=chain))
        last = _Before(raw, evaluation.prepared)
    if head is not None and before is not None:
        rows.insert(0, _compared(head, before.result().last, job, prints[head.raw.session]))
    return _Evaluated(rows, last)


def _compared(
    evaluation: SessionEvaluation, before: _Before | None, job: Job, fingerprint: str
) -> RegimeRows:
    """Return the rows of a session that was evaluated before the one that precedes it."""
    if before is None:
        return session_rows(evaluation, job, fingerprint)
    compared = replace(evaluation, likeness=likeness_of(evaluation.raw, before.raw))
    return session_rows(compared, job, fingerprint, before=before.prepared)
