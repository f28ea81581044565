"""Look-ahead by its traces in the numbers: values and decisions that know what comes after them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from ...data import GexlabError
from ...strategies import columns_read, is_own
from ..execution.costs import FREE
from ..execution.performance import net_returns, trade
from ..execution.timing import make_schedule, session_rows
from ..hypotheses.datasets import rows_before_next_open
from ..run.panel import market_panel
from ..statistics.sharpe_tests import Moments, sharpe_error
from .association import Association, future_association, paths_of
from .found import Check, Leak
from .recomputation import decided

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ...strategies import Column, Strategy
    from ..run.config import Config
    from ..run.market import Market

__all__ = ["LEVEL", "decision_traces", "value_traces"]

Floats = npt.NDArray[np.float64]

#: Probability of any false alarm of the traces, over all inputs and strategies.
LEVEL: Final = 0.01
#: Sharpe ratio a year, without costs, beyond which no signal from daily data goes.
_HONEST_SHARPE: Final = 2.0
_BARS: Final = ("open", "high", "low", "volume")
_LEAST_DRAWS: Final = 999


@dataclass(frozen=True, slots=True, eq=False)
class _Traced:
    """A series on the sessions of the bars."""

    name: str
    values: Floats
    overnight: npt.NDArray[np.bool_]


def value_traces(config: Config, market: Market, strategies: Sequence[Strategy]) -> Check:
    """Look for series, decisions and earnings that know what comes after them.

    Parameters
    ----------
    config : Config
    market : Market
    strategies : sequence of Strategy
        Whose inputs, beside the regime, the named series and the bars, and whose earnings are
        looked at; the decisions of users' own components are looked at as a series is.

    Notes
    -----
    `LEVEL` is shared among all series and strategies (Bonferroni). What a calendar knows in
    advance is exempt.
    """
    # those that decide within the session are flat at every close: recomputation is for them
    daily = [strategy for strategy in strategies if not strategy.intraday]
    own = [strategy for strategy in daily if is_own(strategy)]
    traced = [*_inputs(config, market, strategies), *_decisions(config, market, own)]
    level = LEVEL / max(1, len(traced) + len(strategies))
    leaks = list(_associated(traced, market, level))
    for strategy in daily:
        leaks += _earnings(config, market, strategy, level)
    return sum(len(series.values) for series in traced) + len(strategies), leaks


def decision_traces(config: Config, market: Market, strategies: Sequence[Strategy]) -> Check:
    """Look for labels and targets that are associated with what comes after them."""
    traced = list(_decisions(config, market, [s for s in strategies if not s.intraday]))
    level = LEVEL / max(1, len(traced))
    return len(traced), list(_associated(traced, market, level))


def _associated(traced: Sequence[_Traced], market: Market, level: float) -> Iterator[Leak]:
    paths = paths_of(market.bars)
    draws = max(_LEAST_DRAWS, math.ceil(1.0 / level) - 1)
    for series in traced:
        found = future_association(series.values, paths, overnight=series.overnight, draws=draws)
        if found is not None and found.p_value <= level:
            yield _leak(series, found, market)


def _leak(series: _Traced, found: Association, market: Market) -> Leak:
    first = market.bars.index[int(np.flatnonzero(np.isfinite(series.values))[0])]
    kind = f"moves_with_later_{found.what}"
    if found.what == "return":
        next_one = found.lag == 1 and not found.averaged
        kind = "moves_with_the_next_return" if next_one else "moves_with_later_returns"
    when = f"of the session {found.lag} later" if found.lag > 1 else "of the next session"
    if found.averaged:
        when = f"over the next {found.lag} sessions"
    detail = (
        f"what the past does not explain of it goes with the {found.what} {when}: rank correlation "
        f"{found.correlation:.2f} over {found.n} values (p {found.p_value:.4f}): it holds values "
        "of later sessions, or is dated too early"
    )
    return Leak(series.name, first.date(), kind, detail)


def _inputs(config: Config, market: Market, strategies: Sequence[Strategy]) -> Iterator[_Traced]:
    """Yield what is read: the regime, every named series, other columns, and the bars."""
    panel = market_panel(market)
    parts = [p for s in strategies for p in (s.filter, s.long, s.short, s.neutral, s.sizing)]
    wanted = ["regime", *(f"series.{name}" for name in market.series)]
    wanted += [name for name in columns_read(*parts) if "." in name and name in panel.columns]
    wanted += [name for name in _BARS if name in panel.columns]
    ahead = {f"series.{name}" for name, series in config.series.items() if series.scheduled}
    for name in dict.fromkeys(wanted):
        column = panel.column(name)
        if not column.scheduled and name != "regime.label" and name not in ahead:
            yield _placed(column, panel.sessions, market)


def _placed(column: Column, sessions: pd.DatetimeIndex, market: Market) -> _Traced:
    """Return a column's values on the session before whose next open each is public."""
    values = column.values
    if column.name in _BARS:  # levels say nothing of their own: relative to the close
        close = market.closes.reindex(sessions).to_numpy(dtype=np.float64)
        with np.errstate(divide="ignore", invalid="ignore"):
            base = 1.0 if column.name == "volume" else close
            values = np.log(np.where(values > 0.0, values, np.nan) / base)
    there = np.isfinite(values)
    table = pd.DataFrame({"value": values[there]}, index=sessions[there])
    known = np.asarray(column.known_at[there])
    if column.name in _BARS:
        known = market.calendar.closes[session_rows(market.calendar, sessions[there])]
    table["known_at"] = pd.DatetimeIndex(known, tz="UTC")
    table = table[table["known_at"].notna()]
    placed = rows_before_next_open(table, market.calendar)
    at = pd.DatetimeIndex(placed.index)
    stamps = placed["known_at"].dt.tz_localize(None).to_numpy().astype("datetime64[ns]")
    closes = market.calendar.closes[session_rows(market.calendar, at)]
    placed = placed.assign(overnight=stamps > closes)
    bars = pd.DatetimeIndex(market.bars.index)
    found = placed.reindex(bars)
    title = "bars" if column.name in _BARS else column.name.removeprefix("series.")
    late = found["overnight"].astype("boolean").fillna(value=False).to_numpy(dtype=np.bool_)
    return _Traced(title, np.asarray(found["value"].to_numpy(), dtype=np.float64), late)


def _decisions(config: Config, market: Market, own: Sequence[Strategy]) -> Iterator[_Traced]:
    """Yield labels and targets of users' own components, as series known at the close."""
    schedule = make_schedule(market.calendar, pd.DatetimeIndex(market.bars.index), config.fill)
    codes = {"long": 1.0, "short": -1.0, "neutral": 0.0}
    for strategy in own:
        frame = decided(market, strategy, schedule).frame
        never = np.zeros(len(frame), dtype=np.bool_)
        labels = np.asarray(frame["label"].map(codes).to_numpy(), dtype=np.float64)
        targets = np.asarray(frame["target"].to_numpy(), dtype=np.float64)
        yield _Traced(f"filter {strategy.filter.name}", labels, never)
        name = f"rules {strategy.long.name}, {strategy.short.name}, {strategy.neutral.name}"
        yield _Traced(name, targets, never)


def _earnings(config: Config, market: Market, strategy: Strategy, level: float) -> Iterator[Leak]:
    """Yield a leak where a strategy earns what no honest signal does."""
    returns = _gross_returns(config, market, strategy)
    n, year = len(returns), market.facts.sessions_per_year
    if n < 60 or not returns.std() > 0.0:
        return
    ratio = float(returns.mean() / returns.std(ddof=1))
    low = ratio - _reach(level) * sharpe_error(ratio, n, _shape(returns))
    if low * math.sqrt(year) > _HONEST_SHARPE:
        yield Leak(
            strategy.name,
            market.sessions[0].date(),
            "earns_what_no_honest_signal_does",
            f"Sharpe ratio {ratio * math.sqrt(year):.2f} a year before costs over {n} sessions, "
            f"more than {_HONEST_SHARPE:g} beyond chance: something that it reads knows the future",
        )


def _reach(level: float) -> float:
    from scipy.stats import norm

    return float(norm.isf(level))


def _shape(returns: Floats) -> Moments:
    from scipy.stats import kurtosis, skew

    return Moments(float(skew(returns)), float(kurtosis(returns, fisher=False)))


def _gross_returns(config: Config, market: Market, strategy: Strategy) -> Floats:
    """Return what a strategy earns without costs; nothing where it cannot be traded."""
    try:
        trading = trade(market, (strategy,), config.fill, FREE, config.execution.cash)
    except GexlabError:  # an order that knew too much is a leak of its own
        return np.empty(0)
    returns = net_returns(trading)[trading.single, 0]
    return np.asarray(returns[np.isfinite(returns)], dtype=np.float64)
