"""The variance that one expiration's quotes imply, by the method that Cboe publishes for VIX.

From all out-of-the-money quotes of the expiration, whatever their model: the rate of a variance
swap.
"""

from __future__ import annotations

import math
from typing import Final, TypeAlias

import numpy as np
import numpy.typing as npt

from ..base.compiling import compiled
from .side_means import side_means

__all__ = ["NO_REASON", "REASONS", "expiry_variance"]

Floats: TypeAlias = npt.NDArray[np.float64]
Flags: TypeAlias = npt.NDArray[np.bool_]
Ints: TypeAlias = npt.NDArray[np.int64]

#: Quotes must reach so many standard deviations: less misses 2 % of the variance on that side.
_NARROWEST: Final = 1.5
#: Strikes h standard deviations apart overstate the volatility by h^2 / 12: at most 3 %.
_COARSEST: Final = 0.6
_FEWEST: Final = 2

NO_REASON: Final = ""
#: By code; 0: there is a variance.
REASONS: Final = (
    NO_REASON,
    "no strike is quoted on both sides for calls and puts",
    "fewer than 2 out-of-the-money quotes on a side",
    "quotes do not reach 1.5 standard deviations on both sides",
    "the variance is not positive",
    "strikes are more than 0.6 standard deviations apart",
)


@compiled(nogil=True)
def _quotes(
    start: int, stop: int, strike: Floats, is_call: Flags, mid: Floats,
    strikes: Floats, calls: Floats, puts: Floats,
) -> int:  # fmt: skip
    """Collect the strikes of an expiry group and their mids; NaN where there is no quote."""
    found, i = 0, start
    while i < stop:
        begin = i
        while i < stop and strike[i] == strike[begin]:
            i += 1
        strikes[found] = strike[begin]
        calls[found], puts[found] = side_means(begin, i, is_call, mid)
        found += 1
    return found


@compiled(nogil=True)
def _centre(
    n: int, strikes: Floats, calls: Floats, puts: Floats, growth: float
) -> tuple[int, float]:
    """Return the place of K0 and the forward; -1 where no strike is quoted on both sides.

    The forward is that of the strike whose call and put are nearest in price; K0 the largest such
    strike at or below it.
    """
    nearest, least = -1, np.inf
    for i in range(n):
        gap = abs(calls[i] - puts[i])
        if gap < least:
            nearest, least = i, gap
    if nearest < 0:
        return -1, np.nan
    forward = strikes[nearest] + growth * (calls[nearest] - puts[nearest])
    place = -1
    for i in range(n):
        if strikes[i] <= forward and not math.isnan(calls[i] + puts[i]):
            place = i
    return place, forward


@compiled(nogil=True)
def _chosen(
    n: int, place: int, calls: Floats, puts: Floats, kept: Ints, price: Floats
) -> tuple[int, int]:
    """Choose the strikes that count, ascending; return how many, and which of them is K0.

    Outwards from K0, passing over strikes without a bid, until two neighbours have none.
    """
    low, missing, i = place, 0, place - 1
    while i >= 0 and missing < 2:
        missing = missing + 1 if math.isnan(puts[i]) else 0
        if missing == 0:
            low = i
        i -= 1
    count, centre = 0, 0
    for i in range(low, place):
        if not math.isnan(puts[i]):
            kept[count], price[count] = i, puts[i]
            count += 1
    centre = count
    kept[count], price[count] = place, 0.5 * (calls[place] + puts[place])
    count += 1
    missing, i = 0, place + 1
    while i < n and missing < 2:
        if math.isnan(calls[i]):
            missing += 1
        else:
            missing = 0
            kept[count], price[count] = i, calls[i]
            count += 1
        i += 1
    return count, centre


@compiled(nogil=True)
def expiry_variance(
    start: int, stop: int, strike: Floats, is_call: Flags, mid: Floats, years: float, rate: float
) -> tuple[float, int]:
    """Return the variance a year that one expiration's quotes imply, and a reason code.

    sigma^2 = 2/T sum dK/K^2 exp(rT) Q(K) - 1/T (F/K0 - 1)^2. Code 0: there is one; else NaN.
    """
    size = stop - start
    strikes, calls, puts = np.empty(size), np.empty(size), np.empty(size)
    n = _quotes(start, stop, strike, is_call, mid, strikes, calls, puts)
    growth = math.exp(rate * years)
    place, forward = _centre(n, strikes, calls, puts, growth)
    if place < 0 or not forward > 0.0:
        return np.nan, 1
    kept, price = np.empty(n, np.int64), np.empty(n)
    count, centre = _chosen(n, place, calls, puts, kept, price)
    if centre < _FEWEST or count - 1 - centre < _FEWEST:
        return np.nan, 2
    total = 0.0
    for j in range(count):
        below, above = max(j - 1, 0), min(j + 1, count - 1)
        width = (strikes[kept[above]] - strikes[kept[below]]) / (above - below)
        total += width / strikes[kept[j]] ** 2 * growth * price[j]
    variance = (2.0 * total - (forward / strikes[place] - 1.0) ** 2) / years
    if not variance > 0.0:
        return np.nan, 4
    deviation = math.sqrt(variance * years)
    if (
        strikes[kept[centre + 1]] - strikes[kept[centre - 1]]
        > 2.0 * _COARSEST * deviation * forward
    ):
        return np.nan, 5
    reach = _NARROWEST * deviation
    low, high = strikes[kept[0]], strikes[kept[count - 1]]
    if math.log(forward / low) < reach or math.log(high / forward) < reach:
        return np.nan, 3
    return variance, 0
