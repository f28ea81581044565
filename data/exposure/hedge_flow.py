"""What dealers must trade when spot, time and volatility move: full repricing of their delta.

Dealers hold -delta of the underlying against their book. After a move they trade the difference:
short gamma buys into a rise, long gamma sells into it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final, TypeAlias

import numpy as np
import numpy.typing as npt

from .book import Book
from .definition import Definition
from .evaluation import PreparedChain
from .greeks import delta
from .sticky_moneyness import moved_volatility
from .time_to_expiry import years_between

__all__ = ["HedgeFlow", "Move", "hedge_flow"]

Floats: TypeAlias = npt.NDArray[np.float64]
Flags: TypeAlias = npt.NDArray[np.bool_]

#: A shifted volatility is never below the lowest that a chain may carry.
_LOWEST_VOLATILITY: Final = 0.01


@dataclass(frozen=True, slots=True)
class Move:
    """Where the market goes.

    Attributes
    ----------
    spot : float
        The new spot, points.
    moment_us : int
        The new moment, microseconds since 1970, UTC; not before the book's valuation.
    volatility_shift : float
        Added to the volatility of every contract, decimal (0.01 is one volatility point), on top
        of what the definition's dynamics do when spot moves.
    """

    spot: float
    moment_us: int
    volatility_shift: float = 0.0


@dataclass(frozen=True, slots=True)
class HedgeFlow:
    """What dealers trade to stay hedged; positive buys.

    Attributes
    ----------
    delta_before : float
        Dealers' delta at the valuation of the book, shares (index units).
    delta_after : float
        The same after the move; what settled in between is counted with its delta at settlement
        (1 or -1 in the money, at the new spot).
    settled_delta : float
        Its part that has settled: its hedge is not needed any more.
    spot : float
        The new spot, at which everything is traded, points.
    """

    delta_before: float
    delta_after: float
    settled_delta: float
    spot: float

    @property
    def shares(self) -> float:
        """Shares traded to follow the delta."""
        return self.delta_before - self.delta_after

    @property
    def dollars(self) -> float:
        """Dollars traded to follow the delta."""
        return self.shares * self.spot

    @property
    def unwind_dollars(self) -> float:
        """Dollars traded to close the hedges of what settled."""
        return self.settled_delta * self.spot


def hedge_flow(
    prepared: PreparedChain, book: Book, definition: Definition, move: Move
) -> HedgeFlow:
    """Return what dealers trade when the market moves from a book's valuation to elsewhere.

    Parameters
    ----------
    prepared : PreparedChain
    book : Book
        One of its books; the start of the move.
    definition : Definition
        Floor and dynamics of volatility.
    move : Move

    Returns
    -------
    HedgeFlow
        Zero for an empty book. Contracts that die on the way are followed to their settlement
        delta, as if they settled at the new spot.
    """
    lines = book.lines
    log_move = math.log(move.spot / book.spot)
    ends = prepared.groups.expiry_us
    time = years_between(move.moment_us, ends, definition.floor_minutes)
    settled = np.isnan(time)[lines.group]
    sigma = lines.volatility
    if prepared.curves is not None:
        sigma = moved_volatility(book, prepared.curves, log_move)
    start = _deltas(book, book.spot, book.time, lines.volatility)
    end = np.where(
        settled,
        _settlement(book, move.spot),
        _deltas(
            book, move.spot, time, np.maximum(sigma + move.volatility_shift, _LOWEST_VOLATILITY)
        ),
    )
    return HedgeFlow(
        delta_before=float(start.sum()),
        delta_after=float(end.sum()),
        settled_delta=float(end[settled].sum()),
        spot=move.spot,
    )


def _deltas(book: Book, spot: float, time: Floats, volatility: Floats) -> Floats:
    """Return the dealers' delta of each line, shares; NaN where its group has expired."""
    lines, group = book.lines, book.lines.group
    carry = (book.rate - book.dividend_yield) * (time - book.time)
    forward = (book.forward * np.exp(carry))[group] * (spot / book.spot)
    call = delta(
        spot, forward, lines.strike, time[group], volatility, book.rate[group], is_call=True
    )
    value_of_forward = np.exp(-book.rate * time)[group] * forward / spot
    return np.asarray(lines.call * call + lines.put * (call - value_of_forward))


def _settlement(book: Book, spot: float) -> Floats:
    """Return the delta of each line at its settlement: all or nothing, half at the strike."""
    lines = book.lines
    call = 0.5 * (1.0 + np.sign(spot - lines.strike))
    return np.asarray(lines.call * call + lines.put * (call - 1.0))
