"""SPA, Reality Check, stepdown, confidence set, overfitting and Sharpe differences."""

from __future__ import annotations

import math
from itertools import combinations
from typing import TYPE_CHECKING, Literal

import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest
from arch.bootstrap import MCS, SPA, StationaryBootstrap, StepM
from scipy.special import ndtri
from scipy.stats import rankdata

from gexlab.backtest.statistics.resampling import Resampling
from gexlab.backtest.tournament.confidence_set import SetStatistic, confidence_set
from gexlab.backtest.tournament.differences import sharpe_difference
from gexlab.backtest.tournament.overfitting import overfitting
from gexlab.backtest.tournament.studentised import (
    automatic_block,
    long_run_deviation,
    studentise,
)
from gexlab.backtest.tournament.superiority import recentred_shift, spa, step_m
from gexlab.data.base.errors import GexlabError, NotEnoughDataError, UnknownNameError

if TYPE_CHECKING:
    from pathlib import Path

Floats = npt.NDArray[np.float64]
HOW = Resampling(seed=4, replications=500, block=5.0)


def _panel(seed: int, n: int, k: int) -> Floats:
    """Return autocorrelated noise whose columns differ in scale by up to a hundred."""
    rng = np.random.default_rng(seed)
    e = rng.standard_normal((n + 1, k))
    return (e[1:] + 0.3 * e[:-1]) * np.logspace(-2, 0, k)


def _scaled(x: Floats, block: float) -> Floats:
    return x / long_run_deviation(x, block)


def test_long_run_deviation_is_that_of_the_bootstrap() -> None:
    x = _panel(1, 300, 3)
    got = long_run_deviation(x, 5.0)
    # by hand: the kernel of Hansen (2005), lag by lag
    d, n, q = x - x.mean(axis=0), 300, 0.2
    want = (d**2).sum(axis=0)
    for lag in range(1, n):
        kernel = (n - lag) / n * (1 - q) ** lag + lag / n * (1 - q) ** (n - lag)
        want = want + 2 * kernel * (d[lag:] * d[:-lag]).sum(axis=0)
    assert got == pytest.approx(np.sqrt(want / n), rel=1e-9)
    assert long_run_deviation(x, 1.0) == pytest.approx(x.std(axis=0), rel=1e-9)


@pytest.mark.parametrize("seed", range(3))
def test_spa_is_that_of_arch_on_scaled_columns_with_the_same_draws(seed: int) -> None:
    x = _panel(seed, 200, 8)
    x[:, 2] += 0.15 * x[:, 2].std()
    x[:, 5] -= 0.5 * x[:, 5].std()
    scaled = _scaled(x, 5.0)
    theirs = SPA(np.zeros(200), -scaled, block_size=5, reps=500, seed=4)
    theirs.compute()
    found = spa(studentise(x, HOW))
    want = theirs.pvalues
    assert (found.p_lower, found.p_consistent, found.p_upper) == pytest.approx(tuple(want))
    assert found.statistic == pytest.approx(float(scaled.mean(axis=0).max()) * math.sqrt(200))
    assert found.p_of_trial.min() == found.p_consistent
    # White's own: no column is scaled
    plain = SPA(np.zeros(200), -x, block_size=5, reps=500, seed=4, studentize=False)
    plain.compute()
    unscaled = spa(studentise(x, HOW, scale=False))
    assert unscaled.p_upper == pytest.approx(plain.pvalues["upper"])
    assert unscaled.p_consistent == pytest.approx(plain.pvalues["consistent"])


@pytest.mark.parametrize("seed", range(4))
def test_stepdown_is_that_of_arch_on_scaled_columns_with_the_same_draws(seed: int) -> None:
    x = _panel(seed, 250, 9)
    x += np.array([0.4, 0.25, 0.2, 0, 0, 0, 0, -0.3, -0.6]) * x.std(axis=0)
    theirs = StepM(np.zeros(250), -_scaled(x, 5.0), block_size=5, reps=500, seed=4)
    theirs.compute()
    p = step_m(studentise(x, HOW))
    assert set(np.flatnonzero(p <= 0.05)) == set(theirs.superior_models)
    assert (step_m(studentise(x, HOW), "upper") >= p).all()


def test_stepdown_where_every_trial_is_superior() -> None:
    # arch ends in "zero-size array" on some of these: all are selected over several rounds
    crashed = 0
    for seed in range(60):
        x = np.random.default_rng(seed).standard_normal((200, 3)) + np.array([0.17, 0.24, 0.4])
        p = step_m(studentise(x, Resampling(seed=1, replications=200, block=1.0)))
        assert np.isfinite(p).all()
        try:
            theirs = StepM(np.zeros(200), -_scaled(x, 1.0), block_size=1, reps=200, seed=1)
            theirs.compute()
        except ValueError:
            crashed += 1
            assert (p <= 0.05).all()
    assert crashed > 0


def test_one_good_trial_beside_wide_noise_is_found() -> None:
    # t about 3.2 beside 20 trials of 20 times its deviation: arch as it is sees next to nothing
    found = theirs = 0
    for seed in range(20):
        rng = np.random.default_rng(seed)
        x = 20.0 * rng.standard_normal((1_000, 21))
        x[:, 0] = rng.standard_normal(1_000) + 3.2 / math.sqrt(1_000)
        how = Resampling(seed=2, replications=200, block=1.0)
        found += spa(studentise(x, how)).p_consistent <= 0.05
        theirs += spa(studentise(x, how, scale=False)).p_consistent <= 0.05
    assert found >= 10
    assert theirs == 2  # one case in ten, as the document says


def test_trials_without_variation_take_no_part() -> None:
    x = _panel(3, 200, 4)
    beside = np.column_stack([x, np.zeros(200), np.full(200, 0.01)])
    one, both = spa(studentise(x, HOW)), spa(studentise(beside, HOW))
    assert both.trials == one.trials == 4
    assert both.p_consistent == one.p_consistent
    assert np.isnan(both.p_of_trial[4:]).all()
    assert np.isnan(step_m(studentise(beside, HOW))[4:]).all()
    nothing = spa(studentise(np.zeros((200, 2)), HOW))
    assert nothing.trials == 0
    assert math.isnan(nothing.p_consistent)
    assert np.isnan(step_m(studentise(np.zeros((200, 2)), HOW))).all()


def test_missing_returns_and_wrong_names_are_refused() -> None:
    x = _panel(3, 50, 2)
    x[7, 1] = np.nan
    with pytest.raises(GexlabError, match="period 7 of trial 1 has no value"):
        studentise(x, HOW)
    with pytest.raises(NotEnoughDataError):
        studentise(x[:5], HOW)
    with pytest.raises(UnknownNameError, match="consistent"):
        step_m(studentise(_panel(3, 50, 2), HOW), "consistant")  # type: ignore[arg-type]
    with pytest.raises(UnknownNameError, match="range"):
        confidence_set(_panel(3, 50, 2), HOW, "rank")  # type: ignore[arg-type]


@pytest.mark.parametrize(("statistic", "theirs"), [("range", "R"), ("max", "max")])
@pytest.mark.parametrize("seed", range(3))
def test_confidence_set_is_that_of_arch_with_the_same_draws(
    statistic: SetStatistic, theirs: Literal["R", "max"], seed: int
) -> None:
    x = _panel(seed, 150, 7) + np.linspace(0, 0.08, 7)
    mcs = MCS(-x, size=0.05, reps=500, block_size=5, method=theirs, seed=4)
    mcs.compute()
    want = mcs.pvalues["Pvalue"].sort_index().to_numpy()
    assert confidence_set(x, HOW, statistic) == pytest.approx(want)


def test_twins_share_their_place_in_the_confidence_set() -> None:
    x = _panel(1, 150, 4)
    p = confidence_set(np.column_stack([x[:, 0], x]), HOW, "max")
    assert p[0] == p[1]
    assert p[1:] == pytest.approx(confidence_set(x, HOW, "max"))
    assert confidence_set(np.zeros((20, 2)), HOW).tolist() == [1.0, 1.0]


def _r_normal(seed: int, number: int) -> Floats:
    """Return what ``set.seed(seed); rnorm(number)`` gives in R: its twister and its inversion."""
    state, key = seed, []
    for _ in range(50):
        state = (69_069 * state + 1) & 0xFFFFFFFF
    for _ in range(625):
        state = (69_069 * state + 1) & 0xFFFFFFFF
        key.append(state)
    source = np.random.RandomState()
    source.set_state(("MT19937", np.array(key[1:], dtype=np.uint32), 624, 0, 0.0))
    words = source.randint(0, 2**32, size=2 * number, dtype=np.uint64).astype(np.float64)
    u = words * 2.3283064365386963e-10
    return np.asarray(ndtri((np.floor(134_217_728.0 * u[::2]) + u[1::2]) / 134_217_728.0))


def test_overfitting_on_the_stream_of_the_r_package() -> None:
    assert _r_normal(42, 2) == pytest.approx([1.37095845, -0.56469817], abs=1e-8)
    m = _r_normal(765, 240_000).reshape(100, 2_400).T
    m = m / 252**0.5 / m.std(axis=0, ddof=1)
    found = overfitting(m - m.mean(axis=0), 8, hurdle=0.03 / 252)
    assert (found.pbo, found.p_loss, found.splits) == (1.0, 1.0, 70)
    assert round(found.slope, 3) == -0.998
    assert round(found.adjusted_r2, 2) == 0.97
    assert overfitting(_r_normal(852, 8_000).reshape(200, 40), 4).pbo == 0.5


def test_overfitting_of_a_real_strategy_and_by_hand() -> None:
    x = np.random.default_rng(1).standard_normal((400, 20)) * 0.01
    x[:, 3] += 0.005
    found = overfitting(x, 8)
    assert (found.pbo, found.p_loss) == (0.0, 0.0)
    # by hand on two blocks: the best of one half, ranked in the other, both ways
    halves = np.array_split(x, 2)
    ratio = np.array([h.mean(axis=0) / h.std(axis=0, ddof=1) for h in halves])
    ranks = [(ratio[1 - i] <= ratio[1 - i][ratio[i].argmax()]).sum() for i in (0, 1)]
    want = [math.log(r / (21 - r)) for r in ranks]
    assert sorted(overfitting(x, 2).logits) == pytest.approx(sorted(want))


@pytest.mark.parametrize("blocks", [4, 6])
def test_overfitting_by_the_definition_split_by_split(blocks: int) -> None:
    x = np.random.default_rng(blocks).standard_normal((101, 6)) * 0.01
    x = np.column_stack([x, x[:, 1]])  # ties take the mean of their ranks
    parts = np.array_split(np.arange(101), blocks)
    want = []
    for chosen in combinations(range(blocks), blocks // 2):
        inside = np.concatenate([parts[i] for i in chosen])
        outside = np.setdiff1d(np.arange(101), inside)
        a, b = ((x[i] - 1e-4).mean(axis=0) / x[i].std(axis=0, ddof=1) for i in (inside, outside))
        best = int(a.argmax())
        rank = float(rankdata(b)[best])
        want.append((math.log(rank / (8.0 - rank)), a[best], b[best]))
    logits, there, elsewhere = np.array(want).T
    found = overfitting(x, blocks, hurdle=1e-4)
    assert np.sort(found.logits) == pytest.approx(np.sort(logits))
    assert found.slope == pytest.approx(np.cov(there, elsewhere)[0, 1] / np.var(there, ddof=1))
    assert found.p_loss == pytest.approx((elsewhere < 0.0).mean())


def test_overfitting_refuses_and_counts() -> None:
    x = np.random.default_rng(1).standard_normal((100, 4))
    x[:50, 1] = 0.0
    assert overfitting(x, 4).left_out == 1
    for blocks in (0, 3, 22):
        with pytest.raises(GexlabError, match="even number of blocks"):
            overfitting(x, blocks)
    with pytest.raises(NotEnoughDataError, match="at least 16"):
        overfitting(x[:10], 8)
    with pytest.raises(NotEnoughDataError, match="0 of 2 trials vary"):
        overfitting(np.zeros((100, 2)), 4)


def test_difference_of_sharpe_ratios() -> None:
    rng = np.random.default_rng(2)
    both = rng.standard_normal((1_500, 1))
    a, b = (0.01 * (both + 0.3 * rng.standard_normal((1_500, 2)))).T
    found = sharpe_difference(a + 0.001, b, HOW)
    want = (a.mean() + 0.001) / a.std(ddof=1) - b.mean() / b.std(ddof=1)
    assert found.difference == pytest.approx(want * math.sqrt(252))
    assert found.automatic
    assert found.p_value < 0.01  # paired: either alone has a standard error of .4
    assert found.low > 0.0
    back = sharpe_difference(b, a + 0.001, HOW)
    assert (back.difference, back.p_value) == pytest.approx((-found.difference, found.p_value))
    # twice the position is the same ratio
    same = sharpe_difference(2.0 * b, b, HOW, block=5.0)
    assert not same.automatic
    assert same.difference == pytest.approx(0.0, abs=1e-12)
    assert math.isnan(same.p_value)
    assert math.isnan(sharpe_difference(np.zeros(1_500), b, HOW).difference)
    with pytest.raises(GexlabError, match="same sessions"):
        sharpe_difference(a, b[1:], HOW)


def test_automatic_block_is_the_longest() -> None:
    rng = np.random.default_rng(5)
    e = rng.standard_normal(1_000)
    slow = pd.Series(e).ewm(alpha=0.2).mean().to_numpy()
    from arch.bootstrap import optimal_block_length

    want = float(optimal_block_length(slow)["stationary"].iloc[0])
    assert automatic_block(np.column_stack([e, slow, np.zeros(1_000)])) == pytest.approx(want)
    assert automatic_block(np.zeros((20, 2))) == 1.0


def test_draws_are_those_of_arch() -> None:
    x = _panel(2, 60, 2)
    source = StationaryBootstrap(5, x, seed=4)
    want = np.array([p[0].mean(axis=0) for p, _ in source.bootstrap(500)]) - x.mean(axis=0)
    want *= math.sqrt(60) / long_run_deviation(x, 5.0)
    assert studentise(x, HOW).draws == pytest.approx(want, abs=1e-5)


def _printed_losses(shared_data: Path) -> Floats:
    """Return the matrix that is printed in the tests of ForecastEval.jl."""
    return np.loadtxt(shared_data / "expected" / "forecast_losses_20x5.csv", delimiter=",")


def test_spa_on_the_printed_matrix(shared_data: Path) -> None:
    x = -_printed_losses(shared_data)
    columns = studentise(x, Resampling(seed=1, replications=4_000, block=1.0))
    found = spa(columns)
    means, t = x.mean(axis=0), columns.statistic
    sums = [
        float(np.where(recentred_shift(columns, how) < 0.0, 0.0, means).sum())
        for how in ("upper", "consistent", "lower")
    ]
    assert [round(s, 7) for s in sums] == [-0.4240238, -0.05398, 0.0687677]
    assert t.argmax() == 2
    # theirs from 1,000 draws, the deviation too: standard errors of .013 and 2.2 %
    assert found.statistic == pytest.approx(0.28274, rel=0.02)
    p = (found.p_lower, found.p_consistent, found.p_upper)
    assert p == pytest.approx((0.783, 0.845, 0.878), abs=0.03)
    assert p == pytest.approx((0.803, 0.850, 0.880), abs=0.02)  # arch on independent draws
    plain = spa(studentise(x, Resampling(seed=1, replications=4_000, block=1.0), scale=False))
    assert 0.855 < plain.p_upper < 0.892  # Reality Check: .868 to .879


def test_confidence_set_on_the_printed_matrix(shared_data: Path) -> None:
    x = -np.abs(_printed_losses(shared_data))
    how = Resampling(seed=1, replications=4_000, block=1.0)
    by_range = confidence_set(x, how)
    by_max = confidence_set(x, how, "max")
    assert np.sort(by_range) == pytest.approx([0.0295, 0.1025, 0.4135, 0.867, 1.0], abs=0.025)
    assert np.sort(by_max) == pytest.approx([0.124, 0.124, 0.203, 0.867, 1.0], abs=0.025)
    # out of the 95 % set: model 5 by the range, none by the maximum
    assert np.flatnonzero(by_range <= 0.05).tolist() == [4]
    assert (by_max > 0.05).all()


def test_the_interval_of_a_difference_is_as_wide_as_its_error() -> None:
    """Jobson and Korkie as Memmel (2003) corrects them, for independent normal returns."""
    a, b = 0.01 * np.random.default_rng(8).standard_normal((2, 1_500)) + 0.0004
    found = sharpe_difference(a, b, HOW, block=1.0)
    one, other = a.mean() / a.std(ddof=1), b.mean() / b.std(ddof=1)
    rho = float(np.corrcoef(a, b)[0, 1])
    variance = 2.0 * (1.0 - rho) + 0.5 * (one**2 + other**2 - 2.0 * one * other * rho**2)
    error = math.sqrt(252.0 * variance / 1_500)
    assert (found.high - found.low) / 3.92 == pytest.approx(error, rel=0.15)
