"""Looking for look-ahead in strategies that decide within the session."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pandas as pd

from ...strategies import LABELS, BarRows, Evaluation, bar_target_series, is_own
from ..execution.intraday import plan_bars
from ..run.bar_panel import bar_ground, reads_rechecked
from ..run.market import cut_market

if TYPE_CHECKING:
    from ...strategies import Panel, Strategy, TargetSeries
    from ..run.bar_panel import BarGround
    from ..run.market import Market

__all__ = ["early_orders", "frames_after_cuts", "frames_asked_again"]

Flags = npt.NDArray[np.bool_]
Ints = npt.NDArray[np.int64]
Pairs = list[tuple[pd.DataFrame, pd.DataFrame]]


def early_orders(market: Market, strategy: Strategy) -> tuple[int, dict[str, pd.DatetimeIndex]]:
    """Return how many stamps were compared, and by input the sessions of orders that knew too much.

    Parameters
    ----------
    market : Market
    strategy : Strategy
        One that decides within the session.
    """
    ground = bar_ground(market, recheck=reads_rechecked([strategy]))
    plan = plan_bars(strategy.name, bar_target_series(strategy, ground.rows), ground)
    due = np.full(len(plan.target), np.datetime64("NaT", "ns"))
    decided = plan.decided >= 0
    due[decided] = ground.schedule.due[plan.decided[decided]]
    count = sum(int((~np.isnat(known)).sum()) for known in plan.inputs.values())
    early = {
        title: ground.sessions[np.unique(ground.session[known > due])]
        for title, known in plan.inputs.items()
    }
    return count, early


def frames_after_cuts(
    market: Market,
    strategy: Strategy,
    lasts: pd.DatetimeIndex,
    other_future: Callable[[Panel, pd.Timestamp], Panel],
) -> Pairs:
    """Return what was decided up to some moments: with all data, and without what came later.

    Data end after a session, and in the middle of one; there they also go on otherwise. Where
    there are users' own components they also end after each bar of a session.

    Parameters
    ----------
    market : Market
    strategy : Strategy
        One that decides within the session.
    lasts : DatetimeIndex
        Sessions after which, and in which, the data are cut off.
    other_future : callable
        From a panel and a moment to the panel with everything after it another.
    """
    recheck = reads_rechecked([strategy])
    ground = bar_ground(market, recheck=recheck)
    whole = _frame(ground, bar_target_series(strategy, ground.rows))
    found = []
    for last in lasts[lasts.isin(ground.sessions)]:
        place = int(ground.sessions.searchsorted(last))
        mine = np.flatnonzero(ground.session == place)
        middle = int(mine[mine.size // 2])
        for rows in (_until(ground.rows, middle + 1), _otherwise(ground, middle, other_future)):
            part = _frame(ground, bar_target_series(strategy, rows))
            found.append((whole.iloc[: middle + 1], part.iloc[: middle + 1]))
        if recheck or place < 3:
            continue  # repricing is no user's code, and takes a rebuild's time
        ended = bar_ground(_ended(market, last))
        part = _frame(ended, bar_target_series(strategy, ended.rows))
        found.append((whole.iloc[: len(part)], part))
    for row in _bars_of_a_session(ground, whole) if is_own(strategy) else ():
        part = _frame(ground, bar_target_series(strategy, _until(ground.rows, int(row) + 1)))
        found.append((whole.iloc[: row + 1], part))
    return found


def frames_asked_again(market: Market, strategy: Strategy, fresh: Sequence[Strategy]) -> Pairs:
    """Return what was decided: once, and asked again; at last by components without a memory.

    Parameters
    ----------
    market : Market
    strategy : Strategy
        One that decides within the session.
    fresh : sequence of Strategy
        The same, started afresh: each is asked about fewer bars than the one before.
    """
    ground = bar_ground(market, recheck=reads_rechecked([strategy]))
    whole, again = (
        _frame(ground, bar_target_series(strategy, BarRows(bars, daily, ground.rows.day)))
        for bars, daily in ((_anew(ground.rows.bars), _anew(ground.rows.daily)) for _ in range(2))
    )
    found = [(whole, again)]
    for k, other in enumerate(fresh, start=1):
        count = max(1, len(whole) * (len(fresh) + 1 - k) // (len(fresh) + 1))
        part = _frame(ground, bar_target_series(other, _until(ground.rows, count)))
        found.append((whole.iloc[:count], part))
    return found


def _anew(evaluation: Evaluation) -> Evaluation:
    """Return an evaluation in which nothing has been asked yet."""
    return Evaluation(evaluation.panel, evaluation.deadline)


def _bars_of_a_session(ground: BarGround, whole: pd.DataFrame) -> Ints:
    """Return the bars of one session for each label that is traded, a quarter into the data.

    What is wrong at one time of day alone is not met by chance.
    """
    acts = whole["target"].fillna(0.0).to_numpy() != 0.0
    labels = whole["label"].to_numpy()
    chosen = []
    for label in LABELS:
        of_label = np.unique(ground.session[acts & (labels == label)])
        chosen += of_label[of_label.size // 4 :][:1].tolist()
    return np.flatnonzero(np.isin(ground.session, chosen))


def _frame(ground: BarGround, made: TargetSeries) -> pd.DataFrame:
    """Return decisions by row, those at a session's close left out: none fills."""
    n = made.codes.size
    label = np.array(LABELS, dtype=object)[made.codes.astype(np.int64)]
    closing = ground.closing[:n]
    values = {
        "label": np.where(closing, "abstain", label),
        "target": np.where(closing, 0.0, made.position),
    }
    return pd.DataFrame(values, index=ground.bars.index[:n])


def _until(rows: BarRows, count: int) -> BarRows:
    bars = Evaluation(rows.bars.panel.until(count), rows.bars.deadline[:count])
    return BarRows(bars, rows.daily, rows.day[:count])


def _otherwise(
    ground: BarGround, row: int, other_future: Callable[[Panel, pd.Timestamp], Panel]
) -> BarRows:
    bars = ground.rows.bars
    panel = other_future(bars.panel, ground.bars.index[row])
    return BarRows(Evaluation(panel, bars.deadline), ground.rows.daily, ground.rows.day)


def _ended(market: Market, last: pd.Timestamp) -> Market:
    cut = cut_market(market, last)
    assert market.intraday is not None
    first = market.intraday.frame["session"].min()
    return replace(cut, intraday=market.intraday.within(first, last, market.calendar))
