"""The gamma profile, its roots, and the look-alikes of the flip: the readable twin.

G(u) is net gamma exposure repriced at S exp(u), in dollars per 1 % of that level.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pandas as pd
from reference_book import Book
from reference_greeks import Array, gamma
from scipy.optimize import brentq

GRID = np.linspace(-0.20, 0.20, 401)
ZERO_SHARE = 1e-12


@dataclass(frozen=True, slots=True)
class Root:
    level: float
    u: float
    direction: str
    slope: float


@dataclass(frozen=True, slots=True)
class Curve:
    """Net and gross exposure as functions of the log move of the spot."""

    net: Callable[[float], float]
    gross: Callable[[float], float]


def call_sign(model: str) -> float:
    return {"naive": 1.0, "inverted": -1.0, "all_long": 1.0, "all_short": -1.0,
            "calls_only": 1.0, "puts_only": 0.0}[model]  # fmt: skip


def put_sign(model: str) -> float:
    return {"naive": -1.0, "inverted": 1.0, "all_long": 1.0, "all_short": -1.0,
            "calls_only": 0.0, "puts_only": -1.0}[model]  # fmt: skip


def dealer_positions(contracts: pd.DataFrame, model: str) -> Array:
    """A = sign x open interest x multiplier, per contract."""
    sign = np.where(contracts["right"] == "C", call_sign(model), put_sign(model))
    size = contracts["open_interest"] * contracts["multiplier"]
    return np.asarray(sign * size, dtype=np.float64)


def smile_columns(iv_source: str) -> list[str]:
    return ["expiry", "settlement"] + (["right"] if iv_source == "own" else [])


def smiles(book: Book) -> dict[Hashable, tuple[Array, Array]]:
    """Log strikes and volatilities per expiry and settlement (`own`: and right)."""
    known = book.surface[book.surface["volatility"].notna()]
    found: dict[Hashable, tuple[Array, Array]] = {}
    for key, group in known.groupby(smile_columns(book.settings.iv_source)):
        by_strike = group.groupby("strike")["volatility"].mean()
        logs = np.log(by_strike.index.to_numpy(dtype=np.float64))
        found[key] = (logs, by_strike.to_numpy(dtype=np.float64))
    return found


def volatility_mover(book: Book, used: pd.DataFrame) -> Callable[[float], Array]:
    """Volatility of each contract used as a function of the log move u of the spot."""
    resting = used["volatility"].to_numpy(dtype=np.float64)
    if book.settings.iv_dynamics == "sticky_strike":
        return lambda u: resting
    table = smiles(book)
    logs = np.log(used["strike"].to_numpy(dtype=np.float64))
    members = used.groupby(smile_columns(book.settings.iv_source)).indices

    def moved(u: float) -> Array:
        values = np.empty(len(used))
        for key, rows in members.items():
            values[rows] = np.interp(logs[rows] - u, *table[key])
        return values

    return moved


def exposure_curve(book: Book, model: str) -> Curve:
    """The exact sums, evaluated anew at every u."""
    used = book.contracts[book.contracts["used"]]
    positions = dealer_positions(used, model)
    forward = used["forward"].to_numpy(dtype=np.float64)
    strike = used["strike"].to_numpy(dtype=np.float64)
    years = used["years"].to_numpy(dtype=np.float64)

    volatilities = volatility_mover(book, used)

    def weights(u: float) -> Array:
        level = book.spot * math.exp(u)
        volatility = volatilities(u)
        moved = forward * math.exp(u)
        return gamma(level, moved, strike, years, volatility, book.settings.rate) * level**2 * 0.01

    return Curve(
        net=lambda u: float(np.sum(positions * weights(u))),
        gross=lambda u: float(np.sum(np.abs(positions) * weights(u))),
    )


def significant_sign(curve: Curve, u: float) -> int:
    """-1, 0 or 1; 0 where the net is a rounding error of the gross."""
    net, gross = curve.net(u), curve.gross(u)
    return 0 if abs(net) <= ZERO_SHARE * gross else int(math.copysign(1, net))


def root_at(curve: Curve, spot: float, u: float, sign_above: int) -> Root:
    step = 1e-6
    slope = (curve.net(u + step) - curve.net(u - step)) / (2 * step)
    return Root(spot * math.exp(u), u, "up" if sign_above > 0 else "down", slope)


def find_roots(curve: Curve, spot: float, grid: Array = GRID) -> list[Root]:
    """Every sign change on the grid, ascending; a run of zeros between signs is one root."""
    signs = [significant_sign(curve, float(u)) for u in grid]
    marked = [j for j, sign in enumerate(signs) if sign != 0]
    found = []
    for left, right in pairwise(marked):
        if signs[left] == signs[right]:
            continue
        if right == left + 1:
            u = float(brentq(curve.net, float(grid[left]), float(grid[right]), xtol=1e-13))
        else:
            u = float(grid[left + 1] + grid[right - 1]) / 2.0
        found.append(root_at(curve, spot, u, signs[right]))
    return found


def nearest_root(roots: list[Root]) -> Root | None:
    """Nearest to spot in log distance; of two equally near, the lower."""
    return min(roots, key=lambda root: (abs(root.u), root.u), default=None)


def linear_crossings(levels: Array, values: Array) -> list[float]:
    """Levels at which linearly interpolated values change sign, ascending."""
    found = []
    for j in range(len(levels) - 1):
        low, high = values[j], values[j + 1]
        if low * high < 0.0:
            found.append(float(levels[j] - low * (levels[j + 1] - levels[j]) / (high - low)))
    return found


def net_by_strike(book: Book, model: str) -> pd.Series:
    """Net exposure at spot per strike, summed over expiries and sides."""
    used = book.contracts[book.contracts["used"]]
    at_spot = contract_exposures(book, used)
    return pd.Series(dealer_positions(used, model) * at_spot).groupby(
        used["strike"].to_numpy()
    ).sum()  # fmt: skip


def contract_exposures(book: Book, used: pd.DataFrame) -> Array:
    """gamma S^2 0.01 per contract unit at the unmoved spot."""
    return (
        gamma(
            book.spot,
            used["forward"].to_numpy(dtype=np.float64),
            used["strike"].to_numpy(dtype=np.float64),
            used["years"].to_numpy(dtype=np.float64),
            used["volatility"].to_numpy(dtype=np.float64),
            book.settings.rate,
        )
        * book.spot**2
        * 0.01
    )


def per_strike_crossings(book: Book, model: str = "naive") -> list[float]:
    """Look-alike: sign changes of the exposure per strike. Not a flip."""
    by_strike = net_by_strike(book, model)
    return linear_crossings(by_strike.index.to_numpy(dtype=np.float64), by_strike.to_numpy())


def cumulative_crossings(book: Book, model: str = "naive") -> list[float]:
    """Look-alike: sign changes of the exposure summed from the lowest strike. Not a flip."""
    by_strike = net_by_strike(book, model)
    sums = by_strike.cumsum().to_numpy()
    return linear_crossings(by_strike.index.to_numpy(dtype=np.float64), sums)
