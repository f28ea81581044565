"""From a lake's chains to the regime table and its side tables, session by session.

Sessions stream through in order and in bounded memory, and the results are written in parts. Only
sessions whose inputs or definition changed are computed.
"""

from __future__ import annotations

import errno
import time
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Final, cast

import pyarrow as pa

from ..base.errors import LakeError
from ..base.progress import Progress, shown_in_notebook, silent
from ..base.schema import BOOKS, Book
from ..base.workers import HERE, Workers
from ..calendar.market_defaults import EXCHANGE_SESSIONS
from ..exposure.definition import DEFAULT, Definition
from ..lake.derived_records import Lacking, lacking
from ..lake.derived_tables import DerivedStore, Scratch
from ..lake.derived_writer import (
    Contents,
    Uncommitted,
    WrittenPart,
    commit_parts,
    write_parts,
)
from ..lake.drafts import naming_the_lake
from ..lake.lake import Lake, retry_while_written
from ..lake.naming import is_several
from ..peers.rules import PeerRule
from .findings import finding_columns_of
from .plan import Plan, plan_of
from .rows import regime_columns_of, regime_table, side_columns_of
from .session_blocks import Readers, evaluated_blocks
from .session_evaluation import RegimeRows
from .spec import RegimeSpec

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from ..tables.underlying_settings import Assumed, UnderlyingSettings

__all__ = [
    "Computed",
    "RebuildResult",
    "computed",
    "evaluated_regimes",
    "rebuild",
    "up_to_date",
]

_SESSIONS_PER_PART: Final = EXCHANGE_SESSIONS
#: What operating systems say of a lake that somebody may read only.
_UNWRITABLE: Final = (errno.EACCES, errno.EPERM, errno.EROFS)
_FULL: Final = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


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
        Of several underlyings with rates of their own: all of them.
    by_underlying : dict of str to RebuildResult
        Where several are asked for: what was done of each; the numbers above are sums.
    failed : dict of str to str
        Underlyings that could not be rebuilt, with the reason.
    assumed : dict of str to Assumed
        What each was rebuilt with, and who said so.
    settings_unused : tuple of str
        Underlyings that the settings file names and that were not asked for, or are not held.
    """

    sessions: int
    rebuilt: int
    contracts: int
    seconds: float
    definition_id: str
    by_underlying: dict[str, RebuildResult] = field(default_factory=dict)
    failed: dict[str, str] = field(default_factory=dict)
    assumed: dict[str, Assumed] = field(default_factory=dict)
    settings_unused: tuple[str, ...] = ()


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
    settings: UnderlyingSettings | str | Path | None = None,
    workers: Workers = HERE,
    progress: Progress = silent,
) -> RebuildResult:
    """Rebuild the regime table of one underlying, or of several, as far as it is not up to date.

    Parameters
    ----------
    lake : Lake or path
    underlying : str or RegimeSpec
        ``"*"``, a pattern (capitals matter) or names with commas: one after the other.
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
    settings : UnderlyingSettings or path, optional
        Rates, dealer model and kind by underlying, which go before the parameters; see
        `load_underlying_settings`.
    workers : Workers, optional
        Who rebuilds, where several underlyings are asked for: each is a piece of work.
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
    spec = underlying
    if not isinstance(spec, RegimeSpec):
        given = None if positions is None else Path(positions)
        spec = RegimeSpec(spec, definition, dealer, given, tuple(books), calendar, instrument)
    shown = shown_in_notebook(progress, "rebuild")
    if not isinstance(underlying, RegimeSpec) and (settings is not None or is_several(underlying)):
        from .many import rebuilt_many

        opened = cast("Lake", lake)
        return rebuilt_many(
            opened, underlying, settings, spec,
            side_tables=side_tables, workers=workers, progress=shown,
        )  # fmt: skip
    *_, done = up_to_date(cast("Lake", lake), spec, side_tables=side_tables, progress=shown)
    return replace(done, seconds=time.perf_counter() - began)


@dataclass(frozen=True, slots=True, eq=False)
class Computed:
    """What a rebuild found up to date or has computed, before it counts.

    Attributes
    ----------
    plan : Plan
        By what.
    rows : DerivedStore or Uncommitted
        Exactly the rows of the plan; uncommitted where some had to be written.
    done : RebuildResult
    """

    plan: Plan
    rows: DerivedStore | Uncommitted
    done: RebuildResult


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
    made = computed(lake, spec, side_tables=side_tables, progress=progress)
    store = made.rows
    if isinstance(store, Uncommitted):
        with _naming_what_lacks(made.plan):
            store = commit_parts(store.store, store.written, store.marks, store.chains)
    return made.plan, store, made.done


def computed(
    lake: Lake,
    spec: RegimeSpec,
    *,
    side_tables: bool = True,
    progress: Progress = silent,
    readers: Readers | None = None,
) -> Computed:
    """Compute and write what the lake lacks of a spec's rows, and leave it to others to commit it.

    Where the lake changes meanwhile, what is computed is of the state that it had, if it is called
    inside `Lake.reading`.

    `readers` are threads that others use before and after it.

    Raises
    ------
    LakeError
        As `up_to_date`.
    """
    began = time.perf_counter()
    plan = plan_of(lake, spec, side_tables=side_tables)
    found = lacking(plan.place, plan.wanted)
    missing = set().union(*found.sessions.values())
    if missing and found.closed:
        raise _unwritable(plan, missing)
    past = plan.place.lake.version is not None
    rows: DerivedStore | Uncommitted
    if missing or not (found.recorded or found.closed or past):
        now = lake.changed_since(spec.underlying, plan.written)
        if now is not None:
            plan, lake = plan_of(now, spec, side_tables=side_tables), now
            found = lacking(plan.place, plan.wanted)
        with _naming_what_lacks(plan):
            rows, days, contracts = _update(lake, spec, plan, found, progress, readers)
    else:
        rows, days, contracts = found.store.only(plan.wanted), 0, 0
    seconds = time.perf_counter() - began
    done = RebuildResult(len(plan.chains.sessions), days, contracts, seconds, plan.definition_id)
    return Computed(plan, rows, done)


@contextmanager
def _naming_what_lacks(plan: Plan) -> Iterator[None]:
    """Say what to do where a lake cannot be written to, or has no room."""
    try:
        yield
    except OSError as error:
        if error.errno in _FULL:
            with naming_the_lake(plan.place.lake.root):
                raise
        if error.errno not in _UNWRITABLE:
            raise
        missing = set().union(*lacking(plan.place, plan.wanted).sessions.values())
        raise _unwritable(plan, missing) from error


def _unwritable(plan: Plan, missing: Collection[date]) -> LakeError:
    return LakeError(
        f"the lake {plan.place.lake.root} cannot be written to, and {len(missing)} of "
        f"{len(plan.marks)} sessions are not up to date: rebuild as a user who may write to it, "
        "or work on a copy of the lake"
    )


def _update(
    lake: Lake,
    spec: RegimeSpec,
    plan: Plan,
    found: Lacking,
    progress: Progress,
    readers: Readers | None,
) -> tuple[Uncommitted, int, int]:
    """Compute what the store lacks; return it, and how many sessions and contracts it took."""
    store, missing = found.store, found.sessions
    if store.lake.version is not None:
        store = replace(store, scratch=Scratch())
    if isinstance(spec.definition, PeerRule):
        from .peer_rebuild import peer_rows, write_peer_rows

        stale = missing["as_of_close"]
        rows, contracts = peer_rows(lake, spec, plan.chains, stale, progress)
        part = write_peer_rows(store, rows, plan.marks)
        return Uncommitted(store, part, plan.wanted, plan.written), len(stale), contracts
    assert plan.job is not None
    total = len(set().union(*missing.values()))
    contracts, done = 0, 0
    parts: list[WrittenPart] = []
    for books, days in _passes(missing):
        job = replace(plan.job, books=books)
        sessions = evaluated_blocks(lake, job, plan.chains, days, readers)
        for chunk in _chunks(_reported(sessions, done, total, job.underlying, progress)):
            contracts += sum(r.contracts for r in chunk)
            parts += write_parts(store, [_contents(books, chunk, plan.marks)])
            chunk.clear()  # a year of rows, which would wait here for the next year's
        done += len(days)
    return Uncommitted(store, tuple(parts), plan.wanted, plan.written), total, contracts


def _passes(missing: Mapping[str, set[date]]) -> list[tuple[tuple[Book, ...], set[date]]]:
    """Return which books of which sessions are computed together: those that lack the same ones."""
    found: dict[tuple[Book, ...], set[date]] = {}
    for day in sorted(set().union(*missing.values())):
        books = tuple(book for book in BOOKS if day in missing.get(book, ()))
        found.setdefault(books, set()).add(day)
    return list(found.items())


@retry_while_written
def evaluated_regimes(lake: Lake, spec: RegimeSpec, *, progress: Progress = silent) -> pa.Table:
    """Return the regime rows of a spec, computed without writing anything.

    Rows that the lake holds up to date are read instead.
    """
    from .table import rows_of

    plan = plan_of(lake, spec)
    there = lacking(plan.place, plan.wanted)
    store, stale = there.store.only(plan.wanted), there.sessions
    found = []
    if store.parts:
        found.append(rows_of(lake, spec.underlying, "regimes", [store]))
    if isinstance(spec.definition, PeerRule):
        from .peer_rebuild import peer_rows

        rows, _ = peer_rows(lake, spec, plan.chains, stale["as_of_close"], progress)
        return pa.concat_tables([*found, regime_table(rows)]).sort_by("session")
    assert plan.job is not None
    for books, days in _passes(stale):
        job = replace(plan.job, books=books, side_tables=False)
        blocks = evaluated_blocks(lake, job, plan.chains, days)
        for row in _reported(blocks, 0, len(days), job.underlying, progress):
            found.append(regime_table([*row.books.values()]))
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
        full = len(chunk) == _SESSIONS_PER_PART
        if chunk and (full or chunk[0].session.year != row.session.year):
            yield chunk
            chunk = []
        chunk.append(row)
    if chunk:
        yield chunk


def _contents(books: tuple[Book, ...], rows: list[RegimeRows], marks: dict[str, str]) -> Contents:
    """Return the rows of some sessions, book by book, with the sessions' marks."""
    own = [each.books[book] for book in books for each in rows]
    tables = {"regimes": regime_columns_of(own)} | side_columns_of(own)
    tables["quality_findings"] = finding_columns_of([f for each in own for f in each.findings])
    sizes = {"regimes": [1] * len(own), "quality_findings": [len(each.findings) for each in own]}
    sizes |= {name: [each.tables[name].shape[1] for each in own] for name in own[0].tables}
    firsts = range(0, len(own), len(rows))
    counts = {
        name: tuple(sum(each[first : first + len(rows)]) for first in firsts)
        for name, each in sizes.items()
    }
    days = {str(r.session): marks[str(r.session)] for r in rows}
    return Contents(books, days, tables, counts if len(books) > 1 else {})
