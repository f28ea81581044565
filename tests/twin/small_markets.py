"""Small markets of any calendar: chains through the ingest, rebuilt, with bars beside them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from gexlab.backtest.run.load_config import parse_config
from gexlab.data.calendar.trading import trading_calendar
from gexlab.data.ingest.ingest import ingest
from gexlab.data.regimes.rebuild import rebuild

MAP = """
[columns]
session = "session"
expiry = "expiry"
strike = "strike"
right = "right"
open_interest = "oi"
iv = "iv"
spot = "spot"
[constants]
multiplier = 100
[timing]
calendar = "{calendar}"
quote_time = "close"
known_at = "next_open"
oi_lag_sessions = 1
settlement = "PM"
{more}
"""


def write_lake(
    folder: Path, calendar: str, *, first: str = "2025-01-02", sessions: int = 40, more: str = ""
) -> pd.DataFrame:
    """Write and rebuild a lake of one market, its bars beside it; return the bars."""
    bars = write_chains(folder, calendar, first=first, sessions=sessions, more=more)
    ingest(
        [str(folder / "chains.csv")], vendor="columns", underlying="MKT", lake=folder / "lake",
        mapping=folder / "map.toml",
    )  # fmt: skip
    rebuild(folder / "lake", "MKT")
    return bars


def write_chains(
    folder: Path, calendar: str, *, first: str = "2025-01-02", sessions: int = 40, more: str = ""
) -> pd.DataFrame:
    """Write a market's chains, their map and its bars, and no lake; return the bars."""
    known = trading_calendar(calendar)
    start = known.position(pd.Timestamp(first).date(), at_or_before=True)
    days = known.sessions[start : start + sessions]
    rng = np.random.default_rng(4)
    spot = 100.0 * np.exp(np.cumsum(rng.normal(0.0, 0.01, 400)))[:sessions]
    rows = []
    for day, price in zip(days.tolist(), spot, strict=True):
        months = pd.period_range(pd.Timestamp(day), periods=3, freq="M")
        monthly = [known.monthly_expiration(m.year, m.month) for m in months]
        weekly = known.shift(day, 4)
        for expiry in sorted({*monthly, weekly} - {d for d in monthly if d < day}):
            for strike in range(80, 125, 5):
                for right in ("C", "P"):
                    oi = int(rng.integers(10, 500))
                    rows.append((day, expiry, strike, right, oi, 0.2, price))
    names = ["session", "expiry", "strike", "right", "oi", "iv", "spot"]
    pd.DataFrame(rows, columns=names).to_csv(folder / "chains.csv", index=False)
    (folder / "map.toml").write_text(MAP.format(calendar=calendar, more=more), encoding="utf-8")
    # a real open is no copy of the close before it
    opened = np.append(spot[0], spot[:-1]) * np.exp(rng.normal(0.0, 0.001, len(spot)))
    bars = pd.DataFrame(
        {
            "session": days.astype("datetime64[ns]"), "open": opened,
            "high": np.maximum(opened, spot) * 1.002, "low": np.minimum(opened, spot) * 0.998,
            "close": spot, "volume": 1e6,
        }
    )  # fmt: skip
    bars.to_parquet(folder / "bars.parquet", index=False)
    return bars


def config_of(folder: Path, **data: Any) -> Any:
    document = {
        "data": {
            "lake": "lake", "underlying": "MKT", "instrument": "future", "bars": "bars.parquet",
            **data,
        },
        "inference": {"bootstrap": 100},
    }  # fmt: skip
    return parse_config(document, folder)


#: Column map of a small file that holds many underlyings.
MANY_NAMES_MAP = """
[columns]
session = "date"
underlying = "name"
expiry = "expiry"
strike = "strike"
right = "cp"
open_interest = "oi"
iv = "iv"
spot = "spot"

[timing]
quote_time = "close"
known_at = "20:00"
oi_lag_sessions = 1
settlement = "PM"
"""
