"""The wild bootstrap against every sign that it could draw, and on samples that mislead t."""

from __future__ import annotations

import itertools
import math
from dataclasses import replace

import numpy as np
import pytest
import statsmodels.api as sm

from gexlab.backtest.statistics.diagnostics.regression import ols
from gexlab.backtest.statistics.diagnostics.wild import wild_p
from gexlab.backtest.statistics.resampling import Resampling

RNG = np.random.default_rng(3)
X = RNG.standard_normal(10)
Z = RNG.standard_normal(10)
Y = 0.6 * X + 0.4 * Z + RNG.standard_normal(10)


def by_every_sign(y: np.ndarray, others: np.ndarray, x: np.ndarray) -> float:
    """The exact p of the same test: all sign vectors, each sample fitted by statsmodels."""
    restricted = sm.OLS(y, others).fit()
    scaled = restricted.resid / (1.0 - restricted.get_influence().hat_matrix_diag)
    full = np.column_stack([others, x])
    found = abs(sm.OLS(y, full).fit(cov_type="HC3").tvalues[-1])
    beyond = [
        abs(sm.OLS(scaled * np.array(signs), full).fit(cov_type="HC3").tvalues[-1])
        >= found * (1 - 1e-9)
        for signs in itertools.product((-1.0, 1.0), repeat=len(y))
    ]
    return float(np.mean(beyond))


def test_p_is_that_of_all_signs() -> None:
    fit = ols(Y, {"z": Z, "x": X})
    exact = by_every_sign(Y, np.column_stack([np.ones(10), Z]), X)
    drawn = wild_p(fit, "x", Resampling(replications=20_000))
    assert 0.02 < exact < 0.9
    assert drawn == pytest.approx(exact, abs=4 * math.sqrt(exact * (1 - exact) / 20_000))


def test_groups_change_sign_together() -> None:
    """With as many signs as groups, p is a multiple of what all of them give."""
    groups = np.repeat(np.arange(5), 2)
    fit = ols(Y, {"x": X}, clusters=groups)
    p = wild_p(fit, "x", Resampling(replications=20_000), groups)
    # 32 sign vectors in mirrored pairs: p is a sixteenth or a multiple of it
    assert p * 16 == pytest.approx(round(p * 16), abs=16 * 4 * 0.5 / math.sqrt(20_000))
    assert p != pytest.approx(wild_p(fit, "x", Resampling(replications=20_000)), abs=0.005)


def test_one_of_several_is_the_same_as_one() -> None:
    fit = ols(Y, {"z": Z, "x": X})
    how = Resampling(replications=199)
    assert wild_p(fit, ("x",), how) == wild_p(fit, "x", how)
    assert 0.0 < wild_p(fit, ("x", "z"), how) <= 1.0


def test_effects_are_seen_and_explained_regressors_have_no_p() -> None:
    rng = np.random.default_rng(5)
    x = rng.standard_normal(300)
    y = x + rng.standard_normal(300)
    how = Resampling(replications=199)
    assert wild_p(ols(y, {"x": x}), "x", how) == pytest.approx(1 / 200)
    assert wild_p(ols(y, {"x": x, "w": rng.standard_normal(300)}), ("x", "w"), how) == 1 / 200
    fit = ols(y, {"x": x, "w": rng.standard_normal(300)})
    twice = replace(fit, design=np.column_stack([np.ones(300), x, 2 * x]))
    assert math.isnan(wild_p(twice, "w", how))


def test_the_size_holds_where_the_normal_one_does_not() -> None:
    """Few rows carry the slope: t of Newey and West exceeds 1.96 in a fifth of the samples."""
    rng = np.random.default_rng(11)
    normal, wild = [], []
    for _ in range(400):
        sd = np.where(np.arange(60) % 12 == 0, 4.0, 0.5)
        x, y = sd * rng.standard_normal(60), sd * rng.standard_normal(60)
        fit = ols(y, {"x": x})
        normal.append(fit.coefficient("x").p_value <= 0.05)
        wild.append(wild_p(fit, "x", Resampling(replications=99, seed=1)) <= 0.05)
    assert np.mean(normal) > 0.12
    assert np.mean(wild) < 0.08


def test_one_side_is_half_of_both_where_t_speaks_for_it() -> None:
    rng = np.random.default_rng(3)
    x = rng.standard_normal(200)
    fit, how = ols(0.1 * x + rng.standard_normal(200), {"x": x}), Resampling(replications=20_000)
    both, upper, lower = (wild_p(fit, "x", how, side=s) for s in ("both", "upper", "lower"))
    assert upper == pytest.approx(both / 2.0, abs=0.005)
    assert lower == pytest.approx(1.0 - both / 2.0, abs=0.005)
