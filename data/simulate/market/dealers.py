"""What the dealers of a simulated market hold, against its customers."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from .book import Listing
from .pricing import net_gamma
from .records import MULTIPLIER, Effects, Quotes

__all__ = ["book_inputs", "dealer_positions", "dealers_net"]

Floats = npt.NDArray[np.float64]

_FLOOR = 30.0 / (365 * 24 * 60)


def dealer_positions(listed: Listing, effects: Effects) -> tuple[Floats, Floats]:
    """Return dealers' true positions in calls and puts, contracts, positive = long."""
    calls = (effects.naive_share + effects.unseen) * listed.calls
    puts = (-effects.naive_share + effects.unseen) * listed.puts
    return calls, puts


def book_inputs(quotes: Quotes, effects: Effects, book: str) -> tuple[Floats, Floats, Floats]:
    """Return position (contracts x multiplier), strike and volatility times root time of a book.

    Rows expired at the quotes or at the valuation, and rows without a position, are left out.
    """
    years = quotes.years if book == "as_of_close" else quotes.years_open
    calls, puts = dealer_positions(quotes.listed, effects)
    position = MULTIPLIER * (calls + puts)
    kept = (years > 0) & (quotes.years > 0) & (position != 0)
    v = quotes.iv[kept] * np.sqrt(np.maximum(years[kept], _FLOOR))
    return position[kept], quotes.listed.strike[kept], v


def dealers_net(quotes: Quotes, effects: Effects, spot: float) -> float:
    """Return dealers' gamma in the book that they hold at the next open, at a spot."""
    position, strike, v = book_inputs(quotes, effects, "post_expiry")
    return float(net_gamma(position, strike, v, np.array([spot]))[0])
