"""Which contracts a simulated exchange lists: expirations and ladders of strikes.

Expirations follow the S&P 500's: one every session for the coming days, one a week for the coming
weeks, monthly ones settled at the open (AM) and, nearer by, at the close (PM), and long-dated ones
to two years. An expiration once listed stays until it dies.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import numpy.typing as npt

from ...base.errors import ConfigError
from ...calendar.trading import Settlement, TradingCalendar

__all__ = ["LONGEST", "Expiry", "Ladder", "ListingRules", "expiries", "ladder_for", "layout_for"]

_MONTH = 30.5  # calendar days
#: Calendar days ahead of the longest listing.
LONGEST = 730


@dataclass(frozen=True, slots=True)
class ListingRules:
    """How far ahead each kind of expiration is listed, and how many strikes each has.

    Attributes
    ----------
    daily : int
        Sessions ahead with an expiration every session.
    weekly : int
        Weeks ahead with an expiration on the week's last session.
    monthly, monthly_pm, quarterly : int
        Months ahead with a monthly expiration settled at the open, one settled at the close, and
        a quarterly one. June's and December's are listed two years ahead.
    strikes : int
        Strikes per expiration around the spot; each has a call and a put.
    """

    daily: int
    weekly: int
    monthly: int
    monthly_pm: int
    quarterly: int
    strikes: int


@dataclass(frozen=True, slots=True)
class Expiry:
    """One expiration: when it is listed, when it dies.

    Attributes
    ----------
    expiry : date
    settlement : {"AM", "PM"}
    listed, dies : int
        Positions of sessions in the calendar: the first on which it is quoted, and the one on
        which it stops existing (at the open or at the close).
    monthly : bool
        Whether it is a monthly expiration.
    """

    expiry: date
    settlement: Settlement
    listed: int
    dies: int
    monthly: bool


@dataclass(frozen=True, slots=True)
class Ladder:
    """Strikes as multiples of one base step.

    Attributes
    ----------
    base : float
        Smallest step, index points.
    count : int
        Number of multiples: strikes run from `base` to `base * count`.
    """

    base: float
    count: int

    @property
    def strikes(self) -> npt.NDArray[np.float64]:
        """Strikes in index points, ascending."""
        return self.base * np.arange(1, self.count + 1, dtype=np.float64)


# (contracts up to, layout without strikes, mean number of expirations it lists)
_SIZES: tuple[tuple[int, tuple[int, int, int, int, int], float], ...] = (
    (2_000, (3, 3, 3, 1, 6), 13.0),
    (6_000, (5, 6, 6, 3, 12), 21.0),
    (1_000_000, (10, 8, 12, 12, 24), 43.0),
)


def layout_for(contracts: int) -> ListingRules:
    """Return a layout with about `contracts` contracts a session.

    Raises
    ------
    ConfigError
        If `contracts` is below 200 or above 40,000.
    """
    if not 200 <= contracts <= 40_000:
        raise ConfigError(
            f"contracts: expected 200 to 40000 contracts a session, found {contracts}"
        )
    horizons, listed = next((h, n) for most, h, n in _SIZES if contracts <= most)
    return ListingRules(*horizons, strikes=max(8, round(contracts / (2 * listed))))


def ladder_for(layout: ListingRules, spot: float, *, reach: float = 8.0) -> Ladder:
    """Return the ladder that holds every strike a market starting at `spot` may list.

    Parameters
    ----------
    layout : Layout
    spot : float
        Price at the start, index points.
    reach : float
        Highest strike as a multiple of `spot`.
    """
    base = spot / 800 if layout.strikes >= 60 else spot / 160
    base = max(round(base, 2), 0.01)
    return Ladder(base=base, count=int(reach * spot / base))


def window(layout: ListingRules, ladder: Ladder, spot: float, years: float) -> tuple[int, int, int]:
    """Return (first, last + 1, step) of the ladder's positions listed around the spot.

    The step is the smallest of 1, 5, 20 base steps with which the layout's number of strikes
    reaches 2.5 one-sigma moves (of a 20 % market) to each side.
    """
    wanted = spot * max(0.02, min(0.6, 2.5 * 0.20 * years**0.5))
    half = layout.strikes // 2
    step = next((s for s in (1, 5) if s * ladder.base * half >= wanted), 20)
    centre = round(spot / (ladder.base * step)) * step
    first = centre - half * step
    last = first + (layout.strikes - 1) * step
    low = first if first >= step else step
    return low - 1, min(last, ladder.count), step


def expiries(
    layout: ListingRules, calendar: TradingCalendar, first: int, last: int
) -> tuple[Expiry, ...]:
    """Return every expiration that is quoted in sessions `first` ... `last` of the calendar.

    Sorted by expiry, AM before PM.
    """
    end = calendar.sessions[last].item() + timedelta(days=LONGEST)
    stop = calendar.position(end, at_or_before=True)
    found = [
        Expiry(day, settlement, listed, position, calendar.is_monthly(day))
        for position in range(first, stop + 1)
        for day in (calendar.sessions[position].item(),)
        for settlement, listed in _listings(layout, calendar, position, day)
        if listed <= last and (position > first or settlement == "PM")
    ]
    return tuple(found)


def _listings(
    layout: ListingRules, calendar: TradingCalendar, position: int, day: date
) -> Iterator[tuple[Settlement, int]]:
    am_days, pm_days = _horizons(layout, calendar, position, day)
    if am_days > 0:
        yield "AM", _first_session(calendar, day, am_days)
    yield "PM", min(position - layout.daily, _first_session(calendar, day, pm_days))


def _horizons(
    layout: ListingRules, calendar: TradingCalendar, position: int, day: date
) -> tuple[float, float]:
    """Return the calendar days ahead at which a session's AM and PM contracts are listed."""
    next_day = calendar.sessions[min(position + 1, len(calendar.sessions) - 1)].item()
    ends_week = next_day.isocalendar()[1] != day.isocalendar()[1]
    pm = 7.0 * layout.weekly if ends_week else 0.0
    if not calendar.is_monthly(day):
        return 0.0, pm
    am = _MONTH * layout.monthly
    if day.month % 3 == 0:
        am = max(am, _MONTH * layout.quarterly)
    return max(am, LONGEST if day.month in (6, 12) else 0.0), max(pm, _MONTH * layout.monthly_pm)


def _first_session(calendar: TradingCalendar, day: date, days: float) -> int:
    listed = np.datetime64(day - timedelta(days=int(days)), "D")
    return int(np.searchsorted(calendar.sessions, listed, side="left"))
