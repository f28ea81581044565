"""Corrections for the number of things tried."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest

from gexlab.backtest.statistics.multiple import (
    benjamini_hochberg,
    deflated_sharpe,
    deflated_sharpes,
    romano_wolf,
)
from gexlab.backtest.statistics.resampling import Resampling

FEW = Resampling(seed=5, replications=400)


def test_benjamini_hochberg_on_the_1995_example() -> None:
    # Benjamini and Hochberg (1995), section 4.1: 15 p-values, four rejected at 0.05
    p = [0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344, 0.0459, 0.3240,
         0.4262, 0.5719, 0.6528, 0.7590, 1.0000]  # fmt: skip
    q = benjamini_hochberg(p)
    assert (q <= 0.05).sum() == 4
    assert q[3] == pytest.approx(0.0095 * 15 / 4)
    assert math.isnan(benjamini_hochberg([math.nan])[0])


def _scores(means: dict[str, float], n: int, seed: int) -> dict[str, pd.Series]:
    rng = np.random.default_rng(seed)
    index = pd.bdate_range("2015-01-01", periods=n)
    return {
        name: pd.Series(mean + 10.0**k * rng.standard_normal(n), index=index)
        for k, (name, mean) in enumerate(means.items())
    }


def _own_p(scores: dict[str, pd.Series]) -> dict[str, float]:
    """Return each mean's own one-sided p, from its t."""
    from scipy.stats import norm

    found = {name: s.mean() / (s.std() / math.sqrt(len(s))) for name, s in scores.items()}
    return {name: float(norm.sf(t)) for name, t in found.items()}


def _kept(scores: dict[str, pd.Series]) -> set[str]:
    return {n for n, p in romano_wolf(_own_p(scores), scores, FEW).items() if p <= 0.05}


def test_stepdown_keeps_what_is_real_whatever_its_unit() -> None:
    # t of about 5, 0, 5, -5: each in a unit ten times the one before
    means = {"real": 0.16, "null": 0.0, "wide": 16.0, "wrong way": -160.0}
    assert _kept(_scores(means, 1_000, 1)) == {"real", "wide"}
    assert _kept(_scores({"real": 0.16}, 1_000, 2)) == {"real"}
    assert romano_wolf({}, {}, FEW) == {}


def test_stepdown_keeps_the_familywise_error() -> None:
    names = {f"null {k}": 0.0 for k in range(4)}
    wrong = sum(bool(_kept(_scores(names, 250, seed))) for seed in range(100))
    assert wrong <= 11  # 5 % of 100 would exceed this once in a hundred times


def test_stepdown_speaks_of_the_tests_own_p() -> None:
    """However large the scores' mean: a p of .19 does not survive."""
    scores = _scores({"a": 0.5, "b": 0.0}, 500, 4)
    found = romano_wolf({"a": 0.19, "b": 0.6, "c": math.nan}, scores, FEW)
    assert found["a"] >= 0.19
    assert set(found) == {"a", "b"}
    assert found["b"] >= max(0.6, found["a"])


def test_stepdown_of_copies_is_that_of_one_and_of_strangers_that_of_many() -> None:
    one = _scores({"a": 0.0}, 500, 5)["a"]
    same = romano_wolf({"a": 0.03, "b": 0.03}, {"a": one, "b": one}, FEW)
    assert same["a"] == pytest.approx(0.03, abs=0.005)
    # ten independent tests: 1 - (1 - .03)^10
    many = romano_wolf({f"{k}": 0.03 for k in range(10)}, {}, Resampling(replications=20_000))
    assert many["0"] == pytest.approx(1.0 - 0.97**10, abs=0.01)


def test_samples_of_different_length() -> None:
    scores = _scores({"long": 0.16, "short": 0.0}, 1_000, 3)
    short = scores["short"].iloc[-120:] / 10.0 + 0.5
    assert _kept({"long": scores["long"], "short": short}) == {"long", "short"}
    early = scores["short"].iloc[:120]
    assert _kept({"long": scores["long"], "early": early}) == {"long"}


def test_deflated_sharpe_by_hand() -> None:
    # no trials but this one, symmetric returns with kurtosis 1: Phi(SR sqrt(T - 1))
    x = np.array([0.02, -0.01] * 50)
    sharpe = 0.005 / x.std(ddof=1)
    from statistics import NormalDist

    want = NormalDist().cdf(sharpe * math.sqrt(99))
    assert deflated_sharpe(x, 1, 0.0) == pytest.approx(want, rel=1e-9)
    assert deflated_sharpe(x, 100, 0.01) < want
    assert math.isnan(deflated_sharpe(np.ones(10), 5, 0.1))
    assert math.isnan(deflated_sharpe([0.1, math.nan], 5, 0.1))


def test_deflated_ratios_of_a_table_are_those_of_its_columns() -> None:
    rng = np.random.default_rng(3)
    table = rng.standard_t(4, (300, 5)) * 0.01
    table[:100, 1] = np.nan
    table[:, 2] = 0.0
    table[2:, 3] = np.nan
    found = deflated_sharpes(table, 40, 1 / 250)
    wanted = [deflated_sharpe(column, 40, 1 / 250) for column in table.T]
    np.testing.assert_allclose(found, wanted, rtol=1e-9)
    assert np.isnan(found[[2, 3]]).all()
