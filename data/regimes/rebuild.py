"""From a lake's chains to the regime table and its side tables, session by session.

Sessions stream through in order and in bounded memory, and the results are written in parts. Only
sessions whose inputs or definition changed are computed.
"""

from __future__ import annotations

import time
from dataclasses import asdict, dataclass
from datetime import date
from typing import TYPE_CHECKING, Final

import pyarrow as pa

from ..base.errors import DefinitionError, LakeError
from ..base.progress import Progress, silent
from ..base.schema import BOOKS, Book
from ..calendar.market_rules import EXCHANGE_SESSIONS
from ..exposure.definition import DEFAULT, Definition
from ..lake.derived_tables import DerivedStore, Part, session_marks
from ..lake.lake import Lake, open_lake, undisturbed
from ..peers.rules import PeerRule
from .findings import FINDINGS_SCHEMA
from .job import Job, make_job
from .rows import regime_table, side_table_of
from .session_blocks import evaluated_blocks
from .session_evaluation import SessionRows

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from ..lake.manifest import Manifest

__all__ = ["RebuildResult", "rebuild"]

#: Raised when rows change their form or meaning, so that older ones are computed anew.
_ROWS_GENERATION: Final = 3
_SESSIONS_PER_PART: Final = EXCHANGE_SESSIONS


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


@undisturbed
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
    tree: str = "derived",
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
    tree : str
        Folder of the lake that the results go to; comparisons have one of their own.
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
    opened = open_lake(lake)
    if isinstance(definition, PeerRule):
        from ..peers.rebuild import rebuild_peer_rows

        _require_bare(definition, books, dealer, positions)
        opened.manifest(underlying).agreed_calendar(calendar)
        counts = rebuild_peer_rows(opened, underlying, definition, progress=progress)
        return RebuildResult(*counts, definition.definition_id)
    held, written = opened.held(underlying), opened.written(underlying)
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
    place = DerivedStore.at(
        opened.root, underlying, asdict(definition), job.definition_id, job.dealer.name, tree=tree
    )
    if place.closed():
        _require_current(place, job, held)
        seconds = time.perf_counter() - began
        return RebuildResult(len(held.sessions), 0, 0, seconds, job.definition_id)
    with place.writing() as store:
        if opened.written(underlying) != written:  # while another rebuild was waited for
            held = opened.held(underlying)
        stale, contracts = _update(store, opened, job, held, progress)
    seconds = time.perf_counter() - began
    return RebuildResult(len(held.sessions), stale, contracts, seconds, job.definition_id)


def _marks(job: Job, held: Manifest) -> dict[str, str]:
    """Return what the rows of each session depend on."""
    share = job.instrument if job.instrument == "share" else None  # others change no row
    what = f"{_ROWS_GENERATION}|{','.join(job.books)}|{job.side_tables}|{share}"
    what += f"|{job.facts.calendar.name}|{job.facts.rule.name}"
    return session_marks(held.sessions, what, job.mark)


def _stale(store: DerivedStore, marks: dict[str, str]) -> set[date]:
    done = store.fingerprints
    return {date.fromisoformat(day) for day, mark in marks.items() if done.get(day) != mark}


def _require_current(place: DerivedStore, job: Job, held: Manifest) -> None:
    """Let a lake that cannot be written to be read, as long as nothing has to be computed."""
    marks = _marks(job, held)
    stale = _stale(place.load(place.folder).intact(), marks)
    if stale:
        raise LakeError(
            f"{place.folder} cannot be written to, and {len(stale)} of {len(marks)} sessions are "
            "not up to date: rebuild as a user who may write to it, or work on a copy of the lake"
        )


def _update(
    store: DerivedStore, lake: Lake, job: Job, held: Manifest, progress: Progress
) -> tuple[int, int]:
    """Bring a store up to date; return how many sessions and contracts that took."""
    marks = _marks(job, held)
    stale = _stale(store, marks)
    contracts = 0
    parts = []
    blocks = evaluated_blocks(lake, job, held, stale)
    for rows in _chunks(_reported(blocks, len(stale), job.underlying, progress)):
        contracts += sum(r.contracts for r in rows)
        parts.append(_write(store, job, rows, marks))
    store.commit(tuple(parts), marks)
    return len(stale), contracts


def _require_bare(
    rule: PeerRule, books: Sequence[Book], dealer: str, positions: str | Path | None
) -> None:
    """Refuse what a peer's rule would pass over in silence."""
    if dealer != "naive" or positions is not None or "as_of_close" not in books:
        raise DefinitionError(
            f"the peer rule {rule.name!r} has naive dealers and the book as_of_close: leave out "
            "dealer model, positions and the other book"
        )


def _reported(
    blocks: Iterator[list[SessionRows]], total: int, underlying: str, progress: Progress
) -> Iterator[SessionRows]:
    """Yield the sessions of blocks one by one, and report each."""
    done = 0
    for block in blocks:
        for rows in block:
            yield rows
            done += 1
            progress(done, total, underlying)


def _chunks(rows: Iterator[SessionRows]) -> Iterator[list[SessionRows]]:
    chunk: list[SessionRows] = []
    for row in rows:
        chunk.append(row)
        if len(chunk) == _SESSIONS_PER_PART:
            yield chunk
            chunk = []
    if chunk:
        yield chunk


def _write(store: DerivedStore, job: Job, rows: list[SessionRows], marks: dict[str, str]) -> Part:
    """Write one part and return it; it counts once it is committed."""
    part = Part.of({str(r.session): marks[str(r.session)] for r in rows})
    tables = {"regimes": regime_table([row for r in rows for row in r.regimes])}
    for table in rows[0].blocks if job.side_tables else ():
        tables[table] = side_table_of([block for r in rows for block in r.blocks[table]])
    findings = [finding for r in rows for finding in r.findings]
    tables["quality_findings"] = pa.Table.from_pylist(findings, schema=FINDINGS_SCHEMA)
    store.write_part(part.name, tables)
    return part
