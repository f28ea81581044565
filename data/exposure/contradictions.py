"""Rows of a chain that contradict each other: one contract stated twice, one unit read as another.

Both close the quality gate. Arrays in, counts and sentences out.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Final, TypeAlias

import numpy as np
import numpy.typing as npt

__all__ = ["contradicting_duplicates", "repeated_rows", "unit_contradiction"]

Floats: TypeAlias = npt.NDArray[np.float64]
Ints: TypeAlias = npt.NDArray[np.int64]
Flags: TypeAlias = npt.NDArray[np.bool_]

#: Pairs of a call and a put that a judgement on prices needs.
_FEWEST_PAIRS: Final = 12
#: Strikes that a judgement without prices needs.
_FEWEST_STRIKES: Final = 10
#: Contracts with open interest that a judgement on its unit needs.
_FEWEST_HELD: Final = 50
#: A wrong unit is wrong by 10 or more; honest quotes stay well inside this factor.
_FACTOR: Final = 2.5
#: Volatilities by other day counts, and wide quotes, differ by less than this factor.
_VOLATILITY_FACTOR: Final = 3.0
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
    return contradicting_duplicates(
        (rows["expiry"], rows["kind"], rows["strike"]),
        rows["root_number"],
        (rows["open_interest"], rows["iv"], rows["bid"], rows["ask"]),
    )


def unit_contradiction(
    *,
    spot: float,
    expiry_group: Ints,
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
      off by a factor means prices or strikes in another unit (cents, 1/1000);
    - the strike at which call and put cost the same lies near the spot; without prices, some
      strike does;
    - the volatility stated at the money is that of the straddle's price (percent, per day);
    - not all open interest is a multiple of the contract's multiplier (shares for contracts).

    Parameters
    ----------
    spot : float
    expiry_group : ndarray of int64, shape (n,)
        Number of the expiry and settlement; rows sorted by it, strike and right.
    years : ndarray
        Time to expiry at the quotes; rows that have expired are not looked at.
    strike, is_call, price, volatility, open_interest, multiplier : ndarray
        NaN where unknown; `price` is the middle of a two-sided quote, or a settlement price.
    """
    live = years > 0.0
    found = ""
    if live.any() and spot > 0.0:
        pairs = _pairs(expiry_group, strike, is_call, price, live)
        if pairs.size >= _FEWEST_PAIRS:
            found = _prices_against_strikes(pairs, expiry_group, strike, price, spot)
            found = found or _volatility_against_prices(
                pairs, expiry_group, years, strike, price, volatility
            )
        else:
            found = _strikes_against_spot(strike[live], spot)
    return found or _lots(open_interest[live], multiplier[live])


def _pairs(group: Ints, strike: Floats, is_call: Flags, price: Floats, live: Flags) -> Ints:
    """Return the rows of calls whose neighbour is the put of the same contract, both priced."""
    neighbours = (
        (group[1:] == group[:-1])
        & (strike[1:] == strike[:-1])
        & is_call[:-1]
        & ~is_call[1:]
        & np.isfinite(price[1:])
        & np.isfinite(price[:-1])
        & live[1:]
    )
    return np.flatnonzero(neighbours)


def _prices_against_strikes(
    pairs: Ints, group: Ints, strike: Floats, price: Floats, spot: float
) -> str:
    difference = price[pairs] - price[pairs + 1]
    slopes = []
    edges = np.flatnonzero(np.diff(group[pairs])) + 1
    for rows in np.split(np.arange(pairs.size), edges):
        half = rows.size // 2
        if half >= 2:
            k, d = strike[pairs[rows]], difference[rows]
            slopes.append((d[half:] - d[: d.size - half]) / (k[half:] - k[: k.size - half]))
    if not slopes:
        return ""
    slope = -float(np.median(np.concatenate(slopes)))
    if slope > 0.0 and not 1.0 / _FACTOR <= slope <= _FACTOR:
        return (
            f"call less put changes by {slope:.3g} points per point of strike, expected 1: prices "
            "or strikes are in another unit"
        )
    forward = float(np.median(strike[pairs] + difference))
    if slope > 0.0 and not 1.0 / _FACTOR <= forward / spot <= _FACTOR:
        return (
            f"quotes put the underlying at {forward:.6g}, the spot is {spot:.6g}: spot or strikes "
            "are in another unit"
        )
    return ""


def _strikes_against_spot(strike: Floats, spot: float) -> str:
    levels = np.unique(strike)
    if levels.size < _FEWEST_STRIKES:
        return ""
    low, high = float(levels[0]) / spot, float(levels[-1]) / spot
    if low <= _FACTOR and high >= 1.0 / _FACTOR:
        return ""
    return (
        f"strikes run from {levels[0]:g} to {levels[-1]:g}, the spot is {spot:g}: one of them is "
        "in another unit"
    )


def _volatility_against_prices(
    pairs: Ints, group: Ints, years: Floats, strike: Floats, price: Floats, volatility: Floats
) -> str:
    """Hold the volatility at the money against the straddle: 0.8 F sigma root T."""
    call, put = price[pairs], price[pairs + 1]
    stated = np.fmax(volatility[pairs], volatility[pairs + 1])
    ratios = []
    edges = np.flatnonzero(np.diff(group[pairs])) + 1
    for rows in np.split(np.arange(pairs.size), edges):
        at = rows[np.argmin(np.abs(call[rows] - put[rows]))]
        k, time = strike[pairs[at]], years[pairs[at]]
        straddle = call[at] + put[at]
        near = abs(call[at] - put[at]) <= 0.5 * straddle
        if near and time > _SHORTEST and straddle > 0.0 and np.isfinite(stated[at]):
            ratios.append(
                stated[at] / (straddle / (math.sqrt(2.0 / math.pi) * k * math.sqrt(time)))
            )
    if not ratios:
        return ""
    ratio = float(np.median(ratios))
    if 1.0 / _VOLATILITY_FACTOR <= ratio <= _VOLATILITY_FACTOR:
        return ""
    return (
        f"volatilities at the money are {ratio:.3g} times what straddles cost: they are in "
        "another unit (percent, or per day)"
    )


def _lots(open_interest: Floats, multiplier: Floats) -> str:
    held = (open_interest > 0.0) & (multiplier > 1.0)
    if int(held.sum()) < _FEWEST_HELD:
        return ""
    rest = np.mod(open_interest[held], multiplier[held])
    if rest.any():
        return ""
    return (
        f"open interest of all {int(held.sum())} contracts is a multiple of the multiplier: it "
        "counts shares, not contracts"
    )
