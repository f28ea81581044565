"""From targets to results: simulate all strategies together and measure each."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pandas as pd

from ...data import REGIMES, ConfigError
from ...strategies import Decisions, decide, late_inputs
from ..run.panel import evaluation_of
from ..run.strategy_results import Metrics, RegimePerformance, StrategyResult
from ..run.trading_terms import bars_to_fill
from ..statistics import metrics
from ..statistics.sharpe_intervals import ReturnIntervals, return_intervals
from .bar_results import evaluate_bars
from .costs import FREE, Costs
from .engine import Simulation, simulate
from .ledger_rows import ledger_of
from .measures import Clock, Track, metrics_of, share_traded
from .specs import role_of, spec_of
from .terms import Terms, plain_terms
from .timing import (
    OrderPlan,
    Schedule,
    earns_own_session,
    knows_enough,
    make_schedule,
    plan_orders,
    require_in_time,
    session_rows,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ...strategies import Evaluation, Strategy
    from ..run.execution_section import Fill
    from ..run.market import Market
    from ..statistics.resampling import Resampling
    from .intraday import BarTrading

__all__ = ["Trading", "evaluate", "net_returns", "trade"]

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Trading:
    """What the strategies decided and did over the sessions tested.

    Attributes
    ----------
    strategies : tuple of Strategy
    decisions : tuple of Decisions
        Of the sessions tested.
    plans : tuple of OrderPlan
    schedule : Schedule
    net, gross : Simulation
        With and without costs.
    cash : float
    spans : ndarray of int, shape (n - 1,)
        Sessions of the calendar from each bar to the next: more than 1 where bars are missing.
    sessions_per_year : int
    regime : ndarray of str, shape (sessions tested,)
        Regime of each session, whatever a strategy's own filter calls it; ``abstain`` where a
        session has no row.
    left_out : tuple of str
        Controls that cannot be traded at this fill: they would know too much.
    bars : DataFrame
        Of the sessions tested, with the prices of a stated bar where orders fill there.
    costs, terms : Costs, Terms
    unfilled : int
        Sessions whose close stands in for a stated bar that they lack.
    evaluation : Evaluation or None
        On which they decided.
    within : BarTrading or None
        Strategies that decide within the session; the other fields are of those that do not.
    names : tuple of str
        All strategies in the order in which they were asked for; as they stand where empty.
    """

    strategies: tuple[Strategy, ...]
    decisions: tuple[Decisions, ...]
    plans: tuple[OrderPlan, ...]
    schedule: Schedule
    net: Simulation
    gross: Simulation
    cash: float
    spans: npt.NDArray[np.int64]
    sessions_per_year: int
    regime: npt.NDArray[np.object_]
    left_out: tuple[str, ...] = ()
    bars: pd.DataFrame = field(default_factory=pd.DataFrame)
    costs: Costs = FREE
    terms: Terms = field(default_factory=lambda: plain_terms(0))
    unfilled: int = 0
    evaluation: Evaluation | None = None
    within: BarTrading | None = None
    names: tuple[str, ...] = ()

    @property
    def every(self) -> tuple[Strategy, ...]:
        """All strategies traded, those that decide within the session included, in order."""
        found = (*self.strategies, *(self.within.strategies if self.within else ()))
        return tuple(sorted(found, key=lambda s: self.names.index(s.name) if self.names else 0))

    @property
    def single(self) -> npt.NDArray[np.bool_]:
        """Which returns are of one session: no bar is missing between their closes."""
        return np.asarray(self.spans == 1)

    def regime_behind(self, plan: OrderPlan) -> npt.NDArray[np.object_]:
        """Return the regime of the session after which each bar's order was decided.

        The bars before the first fill count under the first decision: their position is flat,
        and the cost of that fill is theirs.
        """
        decided = np.maximum(plan.decided, plan.decided[plan.decided >= 0].min(initial=0))
        behind: npt.NDArray[np.object_] = self.regime[decided]
        return behind


def trade(
    market: Market,
    strategies: Sequence[Strategy],
    fill: Fill,
    costs: Costs,
    cash: float,
    *,
    required: int | None = None,
    terms: Terms | None = None,
) -> Trading:
    """Decide, order and simulate.

    Rules and filters see everything before the sessions tested, so that they start warmed up;
    portfolios start flat on the first session tested.

    Parameters
    ----------
    market : Market
    strategies : sequence of Strategy
    fill : str
        See `make_schedule`.
    costs : Costs
    cash : float
        Initial capital of each portfolio.
    required : int, optional
        How many of the strategies, from the first on, have to be traded; the others are left out
        where their orders would use what was not yet known. Default: all.
    terms : Terms, optional
        What accrues between fills and what limits orders; nothing where left out.

    Raises
    ------
    LookAheadError
        If an order of a required strategy would use what was not yet known, or what it reads is
        public too late in most of the sessions tested.
    """
    within = [strategy.name for strategy in strategies if strategy.intraday]
    if within or not strategies:
        raise ConfigError(
            f"{', '.join(within) or 'no strategy'}: expected strategies that decide once a "
            "session: those that decide within it are traded by gexlab backtest beside its controls"
        )
    every = make_schedule(market.calendar, pd.DatetimeIndex(market.bars.index), fill)
    schedule = make_schedule(market.calendar, market.sessions, fill)
    evaluation = evaluation_of(market, every)
    kept: list[tuple[Strategy, Decisions, OrderPlan]] = []
    left_out: list[str] = []
    for i, strategy in enumerate(strategies):
        late = late_inputs(strategy, evaluation, market.sessions)
        asked_for = required is None or i < required
        if asked_for:
            require_in_time(strategy.name, late, schedule)
        decisions = decide(strategy, evaluation, market.sessions)
        plan = plan_orders(strategy.name, decisions, schedule)
        if asked_for or (not late and knows_enough(plan, schedule)):
            kept.append((strategy, decisions, plan))
        else:
            left_out.append(strategy.name)
    chosen, decided, plans = (tuple(column) for column in zip(*kept, strict=True))
    bars, unfilled = bars_to_fill(market, fill)
    held_to = terms or plain_terms(len(bars))
    net = simulate(plans, bars, schedule, costs, cash, held_to)
    free = costs.free and not held_to.half_spread.any()
    gross = net if free else simulate(plans, bars, schedule, FREE, cash, held_to.without_spread())
    return Trading(
        strategies=chosen,
        decisions=decided,
        plans=plans,
        schedule=schedule,
        net=net,
        gross=gross,
        cash=cash,
        spans=np.diff(session_rows(market.calendar, market.sessions)),
        sessions_per_year=market.facts.sessions_per_year,
        regime=_regime_of_sessions(market),
        left_out=tuple(left_out),
        bars=bars,
        costs=costs,
        terms=held_to,
        unfilled=unfilled,
        evaluation=evaluation,
    )


def _regime_of_sessions(market: Market) -> npt.NDArray[np.object_]:
    labels = market.regime.table["regime"].reindex(market.sessions)
    return labels.where(labels.notna(), "abstain").to_numpy(dtype=object)


def evaluate(trading: Trading, bars: pd.DataFrame, how: Resampling) -> dict[str, StrategyResult]:
    """Return the result of each strategy by name.

    Parameters
    ----------
    trading : Trading
    bars : DataFrame
        Of the sessions tested.
    how : Resampling
        Of the intervals.
    """
    returns = net_returns(trading)
    year, spans = trading.sessions_per_year, trading.spans
    intervals = return_intervals(returns, how, year=year, spans=spans)
    found = {
        strategy.name: _result(trading, i, bars, returns[:, i], intervals[i])
        for i, strategy in enumerate(trading.strategies)
    }
    if trading.within is not None:
        found |= evaluate_bars(trading.within, how, year)
    ordered = {strategy.name: found[strategy.name] for strategy in trading.every}
    main = next(iter(ordered))
    return ordered | {main: replace(ordered[main], role="main")}


def net_returns(trading: Trading) -> Floats:
    """Return what each strategy earned per session after the first, shape (n - 1, strategies).

    Net of costs, those of a fill on the first close included; NaN once the equity is gone.
    """
    columns = trading.net.equity.to_numpy(dtype=np.float64).T
    return np.column_stack([metrics.equity_returns(column, trading.cash) for column in columns])


def _result(
    trading: Trading, i: int, bars: pd.DataFrame, returns: Floats, ends: ReturnIntervals
) -> StrategyResult:
    name = trading.strategies[i].name
    plan = trading.plans[i]
    equity = trading.net.equity[name]
    # a share of equity that is gone is no number
    positions = trading.net.shares[name] * bars["close"] / equity.where(equity.cummin() > 0.0)
    orders = trading.net.orders[trading.net.orders["strategy"] == i]
    trips = trading.net.round_trips[trading.net.round_trips["strategy"] == i]
    by_session = pd.Series(returns, index=bars.index[1:], name="return")
    measured = _metrics(trading, i, returns, positions.to_numpy(dtype=float), len(trips), ends)
    table = _order_table(trading, plan, orders)
    account = trading.net.accounts[i] if trading.net.accounts else None
    return StrategyResult(
        spec=spec_of(trading.strategies[i]),
        role=role_of(trading.strategies[i], main=False),
        metrics=measured,
        by_regime=_by_regime(trading, plan, returns, positions.to_numpy(dtype=float)),
        equity=equity.rename("equity"),
        returns=by_session,
        positions=positions.rename("position"),
        orders=table,
        trades=_trade_table(trading, plan, trips),
        ledger=ledger_of(table, orders, trading, account).assign(read_at=table["decided"]),
    )


def _metrics(
    trading: Trading,
    i: int,
    returns: Floats,
    positions: Floats,
    trades: int,
    ends: ReturnIntervals,
) -> Metrics:
    free = trading.gross.equity.iloc[:, i].to_numpy(dtype=float)
    track = Track(
        equity=trading.net.equity.iloc[:, i].to_numpy(dtype=float),
        returns=returns,
        positions=positions,
        traded=_traded(trading.net, i, trading.cash),
        gross_returns=metrics.equity_returns(free, trading.cash),
        gross_traded=_traded(trading.gross, i, trading.cash),
        trades=trades,
    )
    at_open = earns_own_session(trading.schedule.fill)
    return metrics_of(track, ends, Clock(trading.spans, trading.sessions_per_year, at_open))


def _traded(simulation: Simulation, i: int, cash: float) -> Floats:
    mine = simulation.orders[simulation.orders["strategy"] == i]
    equity = simulation.equity.iloc[:, i].to_numpy(dtype=float)
    amounts = np.abs(np.asarray(mine["size"]) * np.asarray(mine["price"]))
    notional = np.bincount(mine["row"].to_numpy(), weights=amounts, minlength=len(equity))
    return share_traded(notional.astype(np.float64), equity, cash)


def _by_regime(
    trading: Trading, plan: OrderPlan, returns: Floats, positions: Floats
) -> dict[str, RegimePerformance]:
    """Split returns by the regime of the session after which the position was decided.

    A fill at the close acts from the next session on, one at the open on its own session (whose
    overnight part still belongs to the position before). Every session counts once.
    """
    at_open = earns_own_session(trading.schedule.fill)
    behind = trading.regime_behind(plan)
    regime = behind[1:] if at_open else behind[:-1]
    position = positions[1:] if at_open else positions[:-1]
    rows = {name: regime == name for name in REGIMES}
    return {
        name: RegimePerformance(
            sessions=int((here & trading.single).sum()),
            exposure=metrics.exposure(position[here]),
            mean_bps=1e4 * metrics.mean(returns[here & trading.single]),
            sharpe=metrics.sharpe(returns[here & trading.single], trading.sessions_per_year),
            total_return=metrics.total_return(returns[here]),
        )
        for name, here in rows.items()
        if here.any()
    }


def _order_table(trading: Trading, plan: OrderPlan, orders: pd.DataFrame) -> pd.DataFrame:
    schedule = trading.schedule
    row = orders["row"].to_numpy()
    decided = plan.decided[row]
    moment = np.where(
        np.isnat(plan.decision_ts[row]), schedule.known_at[decided], plan.decision_ts[row]
    )
    return pd.DataFrame(
        {
            "session": schedule.sessions[row],
            "decided": schedule.sessions[decided],
            "decision_ts": pd.DatetimeIndex(moment, tz="UTC"),
            "fill_ts": pd.DatetimeIndex(schedule.fill_ts[decided], tz="UTC"),
            "regime": trading.regime[decided],
            "label": plan.label[row].astype(object),
            "target": plan.wanted[row],
            "size": orders["size"].to_numpy(),
            "price": orders["price"].to_numpy(),
            "fees": orders["fees"].to_numpy(),
        }
    )


def _trade_table(trading: Trading, plan: OrderPlan, trips: pd.DataFrame) -> pd.DataFrame:
    schedule = trading.schedule
    opened, closed = trips["entry_row"].to_numpy(), trips["exit_row"].to_numpy()
    table = trips[
        ["direction", "size", "entry_price", "exit_price", "fees", "pnl", "return"]
    ].reset_index(drop=True)
    table.insert(0, "opened", schedule.sessions[opened])
    table.insert(1, "closed", schedule.sessions[closed])
    table["regime"] = trading.regime_behind(plan)[opened]
    table["status"] = trips["status"].to_numpy()
    return table
