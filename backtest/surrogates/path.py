"""The path that books are made on: the user's own closes, volatility and calendar."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt

from ...data import EXCHANGE_SESSIONS
from .kernels import EXPIRIES, PUT_REACH, REACH, STEP, fill_gammas

if TYPE_CHECKING:
    from ...data import MonthlyRule

__all__ = [
    "FILLING",
    "Path",
    "ewma_volatility",
    "first_after_monthly",
    "path_of",
    "weeks",
]

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Days = npt.NDArray[np.datetime64]

#: Sessions at the first price that fill the book where none of the user's own come before.
FILLING: Final = 126
_WEEKLIES: Final = 65  # sessions ahead that expirations of any week are listed
_MONTHLIES: Final = 130
_YEAR: Final = float(EXCHANGE_SESSIONS)  # scale of volatility alone
_MEMORY: Final = 0.94


@dataclass(frozen=True, slots=True, eq=False)
class Path:
    """A path with everything that its books share; rows are sessions, those of filling first.

    Attributes
    ----------
    lead : int
        Rows that come before the user's first session.
    place : ndarray of int, shape (n,)
    price : ndarray, shape (n,)
    drivers : ndarray, shape (n, 5)
        What customers react to: log of volatility over its usual level; return of 20 sessions, and
        of the session, in its standard deviations; change of log volatility over .05; 1 in the week
        of a monthly expiration.
    left, monthly, age : ndarray, shape (n, EXPIRIES)
    gammas : ndarray, shape (n, EXPIRIES, 2 REACH + 1)
    width : ndarray of int, shape (n, EXPIRIES)
    cells : int
    """

    lead: int
    place: Ints
    price: Floats
    drivers: Floats
    left: Ints
    monthly: npt.NDArray[np.bool_]
    age: Ints
    gammas: npt.NDArray[np.float32]
    width: Ints
    cells: int

    @property
    def rows(self) -> int:
        """Rows, those of filling included."""
        return len(self.place)


def ewma_volatility(log_close: Floats) -> Floats:
    """Return the volatility a year of past returns, exponentially weighted (.94 a session).

    Row t uses returns up to t. The first value is the absolute size of the first returns' mean.
    """
    squares = np.diff(log_close) ** 2
    out = np.empty(len(log_close))
    level = float(squares[:20].mean()) if len(squares) else 1e-4
    level = max(level, 1e-8)
    out[0] = level
    for t in range(1, len(log_close)):
        level = _MEMORY * level + (1.0 - _MEMORY) * squares[t - 1]
        out[t] = level
    return np.asarray(np.sqrt(_YEAR * np.maximum(out, 1e-10)))


def path_of(log_close: Floats, volatility: Floats, days: Days, monthly: MonthlyRule) -> Path:
    """Return the path of a sequence of sessions, with weekdays at the first price before them.

    Parameters
    ----------
    log_close : ndarray, shape (n,)
    volatility : ndarray, shape (n,)
        A year, decimal, known at each close.
    days : ndarray of datetime64[D], shape (n,)
    monthly : MonthlyRule
        Of the market's standard expirations.
    """
    level = np.concatenate([np.full(FILLING, log_close[0]), log_close])
    sigma = np.concatenate([np.full(FILLING, volatility[0]), volatility])
    before = np.busday_offset(days[0], -np.arange(FILLING, 0, -1), roll="forward")
    every = np.concatenate([before.astype("datetime64[D]"), days])
    standard = _monthly_weeks(every, monthly)
    left, is_monthly, age = _listed(every, standard)
    # strikes lie whole steps from the first price: no later one moves them
    below = int(np.ceil((level[0] - float(level.min())) / STEP)) + REACH + PUT_REACH
    first = float(level[0]) - below * STEP
    place = np.floor((level - first) / STEP + 0.5).astype(np.int64)
    gammas = np.zeros((len(level), EXPIRIES, 2 * REACH + 1), dtype=np.float32)
    width = np.zeros((len(level), EXPIRIES), dtype=np.int64)
    fill_gammas(level, sigma, first, left, gammas, width)
    return Path(
        lead=FILLING,
        place=place,
        price=np.exp(level - log_close[0]),
        drivers=_drivers(level, sigma, np.isin(weeks(every), standard)),
        left=left,
        monthly=is_monthly,
        age=age,
        gammas=gammas,
        width=width,
        cells=int(place.max()) + REACH + PUT_REACH,
    )


def _drivers(level: Floats, sigma: Floats, months: npt.NDArray[np.bool_]) -> Floats:
    logs = np.log(sigma)
    usual = np.empty(len(logs))
    mean = logs[0]
    for t, value in enumerate(logs):
        usual[t] = mean
        mean += (value - mean) / 250.0
    daily = sigma / np.sqrt(_YEAR)
    ret = np.concatenate([[0.0], np.diff(level)])
    trend = np.zeros(len(level))
    trend[20:] = (level[20:] - level[:-20]) / (daily[20:] * np.sqrt(20.0))
    change = np.concatenate([[0.0], np.diff(logs)]) / 0.05
    return np.column_stack(
        [
            logs - usual,
            np.clip(trend, -4.0, 4.0),
            np.clip(ret / daily, -6.0, 6.0),
            np.clip(change, -6.0, 6.0),
            months.astype(np.float64),
        ]
    )


def weeks(days: Days) -> Ints:
    """Return the number of each day's week; weeks end on Fridays."""
    return (days.astype(np.int64) + 5) // 7


def first_after_monthly(days: Days, rule: MonthlyRule) -> npt.NDArray[np.bool_]:
    """Return which days are the first of a week after one with a monthly expiration."""
    week = weeks(days)
    new = np.append(False, np.diff(week) != 0)
    return new & np.isin(np.append(week[:1], week[:-1]), _monthly_weeks(days, rule))


def _monthly_weeks(days: Days, rule: MonthlyRule) -> Ints:
    """Return the numbers of weeks that hold a monthly expiration, beyond the last day too."""
    first, last = days[0].astype("datetime64[M]"), days[-1].astype("datetime64[M]")
    months = np.arange(first - 1, last + 14).astype(object)
    dates = np.array([rule.day(m.year, m.month) for m in months], dtype="datetime64[D]")
    return np.unique(weeks(dates))


def _listed(days: Days, standard: Ints) -> tuple[Ints, npt.NDArray[np.bool_], Ints]:
    """Return weekdays left, whether monthly, and age by session and slot.

    Every Friday is an expiration, listed 13 weeks ahead or, where its week holds a monthly one,
    26 weeks. Rows depend on their own dates alone, not on where the sample ends.
    """
    n = len(days)
    week = weeks(days)
    # of the five weekdays of a week, those that are still to come; a weekend stands before all
    weekday = np.minimum((days.astype(np.int64) + 5) % 7, 6)
    ahead = np.where(weekday < 2, 4, 6 - weekday)
    left = np.full((n, EXPIRIES), -1, dtype=np.int64)
    monthly = np.zeros((n, EXPIRIES), dtype=np.bool_)
    age = np.zeros((n, EXPIRIES), dtype=np.int64)
    is_standard = set(standard.tolist())
    listed = range(int(week[0]), int(week[-1]) + _MONTHLIES // 5 + 1)
    listing = {w: w - (_MONTHLIES if w in is_standard else _WEEKLIES) // 5 for w in listed}
    free = np.full(EXPIRIES, -1, dtype=np.int64)  # last week of the slot's expiration
    for w in sorted(listed, key=lambda w: (max(listing[w], int(week[0])), w)):
        born = max(listing[w], int(week[0]))
        start, stop = np.searchsorted(week, born), np.searchsorted(week, w, side="right")
        slots = np.flatnonzero(free < born)
        if start >= stop or not len(slots):
            continue
        slot = int(slots[0])
        rows = np.arange(start, stop)
        left[rows, slot] = 5 * (w - week[rows]) + ahead[rows]
        monthly[rows, slot] = w in is_standard
        age[rows, slot] = rows - start
        free[slot] = w
    return left, monthly, age
