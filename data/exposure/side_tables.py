"""Values of the side tables of one session: by expiry, by strike, roots, profile, volatility."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
import numpy.typing as npt

from ..base.compiling import compiled
from .chain_volatility import MISSING, chain_volatility
from .evaluation import BookResult, PreparedChain
from .fixed_strike import fixed_strike_change
from .side_columns import AM, DIRECTIONS, PM
from .strike_lines import REJECTED, USED, USED_OI

if TYPE_CHECKING:
    from ..base.schema import Book as BookName
    from .flips import Grid

__all__ = ["side_tables"]

Floats: TypeAlias = npt.NDArray[np.float64]
Days: TypeAlias = npt.NDArray[np.int32]
Flags: TypeAlias = npt.NDArray[np.bool_]


def side_tables(
    prepared: PreparedChain,
    results: Mapping[BookName, BookResult],
    before: PreparedChain | None,
    *,
    by_right: bool,
) -> dict[BookName, dict[str, Floats]]:
    """Return the side tables of a session, per book.

    Parameters
    ----------
    prepared : PreparedChain
    results : mapping of book to BookResult
    before : PreparedChain or None
        Of the lake's previous session, for changes at fixed strikes; no rows of them without it.
    by_right : bool
        Whether each contract has a volatility of its own: ``iv_source = own``.

    Returns
    -------
    dict of book to dict of table to ndarray, shape (columns, rows)
        What each row of the matrix means is said by `side_columns.SIDE_COLUMNS`.
    """
    implied = _implied(prepared)
    return {
        name: {
            "exposure_by_expiry": _by_expiry(prepared, result),
            "exposure_by_strike": _by_strike(result),
            "flip_roots": _roots(result),
            "profile": _profile(result),
            "fixed_strike_vol": np.empty((8, 0))
            if before is None
            else fixed_strike_change(before, prepared, result, by_right=by_right),
            "implied_volatility": implied,
        }
        for name, result in results.items()
    }


def _implied(prepared: PreparedChain) -> Floats:
    """Return the chain's own volatility of the next 30 days, in one row."""
    chain = prepared.chain
    found = chain_volatility(chain, prepared.groups, prepared.market, prepared.own)
    row = [float(chain.known_us)]
    for at in (found.at_the_money, found.variance_swap):
        row += (at.volatility, at.near_days, at.next_days, MISSING.index(at.reason))
    return np.array(row).reshape(-1, 1)


def _by_expiry(prepared: PreparedChain, result: BookResult) -> Floats:
    """Return exposures by expiry and settlement, of the groups that are live."""
    book, groups = result.book, prepared.groups
    out = np.empty((13, book.live.size))
    live = _fill_by_expiry(
        groups.expiry, groups.morning, book.live, book.time, book.forward,
        prepared.market.from_parity, book.lines.tally, result.exposure.by_group, out,
    )  # fmt: skip
    return out[:, :live]


@compiled(nogil=True)
def _fill_by_expiry(
    expiry: Days, morning: Flags, live: Flags, time: Floats, forward: Floats, from_parity: Flags,
    tally: Floats, by_group: Floats, out: Floats,
) -> int:  # fmt: skip
    """Fill the columns of the groups that are live, and return how many these are.

    Parameters
    ----------
    expiry, morning, live, time, forward, from_parity : ndarray, shape (g,)
    tally : ndarray, shape (g, 5)
    by_group : ndarray, shape (5, g)
        Sums of exposures, as in `SpotExposure`.
    out : ndarray, shape (13, g)
    """
    k = 0
    for g in range(live.size):
        if not live[g]:
            continue
        out[0, k], out[1, k] = expiry[g], AM if morning[g] else PM
        out[2, k], out[3, k], out[4, k] = time[g], forward[g], from_parity[g]
        for row in range(5):
            out[5 + row, k] = by_group[row, g]
        out[10, k] = tally[g, USED_OI]
        out[11, k], out[12, k] = tally[g, USED], tally[g, REJECTED]
        k += 1
    return k


def _by_strike(result: BookResult) -> Floats:
    """Return exposures by strike, summed over expiries."""
    strikes = result.strikes
    out = np.empty((5, strikes.strike.size))
    out[0], out[1], out[2], out[4] = strikes.strike, strikes.call, strikes.put, strikes.gross
    np.add(strikes.call, strikes.put, out=out[3])
    return out


def _roots(result: BookResult) -> Floats:
    """Return all roots of the profile, ascending."""
    flip = result.flip
    rows = [
        (root.level, DIRECTIONS.index(root.direction), root.slope, root is flip)
        for root in result.roots
    ]
    return np.array(rows, np.float64).reshape(-1, 4).T


def _profile(result: BookResult) -> Floats:
    """Return the profile: net and gross at every level of the grid."""
    grid = result.grid
    out = np.empty((4, grid.points))
    moves = _moves(grid)
    np.multiply(result.book.spot, moves[0], out=out[0])
    out[1], out[2:] = moves[1], result.profile
    return out


@lru_cache(maxsize=8)
def _moves(grid: Grid) -> Floats:
    """Return what the levels of a grid are of spot, and their logarithms, shape (2, points)."""
    u = grid.levels()
    moves = np.stack([np.exp(u), u])
    moves.flags.writeable = False
    return moves
