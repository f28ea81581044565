"""Trials of one market and one fill: decided, ordered and simulated as columns of a matrix."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pandas as pd

from ...strategies import decide, target_series
from ..execution.costs import FREE
from ..execution.engine import simulated_orders
from ..execution.measures import Clock, Track, metrics_of, share_traded
from ..execution.timing import (
    make_schedule,
    plan_orders,
    require_known,
    session_rows,
    without_dust,
    without_idle,
)
from ..run.panel import on_schedule
from ..statistics import metrics
from ..statistics.inference import return_intervals
from .accounts import accounts_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ...strategies import Evaluation, Panel, Strategy
    from ..execution.costs import Costs
    from ..execution.timing import Schedule
    from ..run.config_sections import Fill
    from ..run.market import Market
    from ..run.strategy_results import Metrics
    from ..statistics.resampling import Resampling

__all__ = ["Books", "Ground", "Planned", "books_of", "ground_of", "measured", "planned"]

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Ground:
    """What all trials on one market with one fill share.

    Attributes
    ----------
    bars : DataFrame
        Of the sessions tested.
    schedule : Schedule
        Of the sessions tested.
    evaluation : Evaluation
        Of the whole panel: filters and rules start warmed up.
    clock : Clock
    """

    bars: pd.DataFrame
    schedule: Schedule
    evaluation: Evaluation
    clock: Clock


def ground_of(market: Market, panel: Panel, fill: Fill) -> Ground:
    """Return what trials with one fill share on a market."""
    every = make_schedule(market.calendar, pd.DatetimeIndex(market.bars.index), fill)
    spans = np.diff(session_rows(market.calendar, market.sessions))
    return Ground(
        market.bars[market.tested],
        make_schedule(market.calendar, market.sessions, fill),
        on_schedule(panel, every),
        Clock(spans, market.facts.sessions_per_year, fill == "next_open"),
    )


@dataclass(frozen=True, slots=True, eq=False)
class Planned:
    """Orders of many strategies.

    Attributes
    ----------
    target : ndarray, shape (sessions, strategies)
        Share of equity from the fill on; NaN where no order goes out.
    late, undefined : ndarray of int, shape (strategies,)
        Sessions whose regime came too late, and that are flat for want of an input.
    """

    target: Floats
    late: Ints
    undefined: Ints


def planned(strategies: Sequence[Strategy], ground: Ground) -> Planned:
    """Decide and order, as `timing.plan_orders` does for one strategy.

    Raises
    ------
    LookAheadError
        If an order would use what was not yet known.
    """
    schedule, evaluation = ground.schedule, ground.evaluation
    rows = evaluation.panel.sessions.get_indexer(schedule.sessions)
    source = np.flatnonzero(schedule.row >= 0)
    to, due = schedule.row[source], schedule.due[source].astype(np.int64)
    last = due - 1 if schedule.strict else due
    target = np.full((len(rows), len(strategies)), np.nan)
    late = np.zeros(len(strategies), dtype=np.int64)
    undefined = np.zeros(len(strategies), dtype=np.int64)
    for j, strategy in enumerate(strategies):
        made = target_series(strategy, evaluation)
        used = rows[source]
        known = np.maximum(made.filter_known_at[used], made.rule_known_at[used])
        if (known > last).any():
            _refuse(strategy, ground)
        target[to, j] = made.position[used]
        late[j], undefined[j] = made.late[rows].sum(), made.undefined[rows].sum()
    return Planned(without_idle(without_dust(target)), late, undefined)


def _refuse(strategy: Strategy, ground: Ground) -> None:
    """Say which order of a strategy knew too much."""
    sessions = ground.schedule.sessions
    decisions = decide(strategy, ground.evaluation, sessions)
    require_known(plan_orders(strategy.describe(), decisions, ground.schedule), ground.schedule)


@dataclass(frozen=True, slots=True, eq=False)
class Books:
    """Simulated portfolios, one a row.

    Attributes
    ----------
    equity, positions, traded : ndarray, shape (portfolios, sessions)
    returns : ndarray, shape (portfolios, sessions - 1)
    trades : ndarray of int, shape (portfolios,)
    """

    equity: Floats
    positions: Floats
    traded: Floats
    returns: Floats
    trades: Ints


def books_of(target: Floats, ground: Ground, costs: Costs, cash: float) -> Books:
    """Simulate the columns of a matrix of orders."""
    close = ground.bars["close"].to_numpy(dtype=np.float64)
    records = simulated_orders(target, ground.bars, ground.schedule, costs, cash)
    accounts = accounts_of(records, target.shape[1], close, cash)
    equity = accounts.equity
    live = np.logical_and.accumulate(equity > 0.0, axis=1)
    positions = np.full(equity.shape, np.nan)
    np.divide(accounts.shares * close, equity, out=positions, where=live)
    return Books(
        equity,
        positions,
        share_traded(accounts.notional, equity, cash),
        metrics.equity_returns(equity, cash),
        accounts.trades,
    )


def measured(
    target: Floats,
    ground: Ground,
    costs: Sequence[Costs],
    cash: float,
    how: Resampling,
) -> list[list[Metrics]]:
    """Return the metrics of each column under each of several costs.

    Parameters
    ----------
    target : ndarray, shape (sessions, strategies)
    ground : Ground
    costs : sequence of Costs
    cash : float
    how : Resampling
        Of the intervals.
    """
    free = books_of(target, ground, FREE, cash)
    clock, found = ground.clock, []
    for cost in costs:
        net = free if cost.free else books_of(target, ground, cost, cash)
        intervals = return_intervals(net.returns.T, how, year=clock.year, spans=clock.spans)
        found.append([metrics_of(_track(net, free, i), e, clock) for i, e in enumerate(intervals)])
    return found


def _track(net: Books, free: Books, i: int) -> Track:
    return Track(
        equity=net.equity[i],
        returns=net.returns[i],
        positions=net.positions[i],
        traded=net.traded[i],
        gross_returns=free.returns[i],
        gross_traded=free.traded[i],
        trades=int(net.trades[i]),
    )
