"""Small simulated markets with one known effect each, for the tests of hypotheses."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd

from gexlab.backtest.hypotheses.protocol import Dataset
from gexlab.backtest.statistics.intraday import IntradayGrid
from gexlab.data.calendar.trading import trading_calendar

Floats = npt.NDArray[np.float64]
STEPS = 78


def market(
    sessions: int = 600,
    seed: int = 1,
    *,
    start: str = "2020-09-01",
    damping: float = 0.0,
    lag: float = 0.0,
    close: float = 0.0,
    give_back: float = 0.0,
    letf: float = 0.0,
) -> Dataset:
    """Return a market whose gamma follows an AR(1) that prices do not move.

    Parameters
    ----------
    damping : float
        Session volatility is multiplied by exp(-damping z) of the gamma before it.
    lag : float
        Each bar carries -lag z times the one before.
    close : float
        The last half hour carries -close z times the rest of the day.
    give_back : float
        Share of the last half hour that the next open takes back.
    letf : float
        The last half hour carries letf d times the rest of the day; d is the funds' demand.
    """
    rng = np.random.default_rng(seed)
    calendar = trading_calendar()
    first = int(np.searchsorted(calendar.sessions, np.datetime64(start, "D")))
    days = calendar.sessions[first : first + sessions]
    z = _ar1(rng, sessions)
    demand = np.abs(_ar1(rng, sessions))
    before = np.concatenate([[0.0], z[:-1]])
    funds = np.concatenate([[0.0], demand[:-1]])
    sigma = 0.01 * np.exp(-damping * before)
    gap = 0.2 * sigma * rng.standard_normal(sessions)
    step = sigma[:, None] / np.sqrt(STEPS) * rng.standard_normal((sessions, STEPS))
    for j in range(1, STEPS):
        step[:, j] -= lag * before * step[:, j - 1]
    rest = gap + step[:, : STEPS - 6].sum(axis=1)
    push = (letf * funds - close * before) * rest
    step[:, STEPS - 6 :] += push[:, None] / 6
    last = step[:, STEPS - 6 :].sum(axis=1)
    gap[1:] -= give_back * last[:-1]
    path = np.concatenate([np.zeros((sessions, 1)), step.cumsum(axis=1)], axis=1)
    total = gap + path[:, -1]
    opened = np.log(4000.0) + np.concatenate([[0.0], total[:-1].cumsum()]) + gap
    log_prices = opened[:, None] + path
    index = pd.DatetimeIndex(days.astype("datetime64[ns]"), name="session")
    bars = pd.DataFrame(
        {
            "open": np.exp(log_prices[:, 0]),
            "high": np.exp(log_prices.max(axis=1)),
            "low": np.exp(log_prices.min(axis=1)),
            "close": np.exp(log_prices[:, -1]),
        },
        index=index,
    )
    return Dataset(
        bars=bars,
        gex=pd.Series(z, index=index),
        vix=pd.Series(16.0 * np.exp(0.1 * rng.standard_normal(sessions)), index=index),
        intraday=IntradayGrid(days, 5, log_prices),
        letf=pd.Series(demand, index=index),
        simulated=True,
    )


def _ar1(rng: np.random.Generator, n: int, memory: float = 0.8) -> Floats:
    out = np.empty(n)
    out[0] = rng.standard_normal()
    shocks = np.sqrt(1 - memory**2) * rng.standard_normal(n)
    for t in range(1, n):
        out[t] = memory * out[t - 1] + shocks[t]
    return out
