"""Regressions against formulas written out, and variance ratios against ``arch``."""

from __future__ import annotations

import math

import numpy as np
import pytest
from arch.unitroot import VarianceRatio
from arch.univariate import HARX
from reference_intervals import slope_interval

from gexlab.backtest.statistics import realised as rv
from gexlab.backtest.statistics.diagnostics.dependence import (
    autocorrelation_on_gex,
    daily_variance_ratio,
    variance_ratio_by_group,
)
from gexlab.backtest.statistics.diagnostics.ladder import out_of_sample
from gexlab.backtest.statistics.diagnostics.regression import (
    coefficient_interval,
    hac_lags,
    mean_test,
    ols,
    t_stats,
    wald,
)
from gexlab.backtest.statistics.resampling import Resampling
from gexlab.data.base.errors import NotEnoughDataError, UnknownNameError

RNG = np.random.default_rng(8)
X = RNG.standard_normal(300)
Y = 0.5 + 0.3 * X + RNG.standard_normal(300)


def _newey_west(y: np.ndarray, x: np.ndarray, lags: int) -> tuple[np.ndarray, np.ndarray]:
    """Newey and West (1987), written out."""
    design = np.column_stack([np.ones(len(y)), x])
    bread = np.linalg.inv(design.T @ design)
    beta = bread @ design.T @ y
    u = design * (y - design @ beta)[:, None]
    meat = u.T @ u
    for lag in range(1, lags + 1):
        g = u[lag:].T @ u[:-lag]
        meat += (1 - lag / (lags + 1)) * (g + g.T)
    return beta, np.sqrt(np.diag(bread @ meat @ bread))


def test_hac_errors_are_newey_wests() -> None:
    beta, errors = _newey_west(Y, X, 7)
    fit = ols(Y, {"x": X}, hac=7)
    np.testing.assert_allclose(fit.params, beta, rtol=1e-10)
    np.testing.assert_allclose(fit.std_errors, errors, rtol=1e-10)
    c = fit.coefficient("x")
    assert c.t_stat == pytest.approx(beta[1] / errors[1])
    assert c.p_value == pytest.approx(math.erfc(abs(c.t_stat) / math.sqrt(2)), rel=1e-9)


def test_rows_with_nan_are_left_out_and_influence_says_which() -> None:
    y, x = Y.copy(), X.copy()
    y[3], x[7] = np.nan, np.nan
    fit = ols(y, {"x": x}, hac=2)
    assert fit.n == 298
    influence = fit.influence("x")
    assert np.isnan(influence[[3, 7]]).all()
    assert np.nanmean(influence) == pytest.approx(0.0, abs=1e-12)
    # dropping one row changes the estimate by its influence over n, to first order
    without = ols(np.delete(Y, 50), {"x": np.delete(X, 50)}, hac=2).coefficient("x").value
    whole = ols(Y, {"x": X}, hac=2)
    assert whole.coefficient("x").value - without == pytest.approx(
        whole.influence("x")[50] / 300, rel=0.05
    )


def test_wald_of_one_coefficient_is_its_t_squared() -> None:
    z = RNG.standard_normal(300)
    fit = ols(Y, {"x": X, "z": z}, hac=0)
    assert wald(fit, ("x",)).statistic == pytest.approx(fit.coefficient("x").t_stat ** 2)
    assert wald(fit, ("x",)).p_value == pytest.approx(fit.coefficient("x").p_value, rel=1e-6)


def test_clusters_of_one_row_are_plain_heteroskedastic_errors() -> None:
    robust = ols(Y, {"x": X}, hac=0).std_errors
    alone = ols(Y, {"x": X}, clusters=np.arange(300)).std_errors
    # statsmodels scales clustered errors by G/(G-1) (n-1)/(n-k)
    np.testing.assert_allclose(alone, robust * math.sqrt(300 / 299 * 299 / 298), rtol=1e-10)


def test_the_interval_of_a_slope_is_the_twins() -> None:
    fit = ols(Y, {"x": X})
    low, high = coefficient_interval(fit, "x", Resampling())
    assert low < 0.3 < high
    # 6 cosine sums of scores over 1 - leverage, 5 degrees of freedom, for lasting errors
    assert (low, high) == pytest.approx(slope_interval(Y, X, 6, 5), rel=1e-9)


def test_many_candidates_at_once_give_the_same_t() -> None:
    controls = {"a": RNG.standard_normal(300), "b": RNG.standard_normal(300)}
    candidates = RNG.standard_normal((300, 5))
    candidates[:30, 3] = np.nan
    candidates[:, 4] = 2.0 * controls["a"] - 1.0  # nothing left once the controls are in
    y = Y.copy()
    y[100] = np.nan
    got = t_stats(y, controls, candidates, hac=6)
    for k in range(4):
        fit = ols(y, {**controls, "x": candidates[:, k]}, hac=6)
        assert got[k] == pytest.approx(fit.coefficient("x").t_stat, rel=1e-9)
    assert math.isnan(got[4])


def test_groups_count_once() -> None:
    """Ten copies of each row in a group say no more than one."""
    fit = ols(np.repeat(Y, 10), {"x": np.repeat(X, 10)}, clusters=np.repeat(np.arange(300), 10))
    how = Resampling(replications=400, block=2.0)
    low, high = coefficient_interval(fit, "x", how, np.repeat(np.arange(300), 10))
    once = coefficient_interval(ols(Y, {"x": X}), "x", how)
    assert (low, high) == pytest.approx(once)


def test_what_cannot_be_fitted_is_refused() -> None:
    with pytest.raises(NotEnoughDataError, match="at least 6 complete rows, got 5"):
        ols(Y[:5], {"x": X[:5]})
    with pytest.raises(NotEnoughDataError, match="'x' has the same value"):
        ols(Y, {"x": np.ones(300)})
    with pytest.raises(UnknownNameError):
        ols(Y, {"x": X}).coefficient("y")
    assert hac_lags(100) == 4
    assert mean_test(Y, hac=0).value == pytest.approx(Y.mean())


def test_har_regression_is_archs() -> None:
    log_vol = np.cumsum(0.1 * RNG.standard_normal(400)) * 0.2
    har = rv.har_regressors(log_vol)
    ours = ols(np.append(log_vol[1:], np.nan), dict(zip("dwm", har.T, strict=True)), hac=0)
    theirs = HARX(log_vol, lags=[1, 5, 22], rescale=False).fit(disp="off")
    np.testing.assert_allclose(ours.params, theirs.params.iloc[:4], rtol=1e-6)


def test_daily_variance_ratio_by_hand_and_by_arch() -> None:
    prices = RNG.standard_normal(500).cumsum()
    got = daily_variance_ratio(prices, 5)
    # Lo and MacKinlay (1988), written out
    d, n, q = np.diff(prices), 499, 5
    m = d.mean()
    one = ((d - m) ** 2).sum() / (n - 1)
    long = prices[q:] - prices[:-q] - q * m
    many = (long**2).sum() / (q * (n - q + 1) * (1 - q / n))
    delta = [
        n * ((d[j:] - m) ** 2 * (d[:-j] - m) ** 2).sum() / ((d - m) ** 2).sum() ** 2
        for j in range(1, q)
    ]
    theta = sum((2 * (q - j) / q) ** 2 * delta[j - 1] for j in range(1, q))
    assert got.ratio == pytest.approx(many / one, rel=1e-3)
    assert got.z_stat == pytest.approx(math.sqrt(n) * (many / one - 1) / math.sqrt(theta), rel=0.02)
    for lags in (2, 5, 10):
        for run in (prices, 0.01 * prices[:53] + 8.0, prices[:13] ** 3):
            test, ours = VarianceRatio(run, lags=lags), daily_variance_ratio(run, lags)
            theirs = (float(test.vr), float(test.stat), float(test.pvalue))
            assert (ours.ratio, ours.z_stat, ours.p_value) == theirs  # to the last digit


@pytest.mark.parametrize(
    ("kappa", "ratio"), [(-0.3, 1.816), (-0.1, 1.214), (0.1, 0.824), (0.3, 0.550)]
)
def test_lagged_hedging_has_the_exact_variance_ratio(kappa: float, ratio: float) -> None:
    """r_t = e_t - kappa r_{t-1}: VR(30) = 1 + 2 sum (1 - j/30) (-kappa)^j."""
    rng = np.random.default_rng(3)
    r = np.empty((2_000, 390))
    r[:, 0] = rng.standard_normal(2_000) / math.sqrt(1 - kappa**2)
    for j in range(1, 390):
        r[:, j] = rng.standard_normal(2_000) - kappa * r[:, j - 1]
    low = np.arange(2_000) < 1_000
    got = variance_ratio_by_group(r, low, ~low, 30, Resampling(replications=200))
    assert got.low[0] == pytest.approx(ratio, abs=0.04)
    assert got.high[1] < ratio < got.high[2] or abs(got.high[0] - ratio) < 0.03
    assert got.difference[1] < 0.0 < got.difference[2]
    assert np.mean(got.scores) == pytest.approx(got.difference[0], abs=1e-9)
    fit = autocorrelation_on_gex(
        r[:, :60], rng.standard_normal(2_000), np.arange(2_000).astype("M8[D]")
    )
    assert fit.coefficient("lagged").value == pytest.approx(-kappa, abs=0.02)


def test_forecasts_use_only_what_is_known() -> None:
    """Changing an outcome that was not yet known at an origin leaves its forecasts alone."""
    n = 400
    x = {"x": RNG.standard_normal(n)}
    both = {**x, "g": RNG.standard_normal(n)}
    y = 0.5 * x["x"] + RNG.standard_normal(n)
    changed = y.copy()
    changed[199:] += 100.0  # row 199 is known only after the origin of row 200
    one = out_of_sample(y, x, both, first_origin=200, refit=400)
    other = out_of_sample(changed, x, both, first_origin=200, refit=400)
    # forecasts are the same, so the errors differ by the change itself
    error, moved = (np.sqrt(o.squared_without) for o in (one, other))
    np.testing.assert_allclose(np.minimum(abs(moved - 100.0), abs(moved + 100.0)), error, atol=1e-9)
