"""Rows of a chain that contradict each other: one contract stated twice, one unit read as another.

Both close the quality gate. Arrays in, counts and sentences out.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Final, TypeAlias

import numpy as np
import numpy.typing as npt

from ..base.compiling import compiled

__all__ = [
    "any_repeated",
    "contradicting_duplicates",
    "measure_units",
    "repeated_rows",
    "unit_contradiction",
    "units_in_words",
]

Floats: TypeAlias = npt.NDArray[np.float64]
Ints: TypeAlias = npt.NDArray[np.int64]
Flags: TypeAlias = npt.NDArray[np.bool_]
Days: TypeAlias = npt.NDArray[np.int32]
Codes: TypeAlias = npt.NDArray[np.uint8]
#: What `measure_units` returns.
UnitMeasures: TypeAlias = tuple[
    Floats, Floats, Floats, tuple[bool, bool], tuple[float, float], tuple[int, int, bool]
]

#: Pairs of a call and a put that a judgement on prices needs.
_FEWEST_PAIRS: Final = 12
#: Strikes that a judgement without prices needs.
_FEWEST_STRIKES: Final = 10
#: Contracts with open interest that a judgement on its unit needs.
_FEWEST_HELD: Final = 50
#: Share of whole open interest below which it counts something else. Shares over a lot that has
#: changed since are whole where one number divides the other: 75 over 65 in one of thirteen.
_FEWEST_WHOLE: Final = 0.02
#: A wrong unit is wrong by 10 or more; honest quotes stay well inside this factor.
_FACTOR: Final = 2.5
#: Volatilities by other day counts, and wide quotes, differ by less than this factor.
_VOLATILITY_FACTOR: Final = 3.0
#: From here on numbers have no fractions; adding it rounds a smaller one to a whole number.
_ALL_WHOLE: Final = 2.0**52
#: Expiries of less than this have volatilities that hang on the day count; years.
_SHORTEST: Final = 2.0 / 365.0


def contradicting_duplicates(
    key: tuple[npt.NDArray[np.generic], ...],
    root: npt.NDArray[np.uint64],
    values: tuple[Floats, ...],
) -> int:
    """Return how many rows repeat the key of another, of known root, with other values.

    Parameters
    ----------
    key : tuple of ndarray, shape (n,) each
        Sorted together, so that rows of one key are neighbours: expiry, kind, strike.
    root : ndarray of uint64, shape (n,)
        A number per root; 0 where it is unknown, whose rows may share a key (AM and PM series).
    values : tuple of ndarray, shape (n,) each
        Open interest, volatility, bid and ask; NaN equals NaN.

    Examples
    --------
    >>> contract, root = np.array([1, 1, 2]), np.array([7, 7, 7], np.uint64)
    >>> contradicting_duplicates((contract,), root, (np.array([5.0, 6.0, 5.0]),))
    1
    """
    same = np.ones(max(root.size - 1, 0), np.bool_)
    for column in key:
        same &= column[1:] == column[:-1]
    if not same.any():
        return 0
    repeated = np.zeros(root.size, np.bool_)
    repeated[1:] |= same
    repeated[:-1] |= same
    rows = np.flatnonzero(repeated & (root > 0))
    # keys are in order already: only the roots within one have to be brought together
    group = np.cumsum(np.concatenate([[True], ~same]))[rows]
    rows = rows[np.lexsort((root[rows], group))]
    group = np.cumsum(np.concatenate([[True], ~same]))[rows]
    twin = (group[1:] == group[:-1]) & (root[rows][1:] == root[rows][:-1])
    differs = np.zeros(twin.size, np.bool_)
    for column in values:
        now, then = column[rows][1:], column[rows][:-1]
        differs |= ~((now == then) | (np.isnan(now) & np.isnan(then)))
    return int((twin & differs).sum())


def repeated_rows(rows: Mapping[str, npt.NDArray[Any]]) -> int:
    """Return how many rows of a chain repeat a contract of known root with other values.

    Parameters
    ----------
    rows : mapping of column to ndarray, shape (n,)
        ``expiry, kind, strike`` (sorted by them), ``root_number, open_interest, iv, bid, ask``.
    """
    if not any_repeated(rows["expiry"], rows["kind"], rows["strike"]):
        return 0
    return contradicting_duplicates(
        (rows["expiry"], rows["kind"], rows["strike"]),
        rows["root_number"],
        (rows["open_interest"], rows["iv"], rows["bid"], rows["ask"]),
    )


@compiled(nogil=True)
def any_repeated(expiry: Days, kind: Codes, strike: Floats) -> bool:
    """Return whether some neighbours are one contract."""
    for i in range(1, strike.size):
        if strike[i] == strike[i - 1] and kind[i] == kind[i - 1] and expiry[i] == expiry[i - 1]:
            return True
    return False


def unit_contradiction(
    *,
    spot: float,
    start: Ints,
    years: Floats,
    strike: Floats,
    is_call: Flags,
    price: Floats,
    volatility: Floats,
    open_interest: Floats,
    multiplier: Floats,
) -> str:
    """Return which unit the rows of one snapshot contradict, in words; empty where none.

    Four tests, each over many contracts, so that single bad rows decide nothing:

    - the difference of call and put falls by a point for each point of strike: a slope that is
      off by a factor means prices or strikes in another unit (cents, 1/1000), one that rises
      calls for puts;
    - the strike at which call and put cost the same lies near the spot; without prices, some
      strike does;
    - the volatility stated at the money is that of the straddle's price (percent, per day);
    - not all open interest is a multiple of the contract's multiplier (shares for contracts),
      and of contracts on more than one unit some of it is whole (thousands for contracts).

    Parameters
    ----------
    spot : float
    start : ndarray of int64, shape (g + 1,)
        Expiry group k holds the rows start[k] ... start[k + 1] - 1, sorted by strike and right.
    years : ndarray, shape (g,)
        Time to expiry at the quotes; groups that have expired (zero, NaN) are not looked at.
    strike, is_call, price, volatility, open_interest, multiplier : ndarray, shape (n,)
        NaN where unknown; `price` is the middle of a two-sided quote, or a settlement price.
    """
    measured = measure_units(
        spot, start, years, strike, is_call, price, volatility, open_interest, multiplier
    )
    return units_in_words(measured, spot, start, years, strike)


def units_in_words(
    measured: UnitMeasures, spot: float, start: Ints, years: Floats, strike: Floats
) -> str:
    """Return what `unit_contradiction` does, of what `measure_units` has found."""
    slopes, forwards, ratios, (prices_fit, volatilities_fit), (lowest, highest), lots = measured
    found = ""
    if spot > 0.0 and forwards.size >= _FEWEST_PAIRS:
        if not prices_fit:
            found = _prices_against_strikes(slopes, forwards, spot)
        if not (found or volatilities_fit):
            found = _volatility_against_prices(ratios)
    elif spot > 0.0 and not (lowest / spot <= _FACTOR and highest / spot >= 1.0 / _FACTOR):
        live = np.repeat(years > 0.0, np.diff(start))
        found = _strikes_away(strike[live], spot)
    return found or _lots(*lots)


@compiled(nogil=True)
def measure_units(
    spot: float, start: Ints, years: Floats, strike: Floats, is_call: Flags, price: Floats,
    volatility: Floats, open_interest: Floats, multiplier: Floats,
) -> UnitMeasures:  # fmt: skip
    """Measure what `unit_contradiction` judges by, whose parameters these are.

    Returns
    -------
    slopes, forwards, ratios : ndarray
        What `_measure_pairs` fills.
    fit : tuple of bool
        Whether most slopes and forwards, and most ratios, are what they should be within a factor:
        their medians are then, and nothing has to be said of them. True where there is none.
    strikes : tuple of float
        The lowest and the highest live one.
    lots : tuple
        As `_held` returns them.
    """
    most = strike.size // 2 + 1  # a pair has two rows
    slopes, forwards, ratios = np.empty(most), np.empty(most), np.empty(years.size)
    pairs, n_slopes, n_ratios, lowest, highest = _measure_pairs(
        start, years, strike, is_call, price, volatility, slopes, forwards, ratios
    )
    slopes, forwards, ratios = slopes[:n_slopes], forwards[:pairs], ratios[:n_ratios]
    prices_fit = n_slopes == 0 or (
        _mostly_within(slopes, -1.0, _FACTOR) and _mostly_within(forwards, spot, _FACTOR)
    )
    volatilities_fit = n_ratios == 0 or _mostly_within(ratios, 1.0, _VOLATILITY_FACTOR)
    lots = _held(start, years, open_interest, multiplier)
    return slopes, forwards, ratios, (prices_fit, volatilities_fit), (lowest, highest), lots


@compiled(nogil=True)
def _measure_pairs(
    start: Ints, years: Floats, strike: Floats, is_call: Flags, price: Floats, volatility: Floats,
    slopes: Floats, forwards: Floats, ratios: Floats,
) -> tuple[int, int, int, float, float]:  # fmt: skip
    """Fill what calls and puts of the same contract say, and return how many of each there are.

    A pair is a live call whose neighbour is the put of the same strike, both priced. After pairs,
    slopes and ratios: the lowest and the highest live strike.

    Parameters
    ----------
    start : ndarray, shape (g + 1,)
    years : ndarray, shape (g,)
    strike, is_call, price, volatility : ndarray, shape (n,)
    slopes : ndarray, shape (n // 2 + 1,)
        To fill: change of call less put by a point of strike, between pairs of one expiry that
        stand half of its pairs apart.
    forwards : ndarray, shape (n // 2 + 1,)
        To fill: strike plus call less put, one for each pair.
    ratios : ndarray, shape (g,)
        To fill: volatility at the money over that of the straddle's price, 0.8 F sigma root T, one
        for each expiry that allows it.
    """
    pairs, n_slopes, n_ratios, lowest, highest = 0, 0, 0, math.inf, -math.inf
    strikes, differences = np.empty(forwards.size), np.empty(forwards.size)
    for g in range(years.size):
        if not years[g] > 0.0:
            continue
        first, nearest, smallest = pairs, -1, math.inf
        lowest, highest = min(lowest, strike[start[g]]), max(highest, strike[start[g + 1] - 1])
        for i in range(start[g], start[g + 1] - 1):
            if (
                strike[i] == strike[i + 1]
                and is_call[i]
                and not is_call[i + 1]
                and math.isfinite(price[i])
                and math.isfinite(price[i + 1])
            ):
                difference = price[i] - price[i + 1]
                strikes[pairs], differences[pairs] = strike[i], difference
                forwards[pairs] = strike[i] + difference
                if nearest < 0 or abs(difference) < smallest:
                    nearest, smallest = i, abs(difference)
                pairs += 1
        n_slopes += _slopes_between(
            strikes[first:pairs], differences[first:pairs], slopes[n_slopes:]
        )
        if nearest >= 0:
            ratio = _straddle_ratio(
                price[nearest], price[nearest + 1], volatility[nearest], volatility[nearest + 1],
                strike[nearest], years[g],
            )  # fmt: skip
            if not math.isnan(ratio):
                ratios[n_ratios] = ratio
                n_ratios += 1
    return pairs, n_slopes, n_ratios, lowest, highest


@compiled(nogil=True)
def _slopes_between(strike: Floats, difference: Floats, out: Floats) -> int:
    """Fill the slopes between strikes half of them apart; return how many: none below 4 strikes."""
    found, half = 0, strike.size // 2
    for low in range(strike.size - half if half >= 2 else 0):
        apart = strike[low + half] - strike[low]
        if apart != 0.0:
            out[found] = (difference[low + half] - difference[low]) / apart
            found += 1
    return found


@compiled(nogil=True, error_model="numpy")
def _straddle_ratio(
    call: float, put: float, of_call: float, of_put: float, strike: float, time: float
) -> float:
    """Return the volatility of a straddle over that of its price; NaN away from the money."""
    straddle = call + put
    stated = of_put if math.isnan(of_call) or of_put > of_call else of_call
    near = abs(call - put) <= 0.5 * straddle
    if near and time > _SHORTEST and straddle > 0.0 and math.isfinite(stated):
        return stated / (straddle / (math.sqrt(2.0 / math.pi) * strike * math.sqrt(time)))
    return math.nan


def _median(values: Floats) -> float:
    # in a third of the time of np.median, which pays for axes and NaN
    low, high = (values.size - 1) // 2, values.size // 2
    middle = np.partition(values, (low, high))
    return 0.5 * float(middle[low] + middle[high])


@compiled(nogil=True, error_model="numpy")
def _mostly_within(values: Floats, unit: float, factor: float) -> bool:
    """Return whether more than half of some values are a unit within a factor, so their median."""
    inside = 0
    for i in range(values.size):
        inside += 1.0 / factor <= values[i] / unit <= factor
    return 2 * inside > values.size


def _prices_against_strikes(slopes: Floats, forwards: Floats, spot: float) -> str:
    slope = -_median(slopes)
    if slope < -1.0 / _FACTOR:
        return (
            f"call less put rises by {-slope:.3g} points per point of strike, expected a fall of "
            "1: calls and puts are exchanged"
        )
    if slope > 0.0 and not 1.0 / _FACTOR <= slope <= _FACTOR:
        return (
            f"call less put changes by {slope:.3g} points per point of strike, expected 1: prices "
            "or strikes are in another unit"
        )
    forward = _median(forwards)
    if slope > 0.0 and not 1.0 / _FACTOR <= forward / spot <= _FACTOR:
        return (
            f"quotes put the underlying at {forward:.6g}, the spot is {spot:.6g}: spot or strikes "
            "are in another unit"
        )
    return ""


def _strikes_away(strike: Floats, spot: float) -> str:
    levels = np.unique(strike)
    if levels.size < _FEWEST_STRIKES:
        return ""
    return (
        f"strikes run from {levels[0]:g} to {levels[-1]:g}, the spot is {spot:g}: one of them is "
        "in another unit"
    )


def _volatility_against_prices(ratios: Floats) -> str:
    ratio = _median(ratios)
    if 1.0 / _VOLATILITY_FACTOR <= ratio <= _VOLATILITY_FACTOR:
        return ""
    return (
        f"volatilities at the money are {ratio:.3g} times what straddles cost: they are in "
        "another unit (percent, or per day)"
    )


def _lots(held: int, whole: int, only_multiples: bool) -> str:
    if held < _FEWEST_HELD:
        return ""
    if only_multiples:
        return (
            f"open interest of all {held} contracts is a multiple of the multiplier: it "
            "counts shares, not contracts"
        )
    if whole < _FEWEST_WHOLE * held:
        return (
            f"open interest of {held - whole} of {held} contracts is no whole number: it counts "
            "thousands, or something other than contracts"
        )
    return ""


@compiled(nogil=True)
def _is_whole(x: float) -> bool:
    """Return whether a number that is not negative has no fraction."""
    return x < math.inf and (x >= _ALL_WHOLE or (x + _ALL_WHOLE) - _ALL_WHOLE == x)


@compiled(nogil=True)
def _held(
    start: Ints, years: Floats, open_interest: Floats, multiplier: Floats
) -> tuple[int, int, bool]:
    """Count live contracts of open interest on more than one unit, and whole ones.

    Also whether all are multiples of their unit: a slow question, asked until one is not. Where one
    is not and so many are whole that the rest cannot matter, the rest is not counted.
    """
    held, whole, only_multiples = 0, 0, True
    enough = _FEWEST_WHOLE * open_interest.size
    for g in range(years.size):
        if not years[g] > 0.0:
            continue
        for i in range(start[g], start[g + 1]):
            interest, unit = open_interest[i], multiplier[i]
            if interest > 0.0 and unit > 1.0:
                held += 1
                whole += _is_whole(interest)
                if only_multiples:
                    only_multiples = interest % unit == 0.0
                elif whole >= enough:
                    return held, whole, False
    return held, whole, only_multiples
