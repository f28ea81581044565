"""A market of GJR-GARCH returns with what people compute from it, for tests of look-ahead."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from gexlab.backtest.run.config import Config
from gexlab.backtest.run.load_config import parse_config
from gexlab.backtest.run.load_market import load_market
from gexlab.backtest.run.market import Market
from gexlab.data.calendar.trading import trading_calendar

Floats = npt.NDArray[np.float64]
STEPS = 26


@dataclass(frozen=True, eq=False)
class Gjr:
    """Log returns, prices and volumes by session, and honest series made of them.

    Attributes
    ----------
    days : ndarray of datetime64[D]
    ret, sigma : ndarray
        Log return, and the volatility that was expected the previous session.
    bars : DataFrame
    minutes : DataFrame
        Fifteen-minute bars: ``timestamp`` (UTC, start), ``open, high, low, close``.
    gex, vix : ndarray
        A book that follows the price, and implied volatility; known at the close.
    """

    days: npt.NDArray[np.datetime64]
    ret: Floats
    sigma: Floats
    bars: pd.DataFrame
    minutes: pd.DataFrame
    gex: Floats
    vix: Floats


def gjr(sessions: int = 800, seed: int = 1, start: str = "2015-01-02") -> Gjr:
    """Return a market: variance .02, .83 and .14 for losses, t shocks with six degrees."""
    rng = np.random.default_rng(seed)
    calendar = trading_calendar("XNYS")
    first = calendar.position(pd.Timestamp(start).date())
    days = calendar.sessions[first : first + sessions]
    sigma, ret = np.empty(sessions), np.empty(sessions)
    variance = 1e-4
    paths = np.empty((sessions, STEPS + 1))
    for t in range(sessions):
        sigma[t] = np.sqrt(variance)
        shocks = rng.standard_t(6, STEPS + 1) / np.sqrt(1.5) / np.sqrt(STEPS + 6)
        shocks[0] *= np.sqrt(6.0)  # the night's share
        paths[t] = sigma[t] * shocks
        ret[t] = paths[t].sum()
        variance = 3e-6 + (0.02 + 0.2 * (ret[t] < 0.0)) * ret[t] ** 2 + 0.83 * variance
    close = np.log(100.0) + ret.cumsum()
    inside = (close - ret)[:, None] + paths.cumsum(axis=1)
    names = ["open", "high", "low", "close"]
    prices = np.column_stack([inside[:, 0], inside.max(axis=1), inside.min(axis=1), inside[:, -1]])
    bars = pd.DataFrame(np.exp(prices), columns=names)
    bars.insert(0, "session", days.astype("datetime64[ns]"))
    bars["volume"] = 1e6 * np.exp(20.0 * np.abs(ret) + 0.3 * rng.standard_normal(sessions))
    parts = np.stack(
        [
            inside[:, :-1], np.maximum(inside[:, :-1], inside[:, 1:]),
            np.minimum(inside[:, :-1], inside[:, 1:]), inside[:, 1:],
        ],
        axis=2,
    )  # fmt: skip
    stamps = calendar.opens[first : first + sessions, None] + np.arange(STEPS) * np.timedelta64(
        15, "m"
    )
    minutes = pd.DataFrame(np.exp(parts.reshape(-1, 4)), columns=names)
    minutes.insert(0, "timestamp", pd.DatetimeIndex(stamps.ravel(), tz="UTC"))
    memory = pd.Series(ret).ewm(halflife=8).mean().to_numpy() / sigma
    gex = 1e9 * (0.4 + 3.0 * memory + 0.3 * rng.standard_normal(sessions))
    ahead = np.sqrt(252.0 * (3e-6 + 0.13 * ret**2 + 0.85 * sigma**2))
    vix = 100.0 * ahead * np.exp(0.08 * rng.standard_normal(sessions))
    return Gjr(days, ret, sigma, bars, minutes, gex, vix)


def write(market: Gjr, folder: Path, **data: Any) -> Config:
    """Write a market's files and return the configuration of a published series on them."""
    market.bars.to_parquet(folder / "bars.parquet", index=False)
    session = market.bars["session"]
    for name, value in (("gex", market.gex), ("vix", market.vix)):
        frame = pd.DataFrame({"session": session, "value": value})
        frame.to_parquet(folder / f"{name}.parquet", index=False)
    if "intraday" in data:
        market.minutes.to_parquet(folder / "minutes.parquet", index=False)
    strategies = {"strategies": data.pop("strategies")} if "strategies" in data else {}
    execution = {"fill": data.pop("fill")} if "fill" in data else {}
    return parse_config(
        {
            "data": {
                "underlying": "SPY", "instrument": "etf", "bars": "bars.parquet", **data,
            },
            "regime": {
                "source": "series", "series": {"path": "gex.parquet", "known": "close"},
            },
            "series": {"vix": {"path": "vix.parquet", "known": "close"}},
            "execution": execution,
            "inference": {"bootstrap": 100},
            **strategies,
        },
        folder,
    )  # fmt: skip


def loaded(market: Gjr, folder: Path, **data: Any) -> tuple[Config, Market]:
    """Write a market and load it."""
    config = write(market, folder, **data)
    return config, load_market(config)
