"""Levels at which the profile changes sign, and the one that counts."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

import numpy as np
import numpy.typing as npt

from ..base.compiling import compiled
from .profile_kernel import Mixture, derivative_at, value_at

__all__ = [
    "FlipStatus",
    "Grid",
    "Root",
    "find_roots",
    "flip_status",
    "mixture_roots",
    "nearest_root",
    "roots_between",
    "roots_of",
    "sign_changes",
    "signs",
]

Floats: TypeAlias = npt.NDArray[np.float64]
Ints: TypeAlias = npt.NDArray[np.int64]
Direction = Literal["up", "down"]
FlipStatus = Literal["degraded", "ok", "multiple", "none_long", "none_short"]

#: A level whose net is this small against its gross has no sign.
_NO_SIGN: Final = 1e-12
#: Half of the width, in u, to which a root is enclosed: five times finer than promised.
_TOLERANCE: Final = 1e-9
_STEP: Final = 0.5 * _TOLERANCE
_MAX_STEPS: Final = 200


@dataclass(frozen=True, slots=True)
class Grid:
    """A uniform grid of log spot around the unmoved spot.

    Attributes
    ----------
    width : float
        The grid spans u = -width ... width.
    points : int
        Number of levels, odd, so that u = 0 is one of them.
    """

    width: float = 0.20
    points: int = 401

    @property
    def step(self) -> float:
        """Distance of neighbouring levels in u."""
        return 2.0 * self.width / (self.points - 1)

    def levels(self) -> Floats:
        """Return the levels u, shape (points,)."""
        return np.asarray(-self.width + self.step * np.arange(self.points), np.float64)


@dataclass(frozen=True, slots=True)
class Root:
    """A level at which net gamma changes its sign.

    Attributes
    ----------
    level : float
        Spot, points.
    direction : {"up", "down"}
        ``up``: negative below, positive above.
    slope : float
        dG/du, dollars per 1 % per unit of log spot.
    """

    level: float
    direction: Direction
    slope: float


def signs(net: Floats, gross: Floats) -> Floats:
    """Return -1, 0 or 1 per level: a net within 1e-12 of the gross has no sign."""
    return np.where(np.abs(net) <= _NO_SIGN * gross, 0.0, np.sign(net))


def sign_changes(net: Floats, gross: Floats) -> list[tuple[int, int]]:
    """Return the pairs of grid points between whose signs the profile changes.

    A net within 1e-12 of the gross has no sign and is passed over, so that the points of a pair
    are neighbours unless a run of zeros lies between them.

    Examples
    --------
    >>> sign_changes(np.array([-1.0, 2.0, 0.0, 0.0, -3.0]), np.full(5, 5.0))
    [(0, 1), (1, 4)]
    """
    pairs: list[tuple[int, int]] = list(map(tuple, _pairs(net, gross).tolist()))
    return pairs


@compiled(nogil=True)
def _pairs(net: Floats, gross: Floats) -> Ints:
    """Return what `sign_changes` does, shape (k, 2)."""
    pairs = np.empty((net.size, 2), np.int64)
    found, before, at = 0, 0.0, -1
    for i in range(net.size):
        if abs(net[i]) <= _NO_SIGN * gross[i]:
            continue
        sign = 1.0 if net[i] > 0.0 else (-1.0 if net[i] < 0.0 else net[i])
        if sign == 0.0:
            continue
        if at >= 0 and sign != before:
            pairs[found, 0], pairs[found, 1] = at, i
            found += 1
        before, at = sign, i
    return pairs[:found]


@compiled(nogil=True)
def _zero_of_cubic(a: float, b: float, c: float, d: float) -> float:
    """Return the zero in (0, 1) of the cubic through a ... d at -1, 0, 1, 2; b c < 0."""
    first = c - a / 3.0 - 0.5 * b - d / 6.0
    second = 0.5 * (a + c) - b
    third = (d - a) / 6.0 + 0.5 * (b - c)
    low, high = 0.0, 1.0
    for _ in range(40):
        t = 0.5 * (low + high)
        value = b + t * (first + t * (second + t * third))
        if (value < 0.0) == (b < 0.0):
            low = t
        else:
            high = t
    return 0.5 * (low + high)


@compiled(nogil=True)
def _enclose(
    low: float, high: float, f_low: float, f_high: float, guess: float,
    centre: Floats, inverse_width: Floats, net: Floats,
) -> float:  # fmt: skip
    """Return the root in (low, high): from a first guess by secant steps that keep it enclosed."""
    u = guess
    for _ in range(_MAX_STEPS):
        if high - low <= 2.0 * _TOLERANCE:
            break
        # step just past the estimate, towards the far end, so that both ends close in
        u += _STEP if u < 0.5 * (low + high) else -_STEP
        if not low < u < high:
            u = 0.5 * (low + high)
        width = high - low
        value = value_at(u, centre, inverse_width, net)
        if value == 0.0:
            return u
        if (value < 0.0) == (f_low < 0.0):
            low, f_low = u, value
        else:
            high, f_high = u, value
        if high - low > 0.5 * width:
            u = 0.5 * (low + high)
            value = value_at(u, centre, inverse_width, net)
            if (value < 0.0) == (f_low < 0.0):
                low, f_low = u, value
            else:
                high, f_high = u, value
        u = low - f_low * (high - low) / (f_high - f_low)
    return 0.5 * (low + high)


@compiled(nogil=True)
def roots_between(
    lower: float, step: float, profile: Floats, gross: Floats,
    centre: Floats, inverse_width: Floats, net: Floats,
) -> Floats:  # fmt: skip
    """Return log level and slope of each root, and the profile before it, shape (k, 3).

    Each is enclosed on the exact sum of the mixture, to 1e-8 relative.

    Parameters
    ----------
    lower, step : float
        First level and distance of the levels, in u = ln(S'/S).
    profile, gross : ndarray, shape (m,)
        Net and gross at these levels, dollars per 1 %.
    centre, inverse_width, net : ndarray, shape (n,)
        Of the `Mixture`.
    """
    pairs = _pairs(profile, gross)
    found = np.empty((pairs.shape[0], 3))
    for k in range(pairs.shape[0]):
        i, j = pairs[k, 0], pairs[k, 1]
        low, high = lower + i * step, lower + j * step
        if j > i + 1:
            u = 0.5 * (low + high)  # between them lie levels without a sign
        else:
            f = np.empty(4)
            for n in range(4):
                at = min(max(i - 1 + n, 0), profile.size - 1)
                f[n] = profile[at] * math.exp(-lower - at * step)
            guess = low + step * _zero_of_cubic(f[0], f[1], f[2], f[3])
            u = _enclose(low, high, f[1], f[2], guess, centre, inverse_width, net)
        found[k, 0], found[k, 1] = u, derivative_at(u, centre, inverse_width, net)
        found[k, 2] = profile[i]
    return found


def _direction(before: float) -> Direction:
    return "up" if before < 0.0 else "down"


def find_roots(
    spot: float,
    levels: Floats,
    net: Floats,
    gross: Floats,
    refine: Callable[[float, float], float],
    slope: Callable[[float], float],
) -> tuple[Root, ...]:
    """Return all roots of a profile, ascending.

    Parameters
    ----------
    spot : float
        Points.
    levels, net, gross : ndarray, shape (m,)
        The profile: u, and dollars per 1 %.
    refine : callable
        From the two levels of a bracket to the root between them.
    slope : callable
        dG/du at a level.
    """
    roots = []
    for i, j in sign_changes(net, gross):
        neighbours = j == i + 1
        u = refine(levels[i], levels[j]) if neighbours else 0.5 * (levels[i + 1] + levels[j - 1])
        roots.append(Root(spot * math.exp(u), _direction(net[i]), slope(u)))
    return tuple(roots)


def mixture_roots(
    spot: float, grid: Grid, mixture: Mixture, net: Floats, gross: Floats
) -> tuple[Root, ...]:
    """Return all roots of a mixture's profile, each enclosed on the exact sum to 1e-8 relative.

    Parameters
    ----------
    spot : float
        Points.
    grid : Grid
    mixture : Mixture
    net, gross : ndarray, shape (grid.points,)
        The profile on the grid, dollars per 1 %.
    """
    found = roots_between(
        -grid.width, grid.step, net, gross,
        mixture.centre, mixture.inverse_width, mixture.net,
    )  # fmt: skip
    return roots_of(spot, found)


def roots_of(spot: float, found: Floats) -> tuple[Root, ...]:
    """Return what `roots_between` has found, around a spot."""
    return tuple(
        Root(spot * math.exp(u), _direction(before), slope) for u, slope, before in found.tolist()
    )


def nearest_root(spot: float, roots: tuple[Root, ...]) -> Root | None:
    """Return the root nearest to spot in log distance, the lower on a tie; None without any."""
    return min(roots, key=lambda r: (abs(math.log(r.level / spot)), r.level), default=None)


def flip_status(net_gex: float, roots: tuple[Root, ...], *, degraded: bool) -> FlipStatus | None:
    """Return the status of the flip; None where the book has no sign at all."""
    if degraded:
        return "degraded"
    if roots:
        return "ok" if len(roots) == 1 else "multiple"
    if net_gex == 0.0 or math.isnan(net_gex):
        return None
    return "none_long" if net_gex > 0.0 else "none_short"
