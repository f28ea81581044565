"""The main strategy as the backtest trades it: the only source of what it earned."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from ...data import LedgerError, LookAheadError, labels_by_sign
from ...strategies import MAIN, Decisions, decide, panel_of, strategy
from ..execution.costs import Costs
from ..execution.engine import simulate
from ..execution.performance import net_returns, trade
from ..execution.timing import Schedule, plan_orders
from ..run.backtest import costs_of, strategies_of, trade_config
from ..run.config import default_fill
from ..run.panel import on_schedule
from ..run.trading_terms import terms_of
from ..run.trials import data_id_of, trial_settings, world_of
from ..statistics.metrics import equity_returns
from ..tournament.ledger import Trial, record_trials
from .protocol import Traded

if TYPE_CHECKING:
    from ..execution.performance import Trading
    from ..run.config import Config
    from ..run.execution_section import Fill
    from ..run.market import Market
    from .protocol import Dataset

__all__ = ["record_traded", "traded_by_config", "traded_on_dataset"]

_CASH = 1_000_000.0


def traded_by_config(config: Config, market: Market) -> Traded:
    """Return what the main strategy earned under a configuration.

    Its orders, fills and costs are those of `backtest` to the last bit: where the configuration
    changes the strategy of that name, as changed. Where it cannot be traded at the configured
    fill, the instrument's default fill is used, and the result says so.
    """
    chosen = next((s for s in strategies_of(config) if s.name == MAIN), strategy(MAIN))
    trials = len(strategies_of(config))
    try:
        trading = trade_config(config, market, (chosen,))
    except LookAheadError:
        fill = default_fill(config.data.instrument_kind)
        terms = terms_of(config.execution, config.data, market)
        cash = config.execution.cash
        trading = trade(market, (chosen,), fill, costs_of(config), cash, terms=terms)
    return _traded(trading, costs_of(config), trials)


def record_traded(config: Config, market: Market, traded: Traded) -> None:
    """Record in the ledger that the main strategy was traded; the same trial as a backtest's.

    Without a ledger, or where it cannot be written, nothing is recorded: the test's numbers are
    as good.
    """
    path = config.ledger_path
    if path is None:
        return
    chosen = next((s for s in strategies_of(config) if s.name == MAIN), strategy(MAIN))
    execution = config.execution.model_copy(update={"fill": traded.fill})
    acted = config.model_copy(update={"execution": execution})
    trial_id, settings = trial_settings(acted, market, chosen)
    made = Trial(
        trial_id=trial_id,
        name=chosen.name,
        source="test",
        underlying=config.data.underlying,
        data_id=data_id_of(market),
        sessions=market.sessions.to_numpy().astype("datetime64[D]"),
        returns=np.asarray(traded.returns.reindex(market.sessions), dtype=np.float64),
        settings=settings,
        world=world_of(config, market),
    )
    with suppress(LedgerError):
        record_trials(path, [made], config.ledger.stand_ins)


def _traded(trading: Trading, costs: Costs, trials: int) -> Traded:
    index = pd.DatetimeIndex(trading.net.equity.index[1:])
    return Traded(
        returns=pd.Series(net_returns(trading)[:, 0], index=index, name="return"),
        spans=trading.spans,
        year=trading.sessions_per_year,
        description=trading.strategies[0].describe(),
        fill=trading.schedule.fill,
        costs=costs.describe(),
        trials=trials,
    )


def traded_on_dataset(dataset: Dataset, costs_bps: float, trials: int) -> Traded:
    """Return what the main strategy earns on a dataset that no configuration stands behind.

    Parameters
    ----------
    dataset : Dataset
        Its labels, or the sign of its GEX, are known before the next open.
    costs_bps : float
        Per side.
    trials : int
        Strategies tried.
    """
    bars = dataset.bars.dropna(subset=["open", "close"])
    main, costs = strategy(MAIN), Costs(fees_bps=costs_bps)
    schedule = _plain_schedule(bars, "next_close" if dataset.stale_opens else "next_open")
    panel = panel_of(bars, schedule.known_at, {"regime": _table(dataset, bars)})
    decisions = decide(main, on_schedule(panel, schedule), schedule.sessions)
    counted = dataset.counted[dataset.bars.index.isin(bars.index)]
    bars, schedule = bars[counted], _plain_schedule(bars[counted], schedule.fill)
    plan = plan_orders(main.name, Decisions(decisions.frame[counted]), schedule)
    net = simulate([plan], bars, schedule, costs, _CASH)
    returns = equity_returns(net.equity.iloc[:, 0].to_numpy(dtype=np.float64), _CASH)
    return Traded(
        returns=pd.Series(returns, index=pd.DatetimeIndex(bars.index[1:]), name="return"),
        spans=np.diff(dataset.bars.index.get_indexer(pd.DatetimeIndex(bars.index))),
        year=dataset.market.sessions_per_year,
        description=main.describe(),
        fill=schedule.fill,
        costs=costs.describe(),
        trials=trials,
    )


def _table(dataset: Dataset, bars: pd.DataFrame) -> pd.DataFrame:
    value = dataset.gex.reindex(bars.index).astype(np.float64)
    if dataset.regime is None:
        regime = labels_by_sign(value.to_numpy())
    else:
        found = dataset.regime.reindex(bars.index)
        regime = found.where(found.notna(), "abstain").to_numpy(dtype=object)
    known = pd.DatetimeIndex(bars.index).tz_localize("UTC")
    return pd.DataFrame({"value": value, "regime": regime, "known_at": known}, index=bars.index)


def _plain_schedule(bars: pd.DataFrame, fill: Fill) -> Schedule:
    """Return the schedule of sessions without clocks: each decision fills on the next bar."""
    sessions = pd.DatetimeIndex(bars.index)
    known = sessions.to_numpy().astype("datetime64[ns]")
    row = np.append(np.arange(1, len(sessions)), -1)
    due = np.append(known[1:], known[-1:] + np.timedelta64(1, "D"))
    filled = np.append(known[1:], np.datetime64("NaT", "ns"))
    return Schedule(sessions, row.astype(np.int64), filled, due, known, fill)
