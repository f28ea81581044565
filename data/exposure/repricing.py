"""A book re-checked while spot and time move on: net gamma and flip at many moments of a session.

The contracts, the dealers' amounts, the forwards and the volatilities stay those of the chain;
only spot and the time to expiry move. What has stopped existing by a moment is left out.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final, TypeAlias

import numpy as np
import numpy.typing as npt

from ..base.schema import Regime
from .book import Book, mixture_of, value_book
from .definition import Definition
from .evaluation import PreparedChain
from .flips import Grid, Root, mixture_roots, nearest_root, signs
from .labels import regime_of
from .profile_kernel import Mixture, net_and_gross_at, profile_on_grid
from .sticky_moneyness import Curves, sticky_at, sticky_profile, sticky_roots

__all__ = ["Repriced", "moved", "reprice"]

Floats: TypeAlias = npt.NDArray[np.float64]
Ints: TypeAlias = npt.NDArray[np.int64]
Flags: TypeAlias = npt.NDArray[np.bool_]

#: Levels on either side of spot in which a flip is looked for first.
_NEAR: Final = 48
#: The same where every level costs a sum over all lines.
_STICKY: Final = (6, 20, 48)


@dataclass(frozen=True, slots=True)
class Repriced:
    """A book at m moments.

    Attributes
    ----------
    net_gex, gross_gex : ndarray, shape (m,)
        Dollars per 1 % of the spot at that moment. Net is NaN and gross 0 where nothing is live.
    flip : ndarray, shape (m,)
        The root of the profile nearest to the spot at that moment, points; NaN where the profile
        has no root within the definition's grid around that spot.
    """

    net_gex: Floats
    gross_gex: Floats
    flip: Floats

    @property
    def net_to_gross(self) -> Floats:
        """-1 ... 1; NaN where nothing is live."""
        undefined = np.full(self.net_gex.shape, np.nan)
        defined = self.gross_gex > 0.0
        return np.asarray(np.divide(self.net_gex, self.gross_gex, out=undefined, where=defined))

    def regimes(self, band: float, *, degraded: bool) -> list[Regime]:
        """Return the regime at every moment."""
        return [regime_of(float(x), band, degraded=degraded) for x in self.net_to_gross]


def moved(mixture: Mixture, log_move: float) -> Mixture:
    """Return the mixture as seen from the spot S exp(log_move) instead of S.

    Its value at u is the former one at u + log_move, so that a grid around the new spot is again
    a grid around 0.
    """
    lift = math.exp(log_move)
    return Mixture(
        mixture.centre - log_move,
        mixture.inverse_width,
        mixture.net * lift,
        mixture.gross * lift,
    )


def reprice(
    prepared: PreparedChain,
    definition: Definition,
    moments_us: Ints,
    spots: Floats,
    *,
    groups: Flags | None = None,
) -> Repriced:
    """Return the book of a chain at other moments and spots than those of its quotes.

    Parameters
    ----------
    prepared : PreparedChain
        Volatilities and forwards of the chain's own moment; both are kept: a forward moves with
        spot and with carry, a volatility as ``definition.iv_dynamics`` says.
    definition : Definition
    moments_us : ndarray of int64, shape (m,)
        Microseconds since 1970, UTC, ascending.
    spots : ndarray, shape (m,)
        Points.
    groups : ndarray of bool, shape (g,), optional
        Expiry groups that count; all where it is left out.

    Returns
    -------
    Repriced
        What is known at each moment, provided that the chain was known before it.

    Notes
    -----
    The flip is the root of the profile, on the definition's grid around each spot, that lies
    nearest to that spot; it is looked for in the middle of the grid first, which finds the same.
    """
    grid = Grid(definition.grid_width, definition.grid_points)
    out = np.full((3, moments_us.size), np.nan)
    lines, ends = prepared.lines, prepared.groups.expiry_us
    if groups is not None:
        ends = np.where(groups, ends, 0)  # long ago
    for i, (moment, spot) in enumerate(zip(moments_us.tolist(), spots.tolist(), strict=True)):
        book = value_book(
            lines, prepared.market, prepared.chain.spot, moment, ends, definition.floor_minutes
        )
        lines = book.lines  # what has died does not come back
        out[:, i] = _state(book, prepared.curves, grid, spot)
    return Repriced(out[0], out[1], out[2])


def _state(
    book: Book, curves: Curves | None, grid: Grid, spot: float
) -> tuple[float, float, float]:
    """Return net, gross and flip of a book at a spot."""
    log_move = math.log(spot / book.spot)
    if curves is not None:
        net, gross = sticky_at(book, curves, log_move)
        flip = _sticky_flip(book, curves, grid, log_move) if gross > 0.0 else None
    else:
        mixture = moved(mixture_of(book), log_move)
        net, gross = net_and_gross_at(
            0.0, mixture.centre, mixture.inverse_width, mixture.net, mixture.gross
        )
        flip = _flip(mixture, grid, spot) if gross > 0.0 else None
    return net if gross > 0.0 else math.nan, gross, flip.level if flip else math.nan


def _near(grid: Grid, levels: int = _NEAR) -> Grid:
    """Return the middle of a grid: the same levels, fewer of them."""
    points = min(grid.points, 2 * levels + 1)
    return Grid(0.5 * (points - 1) * grid.step, points)


def _flip(mixture: Mixture, grid: Grid, spot: float) -> Root | None:
    for part in (_near(grid), grid):
        net, gross = profile_on_grid(
            -part.width, part.step, part.points,
            mixture.centre, mixture.inverse_width, mixture.net, mixture.gross,
        )  # fmt: skip
        roots = mixture_roots(spot, part, mixture, net, gross)
        if _is_enough(roots, net, gross):
            break
    return nearest_root(spot, roots)


def _sticky_flip(book: Book, curves: Curves, grid: Grid, log_move: float) -> Root | None:
    for part in (*(_near(grid, levels) for levels in _STICKY), grid):
        net, gross = sticky_profile(book, curves, log_move + part.levels())
        roots = sticky_roots(book, curves, part, net, gross, around=log_move)
        if _is_enough(roots, net, gross):
            break
    return nearest_root(book.spot * math.exp(log_move), roots)


def _is_enough(roots: tuple[Root, ...], net: Floats, gross: Floats) -> bool:
    """Return whether a wider grid has the same nearest root: no run of zeros reaches its ends."""
    return bool(roots) and bool(signs(net, gross)[[0, -1]].all())
