"""The profile when volatility stays with moneyness instead of with the strike.

At S' = S exp(u) a strike K takes the volatility that the strike K exp(-u) has at S: linear in
ln K between the strikes of the same expiry and settlement (and right, where each contract has its
own), flat beyond the ends. The Gaussians change shape with u, so every level is summed directly.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from ..base.compiling import compiled
from .book import Book
from .flips import Grid, Root, find_roots
from .forwards import ForwardCurve
from .snapshot import Groups, Snapshot
from .strike_lines import IvSource, Volatility, side_volatility

__all__ = [
    "Curves",
    "moved_volatility",
    "sticky_at",
    "sticky_profile",
    "sticky_roots",
    "volatility_curves",
]

Floats: TypeAlias = npt.NDArray[np.float64]
Ints: TypeAlias = npt.NDArray[np.int64]
Flags: TypeAlias = npt.NDArray[np.bool_]

_SQRT_2PI = math.sqrt(2.0 * math.pi)
_SLOPE_STEP = 1e-6
_TOLERANCE = 1e-9


@dataclass(frozen=True, slots=True)
class Curves:
    """Volatility against log strike at the unmoved spot.

    Attributes
    ----------
    log_strike, volatility : ndarray, shape (p,)
        Nodes, ascending in log strike within a curve.
    start : ndarray of int64, shape (c + 1,)
        Curve k holds the nodes start[k] ... start[k + 1] - 1.
    by_right : bool
        True: group g has the curves 2g (calls) and 2g + 1 (puts). False: group g has curve g.
    """

    log_strike: Floats
    volatility: Floats
    start: Ints
    by_right: bool


@compiled(nogil=True)
def _otm_nodes(
    start: Ints, time: Floats, forward: Floats, strike: Floats, is_call: Flags, own: Floats,
    log_strike: Floats, volatility: Floats, first: Ints,
) -> int:  # fmt: skip
    p = 0
    for g in range(time.size):
        first[g] = p
        i = start[g]
        while i < start[g + 1] and not math.isnan(time[g]):
            begin = i
            while i < start[g + 1] and strike[i] == strike[begin]:
                i += 1
            sigma = side_volatility(begin, i, is_call, own, strike[begin] >= forward[g])
            if not math.isnan(sigma):
                log_strike[p], volatility[p] = math.log(strike[begin]), sigma
                p += 1
    first[time.size] = p
    return p


@compiled(nogil=True)
def _own_nodes(
    start: Ints, strike: Floats, is_call: Flags, own: Floats,
    log_strike: Floats, volatility: Floats, first: Ints,
) -> int:  # fmt: skip
    p = 0
    for curve in range(2 * (start.size - 1)):
        first[curve] = p
        wanted, count = curve % 2 == 0, 0
        for i in range(start[curve // 2], start[curve // 2 + 1]):
            if is_call[i] != wanted or math.isnan(own[i]):
                continue
            x = math.log(strike[i])
            if p > first[curve] and log_strike[p - 1] == x:
                count += 1
                volatility[p - 1] += (own[i] - volatility[p - 1]) / count
            else:
                log_strike[p], volatility[p], count = x, own[i], 1
                p += 1
    first[first.size - 1] = p
    return p


def volatility_curves(
    chain: Snapshot, groups: Groups, market: ForwardCurve, own: Volatility, iv_source: IvSource
) -> Curves:
    """Return the volatility curves of a snapshot; contracts without open interest count too."""
    n, g = chain.strike.size, market.time.size
    log_strike, volatility = np.empty(n), np.empty(n)
    by_right = iv_source == "own"
    first = np.zeros((2 * g if by_right else g) + 1, np.int64)
    if by_right:
        p = _own_nodes(
            groups.start, chain.strike, chain.is_call, own.value, log_strike, volatility, first
        )
    else:
        p = _otm_nodes(
            groups.start, market.time, market.forward, chain.strike, chain.is_call, own.value,
            log_strike, volatility, first,
        )  # fmt: skip
    return Curves(log_strike[:p], volatility[:p], first, by_right)


@compiled(nogil=True)
def _interpolate(x: float, begin: int, end: int, j: int, node: Floats, value: Floats) -> float:
    """Return the curve at x, whose first node that is not below x is the j-th of all."""
    if j == begin:
        return float(value[begin])
    if j == end:
        return float(value[end - 1])
    weight = (x - node[j - 1]) / (node[j] - node[j - 1])
    return float(value[j - 1] + weight * (value[j] - value[j - 1]))


@compiled(nogil=True)
def _volatilities(
    u: float, curve: Ints, log_strike: Floats, start: Ints, node: Floats, value: Floats, out: Floats
) -> None:
    """Fill `out` with the volatility of each line; strikes ascend within a curve, and so do nodes.

    One pass suffices: the place in a curve is where its last line left it.
    """
    place = start.copy()
    for i in range(curve.size):
        c = curve[i]
        x, j, end = log_strike[i] - u, place[c], start[c + 1]
        while j < end and node[j] < x:
            j += 1
        place[c] = j
        out[i] = _interpolate(x, start[c], end, j, node, value)


@compiled(nogil=True)
def _sums(
    u: float, group: Ints, curve: Ints, log_strike: Floats, log_moneyness: Floats,
    root_time: Floats, shift: Floats, height: Floats, net: Floats, gross: Floats,
    start: Ints, node: Floats, value: Floats, sigma: Floats,
) -> tuple[float, float]:  # fmt: skip
    total, absolute = 0.0, 0.0
    _volatilities(u, curve, log_strike, start, node, value, sigma)
    for i in range(group.size):
        g = group[i]
        v = sigma[i] * root_time[g]
        d1 = (u - log_moneyness[i] + shift[g]) / v + 0.5 * v
        density = height[g] / v * math.exp(-0.5 * d1 * d1)
        total += net[i] * density
        absolute += gross[i] * density
    return total * math.exp(u), absolute * math.exp(u)


@compiled(nogil=True)
def _profile(
    levels: Floats, group: Ints, curve: Ints, log_strike: Floats, log_moneyness: Floats,
    root_time: Floats, shift: Floats, height: Floats, net: Floats, gross: Floats,
    start: Ints, node: Floats, value: Floats,
) -> Floats:  # fmt: skip
    out, sigma = np.empty((2, levels.size)), np.empty(group.size)
    for j in range(levels.size):
        out[0, j], out[1, j] = _sums(
            levels[j], group, curve, log_strike, log_moneyness,
            root_time, shift, height, net, gross, start, node, value, sigma,
        )  # fmt: skip
    return out


def _curve_of_lines(book: Book, curves: Curves) -> Ints:
    """Return the index of each line's curve."""
    lines = book.lines
    if not curves.by_right:
        return lines.group
    return 2 * lines.group + (lines.put_size > 0.0).astype(np.int64)


def moved_volatility(book: Book, curves: Curves, u: float) -> Floats:
    """Return the volatility of each line at the spot S exp(u), where it stays with moneyness."""
    out = np.empty(book.lines.strike.size)
    _volatilities(
        u, _curve_of_lines(book, curves), np.log(book.lines.strike),
        curves.start, curves.log_strike, curves.volatility, out,
    )  # fmt: skip
    return out


def _terms(book: Book, curves: Curves) -> tuple[npt.NDArray[np.generic], ...]:
    lines = book.lines
    return (
        lines.group, _curve_of_lines(book, curves), np.log(lines.strike), lines.log_moneyness,
        np.sqrt(book.time), book.shift, 0.01 * book.discount * book.forward / _SQRT_2PI,
        lines.call + lines.put, lines.call_size + lines.put_size,
        curves.start, curves.log_strike, curves.volatility,
    )  # fmt: skip


def sticky_profile(book: Book, curves: Curves, levels: Floats) -> Floats:
    """Return net and gross dollar gamma, volatility staying with moneyness.

    Parameters
    ----------
    book : Book
    curves : Curves
    levels : ndarray, shape (m,)
        u = ln(S'/S), any order.

    Returns
    -------
    ndarray, shape (2, m)
        Net and gross, dollars per 1 % of the level.
    """
    return np.asarray(_profile(levels, *_terms(book, curves)))  # type: ignore[arg-type]


def sticky_at(book: Book, curves: Curves, u: float) -> tuple[float, float]:
    """Return net and gross dollar gamma at one level."""
    net, gross = sticky_profile(book, curves, np.array([u]))[:, 0]
    return float(net), float(gross)


def sticky_roots(
    book: Book, curves: Curves, grid: Grid, net: Floats, gross: Floats, *, around: float = 0.0
) -> tuple[Root, ...]:
    """Return all roots of the profile, each to 1e-9 in log spot on the exact sum.

    `net` and `gross` are the profile on the grid laid around S exp(around).
    """
    from scipy.optimize import brentq

    terms = _terms(book, curves)

    def value(u: float) -> float:
        return float(_profile(np.array([u]), *terms)[0, 0])  # type: ignore[arg-type]

    def refine(low: float, high: float) -> float:
        return float(brentq(value, low, high, xtol=_TOLERANCE, rtol=1e-15))

    def slope(u: float) -> float:
        return (value(u + _SLOPE_STEP) - value(u - _SLOPE_STEP)) / (2.0 * _SLOPE_STEP)

    return find_roots(book.spot, around + grid.levels(), net, gross, refine, slope)
