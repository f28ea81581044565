"""Diagnostics by regime: every measure by hand on a few sessions, differences by construction."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from markets import market

from gexlab.backtest.statistics import realised as rv
from gexlab.backtest.statistics.diagnostics.groups import (
    Measure,
    _effect,
    compare_groups,
    mean_measure,
)
from gexlab.backtest.statistics.diagnostics.magnitude import (
    ImpactAssumptions,
    implied_magnitude,
)
from gexlab.backtest.statistics.diagnostics.measures import failed_breakouts, session_measures
from gexlab.backtest.statistics.diagnostics.report import diagnose
from gexlab.backtest.statistics.resampling import Resampling
from gexlab.data.base.errors import NotEnoughDataError

FEW = Resampling(seed=2, replications=300)


def test_groups_by_hand() -> None:
    values = [1.0, 2.0, 3.0, 6.0, math.nan, 5.0]
    short = np.array([True, True, False, False, True, False])
    (got,) = compare_groups([mean_measure("m", "u", "text", values)], short, ~short, FEW)
    assert (got.short.value, got.short.n) == (1.5, 2)
    assert got.long.value == pytest.approx(14 / 3)
    assert got.long.n == 3
    assert got.difference.value == pytest.approx(1.5 - 14 / 3)
    # squares about the means: .5 and 42/9; pooled with 5 - 2 degrees of freedom
    pooled = math.sqrt((0.5 + 42 / 9) / 3)
    assert got.effect_size == pytest.approx((1.5 - 14 / 3) / pooled)


def test_ratio_of_sums_weighs_sessions_by_their_denominator() -> None:
    measure = Measure("m", "u", "", np.array([1.0, 3.0, 1.0, 1.0]), np.array([1.0, 2.0, 4.0, 4.0]))
    short = np.array([True, True, False, False])
    (got,) = compare_groups([measure], short, ~short, FEW)
    assert got.short.value == pytest.approx(4 / 3)
    assert got.long.value == pytest.approx(0.25)


def test_interval_of_a_difference_covers_it() -> None:
    rng = np.random.default_rng(4)
    short = rng.random(1_500) < 0.4
    values = rng.standard_normal(1_500) + 0.5 * short
    (got,) = compare_groups([mean_measure("m", "", "", values)], short, ~short, FEW)
    assert got.difference.low < 0.5 < got.difference.high
    assert got.effect_size == pytest.approx(0.5, abs=0.12)
    assert compare_groups([], short, ~short, FEW) == ()


def test_failed_breakouts_by_hand() -> None:
    """Twenty sessions within 99 ... 101, then four that leave the range."""
    quiet = [(100.0, 101.0, 99.0, 100.0)] * 20
    days = [
        (100.0, 102.0, 99.5, 100.5),  # above and back: failed
        (100.5, 103.0, 100.0, 102.8),  # above 102 and stays
        (102.0, 102.5, 98.0, 98.5),  # below 99 and stays
        (98.5, 104.0, 97.0, 100.0),  # both sides, both failed
    ]
    o, h, lo, c = np.array(quiet + days).T
    attempts, failures = failed_breakouts(rv.log_bars(o, h, lo, c), np.log(c))
    np.testing.assert_array_equal(attempts[20:], [1, 1, 1, 2])
    np.testing.assert_array_equal(failures[20:], [1, 0, 0, 2])
    assert np.isnan(attempts[:20]).all()


def test_path_measures_by_hand() -> None:
    # open 100, high 104, low 98, close 103, in logs
    bars = rv.log_bars([100.0], [104.0], [98.0], [103.0])
    by_name = {m.name: m for m in session_measures(bars, np.log([103.0]))}
    wide = math.log(104 / 98)
    assert by_name["efficiency"].numerator[0] == pytest.approx(math.log(1.03) / wide)
    clv = 2 * math.log(103 / 98) / wide - 1
    assert by_name["close_location"].numerator[0] == pytest.approx(clv)


def test_a_market_with_damping_and_lag() -> None:
    dataset = market(1_200, 3, damping=0.3, lag=0.2)
    label = dataset.gex.lt(0.0).map({True: "short", False: "long"})
    table = pd.DataFrame({"pin_strike": np.rint(dataset.bars["close"] / 100.0) * 100.0})
    found = diagnose(replace(dataset, regime=label, table=table), FEW)
    by_name = {d.name: d for d in found.by_regime}
    assert by_name["next_1"].difference.low > 0.2
    assert by_name["next_1"].effect_size > 0.5
    assert by_name["today"].difference.value == pytest.approx(
        by_name["next_1"].difference.value, abs=0.01
    )
    assert by_name["autocorrelation_5"].difference.low > 0.0
    assert by_name["realised"].difference.low > 0.2
    jumps = by_name["jump_sessions"]
    assert jumps.long.value == pytest.approx(0.08, abs=0.06)
    assert {"next_5", "next_21", "variance_premium", "air_pocket", "failed_breakouts"} <= set(
        by_name
    )
    assert [v.n for v in found.variance_ratios] == [1_199] * 3
    assert found.slopes[0].name == "range_on_pin_distance"


def test_without_optional_data() -> None:
    bare = replace(market(150, 3), vix=None, intraday=None)
    found = diagnose(bare, FEW)
    names = {d.name for d in found.by_regime}
    assert "next_1" in names
    assert not {"variance_premium", "realised"} & names
    assert found.slopes == ()


def test_implied_magnitude_of_the_specification() -> None:
    # $5bn per 1 %, $400bn a day, 1 % a day: lambda Gamma = .0125
    found = implied_magnitude(5e9)
    assert found.lambda_gamma == pytest.approx(0.0125)
    assert found.volatility_factor == pytest.approx(1 / 1.0125)
    small = ImpactAssumptions(dollar_volume=5e9)
    assert math.isnan(implied_magnitude(-5e9, small).volatility_factor)
    with pytest.raises(NotEnoughDataError, match="must be positive"):
        ImpactAssumptions(dollar_volume=0.0)


def test_an_effect_is_in_deviations_of_the_sessions_own_scores() -> None:
    """Sums over counts of 2: scores are the sums' deviations halved; 3 less 1 over their spread."""
    short = [[4.0, 2.0], [8.0, 2.0], [6.0, 2.0]]  # mean 3, scores -1, 1, 0
    long = [[1.0, 2.0], [3.0, 2.0]]  # mean 1, scores -0.5, 0.5
    block = np.array([[*s, 0.0, 0.0] for s in short] + [[0.0, 0.0, *s] for s in long])
    pooled = ((1.0 + 1.0 + 0.25 + 0.25) / 3) ** 0.5
    assert _effect(block, 3.0, 1.0) == pytest.approx(2.0 / pooled)
