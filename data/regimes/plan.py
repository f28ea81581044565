"""What rebuilt rows are computed from, and the marks by which they are known to be up to date."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from ..lake.derived_parts import other_generations, session_marks
from ..lake.derived_tables import WITHOUT_SIDE_TABLES, DerivedStore
from ..peers.rules import PeerRule
from .job import Job, make_job

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..base.schema import Book
    from ..lake.lake import Lake
    from ..lake.manifest import Manifest
    from .spec import RegimeSpec

__all__ = ["Plan", "marks_of_other_versions", "plan_of"]

#: Raised when rows change their form or meaning, so that older ones are computed anew.
_ROWS_GENERATION: Final = 7


@dataclass(frozen=True, slots=True, eq=False)
class Plan:
    """What the rows of a spec are computed from, as the lake and the spec's files are now.

    Attributes
    ----------
    chains : Manifest
        What the lake holds of the underlying.
    written : str
        Mark of that state; see `Lake.written`.
    job : Job or None
        None: a peer's rule.
    definition_id : str
    books : tuple of {"as_of_close", "post_expiry"}
    marks : dict of str to str
        ISO session to the mark of everything that its rows depend on.
    place : DerivedStore
        Where the rows are kept.
    """

    chains: Manifest
    written: str
    job: Job | None
    definition_id: str
    books: tuple[Book, ...]
    marks: dict[str, str]
    place: DerivedStore

    @property
    def wanted(self) -> dict[str, dict[str, str]]:
        """Book to ISO session to mark: exactly the rows that are meant."""
        return dict.fromkeys(self.books, self.marks)


def plan_of(lake: Lake, spec: RegimeSpec, *, side_tables: bool = True) -> Plan:
    """Return what a spec's rows are computed from; its files are read here, once.

    Raises
    ------
    UnknownNameError, DefinitionError, InputFileError, CalendarError, ConfigError
        If the lake or one of the files does not fit.
    """
    spec.require_bare()
    chains, written = lake.held_with_mark(spec.underlying)
    if isinstance(spec.definition, PeerRule):
        from .peer_rebuild import peer_plan

        chains.agreed_calendar(spec.calendar)
        chains.agreed_instrument(spec.instrument)
        marks, place = peer_plan(lake, chains, spec)
        return Plan(chains, written, None, spec.definition_id, ("as_of_close",), marks, place)
    job = make_job(lake, spec, side_tables=side_tables, chains=chains)
    spec = replace(spec, instrument=job.instrument)
    marks = _marks(chains, job, _ROWS_GENERATION)
    place = DerivedStore(
        lake.as_it_is_now(),
        spec.underlying,
        job.definition_id,
        job.definition.settings,
        job.dealer.name,
        spec.inputs(chains.calendar) | ({} if side_tables else {WITHOUT_SIDE_TABLES: "yes"}),
    )
    return Plan(chains, written, job, job.definition_id, job.books, marks, place)


def _marks(chains: Manifest, job: Job, generation: int) -> dict[str, str]:
    own = job.marks(entry.session for entry in chains.sessions)
    return session_marks(chains, f"{generation}|{job.common_mark}", own)


def marks_of_other_versions(plan: Plan) -> Iterator[dict[str, str]]:
    """Yield the marks that other versions of gexlab give the rows of a plan, one after the other.

    Parameters
    ----------
    plan : Plan

    Yields
    ------
    dict of str to str
        ISO session to mark.
    """
    if plan.job is None:
        from .peer_rebuild import peer_marks_of_other_versions

        yield from peer_marks_of_other_versions(plan.chains)
        return
    for generation in other_generations(_ROWS_GENERATION):
        yield _marks(plan.chains, plan.job, generation)
