"""What both books of a chain share, in one loop without the interpreter's lock.

Each formula is in a module of its own; here they follow each other, as in `book_measures`.
"""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from ..base.compiling import compiled
from .forwards import fill_forwards
from .strike_lines import fill_lines, fill_own
from .time_to_expiry import fill_years

__all__ = ["lines_of_chain"]

Floats: TypeAlias = npt.NDArray[np.float64]
Flags: TypeAlias = npt.NDArray[np.bool_]
Ints: TypeAlias = npt.NDArray[np.int64]
Codes: TypeAlias = npt.NDArray[np.int8]


@compiled(nogil=True)
def lines_of_chain(
    quote_us: int, spot: float, floor_minutes: float, use_parity: bool, by_contract: bool,
    start: Ints, expiry_us: Ints, rate: Floats, dividend_yield: Floats,
    strike: Floats, is_call: Flags, open_interest: Floats, position: Floats, mid: Floats,
    vendor: Floats,
) -> tuple[
    tuple[Floats, Floats, Flags, Flags], tuple[Floats, Codes], int,
    tuple[Floats, Ints, Ints, Floats],
]:  # fmt: skip
    """Return times, forwards, each contract's own volatility, and lines.

    Parameters
    ----------
    quote_us : int
        Moment of the quotes, microseconds since 1970, UTC.
    spot : float
        Points.
    floor_minutes : float
        As `fill_years` takes it.
    use_parity : bool
        As `fill_forwards` takes it.
    by_contract : bool
        As `fill_lines` takes it.
    start, expiry_us : ndarray, shapes (g + 1,), (g,)
        Of the `Groups`.
    rate, dividend_yield : ndarray, shape (g,)
        Continuous, per year.
    strike, is_call, open_interest, position, mid, vendor : ndarray, shape (n,)
        Of the `Snapshot`.

    Returns
    -------
    market : tuple of ndarray, shape (g,)
        The first fields of `ForwardCurve`.
    own : tuple of ndarray, shape (n,)
        The fields of `Volatility`.
    m : int
        How many lines there are.
    lines : tuple of ndarray
        What `fill_lines` fills, the m lines first.
    """
    g, n = expiry_us.size, strike.size
    time, forward = np.empty(g), np.empty(g)
    from_parity, outside_guard = np.empty(g, np.bool_), np.empty(g, np.bool_)
    fill_years(quote_us, expiry_us, floor_minutes, time)
    fill_forwards(
        start, time, rate, dividend_yield, spot, use_parity, strike, is_call, mid,
        forward, from_parity, outside_guard,
    )  # fmt: skip
    own, code = np.empty(n), np.empty(n, np.int8)
    fill_own(start, time, forward, rate, strike, is_call, mid, vendor, own, code)
    rows, group = np.empty((7, n)), np.empty(n, np.int64)
    first, tally = np.empty(g + 1, np.int64), np.empty((g, 5))
    m = fill_lines(
        by_contract, start, time, forward, strike, is_call, open_interest, position, own,
        rows, group, first, tally,
    )  # fmt: skip
    market = (time, forward, from_parity, outside_guard)
    return market, (own, code), m, (rows, group, first, tally)
