"""From contracts to lines: what shares a strike, an expiry and a volatility is added up first.

With the out-of-the-money volatility a call and a put of one strike have the same gamma, vanna and
density; only the dealer's amounts differ. They become one line. With each contract's own
volatility every contract is a line.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

import numpy as np
import numpy.typing as npt

from ..base.compiling import compiled
from .implied_volatility import solve_volatility
from .pairwise import pairwise_sum
from .side_means import side_means

__all__ = [
    "IvSource",
    "Lines",
    "Volatility",
    "contracts_of",
    "fill_lines",
    "fill_own",
    "side_volatility",
]

Floats: TypeAlias = npt.NDArray[np.float64]
Flags: TypeAlias = npt.NDArray[np.bool_]
Ints: TypeAlias = npt.NDArray[np.int64]
Codes: TypeAlias = npt.NDArray[np.int8]
IvSource = Literal["otm", "own"]

#: The vendor's own volatility was taken; other codes are those of the solver.
FROM_VENDOR: Final = -1

# Columns of `Lines.tally`.
USED, REJECTED, USED_OI, REJECTED_OI, UNKNOWN_OI = range(5)


@dataclass(frozen=True, slots=True)
class Volatility:
    """Each contract's own volatility.

    Attributes
    ----------
    value : ndarray, shape (n,)
        Decimal; NaN where there is none or the contract has expired.
    code : ndarray of int8, shape (n,)
        ``FROM_VENDOR``, or why the solver gave what it gave (``implied.REASONS``).
    """

    value: Floats
    code: Codes


@dataclass(frozen=True, slots=True)
class Lines:
    """A book as lines of equal strike, expiry group and volatility.

    Attributes
    ----------
    strike, volatility : ndarray, shape (m,)
        Points; decimal. Sorted by group, then strike.
    group : ndarray of int64, shape (m,)
        Index of the expiry group.
    call, put : ndarray, shape (m,)
        The dealers' amounts, signed: contracts times multiplier.
    call_size, put_size : ndarray, shape (m,)
        The same in absolute terms, contract by contract.
    log_moneyness : ndarray, shape (m,)
        ln(K/F) with the forward at the moment of the quotes.
    start : ndarray of int64, shape (g + 1,)
        Group k holds the lines start[k] ... start[k + 1] - 1.
    tally : ndarray, shape (g, 5)
        Per group: contracts used, contracts rejected, open interest used and rejected, contracts
        of unknown open interest. A contract whose dealer position is unknown counts as
        rejected.
    """

    strike: Floats
    volatility: Floats
    group: Ints
    call: Floats
    put: Floats
    call_size: Floats
    put_size: Floats
    log_moneyness: Floats
    start: Ints
    tally: Floats


@compiled(nogil=True)
def fill_own(
    start: Ints, time: Floats, forward: Floats, rate: Floats, strike: Floats, is_call: Flags,
    mid: Floats, vendor: Floats, value: Floats, code: Codes,
) -> None:  # fmt: skip
    """Fill each contract's own volatility: the vendor's, else solved from the mid.

    The solver uses the forward, the time and the rate at the moment of the quotes.

    Parameters
    ----------
    start : ndarray, shape (g + 1,)
        Of the `Groups`.
    time, forward, rate : ndarray, shape (g,)
        Of the `ForwardCurve`.
    strike, is_call, mid, vendor : ndarray, shape (n,)
        Of the `Snapshot`.
    value, code : ndarray, shape (n,)
        To fill: fields of `Volatility`. NaN for expired contracts and where nothing could be
        solved, with the reason.
    """
    for g in range(time.size):
        discount = math.exp(-rate[g] * time[g])
        for i in range(start[g], start[g + 1]):
            value[i], code[i] = vendor[i], FROM_VENDOR
            if math.isnan(time[g]):
                value[i] = np.nan
            elif math.isnan(vendor[i]):
                value[i], code[i] = solve_volatility(
                    mid[i], forward[g], strike[i], time[g], discount, is_call[i]
                )


# What is called for each contract or strike is inlined: a call costs more than what is done in it.


@compiled(nogil=True, forceinline=True)
def _counts_as(open_interest: float, position: float, volatility: float) -> int:
    """Return which column of the tally counts a live contract; -1 without open interest."""
    if math.isnan(open_interest):
        return UNKNOWN_OI
    if not open_interest > 0.0:
        return -1
    return REJECTED if math.isnan(volatility) or math.isnan(position) else USED


@compiled(nogil=True, forceinline=True)
def side_volatility(
    begin: int, end: int, is_call: Flags, volatility: Floats, prefer_call: bool
) -> float:
    """Return the mean volatility of the preferred side of one strike, else of the other."""
    call, put = side_means(begin, end, is_call, volatility)
    first, second = (call, put) if prefer_call else (put, call)
    return second if math.isnan(first) else first


@compiled(nogil=True)
def fill_lines(
    by_contract: bool, start: Ints, time: Floats, forward: Floats, strike: Floats, is_call: Flags,
    open_interest: Floats, position: Floats, own: Floats,
    out: Floats, group: Ints, first: Ints, tally: Floats,
) -> int:  # fmt: skip
    """Fill the lines of everything live at the moment of the quotes, and return how many they are.

    Contracts without open interest lend their volatility but carry no amount. Contracts without a
    volatility or of unknown open interest are counted in the tally.

    Parameters
    ----------
    by_contract : bool
        False (``otm``): one volatility per expiry, settlement and strike, that of the
        out-of-the-money side (call where K >= F), else of the other; rows that share a side: their
        mean. True (``own``): every contract is a line.
    start : ndarray, shape (g + 1,)
        Of the `Groups`.
    time, forward : ndarray, shape (g,)
        Of the `ForwardCurve`.
    strike, is_call, open_interest, position, own : ndarray, shape (n,)
        Of the `Snapshot`, and each contract's own volatility.
    out : ndarray, shape (7, n)
        To fill: strike, volatility, call, put, call_size, put_size, log_moneyness of `Lines`.
    group, first, tally : ndarray, shapes (n,), (g + 1,), (g, 5)
        To fill: group, start, tally of `Lines`.
    """
    m = 0
    for g in range(time.size):
        first[g] = m
        i, stop = start[g], start[g + 1]
        used, rejected, unknown, used_oi, rejected_oi = 0, 0, 0, 0.0, 0.0
        while i < stop and not math.isnan(time[g]):
            begin = i
            i += 1
            while i < stop and strike[i] == strike[begin] and not by_contract:
                i += 1
            sigma = side_volatility(begin, i, is_call, own, strike[begin] >= forward[g])
            call, put, call_size, put_size = 0.0, 0.0, 0.0, 0.0
            for j in range(begin, i):
                kind = _counts_as(open_interest[j], position[j], sigma)
                unknown += kind == UNKNOWN_OI
                if kind == REJECTED:
                    rejected += 1
                    rejected_oi += open_interest[j]
                elif kind == USED:
                    used += 1
                    used_oi += open_interest[j]
                    if is_call[j]:
                        call += position[j]
                        call_size += abs(position[j])
                    else:
                        put += position[j]
                        put_size += abs(position[j])
            if call_size + put_size > 0.0:
                out[0, m], out[1, m], out[2, m] = strike[begin], sigma, call
                out[3, m], out[4, m], out[5, m] = put, call_size, put_size
                out[6, m] = math.log(strike[begin] / forward[g])
                group[m] = g
                m += 1
        _note(used, rejected, used_oi, rejected_oi, unknown, tally[g])
    first[time.size] = m
    return m


@compiled(nogil=True)
def _note(
    used: int, rejected: int, used_oi: float, rejected_oi: float, unknown: int, tally: Floats
) -> None:
    """Note what was counted of an expiry group; unknown open interest counts as rejected too."""
    tally[USED], tally[REJECTED], tally[UNKNOWN_OI] = used, rejected + unknown, unknown
    tally[USED_OI], tally[REJECTED_OI] = used_oi, rejected_oi


@compiled(nogil=True)
def contracts_of(tally: Floats, live: Flags, start: Ints) -> tuple[int, int, int, float]:
    """Count the contracts of a book.

    Parameters
    ----------
    tally : ndarray, shape (g, 5)
        Of its `Lines`.
    live : ndarray of bool, shape (g,)
        Expiry groups that are live at the book's valuation.
    start : ndarray of int64, shape (g + 1,)
        Group k holds the contracts start[k] ... start[k + 1] - 1.

    Returns
    -------
    expired : int
        Of groups that are not live.
    used : int
        Live, of positive open interest, with a volatility.
    rejected : int
        Live, of unknown open interest, or of a positive one without a volatility.
    share : float
        Rejected open interest over rejected and used; NaN where there is none of either.
    """
    expired, used, rejected, n = 0, 0, 0, 0
    interest, refused = np.empty(live.size), np.empty(live.size)
    for g in range(live.size):
        if not live[g]:
            expired += start[g + 1] - start[g]
            continue
        used += int(tally[g, USED])
        rejected += int(tally[g, REJECTED])
        interest[n], refused[n] = tally[g, USED_OI], tally[g, REJECTED_OI]
        n += 1
    without = pairwise_sum(refused[:n])
    known = without + pairwise_sum(interest[:n])
    return expired, used, rejected, without / known if known > 0.0 else math.nan
