"""Each world shows what its equation says, and a world that does not is found out.

The checks are those of ``gexlab simulate --check``; what their theory must be is typed in here
from the specification.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from gexlab.data.simulate import PathMarket, WorldCheck, check_world, pin_probability, simulate_path
from gexlab.data.simulate.checks import world_checks
from gexlab.data.simulate.checks.closed_forms import (
    PIN_STARTS,
    pin_law,
    reversal_slope,
    variance_ratio,
)
from gexlab.data.simulate.checks.records import WorldsCheck, check_limit, error_of_mean, slope
from gexlab.data.simulate.worlds.s0_null import QUARTILES

LIMIT = 4.0

#: Specification 14: world to quantity to value, and how exactly it is printed there.
STATED: dict[str, dict[str, float]] = {
    "S0": {
        "sd of next return, %, GEX quartile 1": 0.90,
        "sd of next return, %, GEX quartile 2": 0.87,
        "sd of next return, %, GEX quartile 3": 0.60,
        "sd of next return, %, GEX quartile 4": 0.48,
        "ln (realised / due vol.) on GEX in sd": 0.0,
    },
    "S1": {"ln 5-min vol. on ln(1 + kappa)": -1.0, "ln |daily return| on ln(1 + kappa)": -1.0},
    "S2": {
        "AC(1), kappa -0.3": 0.3,
        "AC(1), kappa -0.1": 0.1,
        "AC(1), kappa +0.1": -0.1,
        "AC(1), kappa +0.3": -0.3,
        "VR(30), kappa -0.3": 1.816,
        "VR(30), kappa -0.1": 1.214,
        "VR(30), kappa +0.1": 0.824,
        "VR(30), kappa +0.3": 0.550,
        "sd of a bar / eps, kappa -0.3": 1.048,
        "sd of a bar / eps, kappa -0.1": 1.005,
        "sd of a bar / eps, kappa +0.1": 1.005,
        "sd of a bar / eps, kappa +0.3": 1.048,
    },
    "S3": {
        "last half hour on day, kappa -0.3": 0.15,
        "last half hour on day, kappa +0.3": -0.15,
        "last half hour on day, kappa -0.9": 0.45,
    },
    "S4": {},
    "S5": {
        "ln vol. on naive ln(1 + kappa), half 1": -1.0,
        "ln vol. on -ln(1 - kappa), half 2": 1.0,
        "naive signs that are right": 0.5,
    },
    "S6": {"slope on naive / slope on truth": 0.74**2, "correlation of naive with truth": 0.74},
    "S7": {"last half hour on day, GEX < 0": 0.10, "last half hour on day, GEX > 0": 0.10},
    "S8": {},
    "S9": {
        "hours on the return before, dealers long": -0.118,
        "hours on the return before, dealers short": 0.118,
        # .118 sqrt(2 x 252 / pi), by hand
        "annual Sharpe ratio of the rule": 1.4946,
    },
    "S10": {
        "hours on the return before, by volatility": -0.118,
        "the same by gamma, beside it": 0.0,
    },
    "S1S3": {"ln vol. until 15:30 on ln(1 + kappa)": -1.0, "last half hour on kappa x day": -0.5},
}


@pytest.fixture
def fewer_paths(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pin a third of the paths that the command does."""
    monkeypatch.setattr(world_checks, "_PIN_PATHS", 2_000)


@pytest.mark.usefixtures("fewer_paths")
@pytest.mark.parametrize("world", STATED)
def test_every_world_shows_what_its_equation_says(world: str) -> None:
    checks = check_world(world, seed=2)
    assert not [c for c in checks if not c.holds(LIMIT)]
    theory = {c.quantity: c.theory for c in checks}
    assert {name: theory[name] for name in STATED[world]} == pytest.approx(
        STATED[world], abs=5.1e-4
    )


#: What is wrong with the world, and what it must fail by.
PLANTED: list[tuple[str, dict[str, Any], str]] = [
    ("S0", {"dynamics": "constant"}, "quartile 1 / quartile 4"),
    ("S0", {"impact": 2e-13, "damping": 1.0}, "realised / due"),
    ("S1", {"damping": 0.95}, "ln 5-min vol."),
    ("S2", {"lag": 0.95}, "AC(1), kappa"),
    ("S2", {"lag": 0.95}, "r_i on kappa_t"),
    ("S3", {"close_share": 0.4}, "last half hour on day, kappa +0.3"),
    ("S3", {"permanent": 1.0}, "next session on half hour"),
    ("S5", {"reversed_from": 0.75}, "half 2"),
    ("S5", {"reversed_from": 0.75}, "naive signs"),
    ("S6", {"reliability": 0.8}, "slope on naive"),
    ("S7", {"rebalancing": 0.07}, "last half hour on day, GEX"),
    ("S7", {"close_share": 0.5, "impact": 2e-13}, "their difference"),
    ("S9", {"transient": 0.03}, "dealers long"),
    ("S9", {"transient": 0.03}, "annual Sharpe ratio"),
    ("S9", {"transient": 0.3}, "dealers short"),
    ("S10", {"echo": 0.0}, "by volatility"),
    ("S10", {"transient": 0.03}, "by volatility"),
    ("S1S3", {"close_share": 0.4}, "last half hour on kappa"),
]


@pytest.mark.parametrize(("world", "parameters", "quantity"), PLANTED)
def test_a_world_that_does_otherwise_is_found_out(
    world: str, parameters: dict[str, Any], quantity: str
) -> None:
    failed = [c.quantity for c in check_world(world, seed=2, parameters=parameters)
              if not c.holds(LIMIT)]  # fmt: skip
    assert any(name.startswith(quantity) or quantity in name for name in failed)


@pytest.mark.usefixtures("fewer_paths")
def test_a_pull_that_is_too_weak_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    def weaker(beta: float, start: float, **arguments: Any) -> tuple[float, float]:
        found: tuple[float, float] = pin_probability(0.8 * beta, start, **arguments)
        return found

    monkeypatch.setattr(world_checks, "pin_probability", weaker)
    monkeypatch.setattr(world_checks, "_pinned_market", lambda _run: ())
    checks = [c for c in check_world("S4", seed=2) if c.quantity.startswith("pinned")]
    assert len(checks) == 20
    assert all(c.holds(LIMIT) for c in checks if "beta 0," in c.quantity)
    assert any(not c.holds(LIMIT) for c in checks)


def test_agents_that_fail_whatever_the_gamma_are_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(world_checks, "failure_rate", lambda *_, **__: 0.5)
    failed = [c.quantity for c in check_world("S8", seed=2) if not c.holds(LIMIT)]
    assert failed == ["failure, long - short, 35% taking", "failure, long - short, 40% taking"]


# P(|z_T| < .05) as the specification prints it: simulated on 20,000 paths, standard error up to
# .0035, two digits; beta = 0 is exact
PINNED = [
    (0.0, (0.0399, 0.0352, 0.0242, 0.0054)),
    (0.25, (0.39, 0.36, 0.26, 0.06)),
    (0.5, (0.63, 0.59, 0.46, 0.13)),
    (1.0, (0.87, 0.83, 0.70, 0.24)),
    (2.0, (0.98, 0.97, 0.91, 0.42)),
]


@pytest.mark.parametrize(("beta", "row"), PINNED)
def test_the_law_of_the_pinning_scheme_is_the_specifications_table(
    beta: float, row: tuple[float, ...]
) -> None:
    law = pin_law(beta, PIN_STARTS)
    allowed = 5e-5 if beta == 0 else 0.005 + 3e-4 + 3 * 0.0035 * 0.5
    np.testing.assert_allclose(law, row, rtol=0, atol=allowed)


def test_the_grid_of_times_hardly_matters_to_the_law() -> None:
    # the specification: 500, 1,000, 2,000 and 4,000 steps agree within .01
    coarse, fine = (pin_law(0.5, PIN_STARTS, steps=n) for n in (500, 2_000))
    assert np.abs(coarse - fine).max() < 0.003


def test_dealers_who_are_short_repel() -> None:
    pulled, free, pushed = (pin_law(b, [0.5])[0] for b in (0.5, 0.0, -0.5))
    assert pushed < free < pulled
    assert pin_probability(-0.5, 0.5, paths=2_000)[0] < free


def test_s3_gives_back_what_the_sample_says_too() -> None:
    # the closed form against the sample's own R2 at constant kappa
    market = simulate_path("S3", sessions=5_000, seed=6, kappa=-0.9, parameters={"drift": 0.0})
    close, half = np.log(market.bars[:, -1, 3]), np.log(market.bars[:, -7, 3])
    day, late, following = half[1:-1] - close[:-2], (close - half)[1:-1], np.diff(close)[1:]
    r2 = np.corrcoef(late, day)[0, 1] ** 2
    assert reversal_slope(0.45, 0.6, 0.2, 30 / 390) == pytest.approx(-0.6 * r2 * 1.45, rel=0.03)
    found, error = slope(following, late)
    assert abs(found + 0.6 * r2 * 1.45) < 4 * error
    assert found < -4 * error


def test_the_null_world_feeds_nothing_back() -> None:
    market: PathMarket = simulate_path("S0", sessions=500, seed=1)
    assert (market.effects["volatility_multiplier"] == 1).all()
    assert (market.effects["close_push"] == 0).all()
    moves = np.corrcoef(np.diff(np.log(market.bars[:, -1, 3])), np.diff(market.gammas["net_gex"]))[
        0, 1
    ]
    assert 0.4 < moves < 0.9  # specification 14.1: .58 to .82 over 3,200 sessions


def test_variance_ratio_by_hand() -> None:
    # q = 3: 1 + 2 ((2/3)(-k) + (1/3) k^2)
    assert variance_ratio(0.3, 3) == pytest.approx(1 + 2 * (-0.2 + 0.03))


def test_slope_and_mean_agree_with_statsmodels() -> None:
    import statsmodels.api as sm

    rng = np.random.default_rng(1)
    x = rng.standard_normal(300)
    y = 0.4 * x + np.abs(x) * rng.standard_normal(300)
    fit = sm.OLS(y, sm.add_constant(x)).fit(cov_type="HC0")
    assert slope(y, x) == pytest.approx((fit.params[1], fit.bse[1]))
    constant = sm.OLS(y, np.ones(300)).fit()
    assert error_of_mean(y) == pytest.approx((constant.params[0], constant.bse[0]))


def check(measured: float, error: float = 1.0, **changes: Any) -> WorldCheck:
    return WorldCheck("S1", "q", 0.0, measured, error, 10, "sessions", **changes)


@pytest.mark.parametrize(
    ("found", "z", "holds"),
    [
        (check(3.0), 3.0, True),
        (check(-3.2), -3.2, False),
        (check(math.nan), math.nan, False),
        (check(3.2, tolerance=0.5), 2.7, True),
        (check(1e-7, 0.0, tolerance=1e-6), 0.0, True),
        (check(-2e-6, 0.0, tolerance=1e-6), -math.inf, False),
        (check(math.nan, 0.0, tolerance=1e-6), math.nan, False),
        (check(-5.0, relation="<"), -5.0, True),
        (check(-2.0, relation="<"), -2.0, False),
        (check(5.0, relation=">"), 5.0, True),
        (check(math.nan, relation=">"), math.nan, False),
        (check(9.0, 0.0, relation="reported"), math.inf, True),
    ],
)
def test_a_verdict_is_a_distance_in_standard_errors(
    found: WorldCheck, z: float, holds: bool
) -> None:
    assert found.z == pytest.approx(z, nan_ok=True)
    assert found.holds(3.1) is holds


def test_the_limit_grows_with_the_number_of_checks() -> None:
    # Bonferroni by hand: 1 % over 100 two-sided tests leaves 5e-5 in each tail, 3.8906
    assert check_limit([check(0.0)] * 100) == pytest.approx(3.8906, abs=1e-4)
    assert check_limit([check(0.0, 0.0)] * 100) == pytest.approx(2.5758, abs=1e-4)
    result = WorldsCheck((check(0.0), check(9.0)), 4.0, 0.01, 1, 0.0)
    assert [c.measured for c in result.failed] == [9.0]


def test_the_reports_profile_of_the_null_world_is_what_it_shows() -> None:
    profiles = []
    for seed in range(40):  # other seeds than the 400 that the constant comes from
        market = simulate_path("S0", sessions=3_200, seed=seed)
        r, gamma = np.diff(np.log(market.bars[:, -1, 3])), market.gammas["net_gex"][:-1]
        quartile = np.searchsorted(np.quantile(gamma, [0.25, 0.5, 0.75]), gamma)
        sd = np.array([r[quartile == q].std(ddof=1) for q in range(4)])
        profiles.append(sd / np.sqrt((sd**2).mean()))
    mean, error = np.mean(profiles, axis=0), np.std(profiles, axis=0) / 40**0.5
    assert (np.abs(mean - QUARTILES) < 4 * error + 0.005).all()


def test_paths_start_at_zero_and_have_one_place_more_than_bars() -> None:
    found = world_checks._walked(np.array([[1.0, 2.0, 3.0], [-1.0, 0.0, 5.0]]))
    assert found.tolist() == [[0.0, 1.0, 3.0, 6.0], [0.0, -1.0, -1.0, 4.0]]
