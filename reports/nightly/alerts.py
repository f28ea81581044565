"""What must be read before a night's report."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .freshness import clock_alert, is_late, sessions_behind, stale_alert

if TYPE_CHECKING:
    from datetime import datetime

    import pandas as pd

    from ...backtest import Config, Market
    from .live_record import Record

__all__ = ["alerts_of", "late_night", "quality_of"]


def alerts_of(settings: Config, market: Market, record: Record, now: datetime) -> tuple[str, ...]:
    """Return in a sentence each that data are stale, refused or missing, or the record changed.

    A simulated market has no today, so that it is never stale.
    """
    table = market.regime.table
    last = table.index[-1]
    session, found = last.date(), []
    if not market.simulated:
        behind = sessions_behind(market.calendar, session, now)
        known_at = table["known_at"].iloc[-1].to_pydatetime()
        found += [
            stale_alert(session, behind, settings.nightly.stale_after),
            clock_alert(session, known_at, now),
        ]
    if str(table["regime"].iloc[-1]) == "abstain":
        why = quality_of(settings, market, last).replace("_", " ")
        found.append(f"DEGRADED: the chain of {session} has no regime ({why})")
    if last > market.sessions[-1]:
        found.append(
            f"MISSING: no bar of {session}, the last is of {market.sessions[-1].date()}: no "
            "target can be decided"
        )
    if record.broken:
        found.append(
            f"RECORD CHANGED: {record.broken}, so the live record is no evidence: put the file "
            "back from a copy, or move the folder record away to begin a new one"
        )
    return tuple(text for text in found if text)


def late_night(market: Market, now: datetime) -> bool:
    """Return whether a night begins too late to forecast anything; a simulated market has no today.

    See `freshness.is_late`.
    """
    if market.simulated:
        return False
    known_at = market.regime.table["known_at"].iloc[-1].to_pydatetime()
    return is_late(market.calendar, market.regime.table.index[-1].date(), known_at, now)


def quality_of(settings: Config, market: Market, session: pd.Timestamp) -> str:
    """Return what the quality gate says of a session; ``ok`` of a series, which has none."""
    if market.regime.rebuilt is None:
        return "ok"
    promoted = market.regime.promoted.get(session, ())
    rows = market.regime.rows.table("regimes", settings.regime.book)
    own = str(rows.set_index("session")["quality"].loc[session])
    reasons = [] if own == "ok" else [own]
    return ",".join([*reasons, *promoted]) or "ok"
