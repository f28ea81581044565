"""How volatility changed at fixed strikes since the previous session, and what that did to dealers.

The level of an index of volatility moves because spot slides along the smile. At a fixed
(expiry, settlement, strike) it does not: what changes there was bought or sold.
"""

from __future__ import annotations

import math
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from ..base.compiling import compiled
from .evaluation import BookResult, PreparedChain
from .pairwise import pairwise_sum
from .side_columns import ALL, AM, PM

__all__ = ["fixed_strike_change"]

Floats: TypeAlias = npt.NDArray[np.float64]
Ints: TypeAlias = npt.NDArray[np.int64]
Days: TypeAlias = npt.NDArray[np.int32]
Flags: TypeAlias = npt.NDArray[np.bool_]


def fixed_strike_change(
    before: PreparedChain, after: PreparedChain, result: BookResult, *, by_right: bool
) -> Floats:
    """Return the change of volatility at the strikes of a book since the previous session.

    Parameters
    ----------
    before, after : PreparedChain
        The chains of the earlier and of the later session.
    result : BookResult
        A book of the later one; it weighs the changes.
    by_right : bool
        Whether each contract is a line of its own: ``iv_source = own``.

    Returns
    -------
    ndarray, shape (8, k)
        Values of the table ``fixed_strike_vol`` (`side_columns.SIDE_COLUMNS`), a column for each
        expiry group that is live in the book, ascending, and one for the whole book:

        - expiry (NaN for the whole book) and settlement;
        - lines of the book that had a volatility in the previous session too, and those without;
        - mean change weighted by the vega of one contract per line, and by gross dollar gamma;
          decimal (0.01 is one volatility point), NaN where no line is matched;
        - what the changes were worth to dealers, to first order: sum of amount x vega x change;
        - dollars of delta that dealers gained: sum of amount x vanna x S x change. They trade the
          opposite.

        Known when the later chain is. Lines are matched by expiry, settlement and strike (and
        right where `by_right`) among those in which dealers hold something in both sessions.
    """
    book, lines, exposure = result.book, result.book.lines, result.exposure
    groups, old, then = after.groups, before.lines, before.groups
    out = np.empty((10, book.live.size + 1))
    live = _sum_changes(
        then.expiry, then.morning, old.start, old.strike, old.volatility, old.put_size,
        groups.expiry, groups.morning, lines.start, lines.strike, lines.volatility, lines.put_size,
        book.live, book.time, lines.call, lines.put, lines.call_size, exposure.gross,
        exposure.vanna, by_right, out,
    )  # fmt: skip
    return out[:8, : live + 1]


@compiled(nogil=True, error_model="numpy")
def _sum_changes(
    old_expiry: Days, old_morning: Flags, old_start: Ints, old_strike: Floats,
    old_volatility: Floats, old_put_size: Floats, expiry: Days, morning: Flags, start: Ints,
    strike: Floats, volatility: Floats, put_size: Floats, live: Flags, time: Floats, call: Floats,
    put: Floats, call_size: Floats, gross: Floats, vanna: Floats, by_right: bool, out: Floats,
) -> int:  # fmt: skip
    """Add up what the lines of a book gained at their strikes, by expiry group and in all.

    Parameters
    ----------
    old_expiry, old_morning : ndarray, shape (h,)
        Of the previous session.
    old_start : ndarray of int64, shape (h + 1,)
    old_strike, old_volatility, old_put_size : ndarray
    expiry, morning, live, time : ndarray, shape (g,)
    start : ndarray of int64, shape (g + 1,)
    strike, volatility, put_size, call, put, call_size, gross, vanna : ndarray, shape (m,)
    by_right : bool
        Whether a line is a contract, whose right has to be the same.
    out : ndarray, shape (10, g + 1)
        To fill, as `fixed_strike_change` describes it, and with the weights of the two means.

    Returns
    -------
    int
        Groups that are live.
    """
    k, h = 0, 0
    for g in range(live.size):
        if not live[g]:
            continue
        out[0, k], out[1, k] = expiry[g], AM if morning[g] else PM
        met, alone, vegas, grosses = 0.0, 0.0, 0.0, 0.0
        by_vega, by_gross, worth, gained = 0.0, 0.0, 0.0, 0.0
        while h < old_expiry.size and (
            old_expiry[h] < expiry[g]
            or (old_expiry[h] == expiry[g] and old_morning[h] and not morning[g])
        ):
            h += 1
        j, stop = 0, 0
        if h < old_expiry.size and old_expiry[h] == expiry[g] and old_morning[h] == morning[g]:
            j, stop = old_start[h], old_start[h + 1]
        for i in range(start[g], start[g + 1]):
            is_put = by_right and put_size[i] > 0.0
            while j < stop and (
                old_strike[j] < strike[i]
                or (old_strike[j] == strike[i] and is_put and not old_put_size[j] > 0.0)
            ):
                j += 1
            if not (
                j < stop
                and old_strike[j] == strike[i]
                and (not by_right or (old_put_size[j] > 0.0) == is_put)
            ):
                alone += 1.0
                continue
            change = volatility[i] - old_volatility[j]
            j += 1
            # vega = gamma S^2 sigma T, and gross is size x gamma x S^2 x 0.01
            vega = gross[i] / (0.01 * (call_size[i] + put_size[i])) * volatility[i] * time[g]
            met += 1.0
            vegas += vega
            grosses += gross[i]
            by_vega += vega * change
            by_gross += gross[i] * change
            worth += (call[i] + put[i]) * vega * change
            gained += vanna[i] / 0.01 * change
        out[2, k], out[3, k], out[4, k], out[5, k] = met, alone, by_vega, by_gross
        out[6, k], out[7, k], out[8, k], out[9, k] = worth, gained, vegas, grosses
        k += 1
    _total_up(k, out)
    return k


@compiled(nogil=True, error_model="numpy")
def _total_up(live: int, out: Floats) -> None:
    """Fill the column of the whole book, and make means of what is to be weighed."""
    out[0, live], out[1, live] = math.nan, ALL
    for row in range(2, out.shape[0]):
        out[row, live] = pairwise_sum(out[row][:live])
    for k in range(live + 1):
        for row in range(4, 6):
            weight = out[row + 4, k]
            out[row, k] = out[row, k] / weight if weight > 0.0 else math.nan
