"""Markets of real samples, cut to a few sessions: raw files, lake and bars in a folder."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import exchange_calendars
import numpy as np
import pandas as pd
from real_chains import Chains, deribit, historical, nse, spx, taifex, universe

from gexlab.data.ingest.ingest import ingest


@dataclass(frozen=True)
class Real:
    """A real sample: which rows, how they are read, and what they are tested with.

    Attributes
    ----------
    file : str
        Below the folder of shared data.
    calendar : str
    cut : callable
        From that folder to the rows of the sessions taken.
    vendor : str
    underlying : str
    given : dict
        Tables of the configuration.
    mapping : str, optional
        Column map, below the folder of shared data, or one of gexlab's own (``name:NAME``).
    bars : tuple of str, optional
        File of daily bars, and the ``root`` to take; else bars are made of the chains' spots.
    """

    file: str
    calendar: str
    cut: Callable[[Path], Chains]
    vendor: str
    underlying: str
    given: dict[str, dict[str, Any]]
    mapping: str | None = None
    bars: tuple[str, str | None] | None = None
    extra: dict[str, Any] = field(default_factory=dict)


REAL: dict[str, Real] = {
    "NIFTY": Real(
        "raw/nse_bhavcopy_nifty.parquet", "XBOM", nse, "nse_bhavcopy", "NIFTY",
        {"data": {"instrument": "index"}, "execution": {"fees_bps": 1.0}},
    ),
    "BTC": Real(
        "raw/deribit_btc_2026.parquet", "24/7", deribit, "deribit", "BTC",
        {"data": {"instrument": "future"}, "inference": {"level": 0.9},
         "regime": {"book": "as_of_close"}, "execution": {"slippage_bps": 2.0}},
    ),
    "TAIEX": Real(
        "raw/taifex_txo_2014.csv", "XTAI", taifex, "columns", "TXO",
        {"data": {"instrument": "index", "start": 8}, "execution": {"fees_bps": 2.0}},
        mapping="name:taifex_txo",
    ),
    "SPX": Real(
        "chains/spx_cboe_snapshots_2026.parquet", "XNYS", spx, "columns", "SPX",
        {"data": {"instrument": "index"}, "regime": {"definition": {"rate": 0.043,
                                                                    "dividend_yield": 0.012}}},
        mapping="chains/spx_cboe_snapshots_2026.map.toml",
        bars=("bars/spx_daily_2016_2026.parquet", None),
    ),
    "SPY": Real(
        "raw/historicaloptiondata_spy_2021.parquet", "XNYS", historical, "historicaloptiondata",
        "SPY", {"data": {"instrument": "etf"}, "execution": {"fixed_per_share": 0.005}},
        bars=("bars/spx_spy_qqq_vix_daily_1995_2026.parquet", "SPY"),
    ),
    "AMD": Real(
        "chains/us_universe_2026.parquet", "XNYS", universe("AMD"), "columns", "AMD",
        {"data": {"instrument": "share", "end": 24},
         "regime": {"dealer_model": "inverted", "band": 0.1}},
        mapping="chains/us_universe_2026.map.toml",
    ),
}  # fmt: skip


_BAR_COLUMNS = {
    "Date": "session", "Open": "open", "High": "high", "Low": "low", "Close": "close",
    "date": "session", "o": "open", "h": "high", "l": "low", "c": "close",
}  # fmt: skip


def write_real(real: Real, shared: Path, folder: Path) -> pd.DataFrame:
    """Write the raw rows, the lake and the bars of a real sample; return the bars."""
    chains = real.cut(shared)
    raw = folder / f"raw{Path(real.file).suffix}"
    if raw.suffix == ".csv":
        chains.rows.to_csv(raw, index=False)
    else:
        chains.rows.to_parquet(raw, index=False)
    mapping: str | Path | None = None
    if real.mapping is not None:
        place, _, name = real.mapping.rpartition(":")
        mapping = name if place else shared / name
    ingest(
        [str(raw)], vendor=real.vendor, underlying=real.underlying, lake=folder / "lake",
        mapping=mapping, allow_rejects=True,
    )  # fmt: skip
    spots = chains.spots if chains.spots is not None else _spots(folder, real.underlying)
    sessions = exchange_calendars.get_calendar(real.calendar).sessions
    spots = spots[spots.index.isin(sessions)]
    bars = _made_bars(spots) if real.bars is None else _bars(shared, real.bars, spots.index)
    bars.to_parquet(folder / "bars.parquet", index=False)
    return bars


def _spots(folder: Path, underlying: str) -> pd.Series[float]:
    """Return the spot of each session as the lake holds it, where raw rows have none."""
    files = (folder / "lake" / "chains" / f"underlying={underlying}").rglob("*.parquet")
    rows = pd.concat(pd.read_parquet(f, columns=["session", "spot"]) for f in files)
    return rows.groupby(pd.to_datetime(rows["session"]))["spot"].median()


def _made_bars(spots: pd.Series[float]) -> pd.DataFrame:
    close = spots.to_numpy()
    opened = np.append(close[0] * 0.999, close[:-1] * 1.0005)
    return pd.DataFrame(
        {
            "session": pd.DatetimeIndex(spots.index).astype("datetime64[ns]"), "open": opened,
            "high": np.maximum(opened, close) * 1.002, "low": np.minimum(opened, close) * 0.998,
            "close": close, "volume": 1e6,
        }
    )  # fmt: skip


def _bars(shared: Path, place: tuple[str, str | None], sessions: pd.Index) -> pd.DataFrame:
    frame = pd.read_parquet(shared / place[0])
    if place[1] is not None:
        frame = frame[frame["root"] == place[1]]
    frame = frame.rename(columns=_BAR_COLUMNS)[list(dict.fromkeys(_BAR_COLUMNS.values()))]
    day = pd.to_datetime(frame["session"]).astype("datetime64[ns]")
    inside = (day >= sessions.min()) & (day <= sessions.max())
    taken: pd.DataFrame = frame.assign(session=day, volume=1e6)[inside].reset_index(drop=True)
    return taken
