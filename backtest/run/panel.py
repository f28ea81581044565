"""What strategies may read of a market: its panel, and the deadlines of its decisions."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pandas as pd

from ...strategies import Column, Evaluation, Panel, panel_of
from ..execution.timing import session_rows

if TYPE_CHECKING:
    from ..execution.timing import Schedule
    from .market import Market

__all__ = ["evaluation_of", "market_panel", "on_schedule"]


def market_panel(market: Market) -> Panel:
    """Return a market's bars, regime, named series and calendar as one panel.

    Columns are ``open, high, low, close, volume``; ``regime`` (the value, missing where the gate
    refused it), ``regime.label`` and every numeric column of the regime table; ``series.NAME``;
    and what the calendar knows in advance (``calendar.*``).
    """
    sessions = pd.DatetimeIndex(market.bars.index)
    rows = session_rows(market.calendar, sessions)
    tables = {"regime": market.regime.table}
    tables |= {f"series.{name}": table for name, table in market.series.items()}
    panel = panel_of(
        market.bars,
        market.calendar.closes[rows],
        tables,
        opens_known_at=market.calendar.opens[rows],
    )
    return panel.with_columns(_calendar_columns(market, panel.sessions))


def evaluation_of(market: Market, schedule: Schedule, panel: Panel | None = None) -> Evaluation:
    """Return the evaluation of components under a schedule over all bars of the market."""
    return on_schedule(panel or market_panel(market), schedule)


def on_schedule(panel: Panel, schedule: Schedule) -> Evaluation:
    """Return the evaluation of components on a panel; nothing is too late between bars."""
    deadline = schedule.deadline.reindex(panel.sessions).dt.tz_convert(None)
    return Evaluation(panel, deadline.to_numpy().astype("datetime64[ns]"))


def _calendar_columns(market: Market, sessions: pd.DatetimeIndex) -> list[Column]:
    calendar = market.calendar
    rows = session_rows(calendar, sessions)
    every = calendar.sessions
    ends = _expirations(market, sessions)
    ahead, since = np.full(len(rows), np.nan), np.full(len(rows), np.nan)
    if ends.size:
        following = np.searchsorted(ends, rows)  # an expiration today is 0 sessions ahead
        inside = following < ends.size
        ahead[inside] = ends[following[inside]] - rows[inside]
        before = following - 1 + (ahead == 0)
        since[before >= 0] = rows[before >= 0] - ends[before[before >= 0]]
    weekday = pd.DatetimeIndex(every[np.minimum(rows + 1, len(every) - 1)].astype("datetime64[ns]"))
    year = np.full(len(rows), float(market.facts.sessions_per_year))
    return [
        _scheduled(
            "calendar.next_weekday", weekday.day_of_week.to_numpy().astype(np.float64), "day"
        ),
        _scheduled("calendar.sessions_to_expiration", ahead, "sessions"),
        _scheduled("calendar.sessions_since_expiration", since, "sessions"),
        _scheduled("calendar.sessions_a_year", year, "sessions"),
    ]


def _expirations(market: Market, sessions: pd.DatetimeIndex) -> npt.NDArray[np.int64]:
    """Return the positions in the calendar of the monthly expirations around some sessions."""
    known = pd.DatetimeIndex(market.calendar.sessions[[0, -1]].astype("datetime64[ns]"))
    first = max(sessions[0].to_period("M") - 2, known[0].to_period("M") + 1)
    last = min(sessions[-1].to_period("M") + 2, known[1].to_period("M") - 1)
    months = pd.period_range(first, last, freq="M")
    found = [
        market.calendar.monthly_expiration(month.year, month.month, market.facts.monthly)
        for month in months
    ]
    return session_rows(market.calendar, pd.DatetimeIndex(found))


def _scheduled(name: str, values: npt.NDArray[np.float64], unit: str) -> Column:
    never = np.full(values.shape, np.datetime64("NaT", "ns"))
    return Column(name, values, never, unit, scheduled=True)
