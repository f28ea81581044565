"""Trials that decide within the session: columns of a matrix with a row for each intraday bar."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from ...strategies import bar_target_series
from ..execution.bar_results import track_by_session
from ..execution.costs import FREE
from ..execution.intraday import by_session, plan_bars, sessions_with, terms_by_row
from ..execution.measures import Clock, metrics_of
from ..execution.timing import require_known, session_rows, without_dust
from ..statistics import metrics
from ..statistics.sharpe_intervals import return_intervals
from .columns import Planned, held_under

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ...strategies import Strategy
    from ..execution.costs import Costs
    from ..execution.intraday import BySession
    from ..execution.terms import Terms
    from ..run.bar_panel import BarGround
    from ..run.market import Market
    from ..run.strategy_results import Metrics
    from ..statistics.resampling import Resampling
    from .accounts import Accounts

__all__ = ["bars_id", "measured_within", "planned_within"]

Floats = npt.NDArray[np.float64]


def bars_id(ground: BarGround) -> str:
    """Return a digest of all intraday bars, moments and columns behind trials within sessions."""
    panel = ground.rows.bars.panel
    digest = hashlib.sha256(f"{panel.content_id}:{ground.rows.daily.panel.content_id}".encode())
    digest.update(np.ascontiguousarray(ground.bars.to_numpy(dtype=np.float64)).tobytes())
    schedule = ground.schedule
    for moments in (schedule.sessions.asi8, schedule.due, schedule.row, ground.rows.day):
        digest.update(np.ascontiguousarray(moments).tobytes())
    digest.update(ground.rows.bars.deadline.tobytes())
    return digest.hexdigest()


def planned_within(strategies: Sequence[Strategy], ground: BarGround) -> Planned:
    """Decide at every bar, as `intraday.trade_bars` does for a backtest.

    Raises
    ------
    LookAheadError
        If an order would use what was not yet known.
    """
    shape = ground.closing.size, len(strategies)
    target, wanted = np.empty(shape), np.empty(shape)
    late, undefined = (np.zeros(len(strategies), dtype=np.int64) for _ in range(2))
    for j, strategy in enumerate(strategies):
        made = bar_target_series(strategy, ground.rows)
        plan = plan_bars(strategy.describe(), made, ground)
        require_known(plan, ground.schedule)
        target[:, j], wanted[:, j] = without_dust(plan.target), plan.wanted
        late[j] = sessions_with(made.late, ground)
        undefined[j] = sessions_with(made.undefined, ground)
    return Planned(target, wanted, late, undefined)


def measured_within(
    orders: Planned,
    ground: BarGround,
    market: Market,
    costs: Sequence[tuple[Costs, Terms]],
    cash: float,
    how: Resampling,
) -> list[tuple[list[Metrics], Floats]]:
    """Return metrics and net returns by session of each column under several costs and terms.

    Parameters
    ----------
    orders : Planned
        By row of the ground.
    ground : BarGround
    market : Market
    costs : sequence of (Costs, Terms)
        Terms by tested session of the market.
    cash : float
    how : Resampling
        Of the intervals.
    """
    spans = np.diff(session_rows(market.calendar, ground.sessions))
    clock = Clock(spans, market.facts.sessions_per_year, at_open=True)
    found = []
    for cost, stated in costs:
        terms = terms_by_row(stated, market, ground)
        bare = terms.without_spread()
        net = held_under(orders, ground.bars, ground.schedule, cost, cash, terms)
        same = cost.free and not terms.half_spread.any()
        free = net if same else held_under(
            orders, ground.bars, ground.schedule, FREE, cash, bare
        )  # fmt: skip
        by_net, by_free = _sessions(net, ground), _sessions(free, ground)
        returns = np.array([metrics.equity_returns(one.equity, cash) for one in by_net])
        ends = return_intervals(returns.T, how, year=clock.year, spans=spans)
        tracks = [
            track_by_session(mine, other, returns[i], cash, int(net.trades[i]))
            for i, (mine, other) in enumerate(zip(by_net, by_free, strict=True))
        ]
        found.append(
            ([metrics_of(t, e, clock) for t, e in zip(tracks, ends, strict=True)], returns)
        )
    return found


def _sessions(accounts: Accounts, ground: BarGround) -> list[BySession]:
    rows = zip(accounts.equity, accounts.shares, accounts.notional, strict=True)
    return [by_session(equity, shares, notional, ground) for equity, shares, notional in rows]
