"""The gates of one session's chain: copies, contradicting duplicates, units."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from scipy.stats import norm

from gexlab.data.exposure.contradictions import contradicting_duplicates, unit_contradiction
from gexlab.data.exposure.quality_gate import Contracts, Likeness, likeness

N = 60


def contracts(interest: npt.ArrayLike, iv: float = 0.2, bid: float = 1.0) -> Contracts:
    size = np.asarray(interest).size
    return (
        np.full(size, 20000, np.int32),
        np.zeros(size, np.uint8),
        np.arange(size, dtype=np.float64) + 1.0,
        np.asarray(interest, np.float64),
        np.full(size, iv),
        np.full(size, bid),
        np.full(size, 1.2),
    )


@pytest.mark.parametrize(
    ("changed", "n", "spot", "copied"),
    [
        (0, 50, 100.0, True),  # the evening's copy: other volatilities, same interest and spot
        (1, 50, 100.0, True),  # 49 of 50 is 98 %
        (2, 50, 100.0, False),  # 96 %
        (0, 49, 100.0, False),  # too few to tell
        (0, 50, 100.01, False),  # the market has moved
    ],
)
def test_a_copy_fetched_in_the_evening(changed: int, n: int, spot: float, copied: bool) -> None:
    before = np.arange(n) + 1.0
    today = before + (np.arange(n) < changed)
    found = likeness(contracts(today, iv=0.21), contracts(before), spot=spot, spot_before=100.0)
    assert found.common == n or not copied
    assert found.is_copy is copied


@pytest.mark.parametrize("seed", range(40))
def test_what_is_no_copy_is_not_compared_to_its_end(seed: int) -> None:
    rng = np.random.default_rng(seed)
    n, spot = int(rng.integers(40, 400)), float(rng.choice([100.0, 100.01]))
    before = rng.integers(0, 9, n).astype(float)
    today = before + (rng.random(n) < rng.choice([0.0, 0.015, 0.02, 0.025, 0.5]))
    volatility = np.where(rng.random(n) < rng.choice([0.0, 0.045, 0.05, 0.055, 0.5]), 0.3, 0.2)
    here, there = rng.random(n) < 0.95, rng.random(n) < 0.95
    c = contracts(today)
    rows = (*c[:4], volatility, *c[5:])
    found = likeness(
        tuple(x[here] for x in rows),  # type: ignore[arg-type]
        tuple(x[there] for x in contracts(before)),  # type: ignore[arg-type]
        spot=spot, spot_before=100.0,
    )  # fmt: skip
    both = here & there
    same_interest = (today == before)[both]
    unchanged, frozen = (same_interest & (volatility == 0.2)[both]).mean(), same_interest.mean()
    evening = spot == 100.0 and both.sum() >= 50 and frozen >= 0.98
    assert found.is_copy == (unchanged >= 0.95 or evening)
    if found.is_copy:
        assert found == Likeness(int(both.sum()), unchanged, frozen, same_spot=spot == 100.0)


def test_unknown_open_interest_is_never_the_same() -> None:
    unknown = contracts(np.full(N, np.nan))
    other_quotes = contracts(np.full(N, np.nan), bid=0.9)
    assert likeness(other_quotes, unknown, spot=1.0, spot_before=1.0).frozen == 0.0
    assert likeness(unknown, unknown, spot=1.0, spot_before=2.0).is_copy  # by its quotes
    assert not Likeness().is_copy


def test_rows_that_differ_within_one_key() -> None:
    strike = np.array([90.0, 90.0, 90.0, 95.0, 95.0])
    interest = np.array([5.0, 7.0, 5.0, 1.0, 1.0])
    roots = {"one": [1, 1, 1, 1, 1], "two": [1, 2, 1, 1, 1], "unknown": [0, 0, 0, 0, 0]}
    found = {
        name: contradicting_duplicates((strike,), np.array(r, np.uint64), (interest,))
        for name, r in roots.items()
    }
    assert found == {"one": 2, "two": 0, "unknown": 0}
    missing = np.array([5.0, np.nan, 5.0, np.nan, np.nan])
    root = np.ones(5, np.uint64)
    assert contradicting_duplicates((strike,), root, (missing,)) == 2
    assert contradicting_duplicates((strike[:1],), root[:1], (interest[:1],)) == 0


def chain(spot: float = 500.0, volatility: float = 0.16) -> dict[str, Any]:
    """Return Black-Scholes prices of three expiries, rates 0, strikes every 5 points."""
    group, strike, right = (
        x.ravel()
        for x in np.meshgrid(
            np.arange(3), np.arange(400.0, 601.0, 5.0), [True, False], indexing="ij"
        )
    )
    years = np.array([0.02, 0.1, 0.5])
    scale = volatility * np.sqrt(years[group])
    d1 = np.log(spot / strike) / scale + scale / 2
    call = spot * norm.cdf(d1) - strike * norm.cdf(d1 - scale)
    interest = np.random.default_rng(1).integers(0, 5000, strike.size)
    return {
        "spot": spot,
        "start": np.arange(4) * (group.size // 3),
        "years": years,
        "strike": strike,
        "is_call": right,
        "price": np.where(right, call, call - spot + strike),
        "volatility": np.full(strike.size, volatility),
        "open_interest": interest.astype(np.float64),
        "multiplier": np.full(strike.size, 100.0),
    }


def test_sound_chains_contradict_nothing() -> None:
    for volatility in (0.03, 0.16, 0.9, 3.0):
        assert unit_contradiction(**chain(volatility=volatility)) == ""
    without_prices = chain() | {"price": np.full(246, np.nan)}
    assert unit_contradiction(**without_prices) == ""


@pytest.mark.parametrize(
    ("column", "factor", "word"),
    [
        ("price", 100.0, "prices"),
        ("price", 0.01, "prices"),
        ("price", 0.1, "prices"),
        ("strike", 1000.0, "strikes"),
        ("strike", 0.01, "strikes"),
        ("spot", 10.0, "spot"),
        ("spot", 0.1, "spot"),
        ("volatility", 100.0, "volatilities"),
        ("volatility", 0.01, "volatilities"),
        ("volatility", 1 / math.sqrt(252), "volatilities"),
        ("open_interest", 100.0, "open interest"),
    ],
)
def test_a_unit_taken_for_another(column: str, factor: float, word: str) -> None:
    rows = chain()
    rows[column] = rows[column] * factor
    assert word in unit_contradiction(**rows)


def test_strikes_and_prices_in_cents_against_the_spot() -> None:
    rows = chain()
    rows["strike"], rows["price"] = rows["strike"] * 100, rows["price"] * 100
    assert "the spot is 500" in unit_contradiction(**rows)
    del rows["price"]
    assert "the spot is 500" in unit_contradiction(**rows, price=np.full(246, np.nan))


def test_calls_and_puts_exchanged() -> None:
    """Their difference then rises with the strike; half of them exchanged decide nothing."""
    rows = chain()
    call, put = rows["price"][::2].copy(), rows["price"][1::2].copy()
    rows["price"][::2], rows["price"][1::2] = put, call
    assert "calls and puts are exchanged" in unit_contradiction(**rows)


def test_open_interest_in_thousands() -> None:
    """Contracts are counted in whole numbers; coins (multiplier 1) trade in fractions."""
    rows = chain()
    rows["open_interest"] /= 1000.0
    assert "no whole number" in unit_contradiction(**rows)
    assert unit_contradiction(**rows | {"multiplier": np.ones(246)}) == ""
    rows = chain()
    rows["open_interest"] = rows["open_interest"] * 75.0 / 65.0  # a lot that has changed
    assert unit_contradiction(**rows) == ""


def test_single_bad_rows_decide_nothing() -> None:
    rows = chain()
    rows["price"][::10] *= 100
    rows["volatility"][::10] *= 100
    rows["open_interest"][::10] *= 100
    assert unit_contradiction(**rows) == ""
