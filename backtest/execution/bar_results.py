"""Results, by session, of strategies that decide within the session."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pandas as pd

from ...data import REGIMES
from ..run.strategy_results import RegimePerformance, StrategyResult
from ..statistics import metrics
from ..statistics.sharpe_intervals import return_intervals
from .intraday import BySession, by_session
from .ledger_rows import ledger_of
from .measures import Clock, Track, metrics_of, share_traded
from .specs import role_of, spec_of

if TYPE_CHECKING:
    from ..statistics.resampling import Resampling
    from ..statistics.sharpe_intervals import ReturnIntervals
    from .engine import Simulation
    from .intraday import BarTrading

__all__ = ["evaluate_bars", "track_by_session"]

Floats = npt.NDArray[np.float64]


def evaluate_bars(trading: BarTrading, how: Resampling, year: int) -> dict[str, StrategyResult]:
    """Return the result of each strategy by name.

    Parameters
    ----------
    trading : BarTrading
    how : Resampling
        Of the intervals.
    year : int
        Sessions a year.
    """
    net = [_portfolio(trading.net, i, trading) for i in range(len(trading.strategies))]
    returns = np.column_stack([metrics.equity_returns(p.equity, trading.cash) for p in net])
    intervals = return_intervals(returns, how, year=year, spans=trading.spans)
    behind = (trading.behind, trading.decided)
    clock = Clock(trading.spans, year, at_open=True)
    return {
        strategy.name: _result(trading, i, net[i], returns[:, i], intervals[i], clock, behind)
        for i, strategy in enumerate(trading.strategies)
    }


def _portfolio(simulation: Simulation, i: int, trading: BarTrading) -> BySession:
    mine = simulation.orders[simulation.orders["strategy"] == i]
    amounts = np.abs(np.asarray(mine["size"]) * np.asarray(mine["price"]))
    rows = trading.ground.closing.size
    notional = np.bincount(mine["row"].to_numpy(), weights=amounts, minlength=rows)
    equity, shares = (
        frame.iloc[:, i].to_numpy(dtype=np.float64)
        for frame in (simulation.equity, simulation.shares)
    )
    return by_session(equity, shares, notional.astype(np.float64), trading.ground)


def _result(
    trading: BarTrading,
    i: int,
    found: BySession,
    returns: Floats,
    ends: ReturnIntervals,
    clock: Clock,
    behind: tuple[npt.NDArray[np.object_], npt.NDArray[np.datetime64]],
) -> StrategyResult:
    sessions, strategy = trading.ground.sessions, trading.strategies[i]
    free = _portfolio(trading.gross, i, trading)
    trips = trading.net.round_trips[trading.net.round_trips["strategy"] == i]
    track = track_by_session(found, free, returns, trading.cash, len(trips))
    positions = track.positions
    index = pd.DatetimeIndex(sessions, name="session")
    table = _order_table(trading, i, behind)
    fills = trading.net.orders[trading.net.orders["strategy"] == i]
    account = trading.net.accounts[i] if trading.net.accounts else None
    return StrategyResult(
        spec=spec_of(strategy),
        role=role_of(strategy, main=False),
        metrics=metrics_of(track, ends, clock),
        by_regime=_by_regime(returns, positions, behind[0], clock),
        equity=pd.Series(found.equity, index=index, name="equity"),
        returns=pd.Series(returns, index=index[1:], name="return"),
        positions=pd.Series(positions, index=index, name="position"),
        orders=table,
        trades=_trade_table(trading, trips, behind[0]),
        ledger=ledger_of(table, fills, trading, account).assign(read_at=_read_at(trading, i)),
    )


def track_by_session(
    net: BySession, free: BySession, returns: Floats, cash: float, trades: int
) -> Track:
    """Return a portfolio that trades within sessions as its metrics see it.

    Parameters
    ----------
    net, free : BySession
        With and without costs.
    returns : ndarray, shape (s - 1,)
        Net, by session.
    cash : float
        Initial capital.
    trades : int
        Round trips.
    """
    return Track(
        equity=net.equity,
        returns=returns,
        # as large as it was in the mean, on the side that it was on
        positions=np.copysign(net.exposure, net.positions),
        traded=share_traded(net.notional, net.equity, cash),
        gross_returns=metrics.equity_returns(free.equity, cash),
        gross_traded=share_traded(free.notional, free.equity, cash),
        trades=trades,
    )


def _by_regime(
    returns: Floats, positions: Floats, behind: npt.NDArray[np.object_], clock: Clock
) -> dict[str, RegimePerformance]:
    """Split returns by the regime of the previous session, whose book it was."""
    single, position, regime = clock.spans == 1, positions[1:], behind[1:]
    found: dict[str, RegimePerformance] = {}
    for name in REGIMES:
        here = regime == name
        if here.any():
            found[name] = RegimePerformance(
                sessions=int((here & single).sum()),
                exposure=metrics.exposure(position[here]),
                mean_bps=1e4 * metrics.mean(returns[here & single]),
                sharpe=metrics.sharpe(returns[here & single], clock.year),
                total_return=metrics.total_return(returns[here]),
            )
    return found


def _read_at(trading: BarTrading, i: int) -> pd.DatetimeIndex:
    """Return the start of the bar after which each order was decided, UTC."""
    row = trading.net.orders.loc[trading.net.orders["strategy"] == i, "row"].to_numpy()
    return pd.DatetimeIndex(trading.ground.bars.index[trading.plans[i].decided[row]])


def _order_table(
    trading: BarTrading,
    i: int,
    behind: tuple[npt.NDArray[np.object_], npt.NDArray[np.datetime64]],
) -> pd.DataFrame:
    ground, plan = trading.ground, trading.plans[i]
    orders = trading.net.orders[trading.net.orders["strategy"] == i]
    row = orders["row"].to_numpy()
    session = ground.session[row]
    moment = np.where(
        np.isnat(plan.decision_ts[row]),
        ground.schedule.known_at[plan.decided[row]],
        plan.decision_ts[row],
    )
    return pd.DataFrame(
        {
            "session": ground.sessions[session],
            "decided": pd.DatetimeIndex(behind[1][session]),
            "decision_ts": pd.DatetimeIndex(moment, tz="UTC"),
            "fill_ts": pd.DatetimeIndex(ground.bars.index[row], tz="UTC"),
            "regime": behind[0][session],
            "label": plan.label[row].astype(object),
            "target": plan.wanted[row],
            "size": orders["size"].to_numpy(),
            "price": orders["price"].to_numpy(),
            "fees": orders["fees"].to_numpy(),
        }
    )


def _trade_table(
    trading: BarTrading, trips: pd.DataFrame, behind: npt.NDArray[np.object_]
) -> pd.DataFrame:
    ground = trading.ground
    opened, closed = (ground.session[trips[name].to_numpy()] for name in ("entry_row", "exit_row"))
    names = ["direction", "size", "entry_price", "exit_price", "fees", "pnl", "return"]
    table = trips[names].reset_index(drop=True)
    table.insert(0, "opened", ground.sessions[opened])
    table.insert(1, "closed", ground.sessions[closed])
    table["regime"] = behind[opened]
    table["status"] = trips["status"].to_numpy()
    return table
