"""The option book: what customers hold, contract by contract.

Each session a share of the open interest is closed, then customers sell calls above the spot and
buy puts below it. Dealers take the other side. Positions are settled overnight: the open interest
published with session t is the one settled after session t-1, and it is the book that dealers
hedge.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ...calendar.market_defaults import EXCHANGE_SESSIONS
from .listings import Expiry, Ladder, ListingRules, window

__all__ = ["CustomerBook", "Listing", "empty_book", "listing", "trade"]

Floats = npt.NDArray[np.float64]

_DAY = 1.0 / 365.0
_MONTH_YEARS = 21.0 / EXCHANGE_SESSIONS
# 14.1 of the specification: weights by distance in units of 1 % at one month
_CALL = (2.0, 2.5, -0.5, 7.5)  # centre, width, nearest, farthest
_PUT = (4.0, 4.0, -0.5, 13.5)


@dataclass(slots=True)
class CustomerBook:
    """Open interest of all expirations that are quoted; the one mutable value of a run.

    Attributes
    ----------
    interest : ndarray, shape (slots, strikes of the ladder, 2)
        Contracts settled, calls then puts.
    slots : dict of Expiry to int
        Row of each quoted expiration.
    free : list of int
        Rows not in use.
    """

    interest: Floats
    slots: dict[Expiry, int]
    free: list[int]


@dataclass(frozen=True, slots=True)
class Listing:
    """The strikes quoted in one session, one row per (expiry, settlement, strike).

    Sorted by expiry, settlement, strike.

    Attributes
    ----------
    expiries : tuple of Expiry
        Expirations quoted.
    expiry : ndarray of int64, shape (n,)
        Position in `expiries`.
    strike : ndarray, shape (n,)
        Index points.
    calls, puts : ndarray, shape (n,)
        Published open interest, whole contracts.
    cell : ndarray of int64, shape (n,)
        Flat position in the book.
    inside : ndarray of bool, shape (n,)
        Whether the strike is in the ladder around the spot, where customers trade.
    """

    expiries: tuple[Expiry, ...]
    expiry: npt.NDArray[np.int64]
    strike: Floats
    calls: Floats
    puts: Floats
    cell: npt.NDArray[np.int64]
    inside: npt.NDArray[np.bool_]


def empty_book(slots: int, ladder: Ladder) -> CustomerBook:
    """Return a book without positions that holds up to `slots` expirations."""
    return CustomerBook(np.zeros((slots, ladder.count, 2)), {}, list(range(slots))[::-1])


def listing(
    book: CustomerBook,
    quoted: tuple[Expiry, ...],
    years: Floats,
    layout: ListingRules,
    ladder: Ladder,
    spot: float,
) -> Listing:
    """Return what the exchange quotes: the ladder around the spot and all open positions.

    Parameters
    ----------
    book : Book
        Updated: expired ones leave, new ones enter without open interest.
    quoted : tuple of Expiry
        Expirations quoted in the session, sorted.
    years : ndarray, shape (len(quoted),)
        Time left at the quotes, years.
    layout, ladder : Layout, Ladder
    spot : float
    """
    _reseat(book, quoted)
    rows = [book.slots[expiry] for expiry in quoted]
    inside = np.zeros((len(quoted), ladder.count), dtype=bool)
    for i, left in enumerate(years):
        low, high, step = window(layout, ladder, spot, float(left))
        inside[i, low:high:step] = True
    held = np.rint(book.interest[rows])
    expiry, strike = np.nonzero(inside | (held[..., 0] > 0) | (held[..., 1] > 0))
    return Listing(
        expiries=quoted,
        expiry=expiry,
        strike=ladder.strikes[strike],
        calls=held[expiry, strike, 0],
        puts=held[expiry, strike, 1],
        cell=np.asarray(rows, dtype=np.int64)[expiry] * ladder.count + strike,
        inside=inside[expiry, strike],
    )


def trade(
    book: CustomerBook,
    listed: Listing,
    years: Floats,
    spot: float,
    *,
    calls: float,
    puts: float,
    decay: float,
) -> tuple[Floats, Floats]:
    """Close a share of the open interest, then add the session's trades; both settle overnight.

    Parameters
    ----------
    years : ndarray, shape (len(listed.expiries),)
        Time left, years; nobody opens a position in an expired contract.
    calls, puts : float
        Contracts that customers sell and buy in the session.
    decay : float
        Share of the open interest that is closed.

    Returns
    -------
    tuple of ndarray
        Contracts that changed hands per row of the listing, calls and puts: opened and closed,
        whole, and never fewer than the published open interest changes by.
    """
    left = years[listed.expiry]
    unit = 0.01 * np.sqrt(np.maximum(left, _DAY) / _MONTH_YEARS)
    distance = np.log(listed.strike / spot) / unit
    near = np.sqrt(np.clip(left / _MONTH_YEARS, 0.0, 1.0))
    popularity = np.where(listed.inside, near / (1.0 + 12.0 * left), 0.0)
    monthly = np.array([e.monthly for e in listed.expiries])
    popularity *= np.where(monthly[listed.expiry], 3.0, 1.0)
    sold = calls * _shares(distance, popularity, _CALL)
    bought = puts * _shares(-distance, popularity, _PUT)
    flat = book.interest.reshape(-1, 2)
    opened = np.column_stack([sold, bought])
    closed = decay * flat[listed.cell]
    book.interest *= 1.0 - decay
    flat[listed.cell] += opened
    change = np.abs(np.rint(flat[listed.cell]) - np.column_stack([listed.calls, listed.puts]))
    volume = np.maximum(np.rint(opened + closed), change)
    return volume[:, 0], volume[:, 1]


def _shares(
    distance: Floats, popularity: Floats, shape: tuple[float, float, float, float]
) -> Floats:
    centre, width, nearest, farthest = shape
    wanted = (distance >= nearest) & (distance <= farthest)
    weight = np.where(wanted, np.exp(-(((distance - centre) / width) ** 2)), 0.0) * popularity
    total = float(weight.sum())
    return weight / total if total > 0 else weight


def _reseat(book: CustomerBook, quoted: tuple[Expiry, ...]) -> None:
    live = set(quoted)
    for expiry in [e for e in book.slots if e not in live]:
        row = book.slots.pop(expiry)
        book.interest[row] = 0.0
        book.free.append(row)
    for expiry in quoted:
        if expiry not in book.slots:
            book.slots[expiry] = book.free.pop()
