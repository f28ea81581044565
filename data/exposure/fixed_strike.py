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
    matched = there >= 0
    former = np.append(before.lines.volatility, math.nan)[there]
    change = np.where(matched, lines.volatility - former, 0.0)
    size = lines.call_size + lines.put_size
    # vega = gamma S^2 sigma T, and gross is size x gamma x S^2 x 0.01
    vega = result.exposure.gross / (0.01 * size) * lines.volatility * book.time[lines.group]
    gross = result.exposure.gross
    amounts = lines.call + lines.put
    columns = (
        matched, ~matched,
        np.where(matched, vega, 0.0), vega * change,
        np.where(matched, gross, 0.0), gross * change,
        amounts * vega * change, result.exposure.vanna / 0.01 * change,
    )  # fmt: skip
    counts = [_sums(values, lines.group, book.live) for values in columns]
    return FixedStrikeChange(
        group=np.append(np.flatnonzero(book.live), -1),
        strikes=counts[0].astype(np.int64),
        unmatched=counts[1].astype(np.int64),
        by_vega=_ratio(counts[3], counts[2]),
        by_exposure=_ratio(counts[5], counts[4]),
        vega_dollars=counts[6],
        delta_dollars=counts[7],
    )


def _sums(values: npt.NDArray[np.generic], group: Ints, live: npt.NDArray[np.bool_]) -> Floats:
    """Return the sums over the living groups, and over everything in the last place."""
    sums = np.bincount(group, weights=values, minlength=live.size)[live]
    return np.append(sums, sums.sum())


def _ratio(numerator: Floats, denominator: Floats) -> Floats:
    out = np.full(numerator.size, math.nan)
    return np.asarray(np.divide(numerator, denominator, out=out, where=denominator > 0.0))
