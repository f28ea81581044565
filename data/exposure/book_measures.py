"""Everything that is measured of one book, in one loop without the interpreter's lock.

Each formula is in a module of its own; here they follow each other. A loop that lets go of the lock
has to wait for it afterwards while another thread runs Python: seven short ones cost more waiting
than work.
"""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from ..base.compiling import compiled
from .book import fill_exposure
from .expiry_shares import expiry_shares
from .flips import roots_between
from .profile_kernel import profile_on_grid
from .strike_lines import contracts_of
from .walls import fill_walls, sums_by_strike

__all__ = ["measures_of_book"]

Floats: TypeAlias = npt.NDArray[np.float64]
Flags: TypeAlias = npt.NDArray[np.bool_]
Ints: TypeAlias = npt.NDArray[np.int64]
Days: TypeAlias = npt.NDArray[np.int32]


@compiled(nogil=True)
def measures_of_book(
    spot: float, session: int, lower: float, step: float, points: int,
    contracts: Ints, dies: Days, monthly: Flags,
    live: Flags, time: Floats, shift: Floats, forward: Floats, discount: Floats, rate: Floats,
    dividend_yield: Floats, tally: Floats,
    start: Ints, strike: Floats, volatility: Floats, call: Floats, put: Floats, call_size: Floats,
    put_size: Floats, log_moneyness: Floats,
) -> tuple[
    tuple[Floats, Floats, Floats], Floats, Floats, Floats, Floats, float,
    tuple[float, float, float], tuple[int, int, int, float],
]:  # fmt: skip
    """Return exposures at spot, profile, roots, sums by strike, walls, shares and counts.

    Parameters
    ----------
    spot : float
        Points.
    session : int
        Of the valuation, days since 1970.
    lower, step, points
        Of the profile's grid, as `profile_on_grid` takes them; no points where volatilities do not
        stay with their strikes, so that the book is no mixture.
    contracts : ndarray, shape (g + 1,)
        Expiry group k holds the contracts contracts[k] ... contracts[k + 1] - 1.
    dies, monthly : ndarray, shape (g,)
        As in `SessionContext`.
    live, time, shift, forward, discount, rate, dividend_yield : ndarray, shape (g,)
        As in `Book`.
    tally, start, strike, volatility, call, put, call_size, put_size, log_moneyness
        As in `Lines`.

    Returns
    -------
    exposure : tuple of ndarray
        What `fill_exposure` fills: of the m lines, of expiry groups, totals.
    profile : ndarray, shape (2, points)
    roots : ndarray, shape (k, 3)
        As `roots_between` returns them.
    by_strike : ndarray, shape (4, k)
        The fields of `ByStrike`.
    walls : ndarray, shape (3, 2)
    concentration : float
    shares : tuple of float
        The fields of `ExpiryShares`.
    counts : tuple
        As `contracts_of` returns them.
    """
    mixture, of_lines = np.empty((4, strike.size)), np.empty((6, strike.size))
    by_group, totals, walls = np.empty((5, live.size)), np.empty(6), np.empty((3, 2))
    fill_exposure(
        start, live, time, shift, forward, discount, rate, dividend_yield, log_moneyness,
        volatility, call, put, call_size, put_size, mixture, of_lines, by_group, totals,
    )  # fmt: skip
    profile, roots = np.empty((2, 0)), np.empty((0, 3))
    if points > 0:
        centre, inverse_width, net = mixture[0], mixture[1], mixture[2]
        profile = profile_on_grid(lower, step, points, centre, inverse_width, net, mixture[3])
        roots = roots_between(lower, step, profile[0], profile[1], centre, inverse_width, net)
    by_strike = sums_by_strike(start, strike, of_lines[0], of_lines[1], of_lines[2])
    concentration = fill_walls(by_strike[0], by_strike[1], by_strike[2], by_strike[3], spot, walls)
    shares = expiry_shares(by_group[1], live, dies, monthly, session)
    counts = contracts_of(tally, live, contracts)
    exposure = (of_lines, by_group, totals)
    return exposure, profile, roots, by_strike, walls, concentration, shares, counts
