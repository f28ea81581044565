"""How volatility changed at fixed strikes since the previous session, and what that did to dealers.

The level of an index of volatility moves because spot slides along the smile. At a fixed
(expiry, settlement, strike) it does not: what changes there was bought or sold.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from ..base.compiling import compiled
from .contract_matching import line_keys, match_lines
from .evaluation import BookResult, PreparedChain

__all__ = ["FixedStrikeChange", "fixed_strike_change"]

Floats: TypeAlias = npt.NDArray[np.float64]
Ints: TypeAlias = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class FixedStrikeChange:
    """Changes of volatility by expiry group, the whole book in the last place.

    Attributes
    ----------
    group : ndarray of int64, shape (k,)
        Indices of the expiry live groups in the book, ascending; -1 for the whole book.
    strikes, unmatched : ndarray of int64, shape (k,)
        Lines of the book that had a volatility in the previous session too, and those without.
    by_vega : ndarray, shape (k,)
        Mean change weighted by the vega of one contract per line; decimal (0.01 is one
        volatility point). NaN where no line is matched.
    by_exposure : ndarray, shape (k,)
        Mean change weighted by gross dollar gamma.
    vega_dollars : ndarray, shape (k,)
        What the changes were worth to dealers, to first order: sum of amount x vega x change.
    delta_dollars : ndarray, shape (k,)
        Dollars of delta that dealers gained: sum of amount x vanna x S x change. They trade the
        opposite.
    """

    group: Ints
    strikes: Ints
    unmatched: Ints
    by_vega: Floats
    by_exposure: Floats
    vega_dollars: Floats
    delta_dollars: Floats


def fixed_strike_change(
    before: PreparedChain, after: PreparedChain, result: BookResult, *, by_right: bool
) -> FixedStrikeChange:
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
    FixedStrikeChange
        Known when the later chain is. Lines are matched by expiry, settlement and strike (and
        right where `by_right`) among those in which dealers hold something in both sessions.
    """
    book, lines = result.book, result.book.lines
    there = match_lines(
        line_keys(lines, after.groups, by_right=by_right),
        line_keys(before.lines, before.groups, by_right=by_right),
    )
    of_groups = np.zeros((8, book.live.size))
    _sum_changes(
        there, before.lines.volatility, lines.group, lines.volatility, book.time,
        lines.call, lines.put, lines.call_size, lines.put_size,
        result.exposure.gross, result.exposure.vanna, of_groups,
    )  # fmt: skip
    living = np.compress(book.live, of_groups, axis=1)
    sums = np.hstack([living, living.sum(axis=1, keepdims=True)])
    return FixedStrikeChange(
        group=np.append(np.flatnonzero(book.live), -1),
        strikes=sums[0].astype(np.int64),
        unmatched=sums[1].astype(np.int64),
        by_vega=_ratio(sums[3], sums[2]),
        by_exposure=_ratio(sums[5], sums[4]),
        vega_dollars=sums[6],
        delta_dollars=sums[7],
    )


@compiled(nogil=True, error_model="numpy")
def _sum_changes(
    there: Ints, former: Floats, group: Ints, volatility: Floats, time: Floats,
    call: Floats, put: Floats, call_size: Floats, put_size: Floats,
    gross: Floats, vanna: Floats, out: Floats,
) -> None:  # fmt: skip
    """Add up by expiry group what the lines of a book gained at their strikes.

    Parameters
    ----------
    there : ndarray of int64, shape (m,)
        Place of each line in the previous session; -1 where it has none.
    former : ndarray
        Volatilities of the previous session.
    group, volatility, call, put, call_size, put_size, gross, vanna : ndarray, shape (m,)
    time : ndarray, shape (g,)
    out : ndarray, shape (8, g)
        To add to, from zeros: lines matched, and not; vega and vega x change; gross and gross x
        change; amount x vega x change; vanna x change.
    """
    for i in range(there.size):
        g = group[i]
        if there[i] < 0:
            out[1, g] += 1.0
            continue
        change = volatility[i] - former[there[i]]
        # vega = gamma S^2 sigma T, and gross is size x gamma x S^2 x 0.01
        vega = gross[i] / (0.01 * (call_size[i] + put_size[i])) * volatility[i] * time[g]
        out[0, g] += 1.0
        out[2, g] += vega
        out[3, g] += vega * change
        out[4, g] += gross[i]
        out[5, g] += gross[i] * change
        out[6, g] += (call[i] + put[i]) * vega * change
        out[7, g] += vanna[i] / 0.01 * change


def _ratio(numerator: Floats, denominator: Floats) -> Floats:
    out = np.full(numerator.size, math.nan)
    return np.asarray(np.divide(numerator, denominator, out=out, where=denominator > 0.0))
