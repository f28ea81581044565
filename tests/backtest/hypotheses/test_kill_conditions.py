"""Kill conditions: each alone refuses a claim, at the very value that its words name."""

from __future__ import annotations

import math
from dataclasses import replace

import markets
import numpy as np
import pandas as pd
import pytest

from gexlab.backtest.hypotheses.kill_conditions import holds, kill_condition
from gexlab.backtest.hypotheses.protocol import Settings, Traded
from gexlab.backtest.hypotheses.registry import BUILT_IN, hypothesis
from gexlab.backtest.hypotheses.run import run_hypotheses, run_one
from gexlab.backtest.statistics.resampling import Resampling, interval

QUICK = Settings(resampling=Resampling(replications=199), costs_bps=0.0)
TINY = 1e-9
NAN = math.nan

#: Numbers that just support each claim, and those that no longer do, by the words of its card.
TABLE: dict[str, tuple[dict[str, float], dict[str, list[float]]]] = {
    "vol-damping": (
        {"p": 0.05, "alpha": 0.05, "first_half": -TINY, "second_half": -TINY},
        {"p": [0.05 + TINY, NAN], "first_half": [0.0, 0.1, NAN], "second_half": [0.0, 0.1, NAN]},
    ),
    "beyond-leverage": (
        {"t": 1.65, "p": 0.05, "alpha": 0.05, "first_half": TINY, "second_half": TINY},
        {
            "t": [1.65 - TINY, -3.0, NAN],
            "p": [0.05 + TINY, NAN],
            "first_half": [0.0, -0.1, NAN],
            "second_half": [0.0, -0.1, NAN],
        },
    ),
    "momentum-split": (
        {"low": TINY, "p": 0.05, "alpha": 0.05, "smallest_era": math.inf},
        {"low": [0.0, -1.0, NAN], "p": [0.05 + TINY, NAN], "smallest_era": [0.0, -0.1, NAN]},
    ),
    "momentum-interaction": (
        {"t": -2.0 - TINY, "p": 0.05, "alpha": 0.05},
        {"t": [-2.0, 3.0, NAN], "p": [0.05 + TINY, NAN]},
    ),
    "close-reversal": (
        {"p": 0.05, "alpha": 0.05, "sum": -TINY},
        {"p": [0.05 + TINY, NAN], "sum": [0.0, 1.0, NAN]},
    ),
    "autocorr-regime": (
        {"high_upper": 0.9 - TINY, "low_lower": 0.9, "p": 0.05, "alpha": 0.05},
        {"high_upper": [0.9, 1.1, NAN], "low_lower": [0.8, NAN], "p": [0.05 + TINY, NAN]},
    ),
    "fade-follow": (
        {"deflated": 0.95, "profit": TINY},
        {"deflated": [0.95 - TINY, NAN], "profit": [0.0, -TINY, NAN]},
    ),
    "flip-placebo": (
        {"t": -2.1, "placebo": -2.0, "p": 0.05, "alpha": 0.05, "slope": -TINY},
        {
            "t": [-2.0, 2.5, NAN],
            "placebo": [-2.1, -3.0, NAN],
            "p": [0.05 + TINY, NAN],
            "slope": [0.0, 1.0, NAN],
        },
    ),
    "expiry-did": (
        {"t": -1.97, "placebo": -1.9, "p": 0.05, "alpha": 0.05},
        {"t": [-1.96, NAN], "placebo": [-1.97, -3.0, NAN], "p": [0.05 + TINY, NAN]},
    ),
    "pin-distance": (
        {"p": 0.05, "alpha": 0.05, "nearer": TINY},
        {"p": [0.05 + TINY, NAN], "nearer": [0.0, -TINY, NAN]},
    ),
    "sign-audit": (
        {
            "calls": -TINY, "puts": TINY, "naive_r2": 0.1 + TINY, "gross_r2": 0.1,
            "naive": -TINY, "p": 0.05, "alpha": 0.05,
        },
        {
            "calls": [0.0, 0.1, NAN],
            "puts": [0.0, -0.1, NAN],
            "gross_r2": [0.1 + TINY, 0.2, NAN],
            "naive": [0.0, 0.1, NAN],
            "p": [0.05 + TINY, NAN],
        },
    ),
    "fragility-tail": (
        {"t": 2.0 + TINY, "p": 0.05, "alpha": 0.05},
        {"t": [2.0, NAN], "p": [0.05 + TINY, NAN]},
    ),
    "letf-rebalance": (
        {"t": 2.0 + TINY, "p": 0.05, "alpha": 0.05},
        {"t": [2.0, -3.0, NAN], "p": [0.05 + TINY, NAN]},
    ),
    "era-split": (
        {"largest_t": -1.65 - TINY, "p": 0.05, "alpha": 0.05},
        {"largest_t": [-1.65, 1.0, NAN], "p": [0.05 + TINY, NAN]},
    ),
    "vendor-parity": ({"low": 0.6}, {"low": [0.6 - TINY, NAN]}),
    "screenshot-vs-dynamic": ({"t": -1.96 - TINY}, {"t": [-1.96, 2.5, NAN]}),
}  # fmt: skip


@pytest.mark.parametrize("name", TABLE)
def test_each_kill_condition_alone_refuses_the_claim(name: str) -> None:
    requires = hypothesis(name).card.requires
    met, broken = TABLE[name]
    assert holds(requires, met)
    for measure, values in broken.items():
        for value in values:
            assert not holds(requires, {**met, measure: value}), (measure, value)


def test_every_claim_has_its_conditions_as_data() -> None:
    assert set(TABLE) == set(BUILT_IN)
    for name in BUILT_IN:
        card = hypothesis(name).card
        assert card.kill.startswith(kill_condition(card.requires)), name
        used = {r.measure for r in card.requires}
        used |= {r.bound for r in card.requires if isinstance(r.bound, str)}
        assert used == set(TABLE[name][0]), name
    assert not holds((), {})


def _traded(returns: np.ndarray) -> Traded:
    index = pd.bdate_range("2015-01-05", periods=len(returns))
    series, one = pd.Series(returns, index=index), np.ones(len(returns), dtype=np.int64)
    return Traded(series, one, 252, "as drawn", "next_close", "no costs", 5)


@pytest.mark.parametrize(
    ("mean", "verdict"),
    [(0.0015, "supported"), (0.0002, "not supported"), (-0.0015, "not supported")],
)
def test_a_profit_alone_supports_no_rule(mean: float, verdict: str) -> None:
    noise = np.tile([0.01, -0.01, 0.008, -0.008], 250)
    dataset = replace(markets.market(300, 3), traded=_traded(noise + mean))
    result = run_one(hypothesis("fade-follow"), dataset, QUICK)
    assert result.outcome is not None
    assert result.verdict == verdict
    # the Sharpe ratio is that of the returns traded, and of nothing else
    spread = math.sqrt(np.mean(noise**2) * 1000 / 999)
    assert result.outcome.estimate == pytest.approx(mean / spread * math.sqrt(252), rel=1e-9)
    assert result.outcome.n == 1000


def test_damping_must_hold_in_both_halves() -> None:
    dataset = markets.market(1_500, 3, damping=0.3)
    assert run_one(hypothesis("vol-damping"), dataset, QUICK).verdict == "supported"
    # turned round in the first third: still strong on the whole, but not in the first half
    turned = dataset.gex.where(np.arange(1_500) >= 560, -dataset.gex)
    result = run_one(hypothesis("vol-damping"), replace(dataset, gex=turned), QUICK)
    assert result.outcome is not None
    assert result.outcome.t_stat < result.outcome.critical
    assert result.verdict == "not supported"
    assert "by half +" in result.reason


@pytest.mark.parametrize(
    ("missing", "defined"), [(0, True), (5, True), (6, False), (50, False), (100, False)]
)
def test_an_interval_needs_nearly_all_draws(missing: int, defined: bool) -> None:
    draws = np.arange(100.0)
    draws[:missing] = NAN
    low, high = interval(draws, 0.9)
    assert math.isfinite(low) == math.isfinite(high) == defined
    if defined:
        # linear between order statistics of those that are there
        rest = np.arange(float(missing), 100.0)
        assert low == pytest.approx(rest[0] + 0.05 * (len(rest) - 1))


def test_q_is_made_of_the_p_that_is_printed() -> None:
    dataset = replace(markets.market(900, 3, damping=0.3, close=0.3), letf=None)
    rng = np.random.default_rng(2)
    level = 3.0 + np.abs(rng.standard_normal(900))
    sides = {"call": level + dataset.gex.to_numpy() / 2, "put": level - dataset.gex.to_numpy() / 2}
    dataset = replace(dataset, legs=pd.DataFrame(sides, index=dataset.gex.index))
    names = (
        "vol-damping",
        "sign-audit",
        "momentum-split",
        "momentum-interaction",
        "close-reversal",
    )
    results = run_hypotheses(names, dataset, QUICK, correct=True)
    p = {r.card.name: r.outcome.p_value for r in results if r.outcome is not None}
    assert set(p) == set(names)
    # Benjamini and Hochberg by hand: the smallest m p_(j) / j over j from the rank on
    ranked = sorted(p, key=lambda name: p[name])
    scaled = [len(p) * p[name] / (i + 1) for i, name in enumerate(ranked)]
    expected = {name: min(1.0, *scaled[i:], 1.0) for i, name in enumerate(ranked)}
    for r in results:
        assert r.q_value == pytest.approx(expected[r.card.name], rel=1e-12)
        assert r.q_value >= p[r.card.name]
        # a correction supports nothing that the test itself does not
        assert not r.romano_wolf or r.verdict == "supported"
