"""Look-ahead by recomputation: the same decisions from data that end early or go on otherwise."""

from __future__ import annotations

import warnings
from dataclasses import replace
from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from ...strategies import LONG, SHORT, Decisions, Strategy, decide, is_own, reloaded
from ..execution.timing import Schedule, make_schedule
from ..run.market import Market, cut_market
from ..run.panel import evaluation_of, market_panel
from .found import Check, Leak
from .within_session import frames_after_cuts, frames_asked_again

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ...strategies import Column, Evaluation, Panel
    from ..run.config import Config

__all__ = ["CUTS", "decided", "recomputed"]

Floats = npt.NDArray[np.float64]

#: Sessions after which the data are cut off and everything is recomputed.
CUTS: Final = 25
#: Sessions one after the other that hold each weekday and the end of a month.
_MONTH: Final = 23
#: Targets that differ by less are the same: sums over fewer rows round otherwise.
_ROUNDING: Final = 1e-9
_EARLIER: Final = np.timedelta64(1, "h")
#: A future beyond anything seen: times the largest value of the past, or as a factor on prices.
_EXTREME: Final = 3.0


def decided(market: Market, strategy: Strategy, schedule: Schedule) -> Decisions:
    """Return what a strategy decides after every bar of a market."""
    return decide(strategy, evaluation_of(market, schedule), pd.DatetimeIndex(market.bars.index))


def recomputed(config: Config, market: Market, strategy: Strategy, cuts: int) -> Check:
    """Recompute decisions from data that end early, or go on otherwise; the past must not change.

    Users' own components are also started afresh on the shortest data, and asked again after
    everything else: what one call leaves behind must not reach the next.
    """
    if strategy.intraday:
        return _recomputed_bars(market, strategy, cuts)
    schedule, panel = _schedule(config, market), market_panel(market)
    whole = decided(market, strategy, schedule).frame
    sessions = pd.DatetimeIndex(market.bars.index)
    if is_own(strategy):
        again = decided(market, strategy, schedule).frame
        if leaks := list(_differences(strategy, whole, again, _EARLIER_CALLS)):
            return 1, leaks[:1]  # whatever the data are
    leaks = []
    asked = _cut_sessions(market, cuts, whole)
    for i, last in enumerate(asked):
        cut = cut_market(market, last)
        part = decided(cut, strategy, _schedule(config, cut)).frame
        leaks += _differences(strategy, whole.loc[:last], part, _LATER_DATA)
        for future in (_other_future(panel, last, i), _extreme_future(panel, last, i)):
            other = evaluation_of(market, schedule, future)
            made = _quietly(strategy, other, sessions[sessions <= last])
            if made is not None:
                leaks += _differences(strategy, whole.loc[:last], made, _LATER_DATA)
    leaks += _left_behind(config, market, strategy, whole, asked)
    row = _one_after_the_other(market, whole) if is_own(strategy) else sessions[:0]
    for last in row:
        cut = cut_market(market, last)
        part = decided(cut, strategy, _schedule(config, cut)).frame
        leaks += _differences(strategy, whole.loc[:last], part, _LATER_DATA)
    leaks.sort(key=lambda leak: leak.session)
    return 3 * len(asked) + len(row), leaks[:1]


def _quietly(
    strategy: Strategy, evaluation: Evaluation, sessions: pd.DatetimeIndex
) -> pd.DataFrame | None:
    """Return decisions on values that never were; None where a component can't take them."""
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return decide(strategy, evaluation, sessions).frame
        except Exception:
            return None


def _recomputed_bars(market: Market, strategy: Strategy, cuts: int) -> Check:
    """Recompute decisions within the session from bars that end early, or go on otherwise."""
    afresh = [new for new in (_afresh(strategy), _afresh(strategy)) if new is not None]
    again = frames_asked_again(market, strategy, afresh) if afresh else []
    for one, other in again[:1]:
        if leaks := list(_differences(strategy, one, other, _EARLIER_CALLS)):
            return 1, leaks[:1]
    lasts = _cut_sessions(market, cuts, None)
    pairs = frames_after_cuts(market, strategy, lasts, _other_future)
    leaks = [
        leak for whole, part in pairs for leak in _differences(strategy, whole, part, _LATER_DATA)
    ]
    for whole, part in again:
        leaks += _differences(strategy, whole, part, _EARLIER_CALLS)
    leaks.sort(key=lambda leak: leak.session)
    return len(pairs) + len(again), leaks[:1]


_LATER_DATA: Final = (
    "changes_with_later_data",
    "recomputed without later sessions, or with others, it decides otherwise",
)
_EARLIER_CALLS: Final = (
    "depends_on_earlier_calls",
    "started afresh, or asked twice, it decides otherwise: what it keeps from one call to the next "
    "may come from later sessions, or it draws numbers without a seed",
)


def _left_behind(
    config: Config,
    market: Market,
    strategy: Strategy,
    whole: pd.DataFrame,
    asked: pd.DatetimeIndex,
) -> Iterator[Leak]:
    """Yield where decisions depend on what the components were asked before."""
    fresh = _afresh(strategy)
    if fresh is None:
        return
    again = decided(market, strategy, _schedule(config, market)).frame
    yield from _differences(strategy, whole, again, _EARLIER_CALLS)
    for last in asked[[len(asked) // 2, 0]]:
        cut, new = cut_market(market, last), _afresh(strategy)
        assert new is not None
        part = decided(cut, new, _schedule(config, cut)).frame
        yield from _differences(strategy, whole.loc[:last], part, _EARLIER_CALLS)


def _afresh(strategy: Strategy) -> Strategy | None:
    """Return a strategy whose own components have no memory; None where all are built in."""
    parts = {
        "filter": reloaded(strategy.filter),
        "long": reloaded(strategy.long),
        "short": reloaded(strategy.short),
        "neutral": reloaded(strategy.neutral),
        "sizing": reloaded(strategy.sizing),
    }
    changed = {name: part for name, part in parts.items() if part is not None}
    return replace(strategy, **changed) if changed else None  # type: ignore[arg-type]


def _other_future(panel: Panel, last: pd.Timestamp, turn: int = 0) -> Panel:
    """Return the panel with everything after a session another, values and moments.

    Reversed and turned over, or shuffled, by turns. A decision that reads one later value as part
    of an average, say, hardly changes where the data merely end; it does where what comes next is
    the opposite of what came.
    """
    kept = int(panel.sessions.searchsorted(last, side="right"))
    order = np.arange(len(panel.sessions) - kept)[::-1]
    if turn % 3 == 2:
        order = np.random.default_rng(turn).permutation(order)
    return panel.with_columns(
        _changed(column, kept, order) for column in panel.columns.values() if not column.scheduled
    )


def _changed(column: Column, kept: int, order: npt.NDArray[np.int64]) -> Column:
    values = column.values.copy()
    future = values[kept:][order]
    if column.unit == "label":
        values[kept:] = np.where(future == LONG, SHORT, np.where(future == SHORT, LONG, future))
    elif column.unit in {"price", "shares"}:
        past = values[:kept][values[:kept] > 0.0]
        turned = past[-1] ** 2 / np.where(future > 0.0, future, np.nan) if past.size else future
        values[kept:] = turned
    else:
        values[kept:] = -9.0 * future
    return _replaced(column, values, kept)


def _extreme_future(panel: Panel, last: pd.Timestamp, turn: int) -> Panel:
    """Return the panel with a future beyond anything seen, above or below it by turns.

    Such values change even an average that gives later sessions little weight.
    """
    kept = int(panel.sessions.searchsorted(last, side="right"))
    side = -1.0 if turn % 2 else 1.0
    return panel.with_columns(
        _driven(column, kept, side) for column in panel.columns.values() if not column.scheduled
    )


def _driven(column: Column, kept: int, side: float) -> Column:
    values = column.values.copy()
    future, past = values[kept:], values[:kept][np.isfinite(values[:kept])]
    there = np.isfinite(future)
    if column.unit == "label":
        future[there] = LONG if side > 0.0 else SHORT
    elif past.size and column.unit in {"price", "shares"}:
        future[there] = past[-1] * _EXTREME**side * (1.0 + 0.001 * np.arange(there.sum()))
    elif past.size:
        future[there] = side * _EXTREME * np.abs(past).max() * (1.0 + 0.1 * np.arange(there.sum()))
    return _replaced(column, values, kept)


def _replaced(column: Column, values: Floats, kept: int) -> Column:
    known = column.known_at.copy()
    known[kept:] -= _EARLIER
    return replace(column, values=values, known_at=known, content_id="")


def _schedule(config: Config, market: Market) -> Schedule:
    return make_schedule(market.calendar, pd.DatetimeIndex(market.bars.index), config.fill)


def _cut_sessions(market: Market, cuts: int, whole: pd.DataFrame | None) -> pd.DatetimeIndex:
    """Return sessions to cut at: spread over the period tested, drawn with a fixed seed.

    Every second one is moved to the session before the next change of position: there a decision is
    close, so that a small use of later sessions shows.
    """
    sessions = market.sessions
    edges = np.linspace(0, len(sessions) - 1, cuts + 1)
    draws = np.random.default_rng(0).random(cuts)
    at = (edges[:-1] + draws * np.diff(edges)).astype(np.int64)
    if whole is not None:
        frame = whole.reindex(sessions)
        turns = np.sign(frame["target"].to_numpy(dtype=np.float64))
        changed = (frame["label"] != frame["label"].shift()).to_numpy(copy=True)
        changed[1:] |= turns[1:] != turns[:-1]
        before = np.flatnonzero(changed[1:])
        following = np.searchsorted(before, at)
        move = (np.arange(cuts) % 2 == 1) & (following < before.size)
        at[move] = before[following[move]]
    return sessions[np.unique(at)]


def _one_after_the_other(market: Market, whole: pd.DataFrame) -> pd.DatetimeIndex:
    """Return a month's sessions, a quarter into those with decisions: the sooner, the cheaper.

    What is wrong on one weekday alone, or at the end of a month, is not met by chance.
    """
    sessions = market.sessions
    frame = whole.reindex(sessions)
    acts = (frame["label"] != "abstain") & (frame["target"].fillna(0.0) != 0.0)
    begun = int(np.argmax(acts.to_numpy()))
    start = begun + max(0, (len(sessions) - begun - _MONTH) // 4)
    return sessions[start : start + _MONTH]


def _differences(
    strategy: Strategy, whole: pd.DataFrame, part: pd.DataFrame, what: tuple[str, str]
) -> Iterator[Leak]:
    kind, said = what
    label = whole["label"].to_numpy() != part["label"].to_numpy()
    one, other = (frame["target"].to_numpy(dtype=np.float64) for frame in (whole, part))
    target = ~np.isclose(one, other, rtol=_ROUNDING, atol=_ROUNDING, equal_nan=True)
    for name, differs in (
        (f"filter {strategy.filter.name}", label),
        (_rules(strategy), target & ~label),
    ):
        if differs.any():
            session = whole.index[int(np.flatnonzero(differs)[0])]
            yield Leak(name, session.date(), kind, f"{strategy.name}: {said}")


def _rules(strategy: Strategy) -> str:
    return f"rules {strategy.long.name}, {strategy.short.name}, {strategy.neutral.name}"
