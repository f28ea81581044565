"""Implied volatility from a price, where the vendor gives none."""

from __future__ import annotations

import math
from typing import Final, TypeAlias

import numpy as np
import numpy.typing as npt

from ..base.compiling import compiled

__all__ = [
    "ABOVE_BOUND",
    "BELOW_BOUND",
    "HIGHEST_VOLATILITY",
    "LOWEST_VOLATILITY",
    "NO_PRICE",
    "OUT_OF_RANGE",
    "REASONS",
    "SOLVED",
    "implied_volatility",
    "solve_volatility",
]

Floats: TypeAlias = npt.NDArray[np.float64]
Codes: TypeAlias = npt.NDArray[np.int8]

LOWEST_VOLATILITY: Final = 0.01
HIGHEST_VOLATILITY: Final = 10.0

SOLVED: Final = 0
NO_PRICE: Final = 1
BELOW_BOUND: Final = 2
ABOVE_BOUND: Final = 3
OUT_OF_RANGE: Final = 4

#: Why there is no volatility, by code.
REASONS: Final = {
    SOLVED: "solved",
    NO_PRICE: "no_price",
    BELOW_BOUND: "at_or_below_intrinsic",
    ABOVE_BOUND: "at_or_above_upper_bound",
    OUT_OF_RANGE: "volatility_out_of_range",
}

_SQRT_HALF = math.sqrt(0.5)
_SQRT_2PI = math.sqrt(2.0 * math.pi)
_MAX_STEPS = 100


@compiled(nogil=True)
def _time_value(log_moneyness: float, v: float) -> float:
    """Return the Black price of the out-of-the-money side over F, undiscounted.

    `log_moneyness` is abs(ln(F/K)): by symmetry one branch serves calls and puts.
    """
    d1 = -log_moneyness / v + 0.5 * v
    tail = 0.5 * math.erfc(-d1 * _SQRT_HALF)
    return tail - math.exp(log_moneyness) * 0.5 * math.erfc(-(d1 - v) * _SQRT_HALF)


@compiled(nogil=True)
def _solve_v(log_moneyness: float, target: float, low: float, high: float) -> float:
    """Return v in (low, high) whose time value is `target`; the root is bracketed throughout.

    Newton on the logarithm of the price, which is nearly linear far from the money; a step that
    leaves the bracket is replaced by bisection.
    """
    v = min(max(math.sqrt(2.0 * log_moneyness), low * 1.5), high / 1.5)
    for _ in range(_MAX_STEPS):
        price = _time_value(log_moneyness, v)
        if price < target:
            low = v
        else:
            high = v
        d1 = -log_moneyness / v + 0.5 * v
        slope = math.exp(-0.5 * d1 * d1) / _SQRT_2PI
        step = np.inf
        if price > 0.0 and slope > 0.0:
            step = math.log(price / target) * price / slope
        following = v - step
        if not low < following < high:
            following = 0.5 * (low + high)
        if abs(following - v) <= 2e-16 * v or high - low <= 2e-16 * high:
            return following
        v = following
    return v


@compiled(nogil=True)
def solve_volatility(
    price: float, forward: float, strike: float, time: float, discount: float, is_call: bool
) -> tuple[float, int]:
    """Return the volatility at which Black's formula gives `price`, and a reason code.

    Parameters
    ----------
    price, forward, strike : float
        Points. A NaN price means that there is none.
    time : float
        Years, positive.
    discount : float
        exp(-r time).
    is_call : bool

    Returns
    -------
    volatility : float
        Decimal; NaN unless the code is ``SOLVED``.
    code : int
        A key of ``REASONS``. A price must lie strictly inside its no-arbitrage bounds, and a
        solution within 0.01 ... 10.
    """
    if math.isnan(price):
        return np.nan, NO_PRICE
    value = price / discount
    intrinsic = max(forward - strike, 0.0) if is_call else max(strike - forward, 0.0)
    if value <= intrinsic:
        return np.nan, BELOW_BOUND
    if value >= (forward if is_call else strike):
        return np.nan, ABOVE_BOUND
    # The time value is the same for both sides; written for an out-of-the-money call over F.
    smaller = min(forward, strike)
    target = (value - intrinsic) / smaller
    distance = abs(math.log(forward / strike))
    root = math.sqrt(time)
    low, high = LOWEST_VOLATILITY * root, HIGHEST_VOLATILITY * root
    if not _time_value(distance, low) <= target <= _time_value(distance, high):
        return np.nan, OUT_OF_RANGE
    return _solve_v(distance, target, low, high) / root, SOLVED


@compiled(nogil=True)
def _solve_all(
    price: Floats,
    forward: Floats,
    strike: Floats,
    time: Floats,
    discount: Floats,
    is_call: npt.NDArray[np.bool_],
    volatility: Floats,
    code: Codes,
) -> None:
    for i in range(price.size):
        volatility[i], code[i] = solve_volatility(
            price[i], forward[i], strike[i], time[i], discount[i], is_call[i]
        )


def _flat(values: npt.ArrayLike) -> Floats:
    return np.ascontiguousarray(values, np.float64).ravel()


def implied_volatility(
    price: npt.ArrayLike,
    forward: npt.ArrayLike,
    strike: npt.ArrayLike,
    time: npt.ArrayLike,
    rate: npt.ArrayLike,
    *,
    is_call: npt.ArrayLike,
) -> tuple[Floats, Codes]:
    """Return implied volatilities of European options, and why some have none.

    Parameters
    ----------
    price, forward, strike : array_like
        Points; broadcast against each other.
    time : array_like
        Years, positive, after any floor.
    rate : array_like
        Continuous, per year.
    is_call : array_like of bool

    Returns
    -------
    volatility : ndarray
        Decimal; NaN where there is none.
    code : ndarray of int8
        Keys of ``REASONS``.

    Examples
    --------
    >>> volatility, code = implied_volatility(7.9655674554, 100, 100, 1.0, 0.0, is_call=True)
    >>> round(float(volatility), 9), REASONS[int(code)]
    (0.2, 'solved')
    """
    p, f, k, t, r, c = np.broadcast_arrays(price, forward, strike, time, rate, is_call)
    volatility = np.empty(p.shape)
    code = np.empty(p.shape, np.int8)
    _solve_all(
        _flat(p), _flat(f), _flat(k), _flat(t), _flat(np.exp(-np.asarray(r) * t)),
        np.ascontiguousarray(c, np.bool_).ravel(), volatility.reshape(-1), code.reshape(-1),
    )  # fmt: skip
    return volatility, code
