"""Intraday bars as rows: prices to fill and mark at, and what may be read at the end of each.

A session of m bars has m + 1 rows: each bar, whose open is where orders fill, and the close, at
which every position ends.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from ...data import ConfigError, NotEnoughDataError
from ...strategies import BarRows, Column, Evaluation, Panel
from ..execution.timing import Schedule, make_schedule, session_rows
from .panel import market_panel, on_schedule

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ...strategies import Strategy
    from .market import Market

__all__ = ["RECHECKED", "BarGround", "bar_ground", "reads_rechecked"]

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Moments = npt.NDArray[np.datetime64]
_PRICES = ("open", "high", "low", "close")
_NAT = np.datetime64("NaT", "ns")
#: Columns of the book repriced at each bar.
RECHECKED = ("net_to_gross", "net_gex", "flip_distance")


@dataclass(frozen=True, slots=True, eq=False)
class BarGround:
    """What strategies that decide within the session share on a market.

    Attributes
    ----------
    sessions : DatetimeIndex, shape (s,)
        With intraday bars and a daily one, ascending.
    bars : DataFrame, shape (n, ...)
        ``open, high, low, close`` by row.
    schedule : Schedule
        Of rows: a decision after one fills at the open of the next.
    rows : BarRows
    session : ndarray of int, shape (n,)
        Position in `sessions` of each row.
    closing : ndarray of bool, shape (n,)
        Rows that are a session's close.
    """

    sessions: pd.DatetimeIndex
    bars: pd.DataFrame
    schedule: Schedule
    rows: BarRows
    session: Ints
    closing: npt.NDArray[np.bool_]


def reads_rechecked(strategies: Iterable[Strategy]) -> bool:
    """Return whether any of some strategies reads the book repriced at each bar."""
    wanted = {f"bar.{name}" for name in RECHECKED}
    return any(
        past.of in wanted
        for strategy in strategies
        for part in (strategy.filter, strategy.long, strategy.short, strategy.neutral)
        for past in part.inputs().values()
    )


def bar_ground(market: Market, *, recheck: bool = False, panel: Panel | None = None) -> BarGround:
    """Return the rows of a market's intraday bars.

    Parameters
    ----------
    market : Market
    recheck : bool
        Whether to reprice the morning's book at every bar (takes a rebuild's time).
    panel : Panel, optional
        The daily one, where it is made already.

    Raises
    ------
    ConfigError, NotEnoughDataError
        If there are no intraday bars, or fewer than three sessions of them; if the book shall be
        repriced and there is no chain.
    """
    frame = _frame(market)
    sessions = pd.DatetimeIndex(frame["session"].unique(), name="session")
    clock = _clock(market, frame, sessions)
    n = clock.closing.size
    prices = np.empty((n, 4))
    prices[clock.row] = frame[list(_PRICES)].to_numpy(dtype=np.float64)
    prices[clock.closing] = prices[np.flatnonzero(clock.closing) - 1, 3:]
    index = pd.DatetimeIndex(clock.start, name="session")
    schedule = _schedule(index, clock.closing, clock.end)
    session: Ints = (np.cumsum(clock.closing) - clock.closing).astype(np.int64)
    values = _values(frame, clock)
    if recheck:
        values |= _rechecked(market, frame)
    never = np.full(n, _NAT)
    known_at = np.where(clock.closing, never, clock.end)
    daily = panel or market_panel(market)
    day = _days_before(market, daily, sessions)[session]
    columns = [_spread(name, found, clock.row, known_at) for name, found in values.items()]
    columns += [_of_day(column, day) for column in daily.columns.values()]
    made = Panel(index, {column.name: column for column in columns})
    bars = pd.DatetimeIndex(market.bars.index)
    every = make_schedule(market.calendar, bars, "next_close")
    return BarGround(
        sessions=sessions,
        bars=pd.DataFrame(prices, index=index, columns=list(_PRICES)),
        schedule=schedule,
        rows=BarRows(Evaluation(made, known_at), on_schedule(daily, every), day),
        session=session,
        closing=clock.closing,
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Clock:
    """When rows begin and end, UTC; and of bars the row, the session's open and its close."""

    start: Moments
    end: Moments
    closing: npt.NDArray[np.bool_]
    row: Ints
    opened: Moments
    closed: Moments


def _clock(market: Market, frame: pd.DataFrame, sessions: pd.DatetimeIndex) -> _Clock:
    assert market.intraday is not None
    place = sessions.get_indexer(pd.DatetimeIndex(frame["session"]))
    where = session_rows(market.calendar, sessions)
    opened = market.calendar.opens[where][place]
    closed = market.calendar.closes[where][place]
    begun = _utc(frame["ts"])
    ended = np.minimum(begun + np.timedelta64(round(market.intraday.minutes * 60), "s"), closed)
    last = np.append(place[1:] != place[:-1], True)
    row = np.arange(len(frame)) + place  # a close more for each session before
    closing = np.ones(len(frame) + len(sessions), dtype=np.bool_)
    closing[row] = False
    start = np.empty(closing.size, "datetime64[ns]")
    end = np.empty(closing.size, "datetime64[ns]")
    start[row], end[row] = begun, ended
    start[closing] = end[closing] = closed[last]
    return _Clock(start, end, closing, row, opened, closed)


def _values(frame: pd.DataFrame, clock: _Clock) -> dict[str, Floats]:
    """Return what may be read of each bar, by column."""
    there = [name for name in (*_PRICES, "volume") if name in frame]
    found = {f"bar.{name}": frame[name].to_numpy(dtype=np.float64) for name in there}
    begun, ended = clock.start[clock.row], clock.end[clock.row]
    return found | {
        "bar.session_open": frame.groupby("session")["open"].transform("first").to_numpy(),
        "bar.elapsed": _minutes(ended - clock.opened),
        "bar.left": _minutes(clock.closed - ended),
        "bar.minutes": _minutes(ended - begun),
    }


def _minutes(span: npt.NDArray[Any]) -> Floats:
    minutes: Floats = span.astype("timedelta64[ns]").astype(np.int64) / 60e9
    return minutes


def _frame(market: Market) -> pd.DataFrame:
    """Return the intraday bars of sessions that are tested and have a daily bar."""
    if market.intraday is None:
        raise ConfigError(
            "a strategy decides within the session, and there are no intraday bars: name them in "
            "data.intraday"
        )
    frame = market.intraday.frame
    frame = frame[frame["session"].isin(market.sessions)].reset_index(drop=True)
    count = frame["session"].nunique()
    if count < 3:
        raise NotEnoughDataError(
            f"only {count} sessions have intraday bars, a daily bar and a regime row; at least 3 "
            "are needed: give intraday bars of the period tested"
        )
    return frame


def _utc(stamps: pd.Series[pd.Timestamp]) -> Moments:
    return np.asarray(stamps.dt.tz_convert(None), dtype="datetime64[ns]")


def _schedule(index: pd.DatetimeIndex, closing: npt.NDArray[np.bool_], known: Moments) -> Schedule:
    """Return where decisions after each row fill: at the next one, and after a close nowhere."""
    n = len(index)
    following = np.where(closing, -1, np.arange(1, n + 1))
    moment = np.append(index.to_numpy()[1:], _NAT).astype("datetime64[ns]")
    filled = np.where(closing, _NAT, moment)
    return Schedule(index, following, filled, known, known, "next_open")


def _days_before(market: Market, daily: Panel, sessions: pd.DatetimeIndex) -> Ints:
    """Return the row of the daily panel of the bar before each session's; -1 for none."""
    bars = pd.DatetimeIndex(market.bars.index)
    before = bars.get_indexer(sessions) - 1
    rows = daily.sessions.get_indexer(bars[np.maximum(before, 0)])
    return np.where(before < 0, -1, rows).astype(np.int64)


def _spread(name: str, values: Floats, row: Ints, known_at: Moments) -> Column:
    found = np.full(known_at.size, np.nan)
    found[row] = values
    # minutes are those of the clock; a price is known at the end of its bar
    return Column(name, found, known_at, scheduled=name in ("bar.elapsed", "bar.left"))


def _of_day(column: Column, day: Ints) -> Column:
    """Return a daily column as it stood at the close before each bar's session."""
    values = np.where(day < 0, np.nan, column.values[day])
    known = np.where(day < 0, _NAT, column.known_at[day])
    return Column(f"day.{column.name}", values, known, column.unit, column.scheduled)


def _rechecked(market: Market, frame: pd.DataFrame) -> dict[str, Floats]:
    """Return what the morning's book says at the end of each bar; missing where it is degraded."""
    from ...data import intraday_regimes

    if market.regime.kind != "lake":
        raise ConfigError(
            "a strategy reads the regime re-checked at each bar, which needs chains, and the "
            'regime is a published series: use regime.source = "lake", or another filter'
        )
    rows = market.regime.rows
    found = intraday_regimes(rows.lake, rows.job or rows.spec, frame).frame
    found = found.drop_duplicates("ts").set_index("ts")
    kept = found[found["regime"] != "abstain"]
    at = kept.reindex(pd.DatetimeIndex(frame["ts"]).tz_convert("UTC"))
    return {f"bar.{name}": at[name].to_numpy(dtype=np.float64) for name in RECHECKED}
