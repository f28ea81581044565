"""Moments of wall clocks on sessions: those that pandas gives, across every clock change."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from gexlab.data.calendar.trading import trading_calendar
from gexlab.data.calendar.wall_clocks import moments_of


@pytest.mark.parametrize("clock", ["00:00", "00:30", "01:30", "02:30", "15:45", "23:59"])
@pytest.mark.parametrize(
    "zone", ["UTC", "America/New_York", "Europe/London", "Australia/Lord_Howe", "America/Sao_Paulo"]
)
def test_skipped_times_move_on_and_repeated_ones_mean_the_later(clock: str, zone: str) -> None:
    calendar = trading_calendar("24/7")  # clocks change on Sundays
    hours, minutes = map(int, clock.split(":"))
    wall = pd.DatetimeIndex(calendar.sessions.astype("datetime64[ns]"))
    placed = (wall + pd.Timedelta(hours=hours, minutes=minutes)).tz_localize(
        zone,
        ambiguous=np.zeros(len(wall), dtype=bool),
        nonexistent="shift_forward",
    )
    found = moments_of(calendar.sessions, clock, zone)
    expected = placed.tz_convert("UTC").tz_localize(None).to_numpy().astype("datetime64[ns]")
    np.testing.assert_array_equal(found, expected)
