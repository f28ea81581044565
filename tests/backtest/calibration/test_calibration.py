"""Rejection rates on markets whose truth is known."""

from __future__ import annotations

import math
from datetime import date

import numpy as np
import pytest
from scipy.stats import norm

from gexlab.backtest.calibration.check import TestFunction, simulate_check
from gexlab.backtest.calibration.hypotheses import PLAN, calibrate, path_dataset
from gexlab.backtest.calibration.worlds import (
    MarketRun,
    SimulatedMarkets,
    require_world,
    simulate_run,
)
from gexlab.backtest.hypotheses.registry import BUILT_IN
from gexlab.backtest.statistics.rejection import (
    Direction,
    Score,
    SimulationCheck,
    critical_value,
    wilson,
)
from gexlab.data import GexlabError, Workers
from gexlab.data.simulate import PathMarket, simulate_path

Tests = dict[str, tuple[TestFunction, Direction]]


def market_blind(market: PathMarket) -> Score:
    """A test that looks at nothing but its own luck: exactly of its level."""
    z = float(np.random.default_rng([market.seed, 99]).standard_normal())
    return Score(z, float(2 * norm.sf(abs(z))), z > 1.96)


def volatility_on_gamma(market: PathMarket) -> Score:
    """Slope of log realised volatility on yesterday's gamma: S1's own test."""
    logs = np.log(market.bars[:, :, 3])
    volatility = np.log((np.diff(logs, axis=1) ** 2).sum(axis=1))[1:]
    gamma = market.gammas["net_gex"][:-1]
    r = float(np.corrcoef(volatility, gamma)[0, 1])
    t = r * math.sqrt((len(gamma) - 2) / (1 - r**2))
    return Score(t, float(2 * norm.sf(abs(t))), t < -1.96)


def never_applies(market: PathMarket) -> Score:
    return Score(math.nan, math.nan, False)


@pytest.fixture(scope="module")
def check() -> SimulationCheck:
    return simulate_check(
        {
            "blind": (market_blind, "+"),
            "damping": (volatility_on_gamma, "-"),
            "never": (never_applies, "0"),
        },
        SimulatedMarkets(("S0", "S1"), (0.0, 1.0), seeds=24, sessions=200),
        processes=1,
    )


def rate(check: SimulationCheck, test: str, world: str, strength: float) -> tuple[float, float]:
    (row,) = (r for r in check.rates if (r.test, r.world, r.strength) == (test, world, strength))
    return row.claimed.share, row.simulated.share


def test_wilson_is_the_textbooks() -> None:
    # Newcombe (1998), Statistics in Medicine 17, 857-872, table I: 81/263 and 15/148
    assert wilson(81, 263)[1:] == pytest.approx((0.2553, 0.3662), abs=5e-5)
    assert wilson(15, 148)[1:] == pytest.approx((0.0624, 0.1605), abs=5e-5)
    assert wilson(0, 20)[1:] == pytest.approx((0.0, 0.1611), abs=5e-5)
    assert math.isnan(wilson(0, 0).share)


@pytest.mark.parametrize(("direction", "expected"), [("-", 1.0), ("+", 19.0), ("0", 19.0)])
def test_critical_values_are_quantiles(direction: str, expected: float) -> None:
    values = [*range(21), math.nan]
    assert critical_value(values, direction, 0.05) == pytest.approx(expected)  # type: ignore[arg-type]


def test_a_blind_test_keeps_its_level_everywhere(check: SimulationCheck) -> None:
    for row in check.rates:
        if row.test == "blind":
            assert row.markets == 24
            assert row.rejected.low <= 0.05 <= row.rejected.high


def test_the_null_world_over_rejects_until_its_own_critical_value_is_used(
    check: SimulationCheck,
) -> None:
    asymptotic, simulated = rate(check, "damping", "S0", 0.0)
    assert asymptotic > 0.9
    assert simulated < 0.4
    assert check.critical["damping"] < -5


def test_power_grows_with_the_effect(check: SimulationCheck) -> None:
    shares = [rate(check, "damping", "S1", s)[0] for s in (0.0, 1.0)]
    assert shares == sorted(shares)
    assert shares[-1] > 0.95
    assert shares[0] < 0.3


def test_a_test_that_does_not_apply_is_counted_not_scored(check: SimulationCheck) -> None:
    rows = [r for r in check.rates if r.test == "never"]
    assert all((r.markets, r.undefined) == (0, 24) for r in rows)
    assert all(math.isnan(r.rejected.share) for r in rows)
    assert check.document()["critical"]["never"] is None


def test_processes_change_nothing() -> None:
    markets = SimulatedMarkets(seeds=4, sessions=60)
    tests: Tests = {"damping": (volatility_on_gamma, "-")}
    here = simulate_check(tests, markets, processes=1)
    again = simulate_check(tests, markets, processes=1)
    assert here == again


def test_other_processes_give_the_same_numbers() -> None:
    markets = SimulatedMarkets(("S3",), seeds=2, sessions=60)
    tests: Tests = {"first": (first_close, "0")}
    here = simulate_check(tests, markets, processes=1)
    there = simulate_check(tests, markets, processes=2)
    assert here.rates[0].statistic_mean == there.rates[0].statistic_mean


@pytest.mark.slow
def test_a_cluster_gives_the_same_numbers() -> None:
    pytest.importorskip("distributed")
    markets = SimulatedMarkets(("S3",), seeds=4, sessions=60)
    tests: Tests = {"first": (first_close, "0")}
    here = simulate_check(tests, markets, processes=1)
    assert simulate_check(tests, markets, workers=Workers(2)).rates == here.rates


def first_close(market: PathMarket) -> Score:
    return Score(float(market.bars[0, -1, 3]), 0.5, False)


@pytest.mark.parametrize(
    ("markets", "level", "message"),
    [
        (SimulatedMarkets(("S99",)), 0.05, "unknown world 'S99'"),
        (SimulatedMarkets(seeds=1), 0.05, "two seeds"),
        (SimulatedMarkets(), 5.0, "a probability between 0 and 1, found 5"),
        (SimulatedMarkets(()), 0.05, "one world"),
    ],
)
def test_nonsense_is_refused(markets: SimulatedMarkets, level: float, message: str) -> None:
    tests: Tests = {"blind": (market_blind, "+")}
    with pytest.raises(GexlabError, match=message):
        simulate_check(tests, markets, level=level, processes=1)


def test_a_path_becomes_a_dataset_that_every_tier_but_signed_can_use() -> None:
    market = simulate_path("S3", sessions=120, seed=1, with_flip=True)
    data = path_dataset(market)
    assert data.simulated
    np.testing.assert_array_equal(data.gex, market.gammas["net_gex"])
    assert data.intraday is not None
    np.testing.assert_allclose(data.intraday.at(-30), np.log(market.bars[:, -7, 3]))
    np.testing.assert_allclose(data.intraday.at(0), np.log(market.bars[:, 0, 0]))
    assert data.legs is not None
    np.testing.assert_allclose(data.legs["call"] - data.legs["put"], data.gex)
    assert data.vix is not None
    ratio = np.log(data.vix / (100 * market.gammas["iv"]))
    assert abs(ratio.std() - 0.05) < 0.02


def test_momentum_is_found_where_dealers_hedge_into_the_close() -> None:
    check = calibrate(
        ("momentum-interaction",),
        SimulatedMarkets(("S3",), seeds=5, sessions=1_000),
        processes=1,
    )
    (row,) = check.rates
    assert row.claimed.share > 0.6


def test_variants_are_the_markets_that_they_say() -> None:
    start = date(2018, 1, 2)
    weekdays = simulate_run(MarketRun("S1-weekdays", "visible", 1.0, 1_300, start), 3)
    treated = weekdays.effects["kappa"] > 0
    day = weekdays.sessions[treated].astype("datetime64[D]").astype(int)
    assert set((day + 3) % 7) == {1, 3}  # Tuesdays and Thursdays
    assert weekdays.sessions[treated].min() == np.datetime64("2022-04-19")  # first Tuesday after
    assert set(np.round(weekdays.effects["volatility_multiplier"], 6)) == {1.0, 0.952381}
    funds = simulate_run(MarketRun("S7-varying", "visible", 1.0, 300, start), 3)
    slope = funds.effects["close_slope"]
    assert 0.03 < slope.mean() < 0.3
    data = path_dataset(funds)
    assert data.letf is not None
    # what the test reads the evening before is the slope of the next session
    np.testing.assert_allclose(data.letf.to_numpy()[:-1], slope[1:])
    half = simulate_run(MarketRun("S3-transient", "visible", 0.5, 300, start), 3)
    np.testing.assert_allclose(half.effects["close_slope"], -0.5 * half.effects["kappa"])
    np.testing.assert_allclose(half.effects["given_back"][1:], half.effects["close_push"][:-1])
    assert path_dataset(half).letf is None


def test_every_test_of_the_plan_is_on_a_world_that_exists() -> None:
    for world, names in PLAN.items():
        require_world(world)
        assert set(names) <= set(BUILT_IN)
    with pytest.raises(GexlabError, match="S3-transient"):
        require_world("S3-transien")
