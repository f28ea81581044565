"""Whether the data are those of the last session, or what a reader must know first."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

import numpy as np

from ..page.formats import plural

if TYPE_CHECKING:
    from datetime import date, datetime

    from ...data import TradingCalendar

__all__ = ["clock_alert", "is_late", "sessions_behind", "stale_alert"]

#: A night may take so long after its chain is public, even where the next session has begun.
_GRACE: Final = timedelta(hours=1)


def sessions_behind(calendar: TradingCalendar, session: date, now: datetime) -> int:
    """Return how many sessions after one have closed by now.

    Parameters
    ----------
    calendar : TradingCalendar
    session : date
        The last one with a regime.
    now : datetime
        With its zone.
    """
    moment = np.datetime64(int(now.timestamp() * 1e6), "us")
    return int(((calendar.sessions > np.datetime64(session)) & (calendar.closes <= moment)).sum())


def stale_alert(session: date, behind: int, allowed: int) -> str:
    """Return that the data are stale; empty where no more sessions closed than are allowed.

    The sentence stays the same while the data do, so that a stale night is one night.

    Examples
    --------
    >>> from datetime import date
    >>> stale_alert(date(2026, 7, 1), 1, 1), stale_alert(date(2026, 7, 1), 2, 1)
    ('', 'STALE: no chain since 2026-07-01, more than 1 session ago')
    """
    if behind <= allowed:
        return ""
    return f"STALE: no chain since {session}, more than {plural(allowed, 'session')} ago"


def clock_alert(session: date, known_at: datetime, now: datetime) -> str:
    """Return that the clock and the data contradict each other; empty where they do not."""
    if known_at <= now:
        return ""
    return (
        f"CLOCK: the chain of {session} is public from {known_at:%Y-%m-%d %H:%M} UTC, but the "
        "clock of this machine is before that: set it, or look at the chain's known_at"
    )


def is_late(calendar: TradingCalendar, session: date, known_at: datetime, now: datetime) -> bool:
    """Return whether a night begins too late to forecast anything.

    It has to begin before the next session opens, or within an hour of its chain's publication
    where that is later.
    """
    opens = calendar.open_of(calendar.shift(session, 1))
    return now > max(opens, known_at + _GRACE)
