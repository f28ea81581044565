"""Checks that need the exchange's calendar or the definition, not the contracts."""

from __future__ import annotations

import math
from datetime import datetime
from typing import TYPE_CHECKING

from ..calendar.trading import TradingCalendar, trading_calendar
from .finding import Finding
from .messages import CHECKS
from .thresholds import Thresholds

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import date

    from .looks import SessionLook

__all__ = ["session_findings"]


def session_findings(
    looks: Sequence[SessionLook], calendar: str, limits: Thresholds
) -> Iterator[Finding]:
    """Yield the findings about dates and moments.

    Parameters
    ----------
    looks : sequence of SessionLook
        One per session, ascending.
    calendar : str
        Name of the exchange calendar.
    limits : Thresholds
        From which size on something is a finding.
    """
    sessions = trading_calendar(calendar)
    for look in looks:
        session, previous, contracts = look.session, look.previous, look.contracts
        touched = math.nan if look.open_interest is None else look.open_interest
        if not sessions.is_session(session):
            if limits.not_a_session < 1:
                detail = f"{session} is no session of {calendar}"
                yield _finding("not_a_session", session, contracts, touched, detail)
            continue
        outside = _outside(sessions, session, datetime.fromisoformat(look.quote_ts))
        if outside and limits.quotes_outside_session < 1:
            yield _finding("quotes_outside_session", session, contracts, touched, outside)
        gap = _gap(sessions, previous, session)
        if gap > limits.missing_sessions:
            detail = f"{gap} sessions of {calendar} absent after {previous}"
            yield _finding("missing_sessions", session, gap, math.nan, detail)


def _finding(
    check: str, session: date | None, count: int, open_interest: float, detail: str
) -> Finding:
    return Finding(session, check, CHECKS[check].severity, count, open_interest, detail)


def _outside(calendar: TradingCalendar, session: date, moment: datetime) -> str | None:
    opened, closed = calendar.open_of(session), calendar.close_of(session)
    if opened <= moment <= closed:
        return None
    return f"quotes of {moment:%Y-%m-%d %H:%M} UTC, session {opened:%H:%M} to {closed:%H:%M}"


def _gap(calendar: TradingCalendar, previous: date | None, session: date) -> int:
    if previous is None or not calendar.is_session(previous):
        return 0
    return calendar.position(session) - calendar.position(previous) - 1
