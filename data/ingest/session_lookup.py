"""Sessions, closes and expirations of a calendar, each found by its day."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from ..base.arrow_values import plain
from .arrow_arrays import (
    NONE,
    Flags,
    Ints,
    earliest,
    first_known,
    integers,
    integers_of,
    taken_at,
)
from .calendar_tables import calendar_tables

if TYPE_CHECKING:
    from ..vendors.vendor_preset import Timing

__all__ = [
    "SessionLookup",
    "offset_within",
    "rows_outside",
    "session_lookup",
    "session_position",
    "sessions_of",
]

_DAY: Final = 86_400_000_000


@dataclass(frozen=True, slots=True)
class SessionLookup:
    """One exchange's calendar under one set of timing rules, each value found by its day.

    Attributes
    ----------
    session : tuple of int and ndarray
        First day, and for each day from there the position of the session on it, -1 for none.
    close, quote, shown, known, settled : ndarray
        By session: close, the moment that the rules give to quotes, the same but not after the
        close, when they were known, and the day of the open interest.
    stamp_day : int
        First day of the following three.
    opens, session_here, session_before : ndarray
        By day in UTC: open of the session that opens on it, that session, the previous session.
    expiry_day : int
        First day of the following three.
    expiry_open, expiry_close, is_monthly : ndarray
        By listed expiration.
    """

    session: tuple[int, Ints]
    close: Ints
    quote: Ints
    shown: Ints
    known: Ints
    settled: Ints
    stamp_day: int
    opens: Ints
    session_here: Ints
    session_before: Ints
    expiry_day: int
    expiry_open: Ints
    expiry_close: Ints
    is_monthly: Flags


@lru_cache(maxsize=8)
def session_lookup(timing: Timing) -> SessionLookup:
    """Return the sessions and moments of a preset's calendar under its timing rules."""
    tables = calendar_tables(timing)
    sessions, stamps, expiries = tables.sessions, tables.stamps, tables.expiries
    days = integers(sessions.column("session"))
    position = np.full(int(days[-1] - days[0]) + 1, -1)
    position[days - days[0]] = np.arange(len(days))
    close, quote = integers(sessions.column("close_ts")), integers(sessions.column("quote_ts"))
    return SessionLookup(
        session=(int(days[0]), position),
        close=close,
        quote=quote,
        shown=earliest(quote, close),
        known=integers(sessions.column("known_at")),
        settled=integers(sessions.column("oi_asof")),
        stamp_day=int(integers(stamps.column("day"))[0]),
        opens=integers(stamps.column("open_ts")),
        session_here=integers(stamps.column("session")),
        session_before=integers(stamps.column("before")),
        expiry_day=int(integers(expiries.column("expiry"))[0]),
        expiry_open=integers(expiries.column("open_ts")),
        expiry_close=integers(expiries.column("close_ts")),
        is_monthly=plain(expiries.column("is_monthly")),
    )


def session_position(stated: Ints, stamp: Ints, calendar: SessionLookup) -> Ints:
    """Return the position of each row's session: the stated one, else the stamp's; -1 for none."""
    day = stated
    if (stamp != NONE).any() and (stated == NONE).any():
        here = offset_within(
            np.where(stamp == NONE, NONE, stamp // _DAY), calendar.stamp_day, len(calendar.opens)
        )
        opens = taken_at(calendar.opens, here)
        opened = (opens != NONE) & (stamp >= opens)
        by_stamp = np.where(
            opened, taken_at(calendar.session_here, here), taken_at(calendar.session_before, here)
        )
        day = first_known(stated, by_stamp)
    first, position = calendar.session
    found: Ints = taken_at(position, offset_within(day, first, len(position)), -1)
    return found


def rows_outside(table: Any, position: Ints, calendar: SessionLookup) -> int:
    """Return how many rows of no session state a day beyond the calendar's bounds."""
    if not (position < 0).any():
        return 0
    day = integers_of(table, "session")
    first, places = calendar.session
    strange = (position < 0) & (day != NONE) & ((day < first) | (day >= first + len(places)))
    return int(strange.sum())


def sessions_of(calendar: SessionLookup) -> Ints:
    """Return the sessions, days since 1970, shape (n,)."""
    first, position = calendar.session
    found: Ints = first + np.flatnonzero(position >= 0)
    return found


def offset_within(day: Ints, first: int, count: int) -> Ints:
    """Return how many days each day is after the first, -1 outside 0 ... count - 1."""
    offset = day - first
    inside = (day != NONE) & (offset >= 0) & (offset < count)
    return np.where(inside, offset, -1)
