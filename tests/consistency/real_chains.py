"""Rows of real files as they are, cut to a few sessions and expirations."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd


@dataclass(frozen=True)
class Chains:
    """Raw rows, and the spot of each session where they state it."""

    rows: pd.DataFrame
    spots: pd.Series[float] | None = None


def nse(shared: Path) -> Chains:
    """NIFTY, 24 sessions around a change of the lot, strikes within 6 %, four expirations."""
    rows = pd.read_parquet(shared / "raw" / "nse_bhavcopy_nifty.parquet")
    rows = rows[rows["FinInstrmTp"] == "IDO"]
    days = np.sort(rows["TradDt"].unique())[:24]
    rows = rows[rows["TradDt"].isin(days)]
    near = (rows["StrkPric"] / rows["UndrlygPric"] - 1.0).abs() < 0.06
    rank = rows.groupby("TradDt")["XpryDt"].rank(method="dense")
    rows = rows[near & (rank <= 4)]
    spots = rows.groupby("TradDt")["UndrlygPric"].median()
    spots.index = pd.to_datetime(spots.index)
    return Chains(rows, spots)


def deribit(shared: Path) -> Chains:
    """BTC, 26 daily snapshots, strikes within 25 %."""
    rows = pd.read_parquet(shared / "raw" / "deribit_btc_2026.parquet")
    day = pd.to_datetime(rows["snapshot_utc"]).dt.normalize()
    days = np.sort(day.unique())[:26]
    rows, day = rows[day.isin(days)], day[day.isin(days)]
    first = rows.assign(day=day).sort_values("expiry").groupby("day")["underlying_price"].first()
    near = (rows["strike"] / day.map(first) - 1.0).abs() < 0.25
    return Chains(rows[near], first)


def taifex(shared: Path) -> Chains:
    """TAIEX, 30 sessions of 2014, whole."""
    rows = pd.read_csv(shared / "raw" / "taifex_txo_2014.csv")
    days = pd.to_datetime(rows["date"])
    return Chains(rows[days.isin(np.sort(days.unique())[:30])])


def spx(shared: Path) -> Chains:
    """SPX, June to July 2026, strikes within 4 %, expirations within 40 days."""
    rows = pd.read_parquet(shared / "chains" / "spx_cboe_snapshots_2026.parquet")
    near = (rows["strike"] / rows["spot"] - 1.0).abs() < 0.04
    soon = (rows["expiry"] - rows["quote_date"]).dt.days <= 40
    days = np.sort(rows["quote_date"].unique())[6:34]
    rows = rows[near & soon & rows["quote_date"].isin(days)]
    return Chains(rows, rows.groupby("quote_date")["spot"].median())


def historical(shared: Path) -> Chains:
    """SPY, the first 45 sessions of 2021, whole."""
    rows = pd.read_parquet(shared / "raw" / "historicaloptiondata_spy_2021.parquet")
    day = pd.to_datetime(rows["quotedate"])
    rows = rows[day.isin(np.sort(day.unique())[:45])]
    spots = rows.groupby(pd.to_datetime(rows["quotedate"]))["underlying_last"].median()
    return Chains(rows, spots)


def universe(name: str) -> Callable[[Path], Chains]:
    """A share of the universe of 2026: 30 sessions, strikes within 6 %, 40 days ahead."""

    def cut(shared: Path) -> Chains:
        rows = pd.read_parquet(
            shared / "chains" / "us_universe_2026.parquet", filters=[("underlying", "==", name)]
        )
        day, expiry = pd.to_datetime(rows["quote_date"]), pd.to_datetime(rows["expiry"])
        days = np.sort(day.unique())[:30]
        near = (rows["strike"] / rows["spot"] - 1.0).abs() < 0.06
        rows = rows[near & ((expiry - day).dt.days <= 40) & day.isin(days)]
        spots = rows.groupby("quote_date")["spot"].median()
        spots.index = pd.to_datetime(spots.index)
        return Chains(rows, spots)

    return cut
