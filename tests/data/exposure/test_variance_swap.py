"""The variance of one expiration by Cboe's method: a twin in many digits, markets, hand."""

from __future__ import annotations

from math import log, sqrt
from typing import Any

import numpy as np
import pytest
import reference_variance as twin
from variance_quotes import RATE, black, chain, quoted_variance


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("days", [9.0, 24.7, 58.2])
def test_the_variance_of_an_expiration_is_the_twins(seed: int, days: float) -> None:
    quotes = chain(days, seed)
    value, code = quoted_variance(quotes, days)
    assert code == 0
    assert value == pytest.approx(float(twin.variance(quotes, days / 365, RATE)), rel=1e-12)


@pytest.mark.parametrize("apart", [0.1, 0.3, 0.55])
def test_coarse_strikes_overstate_by_a_twelfth_of_their_distance_squared(apart: float) -> None:
    # a Black market at 20 %: what is left out of the sum is known
    years, forward = 30 / 365, 1000.0
    step = apart * 0.2 * sqrt(years) * forward
    quotes: twin.Quotes = {}
    for k in (forward + step * np.arange(-60, 60)).tolist():
        if abs(log(max(k, 1.0) / forward)) < 0.3:
            prices = [black(forward, k, years, 0.2, call=call) for call in (True, False)]
            quotes[k] = (prices[0], prices[1])
    value, code = quoted_variance(quotes, 30.0)
    assert code == 0
    assert sqrt(value) / 0.2 - 1.0 == pytest.approx(apart**2 / 12, abs=1.5e-3)


def test_two_strikes_without_a_bid_end_a_side() -> None:
    quotes = chain(30.0, 2, lost=0.0)
    gone = {k: ((c, None) if k in (4300.0, 4325.0) else (c, p)) for k, (c, p) in quotes.items()}
    below = {k: v for k, v in quotes.items() if k >= 4350.0}
    assert quoted_variance(gone, 30.0) == quoted_variance(below, 30.0)
    one = {k: ((c, None) if k == 4300.0 else (c, p)) for k, (c, p) in quotes.items()}
    assert quoted_variance(one, 30.0)[0] > quoted_variance(below, 30.0)[0]


@pytest.mark.parametrize(
    ("keep", "code"),
    [
        (lambda k: k >= 5000.0, 2),
        (lambda k: abs(k - 5000.0) <= 60.0, 3),
        (lambda k: True, 0),
    ],
)
def test_quotes_that_do_not_suffice_have_a_reason(keep: Any, code: int) -> None:
    quotes = {k: v for k, v in chain(30.0, 3).items() if keep(k)}
    value, found = quoted_variance(quotes, 30.0)
    assert found == code
    assert np.isfinite(value) == (code == 0)
    nothing: twin.Quotes = {k: (None, p) for k, (_, p) in quotes.items()}
    assert quoted_variance(nothing, 30.0)[1] == 1
