"""The volatility that a chain itself implies, at a constant maturity of 30 days.

Two numbers: that of options at the money, and the rate of a variance swap (`variance_swap`).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeAlias

import numpy as np
import numpy.typing as npt

from ..base.compiling import compiled
from .snapshot import Groups, Snapshot
from .variance_swap import NO_REASON, REASONS, expiry_variance

if TYPE_CHECKING:
    from .forwards import ForwardCurve
    from .strike_lines import Volatility

__all__ = [
    "DAYS",
    "MISSING",
    "ChainVolatility",
    "Maturity",
    "at_maturity",
    "chain_volatility",
    "expected_move",
]

Floats: TypeAlias = npt.NDArray[np.float64]
Flags: TypeAlias = npt.NDArray[np.bool_]
Ints: TypeAlias = npt.NDArray[np.int64]

#: Maturity, calendar days.
DAYS: Final = 30.0
_YEAR_DAYS: Final = 365.0
_YEAR_US: Final = _YEAR_DAYS * 86_400e6
#: Between two expirations the later may be the next but one of a quarterly cycle.
_FURTHEST_DAYS: Final = 190.0
#: An expiration that stands alone for the maturity: at least a week, at most a quarter.
_ALONE_DAYS: Final = (7.0, 93.0)
_NO_EXPIRY: Final = "no expirations around 30 days"
_NO_VOLATILITY: Final = "no volatility at the money"
#: Every reason why there is no volatility.
MISSING: Final = (*REASONS, _NO_EXPIRY, _NO_VOLATILITY)


@dataclass(frozen=True, slots=True)
class Maturity:
    """A volatility at a constant maturity.

    Attributes
    ----------
    volatility : float
        Decimal a year; NaN where there is none.
    near_days, next_days : float
        Calendar days to the expirations that it was made from; NaN where one stands alone, or
        none.
    reason : str
        Why there is none; empty where there is one.
    """

    volatility: float
    near_days: float
    next_days: float
    reason: str = NO_REASON


@dataclass(frozen=True, slots=True)
class ChainVolatility:
    """What a chain says of the next 30 days.

    Attributes
    ----------
    at_the_money : Maturity
        From the volatility at the forward of each expiration.
    variance_swap : Maturity
        By Cboe's published method.
    """

    at_the_money: Maturity
    variance_swap: Maturity


@compiled(nogil=True)
def _money(
    start: int, stop: int, strike: Floats, is_call: Flags, own: Floats, forward: float
) -> float:
    """Return the volatility at the forward, linear in ln K between the strikes around it.

    Each strike's volatility is that of its out-of-the-money side, else of the other.
    """
    low, high, at_low, at_high = 0.0, 0.0, np.nan, np.nan
    i = start
    while i < stop:
        k, otm, other = strike[i], np.nan, np.nan
        while i < stop and strike[i] == k:
            if not math.isnan(own[i]):
                if is_call[i] == (k >= forward):
                    otm = own[i]
                else:
                    other = own[i]
            i += 1
        value = other if math.isnan(otm) else otm
        if math.isnan(value):
            continue
        if k <= forward:
            low, at_low = k, value
        if k >= forward:
            high, at_high = k, value
            break
    if math.isnan(at_low + at_high) or high > 1.25 * low:
        return np.nan
    if high == low:
        return at_low
    share = math.log(forward / low) / math.log(high / low)
    return at_low + share * (at_high - at_low)


@compiled(nogil=True)
def _fill_around(
    order: Ints, days: Floats, start: Ints, strike: Floats, is_call: Flags, mid: Floats,
    own: Floats, forward: Floats, years: Floats, rate: Floats, level: Floats, swap: Floats,
) -> tuple[bool, int]:  # fmt: skip
    """Fill volatilities at the money and variances of swaps, outwards from the maturity.

    On each side of it until there is one of each.

    Parameters
    ----------
    order : ndarray of int64, shape (g,)
        Expirations, ascending.
    days : ndarray, shape (g,)
    start : ndarray of int64, shape (g + 1,)
    strike, is_call, mid, own : ndarray, shape (n,)
    forward, years, rate : ndarray, shape (g,)
    level, swap : ndarray, shape (g,)
        To fill.

    Returns
    -------
    bool
        Whether any expiration is near enough to be looked at.
    int
        Reason code of the last one that has no variance; 0 where all that were asked have.
    """
    later = 0
    while later < order.size and days[order[later]] <= DAYS:
        later += 1
    reached, code = False, 0
    for side in range(2):  # below, above: a loop, so that it is compiled once
        near, failed = _fill_outwards(
            later - 1 + side, 2 * side - 1, order, days, start, strike, is_call, mid, own, forward,
            years, rate, level, swap,
        )  # fmt: skip
        reached, code = reached or near, failed or code
    return reached, code


@compiled(nogil=True)
def _fill_outwards(
    nearest: int, step: int, order: Ints, days: Floats, start: Ints, strike: Floats, is_call: Flags,
    mid: Floats, own: Floats, forward: Floats, years: Floats, rate: Floats, level: Floats,
    swap: Floats,
) -> tuple[bool, int]:  # fmt: skip
    """Fill one side of the maturity, the nearest first; return as `_fill_around` does."""
    reached, code = False, 0
    has_level, has_swap = False, False
    for place in range(nearest, order.size if step > 0 else -1, step):
        g = order[place]
        if not 0.0 < days[g] <= _FURTHEST_DAYS:
            continue
        reached = True
        first, stop = start[g], start[g + 1]
        if not has_level:
            level[g] = _money(first, stop, strike, is_call, own, forward[g])
            has_level = not math.isnan(level[g])
        if not has_swap:
            swap[g], failed = expiry_variance(first, stop, strike, is_call, mid, years[g], rate[g])
            code = failed or code
            has_swap = failed == 0
        if has_level and has_swap:
            break
    return reached, code


@compiled(nogil=True)
def _neighbours(order: Ints, days: Floats, variance: Floats, maturity: float, out: Floats) -> bool:
    """Fill the last usable expiration up to a maturity and the first after it.

    Parameters
    ----------
    order : ndarray of int64, shape (g,)
        Expirations, ascending.
    days, variance : ndarray, shape (g,)
    maturity : float
    out : ndarray, shape (4,)
        To fill: days and variance of the one, then of the other; NaN where there is none.

    Returns
    -------
    bool
        Whether any expiration is near enough to be looked at.
    """
    around = False
    for i in range(4):
        out[i] = np.nan
    for i in range(order.size):
        g = order[i]
        if not 0.0 < days[g] <= _FURTHEST_DAYS:
            continue
        around = True
        if math.isfinite(variance[g]):
            if days[g] <= maturity:
                out[0], out[1] = days[g], variance[g]
            elif math.isnan(out[2]):
                out[2], out[3] = days[g], variance[g]
    return around


@compiled(nogil=True)
def _find_month(
    quote_us: int, expiry_us: Ints, start: Ints, strike: Floats, is_call: Flags, mid: Floats,
    own: Floats, forward: Floats, rate: Floats, out: Floats,
) -> tuple[bool, int]:  # fmt: skip
    """Fill what the expirations around the maturity say; return as `_fill_around` does.

    Parameters
    ----------
    quote_us : int
        Microseconds since 1970, as `expiry_us`.
    expiry_us, forward, rate : ndarray, shape (g,)
    start : ndarray of int64, shape (g + 1,)
    strike, is_call, mid, own : ndarray, shape (n,)
    out : ndarray, shape (2, 4)
        To fill, as `_neighbours` does: volatilities at the money, variances of swaps.
    """
    size = expiry_us.size
    years, days, values = np.empty(size), np.empty(size), np.empty((2, size))
    order = np.empty(size, np.int64)
    for g in range(size):
        years[g] = (expiry_us[g] - quote_us) / _YEAR_US
        days[g] = years[g] * _YEAR_DAYS
        values[0, g] = values[1, g] = np.nan
        place = g  # groups ascend but for what settles in the morning
        while place > 0 and days[order[place - 1]] > days[g]:
            order[place] = order[place - 1]
            place -= 1
        order[place] = g
    reached, code = _fill_around(
        order, days, start, strike, is_call, mid, own, forward, years, rate, values[0], values[1]
    )
    for k in range(2):
        _neighbours(order, days, values[k], DAYS, out[k])
    return reached, code


def at_maturity(
    days: Floats, variance: Floats, missing: str = _NO_EXPIRY, maturity: float = DAYS
) -> Maturity:
    """Return the volatility at a maturity from total variance, linear in time between two.

    The last expiration up to the maturity and the first one after it. Where one side has none, the
    nearest of the other stands alone, of 7 to 93 days: its volatility is taken for the maturity's.

    Parameters
    ----------
    days : ndarray, shape (g,)
        To each expiration, ascending, fractions included.
    variance : ndarray, shape (g,)
        A year; NaN where an expiration has none.
    missing : str
        Why there is none where expirations are there, but without a variance.
    maturity : float
        Calendar days.

    Examples
    --------
    Cboe's own example: 24.95 and 32.22 days, 13.69 %.

    >>> days = np.array([35_924.0, 46_394.0]) / 1_440.0
    >>> round(100 * at_maturity(days, np.array([0.01846292, 0.01882101])).volatility, 2)
    13.69
    """
    found = np.empty(4)
    around = _neighbours(np.arange(days.size), days, variance, maturity, found)
    return _between(found.tolist(), missing if around else _NO_EXPIRY, maturity)


def _between(around: list[float], missing: str, maturity: float = DAYS) -> Maturity:
    """Return the volatility at a maturity from what `_neighbours` filled."""
    near_days, near, next_days, following = around
    if near_days == near_days and next_days == next_days:
        weight = (next_days - maturity) / (next_days - near_days)
        total = weight * near_days * near
        total += (1.0 - weight) * next_days * following
        return Maturity(math.sqrt(total / maturity), near_days, next_days)
    alone = near_days if near_days == near_days else next_days
    if _ALONE_DAYS[0] <= alone <= _ALONE_DAYS[1]:
        only = near if alone == near_days else following
        return Maturity(math.sqrt(only), near_days, next_days)
    return Maturity(math.nan, math.nan, math.nan, missing)


def expected_move(found: ChainVolatility, spot: float, sessions_per_year: int) -> float:
    """Return the standard deviation of one session's move, points; NaN where nothing says it.

    From the variance swap's volatility, else that at the money.
    """
    swap, money = found.variance_swap.volatility, found.at_the_money.volatility
    level = money if math.isnan(swap) else swap
    return spot * level / math.sqrt(sessions_per_year)


def chain_volatility(
    chain: Snapshot, groups: Groups, market: ForwardCurve, own: Volatility
) -> ChainVolatility:
    """Return what a snapshot says of the volatility of the next 30 days.

    Parameters
    ----------
    chain : Snapshot
    groups : Groups
    market : ForwardCurve
        Forwards of the volatility at the money, and rates.
    own : Volatility
        Each contract's own.
    """
    around = np.empty((2, 4))
    reached, code = _find_month(
        chain.quote_us, groups.expiry_us, groups.start, chain.strike, chain.is_call, chain.mid,
        own.value, market.forward, market.rate, around,
    )  # fmt: skip
    (near_days, near, next_days, following), swap = around.tolist()
    money = [near_days, near**2, next_days, following**2]
    return ChainVolatility(
        _between(money, _NO_VOLATILITY if reached else _NO_EXPIRY),
        _between(swap, REASONS[code] or _NO_EXPIRY),
    )
