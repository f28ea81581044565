"""Dates and clocks of users' tables, held against the exchange's sessions, opens and closes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from ..base.errors import EarlyBarsError, InputFileError

if TYPE_CHECKING:
    from pathlib import Path

    from ..calendar.trading import TradingCalendar

__all__ = ["on_sessions", "require_clock"]

Days = npt.NDArray[np.datetime64]

#: Zones in which bars are written; fixed ones stand for clocks that never change.
_ZONES: Final = (
    "America/New_York", "America/Chicago", "America/Denver", "America/Los_Angeles", "UTC",
    "Etc/GMT+5", "Etc/GMT+6", "Etc/GMT+4", "Europe/London", "Europe/Berlin", "Europe/Athens",
    "Asia/Kolkata", "Asia/Shanghai", "Asia/Tokyo", "Asia/Taipei", "Australia/Sydney",
)  # fmt: skip
#: Share of the sessions on which a clock has to fit, or not to.
_MOST: Final = 0.9
_FEWEST_SESSIONS: Final = 3
_MINUTE: Final = np.timedelta64(60_000_000_000, "ns")
#: Dates, and the share of them off the sessions, from which a shift by a day is looked for.
_FEWEST_DATES: Final = 10
_OFF: Final = 0.1


def on_sessions(path: Path, dated: Days, calendar: TradingCalendar) -> npt.NDArray[np.bool_]:
    """Return which dates of a daily table are sessions.

    Parameters
    ----------
    path : Path
    dated : ndarray of datetime64[D], shape (n,)
    calendar : TradingCalendar

    Returns
    -------
    ndarray of bool, shape (n,)

    Raises
    ------
    InputFileError
        If many are no sessions, and nearly all would be a day later or earlier: midnights of
        another zone. Every value would count for the wrong session, perhaps before it was known.
    """
    inside = np.isin(dated, calendar.sessions)
    off = int((~inside).sum())
    if len(dated) < _FEWEST_DATES or off <= _OFF * len(dated):
        return inside
    for days, way in ((1, "later"), (-1, "earlier")):
        if np.isin(dated + np.timedelta64(days, "D"), calendar.sessions).mean() >= 1 - _OFF / 10:
            raise InputFileError(
                f"{path}: {off} of {len(dated)} dates are no sessions of {calendar.name} "
                f"({dated[~inside][0]} is the first), and all would be one day {way}: they are "
                "midnights of another zone; write dates as YYYY-MM-DD"
            )
    return inside


def require_clock(
    path: Path, moments: pd.Series[pd.Timestamp], calendar: TradingCalendar, zone: str
) -> None:
    """Refuse bars that fill every session under another clock than the one they are read by.

    Parameters
    ----------
    path : Path
    moments : Series of datetime64[ns, UTC]
        Starts of bars, ascending.
    calendar : TradingCalendar
    zone : str
        By which stamps without a zone were read.

    Raises
    ------
    InputFileError
        If bars start at the open and end at the close of nearly all sessions in another zone, or
        are stamped at their end, while read as they are they do not; the message names it. Bars
        that fit no clock (parts of a session, extended hours) are left alone.
    """
    starts = moments.dt.tz_localize(None).to_numpy().astype("datetime64[ns]")
    length = _length(starts)
    if length is None or _share(starts, length, calendar) >= _MOST:
        return
    if _share(starts - length, length, calendar) >= _MOST:
        minutes = int(length / _MINUTE)
        raise InputFileError(
            f"{path}: bars are stamped at their end (the last stamp of a session is its close): "
            f"subtract the length of a bar, {minutes} minutes, from every stamp"
        )
    wall = moments.dt.tz_convert(zone).dt.tz_localize(None)
    for other in _ZONES:
        placed = wall.dt.tz_localize(other, ambiguous="NaT", nonexistent="NaT").dropna()
        utc = placed.dt.tz_convert("UTC").dt.tz_localize(None).to_numpy().astype("datetime64[ns]")
        for shift, said in ((np.timedelta64(0, "ns"), ""), (length, ", stamped at their end")):
            if other != zone and _share(utc - shift, length, calendar) >= _MOST:
                said = (
                    f"{path}: read in {zone}, bars do not start at the open and end at the close "
                    f"of the sessions; in {other} they do{said}: name their zone "
                    f'(intraday_timezone = "{other}")'
                )
                if utc[0] - shift > starts[0]:
                    raise EarlyBarsError(said, moments.iloc[0].date())
                raise InputFileError(said)


def _length(starts: npt.NDArray[np.datetime64]) -> np.timedelta64 | None:
    """Return the usual distance of neighbouring bars, None where there is none of a day's part."""
    steps = np.diff(starts)
    within = steps[(steps > np.timedelta64(0, "ns")) & (steps <= 240 * _MINUTE)]
    if not within.size:
        return None
    lengths, counts = np.unique(within, return_counts=True)
    length: np.timedelta64 = lengths[int(np.argmax(counts))]
    return length


def _share(starts: npt.NDArray[Any], length: np.timedelta64, calendar: TradingCalendar) -> float:
    """Return the share of the days with bars on which they span exactly the session's hours.

    Hours whose length is no multiple of a bar's end with a shorter bar.
    """
    row = np.searchsorted(calendar.opens, starts + 12 * 60 * _MINUTE, side="right") - 1
    row = np.maximum(row, 0)
    edges = np.flatnonzero(np.append(True, np.diff(row) != 0))
    last = np.append(edges[1:], len(row)) - 1
    if len(edges) < _FEWEST_SESSIONS:
        return 1.0
    opens, closes = calendar.opens[row[edges]], calendar.closes[row[edges]]
    begins = starts[edges] == opens
    ends = (starts[last] < closes) & (starts[last] + length >= closes)
    return float((begins & ends).mean())
