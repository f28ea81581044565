"""What one portfolio came to, from plain arrays: for a backtest and for a grid alike."""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from ..run.strategy_results import Metrics
from ..statistics import metrics
from .costs import break_even_bps

if TYPE_CHECKING:
    from ..statistics.sharpe_intervals import ReturnIntervals

__all__ = ["Clock", "Track", "metrics_of", "share_traded"]

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Clock:
    """How sessions are counted.

    Attributes
    ----------
    spans : ndarray of int, shape (n - 1,)
        Sessions of the calendar from each bar to the next.
    year : int
        Sessions a year.
    at_open : bool
        Whether orders fill at opens: a session's return is then earned by the position after its
        fill, else by the position before.
    """

    spans: npt.NDArray[np.int64]
    year: int
    at_open: bool


@dataclass(frozen=True, slots=True, eq=False)
class Track:
    """One portfolio, session by session.

    Attributes
    ----------
    equity : ndarray, shape (n,)
        At each close, net of costs.
    returns : ndarray, shape (n - 1,)
        Net.
    positions : ndarray, shape (n,)
        Share of equity after each session's fill.
    traded : ndarray, shape (n,)
        Notional over the equity at the close before.
    gross_returns, gross_traded : ndarray
        Of the portfolio without costs.
    trades : int
        Round trips, open ones included.
    """

    equity: Floats
    returns: Floats
    positions: Floats
    traded: Floats
    gross_returns: Floats
    gross_traded: Floats
    trades: int


def metrics_of(track: Track, ends: ReturnIntervals, clock: Clock) -> Metrics:
    """Return the metrics of a portfolio.

    Parameters
    ----------
    track : Track
    ends : ReturnIntervals
    clock : Clock
    """
    year, single, elapsed = clock.year, clock.spans == 1, int(clock.spans.sum())
    whole = bool(single.all())
    returns, one = track.returns, track.returns if whole else track.returns[single]
    held = track.positions[1:] if clock.at_open else track.positions[:-1]
    # each moment once: this is called for every trial of a grid
    deviation = float(np.std(one, ddof=1)) if len(one) > 1 else float("nan")
    total = metrics.total_return(returns)
    return Metrics(
        sharpe=float(metrics.sharpe_of_moments(metrics.mean(one), deviation, year)),
        sharpe_low=ends.sharpe[0],
        sharpe_high=ends.sharpe[1],
        sharpe_error=ends.sharpe_error,
        cagr=metrics.growth_a_year(total, year, elapsed) if len(returns) else total,
        cagr_low=ends.cagr[0],
        cagr_high=ends.cagr[1],
        volatility=deviation * sqrt(year),
        max_drawdown=metrics.max_drawdown(track.equity),
        turnover=metrics.turnover(track.traded, year, elapsed + 1),
        trades=track.trades,
        exposure=metrics.exposure(track.positions),
        break_even_bps=break_even_bps(track.gross_returns, track.gross_traded),
        hit_rate=metrics.hit_rate(one, held if whole else held[single]),
        total_return=total,
        n=int(single.sum()),
    )


def share_traded(notional: Floats, equity: Floats, cash: float) -> Floats:
    """Return the notional traded in each session over the equity at the close before.

    Parameters
    ----------
    notional, equity : ndarray, shape (..., n)
    cash : float
        Capital before the first session.
    """
    before = np.empty_like(equity)
    before[..., 1:] = equity[..., :-1]
    before[..., :1] = cash
    shares: Floats = np.divide(notional, before, out=np.zeros(before.shape), where=before > 0.0)
    return shares
