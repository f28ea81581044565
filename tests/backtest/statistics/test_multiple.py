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


def test_stepdown_keeps_what_is_real_whatever_its_unit() -> None:
    # t of about 5, 0, 5, -5: each in a unit ten times the one before
    means = {"real": 0.16, "null": 0.0, "wide": 16.0, "wrong way": -160.0}
    assert romano_wolf(_scores(means, 1_000, 1), FEW) == {"real", "wide"}
    assert romano_wolf(_scores({"real": 0.16}, 1_000, 2), FEW) == {"real"}
    assert romano_wolf({}, FEW) == frozenset()


def test_stepdown_keeps_the_familywise_error() -> None:
    names = {f"null {k}": 0.0 for k in range(4)}
    wrong = sum(bool(romano_wolf(_scores(names, 250, seed), FEW)) for seed in range(100))
    assert wrong <= 11  # 5 % of 100 would exceed this once in a hundred times


def test_samples_of_different_length() -> None:
    scores = _scores({"long": 0.16, "short": 0.0}, 1_000, 3)
    short = scores["short"].iloc[-120:] / 10.0 + 0.5
    assert romano_wolf({"long": scores["long"], "short": short}, FEW) == {"long", "short"}
    early = scores["short"].iloc[:120]
    assert romano_wolf({"long": scores["long"], "early": early}, FEW) == {"long"}


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
