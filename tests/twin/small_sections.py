"""Cross-sections of regime rows from tables of spots and of net to gross, for tests."""

from __future__ import annotations

from typing import Final

import numpy as np
import pandas as pd

from gexlab.data import CrossSection, trading_calendar
from gexlab.data.regimes.cross_section import cross_section_of

__all__ = ["CALENDAR", "SESSIONS", "days", "section"]

CALENDAR: Final = trading_calendar("XNYS")
SESSIONS: Final = pd.DatetimeIndex(CALENDAR.sessions)


def days(count: int) -> pd.DatetimeIndex:
    """Return so many sessions from the second one of 2024 on."""
    start = SESSIONS.searchsorted(pd.Timestamp("2024-01-03"))
    return SESSIONS[start : start + count]


def section(
    spots: pd.DataFrame, ratio: pd.DataFrame, hours: float = 24, volume: float | None = None
) -> CrossSection:
    """Return a cross-section of sessions by names, public `hours` after midnight.

    With `volume` each name trades so many dollars a session times its number.
    """
    long = pd.DataFrame({"spot": spots.stack().dropna()})
    long = long.join(pd.DataFrame({"net_to_gross": ratio.stack()}))
    frame = long.rename_axis(["session", "underlying"]).reset_index()
    frame = frame.assign(
        known_at=frame["session"].dt.tz_localize("UTC") + pd.Timedelta(hours=hours),
        regime=np.where(frame["net_to_gross"] > 0, "long", "short"),
        quality="ok",
        net_gex=100 * frame["net_to_gross"],
        gross_gex=100.0,
        book="post_expiry",
        dealer_model="naive",
        definition_id="d",
    )
    volumes = None
    if volume is not None:
        month = SESSIONS[frame["session"].max() >= SESSIONS][-100:]
        volumes = pd.DataFrame(
            [(n, d, volume * (i + 1)) for i, n in enumerate(spots.columns) for d in month],
            columns=["underlying", "session", "dollar_volume"],
        )
    return cross_section_of(frame, book="post_expiry", volumes=volumes)
