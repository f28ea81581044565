"""From a lake's chains to the regime table and its side tables, session by session.

Sessions stream through in order and in bounded memory: one thread reads, others evaluate, and the
results are written in parts. Only sessions whose inputs or definition changed are computed.
"""

from __future__ import annotations

import hashlib
import math
import os
import time
from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import asdict, dataclass, replace
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import numpy as np
import numpy.typing as npt

from .calendars import to_days
from .chain_reader import RawSession, read_entries, snapshot_of
from .definitions import DEFAULT, Definition
from .derived import DerivedStore, Part
from .exposure.dealer_findings import dealer_findings
from .exposure.evaluation import (
    BookResult,
    PreparedChain,
    SessionContext,
    agreement_of,
    evaluate_book,
    prepare_chain,
)
from .exposure.findings import FINDINGS_SCHEMA, session_findings
from .exposure.gate import share_unchanged
from .exposure.peer_rules import PeerRule
from .exposure.snapshot import Groups, expiry_groups
from .exposure.tables import (
    Block,
    Key,
    by_expiry_block,
    by_strike_block,
    fixed_strike_block,
    profile_block,
    regime_row,
    regime_table,
    roots_block,
    side_table_of,
)
from .jobs import Job, make_job
from .lake import Lake, SessionEntry, connect, open_lake
from .progress import Progress, silent
from .schema import BOOKS, Book

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from .exposure.curves import RateCurve

__all__ = [
    "Job",
    "RebuildResult",
    "SessionEvaluation",
    "SessionRows",
    "evaluate_session",
    "rebuild",
    "session_context",
    "session_rows",
]

#: Raised when rows change their form or meaning, so that older ones are computed anew.
_ROWS_GENERATION: Final = 2
_SESSIONS_PER_PART: Final = 252
#: Sessions read ahead of the one that is written: bounds the memory.
_AHEAD: Final = 8
_DAY_US: Final = 86_400e6

Floats: TypeAlias = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class RebuildResult:
    """What a rebuild did.

    Attributes
    ----------
    sessions : int
        Sessions of the underlying in the lake.
    rebuilt : int
        Sessions computed this time; the others were up to date.
    contracts : int
        Rows of the chains that were computed.
    seconds : float
        Wall-clock time.
    definition_id : str
    """

    sessions: int
    rebuilt: int
    contracts: int
    seconds: float
    definition_id: str


@dataclass(frozen=True, slots=True)
class SessionEvaluation:
    """Everything computed of one session, before it becomes rows.

    Attributes
    ----------
    raw : RawSession
    prepared : PreparedChain
        What the books share: forwards, volatilities, lines.
    context : SessionContext
    results : dict of book to BookResult
    agreement : dict of book to float
        Share of the 16 definitions that agree with the book's sign.
    unchanged : float
        Share of the contracts in common with the session before whose quotes are the same.
    """

    raw: RawSession
    prepared: PreparedChain
    context: SessionContext
    results: dict[Book, BookResult]
    agreement: dict[Book, float]
    unchanged: float

    def reasons(self, book: Book) -> tuple[str, ...]:
        """Return why a book may not be called a regime."""
        return self.results[book].reasons(
            known_before_quotes=self.raw.known_before_quotes, unchanged=self.unchanged
        )


@dataclass(frozen=True, slots=True)
class SessionRows:
    """The rows of one session: what remains of it once it is evaluated."""

    session: date
    contracts: int
    regimes: list[dict[str, Any]]
    blocks: dict[str, list[Block]]
    findings: list[dict[str, Any]]


def rebuild(
    lake: Lake | str | Path,
    underlying: str,
    *,
    definition: Definition | PeerRule = DEFAULT,
    books: Sequence[Book] = BOOKS,
    dealer: str = "naive",
    positions: str | Path | None = None,
    calendar: str | None = None,
    side_tables: bool = True,
    instrument: str | None = None,
    progress: Progress = silent,
) -> RebuildResult:
    """Rebuild the regime table of one underlying, as far as it is not up to date.

    Parameters
    ----------
    lake : Lake or path
    underlying : str
    definition : Definition or PeerRule
        What is computed. A peer's rule has its own book, dealer model and calendar.
    books : sequence of {"as_of_close", "post_expiry"}
    dealer : str
        Name of a dealer model; ``signed``; or ``sql:`` and an expression of the dealers' sign.
    positions : path, optional
        The dealers' positions that ``signed`` needs; see `dealer_sources.load_positions`.
    calendar : str, optional
        Name of the exchange calendar of the underlying; the one that the lake's chains were stamped
        with where not given.
    side_tables : bool
        Whether to write exposures by expiry and strike, roots and profiles too; the regime table
        and the findings are always written.
    instrument : {"index", "etf", "future", "share"}, optional
        What the underlying is: naive dealers of a share are a finding.
    progress : Progress
        Called after every session.

    Returns
    -------
    RebuildResult

    Raises
    ------
    LakeError
        If the lake holds no chains of that underlying.
    """
    began = time.perf_counter()
    opened = lake if isinstance(lake, Lake) else open_lake(lake)
    if isinstance(definition, PeerRule):
        from .peer_rebuilding import rebuild_peer_rows

        counts = rebuild_peer_rows(opened, underlying, definition, progress=progress)
        return RebuildResult(*counts, definition.definition_id)
    entries = opened.sessions(underlying)
    job = make_job(
        opened,
        underlying,
        definition,
        dealer=dealer,
        positions=positions,
        books=books,
        calendar=calendar,
        side_tables=side_tables,
        instrument=instrument,
    )
    store = DerivedStore.at(
        opened.root, underlying, asdict(definition), job.definition_id, job.dealer.name
    )
    marks = _fingerprints(entries, job)
    stale = [
        e.session for e in entries if store.fingerprints.get(str(e.session)) != marks[e.session]
    ]
    contracts = 0
    parts = []
    for rows in _chunks(_evaluated(opened, job, entries, stale, marks, progress)):
        contracts += sum(r.contracts for r in rows)
        parts.append(_write(store, job, rows, marks))
    gone = set(store.fingerprints) - {str(e.session) for e in entries}
    if parts or gone or not store.rebuilt_at:
        store = replace(store, parts=store.without(gone))
        store.commit(tuple(parts), datetime.now(UTC).isoformat())
    else:
        store.commit((), datetime.now(UTC).isoformat())
    seconds = time.perf_counter() - began
    return RebuildResult(len(entries), len(stale), contracts, seconds, job.definition_id)


def _fingerprints(entries: Sequence[SessionEntry], job: Job) -> dict[date, str]:
    """Return, per session, a mark of all that its rows depend on: it and the session before."""
    what = f"{_ROWS_GENERATION}|{','.join(job.books)}|{job.side_tables}|{job.instrument}"
    marks, before = {}, ""
    for entry in entries:
        here = entry.fingerprint + job.mark(entry.session)
        marks[entry.session] = hashlib.sha256(f"{what}|{before}|{here}".encode()).hexdigest()[:24]
        before = here
    return marks


def _runs(entries: Sequence[SessionEntry], stale: list[date]) -> Iterator[Sequence[SessionEntry]]:
    """Yield stretches of sessions to read: the stale ones, each with the session before it."""
    wanted = set(stale)
    need = [
        e.session in wanted or (i + 1 < len(entries) and entries[i + 1].session in wanted)
        for i, e in enumerate(entries)
    ]
    i = 0
    while i < len(entries):
        if not need[i]:
            i += 1
            continue
        j = i
        while j + 1 < len(entries) and need[j + 1]:
            j += 1
        yield entries[i : j + 1]
        i = j + 1


def _evaluated(
    lake: Lake,
    job: Job,
    entries: Sequence[SessionEntry],
    stale: list[date],
    marks: dict[date, str],
    progress: Progress,
) -> Iterator[SessionRows]:
    """Yield the rows of every stale session, in order, evaluated in threads."""
    wanted, done = set(stale), 0
    prints = {e.session: e.fingerprint for e in entries}
    settled = lake.settlement_sources(job.underlying)
    workers = os.cpu_count() or 1
    with ThreadPoolExecutor(workers) as pool, connect(lake) as connection:
        for run in _runs(entries, stale):
            pending: deque[Future[_Computed]] = deque()
            previous: RawSession | None = None
            before: Future[_Computed] | None = None
            for raw in read_entries(connection, run, settled=settled, source=job.source):
                computed = None
                if raw.session in wanted:
                    computed = pool.submit(
                        _session_rows, raw, previous, before, job, prints[raw.session]
                    )
                    pending.append(computed)
                previous, before = raw, computed
                while len(pending) > _AHEAD:
                    yield pending.popleft().result().rows
                    done += 1
                    progress(done, len(stale), job.underlying)
            while pending:
                yield pending.popleft().result().rows
                done += 1
                progress(done, len(stale), job.underlying)


def _chunks(rows: Iterator[SessionRows]) -> Iterator[list[SessionRows]]:
    chunk: list[SessionRows] = []
    for row in rows:
        chunk.append(row)
        if len(chunk) == _SESSIONS_PER_PART:
            yield chunk
            chunk = []
    if chunk:
        yield chunk


def session_context(groups: Groups, quote_us: int, session: date, job: Job) -> SessionContext:
    """Return what the evaluation of a session needs besides its chain."""
    definition, facts = job.definition, job.facts
    following = facts.calendar.shift(session, 1)
    expiries = set(groups.expiry.tolist())
    return SessionContext(
        valuations={
            "as_of_close": quote_us,
            "post_expiry": round(facts.calendar.open_of(following).timestamp() * 1e6),
        },
        valuation_days={"as_of_close": to_days(session), "post_expiry": to_days(following)},
        dies={e: facts.dies(e) for e in expiries},
        monthly=frozenset(e for e in expiries if facts.is_monthly(e)),
        rate=_rates(job.rate, definition.rate, groups, quote_us, session),
        dividend_yield=_rates(job.dividend, definition.dividend_yield, groups, quote_us, session),
    )


def _rates(
    curve: RateCurve | None, constant: float, groups: Groups, quote_us: int, session: date
) -> Floats:
    """Return the rate of each expiry group: the curve's at its calendar days, else the constant."""
    if curve is None:
        return np.full(groups.expiry.size, constant)
    return curve.rates(session, np.maximum(groups.expiry_us - quote_us, 0) / _DAY_US)


def evaluate_session(raw: RawSession, previous: RawSession | None, job: Job) -> SessionEvaluation:
    """Return everything computed of one session.

    Parameters
    ----------
    raw, previous : RawSession
        The session, and the lake's session before it.
    job : Job
    """
    prepared, context = _prepared(raw, job)
    results = {name: evaluate_book(prepared, name, context, job.definition) for name in job.books}
    nets = {name: result.net_gex for name, result in results.items()}
    return SessionEvaluation(
        raw=raw,
        prepared=prepared,
        context=context,
        results=results,
        agreement=agreement_of(prepared, context, job.definition, nets),
        unchanged=share_unchanged(raw.contracts, previous.contracts) if previous else math.nan,
    )


def _prepared(raw: RawSession, job: Job) -> tuple[PreparedChain, SessionContext]:
    chain = snapshot_of(raw, job.dealer)
    groups = expiry_groups(chain)
    context = session_context(groups, chain.quote_us, raw.session, job)
    return prepare_chain(chain, groups, context, job.definition), context


def session_rows(
    evaluation: SessionEvaluation,
    job: Job,
    fingerprint: str,
    *,
    before: PreparedChain | None = None,
) -> SessionRows:
    """Return the rows of one session.

    Parameters
    ----------
    evaluation : SessionEvaluation
    job : Job
    fingerprint : str
        Of the session's chain in the lake.
    before : PreparedChain, optional
        The lake's session before it, for what compares the two.
    """
    raw, prepared = evaluation.raw, evaluation.prepared
    rows, blocks, findings = [], _no_blocks(), []
    for name, result in evaluation.results.items():
        key = Key(job.underlying, raw.session, name, job.dealer.name, job.definition_id)
        reasons = evaluation.reasons(name)
        row = regime_row(
            key,
            result,
            known_us=prepared.chain.known_us,
            oi_asof=raw.oi_asof,
            reasons=reasons,
            band=job.definition.band,
            agreement=evaluation.agreement[name],
            fingerprint=fingerprint,
        )
        rows.append(row)
        if job.side_tables:
            _add_blocks(blocks, key, prepared, result)
            by_right = job.definition.iv_source == "own"
            blocks["fixed_strike_vol"].append(
                fixed_strike_block(key, before, prepared, result, by_right=by_right)
            )
        findings += session_findings(
            key, raw, prepared, result, reasons, evaluation.unchanged, job.definition
        )
        findings += dealer_findings(key, raw, prepared, result, job)
    return SessionRows(raw.session, int(raw.columns["strike"].size), rows, blocks, findings)


@dataclass(frozen=True, slots=True)
class _Computed:
    """Rows of a session, and the chain that the next session is compared with."""

    rows: SessionRows
    prepared: PreparedChain


def _session_rows(
    raw: RawSession,
    previous: RawSession | None,
    before: Future[_Computed] | None,
    job: Job,
    fingerprint: str,
) -> _Computed:
    """Return the rows of one session; `before` is the session before, where that is computed too.

    Waiting for it cannot deadlock: it was handed to the pool earlier, so that it is running or
    done.
    """
    evaluation = evaluate_session(raw, previous, job)
    chain = None
    if before is not None:
        chain = before.result().prepared
    elif previous is not None and job.side_tables:
        chain = _prepared(previous, job)[0]
    rows = session_rows(evaluation, job, fingerprint, before=chain)
    return _Computed(rows, evaluation.prepared)


def _no_blocks() -> dict[str, list[Block]]:
    names = ("exposure_by_expiry", "exposure_by_strike", "flip_roots", "profile")
    return {name: [] for name in (*names, "fixed_strike_vol")}


def _add_blocks(
    blocks: dict[str, list[Block]], key: Key, prepared: PreparedChain, result: BookResult
) -> None:
    blocks["exposure_by_expiry"].append(by_expiry_block(key, prepared, result))
    blocks["exposure_by_strike"].append(by_strike_block(key, result))
    blocks["flip_roots"].append(roots_block(key, result))
    blocks["profile"].append(profile_block(key, result))


def _write(store: DerivedStore, job: Job, rows: list[SessionRows], marks: dict[date, str]) -> Part:
    """Write one part and return it; it counts once it is committed."""
    import pyarrow as pa

    sessions = {str(r.session): marks[r.session] for r in rows}
    digest = hashlib.sha256("".join(sessions.values()).encode()).hexdigest()[:8]
    name = f"{rows[0].session}_{rows[-1].session}_{digest}"
    tables = {"regimes": regime_table([row for r in rows for row in r.regimes])}
    for table in rows[0].blocks if job.side_tables else ():
        tables[table] = side_table_of([block for r in rows for block in r.blocks[table]])
    findings = [finding for r in rows for finding in r.findings]
    tables["quality_findings"] = pa.Table.from_pylist(findings, schema=FINDINGS_SCHEMA)
    store.write_part(name, tables)
    return Part(name, sessions)
