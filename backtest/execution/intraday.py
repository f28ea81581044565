"""Strategies that decide within the session: bars in, one result a session out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pandas as pd

from ...strategies import LABELS, bar_target_series
from ..run.bar_panel import bar_ground, reads_rechecked
from .costs import FREE
from .engine import simulate
from .terms import Terms, plain_terms
from .timing import OrderPlan, session_rows, without_dust, without_idle

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ...strategies import Strategy, TargetSeries
    from ..run.bar_panel import BarGround
    from ..run.market import Market
    from .costs import Costs
    from .engine import Simulation

__all__ = [
    "BarTrading",
    "BySession",
    "by_session",
    "plan_bars",
    "sessions_with",
    "terms_by_row",
    "trade_bars",
]

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class BarTrading:
    """What strategies that decide within the session did.

    Attributes
    ----------
    strategies : tuple of Strategy
    ground : BarGround
    plans : tuple of OrderPlan
        By row of the ground.
    net, gross : Simulation
        By row, with and without costs.
    behind : ndarray of str, shape (s,)
        Label of the previous session each, whose book it is.
    decided : ndarray of datetime64[ns], shape (s,)
        That session.
    late, undefined : tuple of int
        Sessions of each strategy with a bar whose input came too late, or was missing.
    spans : ndarray of int, shape (s - 1,)
        Sessions of the calendar from each session with bars to the next.
    cash : float
    costs, terms : Costs, Terms
        Terms by row.
    """

    strategies: tuple[Strategy, ...]
    ground: BarGround
    plans: tuple[OrderPlan, ...]
    net: Simulation
    gross: Simulation
    behind: npt.NDArray[np.object_]
    decided: npt.NDArray[np.datetime64]
    late: tuple[int, ...]
    undefined: tuple[int, ...]
    spans: Ints
    cash: float
    costs: Costs
    terms: Terms


def trade_bars(
    market: Market,
    strategies: Sequence[Strategy],
    costs: Costs,
    cash: float,
    terms: Terms | None = None,
) -> BarTrading:
    """Decide at every bar, fill at the next one's open, and be flat at every close.

    Parameters
    ----------
    market : Market
    strategies : sequence of Strategy
    costs : Costs
    cash : float
    terms : Terms, optional
        By tested session of the market.

    Raises
    ------
    LookAheadError
        If an order would use what was not yet known.
    ConfigError, NotEnoughDataError
        If there are no intraday bars to trade on.
    """
    ground = bar_ground(market, recheck=reads_rechecked(strategies))
    made = [bar_target_series(strategy, ground.rows) for strategy in strategies]
    plans = tuple(plan_bars(s.name, m, ground) for s, m in zip(strategies, made, strict=True))
    held_to = terms_by_row(terms, market, ground)
    net = simulate(plans, ground.bars, ground.schedule, costs, cash, held_to)
    every = pd.DatetimeIndex(market.bars.index)
    before = every[np.maximum(every.get_indexer(ground.sessions) - 1, 0)]
    labels = market.regime.table["regime"].reindex(before)
    free = costs.free and not held_to.half_spread.any()
    without = held_to.without_spread()
    gross = net if free else simulate(plans, ground.bars, ground.schedule, FREE, cash, without)
    return BarTrading(
        strategies=tuple(strategies),
        ground=ground,
        plans=plans,
        net=net,
        gross=gross,
        behind=labels.where(labels.notna(), "abstain").to_numpy(dtype=object),
        decided=before.to_numpy(),
        late=tuple(sessions_with(m.late, ground) for m in made),
        undefined=tuple(sessions_with(m.undefined, ground) for m in made),
        spans=np.diff(session_rows(market.calendar, ground.sessions)),
        cash=cash,
        costs=costs,
        terms=held_to,
    )


def sessions_with(flags: npt.NDArray[np.bool_], ground: BarGround) -> int:
    """Return how many sessions have a flag at one of their bars."""
    return len(np.unique(ground.session[flags & ~ground.closing]))


def plan_bars(name: str, made: TargetSeries, ground: BarGround) -> OrderPlan:
    """Move each decision to the row at which it fills; the close of a session ends all positions.

    An order goes out where the target changes; in between the position is held. The last order of
    a session follows from the clock alone and reads nothing.
    """
    schedule, closing = ground.schedule, ground.closing
    n = closing.size
    source = np.flatnonzero(schedule.row >= 0)
    to = schedule.row[source]
    kept = ~closing[to]
    source, to = source[kept], to[kept]
    target = np.full(n, np.nan)
    target[to] = without_dust(made.position[source])
    target[closing] = 0.0
    before = np.append(np.nan, target[:-1])
    target[(target == before) & ~closing] = np.nan  # held as it is until the target changes
    decided = np.full(n, -1, dtype=np.int64)
    decided[to] = source
    ends = np.flatnonzero(closing)
    decided[ends] = np.maximum(ends - 1, 0)
    label = np.full(n, "", dtype="U7")
    label[to] = np.array(LABELS, dtype="U7")[made.codes[source].astype(np.int64)]
    inputs = {}
    for title, known in (("regime", made.filter_known_at), ("bars", made.rule_known_at)):
        inputs[title] = np.full(n, np.datetime64("NaT", "ns"))
        inputs[title][to] = known[source].astype("datetime64[ns]")
    return OrderPlan(name, without_idle(target), decided, label, inputs, target)


def terms_by_row(terms: Terms | None, market: Market, ground: BarGround) -> Terms:
    """Return terms by row: what accrues does so overnight, when every position is flat."""
    n = ground.closing.size
    if terms is None:
        return plain_terms(n)
    place = market.sessions.get_indexer(ground.sessions)[ground.session]
    first = np.append(True, ground.closing[:-1])
    days = np.diff(ground.sessions.to_numpy()) / np.timedelta64(1, "D")
    since = np.append(0.0, days.astype(np.float64))
    return Terms(
        half_spread=terms.half_spread[place],
        cash_rate=terms.cash_rate[place],
        financing_rate=terms.financing_rate[place],
        borrow_rate=terms.borrow_rate[place],
        dividends=np.zeros(n),
        days=np.where(first, since[ground.session], 0.0),
        lot=terms.lot,
        unit=terms.unit,
        stop_loss=terms.stop_loss,
        take_profit=terms.take_profit,
        max_holding=terms.max_holding,
        max_leverage=terms.max_leverage,
        funded=terms.funded,
    )


@dataclass(frozen=True, slots=True, eq=False)
class BySession:
    """A portfolio that trades within sessions, by session; arrays of shape (s,).

    Attributes
    ----------
    equity : ndarray
        At each close.
    positions : ndarray
        Mean over the session's bars of the share of equity held, signed.
    exposure : ndarray
        Mean of its size.
    notional : ndarray
        Traded in the session.
    """

    equity: Floats
    positions: Floats
    exposure: Floats
    notional: Floats


def by_session(equity: Floats, shares: Floats, notional: Floats, ground: BarGround) -> BySession:
    """Return rows of one portfolio as sessions.

    Parameters
    ----------
    equity, shares, notional : ndarray, shape (n,)
        By row of the ground.
    ground : BarGround
    """
    close = ground.bars["close"].to_numpy(dtype=np.float64)
    bars, session = ~ground.closing, ground.session
    live = np.logical_and.accumulate(equity > 0.0)
    held = np.divide(shares * close, equity, out=np.full(equity.shape, np.nan), where=live)
    count = np.bincount(session[bars])
    sums = (np.bincount(session[bars], weights=x[bars]) for x in (held, np.abs(held)))
    positions, exposure = (total / count for total in sums)
    return BySession(
        equity[ground.closing],
        positions,
        exposure,
        np.bincount(session, weights=notional, minlength=len(ground.sessions)).astype(np.float64),
    )
