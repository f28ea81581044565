"""Forwards from put-call parity, guarded, with rates as the fallback."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final, TypeAlias

import numpy as np
import numpy.typing as npt

from ..base.compiling import compiled
from .side_means import side_means

__all__ = ["ForwardCurve", "fill_forwards"]

Floats: TypeAlias = npt.NDArray[np.float64]
Flags: TypeAlias = npt.NDArray[np.bool_]
Ints: TypeAlias = npt.NDArray[np.int64]

_MOST_STRIKES: Final = 10
_FEWEST_STRIKES: Final = 3
_WIDEST_LOG_DISTANCE: Final = 0.10
#: Strikes over spot just outside of that distance, and just inside.
_DOWN: Final = (math.exp(-1.001 * 0.10), math.exp(-0.999 * 0.10))
_GUARD_CONSTANT: Final = 0.002
_GUARD_PER_YEAR: Final = 0.02


@dataclass(frozen=True, slots=True)
class ForwardCurve:
    """Per expiry group, what holds at the moment of the quotes.

    Attributes
    ----------
    time : ndarray, shape (g,)
        T_q in years after the floor; NaN where the group has expired at the quotes.
    forward : ndarray, shape (g,)
        Points; NaN where expired.
    from_parity : ndarray of bool, shape (g,)
        False: the forward comes from the configured rates.
    outside_guard : ndarray of bool, shape (g,)
        The quotes have a forward, too far from the configured rates' to be used.
    rate, dividend_yield : ndarray, shape (g,)
        Continuous, per year, as configured.
    """

    time: Floats
    forward: Floats
    from_parity: Flags
    outside_guard: Flags
    rate: Floats
    dividend_yield: Floats


@compiled(nogil=True)
def _pairs(
    start: int, stop: int, strike: Floats, is_call: Flags, mid: Floats, spot: float, growth: float,
    strikes: Floats, forwards: Floats,
) -> int:  # fmt: skip
    """Collect the strikes near spot that are quoted on both sides, and their forwards."""
    found, i = 0, start
    # a little wider and narrower than the rule, whose logarithm is taken where it could matter
    lowest, inside_from = spot * _DOWN[0], spot * _DOWN[1]
    inside_to, highest = spot / _DOWN[1], spot / _DOWN[0]
    while i < stop and strike[i] < lowest:
        i += 1
    while i < stop and strike[i] <= highest:
        k, begin = strike[i], i
        while i < stop and strike[i] == k:
            i += 1
        call, put = side_means(begin, i, is_call, mid)
        apart = call - put  # NaN where a side has no quote
        if not math.isnan(apart) and (
            inside_from <= k <= inside_to or abs(math.log(k / spot)) <= _WIDEST_LOG_DISTANCE
        ):
            strikes[found] = k
            forwards[found] = k + apart * growth
            found += 1
    return found


@compiled(nogil=True)
def _median(n: int, values: Floats) -> float:
    """Return the median of the first n values, which are sorted in place."""
    for i in range(1, n):
        value, k = values[i], i
        while k > 0 and values[k - 1] > value:
            values[k] = values[k - 1]
            k -= 1
        values[k] = value
    return float(0.5 * (values[(n - 1) // 2] + values[n // 2]))


@compiled(nogil=True)
def _median_nearest(found: int, spot: float, strikes: Floats, forwards: Floats) -> float:
    """Return the median forward over the strikes nearest to spot, the lower first on a tie."""
    above = 0
    while above < found and strikes[above] < spot:
        above += 1
    below = above - 1
    chosen = np.empty(_MOST_STRIKES)
    n = min(found, _MOST_STRIKES)
    for i in range(n):
        lower_is_nearer = above >= found or (
            below >= 0 and spot - strikes[below] <= strikes[above] - spot
        )
        if lower_is_nearer:
            chosen[i] = forwards[below]
            below -= 1
        else:
            chosen[i] = forwards[above]
            above += 1
    return _median(n, chosen)


@compiled(nogil=True)
def fill_forwards(
    start: Ints, time: Floats, rate: Floats, dividend_yield: Floats, spot: float, use_parity: bool,
    strike: Floats, is_call: Flags, mid: Floats, forward: Floats, from_parity: Flags,
    outside_guard: Flags,
) -> None:  # fmt: skip
    """Fill the forward of every expiry group at the moment of the quotes.

    From parity: the median over the 10 strikes nearest to spot, within 10 % of it in logs and
    quoted on both sides, of K + (call mid - put mid) exp(r T_q); at least 3 of them. The rates
    take over, F = S exp((r - q) T_q), where there are fewer, where the two disagree by more than
    0.002 + 0.02 T_q in logs (quotes and spot of different moments), and where `use_parity` is
    False.

    Parameters
    ----------
    start : ndarray, shape (g + 1,)
        Of the `Groups`.
    time, rate, dividend_yield : ndarray, shape (g,)
        T_q in years after the floor (NaN: expired), and continuous rates per year.
    spot : float
        Points.
    use_parity : bool
    strike, is_call, mid : ndarray, shape (n,)
        Of the `Snapshot`.
    forward, from_parity, outside_guard : ndarray, shape (g,)
        To fill: fields of `ForwardCurve`; NaN forwards of expired groups.
    """
    strikes, forwards = np.empty(strike.size), np.empty(strike.size)
    for g in range(time.size):
        forward[g], from_parity[g], outside_guard[g] = np.nan, False, False
        if math.isnan(time[g]):
            continue
        carried = spot * math.exp((rate[g] - dividend_yield[g]) * time[g])
        forward[g] = carried
        if not use_parity:
            continue
        growth = math.exp(rate[g] * time[g])
        found = _pairs(
            start[g], start[g + 1], strike, is_call, mid, spot, growth, strikes, forwards
        )
        if found < _FEWEST_STRIKES:
            continue
        implied = _median_nearest(found, spot, strikes, forwards)
        if implied > 0.0 and (
            abs(math.log(implied / carried)) <= _GUARD_CONSTANT + _GUARD_PER_YEAR * time[g]
        ):
            forward[g], from_parity[g] = implied, True
        else:
            outside_guard[g] = True
