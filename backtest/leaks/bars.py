"""Look-ahead in bars: prices that a session's bar can't have had yet."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from ..execution.timing import session_rows
from .found import Check, Leak, first_of

if TYPE_CHECKING:
    from ...data import TradingCalendar
    from ..run.config import Config
    from ..run.market import Market

__all__ = ["daily_bars", "intraday_bars"]

Floats = npt.NDArray[np.float64]

#: Prices that agree to this, in logs, are the same.
_SAME: Final = 1e-7
#: Share of sessions whose open is the close before, from which on it is no coincidence: .5 % of
#: SPY's, 4 % of the S&P 500's since 2011, 95 % of the index's before 2005.
_STALE: Final = 0.1
#: Share of such closes outside their own session's range that says whose price it is.
_OUTSIDE: Final = 0.03
#: A market closed for less than this has no overnight.
_NIGHT: Final = np.timedelta64(1, "h")
#: Minutes by which intraday stamps may be off: wrong time zones, half hours included.
_OFF: Final = (30, 60, 90, *range(120, 540, 60))
_FEWEST: Final = 20


def daily_bars(config: Config, market: Market) -> Check:
    """Look for opens that are the close before, in a market that closes over night.

    Either the open is stale, so that an order filled there trades at a price which its decision
    had read, or the close is the next open, which nobody knew.
    """
    bars = market.whole_bars if len(market.whole_bars) else market.bars
    bars = bars.loc[market.sessions[0] : market.sessions[-1]]
    sessions = pd.DatetimeIndex(bars.index)
    if len(sessions) < _FEWEST:
        return 0, []
    rows = session_rows(market.calendar, sessions)
    calendar = market.calendar
    night = calendar.opens[rows[1:]] - calendar.closes[rows[:-1]] > _NIGHT
    logs = {c: np.log(bars[c].to_numpy(dtype=np.float64)) for c in ("open", "high", "low", "close")}
    same = night & (np.abs(logs["open"][1:] - logs["close"][:-1]) < _SAME)
    share = float(same.sum()) / max(int(night.sum()), 1)
    if share <= _STALE:
        return len(sessions), []
    said = f"the close is the next session's open in {100.0 * share:.0f} % of the sessions"
    first = sessions[:-1][same][:1]
    if _outside(logs, "close") > _OUTSIDE and _outside(logs, "close") > _outside(logs, "open"):
        detail = f"{said}, and lies outside its own session's range: it was not known at the close"
        return len(sessions), first_of("bars", first, "close_is_the_next_open", detail)
    if config.fill == "next_open" or config.data.instrument_kind != "index":
        detail = (
            f"{said}: an order filled at that open trades at a price that its decision has read "
            '(fill at the next close: execution.fill = "next_close", or give bars with real opens)'
        )
        return len(sessions), first_of("bars", first, "open_is_the_previous_close", detail)
    return len(sessions), []


def _outside(logs: dict[str, Floats], name: str) -> float:
    """Return the share of sessions whose price lies outside their own range."""
    price = logs[name]
    beyond = (price > logs["high"] + _SAME) | (price < logs["low"] - _SAME)
    return float(beyond.mean())


def intraday_bars(market: Market) -> Check:
    """Look for intraday stamps that run ahead of the clock: the day's close before the close."""
    intraday = market.intraday
    if intraday is None or not intraday.minutes > 0.0:
        return 0, []
    frame = intraday.frame
    ends = _utc(frame["ts"]) + np.timedelta64(round(60 * intraday.minutes), "s")
    day = pd.DatetimeIndex(frame["session"])
    close = np.asarray(market.closes.reindex(day), dtype=np.float64)
    with np.errstate(divide="ignore", invalid="ignore"):
        hit = np.abs(np.log(frame["close"].to_numpy(dtype=np.float64) / close)) < _SAME
    before = _closes(market.calendar, day) - ends
    sessions = day.unique()
    at_close = _sessions_hit(day, hit & (before <= np.timedelta64(0, "m")))
    for minutes in _OFF:
        early = _sessions_hit(day, hit & (before == np.timedelta64(minutes, "m")))
        if len(early) > max(0.5 * len(sessions), len(at_close), 4):
            detail = (
                f"the session's close stands {minutes} minutes before the close: the stamps are "
                "early (time zone, or summer time), so that each bar knows what comes after it"
            )
            return len(frame), [Leak("intraday", early[0].date(), "bars_stamped_early", detail)]
    return len(frame), []


def _sessions_hit(day: pd.DatetimeIndex, hit: npt.NDArray[np.bool_]) -> pd.DatetimeIndex:
    return pd.DatetimeIndex(day[hit].unique())


def _closes(calendar: TradingCalendar, day: pd.DatetimeIndex) -> npt.NDArray[np.datetime64]:
    return calendar.closes[session_rows(calendar, day)]


def _utc(moments: pd.Series[pd.Timestamp]) -> npt.NDArray[np.datetime64]:
    return np.asarray(moments.dt.tz_convert("UTC").dt.tz_localize(None), dtype="datetime64[ns]")
