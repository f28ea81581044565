"""What one portfolio came to, from plain arrays: for a backtest and for a grid alike."""

from __future__ import annotations

from dataclasses import dataclass, fields
from math import sqrt
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt

from ..run.strategy_results import Metrics
from ..statistics import metrics
from .costs import break_even_of_each

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..statistics.sharpe_intervals import ReturnIntervals

__all__ = ["Clock", "Track", "metrics_of", "metrics_of_each", "share_traded"]

Floats = npt.NDArray[np.float64]
#: Portfolios at once: what is made of them stays in the processor's cache.
_ROWS: Final = 40


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
    """One portfolio, session by session; or many, with one row each in front of every shape.

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
    trades : int, or ndarray of int
        Round trips, open ones included.
    """

    equity: Floats
    returns: Floats
    positions: Floats
    traded: Floats
    gross_returns: Floats
    gross_traded: Floats
    trades: Any


def metrics_of(track: Track, ends: ReturnIntervals, clock: Clock) -> Metrics:
    """Return the metrics of a portfolio.

    Parameters
    ----------
    track : Track
    ends : ReturnIntervals
    clock : Clock
    """
    arrays = {f.name: np.asarray(getattr(track, f.name))[None] for f in fields(track)}
    return metrics_of_each(Track(**arrays), [ends], clock)[0]


def metrics_of_each(tracks: Track, ends: Sequence[ReturnIntervals], clock: Clock) -> list[Metrics]:
    """Return the metrics of many portfolios, each as `metrics_of` gives them.

    Parameters
    ----------
    tracks : Track
        Arrays have one row a portfolio more in front; ``trades`` is an array.
    ends : sequence of ReturnIntervals
        One a portfolio.
    clock : Clock
    """
    found: list[Metrics] = []
    for first in range(0, len(ends), _ROWS):
        rows = slice(first, first + _ROWS)
        part = Track(**{f.name: getattr(tracks, f.name)[rows] for f in fields(tracks)})
        found += _metrics(part, ends[rows], clock)
    return found


def _metrics(tracks: Track, ends: Sequence[ReturnIntervals], clock: Clock) -> list[Metrics]:
    year, single, elapsed = clock.year, clock.spans == 1, int(clock.spans.sum())
    held = tracks.positions[:, 1:] if clock.at_open else tracks.positions[:, :-1]
    one = tracks.returns
    if not single.all():
        # in rows, whose sums are those of one row: chosen columns come in another order of memory
        one, held = (np.ascontiguousarray(each[:, single]) for each in (one, held))
    count, sessions, n = one.shape[1], tracks.returns.shape[1], int(single.sum())
    missing = np.full(len(one), np.nan)
    # each moment once: this is called for every trial of a grid
    deviation = np.std(one, axis=1, ddof=1) if count > 1 else missing
    average = np.mean(one, axis=1) if count else missing
    columns = {
        "sharpe": metrics.sharpe_of_moments(average, deviation, year),
        "total_return": metrics.total_returns(tracks.returns),
        "max_drawdown": metrics.max_drawdowns(tracks.equity),
        "exposure": metrics.exposures(tracks.positions),
        "hit_rate": metrics.hit_rates(one, held),
        "volatility": deviation * sqrt(year),
        "turnover": metrics.turnovers(tracks.traded, year, elapsed + 1),
        "break_even_bps": break_even_of_each(tracks.gross_returns, tracks.gross_traded),
        "trades": tracks.trades,
    }
    rows = zip(*(np.asarray(values).tolist() for values in columns.values()), strict=True)
    found = []
    for values, interval in zip(rows, ends, strict=True):
        figures = dict(zip(columns, values, strict=True))
        total = figures["total_return"]
        found.append(
            Metrics(
                sharpe_low=interval.sharpe[0],
                sharpe_high=interval.sharpe[1],
                sharpe_error=interval.sharpe_error,
                cagr=metrics.growth_a_year(total, year, elapsed) if sessions else total,
                cagr_low=interval.cagr[0],
                cagr_high=interval.cagr[1],
                n=n,
                **figures,
            )
        )
    return found


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
