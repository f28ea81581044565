"""Panel regressions against statsmodels with a dummy for every name and date."""

from __future__ import annotations

import numpy as np
import pytest
import statsmodels.api as sm
from scipy import stats

from gexlab.backtest.statistics.panel import panel_fit


def panel(seed: int, names: int = 14, dates: int = 25) -> tuple[np.ndarray, ...]:
    rng = np.random.default_rng(seed)
    name, date = (a.ravel() for a in np.meshgrid(np.arange(names), np.arange(dates)))
    keep = rng.random(len(name)) < 0.8
    name, date = name[keep], date[keep]
    x = rng.normal(size=(len(name), 2)) + rng.normal(size=names)[name, None]
    shock = rng.normal(size=dates)[date] + rng.normal(size=names)[name]
    y = 0.5 * x[:, 0] - 0.2 * x[:, 1] + shock + rng.normal(size=len(name)) * (1 + abs(x[:, 0]))
    return y, x, name, date


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_slopes_and_errors_are_those_of_statsmodels(seed: int) -> None:
    y, x, name, date = panel(seed)
    dummies = np.column_stack([np.eye(name.max() + 1)[name], np.eye(date.max() + 1)[date][:, 1:]])
    groups = np.column_stack([name, date])
    theirs = sm.OLS(y, np.column_stack([x, dummies])).fit(
        cov_type="cluster", cov_kwds={"groups": groups, "use_correction": True}
    )
    ours = panel_fit(y, x, name, date)
    assert ours.slopes == pytest.approx(theirs.params[:2], rel=1e-8)
    variances = np.diag(theirs.cov_params())[:2]
    assert ours.std_errors**2 == pytest.approx(variances, rel=1e-6)
    assert (ours.n, ours.names, ours.dates) == (len(y), 14, 25)


def test_p_is_one_sided_by_the_fewer_clusters() -> None:
    fit = panel_fit(*panel(4))
    p = fit.p_value(0, -1)
    assert p == pytest.approx(stats.t.cdf(fit.t_stats[0], 13))
    assert p + fit.p_value(0, 1) == pytest.approx(1)


def test_labels_and_order_do_not_matter() -> None:
    y, x, name, date = panel(5)
    order = np.random.default_rng(0).permutation(len(y))
    plain = panel_fit(y, x, name, date)
    words = np.array([f"n{i}" for i in name])
    days = np.datetime64("2026-01-05") + date
    other = panel_fit(y[order], x[order], words[order], days[order])
    assert other.t_stats == pytest.approx(plain.t_stats, rel=1e-9)


def test_too_few_observations_have_no_error() -> None:
    fit = panel_fit(np.arange(4.0), np.ones((4, 1)), [0, 0, 1, 1], [0, 1, 0, 1])
    assert np.isnan(fit.std_errors).all()
