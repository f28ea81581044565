"""Opens and closes of an exchange: ``exchange_calendars``, and the sessions that it lacks."""

from __future__ import annotations

from datetime import date
from typing import Any

import pandas as pd

from ..base.errors import CalendarError
from .market_defaults import DEFAULT_CALENDAR

__all__ = ["exchange_schedule"]

#: Sessions that exchanges held and ``exchange_calendars`` does not know: Taiwan's make-up
#: Saturdays, special sessions in Mumbai (budgets, tests of the disaster site).
_ANNOUNCED: dict[str, tuple[date, ...]] = {
    "XTAI": (
        date(2016, 1, 30),
        date(2016, 6, 4),
        date(2016, 9, 10),
        date(2017, 2, 18),
        date(2017, 6, 3),
        date(2017, 9, 30),
        date(2018, 3, 31),
        date(2018, 12, 22),
    ),
    "XBOM": (
        date(2015, 2, 28),
        date(2020, 2, 1),
        date(2024, 1, 20),
        date(2024, 3, 2),
        date(2024, 5, 18),
        date(2025, 2, 1),
        date(2026, 2, 1),
    ),
}


def exchange_schedule(
    base: str, add: set[date], drop: set[date], first: str, last: str
) -> tuple[str, str, pd.DataFrame]:
    """Return the sessions of an exchange with their hours.

    Parameters
    ----------
    base : str
        A calendar name of ``exchange_calendars``, or an alias of one.
    add, drop : set of date
        Sessions that the package lacks, and days of its that are no sessions.
    first, last : str
        Bounds, ISO dates.

    Returns
    -------
    name : str
        The calendar's own name, where `base` is an alias.
    zone : str
        IANA zone of the exchange.
    schedule : DataFrame
        Indexed by session, ascending; ``open`` and ``close``, UTC.

    Raises
    ------
    CalendarError
        If there is no calendar of that name, or it has no session within the bounds.
    """
    import exchange_calendars

    try:
        calendar = _within_bounds(base, first, last)
    except exchange_calendars.errors.InvalidCalendarName as error:
        raise CalendarError(
            f"unknown exchange calendar {base!r}: use a name of exchange_calendars, "
            f"e.g. {DEFAULT_CALENDAR}"
        ) from error
    except ValueError as error:
        raise CalendarError(
            f"calendar {base!r} cannot cover {first} to {last}: {str(error).splitlines()[0]}"
        ) from error
    name, zone = str(calendar.name), str(calendar.tz)
    schedule = pd.concat([calendar.schedule[["open", "close"]], _beyond(calendar, last)])
    announced = {d for d in _ANNOUNCED.get(name, ()) if first <= d.isoformat() <= last}
    more = add | (announced - drop)
    if more or drop:
        schedule = _corrected(schedule, zone, more, drop)
    return name, zone, schedule


def _corrected(schedule: pd.DataFrame, zone: str, more: set[date], less: set[date]) -> pd.DataFrame:
    """Return a schedule with sessions added, with the usual hours of their year, and dropped."""
    kept = schedule[~schedule.index.isin([pd.Timestamp(day) for day in less])]
    fresh = [pd.Timestamp(day) for day in sorted(more) if pd.Timestamp(day) not in kept.index]
    rows = {}
    for day in fresh:
        place = int(kept.index.searchsorted(day))
        like = kept.iloc[max(place - 1, 0)]
        offset = day - kept.index[max(place - 1, 0)]
        rows[day] = {
            side: (like[side].tz_convert(zone).tz_localize(None) + offset)
            .tz_localize(zone)
            .tz_convert("UTC")
            for side in ("open", "close")
        }
    if not rows:
        return kept
    added = pd.DataFrame.from_dict(rows, orient="index")
    return pd.concat([kept, added.astype(kept.dtypes.to_dict())]).sort_index()


def _within_bounds(name: str, first: str, last: str) -> Any:
    """Return a calendar of ``exchange_calendars``, cut to what its exchange has announced."""
    import exchange_calendars

    try:
        return exchange_calendars.get_calendar(name, start=first, end=last)
    except ValueError:
        # only a calendar knows its bounds, and building a second one costs as much as the first
        kind = type(exchange_calendars.get_calendar(name))
        earliest, latest = kind.bound_min(), kind.bound_max()
        return exchange_calendars.get_calendar(
            name,
            start=first if earliest is None else max(pd.Timestamp(first), earliest),
            end=last if latest is None else min(pd.Timestamp(last), latest),
        )


def _beyond(calendar: Any, last: str) -> pd.DataFrame:
    """Return open and close of the weekdays after a calendar's end: hours of its last session."""
    final = calendar.schedule.iloc[-1]
    begin = calendar.bound_max() or pd.Timestamp(last)
    days = pd.bdate_range(begin + pd.Timedelta(days=1), last)
    hours = {
        side: final[side].tz_convert(calendar.tz).tz_localize(None) - pd.Timestamp(final.name)
        for side in ("open", "close")
    }
    return pd.DataFrame(
        {
            side: (days + after).tz_localize(calendar.tz).tz_convert("UTC")
            for side, after in hours.items()
        },
        index=days,
    )
