"""One session's chain as plain arrays, the input of everything else here."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

import numpy as np
import numpy.typing as npt

from ..base.compiling import compiled

__all__ = ["Groups", "Snapshot", "expiry_groups", "snapshot_from"]

Floats: TypeAlias = npt.NDArray[np.float64]
Ints: TypeAlias = npt.NDArray[np.int64]
Days: TypeAlias = npt.NDArray[np.int32]
Flags: TypeAlias = npt.NDArray[np.bool_]
Codes: TypeAlias = npt.NDArray[np.uint8]

#: Contracts of a position: more of them are a mistake, and their exposure would be no number.
_MOST_POSITION: Final = 1e15
_NONE: Final = np.empty(0)


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The contracts of one snapshot, sorted by expiry, settlement (AM first), strike and right.

    Attributes
    ----------
    quote_us : int
        Moment of the quotes, microseconds since 1970, UTC.
    known_us : int
        Moment from which all rows were public, likewise.
    spot : float
        Median of the rows' spots.
    expiry : ndarray of int32, shape (n,)
        Listed expiration, days since 1970.
    morning : ndarray of bool
        True for AM settlement.
    expiry_us : ndarray of int64
        Moment at which the contract stops existing, microseconds since 1970, UTC.
    strike : ndarray
        Points.
    is_call : ndarray of bool
    open_interest : ndarray
        Contracts; NaN is unknown.
    mid : ndarray
        Price from which a volatility or a forward may be derived, points: the middle of a
        two-sided quote, or an official settlement price; NaN where there is neither.
    volatility : ndarray
        The vendor's, decimal; NaN where missing.
    position : ndarray
        Contracts that dealers hold times the multiplier: positive long, negative short. NaN where
        open interest is unknown.
    """

    quote_us: int
    known_us: int
    spot: float
    expiry: Days
    morning: Flags
    expiry_us: Ints
    strike: Floats
    is_call: Flags
    open_interest: Floats
    mid: Floats
    volatility: Floats
    position: Floats


@dataclass(frozen=True, slots=True)
class Groups:
    """Contracts that stop existing together: one group per expiry and settlement.

    Attributes
    ----------
    start : ndarray of int64, shape (g + 1,)
        Group k holds the contracts start[k] ... start[k + 1] - 1.
    expiry : ndarray of int32, shape (g,)
        Listed expiration, days since 1970.
    morning : ndarray of bool, shape (g,)
    expiry_us : ndarray of int64, shape (g,)
    """

    start: Ints
    expiry: Days
    morning: Flags
    expiry_us: Ints


def snapshot_from(
    columns: Mapping[str, npt.NDArray[Any]],
    *,
    spot: float,
    call_sign: float,
    put_sign: float,
) -> tuple[Snapshot, Groups]:
    """Return a snapshot and its expiry groups from the columns of a chain.

    The price for volatility and parity is the middle of a two-sided quote (bid > 0, ask >= bid),
    else an official settlement price where the vendor declares one.

    Parameters
    ----------
    columns : mapping of str to ndarray, shape (n,)
        ``quote_us, known_us, expiry, expiry_us, kind`` (bit 0: AM, bit 1: call), ``strike,
        open_interest, bid, ask, iv, multiplier``; ``settlement_price`` where the vendor declares
        any; ``position``, contracts that dealers hold, where the right alone does not say it, and
        then ``position_known_us``.
    spot : float
    call_sign, put_sign : float
        Of the dealers, where there is no position.
    """
    open_interest, known_us = columns["open_interest"], columns["known_us"]
    is_call, morning = np.empty((2, open_interest.size), np.bool_)
    mid, position = np.empty((2, open_interest.size))
    known, groups = _fill_snapshot(
        columns["kind"], columns["bid"], columns["ask"], columns.get("settlement_price", _NONE),
        open_interest, columns["multiplier"], columns.get("position", _NONE),
        float(call_sign), float(put_sign),
        known_us, columns.get("position_known_us", known_us),
        columns["expiry"], columns["expiry_us"], is_call, morning, mid, position,
    )  # fmt: skip
    chain = Snapshot(
        quote_us=int(columns["quote_us"][-1]),
        known_us=known,
        spot=spot,
        expiry=columns["expiry"],
        morning=morning,
        expiry_us=columns["expiry_us"],
        strike=columns["strike"],
        is_call=is_call,
        open_interest=open_interest,
        mid=mid,
        volatility=columns["iv"],
        position=position,
    )
    return chain, Groups(*groups)


@compiled(nogil=True)
def _fill_snapshot(
    kind: Codes, bid: Floats, ask: Floats, settled: Floats, open_interest: Floats,
    multiplier: Floats, held: Floats, call_sign: float, put_sign: float,
    known_us: Ints, position_known_us: Ints, expiry: Days, expiry_us: Ints,
    is_call: Flags, morning: Flags, mid: Floats, position: Floats,
) -> tuple[int, tuple[Ints, Days, Flags, Ints]]:  # fmt: skip
    """Fill what a snapshot derives: the middle of two-sided quotes, the dealers' position.

    Return from when on the chain, and the positions where it has any, were public, and the fields
    of `Groups`.
    """
    known = known_us[0]
    for i in range(kind.size):
        known = max(known, known_us[i], position_known_us[i])
        call = (kind[i] & 2) != 0
        is_call[i], morning[i] = call, (kind[i] & 1) != 0
        if bid[i] > 0.0 and ask[i] >= bid[i]:
            mid[i] = 0.5 * (bid[i] + ask[i])
        else:
            mid[i] = settled[i] if settled.size else math.nan
        if held.size == 0:
            position[i] = (call_sign if call else put_sign) * open_interest[i] * multiplier[i]
        elif abs(held[i]) < _MOST_POSITION:
            position[i] = held[i] * multiplier[i]
        else:
            position[i] = math.nan
    return int(known), expiry_groups(expiry, morning, expiry_us)


@compiled(nogil=True)
def expiry_groups(expiry: Days, morning: Flags, expiry_us: Ints) -> tuple[Ints, Days, Flags, Ints]:
    """Return where runs of equal expiry and settlement begin, one past the end, and what they are.

    The fields of `Groups`.
    """
    found = np.empty(expiry.size + 1, np.int64)
    runs = 0
    for i in range(expiry.size):
        if i == 0 or expiry[i] != expiry[i - 1] or morning[i] != morning[i - 1]:
            found[runs] = i
            runs += 1
    found[runs] = expiry.size
    start = found[: runs + 1].copy()
    days, sides = np.empty(runs, np.int32), np.empty(runs, np.bool_)
    ends = np.empty(runs, np.int64)
    for g in range(runs):
        days[g], sides[g], ends[g] = expiry[start[g]], morning[start[g]], expiry_us[start[g]]
    return start, days, sides, ends
