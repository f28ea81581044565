"""Looking for look-ahead, rather than trusting that there is none.

Three kinds of evidence: stamps (an input used before it was known, or claimed to be known before
it existed), recomputation (the same decisions from data cut off at a session), and traces in the
numbers (values that belong to a later session than they are dated).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pandas as pd

from ...data import chain_times, open_lake
from ...strategies import LONG, SHORT, Decisions, decide, late_inputs
from ..execution.timing import Schedule, make_schedule, plan_orders, session_rows
from ..grid.section import covering
from ..run.backtest import strategies_asked_for, strategies_of
from ..run.config import Config
from ..run.load_config import load_config
from ..run.load_market import load_market
from ..run.market import Market, cut_market
from ..run.panel import evaluation_of, market_panel
from .within_session import early_orders, frames_after_cuts

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import date
    from pathlib import Path

    from ...strategies import LateInput, Panel, Strategy

__all__ = ["Leak", "LeakResult", "leakcheck", "market_leaks", "recomputed"]

#: Sessions after which the data are cut off and everything is recomputed.
CUTS = 25

#: A spot that misses its own close by more than this, but hits the next one, is misdated.
_FAR, _NEAR = 1e-3, 5e-5


@dataclass(frozen=True, slots=True)
class Leak:
    """One look-ahead.

    Attributes
    ----------
    input : str
        What was known, or used, too early.
    session : date
        First session on which it shows.
    kind : str
        ``used_before_known``, ``known_before_session``, ``regime_before_chain``,
        ``open_interest_before_settlement``, ``changes_with_later_data``,
        ``spot_of_a_later_session`` or ``moves_with_the_next_return``.
    detail : str
        One sentence.
    """

    input: str
    session: date
    kind: str
    detail: str


@dataclass(frozen=True, slots=True)
class LeakResult:
    """What a search for look-ahead found.

    Attributes
    ----------
    checked : int
        Stamps compared, decisions recomputed and values traced.
    leaks : tuple of Leak
        One per input and kind.
    definition_id : str or None
        Of the regime; None where it is a series from outside.
    """

    checked: int
    leaks: tuple[Leak, ...]
    definition_id: str | None = None


def leakcheck(config: Config | str | Path, *, cuts: int = CUTS) -> LeakResult:
    """Look for look-ahead in data, filters, rules and sizings of a configuration.

    Of a grid, every distinct component is checked.

    Parameters
    ----------
    config : Config, str or Path
    cuts : int
        Sessions after which the data are cut off and the decisions recomputed.

    Returns
    -------
    LeakResult

    Raises
    ------
    ConfigError, InputFileError, LakeError, DefinitionError, UnknownNameError, NotEnoughDataError
        As `backtest`; an order that knew too much is a leak here, not an error.
    """
    settings = config if isinstance(config, Config) else load_config(config)
    market = load_market(settings)
    asked = settings.strategies or settings.grid
    chosen = strategies_asked_for(settings) if asked else strategies_of(settings)
    if settings.grid:  # its distinct components, not its trials
        chosen = (*chosen, *covering(settings.grid, settings.folder))
    return market_leaks(settings, market, chosen, cuts)


def market_leaks(
    config: Config, market: Market, strategies: Sequence[Strategy], cuts: int = CUTS
) -> LeakResult:
    """Return the look-ahead in loaded inputs and strategies."""
    checks = [_session_stamps(market), _spot_trace(market), _return_trace(market)]
    if config.regime.source == "lake":
        checks.append(_chain_stamps(config, market))
    for strategy in strategies:
        checks.append(_order_stamps(config, market, strategy))
        checks.append(recomputed(config, market, strategy, cuts))
    found = {(leak.input, leak.kind): leak for _, leaks in reversed(checks) for leak in leaks}
    leaks = sorted(found.values(), key=lambda leak: (leak.session, leak.kind, leak.input))
    definition_id = market.regime.definition_id
    return LeakResult(sum(count for count, _ in checks), tuple(leaks), definition_id)


Check = tuple[int, list[Leak]]


def _session_stamps(market: Market) -> Check:
    """Compare each value's publication with the session that it describes."""
    tables = {"regime": market.regime.table, **market.series}
    leaks, count = [], 0
    for name, table in tables.items():
        used = table[_usable(table)]
        sessions = pd.DatetimeIndex(used.index)
        opened = market.calendar.opens[session_rows(market.calendar, sessions)]
        early = _utc(used["known_at"]) < opened
        count += len(used)
        leaks += _first(
            name,
            sessions[early],
            "known_before_session",
            "the value is stamped as known before its session opened",
        )
    return count, leaks


def _usable(table: pd.DataFrame) -> npt.NDArray[np.bool_]:
    """Return which rows a strategy may read: what the quality gate refused is no input."""
    usable: npt.NDArray[np.bool_] = np.isfinite(np.asarray(table["value"], dtype=float))
    if "regime" in table:
        usable &= np.asarray(table["regime"] != "abstain")
    return usable


def _utc(moments: pd.Series[pd.Timestamp]) -> npt.NDArray[np.datetime64]:
    return np.asarray(moments.dt.tz_convert(None), dtype="datetime64[ns]")


def _first(name: str, sessions: pd.DatetimeIndex, kind: str, detail: str) -> list[Leak]:
    """Return one leak for all the sessions on which it shows."""
    if not len(sessions):
        return []
    more = f" ({len(sessions)} sessions)" if len(sessions) > 1 else ""
    return [Leak(name, sessions[0].date(), kind, detail + more)]


def _chain_stamps(config: Config, market: Market) -> Check:
    """Compare the regime's publication with the chains that it was rebuilt from."""
    chains = chain_times(open_lake(str(config.data.lake)), config.data.underlying)
    table = market.regime.table
    both = pd.DatetimeIndex(table.index).intersection(pd.DatetimeIndex(chains.index))
    regime_known = _utc(table.loc[both, "known_at"])
    chain_known = _utc(chains.loc[both, "known_at"])
    settled = pd.DatetimeIndex(chains.loc[both, "oi_asof"])
    stated = np.asarray(settled.notna())
    rows = session_rows(market.calendar, pd.DatetimeIndex(settled.where(stated, both)))
    claimed = stated & (chain_known <= market.calendar.closes[rows])
    leaks = _first(
        "regime",
        both[regime_known < chain_known],
        "regime_before_chain",
        "the regime is stamped as known before the chain that it was rebuilt from",
    )
    leaks += _first(
        "open interest",
        both[claimed],
        "open_interest_before_settlement",
        "the chain is stamped as known before its open interest was settled",
    )
    return 2 * len(both), leaks


def _order_stamps(config: Config, market: Market, strategy: Strategy) -> Check:
    """Compare each order's inputs with the moment at which it had to be out."""
    if strategy.intraday:
        return _bar_stamps(market, strategy)
    schedule = make_schedule(market.calendar, pd.DatetimeIndex(market.bars.index), config.fill)
    late = late_inputs(strategy, evaluation_of(market, schedule), market.sessions)
    plan = plan_orders(strategy.name, _decide(market, strategy, schedule), schedule)
    decided = plan.decided >= 0
    due = np.full(len(plan.target), np.datetime64("NaT", "ns"))
    due[decided] = schedule.due[plan.decided[decided]]
    leaks, count = list(_late_leaks(config, strategy, late)), len(market.sessions)
    for title, known in plan.inputs.items():
        early = known >= due if schedule.strict else known > due
        count += int((~np.isnat(known)).sum())
        leaks += _first(
            _sources(strategy) if title == "regime" else title,
            schedule.sessions[plan.decided[early]],
            "used_before_known",
            f"{strategy.name} fills at {config.fill} with it before it was public",
        )
    return count, leaks


def _late_leaks(config: Config, strategy: Strategy, late: Sequence[LateInput]) -> Iterator[Leak]:
    """Yield a leak for each input that is too late in most of the sessions tested."""
    for each in late:
        detail = (
            f"{strategy.name} fills at {config.fill} with it before it was public "
            f"({each.late} of {each.values} sessions)"
        )
        yield Leak(each.title, each.session.date(), "used_before_known", detail)


def _decide(market: Market, strategy: Strategy, schedule: Schedule) -> Decisions:
    return decide(strategy, evaluation_of(market, schedule), pd.DatetimeIndex(market.bars.index))


def _sources(strategy: Strategy) -> str:
    """Return the prefixes of the columns that a filter reads: ``regime``, a series' name."""
    read = {str(past.of).removeprefix("series.") for past in strategy.filter.inputs().values()}
    return ", ".join(sorted({name.partition(".")[0] for name in read})) or "nothing"


def recomputed(config: Config, market: Market, strategy: Strategy, cuts: int) -> Check:
    """Recompute decisions from data that end early; earlier ones must be the same."""
    if strategy.intraday:
        return _recomputed_bars(market, strategy, cuts)
    whole = _decide(market, strategy, _schedule(config, market)).frame
    leaks: list[Leak] = []
    schedule, panel = _schedule(config, market), market_panel(market)
    sessions = pd.DatetimeIndex(market.bars.index)
    for last in _cut_sessions(market, cuts):
        cut = cut_market(market, last)
        part = _decide(cut, strategy, _schedule(config, cut)).frame
        leaks += list(_differences(strategy, whole.loc[:last], part))
        other = evaluation_of(market, schedule, _other_future(panel, last))
        part = decide(strategy, other, sessions[sessions <= last]).frame
        leaks += list(_differences(strategy, whole.loc[:last], part))
    leaks.sort(key=lambda leak: leak.session)
    return 2 * cuts, leaks[:1]


def _bar_stamps(market: Market, strategy: Strategy) -> Check:
    count, early = early_orders(market, strategy)
    leaks = []
    for title, sessions in early.items():
        detail = f"{strategy.name} fills at a bar with it before it was public"
        leaks += _first(title, sessions, "used_before_known", detail)
    return count, leaks


def _recomputed_bars(market: Market, strategy: Strategy, cuts: int) -> Check:
    """Recompute decisions within the session from bars that end early, or go on otherwise."""
    pairs = frames_after_cuts(market, strategy, _cut_sessions(market, cuts), _other_future)
    leaks = [leak for whole, part in pairs for leak in _differences(strategy, whole, part)]
    leaks.sort(key=lambda leak: leak.session)
    return len(pairs), leaks[:1]


def _other_future(panel: Panel, last: pd.Timestamp) -> Panel:
    """Return the panel with everything after a session another: reversed, and turned over.

    A decision that reads one later value as part of an average, say, hardly changes where the
    data merely end; it does where what comes next is the opposite of what came.
    """
    kept = int(panel.sessions.searchsorted(last, side="right"))
    changed = []
    for column in panel.columns.values():
        if column.scheduled:
            continue
        values = column.values.copy()
        future = values[kept:][::-1]
        if column.unit == "label":
            values[kept:] = np.where(future == LONG, SHORT, np.where(future == SHORT, LONG, future))
        elif column.unit in {"price", "shares"}:
            past = values[:kept][values[:kept] > 0.0]
            turned = past[-1] ** 2 / np.where(future > 0.0, future, np.nan) if past.size else future
            values[kept:] = turned
        else:
            values[kept:] = -9.0 * future
        changed.append(replace(column, values=values, content_id=""))
    return panel.with_columns(changed)


def _schedule(config: Config, market: Market) -> Schedule:
    return make_schedule(market.calendar, pd.DatetimeIndex(market.bars.index), config.fill)


def _cut_sessions(market: Market, cuts: int) -> pd.DatetimeIndex:
    """Return sessions spread over the period tested, drawn with a fixed seed."""
    sessions = market.sessions
    edges = np.linspace(0, len(sessions) - 1, cuts + 1)
    draws = np.random.default_rng(0).random(cuts)
    return sessions[(edges[:-1] + draws * np.diff(edges)).astype(np.int64)]


def _differences(strategy: Strategy, whole: pd.DataFrame, part: pd.DataFrame) -> Iterator[Leak]:
    label = whole["label"].to_numpy() != part["label"].to_numpy()
    target = whole["target"].to_numpy() != part["target"].to_numpy()
    for name, differs in (
        (f"filter {strategy.filter.name}", label),
        (_rules(strategy), target & ~label),
    ):
        if differs.any():
            session = whole.index[int(np.flatnonzero(differs)[0])]
            yield Leak(
                name,
                session.date(),
                "changes_with_later_data",
                f"{strategy.name}: recomputed without later sessions, it decides otherwise",
            )


def _rules(strategy: Strategy) -> str:
    return f"rules {strategy.long.name}, {strategy.short.name}, {strategy.neutral.name}"


def _spot_trace(market: Market) -> Check:
    """Look for rows whose spot is the close of the session after the one they are dated."""
    table = market.regime.table
    if "spot" not in table:
        return 0, []
    close = market.closes.reindex(table.index)
    following = market.closes.shift(-1).reindex(table.index)
    own = np.abs(np.log(np.asarray(table["spot"], dtype=float) / np.asarray(close)))
    later = np.abs(np.log(np.asarray(table["spot"], dtype=float) / np.asarray(following)))
    hit = (own > _FAR) & (later < _NEAR)
    # one coincidence is nothing: neighbouring closes do meet now and then
    misdated = pd.DatetimeIndex(table.index)[hit] if hit.sum() > max(1, 0.02 * len(hit)) else []
    return len(table), _first(
        "regime",
        pd.DatetimeIndex(misdated),
        "spot_of_a_later_session",
        "its spot is the next session's close: the rows are dated too early",
    )


def _return_trace(market: Market) -> Check:
    """Look for values whose changes go with the next session's return instead of their own.

    A value that is computed at a session's close moves with that session's return. One that
    moves with the next return instead, strongly, was computed at the next close.
    """
    returns = pd.Series(np.log(np.asarray(market.closes)), index=market.closes.index).diff()
    leaks, count = [], 0
    for name, table in {"regime": market.regime.table, **market.series}.items():
        change = np.diff(np.asarray(table["value"], dtype=float), prepend=np.nan)
        own = _rank_correlation(change, np.asarray(returns.reindex(table.index)))
        later = _rank_correlation(change, np.asarray(returns.shift(-1).reindex(table.index)))
        count += len(table)
        if abs(later) > 0.2 and abs(later) > 2.0 * abs(own):
            detail = (
                f"its changes go with the next return ({later:.2f}) instead of their own "
                f"({own:.2f}): the values are dated one session too early"
            )
            leaks += _first(
                name, pd.DatetimeIndex(table.index)[:1], "moves_with_the_next_return", detail
            )
    return count, leaks


def _rank_correlation(
    x: npt.NDArray[np.float64],
    y: npt.NDArray[np.float64],
) -> float:
    """Return Spearman's correlation over complete pairs; 0 where there are fewer than 100."""
    complete = np.isfinite(x) & np.isfinite(y)
    if complete.sum() < 100:
        return 0.0
    ranks = pd.DataFrame({"x": x[complete], "y": y[complete]}).rank()
    return float(np.corrcoef(ranks["x"], ranks["y"])[0, 1])
