"""The profile kernel: a book of options as a mixture of Gaussians in log spot.

At a spot of S exp(u), with the forward moving along, the dollar gamma of one contract is
0.01 S exp(u) w exp(-(u - c)^2 / (2 v^2)), where c = ln(K/F) - v^2/2 and w = A D (F/S) / (v
sqrt(2 pi)). The whole profile is therefore a sum of Gaussians in u, and on a uniform grid of step
h each of them obeys g(j+1) = g(j) r(j), r(j+1) = r(j) q with q = exp(-h^2/v^2): two
multiplications a point instead of an exponential.

The recurrence starts afresh, exactly, every few points, so that rounding cannot build up and no
Gaussian dies in an underflow before its peak. Gaussians much wider than the step are summed on a
grid two, four or eight times coarser, which is then interpolated to the last digits. Levels that
carry little of the book are summed directly at the end, so that the result is exact relative to
the gross of each level.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from ..base.compiling import compiled
from .fastexp import exp_nonpositive

__all__ = ["Mixture", "derivative_at", "net_and_gross_at", "profile_on_grid", "value_at"]

Floats: TypeAlias = npt.NDArray[np.float64]

#: Gaussians handled together: enough to hide the latency of the recurrence, few enough that the
#: strikes of one expiry share a range of levels.
_LANES = 128
#: A Gaussian is left out where it is below exp(-_REACH^2 / 2) = 6e-23 of its peak.
_REACH = 10.1
#: A level is summed directly where its gross is below this share of all peaks together: there
#: what was left out could exceed 1e-14 of it.
_THIN = 6e-9
#: Standard deviations between the last point at which exp() is above 0 and `_REACH`.
_ROOM = 37.6 - _REACH
_UNROLL = 8
#: A Gaussian is smooth on a grid whose step is at most this part of its width: there the error of
#: interpolating between 16 nodes is below 1e-15 of its peak (the 16th derivative's bound).
_SMOOTH = 0.1
_COARSEST = 8
_LEVELS = 4
_LEVEL_OF = np.array([0, 0, 1, 0, 2, 0, 0, 0, 3])
#: Nodes on either side of a point, and beyond either end of the grid.
_MARGIN = 8
#: A level is summed directly where its gross is below this share of all smooth peaks: there the
#: interpolation could be off by more than 2e-13 of it.
_THIN_SMOOTH = 5e-3


def _weights() -> Floats:
    """Return Lagrange weights of 16 nodes at each eighth of the way between the middle two."""
    x = _MARGIN - 1 + np.arange(_COARSEST)[:, None] / _COARSEST
    i = np.arange(2.0 * _MARGIN)
    out = np.ones((_COARSEST, i.size))
    for k in range(i.size):
        other = i != k
        out[:, other] *= (x - k) / (i[other] - k)
    return out


_WEIGHTS = _weights()


@dataclass(frozen=True, slots=True)
class Mixture:
    """A book under a fixed volatility per strike, as Gaussians in u = ln(S'/S).

    Attributes
    ----------
    centre : ndarray, shape (n,)
        Peak of each Gaussian in u; dimensionless.
    inverse_width : ndarray, shape (n,)
        1/v, positive.
    net, gross : ndarray, shape (n,)
        Height of each Gaussian, signed for the dealer and absolute, in dollars per 1 % before the
        factor exp(u).
    """

    centre: Floats
    inverse_width: Floats
    net: Floats
    gross: Floats


@compiled(nogil=True)
def _reach(
    lower: float, step: float, points: int, centre: Floats, inverse_width: Floats
) -> tuple[int, int, float]:
    """Return the first grid point, one past the last, and the largest 1/v of some Gaussians."""
    first, last, sharpest = np.inf, -np.inf, 0.0
    for i in range(centre.size):
        reach = _REACH / inverse_width[i]
        first = min(first, centre[i] - reach)
        last = max(last, centre[i] + reach)
        sharpest = max(sharpest, inverse_width[i])
    start = min(max((first - lower) / step, 0.0), float(points))
    stop = min(max((last - lower) / step + 1.0, 0.0), float(points))
    return int(start), math.ceil(stop), sharpest


@compiled(nogil=True)
def _restart_every(step: float, sharpest: float) -> int:
    """Return how many points the recurrence may run before it is started afresh."""
    if 64.0 * step * sharpest <= _ROOM:
        return 64
    return _UNROLL if _UNROLL * step * sharpest <= _ROOM else 1


@compiled(nogil=True, fastmath={"contract"})
def _start(
    u: float, step: float, centre: Floats, inverse_width: Floats, g: Floats, r: Floats
) -> None:
    """Set g to the Gaussians at u and r to the ratios to their values one step on."""
    for i in range(centre.size):
        x = (u - centre[i]) * inverse_width[i]
        s = step * inverse_width[i]
        g[i] = exp_nonpositive(-0.5 * x * x)
        r[i] = exp_nonpositive(min(-s * (x + 0.5 * s), 300.0))


@compiled(nogil=True)
def _ratio_of_ratios(step: float, inverse_width: Floats, q: Floats) -> None:
    for i in range(inverse_width.size):
        s = step * inverse_width[i]
        q[i] = exp_nonpositive(-s * s)


@compiled(nogil=True, fastmath={"reassoc", "contract"})
def _eight_points(
    at: int, g: Floats, r: Floats, q: Floats, net: Floats, gross: Floats, out: Floats
) -> None:
    """Add eight neighbouring levels to `out` and advance the recurrences past them."""
    n0 = n1 = n2 = n3 = n4 = n5 = n6 = n7 = 0.0
    a0 = a1 = a2 = a3 = a4 = a5 = a6 = a7 = 0.0
    for i in range(g.size):
        x, y, z, w, a = g[i], r[i], q[i], net[i], gross[i]
        n0 += w * x
        a0 += a * x
        x *= y
        y *= z
        n1 += w * x
        a1 += a * x
        x *= y
        y *= z
        n2 += w * x
        a2 += a * x
        x *= y
        y *= z
        n3 += w * x
        a3 += a * x
        x *= y
        y *= z
        n4 += w * x
        a4 += a * x
        x *= y
        y *= z
        n5 += w * x
        a5 += a * x
        x *= y
        y *= z
        n6 += w * x
        a6 += a * x
        x *= y
        y *= z
        n7 += w * x
        a7 += a * x
        g[i] = x * y
        r[i] = y * z
    for k, (n, a) in enumerate(
        ((n0, a0), (n1, a1), (n2, a2), (n3, a3), (n4, a4), (n5, a5), (n6, a6), (n7, a7))
    ):
        out[0, at + k] += n
        out[1, at + k] += a


@compiled(nogil=True, fastmath={"reassoc", "contract"})
def _sums(
    u: float, centre: Floats, inverse_width: Floats, net: Floats, gross: Floats
) -> tuple[float, float]:
    """Return the exact net and gross heights of the mixture at u, without the factor exp(u)."""
    total, absolute = 0.0, 0.0
    for i in range(centre.size):
        x = (u - centre[i]) * inverse_width[i]
        g = exp_nonpositive(-0.5 * x * x)
        total += net[i] * g
        absolute += gross[i] * g
    return total, absolute


@compiled(nogil=True)
def _add_lanes(
    lower: float,
    step: float,
    points: int,
    centre: Floats,
    inverse_width: Floats,
    net: Floats,
    gross: Floats,
    work: Floats,
    out: Floats,
) -> None:
    """Add one block of Gaussians to every level that it reaches."""
    g, r, q = work[0, : centre.size], work[1, : centre.size], work[2, : centre.size]
    first, stop, sharpest = _reach(lower, step, points, centre, inverse_width)
    every = _restart_every(step, sharpest)
    _ratio_of_ratios(step, inverse_width, q)
    for start in range(first, stop, every):
        u = lower + start * step
        if every == 1:
            total, absolute = _sums(u, centre, inverse_width, net, gross)
            out[0, start] += total
            out[1, start] += absolute
            continue
        _start(u, step, centre, inverse_width, g, r)
        for at in range(start, min(start + every, stop), _UNROLL):
            _eight_points(at, g, r, q, net, gross, out)


@compiled(nogil=True)
def _coarseness(step: float, points: int, sharpest: float) -> int:
    """Return the largest multiple of the step, 1, 2, 4 or 8, that a block's Gaussians allow."""
    factor = _COARSEST
    while factor > 1 and (factor * step * sharpest > _SMOOTH or (points - 1) % factor != 0):
        factor //= 2
    return factor


@compiled(nogil=True)
def _add_weighted(weight: float, values: Floats, out: Floats) -> None:
    # on its own, it becomes vector instructions
    for i in range(out.size):
        out[i] += weight * values[i]


@compiled(nogil=True)
def _refine(factor: int, points: int, coarse: Floats, work: Floats, out: Floats) -> None:
    """Add a coarse profile to the fine one; `coarse` starts `_MARGIN` nodes before the grid."""
    for row in range(2):
        for node in range((points - 1) // factor + 1):
            out[row, node * factor] += coarse[row, node + _MARGIN]
        for phase in range(1, factor):
            n = (points - 1 - phase) // factor + 1
            for k in range(n):
                work[k] = out[row, phase + k * factor]
            for i in range(2 * _MARGIN):
                weight = _WEIGHTS[phase * (_COARSEST // factor), i]
                _add_weighted(weight, coarse[row, 1 + i : 1 + i + n], work[:n])
            for k in range(n):
                out[row, phase + k * factor] = work[k]


@compiled(nogil=True)
def profile_on_grid(
    lower: float,
    step: float,
    points: int,
    centre: Floats,
    inverse_width: Floats,
    net: Floats,
    gross: Floats,
) -> Floats:
    """Return net and gross dollar gamma on a uniform grid of log spot.

    Parameters
    ----------
    lower, step : float
        First level and distance of the levels, in u = ln(S'/S).
    points : int
        Number of levels, m.
    centre, inverse_width, net, gross : ndarray, shape (n,)
        The mixture. Order does not matter for the result beyond rounding; neighbours in strike
        beside each other are fastest.

    Returns
    -------
    ndarray, shape (2, m)
        Net and gross, dollars per 1 % of the level. Relative to the gross of each level the error
        is below 1e-12. Zero everywhere for an empty book.
    """
    grids = np.zeros((_LEVELS, 2, points + 2 * 64 + 2 * _MARGIN))
    used = np.zeros(_LEVELS, np.bool_)
    work, refined = np.empty((3, _LANES)), np.empty(points)
    peaks, smooth_peaks = 0.0, 0.0
    for a in range(0, centre.size, _LANES):
        b = min(a + _LANES, centre.size)
        block, sharpest = 0.0, 0.0
        for i in range(a, b):  # numpy's sum and max cost seconds of compilation
            block += gross[i]
            sharpest = max(sharpest, inverse_width[i])
        factor = _coarseness(step, points, sharpest)
        level = _LEVEL_OF[factor]
        margin = 0 if factor == 1 else _MARGIN
        wide = factor * step
        _add_lanes(
            lower - margin * wide, wide, (points - 1) // factor + 1 + 2 * margin,
            centre[a:b], inverse_width[a:b], net[a:b], gross[a:b],
            work, grids[level],
        )  # fmt: skip
        used[level] = True
        peaks += block
        smooth_peaks += 0.0 if factor == 1 else block
    out = grids[0]
    for level in range(1, _LEVELS):
        if used[level]:
            _refine(2**level, points, grids[level], refined, out)
    thin = max(_THIN * peaks, _THIN_SMOOTH * smooth_peaks)
    found = np.empty((2, points))
    for j in range(points):
        u = lower + j * step
        if out[1, j] < thin:
            out[0, j], out[1, j] = _exact_sums(u, centre, inverse_width, net, gross)
        found[0, j] = out[0, j] * math.exp(u)
        found[1, j] = out[1, j] * math.exp(u)
    return found


@compiled(nogil=True)
def _exact_sums(
    u: float, centre: Floats, inverse_width: Floats, net: Floats, gross: Floats
) -> tuple[float, float]:
    """Return the sums down to the smallest number there is, subnormal ones included."""
    total, absolute = 0.0, 0.0
    for i in range(centre.size):
        x = (u - centre[i]) * inverse_width[i]
        g = math.exp(-0.5 * x * x)
        total += net[i] * g
        absolute += gross[i] * g
    return total, absolute


@compiled(nogil=True)
def net_and_gross_at(
    u: float, centre: Floats, inverse_width: Floats, net: Floats, gross: Floats
) -> tuple[float, float]:
    """Return the exact net and gross dollar gamma at S exp(u), dollars per 1 % of that level."""
    total, absolute = _exact_sums(u, centre, inverse_width, net, gross)
    return total * math.exp(u), absolute * math.exp(u)


@compiled(nogil=True)
def value_at(u: float, centre: Floats, inverse_width: Floats, net: Floats) -> float:
    """Return the net height at S exp(u), exact to rounding, without the factor exp(u).

    It has the roots of the profile.
    """
    total, _ = _sums(u, centre, inverse_width, net, net)
    return total


@compiled(nogil=True, fastmath={"reassoc", "contract"})
def derivative_at(u: float, centre: Floats, inverse_width: Floats, net: Floats) -> float:
    """Return dG/du at S exp(u), dollars per 1 % of that level, per unit of u."""
    total = 0.0
    for i in range(centre.size):
        x = (u - centre[i]) * inverse_width[i]
        total += net[i] * exp_nonpositive(-0.5 * x * x) * (1.0 - x * inverse_width[i])
    return total * math.exp(u)
