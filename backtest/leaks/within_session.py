"""Looking for look-ahead in strategies that decide within the session."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pandas as pd

from ...strategies import LABELS, BarRows, Evaluation, bar_target_series
from ..execution.intraday import plan_bars
from ..run.bar_panel import bar_ground, reads_rechecked
from ..run.market import cut_market

if TYPE_CHECKING:
    from ...strategies import Panel, Strategy, TargetSeries
    from ..run.bar_panel import BarGround
    from ..run.market import Market

__all__ = ["early_orders", "frames_after_cuts"]

Flags = npt.NDArray[np.bool_]


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
) -> list[tuple[pd.DataFrame, pd.DataFrame]]:
    """Return what was decided up to some moments: with all data, and without what came later.

    Data end after a session, and in the middle of one; there they also go on otherwise.

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
    return found


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
