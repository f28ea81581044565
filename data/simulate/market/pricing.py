"""Prices and greeks of the simulated quotes, and the truth about the dealers' book.

Rates are zero: the forward is the spot, and puts and calls differ by spot minus strike. The truth
is computed here from the published formulae (conventions, sections 5 and 6) in plain numpy, apart
from the exposure engine, so that the engine can be held against it.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
from scipy.optimize import brentq
from scipy.special import ndtr

from ..worlds.parameters import MarketParameters

__all__ = ["black_scholes", "flip_of", "net_gamma", "smile"]

Floats = npt.NDArray[np.float64]

_ROOT_2PI = float(np.sqrt(2 * np.pi))
_GRID = 0.20 * np.arange(1, 201) / 200  # distance of the levels from the spot, log points
_BLOCK = 20


def smile(log_moneyness: Floats, years: Floats, level: float, market: MarketParameters) -> Floats:
    """Return implied volatilities: a level, a term structure, a skew and a curvature.

    Parameters
    ----------
    log_moneyness : ndarray, shape (n,)
        ln(strike / spot).
    years : ndarray, shape (n,)
        Time left, years.
    level : float
        At-the-money volatility at one month, decimal.
    market : Market
        Skew, curvature, and the long-run level that distant expirations return to.

    Returns
    -------
    ndarray, shape (n,)
        Decimal, between 0.04 and 3, rounded to 1e-6 as published. NaN where `years` is not
        positive.
    """
    left = np.where(years > 0, years, np.nan)
    far = market.iv_ratio * market.long_run_volatility + market.iv_premium
    money = level + (far - level) * (1.0 - np.exp(-left / 0.75))
    x = np.clip(log_moneyness / (money * np.sqrt(np.maximum(left, 5 / 365))), -6.0, 4.0)
    wings = 1.0 + market.skew * x + market.smile * x * x
    published: Floats = np.clip(money * wings, 0.04, 3.0).round(6)
    return published


def black_scholes(
    spot: float, strike: Floats, years: Floats, iv: Floats
) -> tuple[Floats, Floats, Floats]:
    """Return price of the out-of-the-money side, call delta and gamma at zero rates.

    An expired contract (NaN volatility) is worth nothing out of the money; its greeks are
    NaN.
    """
    v = iv * np.sqrt(np.where(years > 0, years, np.nan))
    d1 = np.log(spot / strike) / v + v / 2
    call = spot * ndtr(d1) - strike * ndtr(d1 - v)
    out = np.where(strike >= spot, call, call - (spot - strike))
    gamma = np.exp(-d1 * d1 / 2) / (_ROOT_2PI * spot * v)
    return np.where(np.isnan(out), 0.0, np.maximum(out, 0.0)), ndtr(d1), gamma


def net_gamma(position: Floats, strike: Floats, v: Floats, levels: Floats) -> Floats:
    """Return net gamma exposure at each level of the spot, $ of delta per +1 % move.

    ``sum A phi(d1) / (S v) S^2 0.01`` with the forward at the level itself.

    Parameters
    ----------
    position : ndarray, shape (n,)
        Dealers' contracts times multiplier, positive = long.
    strike, v : ndarray, shape (n,)
        Index points; volatility times the root of the time left, positive.
    levels : ndarray, shape (m,)
        Levels of the spot, index points.
    """
    weight = position / (v * _ROOT_2PI)
    d1 = (np.log(levels)[:, None] - np.log(strike)) / v + v / 2
    total: Floats = np.exp(-0.5 * d1 * d1) @ weight
    return 0.01 * levels * total


def flip_of(position: Floats, strike: Floats, v: Floats, spot: float) -> float:
    """Return the level nearest to the spot at which net gamma changes sign; NaN: none within 20 %.

    Walks outwards from the spot in steps of 0.1 % on both sides and stops at the first ring with
    a change of sign; the root is then refined on the exact sum. Of two roots in one ring the
    nearer counts, of two equally near the lower.
    """

    def at(u: float) -> float:
        return float(net_gamma(position, strike, v, np.array([spot * np.exp(u)]))[0])

    roots = [
        float(brentq(at, low, high, xtol=1e-15, rtol=1e-14))
        for low, high in _nearest_changes(position, strike, v, spot)
    ]
    if not roots:
        return float("nan")
    return spot * float(np.exp(min(roots, key=lambda u: (abs(u), u))))


def _nearest_changes(
    position: Floats, strike: Floats, v: Floats, spot: float
) -> list[tuple[float, float]]:
    """Return the intervals (in u) of the innermost ring in which the sign changes."""
    inner = np.zeros(1)
    values = net_gamma(position, strike, v, np.array([spot]))
    below = above = values
    for block in _blocks():
        below = np.append(below[-1:], net_gamma(position, strike, v, spot * np.exp(-block)))
        above = np.append(above[-1:], net_gamma(position, strike, v, spot * np.exp(block)))
        edges = np.append(inner, block)
        left = np.signbit(below[1:]) != np.signbit(below[:-1])
        right = np.signbit(above[1:]) != np.signbit(above[:-1])
        rings = np.flatnonzero(left | right)
        if rings.size:
            i = int(rings[0])
            near, far = float(edges[i]), float(edges[i + 1])
            found = [(-far, -near)] if left[i] else []
            return found + ([(near, far)] if right[i] else [])
        inner = block[-1:]
    return []


def _blocks() -> Iterator[Floats]:
    for start in range(0, _GRID.size, _BLOCK):
        yield _GRID[start : start + _BLOCK]
