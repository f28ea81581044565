"""Sharpe ratios against the worked examples of the papers, to the digits printed there."""

from __future__ import annotations

import math

import numpy as np
import pytest

from gexlab.backtest.statistics.sharpe_tests import (
    Moments,
    expected_best,
    false_discovery_rate,
    minimum_track_record,
    observed_false_discovery_rate,
    power,
    probabilistic_sharpe,
    sharpe_error,
    spread_of_best,
)
from gexlab.backtest.tournament.haircut import haircut_sharpe, other_statistics
from gexlab.data.base.errors import GexlabError

#: Of the hedge fund index in Bailey and Lopez de Prado (2012).
FUND = Moments(-2.448, 10.164)
#: Lopez de Prado, Lipton and Zoonekynd (2025): mean .036 over deviation .079, 24 months.
RATIO = 0.036 / 0.079


@pytest.mark.parametrize(
    ("trials", "shape", "want"),
    [(100, Moments(-3, 10), 0.9004), (46, Moments(-3, 10), 0.9505), (88, Moments(), 0.9505)],
)
def test_deflated_sharpe_of_2014(trials: int, shape: Moments, want: float) -> None:
    sharpe = 2.5 / math.sqrt(250)
    hurdle = expected_best(trials, 0.5 / 250)
    found = probabilistic_sharpe(sharpe, hurdle, sharpe_error(sharpe, 1_249, shape))
    assert round(found, 4) == want


def test_probabilistic_sharpe_of_2012() -> None:
    assert round(probabilistic_sharpe(0.458, 0.0, sharpe_error(0.458, 23)), 3) == 0.982
    assert round(probabilistic_sharpe(0.458, 0.0, sharpe_error(0.458, 23, FUND)), 3) == 0.913


def test_minimum_track_record_of_2012() -> None:
    assert round(minimum_track_record(2 / 252**0.5, 1 / 252**0.5) / 252, 2) == 2.73
    monthly = minimum_track_record(2 / 12**0.5, 1 / 12**0.5, shape=Moments(-0.72, 5.78))
    assert round(monthly / 12, 2) == 4.99
    assert minimum_track_record(0.1, 0.1) == math.inf
    assert math.isnan(minimum_track_record(math.nan, 0.1))


def test_error_at_the_hurdle_of_2025() -> None:
    assert round(sharpe_error(RATIO, 24), 3) == 0.214
    for hurdle, want in ((0.0, 0.987), (0.1, 0.939)):
        found = probabilistic_sharpe(RATIO, hurdle, sharpe_error(hurdle, 24, FUND))
        assert round(found, 3) == want
    assert round(minimum_track_record(RATIO, 0.0, shape=FUND, at=0.0), 3) == 13.029
    missed = 1.0 - power(0.0, 0.5, 24, shape=FUND)
    assert round(missed, 3) == 0.315
    assert round(false_discovery_rate(0.05, 0.05, missed), 3) == 0.581
    assert round(observed_false_discovery_rate(RATIO, 24, 0.05, true=0.5, shape=FUND), 3) == 0.306


@pytest.mark.parametrize(
    ("rho", "want"),
    [
        (0.0, (7.909, 0.987, 0.758, 0.543, 0.173, 0.416)),
        (0.2, (11.863, 0.966, 0.676, 0.571, 0.361, 0.427)),
    ],
)
def test_autocorrelated_returns_of_2025(rho: float, want: tuple[float, ...]) -> None:
    shape = Moments(FUND.skew, FUND.kurtosis, rho)
    found = power(0.0, 0.5, 24, 0.1, shape=shape)
    best = expected_best(10, 0.1)
    assert round(best, 3) == 0.498
    values = (
        minimum_track_record(RATIO, 0.0, 0.1, shape=shape, at=0.0),
        probabilistic_sharpe(RATIO, 0.0, sharpe_error(0.0, 24, shape)),
        found,
        false_discovery_rate(0.1, 0.1, 1.0 - found),
        observed_false_discovery_rate(RATIO, 24, 0.1, true=0.5, shape=shape),
        probabilistic_sharpe(RATIO, best, sharpe_error(best, 24, shape), spread=spread_of_best(10)),
    )
    assert tuple(round(x, 3) for x in values) == want


def test_spread_of_the_best_in_closed_form() -> None:
    # largest of one: 1; of two: variance 1 - 1 / pi
    assert spread_of_best(1) == pytest.approx(1.0, abs=1e-9)
    assert spread_of_best(2) == pytest.approx(math.sqrt(1 - 1 / math.pi), abs=1e-9)


def test_what_is_undefined() -> None:
    assert expected_best(1, 0.1) == 0.0
    assert math.isnan(sharpe_error(0.1, 0))
    assert math.isnan(sharpe_error(1.0, 10, Moments(5.0, 1.0)))  # no such moments
    with pytest.raises(GexlabError, match="autocorrelation"):
        sharpe_error(0.1, 10, Moments(autocorrelation=1.0))


def test_haircut_of_harvey_and_liu() -> None:
    found = haircut_sharpe(1.0, 120, 100, autocorrelation=0.1)
    assert round(found.bonferroni.p_value, 3) == 0.465
    # from simulated other tests: within .01
    assert found.holm.p_value == pytest.approx(0.409, abs=0.01)
    assert found.bhy.p_value == pytest.approx(0.174, abs=0.01)
    assert found.mean.p_value == pytest.approx(0.348, abs=0.01)
    assert 0.0 < found.bonferroni.sharpe < found.bhy.sharpe < found.sharpe < 1.0
    negative = haircut_sharpe(-1.0, 120, 100, autocorrelation=0.1)
    assert negative.mean.sharpe == pytest.approx(-found.mean.sharpe)


def test_ranks_among_other_tests_against_statsmodels() -> None:
    from statsmodels.stats.multitest import multipletests

    p = haircut_sharpe(0.9, 120, 20, draws=9, seed=3)
    others = other_statistics(20, 9, 0.4, 3)
    from scipy.stats import norm

    families = [np.append(2 * norm.sf(row), p.p_value) for row in others]
    for method, found in (("holm", p.holm), ("fdr_by", p.bhy)):
        want = np.median([multipletests(f, method=method)[1][-1] for f in families])
        assert found.p_value == pytest.approx(want)


def test_haircut_refuses_what_it_has_no_estimates_for() -> None:
    with pytest.raises(GexlabError, match=r"correlation of tests from 0 to 0\.8"):
        haircut_sharpe(1.0, 120, 100, correlation=0.9)
    with pytest.raises(GexlabError, match="at least one test"):
        haircut_sharpe(1.0, 120, 0)


def test_a_haircut_is_what_a_lone_test_with_the_corrected_p_would_need() -> None:
    """120 months at .5: t 1.58, p .116; three tests make it .35, ten make it 1: nothing is left."""
    from scipy.stats import t

    found = haircut_sharpe(0.5, 120, 3, autocorrelation=0.0)
    one = 2.0 * t.sf(0.5 / math.sqrt(12) * math.sqrt(120), 119)
    assert found.bonferroni.p_value == pytest.approx(3.0 * one)
    left = t.isf(3.0 * one / 2.0, 119) / math.sqrt(120) * math.sqrt(12)
    assert found.bonferroni.sharpe == pytest.approx(left)
    assert found.bonferroni.haircut == pytest.approx(1.0 - left / 0.5)
    assert haircut_sharpe(0.5, 120, 10, autocorrelation=0.0).bonferroni.haircut == pytest.approx(1)


def test_other_tests_may_be_uncorrelated() -> None:
    assert other_statistics(5, 4, 0.0, 1).shape == (4, 5)
    with pytest.raises(GexlabError, match="correlation of tests from 0"):
        other_statistics(5, 4, -0.1, 1)
