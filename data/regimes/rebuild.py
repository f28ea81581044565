"""From a lake's chains to the regime table and its side tables, session by session.

Sessions stream through in order and in bounded memory, and the results are written in parts. Only
sessions whose inputs or definition changed are computed.
"""

from __future__ import annotations

import errno
import time
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pyarrow as pa

from ..base.errors import LakeError
from ..base.progress import Progress, shown_in_notebook, silent
from ..base.schema import BOOKS, Book
from ..calendar.market_rules import EXCHANGE_SESSIONS
from ..exposure.definition import DEFAULT, Definition
from ..lake.derived_tables import WITHOUT_SIDE_TABLES, DerivedStore, Part, session_marks
from ..lake.lake import Lake, open_lake, retry_while_written
from ..peers.rules import PeerRule
from .findings import FINDINGS_SCHEMA
from .job import Job, make_job
from .rows import regime_table, side_table_of
from .session_blocks import evaluated_blocks
from .session_evaluation import RegimeRows
from .spec import RegimeSpec

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from ..lake.manifest import Manifest

__all__ = ["Plan", "RebuildResult", "evaluated_regimes", "plan_of", "rebuild", "up_to_date"]

#: Raised when rows change their form or meaning, so that older ones are computed anew.
_ROWS_GENERATION: Final = 4
_SESSIONS_PER_PART: Final = EXCHANGE_SESSIONS
#: What operating systems say of a lake that somebody may read only.
_UNWRITABLE: Final = (errno.EACCES, errno.EPERM, errno.EROFS)


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


@retry_while_written
def rebuild(
    lake: Lake | str | Path,
    underlying: str | RegimeSpec,
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
    underlying : str or RegimeSpec
        A `RegimeSpec` says everything; the parameters from `definition` to `instrument` then stay
        as they are.
    definition : Definition or PeerRule
        What is computed. A peer's rule has its own book, dealer model and calendar.
    books : sequence of {"as_of_close", "post_expiry"}
        Rows of a book that is not named stay what they are.
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
        Called after every session. Where none is given, a notebook shows a line of text.

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
    spec = underlying
    if not isinstance(spec, RegimeSpec):
        given = None if positions is None else Path(positions)
        spec = RegimeSpec(spec, definition, dealer, given, tuple(books), calendar, instrument)
    told = shown_in_notebook(progress, "rebuild")
    *_, done = up_to_date(opened, spec, side_tables=side_tables, progress=told)
    return replace(done, seconds=time.perf_counter() - began)


@dataclass(frozen=True, slots=True, eq=False)
class Plan:
    """What the rows of a spec are computed from, as the lake and the spec's files are now.

    Attributes
    ----------
    held : Manifest
        The chains.
    job : Job or None
        None: a peer's rule.
    books : tuple of {"as_of_close", "post_expiry"}
    marks : dict of str to str
        ISO session to the mark of everything that its rows depend on.
    place : DerivedStore
        Where the rows are kept.
    """

    held: Manifest
    job: Job | None
    books: tuple[Book, ...]
    marks: dict[str, str]
    place: DerivedStore

    @property
    def wanted(self) -> dict[str, dict[str, str]]:
        """Book to ISO session to mark: exactly the rows that are meant."""
        return dict.fromkeys(self.books, self.marks)

    def stale(self, store: DerivedStore) -> dict[Book, set[date]]:
        """Return the sessions of each book that a store lacks, or has from other inputs."""
        done = store.rows
        return {
            book: {date.fromisoformat(d) for d, m in self.marks.items() if (book, d, m) not in done}
            for book in self.books
        }


def plan_of(lake: Lake, spec: RegimeSpec, *, side_tables: bool = True) -> Plan:
    """Return what a spec's rows are computed from; its files are read here, once.

    Raises
    ------
    UnknownNameError, DefinitionError, InputFileError, CalendarError, ConfigError
        If the lake or one of the files does not fit.
    """
    spec.require_bare()
    held = lake.held(spec.underlying)
    spec = replace(spec, instrument=held.agreed_instrument(spec.instrument))
    if isinstance(spec.definition, PeerRule):
        from .peer_rebuild import peer_plan

        held.agreed_calendar(spec.calendar)
        marks, place = peer_plan(lake, held, spec)
        return Plan(held, None, ("as_of_close",), marks, place)
    job = make_job(lake, spec, side_tables=side_tables, held=held)
    marks = session_marks(held, f"{_ROWS_GENERATION}|{job.common_mark}", job.mark)
    place = DerivedStore.at(
        lake.root,
        spec.underlying,
        spec.definition.settings,
        job.definition_id,
        job.dealer.name,
        spec.inputs(held.calendar) | ({} if side_tables else {WITHOUT_SIDE_TABLES: "yes"}),
    )
    return Plan(held, job, job.books, marks, place)


def up_to_date(
    lake: Lake, spec: RegimeSpec, *, side_tables: bool = True, progress: Progress = silent
) -> tuple[Plan, DerivedStore, RebuildResult]:
    """Compute what the lake lacks of a spec's rows; return by what, them, and what was done.

    The store that is returned holds exactly the rows of this spec and of the lake as it is now,
    whatever others rebuild. Nothing is written where nothing is lacking.

    Raises
    ------
    LakeError
        If the lake holds no chains of that underlying, or lacks rows and cannot be written to.
    """
    began = time.perf_counter()
    plan = plan_of(lake, spec, side_tables=side_tables)
    store = plan.place.current().intact()
    days, contracts = 0, 0
    lacking = set().union(*plan.stale(store).values())
    if lacking and plan.place.closed():
        raise _unwritable(plan, lacking)
    if lacking or not (store.means(plan.wanted) or plan.place.closed()):
        plan, store, days, contracts = _written(lake, spec, plan, progress)
    seconds = time.perf_counter() - began
    done = RebuildResult(len(plan.held.sessions), days, contracts, seconds, spec.definition_id)
    return plan, store.only(plan.wanted), done


def _written(
    lake: Lake, spec: RegimeSpec, plan: Plan, progress: Progress
) -> tuple[Plan, DerivedStore, int, int]:
    """Bring a store up to date; say with which plan, and how many sessions and contracts it took.

    Where another rebuild was waited for, the lake may have grown: the plan is then made anew.
    """
    written = lake.written(spec.underlying)
    try:
        with plan.place.writing() as store:
            now = lake.as_it_is_now()
            if now.written(spec.underlying) != written:
                tables = plan.job is None or plan.job.side_tables
                plan, lake = plan_of(now, spec, side_tables=tables), now
            store, days, contracts = _update(store, lake, spec, plan, progress)
    except OSError as error:
        if error.errno not in _UNWRITABLE:
            raise
        raise _unwritable(plan, set().union(*plan.stale(plan.place).values())) from error
    return plan, store, days, contracts


def _unwritable(plan: Plan, lacking: Collection[date]) -> LakeError:
    return LakeError(
        f"{plan.place.folder} cannot be written to, and {len(lacking)} of {len(plan.marks)} "
        "sessions are not up to date: rebuild as a user who may write to it, or work on a copy of "
        "the lake"
    )


def _update(
    store: DerivedStore, lake: Lake, spec: RegimeSpec, plan: Plan, progress: Progress
) -> tuple[DerivedStore, int, int]:
    if isinstance(spec.definition, PeerRule):
        from .peer_rebuild import peer_rows, write_peer_rows

        stale = plan.stale(store)["as_of_close"]
        found, blocks, contracts = peer_rows(lake, spec, plan.held, stale, progress)
        part = write_peer_rows(store, found, blocks, plan.marks)
        return store.commit(part, plan.wanted), len(stale), contracts
    assert plan.job is not None
    lacking = plan.stale(store)
    total = len(set().union(*lacking.values()))
    contracts, done = 0, 0
    parts: list[Part] = []
    for books, days in _passes(lacking):
        job = replace(plan.job, books=books)
        sessions = evaluated_blocks(lake, job, plan.held, days)
        for rows in _chunks(_reported(sessions, done, total, job.underlying, progress)):
            contracts += sum(r.contracts for r in rows)
            parts += [_write(store, job, book, rows, plan.marks) for book in books]
        done += len(days)
    return store.commit(tuple(parts), plan.wanted), total, contracts


def _passes(lacking: Mapping[Book, set[date]]) -> list[tuple[tuple[Book, ...], set[date]]]:
    """Return which books of which sessions are computed together: those that lack the same ones."""
    found: dict[tuple[Book, ...], set[date]] = {}
    for day in sorted(set().union(*lacking.values())):
        books = tuple(book for book, days in lacking.items() if day in days)
        found.setdefault(books, set()).add(day)
    return list(found.items())


@retry_while_written
def evaluated_regimes(lake: Lake, spec: RegimeSpec, *, progress: Progress = silent) -> pa.Table:
    """Return the regime rows of a spec, computed without writing anything.

    Rows that the lake holds up to date are read instead.
    """
    from .table import rows_of

    plan = plan_of(lake, spec)
    store = plan.place.current().intact().only(plan.wanted)
    found = []
    if store.parts:
        found.append(rows_of(lake, spec.underlying, "regimes", [store]))
    stale = plan.stale(store)
    if isinstance(spec.definition, PeerRule):
        from .peer_rebuild import peer_rows

        rows, _, _ = peer_rows(lake, spec, plan.held, stale["as_of_close"], progress)
        return pa.concat_tables([*found, regime_table(rows)]).sort_by("session")
    assert plan.job is not None
    for books, days in _passes(stale):
        job = replace(plan.job, books=books, side_tables=False)
        blocks = evaluated_blocks(lake, job, plan.held, days)
        for row in _reported(blocks, 0, len(days), job.underlying, progress):
            found.append(regime_table(row.regimes))
    return pa.concat_tables(found).sort_by("session")


def _reported(
    blocks: Iterator[list[RegimeRows]],
    done: int,
    total: int,
    underlying: str,
    progress: Progress,
) -> Iterator[RegimeRows]:
    """Yield the sessions of blocks one by one, and report each."""
    for block in blocks:
        for rows in block:
            yield rows
            done += 1
            progress(done, total, underlying)


def _chunks(rows: Iterator[RegimeRows]) -> Iterator[list[RegimeRows]]:
    chunk: list[RegimeRows] = []
    for row in rows:
        chunk.append(row)
        if len(chunk) == _SESSIONS_PER_PART:
            yield chunk
            chunk = []
    if chunk:
        yield chunk


def _write(
    store: DerivedStore, job: Job, book: Book, rows: list[RegimeRows], marks: dict[str, str]
) -> Part:
    """Write one part and return it; it counts once it is committed."""
    tables = {"regimes": regime_table([x for r in rows for x in r.regimes if x["book"] == book])}
    for table in rows[0].blocks if job.side_tables else ():
        blocks = [block for r in rows for block in r.blocks[table] if block.key.book == book]
        tables[table] = side_table_of(blocks)
    findings = [finding for r in rows for finding in r.findings if finding["book"] == book]
    tables["quality_findings"] = pa.Table.from_pylist(findings, schema=FINDINGS_SCHEMA)
    part = Part.of(book, {str(r.session): marks[str(r.session)] for r in rows}, tables)
    return store.write_part(part, tables)
