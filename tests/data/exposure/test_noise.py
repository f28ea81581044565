"""The error band of net gamma and flip against draws of noisy books by a formula of their own."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest
from scipy.stats import norm

from gexlab.data.exposure.flips import Root
from gexlab.data.exposure.noise import NoiseBand, noise_band

SPOT = 5000.0
STRIKES = np.array([4700.0, 4900.0, 5000.0, 5100.0, 5400.0])
VOLATILITY = np.array([0.22, 0.19, 0.17, 0.16, 0.15])
YEARS = np.array([0.05, 0.25, 0.05, 0.25, 0.05])
FORWARD = SPOT * np.exp(0.03 * YEARS)
CALLS, PUTS = np.array([1e3, 2e3, 5e3, 9e3, 7e3]), -np.array([8e3, 6e3, 4e3, 2e3, 1e3])


def _gex(amount: Any, sigma: Any) -> Any:
    """Dollar gamma per 1 %, undiscounted."""
    width = sigma * np.sqrt(YEARS)
    d1 = (np.log(FORWARD / STRIKES) + 0.5 * width**2) / width
    return amount * norm.pdf(d1) * FORWARD / (SPOT * SPOT * width) * SPOT**2 * 0.01


def _result(slope: float | None = 3e9) -> Any:
    lines = SimpleNamespace(strike=STRIKES, volatility=VOLATILITY, group=np.arange(5))
    book = SimpleNamespace(lines=lines, time=YEARS, forward=FORWARD)
    exposure = SimpleNamespace(call_gex=_gex(CALLS, VOLATILITY), put_gex=_gex(PUTS, VOLATILITY))
    flip = None if slope is None else Root(4950.0, "up", slope)
    return cast(Any, SimpleNamespace(book=book, exposure=exposure, flip=flip))


@pytest.mark.parametrize(("interest", "vol"), [(0.10, 0.0), (0.0, 0.002), (0.10, 0.002)])
def test_against_draws(interest: float, vol: float) -> None:
    rng = np.random.default_rng(5)
    n = 40_000
    sigma = VOLATILITY + vol * rng.standard_normal((n, 5))
    drawn = sum(
        _gex(side * (1.0 + interest * rng.standard_normal((n, 5))), sigma).sum(axis=1)
        for side in (CALLS, PUTS)
    )
    found = noise_band(_result(), interest, vol)
    # a deviation of 40,000 draws is known to 0.35 %
    assert found.net_gex == pytest.approx(float(np.std(drawn)), rel=0.015)
    assert found.flip == pytest.approx(found.net_gex / 3e9)


def test_without_a_flip_or_a_book() -> None:
    assert np.isnan(noise_band(_result(None)).flip)
    empty = _result()
    empty.book.lines.strike = np.array([])
    found = noise_band(empty)
    assert isinstance(found, NoiseBand)
    assert np.isnan([found.net_gex, found.flip]).all()
