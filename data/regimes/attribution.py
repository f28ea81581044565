"""What moved net gamma from session to session, over a lake."""

from __future__ import annotations

from dataclasses import fields
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from ..base.schema import Book
from ..exposure.attribution import NetChange, net_change
from ..exposure.definition import DEFAULT, Definition
from ..lake.lake import Lake
from .sessions import evaluated_sessions, job_of

if TYPE_CHECKING:
    from datetime import date

    from .job import Job
    from .session_evaluation import SessionEvaluation
    from .spec import RegimeSpec

__all__ = ["attribute_changes"]

_COLUMNS = ("session", "previous_session", "known_at", *(f.name for f in fields(NetChange)))


def attribute_changes(
    lake: Lake | str | Path,
    underlying: str | RegimeSpec | Job,
    *,
    book: Book = "post_expiry",
    definition: Definition = DEFAULT,
    dealer: str = "naive",
    positions: str | Path | None = None,
    calendar: str | None = None,
    first: date | None = None,
    last: date | None = None,
) -> pd.DataFrame:
    """Return, per session, the parts of the change of net gamma since the lake's previous session.

    Parameters
    ----------
    lake : Lake or path
    underlying : str, RegimeSpec or Job
        A `RegimeSpec` says everything that `definition` to `calendar` say; a `Job` is one whose
        files are read.
    book : {"post_expiry", "as_of_close"}
    definition : Definition
    dealer : str
        As for `gexlab.data.rebuild`.
    positions : path, optional
        Likewise.
    calendar : str, optional
        Exchange calendar of the underlying; the one its chains were stamped with if left out.
    first, last : date, optional
        Bounds of the sessions that are compared, both included.

    Returns
    -------
    DataFrame
        One row per session but the first: ``session, previous_session, known_at`` (when both
        chains were) and the fields of `gexlab.data.exposure.attribution.NetChange`, dollars per
        1 %. No rows for fewer than two sessions.
    """
    job = job_of(
        lake,
        underlying,
        definition,
        dealer=dealer,
        positions=positions,
        books=(book,),
        calendar=calendar,
    )
    by_right = job.definition.iv_source == "own"
    rows = [
        _row(before, after, book, by_right=by_right)
        for before, after in pairwise(evaluated_sessions(lake, job, first=first, last=last))
    ]
    return pd.DataFrame(rows, columns=list(_COLUMNS))


def _row(
    before: SessionEvaluation, after: SessionEvaluation, book: Book, *, by_right: bool
) -> tuple[object, ...]:
    change = net_change(
        (before.prepared, before.results[book]),
        (after.prepared, after.results[book]),
        by_right=by_right,
    )
    known_us = max(before.prepared.chain.known_us, after.prepared.chain.known_us)
    known = pd.Timestamp(known_us, unit="us", tz="UTC")
    sessions = (pd.Timestamp(after.raw.session), pd.Timestamp(before.raw.session))
    return (*sessions, known, *(getattr(change, f.name) for f in fields(change)))
