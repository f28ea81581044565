"""Small loaders of the development data: vendor files to canonical frames with plain pandas.

They exist so that the twin can be held against the expected tables without any of gexlab's own
readers. One frame holds one session, columns as in the canonical chain.
"""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
from reference_calendar import expiry_moment, is_monthly, schedule, session_close

COLUMNS = [
    "underlying",
    "session",
    "quote_ts",
    "root",
    "expiry",
    "settlement",
    "expiry_ts",
    "strike",
    "right",
    "open_interest",
    "bid",
    "ask",
    "iv",
    "iv_quoted",
    "gamma",
    "spot",
    "multiplier",
    "known_at",
]
AM_ROOTS = frozenset({"SPX", "NDX", "RUT", "DJX", "VIX"})


def usable_volatility(values: pd.Series) -> pd.Series:
    """Vendor volatility as a decimal; NaN where outside 0.01 ... 10, zero included."""
    return values.where(values.between(0.01, 10.0))


def with_moments(frame: pd.DataFrame) -> pd.DataFrame:
    """Add `expiry_ts` from expiry and settlement."""
    moments = [
        expiry_moment(expiry, settlement)
        for expiry, settlement in zip(frame["expiry"], frame["settlement"], strict=True)
    ]
    return frame.assign(expiry_ts=pd.Series(moments, index=frame.index, dtype="object"))


def third_friday_settlement(frame: pd.DataFrame) -> pd.Series:
    """AM for monthly expirations, except the second in file order of two equal contracts."""
    repeated = frame.duplicated(["expiry", "strike", "right"], keep="first")
    monthly = frame["expiry"].map(is_monthly)
    return pd.Series(np.where(monthly & ~repeated, "AM", "PM"), index=frame.index)


def spx_2026_sessions(shared_data: Path) -> list[date]:
    """Stamped days that are sessions, ascending."""
    path = shared_data / "chains" / "spx_cboe_snapshots_2026.parquet"
    stamped = pd.read_parquet(path, columns=["quote_date"])["quote_date"].dt.date.unique()
    return sorted(day for day in stamped if day in schedule().index)


def spx_2026(shared_data: Path, session: date) -> pd.DataFrame:
    """One session of the SPX snapshots of 2026, in file order."""
    raw = pd.read_parquet(
        shared_data / "chains" / "spx_cboe_snapshots_2026.parquet",
        filters=[("quote_date", "==", pd.Timestamp(session))],
    )
    frame = pd.DataFrame(
        {
            "underlying": raw["underlying"],
            "session": session,
            "quote_ts": session_close(session),
            "root": None,
            "expiry": raw["expiry"].dt.date,
            "strike": raw["strike"],
            "right": raw["cp"],
            "open_interest": raw["oi"].astype("float64"),
            "bid": raw["bid"],
            "ask": raw["ask"],
            "iv": usable_volatility(raw["iv"]),
            "iv_quoted": raw["iv"],
            "gamma": raw["gamma"],
            "spot": raw["spot"],
            "multiplier": 100.0,
            "known_at": raw["ts_utc"].dt.tz_localize("UTC"),
        }
    )
    frame["settlement"] = third_friday_settlement(frame)
    return with_moments(frame)[COLUMNS]


def cboe_quote_table(shared_data: Path, underlying: str) -> pd.DataFrame:
    """The Cboe quote table of 2022-12-12: SPX, NDX or RUT, calls and puts as rows of their own."""
    path = shared_data / "raw" / f"cboe_quote_table_{underlying.lower()}_20221212.csv"
    header = path.read_text(encoding="utf-8")[:400]
    spot = float(re.findall(r"Last: ([0-9.]+)", header)[0])
    stamp = re.findall(r"Date: (.+?) EST", header)[0]
    known_at = pd.Timestamp(stamp.replace(" at ", " "), tz="America/New_York").tz_convert("UTC")
    table = pd.read_csv(path, skiprows=3)
    expiry = pd.to_datetime(table["Expiration Date"], format="%a %b %d %Y").dt.date
    session = date(2022, 12, 12)
    sides = []
    for right, symbol, suffix in (("C", "Calls", ""), ("P", "Puts", ".1")):
        root = table[symbol].str.extract(r"^([A-Z]+)", expand=False)
        sides.append(
            pd.DataFrame(
                {
                    "underlying": underlying,
                    "session": session,
                    "quote_ts": session_close(session),
                    "root": root,
                    "expiry": expiry,
                    "settlement": np.where(root.isin(AM_ROOTS), "AM", "PM"),
                    "strike": table["Strike"].astype("float64"),
                    "right": right,
                    "open_interest": table["Open Interest" + suffix].astype("float64"),
                    "bid": table["Bid" + suffix].astype("float64"),
                    "ask": table["Ask" + suffix].astype("float64"),
                    "iv": usable_volatility(table["IV" + suffix].astype("float64")),
                    "iv_quoted": table["IV" + suffix].astype("float64"),
                    "gamma": table["Gamma" + suffix].astype("float64"),
                    "spot": spot,
                    "multiplier": 100.0,
                    "known_at": known_at,
                }
            )
        )
    return with_moments(pd.concat(sides, ignore_index=True))[COLUMNS]
