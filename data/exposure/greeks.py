"""Black greeks in the forward measure, as conventions of this project define them.

Notation: F forward, S spot, K strike, T years (after any floor), sigma decimal volatility,
v = sigma sqrt(T), d1 = ln(F/K)/v + v/2, d2 = d1 - v, D = exp(-rT), E = D F/S.
Every function broadcasts its arguments; NaN in any of them gives NaN.
"""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
import numpy.typing as npt
from scipy import special

__all__ = ["black_price", "charm", "delta", "gamma", "vanna", "vega"]

Floats: TypeAlias = npt.NDArray[np.float64]
ArrayLike: TypeAlias = npt.ArrayLike

_SQRT_2PI = np.sqrt(2.0 * np.pi)


def _d1_v(
    forward: Floats, strike: Floats, time: Floats, volatility: Floats
) -> tuple[Floats, Floats]:
    v = volatility * np.sqrt(time)
    return np.log(forward / strike) / v + 0.5 * v, v


def _density(d: Floats) -> Floats:
    return np.asarray(np.exp(-0.5 * d * d) / _SQRT_2PI)


def _arrays(*values: ArrayLike) -> list[Floats]:
    return [np.asarray(value, dtype=np.float64) for value in values]


def gamma(
    spot: ArrayLike,
    forward: ArrayLike,
    strike: ArrayLike,
    time: ArrayLike,
    volatility: ArrayLike,
    rate: ArrayLike,
) -> Floats:
    """Return the spot gamma of a call or a put, D (F/S) phi(d1) / (S v).

    Parameters
    ----------
    spot, forward, strike : array_like
        Index or share points, positive.
    time : array_like
        Years to expiry, positive, after any floor.
    volatility : array_like
        Decimal (0.18 is 18 %), positive.
    rate : array_like
        Continuous rate, per year.

    Returns
    -------
    ndarray
        Delta per index point; positive for a long option. NaN where any input is NaN.

    Examples
    --------
    An at-the-money option of one year at 20 %, no carry: phi(0.1) / (100 * 0.2).

    >>> round(float(gamma(100, 100, 100, 1.0, 0.2, 0.0)), 10)
    0.0198476274
    """
    s, f, k, t, sigma, r = _arrays(spot, forward, strike, time, volatility, rate)
    d1, v = _d1_v(f, k, t, sigma)
    return np.asarray(np.exp(-r * t) * (f / s) * _density(d1) / (s * v))


def delta(
    spot: ArrayLike,
    forward: ArrayLike,
    strike: ArrayLike,
    time: ArrayLike,
    volatility: ArrayLike,
    rate: ArrayLike,
    *,
    is_call: ArrayLike,
) -> Floats:
    """Return the spot delta: E N(d1) of a call, E (N(d1) - 1) of a put.

    Parameters are those of `gamma`; `is_call` is True for calls. Positive for a long call,
    negative for a long put.

    Examples
    --------
    >>> round(float(delta(100, 100, 100, 1.0, 0.2, 0.0, is_call=True)), 10)
    0.5398278373
    """
    s, f, k, t, sigma, r = _arrays(spot, forward, strike, time, volatility, rate)
    d1, _ = _d1_v(f, k, t, sigma)
    side = np.where(np.asarray(is_call, dtype=bool), 1.0, -1.0)
    return np.asarray(side * np.exp(-r * t) * (f / s) * special.ndtr(side * d1))


def vanna(
    spot: ArrayLike,
    forward: ArrayLike,
    strike: ArrayLike,
    time: ArrayLike,
    volatility: ArrayLike,
    rate: ArrayLike,
) -> Floats:
    """Return d delta / d sigma = -E phi(d1) d2 / sigma, the same for a call and a put.

    Parameters are those of `gamma`. The unit is delta per unit of volatility (1.00 = 100 points).

    Examples
    --------
    >>> round(float(vanna(100, 100, 120, 1.0, 0.2, 0.0)), 10)
    1.4516294908
    """
    s, f, k, t, sigma, r = _arrays(spot, forward, strike, time, volatility, rate)
    d1, v = _d1_v(f, k, t, sigma)
    return np.asarray(-np.exp(-r * t) * (f / s) * _density(d1) * (d1 - v) / sigma)


def charm(
    spot: ArrayLike,
    forward: ArrayLike,
    strike: ArrayLike,
    time: ArrayLike,
    volatility: ArrayLike,
    rate: ArrayLike,
    dividend_yield: ArrayLike,
    *,
    is_call: ArrayLike,
) -> Floats:
    """Return d delta / d (calendar time) at constant spot and volatility, per year.

    q delta - E phi(d1) ((r - q)/v - d2/(2T)). The carry r - q is the configured one; it is never
    implied from F/S.

    Parameters are those of `delta`, and `dividend_yield`, continuous, per year.

    Examples
    --------
    >>> round(float(charm(100, 100, 120, 1.0, 0.2, 0.0, 0.0, is_call=True)), 10)
    -0.1451629491
    """
    s, f, k, t, sigma, r, q = _arrays(spot, forward, strike, time, volatility, rate, dividend_yield)
    d1, v = _d1_v(f, k, t, sigma)
    drift = (r - q) / v - (d1 - v) / (2.0 * t)
    option_delta = delta(s, f, k, t, sigma, r, is_call=is_call)
    return np.asarray(q * option_delta - np.exp(-r * t) * (f / s) * _density(d1) * drift)


def vega(
    forward: ArrayLike,
    strike: ArrayLike,
    time: ArrayLike,
    volatility: ArrayLike,
    rate: ArrayLike,
) -> Floats:
    """Return d price / d sigma = D F phi(d1) sqrt(T), in points per unit of volatility.

    Examples
    --------
    >>> round(float(vega(100, 100, 1.0, 0.2, 0.0)), 10)
    39.6952547477
    """
    f, k, t, sigma, r = _arrays(forward, strike, time, volatility, rate)
    d1, _ = _d1_v(f, k, t, sigma)
    return np.asarray(np.exp(-r * t) * f * _density(d1) * np.sqrt(t))


def black_price(
    forward: ArrayLike,
    strike: ArrayLike,
    time: ArrayLike,
    volatility: ArrayLike,
    rate: ArrayLike,
    *,
    is_call: ArrayLike,
) -> Floats:
    """Return the Black price of a European option, in points.

    Examples
    --------
    >>> round(float(black_price(100, 100, 1.0, 0.2, 0.0, is_call=True)), 10)
    7.9655674554
    """
    f, k, t, sigma, r = _arrays(forward, strike, time, volatility, rate)
    d1, v = _d1_v(f, k, t, sigma)
    side = np.where(np.asarray(is_call, dtype=bool), 1.0, -1.0)
    value = side * (f * special.ndtr(side * d1) - k * special.ndtr(side * (d1 - v)))
    return np.asarray(np.exp(-r * t) * value)
