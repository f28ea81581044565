"""Greeks against vollib, against fifty digits, and against differences of the price."""

from __future__ import annotations

import importlib
import math
from functools import lru_cache
from itertools import product
from types import ModuleType

import numpy as np
import numpy.typing as npt
import pytest
import vollib.black_scholes_merton.greeks.analytical as vollib_greeks
from exact_greeks import (
    Option,
    derived_charm,
    derived_delta,
    derived_gamma,
    derived_vanna,
    exact_charm_terms,
    exact_delta,
    exact_gamma,
    exact_vanna,
)

from gexlab.data.exposure.greeks import black_price

HALF_HOUR = 1800.0 / (365.0 * 86400.0)
TIMES = (HALF_HOUR, 1 / 365, 7 / 365, 30 / 365, 1.0, 5.0)
VOLATILITIES = (0.01, 0.05, 0.2, 0.8, 3.0)
DEVIATIONS = (-5.0, -3.0, -1.0, -0.2, 0.0, 0.5, 2.0, 5.0)
CARRIES = ((0.0, 0.0), (0.045, 0.016), (-0.01, 0.03))
SPOT = 3990.5601

Floats = npt.NDArray[np.float64]


@lru_cache(maxsize=1)
def grid() -> tuple[Option, ...]:
    """30 minutes to 5 years, 1 % to 300 %, five standard deviations both ways, calls and puts."""
    options = []
    for t, sigma, d, (r, q), call in product(
        TIMES, VOLATILITIES, DEVIATIONS, CARRIES, (True, False)
    ):
        forward = SPOT * math.exp((r - q) * t)
        strike = forward * math.exp(d * sigma * math.sqrt(t))
        options.append(Option(SPOT, forward, strike, t, sigma, r, q, call))
    return tuple(options)


def columns(options: tuple[Option, ...]) -> tuple[Floats, ...]:
    names = ("spot", "forward", "strike", "years", "volatility", "rate")
    return tuple(np.array([getattr(o, name) for o in options]) for name in names)


@pytest.fixture(params=["reference_greeks", "gexlab.data.exposure.greeks"])
def greeks(request: pytest.FixtureRequest) -> ModuleType:
    """The twin and the engine: each is held to the same outside values."""
    module: ModuleType = importlib.import_module(request.param)
    return module


def relative(found: Floats, exact: list[object], scale: list[object]) -> float:
    """Largest error, in units of the scale, of values given as multi-precision numbers."""
    errors = [abs(x - y) / abs(s) for x, y, s in zip(found.tolist(), exact, scale, strict=True)]  # type: ignore[arg-type]
    return float(max(errors))


def test_gamma_to_fifty_digits(greeks: ModuleType) -> None:
    exact = [exact_gamma(o) for o in grid()]
    assert relative(greeks.gamma(*columns(grid())), exact, exact) < 1e-11


def test_delta_to_fifty_digits(greeks: ModuleType) -> None:
    """Far in the money and far out of it alike: a put's delta does not come from 1 - N."""
    exact = [exact_delta(o) for o in grid()]
    calls = np.array([o.is_call for o in grid()])
    assert relative(greeks.delta(*columns(grid()), is_call=calls), exact, exact) < 1e-11


def test_vanna_to_fifty_digits(greeks: ModuleType) -> None:
    exact = [exact_vanna(o) for o in grid()]
    assert relative(greeks.vanna(*columns(grid())), exact, exact) < 1e-11


def test_charm_to_fifty_digits(greeks: ModuleType) -> None:
    """Relative to the summands, which may cancel."""
    terms = [exact_charm_terms(o) for o in grid()]
    exact = [sum(parts) for parts in terms]
    scale = [sum(abs(part) for part in parts) for parts in terms]
    calls = np.array([o.is_call for o in grid()])
    dividend_yield = np.array([o.dividend_yield for o in grid()])
    found = greeks.charm(*columns(grid()), dividend_yield, is_call=calls)
    assert relative(found, exact, scale) < 1e-11


@pytest.mark.parametrize("name", ["gamma", "delta"])
def test_against_vollib(greeks: ModuleType, name: str) -> None:
    calls = np.array([o.is_call for o in grid()])
    sides = {"is_call": calls} if name == "delta" else {}
    found = getattr(greeks, name)(*columns(grid()), **sides)
    for value, o in zip(found, grid(), strict=True):
        flag = "c" if o.is_call else "p"
        theirs = getattr(vollib_greeks, name)(
            flag, o.spot, o.strike, o.years, o.rate, o.volatility, o.dividend_yield
        )
        assert value == pytest.approx(theirs, rel=1e-10, abs=0.0)


def probes() -> tuple[Option, ...]:
    """Every ninth option of the grid, the forward pushed off spot carry as parity would."""
    return tuple(
        Option(
            o.spot,
            o.forward * 1.0007,
            o.strike,
            o.years,
            o.volatility,
            o.rate,
            o.dividend_yield,
            o.is_call,
        )
        for o in grid()[::9]
        if abs(math.log(o.forward * 1.0007 / o.strike)) < 8 * o.volatility * math.sqrt(o.years)
    )


def test_against_differences_of_the_price(greeks: ModuleType) -> None:
    """Each greek is the derivative that its name says, the forward moving with spot and time."""
    options = probes()
    assert len(options) > 100
    calls = np.array([o.is_call for o in options])
    dividend_yield = np.array([o.dividend_yield for o in options])
    inputs = columns(options)
    found = {
        "gamma": greeks.gamma(*inputs),
        "delta": greeks.delta(*inputs, is_call=calls),
        "vanna": greeks.vanna(*inputs),
        "charm": greeks.charm(*inputs, dividend_yield, is_call=calls),
    }
    derive = {
        "gamma": derived_gamma,
        "delta": derived_delta,
        "vanna": derived_vanna,
        "charm": derived_charm,
    }
    for i, option in enumerate(options):
        for name, derivative in derive.items():
            wanted = float(derivative(option))
            scale = float(max(abs(part) for part in exact_charm_terms(option)))
            slack = 1e-9 * scale if name == "charm" else 1e-14
            assert found[name][i] == pytest.approx(wanted, rel=1e-9, abs=slack), (name, option)


def test_textbook_delta(greeks: ModuleType) -> None:
    """Hull, Options, Futures and Other Derivatives: S 49, K 50, r 5 %, 20 %, 20 weeks: 0.522.

    The same example gives gamma 0.066.
    """
    years = 0.3846
    forward = 49.0 * math.exp(0.05 * years)
    found = greeks.delta(49.0, forward, 50.0, years, 0.2, 0.05, is_call=True)
    assert round(float(found), 3) == 0.522
    assert round(float(greeks.gamma(49.0, forward, 50.0, years, 0.2, 0.05)), 3) == 0.066


def test_put_call_symmetry(greeks: ModuleType) -> None:
    """Delta of a call less that of a put is D F / S; gamma and vanna do not know the side."""
    inputs = columns(grid())
    gap = greeks.delta(*inputs, is_call=np.ones(len(grid()), bool)) - greeks.delta(
        *inputs, is_call=np.zeros(len(grid()), bool)
    )
    spot, forward, _, years, _, rate = inputs
    assert gap == pytest.approx(np.exp(-rate * years) * forward / spot, rel=1e-14)


def test_zero_dte_gamma_is_finite_and_positive(greeks: ModuleType) -> None:
    """On the last half hour, at the money and a little off it."""
    found = greeks.gamma(5000.0, 5000.0, np.array([4990.0, 5000.0, 5010.0]), HALF_HOUR, 0.1, 0.0)
    assert np.isfinite(found).all()
    assert (found > 0.0).all()
    at_the_money = 1.0 / math.sqrt(2.0 * math.pi) / (5000.0 * 0.1 * math.sqrt(HALF_HOUR))
    assert found[1] == pytest.approx(at_the_money, rel=1e-6)


def test_nan_goes_through(greeks: ModuleType) -> None:
    """A missing volatility gives NaN, never 0."""
    volatility = np.array([0.2, math.nan])
    inputs = (100.0, 100.0, 100.0, 0.1, volatility, 0.0)
    assert np.isnan(greeks.gamma(*inputs)).tolist() == [False, True]
    assert np.isnan(greeks.delta(*inputs, is_call=True)).tolist() == [False, True]
    assert np.isnan(greeks.vanna(*inputs)).tolist() == [False, True]
    assert np.isnan(greeks.charm(*inputs, 0.0, is_call=True)).tolist() == [False, True]


def test_the_price_of_a_textbook_call_and_put() -> None:
    """Hull: S = 42, K = 40, r = 10 %, volatility 20 %, half a year: 4.76 and 0.81."""
    forward = 42.0 * math.exp(0.05)
    call, put = black_price(forward, 40.0, 0.5, 0.2, 0.1, is_call=[True, False])
    assert (round(call, 2), round(put, 2)) == (4.76, 0.81)
    assert call - put == pytest.approx(math.exp(-0.05) * (forward - 40.0), rel=1e-12)
