"""Where a session's gamma came from, and what becomes of it if nothing trades."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from datetime import date

    from ...data import Book, Job, Lake, RegimeSpec, TimeStructure

__all__ = ["SessionStory", "session_story"]


@dataclass(frozen=True, slots=True, eq=False)
class SessionStory:
    """A session's book before and after.

    Attributes
    ----------
    change : dict or None
        Row of `gexlab.data.attribute_changes`: the change of net gamma since the lake's session
        before, in parts; None for the first session.
    structure : TimeStructure
        The book after its next expirations and over the sessions that follow.
    sign : str
        Of the currency that amounts are in; empty where unknown.
    """

    change: dict[str, Any] | None
    structure: TimeStructure
    sign: str


def session_story(lake: Lake, spec: RegimeSpec | Job, session: date, *, book: Book) -> SessionStory:
    """Return where a session's gamma came from and what becomes of it."""
    from ...data import attribute_changes, time_structure

    days = [entry.session for entry in lake.sessions(spec.underlying)]
    before = [day for day in days if day < session]
    change = None
    if before:
        rows = attribute_changes(lake, spec, book=book, first=before[-1], last=session)
        change = {str(k): v for k, v in rows.iloc[-1].items()} if len(rows) else None
    structure = time_structure(lake, spec, session, book=book)
    return SessionStory(change, structure, lake.facts(spec.underlying).sign)
