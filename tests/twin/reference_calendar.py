"""Sessions and expirations, read straight from exchange_calendars: no import from gexlab."""

from __future__ import annotations

from datetime import date, timedelta
from functools import lru_cache

import exchange_calendars
import pandas as pd


@lru_cache(maxsize=4)
def schedule(name: str = "XNYS") -> pd.DataFrame:
    """Opens and closes, UTC, by session (plain dates), 2005 to 2040."""
    calendar = exchange_calendars.get_calendar(name, start="2005-01-01", end="2040-12-31")
    frame: pd.DataFrame = calendar.schedule[["open", "close"]]
    frame.index = pd.Index([stamp.date() for stamp in frame.index], name="session")
    return frame


@lru_cache(maxsize=100_000)
def session_at_or_before(day: date, name: str = "XNYS") -> date:
    days = schedule(name).index
    while day not in days:
        day -= timedelta(days=1)
    return day


@lru_cache(maxsize=100_000)
def next_session(day: date, name: str = "XNYS") -> date:
    days = schedule(name).index
    day += timedelta(days=1)
    while day not in days:
        day += timedelta(days=1)
    return day


@lru_cache(maxsize=100_000)
def session_open(day: date, name: str = "XNYS") -> pd.Timestamp:
    return pd.Timestamp(schedule(name)["open"].to_dict()[day])


@lru_cache(maxsize=100_000)
def session_close(day: date, name: str = "XNYS") -> pd.Timestamp:
    return pd.Timestamp(schedule(name)["close"].to_dict()[day])


@lru_cache(maxsize=100_000)
def expiry_moment(expiry: date, settlement: str, name: str = "XNYS") -> pd.Timestamp:
    """Open (AM) or close (PM) of the last session at or before the listed expiry."""
    session = session_at_or_before(expiry, name)
    return session_open(session, name) if settlement == "AM" else session_close(session, name)


def third_friday(year: int, month: int) -> date:
    fridays = [
        date(year, month, day) for day in range(15, 22) if date(year, month, day).weekday() == 4
    ]
    return fridays[0]


@lru_cache(maxsize=100_000)
def is_monthly(expiry: date, name: str = "XNYS") -> bool:
    """Third Friday, the previous session where it is none, or the Saturday after it."""
    if expiry.weekday() == 5:
        expiry -= timedelta(days=1)
    friday = third_friday(expiry.year, expiry.month)
    return expiry in (friday, session_at_or_before(friday, name))
