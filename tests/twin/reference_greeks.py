"""Black-76 from the textbook, in plain numpy: the readable twin of the greeks.

Spot S, forward F at the same moment, strike K, time T in years, volatility sigma as a decimal,
continuous r and q, D = exp(-r T), E = D F / S. Everything broadcasts. Nothing here imports gexlab.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
from scipy.optimize import brentq
from scipy.special import ndtr

Array = npt.NDArray[np.float64]
Number = float | Array

LOWEST_VOLATILITY, HIGHEST_VOLATILITY = 0.01, 10.0


def normal_density(x: Number) -> Array:
    return np.asarray(np.exp(-np.square(x) / 2.0) / math.sqrt(2.0 * math.pi), dtype=np.float64)


def normal_probability(x: Number) -> Array:
    return np.asarray(ndtr(x), dtype=np.float64)


def total_volatility(volatility: Number, years: Number) -> Array:
    return np.asarray(volatility * np.sqrt(years), dtype=np.float64)


def d1(forward: Number, strike: Number, years: Number, volatility: Number) -> Array:
    v = total_volatility(volatility, years)
    return np.asarray(np.log(np.divide(forward, strike)) / v + v / 2.0, dtype=np.float64)


def price(
    forward: Number, strike: Number, years: Number, volatility: Number, rate: Number, *, call: bool
) -> Array:
    """Option price in points."""
    upper = d1(forward, strike, years, volatility)
    lower = upper - total_volatility(volatility, years)
    discount = np.exp(-np.multiply(rate, years))
    if call:
        value = forward * normal_probability(upper) - strike * normal_probability(lower)
    else:
        value = strike * normal_probability(-lower) - forward * normal_probability(-upper)
    return np.asarray(discount * value, dtype=np.float64)


def gamma(
    spot: Number,
    forward: Number,
    strike: Number,
    years: Number,
    volatility: Number,
    rate: Number,
) -> Array:
    """Second derivative of the price by spot, per point, the forward moving with the spot."""
    v = total_volatility(volatility, years)
    carry = np.exp(-np.multiply(rate, years)) * forward / spot
    density = normal_density(d1(forward, strike, years, volatility))
    return np.asarray(carry * density / (spot * v), dtype=np.float64)


def delta(
    spot: Number,
    forward: Number,
    strike: Number,
    years: Number,
    volatility: Number,
    rate: Number,
    *,
    is_call: bool | npt.NDArray[np.bool_],
) -> Array:
    """First derivative of the price by spot."""
    carry = np.exp(-np.multiply(rate, years)) * forward / spot
    upper = d1(forward, strike, years, volatility)
    # N(d1) - 1 written as -N(-d1), which keeps its digits far in the money
    probability = np.where(is_call, normal_probability(upper), -normal_probability(-upper))
    return np.asarray(carry * probability, dtype=np.float64)


def vanna(
    spot: Number,
    forward: Number,
    strike: Number,
    years: Number,
    volatility: Number,
    rate: Number,
) -> Array:
    """Derivative of delta by volatility, per 1.00 of volatility."""
    carry = np.exp(-np.multiply(rate, years)) * forward / spot
    upper = d1(forward, strike, years, volatility)
    lower = upper - total_volatility(volatility, years)
    return np.asarray(-carry * normal_density(upper) * lower / volatility, dtype=np.float64)


def charm(
    spot: Number,
    forward: Number,
    strike: Number,
    years: Number,
    volatility: Number,
    rate: Number,
    dividend_yield: Number,
    *,
    is_call: bool | npt.NDArray[np.bool_],
) -> Array:
    """Derivative of delta by calendar time, per year, at constant spot and volatility."""
    carry = np.exp(-np.multiply(rate, years)) * forward / spot
    v = total_volatility(volatility, years)
    upper = d1(forward, strike, years, volatility)
    lower = upper - v
    own_delta = delta(spot, forward, strike, years, volatility, rate, is_call=is_call)
    drift = np.subtract(rate, dividend_yield) / v - lower / (2.0 * np.asarray(years))
    return np.asarray(
        dividend_yield * own_delta - carry * normal_density(upper) * drift, dtype=np.float64
    )


def implied_volatility(
    value: float, forward: float, strike: float, years: float, rate: float, *, call: bool
) -> float:
    """Solve the volatility of one price; NaN outside the bounds or outside 0.01 ... 10."""
    discount = math.exp(-rate * years)
    intrinsic = discount * max(forward - strike if call else strike - forward, 0.0)
    ceiling = discount * (forward if call else strike)
    if not intrinsic < value < ceiling:
        return math.nan

    def excess(volatility: float) -> float:
        return float(price(forward, strike, years, volatility, rate, call=call)) - value

    if excess(LOWEST_VOLATILITY) > 0.0 or excess(HIGHEST_VOLATILITY) < 0.0:
        return math.nan
    return float(brentq(excess, LOWEST_VOLATILITY, HIGHEST_VOLATILITY, xtol=1e-14, rtol=1e-14))
