"""What a verdict says: effect first, power of the reported test, "no difference" by equivalence."""

from __future__ import annotations

import math
from dataclasses import replace
from statistics import NormalDist

import markets
import numpy as np
import pytest

from gexlab.backtest.hypotheses.era_split import _equivalence_p
from gexlab.backtest.hypotheses.evidence import Place
from gexlab.backtest.hypotheses.features import tercile
from gexlab.backtest.hypotheses.outcomes import detectable, effect_first, power
from gexlab.backtest.hypotheses.protocol import Outcome, Published, Settings
from gexlab.backtest.hypotheses.registry import hypothesis
from gexlab.backtest.hypotheses.run import run_one
from gexlab.backtest.hypotheses.vendor_parity import _interval, _p
from gexlab.backtest.statistics.diagnostics.regression import Coefficient
from gexlab.backtest.statistics.resampling import Resampling

NORMAL = NormalDist()
NAN = math.nan
PLAIN = Outcome(-0.3, 0.1, -3.0, 0.01, 500, -0.5, -0.1, supported=True, reason="t -3.0")


def test_power_is_that_of_the_reported_test() -> None:
    # one-sided at 5 %: t has mean 3 and must exceed 1.645
    assert power(-0.3, PLAIN, 0.05) == pytest.approx(NORMAL.cdf(3.0 - 1.644854), abs=1e-6)
    # against books made by rules whose 5 % quantile is -3.5
    held = replace(PLAIN, critical=-3.5)
    assert power(-0.3, held, 0.05) == pytest.approx(NORMAL.cdf(3.0 - 3.5), abs=1e-6)
    assert detectable(held, 0.05) == pytest.approx((3.5 + 0.841621) * 0.1, abs=1e-6)
    # a claim that is held against .6, not 0
    beyond = replace(PLAIN, null=0.6, needed=1.96)
    assert power(0.8, beyond, 0.05) == pytest.approx(NORMAL.cdf(2.0 - 1.96), abs=1e-6)
    assert math.isnan(power(NAN, PLAIN, 0.05))
    assert math.isnan(power(0.3, replace(PLAIN, std_error=NAN), 0.05))


def test_power_of_an_equivalence_test_is_that_of_no_difference() -> None:
    # two one-sided tests at 5 %: the estimate must lie within .5 - 1.645 x .1
    equal = replace(PLAIN, margin=0.5)
    inside = (0.5 - 0.1644854) / 0.1
    assert power(NAN, equal, 0.05) == pytest.approx(2.0 * NORMAL.cdf(inside) - 1.0, abs=1e-6)
    assert power(NAN, replace(equal, std_error=1.0), 0.05) == 0.0
    # at the margin that is detectable the power is .8
    wide = replace(PLAIN, margin=detectable(equal, 0.05))
    assert power(NAN, wide, 0.05) == pytest.approx(0.8, abs=1e-6)


@pytest.mark.parametrize(
    ("value", "error", "wanted"),
    [
        (0.0, 0.05, NORMAL.cdf(-0.18 / 0.05)),
        (0.1, 0.05, NORMAL.cdf(-0.08 / 0.05)),
        (-0.1, 0.05, NORMAL.cdf(-0.08 / 0.05)),
        (0.18, 0.05, 0.5),
        (0.02, 1.0, NORMAL.cdf(-0.16)),  # a sample that tells nothing shows no equality
        (0.5, 0.05, 1.0),
    ],
)
def test_equivalence_by_two_one_sided_tests(value: float, error: float, wanted: float) -> None:
    change = Coefficient(value, error, value / error, NAN, 500)
    assert _equivalence_p(change) == pytest.approx(wanted, abs=1e-9)


def test_a_sample_too_short_to_tell_does_not_show_that_eras_are_alike() -> None:
    """A change of 1 standard error is no evidence of none."""
    dataset = markets.market(420, 29, start="2021-01-04", damping=0.3)
    settings = Settings(resampling=Resampling(replications=99))
    found = run_one(hypothesis("era-split"), dataset, settings)
    assert found.outcome is not None
    assert abs(found.outcome.t_stat) < 1.96
    assert found.outcome.std_error > 0.18 / 1.645
    assert found.verdict == "not supported"
    assert found.outcome.p_value > 0.05
    assert found.power < 0.5


def test_a_reason_begins_with_the_size_of_the_effect() -> None:
    card = hypothesis("vol-damping").card
    words = effect_first(card, PLAIN)
    assert words.startswith("-0.3 (-0.5 to -0.1), change of log volatility from the lowest")
    lacking = effect_first(card, replace(PLAIN, low=NAN, high=NAN))
    assert lacking.startswith("-0.3 (too few sessions for an interval), change")
    dataset = markets.market(420, 29, start="2021-01-04", damping=0.3)
    found = run_one(
        hypothesis("era-split"), dataset, Settings(resampling=Resampling(replications=99))
    )
    assert found.outcome is not None
    assert np.isfinite(found.outcome.estimate)
    assert found.reason.startswith(f"{found.outcome.estimate:+.3g} (")


def test_books_are_enough_at_two_fifths_or_two_hundred() -> None:
    def place(effective: float, draws: int) -> Place:
        return Place(
            0.0, 0.5, draws, draws, effective, 0.0, 0.0, 1.0, "", 0.0, 1.0, (), True, (), ()
        )

    assert place(200.0, 1_000).enough
    assert not place(199.9, 1_000).enough
    assert place(40.0, 100).enough
    assert not place(39.9, 100).enough


def test_a_published_number_is_comparable_only_where_somebody_says_so() -> None:
    assert not Published(1.0, "slope", "a paper", "abstract").comparable


def test_thirds_of_ranks() -> None:
    third = 1.0 / 3.0 - 0.5
    ranks = np.array([-0.5, third - 0.01, third, 0.0, -third, 0.01 - third, 0.5, NAN])
    assert tercile(ranks).tolist() == [0, 0, 1, 1, 1, 2, 2, -1]


def test_the_interval_of_kappa_does_not_ask_who_comes_first() -> None:
    cells = np.eye(4)[np.random.default_rng(5).choice(4, 400, p=[0.5, 0.2, 0.05, 0.25])]
    p = cells.mean(axis=0)
    chance = (p[0] + p[1]) * (p[0] + p[2]) + (p[2] + p[3]) * (p[1] + p[3])
    kappa = (p[0] + p[3] - chance) / (1.0 - chance)
    low, high = _interval(cells, kappa, 0.95)
    assert low < kappa < high
    assert _interval(cells[:, [0, 2, 1, 3]], kappa, 0.95) == pytest.approx((low, high), rel=1e-9)


def test_p_of_kappa_is_where_its_interval_begins_at_the_bound() -> None:
    """One-sided p is half of what an interval that ends at .6 leaves out."""
    cells = np.eye(4)[np.random.default_rng(5).choice(4, 400, p=[0.55, 0.1, 0.06, 0.29])]
    p = cells.mean(axis=0)
    chance = (p[0] + p[1]) * (p[0] + p[2]) + (p[2] + p[3]) * (p[1] + p[3])
    kappa = (p[0] + p[3] - chance) / (1.0 - chance)
    found = _p(cells, kappa)
    assert 0.0 < found < 0.5
    assert _interval(cells, kappa, 1.0 - 2.0 * found)[0] == pytest.approx(0.6, abs=1e-9)
    assert np.isnan(_p(cells[[0, 1]], 1.0))
