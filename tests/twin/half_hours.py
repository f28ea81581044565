"""Half-hour bars of random prices, and the daily bars that they add up to."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from gexlab.data.calendar.trading import trading_calendar


def write_half_hours(place: Path, first_session: str, sessions: int) -> pd.DataFrame:
    """Write ``intraday.parquet`` and ``bars.parquet`` of New York's sessions; return the latter."""
    known = trading_calendar("XNYS")
    first = known.position(pd.Timestamp(first_session).date())
    rng = np.random.default_rng(8)
    rows, price = [], 100.0
    for i in range(first, first + sessions):
        day, start = known.sessions[i], pd.Timestamp(known.opens[i], tz="UTC")
        count = int((known.closes[i] - known.opens[i]) / np.timedelta64(30, "m"))
        price *= 1.0 + rng.normal(0.0, 0.004)
        for k in range(count):
            path = price * np.cumprod(1.0 + rng.normal(0.0, 0.002, 4))
            bar = (price, max(price, *path), min(price, *path), path[-1])
            rows.append((pd.Timestamp(day), start + k * pd.Timedelta("30min"), *bar))
            price = path[-1]
    names = ["session", "timestamp", "open", "high", "low", "close"]
    bars = pd.DataFrame(rows, columns=names)
    bars.drop(columns="session").to_parquet(place / "intraday.parquet", index=False)
    how = {"open": "first", "high": "max", "low": "min", "close": "last"}
    daily = bars.groupby("session").agg(how).reset_index()
    daily.to_parquet(place / "bars.parquet", index=False)
    return daily
