"""The time structure of one session's book, from a lake."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from ..base.schema import Book
from ..exposure.definition import DEFAULT, Definition
from ..exposure.time_structure import TimeStructure, time_structure_of
from ..lake.lake import Lake, open_lake
from .explain import open_session
from .session_evaluation import evaluate_session
from .sessions import job_of

if TYPE_CHECKING:
    from datetime import date

    from .job import Job
    from .spec import RegimeSpec

__all__ = ["time_structure"]


def time_structure(
    lake: Lake | str | Path,
    underlying: str | RegimeSpec | Job,
    session: date,
    *,
    book: Book = "post_expiry",
    definition: Definition = DEFAULT,
    dealer: str = "naive",
    positions: str | Path | None = None,
    calendar: str | None = None,
    sessions: int = 20,
) -> TimeStructure:
    """Return how a session's book is spread over expirations and what becomes of it.

    Parameters
    ----------
    lake : Lake or path
    underlying : str, RegimeSpec or Job
        A `RegimeSpec` says everything that `definition` to `calendar` say; a `Job` is one whose
        files are read.
    session : date
    book : {"post_expiry", "as_of_close"}
    definition : Definition
    dealer : str
        As for `gexlab.data.rebuild`.
    positions : path, optional
        Likewise.
    calendar : str, optional
        Exchange calendar of the underlying; the one its chains were stamped with if left out.
    sessions : int
        How many sessions the decay looks ahead.

    Returns
    -------
    TimeStructure
        Known when the session's chain is.

    Raises
    ------
    LakeError
        If the lake does not hold that session.
    """
    opened = open_lake(lake)
    job = job_of(
        opened,
        underlying,
        definition,
        dealer=dealer,
        positions=positions,
        books=(book,),
        calendar=calendar,
    )
    raw, previous, _ = open_session(opened, job.underlying, session, source=job.source)
    found = evaluate_session(raw, previous, job)
    return time_structure_of(
        found.prepared,
        found.results[book],
        found.context,
        job.definition,
        job.facts.calendar,
        sessions,
    )
