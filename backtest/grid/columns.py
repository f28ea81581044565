"""Trials of one market and one fill: decided, ordered and simulated as columns of a matrix."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from ...strategies import any_late, decide, late_inputs, target_series
from ..execution.costs import FREE
from ..execution.engine import accounts, simulated_orders
from ..execution.measures import Clock, Track, metrics_of_each
from ..execution.terms import Terms
from ..execution.timing import (
    earns_own_session,
    make_schedule,
    plan_orders,
    require_in_time,
    require_known,
    session_rows,
    without_dust,
    without_idle,
)
from ..run.panel import on_schedule
from ..run.trading_terms import bars_to_fill
from ..statistics.sharpe_intervals import return_intervals
from .accounts import Accounts, accounts_of, marks_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ...strategies import Evaluation, Panel, Strategy
    from ..execution.costs import Costs
    from ..execution.timing import Schedule
    from ..run.execution_section import Fill
    from ..run.market import Market
    from ..run.strategy_results import Metrics
    from ..statistics.resampling import Resampling

__all__ = [
    "Books",
    "Ground",
    "Planned",
    "books_of",
    "ground_of",
    "held_under",
    "measured",
    "planned",
    "tracks_of",
]

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
        bars_to_fill(market, fill)[0],
        make_schedule(market.calendar, market.sessions, fill),
        on_schedule(panel, every),
        Clock(spans, market.facts.sessions_per_year, earns_own_session(fill)),
    )


@dataclass(frozen=True, slots=True, eq=False)
class Planned:
    """Orders of many strategies.

    Attributes
    ----------
    target : ndarray, shape (sessions, strategies)
        Share of equity from the fill on; NaN where no order goes out.
    wanted : ndarray, shape (sessions, strategies)
        The same with orders that change nothing where nothing accrues.
    late, undefined : ndarray of int, shape (strategies,)
        Sessions whose regime came too late, and that are flat for want of an input.
    """

    target: Floats
    wanted: Floats
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
    sessions = schedule.sessions
    rows = evaluation.panel.sessions.get_indexer(sessions)
    source = np.flatnonzero(schedule.row >= 0)
    to, due = schedule.row[source], schedule.due[source].astype(np.int64)
    last = due - 1 if schedule.strict else due
    target = np.full((len(strategies), len(rows)), np.nan)
    used, within = _as_slice(rows[source]), _as_slice(rows)
    to = _as_slice(to)
    late = np.zeros(len(strategies), dtype=np.int64)
    undefined = np.zeros(len(strategies), dtype=np.int64)
    for strategy in strategies if any_late(strategies, evaluation, sessions) else ():
        require_in_time(strategy.describe(), late_inputs(strategy, evaluation, sessions), schedule)
    for j, strategy in enumerate(strategies):
        made = target_series(strategy, evaluation)
        known = np.maximum(made.filter_known_at[used], made.rule_known_at[used])
        if (known > last).any():
            _refuse(strategy, ground)
        target[j, to] = made.position[used]
        late[j] = np.count_nonzero(made.late[within])
        undefined[j] = np.count_nonzero(made.undefined[within])
    wanted = without_dust(np.ascontiguousarray(target.T))
    return Planned(without_idle(wanted), wanted, late, undefined)


def _as_slice(rows: Ints) -> Any:
    """Return neighbouring rows as a slice, which copies nothing; others as they are."""
    if rows.size and rows[-1] - rows[0] == rows.size - 1 and bool((np.diff(rows) == 1).all()):
        return slice(int(rows[0]), int(rows[-1]) + 1)
    return rows


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


def books_of(
    orders: Planned, ground: Ground, costs: Costs, cash: float, terms: Terms | None = None
) -> Books:
    """Simulate the columns of a matrix of orders."""
    close = ground.bars["close"].to_numpy(dtype=np.float64)
    held_to = held_under(orders, ground.bars, ground.schedule, costs, cash, terms)
    positions, traded, returns = marks_of(held_to, close, cash)
    return Books(held_to.equity, positions, traded, returns, held_to.trades)


def held_under(
    orders: Planned,
    bars: pd.DataFrame,
    schedule: Schedule,
    costs: Costs,
    cash: float,
    terms: Terms | None = None,
) -> Accounts:
    """Return the accounts of the columns of a matrix of orders, by row of the bars."""
    if terms is None or terms.within_kernel(orders.wanted):
        close = bars["close"].to_numpy(dtype=np.float64)
        records = simulated_orders(orders.target, bars, schedule, costs, cash, terms)
        return accounts_of(records, orders.target.shape[1], close, cash)
    return Accounts(*_under_terms(orders, bars, schedule, costs, cash, terms))


def _under_terms(
    orders: Planned,
    bars: pd.DataFrame,
    schedule: Schedule,
    costs: Costs,
    cash: float,
    terms: Terms,
) -> tuple[Floats, Floats, Floats, Ints]:
    """Return equity, shares, notional and trades under terms that the kernel does not know."""
    kept = accounts(orders.wanted, bars, schedule, costs, cash, terms)
    notional = np.zeros((len(kept), len(bars)))
    trades = np.zeros(len(kept), dtype=np.int64)
    for i, account in enumerate(kept):
        # a buyer pays more and a seller gets less than the bar's price
        spread = costs.slippage + terms.half_spread[account.row] / account.bar_price
        paid = account.bar_price * (1.0 + np.sign(account.size) * spread)
        np.add.at(notional[i], account.row, np.abs(account.size) * paid)
        before = account.shares_before
        after = np.append(before[1:], account.shares[-1:])[: before.size]
        trades[i] = int(((after != 0.0) & (np.sign(after) != np.sign(before))).sum())
    equity, shares = (np.array([getattr(a, name) for a in kept]) for name in ("equity", "shares"))
    return equity, shares, notional, trades


def measured(
    orders: Planned,
    ground: Ground,
    costs: Sequence[tuple[Costs, Terms]],
    cash: float,
    how: Resampling,
) -> list[tuple[list[Metrics], Floats]]:
    """Return metrics and net returns of each column under each of several costs and terms.

    Parameters
    ----------
    orders : Planned
    ground : Ground
    costs : sequence of (Costs, Terms)
    cash : float
    how : Resampling
        Of the intervals.
    """
    clock, found = ground.clock, []
    gross: dict[int, Books] = {}
    for cost, terms in costs:
        kind = 0 if terms.plain else id(terms)
        if kind not in gross:
            gross[kind] = books_of(orders, ground, FREE, cash, terms.without_spread())
        free = gross[kind]
        same = cost.free and not terms.half_spread.any()
        net = free if same else books_of(orders, ground, cost, cash, terms)
        intervals = return_intervals(net.returns.T, how, year=clock.year, spans=clock.spans)
        found.append((metrics_of_each(tracks_of(net, free), intervals, clock), net.returns))
    return found


def tracks_of(net: Books, free: Books) -> Track:
    """Return portfolios as their metrics see them, from those with and without costs."""
    return Track(
        equity=net.equity,
        returns=net.returns,
        positions=net.positions,
        traded=net.traded,
        gross_returns=free.returns,
        gross_traded=free.traded,
        trades=net.trades,
    )
