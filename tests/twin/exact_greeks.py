"""Greeks at fifty digits: closed forms by mpmath, and derivatives of the price by differences.

The closed forms are evaluated at the very doubles that the code under test is given, so a
difference is the code's own error, never that of an input.
"""

from __future__ import annotations

from dataclasses import dataclass

import mpmath


@dataclass(frozen=True, slots=True)
class Option:
    """One European option; `forward` belongs to the same moment as `spot`."""

    spot: float
    forward: float
    strike: float
    years: float
    volatility: float
    rate: float
    dividend_yield: float
    is_call: bool


def exact_price(
    option: Option,
    spot: mpmath.mpf | None = None,
    volatility: mpmath.mpf | None = None,
    years: mpmath.mpf | None = None,
) -> mpmath.mpf:
    """Black price; spot, volatility and time may be moved.

    The forward moves in proportion to spot, and by exp((r - q) dT) as time passes at constant spot.
    """
    mpf = mpmath.mpf
    t0, s0 = mpf(option.years), mpf(option.spot)
    t, s = t0 if years is None else years, s0 if spot is None else spot
    sigma = mpf(option.volatility) if volatility is None else volatility
    carry = mpf(option.rate) - mpf(option.dividend_yield)
    forward = mpf(option.forward) * s / s0 * mpmath.exp(carry * (t - t0))
    strike = mpf(option.strike)
    v = sigma * mpmath.sqrt(t)
    upper = mpmath.log(forward / strike) / v + v / 2
    sign = 1 if option.is_call else -1
    inside = forward * mpmath.ncdf(sign * upper) - strike * mpmath.ncdf(sign * (upper - v))
    return sign * mpmath.exp(-mpf(option.rate) * t) * inside


def exact_parts(option: Option) -> tuple[mpmath.mpf, ...]:
    """E = D F / S, phi(d1), N(d1) of a call or -N(-d1) of a put, d1, d2, v."""
    mpf = mpmath.mpf
    v = mpf(option.volatility) * mpmath.sqrt(mpf(option.years))
    upper = mpmath.log(mpf(option.forward) / mpf(option.strike)) / v + v / 2
    carry = mpmath.exp(-mpf(option.rate) * mpf(option.years)) * option.forward / mpf(option.spot)
    side = mpmath.ncdf(upper) if option.is_call else -mpmath.ncdf(-upper)
    return carry, mpmath.npdf(upper), side, upper, upper - v, v


def exact_gamma(option: Option) -> mpmath.mpf:
    carry, density, _, _, _, v = exact_parts(option)
    return carry * density / (option.spot * v)


def exact_delta(option: Option) -> mpmath.mpf:
    carry, _, side, *_ = exact_parts(option)
    return carry * side


def exact_vanna(option: Option) -> mpmath.mpf:
    carry, density, _, _, lower, _ = exact_parts(option)
    return -carry * density * lower / option.volatility


def exact_charm_terms(option: Option) -> tuple[mpmath.mpf, mpmath.mpf, mpmath.mpf]:
    """The three summands of charm: they cancel, so their sizes bound what doubles can do."""
    carry, density, side, _, lower, v = exact_parts(option)
    q, drift = mpmath.mpf(option.dividend_yield), mpmath.mpf(option.rate) - option.dividend_yield
    return (
        q * carry * side,
        -carry * density * drift / v,
        carry * density * lower / (2 * mpmath.mpf(option.years)),
    )


def exact_charm(option: Option) -> mpmath.mpf:
    return mpmath.fsum(exact_charm_terms(option))


def derived_delta(
    option: Option, volatility: mpmath.mpf | None = None, years: mpmath.mpf | None = None
) -> mpmath.mpf:
    """Delta as the central difference of the price by spot."""
    s = mpmath.mpf(option.spot)
    h = s * mpmath.mpf("1e-15")
    up = exact_price(option, s + h, volatility, years)
    return (up - exact_price(option, s - h, volatility, years)) / (2 * h)


def derived_gamma(option: Option) -> mpmath.mpf:
    s = mpmath.mpf(option.spot)
    h = s * mpmath.mpf("1e-12")
    middle = exact_price(option, s)
    return (exact_price(option, s + h) - 2 * middle + exact_price(option, s - h)) / h**2


def derived_vanna(option: Option) -> mpmath.mpf:
    """Difference of delta by volatility."""
    sigma = mpmath.mpf(option.volatility)
    h = sigma * mpmath.mpf("1e-12")
    up = derived_delta(option, volatility=sigma + h)
    return (up - derived_delta(option, volatility=sigma - h)) / (2 * h)


def derived_charm(option: Option) -> mpmath.mpf:
    """Difference of delta by calendar time: time to expiry shrinks."""
    t = mpmath.mpf(option.years)
    h = t * mpmath.mpf("1e-12")
    return (derived_delta(option, years=t - h) - derived_delta(option, years=t + h)) / (2 * h)
