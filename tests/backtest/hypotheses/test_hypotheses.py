"""Each hypothesis finds the effect that it is made for, and none where there is none."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import markets
import numpy as np
import pandas as pd
import pytest

from gexlab.backtest.hypotheses.features import daily
from gexlab.backtest.hypotheses.null_routes import against_nulls
from gexlab.backtest.hypotheses.pin_distance import fit_attraction, is_monthly
from gexlab.backtest.hypotheses.protocol import Dataset, Outcome, Settings
from gexlab.backtest.hypotheses.registry import BUILT_IN, hypothesis
from gexlab.backtest.hypotheses.run import HypothesisResult, run_hypotheses, run_one
from gexlab.backtest.statistics.diagnostics.regression import Fit
from gexlab.backtest.statistics.resampling import Resampling

QUICK = Settings(resampling=Resampling(replications=199), surrogates=60, costs_bps=0.0)


def _run(name: str, dataset: Dataset) -> HypothesisResult:
    return run_one(hypothesis(name), dataset, QUICK)


def _outcome(name: str, dataset: Dataset) -> Outcome:
    result = _run(name, dataset)
    assert result.outcome is not None, result.verdict
    return result.outcome


@pytest.mark.parametrize(
    ("name", "effect"),
    [
        ("vol-damping", {"damping": 0.3}),
        ("momentum-split", {"close": 0.3}),
        ("momentum-interaction", {"close": 0.3}),
        ("close-reversal", {"give_back": 0.6}),
        ("autocorr-regime", {"lag": 0.2}),
        ("letf-rebalance", {"letf": 0.3}),
    ],
)
def test_effects_are_found_with_the_right_sign(name: str, effect: dict[str, Any]) -> None:
    with_effect = _run(name, markets.market(900, 3, **effect))
    assert with_effect.verdict == "supported", with_effect.reason
    outcome = with_effect.outcome
    assert outcome is not None
    assert (outcome.estimate > 0) == (with_effect.card.expected_sign == "+")
    assert outcome.low < outcome.estimate < outcome.high
    assert not outcome.low <= 0.0 <= outcome.high
    without = _run(name, markets.market(900, 3))
    assert without.verdict == "not supported", without.reason


def test_slopes_are_those_of_the_market() -> None:
    # r_LH = -0.3 z r_ROD, so the slope changes by -30 (x 100) per standard deviation of z
    dataset = markets.market(900, 5, close=0.3)
    outcome = _outcome("momentum-interaction", dataset)
    assert outcome.estimate == pytest.approx(-30.0 * dataset.gex.std(), abs=3.0)
    assert outcome.std_error < 2.0


def test_funds_do_not_count_as_gamma() -> None:
    funds = markets.market(900, 7, letf=0.3)
    assert _run("momentum-split", funds).verdict == "not supported"
    assert _run("momentum-interaction", funds).verdict == "not supported"


def test_placebo_levels_and_a_flip_that_means_something() -> None:
    dataset = markets.market(900, 11, damping=0.3)
    close = dataset.bars["close"]
    real = close * np.exp(-0.01 * np.sign(dataset.gex.to_numpy()))
    noise = pd.Series(
        np.random.default_rng(0).permutation(real.to_numpy() / close.to_numpy()) * close.to_numpy(),
        index=close.index,
    )
    found = _run("flip-placebo", replace(dataset, table=pd.DataFrame({"flip": real})))
    assert found.verdict == "supported", found.reason
    empty = _run("flip-placebo", replace(dataset, table=pd.DataFrame({"flip": noise})))
    assert empty.verdict == "not supported"


def test_free_signs() -> None:
    dataset = markets.market(900, 13, damping=0.3)
    rng = np.random.default_rng(2)
    level = 3.0 + np.abs(rng.standard_normal(900))
    call = pd.Series(level + dataset.gex.to_numpy() / 2, index=dataset.gex.index)
    put = pd.Series(level - dataset.gex.to_numpy() / 2, index=dataset.gex.index)
    legs = pd.DataFrame({"call": call, "put": put})
    assert _run("sign-audit", replace(dataset, legs=legs)).verdict == "supported"
    turned = legs.rename(columns={"call": "put", "put": "call"})
    assert _run("sign-audit", replace(dataset, legs=turned)).verdict == "not supported"


def test_same_day_expirations() -> None:
    dataset = markets.market(1_000, 17, start="2020-05-01")
    grid = dataset.intraday
    assert grid is not None
    weekday = pd.DatetimeIndex(grid.sessions.astype("datetime64[ns]")).day_of_week
    treated = np.isin(weekday, (1, 3)) & (grid.sessions >= np.datetime64("2022-05-11"))
    start = grid.log_prices[:, :1]
    calm = np.where(treated[:, None], start + 0.6 * (grid.log_prices - start), grid.log_prices)
    found = _run("expiry-did", replace(dataset, intraday=replace(grid, log_prices=calm)))
    assert found.verdict == "supported", found.reason
    assert _run("expiry-did", dataset).verdict == "not supported"


def test_closes_that_gather_at_strikes() -> None:
    dataset = markets.market(1_500, 19, start="2015-01-05")
    rng = np.random.default_rng(4)
    bars = dataset.bars.copy()
    expiry = is_monthly(bars.index.to_numpy())
    assert int(expiry.sum()) in (71, 72)
    pinned = np.rint(bars["close"] / 25.0) * 25.0 + rng.uniform(-4.0, 4.0, len(bars))
    bars["close"] = np.where(expiry, pinned, bars["close"])
    table = pd.DataFrame({"flip": np.nan}, index=bars.index)
    pins = replace(dataset, bars=bars, table=table, strike_step=25.0)
    assert _run("pin-distance", pins).verdict == "supported"
    free = replace(dataset, table=table, strike_step=25.0)
    assert _run("pin-distance", free).verdict == "not supported"


def test_sudden_losses() -> None:
    dataset = markets.market(2_500, 23, start="2012-01-03")
    below = np.concatenate([[False], (dataset.gex.to_numpy() < -0.5)[:-1]])
    shock = np.where(below & (np.random.default_rng(1).random(2_500) < 0.12), -0.03, 0.0)
    bars = dataset.bars.mul(np.exp(shock.cumsum()), axis=0)
    found = _run("fragility-tail", replace(dataset, bars=bars))
    assert found.verdict == "supported", found.reason
    assert _run("fragility-tail", dataset).verdict == "not supported"


def test_eras() -> None:
    dataset = markets.market(2_600, 29, start="2016-06-01", damping=0.1)
    assert _run("era-split", dataset).verdict == "supported"
    late = dataset.gex.index >= "2021-11-01"
    mixed = np.random.default_rng(0).permutation(dataset.gex.to_numpy())
    turned = pd.Series(np.where(late, mixed, dataset.gex.to_numpy()), index=dataset.gex.index)
    assert _run("era-split", replace(dataset, gex=turned)).verdict == "not supported"


def test_vendors() -> None:
    dataset = markets.market(600, 31)
    rng = np.random.default_rng(3)
    near = dataset.gex + 0.05 * rng.standard_normal(600)
    far = pd.Series(rng.standard_normal(600), index=dataset.gex.index)
    assert _run("vendor-parity", replace(dataset, other_gex=near)).verdict == "supported"
    outcome = _outcome("vendor-parity", replace(dataset, other_gex=far))
    assert not outcome.supported
    assert outcome.low < 0.0 < outcome.high


def test_rechecked_regime_against_the_frozen_one() -> None:
    dataset = markets.market(300, 37)
    grid = dataset.intraday
    assert grid is not None
    rng = np.random.default_rng(5)
    frozen = np.repeat(rng.standard_normal((300, 1)), 79, axis=1)
    change = np.repeat(rng.standard_normal((300, 14)), 6, axis=1)[:, :79]
    dynamic = frozen + change
    step = np.diff(grid.log_prices, axis=1) * np.exp(-0.3 * dynamic[:, :-1])
    prices = np.concatenate(
        [grid.log_prices[:, :1], grid.log_prices[:, :1] + step.cumsum(axis=1)], axis=1
    )
    live = replace(
        dataset, intraday=replace(grid, log_prices=prices), frozen=frozen, dynamic=dynamic
    )
    found = _run("screenshot-vs-dynamic", live)
    assert found.verdict == "supported", found.reason
    swapped = replace(live, frozen=dynamic, dynamic=frozen)
    assert _run("screenshot-vs-dynamic", swapped).verdict == "not supported"
    without = replace(live, frozen=None, dynamic=None, unchecked="the curve has changed")
    assert _run("screenshot-vs-dynamic", without).verdict.endswith(
        "a re-checked regime: the curve has changed"
    )


def test_fade_follow_pays_only_where_it_should() -> None:
    rng = np.random.default_rng(41)
    n = 2_000
    gex = pd.Series(np.sign(markets.market(n, 41, start="2012-01-03").gex.to_numpy()))
    r = np.zeros(n)
    for t in range(2, n):  # a decision at t - 2 is filled at t - 1 and earns the return into t
        pull = -0.5 if gex.iloc[t - 2] > 0 else 0.5
        r[t] = pull * r[t - 2] + 0.01 * rng.standard_normal()
    index = markets.market(n, 41, start="2012-01-03").bars.index
    close = 100.0 * np.exp(np.cumsum(r))
    bars = pd.DataFrame(dict.fromkeys(("open", "high", "low", "close"), close), index=index)
    dataset = Dataset(bars=bars, gex=gex.set_axis(index), stale_opens=True)
    found = _run("fade-follow", dataset)
    assert found.verdict == "supported", found.reason
    inverse = _run("fade-follow", replace(dataset, gex=-dataset.gex))
    assert inverse.verdict == "not supported"


def test_missing_data_are_named() -> None:
    bare = replace(markets.market(400, 2), vix=None, intraday=None, letf=None)
    results = {r.card.name: r for r in run_hypotheses(tuple(BUILT_IN), bare, QUICK)}
    assert results["fade-follow"].outcome is not None
    for name, missing in {
        "vol-damping": "series.vix",
        "momentum-split": "data.intraday",
        "flip-placebo": "regime.source = lake",
        "letf-rebalance": "series.letf",
        "vendor-parity": "series.other_gex",
        "screenshot-vs-dynamic": "data.intraday",
    }.items():
        verdict = results[name].verdict
        assert verdict.startswith("needs data: "), name
        assert missing in verdict
    few = _run("momentum-split", markets.market(15, 2))
    assert few.verdict.startswith("needs data: at least 10 full sessions")


def test_bars_that_do_not_end_half_an_hour_before_the_close() -> None:
    dataset = markets.market(60, 2)
    assert dataset.intraday is not None
    odd = replace(dataset.intraday, minutes=20)
    found = _run("momentum-split", replace(dataset, intraday=odd))
    assert found.verdict == "needs data: intraday bars that divide 30 minutes, not 20"


def test_results_do_not_change_when_later_rows_do() -> None:
    """No look-ahead: what a row explains comes after what explains it."""
    from gexlab.backtest.hypotheses.features import daily, momentum

    whole = markets.market(500, 43)
    cut = 400
    assert whole.intraday is not None
    early = replace(
        whole,
        bars=whole.bars.iloc[:cut],
        gex=whole.gex.iloc[:cut],
        intraday=replace(
            whole.intraday,
            sessions=whole.intraday.sessions[:cut],
            log_prices=whole.intraday.log_prices[:cut],
        ),
    )
    one, other = daily(whole), daily(early)
    for field in ("ret", "log_vol", "gex"):
        np.testing.assert_array_equal(getattr(one, field)[:cut], getattr(other, field))
    np.testing.assert_array_equal(one.har[:cut], other.har)
    np.testing.assert_array_equal(one.next_ret[: cut - 1], other.next_ret[:-1])
    a, b = momentum(whole), momentum(early)
    np.testing.assert_array_equal(a.rest[: len(b.rest)], b.rest)
    np.testing.assert_array_equal(a.gex[: len(b.gex)], b.gex)


def test_every_card_is_complete() -> None:
    for name, module in BUILT_IN.items():
        card = hypothesis(name).card
        assert card.name == name, module
        for field in ("claim", "source", "how_read", "specification", "tier", "kill", "estimate"):
            assert getattr(card, field), (name, field)
        assert card.expected_sign in "+-0"
        for published in card.published:
            assert published.how_read != "not published"


def _attraction(dataset: Dataset) -> Fit:
    fit = fit_attraction(dataset, daily(dataset))
    assert fit is not None
    return fit


def test_calm_alone_attracts_no_price() -> None:
    """Gamma at the pin that is high in calm: sessions end near it, and near its mirror image."""
    rng = np.random.default_rng(8)
    dataset = markets.market(2_000, 8, start="2015-01-05")
    calm = rng.standard_normal(2_000)
    spread = 0.01 * np.exp(-0.7 * np.concatenate([[0.0], calm[:-1]]))
    close = 4_000.0 * np.exp((spread * rng.standard_normal(2_000)).cumsum())
    pin = close * np.exp(rng.uniform(0.003, 0.015, 2_000) * rng.choice((-1.0, 1.0), 2_000))
    moved = close.copy()
    moved[1:] += 0.2 * np.exp(0.5 * calm[:-1]) * (pin - close)[:-1]
    found = {}
    for name, price in (("free", close), ("pulled", moved)):
        bars = dataset.bars.assign(close=price)
        table = pd.DataFrame({"pin_strike": pin, "pin_gamma": np.exp(0.5 * calm)}, bars.index)
        fit = _attraction(replace(dataset, bars=bars, table=table))
        found[name] = fit.coefficient("gamma").t_stat
    assert abs(found["free"]) < 2.0
    assert found["pulled"] > 4.0


def test_half_of_what_is_nearer_to_the_strike_than_to_its_image() -> None:
    """Closes of 100 and strikes 2 above or below, by hand: a move counts up to the strike."""
    closes = np.tile([100.0, 101.0, 100.0, 103.0, 100.0, 99.0], 10)
    pins = np.tile([102.0, 99.0, 102.0, 105.0, 98.0, 101.0], 10)
    index = pd.bdate_range("2020-01-06", periods=60)
    bars = pd.DataFrame(dict.fromkeys(("open", "high", "low", "close"), closes), index=index)
    gamma = np.tile([0.1, 0.2, 0.3, 0.4, 0.5, 0.6], 10)
    table = pd.DataFrame({"pin_strike": pins, "pin_gamma": gamma}, index=index)
    fit = _attraction(Dataset(bars, pd.Series(1.0, index=index), table=table))
    # towards: 1 of 100; 1 of 101; 3, cut at 2, of 100; 3 away, cut at 2, of 103; 1 of 100; 1 of 99
    y = np.tile([1 / 100, 1 / 101, 2 / 100, -2 / 103, 1 / 100, 1 / 99], 10)[:59]
    start = (np.abs(closes - pins) / closes)[:59]
    side = np.sign(pins - closes)[:59]
    x = np.column_stack([np.ones(59), gamma[:59], start, side, side * start])
    wanted = np.linalg.lstsq(x, y, rcond=None)[0]
    assert fit.coefficient("gamma").value == pytest.approx(wanted[1], rel=1e-7)


def test_eras_alike_without_any_dealer_are_not_supported() -> None:
    """Gamma follows past returns and volatility follows losses, in each era: books show as much."""
    dataset = replace(markets.market(1_500, 29, start="2018-12-03"), intraday=None)
    how = Settings(surrogates=20)
    low = against_nulls("era-split", -1e9, dataset, how, upper=False)
    middle = against_nulls("era-split", low.place.quantiles[2], dataset, how, upper=False)
    assert low.p == pytest.approx(1.0 / (1.0 + low.place.effective))
    assert 0.3 < middle.p < 0.75
    found = _outcome("era-split", dataset)
    assert found.evidence is not None
    assert found.p_value >= found.evidence.p


@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_the_index_itself_as_gamma_is_its_own_control(sign: float) -> None:
    dataset = markets.market(700, 5)
    assert dataset.vix is not None
    found = _run("beyond-leverage", replace(dataset, gex=sign * dataset.vix, intraday=None))
    assert found.verdict.startswith("needs data: GEX that is not its own control")
