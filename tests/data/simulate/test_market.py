"""A simulated lake holds what a vendor would deliver, and a truth that can be recovered."""

from __future__ import annotations

import itertools
import json
import math
import subprocess
import sys
from dataclasses import fields
from datetime import date
from pathlib import Path
from typing import Any, cast

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.dataset as ds
import pyarrow.parquet as pq
import pytest
from reference_book import Settings, quoted_contracts, value_book
from reference_profile import exposure_curve, find_roots, nearest_root

from gexlab.data import GexlabError, open_lake, rebuild, regimes, trading_calendar
from gexlab.data.base.schema import CHAIN_COLUMNS
from gexlab.data.lake.parts import CHAIN_SCHEMA
from gexlab.data.lake.writer import lake_writer
from gexlab.data.simulate import (
    MarketParameters,
    Mechanism,
    SimulationResult,
    simulate,
    simulate_path,
    worlds,
)
from gexlab.data.simulate.market.pricing import smile

START = date(2019, 11, 1)


def make(world: str, folder: Path, **changes: Any) -> SimulationResult:
    arguments: dict[str, Any] = {
        "years": 0.12,
        "seed": 3,
        "contracts": 400,
        "start": START,
    } | changes
    return simulate(world, lake=folder, **arguments)


def chain_of(result: SimulationResult) -> pd.DataFrame:
    files = [str(f) for f in open_lake(result.lake).chain_files(result.underlying)]
    frame: pd.DataFrame = ds.dataset(files).to_table().to_pandas()
    return frame


@pytest.fixture(scope="module")
def market(tmp_path_factory: pytest.TempPathFactory) -> SimulationResult:
    return make("S1", tmp_path_factory.mktemp("s1"))


@pytest.fixture(scope="module")
def chain(market: SimulationResult) -> pd.DataFrame:
    return chain_of(market)


def test_columns_and_order_are_the_lakes(chain: pd.DataFrame) -> None:
    assert list(chain.columns) == list(CHAIN_COLUMNS)
    order = ["session", "quote_ts", "expiry", "settlement", "strike", "right", "root"]
    pd.testing.assert_frame_equal(chain[order], chain[order].sort_values(order, kind="stable"))
    assert not chain.duplicated(["session", "expiry", "settlement", "strike", "right"]).any()


def test_stamps_are_the_exchanges(chain: pd.DataFrame) -> None:
    calendar = trading_calendar()
    for day in sorted(set(chain["session"])):
        rows = chain[chain["session"] == day]
        close = calendar.close_of(day)
        assert (rows["quote_ts"] == close).all()
        assert (rows["known_at"] == close + pd.Timedelta(minutes=30)).all()
        assert (rows["oi_asof"] == calendar.shift(day, -1)).all()
    # Thanksgiving and its Friday: closed, then an early close
    days = set(chain["session"])
    assert date(2019, 11, 28) not in days
    early = chain.loc[chain["session"] == date(2019, 11, 29), "quote_ts"]
    assert early.dt.tz_convert("America/New_York").dt.hour.eq(13).all()


def test_expirations_reach_from_today_to_two_years(chain: pd.DataFrame) -> None:
    left = pd.to_datetime(chain["expiry"]) - pd.to_datetime(chain["session"])
    assert left.min() == pd.Timedelta(0)
    assert left.max() > pd.Timedelta(days=550)
    assert set(chain["settlement"]) == {"AM", "PM"}
    assert (chain["root"].eq("SPX") == chain["settlement"].eq("AM")).all()
    dead = chain["expiry_ts"] <= chain["quote_ts"]
    assert chain.loc[dead, "iv"].isna().all()
    assert chain.loc[~dead, "iv"].between(0.01, 10).all()


def test_quotes_agree_with_parity_and_with_black_scholes(chain: pd.DataFrame) -> None:
    assert (chain["ask"] >= chain["bid"]).all()
    assert (chain["bid"] >= 0).all()
    mids = chain.assign(mid=(chain["bid"] + chain["ask"]) / 2)
    key = ["session", "expiry", "settlement", "strike", "spot"]
    wide = mids[mids["bid"] > 0].pivot(index=key, columns="right", values="mid").dropna()
    strike, spot = (wide.index.get_level_values(n) for n in ("strike", "spot"))
    np.testing.assert_allclose(wide["C"] - wide["P"], spot - strike, atol=1e-9)
    # an independent price: vollib's formula typed in (Black 1976 at zero rates)
    live = mids[(mids["iv"].notna()) & (mids["bid"] > 0)]
    years = (live["expiry_ts"] - live["quote_ts"]).dt.total_seconds() / (365 * 86_400)
    from scipy.stats import norm

    v = live["iv"] * np.sqrt(years)
    d1 = np.log(live["spot"] / live["strike"]) / v + v / 2
    call = live["spot"] * norm.cdf(d1) - live["strike"] * norm.cdf(d1 - v)
    price = call - np.where(live["right"] == "P", live["spot"] - live["strike"], 0.0)
    assert (live["mid"] - price).abs().max() < 0.011  # a cent, the tick
    np.testing.assert_allclose(live["gamma"], norm.pdf(d1) / (live["spot"] * v), rtol=0, atol=1e-8)
    np.testing.assert_allclose(
        live["delta"], norm.cdf(d1) - (live["right"] == "P"), rtol=0, atol=1e-5
    )


def test_open_interest_changes_by_no_more_than_was_traded(chain: pd.DataFrame) -> None:
    # what is published with a session settled after the one before: the session's own volume
    # shows in the next one's
    key = ["expiry", "settlement", "strike", "right"]
    days = sorted(set(chain["session"]))
    changed = 0
    for day, following in itertools.pairwise(days):
        one, two = (chain[chain["session"] == d].set_index(key) for d in (day, following))
        both = one.join(two["open_interest"].rename("next"), how="inner")
        change = (both["next"] - both["open_interest"]).abs()
        assert (change <= both["volume"]).all()
        changed += int((change > 0).sum())
    assert changed > 1_000
    assert (chain["volume"] == np.rint(chain["volume"])).all()


def test_a_gjr_market_quotes_its_own_long_run_volatility() -> None:
    # by hand: 1.2e-6 / (1 - .02 - .08 - .88) = 6e-5 a session
    market = MarketParameters(dynamics="gjr")
    assert market.long_run_volatility == pytest.approx((252 * 6e-5) ** 0.5)
    far = smile(np.zeros(1), np.array([50.0]), 0.5, market)
    assert far[0] == pytest.approx(1.1 * (252 * 6e-5) ** 0.5 + 0.02, abs=1e-6)


def test_bars_belong_to_the_chain(market: SimulationResult, chain: pd.DataFrame) -> None:
    bars = pq.read_table(market.bars).to_pandas().set_index("session")
    spot = chain.groupby("session")["spot"].first()
    pd.testing.assert_series_equal(bars["close"], spot, check_names=False)
    intraday = pq.read_table(market.intraday).to_pandas()
    grouped = intraday.groupby("session")
    pd.testing.assert_series_equal(grouped["high"].max(), bars["high"])
    pd.testing.assert_series_equal(grouped["low"].min(), bars["low"])
    pd.testing.assert_series_equal(grouped["open"].first(), bars["open"])
    assert grouped.size().loc[date(2019, 11, 29)] == 42
    assert grouped.size().loc[date(2019, 11, 27)] == 78
    opens = intraday.groupby("session")["ts"].min()
    assert opens.loc[date(2019, 11, 27)] == trading_calendar().open_of(date(2019, 11, 27))


def test_the_readable_twin_finds_the_same_truth(
    market: SimulationResult, chain: pd.DataFrame
) -> None:
    truth = pq.read_table(market.truth).to_pandas().set_index(["session", "book"])
    for day in sorted(set(chain["session"]))[3::25]:
        rows = chain[chain["session"] == day]
        quoted = quoted_contracts(rows, Settings())
        for name in ("as_of_close", "post_expiry"):
            curve = exposure_curve(value_book(rows, name, Settings(), quoted), "naive")
            spot, true = float(rows["spot"].iloc[0]), truth.loc[(day, name)]
            assert abs(curve.net(0.0) - true["net_gex"]) < 1e-9 * curve.gross(0.0)
            flip = nearest_root(find_roots(curve, spot))
            if flip is None:
                assert np.isnan(true["flip"])
            else:
                assert flip.level == pytest.approx(true["flip"], rel=1e-7)


def rebuilt(result: SimulationResult, dealer: str) -> pd.DataFrame:
    rebuild(result.lake, result.underlying, dealer=dealer)
    found = regimes(result.lake, result.underlying, dealer_model=dealer)
    found = found.assign(session=pd.to_datetime(found["session"]))
    truth = pq.read_table(result.truth).to_pandas()
    truth["session"] = pd.to_datetime(truth["session"])
    joined: pd.DataFrame = truth.merge(found, on=["session", "book"], suffixes=("_true", ""))
    return joined


def test_the_sign_flip_is_recovered_with_the_right_model_in_each_half(tmp_path: Path) -> None:
    result = make("S5", tmp_path)
    half = pd.Timestamp(trading_calendar().sessions[_first(result) + result.sessions // 2])
    for dealer, part in (("naive", slice(None, half)), ("inverted", slice(half, None))):
        joined = rebuilt(result, dealer).set_index("session").sort_index().loc[part]
        inside = joined[joined.index != half]
        error = (inside["net_gex"] - inside["net_gex_true"]).abs() / inside["gross_gex"]
        assert error.max() < 1e-6
    joined = rebuilt(result, "naive")
    agree = np.sign(joined["net_gex"]) == np.sign(joined["net_gex_true"])
    assert 0.4 < agree.mean() < 0.6


def _first(result: SimulationResult) -> int:
    first: int = trading_calendar().position(result.first_session)
    return first


def test_noisy_positions_are_written_and_give_the_truth(tmp_path: Path) -> None:
    result = make("S6", tmp_path)
    assert result.positions is not None
    positions = pq.read_table(result.positions).to_pandas()
    chain = chain_of(result)
    key = ["session", "expiry", "settlement", "strike", "right"]
    joined = chain.merge(positions, on=[*key, "root"], validate="one_to_one")
    assert len(joined) == len(chain)
    live = joined[joined["iv"].notna()]
    years = (live["expiry_ts"] - live["quote_ts"]).dt.total_seconds() / (365 * 86_400)
    v = live["iv"] * np.sqrt(years)
    d1 = np.log(live["spot"] / live["strike"]) / v + v / 2
    gamma = np.exp(-(d1**2) / 2) / (np.sqrt(2 * np.pi) * live["spot"] * v)
    exposure = live["position"] * 100 * gamma * live["spot"] ** 2 * 0.01
    found = exposure.groupby(live["session"]).sum()
    truth = pq.read_table(result.truth).to_pandas()
    true = truth[truth["book"] == "as_of_close"].set_index("session")["net_gex"]
    np.testing.assert_allclose(found, true, rtol=1e-9)


def test_truth_json_says_what_was_simulated(market: SimulationResult) -> None:
    truth = json.loads(market.truth_json.read_text())
    effects = pq.read_table(market.effects).to_pandas()
    assert truth["world"] == "S1"
    assert truth["parameters"]["mechanism"]["damping"] == 1.0
    assert truth["rates"] == {"rate": 0.0, "dividend_yield": 0.0}
    assert truth["dealer_model"] == "naive"
    assert truth["sessions"] == market.sessions == len(effects)
    assert truth["effects"]["kappa_mean"] == pytest.approx(effects["kappa"].mean())
    # the effect is the truth of the previous session: kappa = impact x 100 x net_gex
    true = pq.read_table(market.truth).to_pandas()
    net = true[true["book"] == "post_expiry"]["net_gex"].to_numpy()
    np.testing.assert_allclose(effects["kappa"][1:], 2e-13 * 100 * net[:-1], rtol=1e-12)
    np.testing.assert_allclose(effects["volatility_multiplier"], 1 / (1 + effects["kappa"]))


def test_another_process_writes_the_same_bytes(market: SimulationResult, tmp_path: Path) -> None:
    code = (
        "from datetime import date; from gexlab.data.simulate import simulate; "
        f"simulate('S1', lake={str(tmp_path)!r}, years=0.12, seed=3, contracts=400, "
        "start=date(2019, 11, 1))"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
    names, there = (
        {p.relative_to(x) for p in x.rglob("*.parquet") if "versions" not in p.parts}
        for x in (tmp_path, market.lake)
    )  # rows of versions say when they were written
    assert names == {p for p in there if p.parts[0] in ("chains", "sessions", "sources")} | {
        p for p in there if len(p.parts) == 1
    }
    for name in names:
        assert (tmp_path / name).read_bytes() == (market.lake / name).read_bytes(), name


def test_a_second_run_replaces_the_first(tmp_path: Path) -> None:
    make("S1", tmp_path, years=0.08)
    result = make("S1", tmp_path, years=0.04, seed=9, intraday=None)
    entries = open_lake(tmp_path).sessions("SIM")
    assert len(entries) == result.sessions
    assert {e.sources for e in entries} == {("simulate:S1:visible:9",)}
    assert result.intraday is None
    assert not (tmp_path / "intraday.parquet").exists()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"world": "S99"}, "unknown world 'S99'"),
        ({"calibration": "visibl"}, "did you mean 'visible'"),
        ({"parameters": {"impct": 1}}, "did you mean 'impact'"),
        ({"parameters": {"impact": 1e-11}}, "expected more than -1"),
        ({"parameters": {"impact": 1e-12, "damping": 9.0}}, "expected more than -0.111"),
        ({"world": "S2", "parameters": {"impact": 1e-12}}, "expected between -1 and 1"),
        ({"world": "S2", "parameters": {"lag": 9.0}}, "expected between -0.111"),
        (
            {"world": "S3", "parameters": {"impact": 5e-12, "permanent": 0.0}},
            "impact x dollar gamma",
        ),
        ({"world": "S0", "parameters": {"damping": 1.0}}, "world S0: expected no hedging"),
        ({"world": "S0", "parameters": {"rebalancing": 0.1}}, "world S0: expected no hedging"),
        ({"parameters": {"beta": 0.95}}, "below 1"),
        ({"parameters": {"dynamics": "garch"}}, "unknown dynamics 'garch'"),
        ({"parameters": {"volatility": "high"}}, "expected a number, found 'high'"),
        ({"parameters": {"volatility": 2.0, "drift": 0.01}}, "price on .* can be listed"),
        ({"seed": -1}, "seed: expected a whole number of at least 0, found -1"),
        ({"years": 0.0}, "years: expected more than 0"),
        ({"years": 30.0}, "the calendar must reach its last expiration"),
        ({"intraday": 7}, "divide 30"),
        ({"contracts": 10}, "200 to 40000"),
    ],
)
def test_what_cannot_be_simulated_is_refused_and_leaves_nothing(
    changes: dict[str, Any], message: str, tmp_path: Path
) -> None:
    arguments: dict[str, Any] = {"world": "S1", "years": 1.0} | changes
    with pytest.raises(GexlabError, match=message) as caught:
        make(arguments.pop("world"), tmp_path, **arguments)
    assert "\n" not in str(caught.value)
    assert not list(tmp_path.rglob("*.parquet"))
    assert not (tmp_path / "truth.json").exists()


#: Values that each parameter refuses: below, above, and no number at all.
REFUSED = {
    "spot": (0.5, 1e7),
    "volatility": (0.0, 3.0),
    "drift": (-0.02, 0.02),
    "overnight_share": (-0.1, 1.0),
    "omega": (0.0, 0.1),
    "alpha": (-0.01, 1.1),
    "leverage": (-0.01, 2.1),
    "beta": (-0.01, 1.1),
    "iv_ratio": (0.0, 11.0),
    "iv_premium": (-0.01, 1.1),
    "iv_memory": (-0.1, 1.1),
    "skew": (-1.1, 1.1),
    "smile": (-1.1, 1.1),
    "contracts_traded": (0.0, math.inf),
    "call_share": (0.0, 1.0),
    "demand_swing": (-0.1, 11.0),
    "demand_memory": (-0.1, 1.0),
    "decay": (-0.1, 1.1),
    "impact": (-1e-13, math.inf),
    "damping": (-0.1, math.inf),
    "lag": (-0.1, math.inf),
    "close_share": (-0.1, 1.1),
    "rebalancing": (-0.1, 1.0),
    "permanent": (-0.1, 1.1),
    "pin": (-0.1, 1e4),
    "reversed_from": (-0.1, 1.1),
    "reliability": (-0.1, 1.1),
    "noise_sd": (-0.1, math.inf),
    "agents": (-1.0, 1e6),
    "immediacy": (-0.1, 1.1),
    "transient": (-0.1, 1.1),
    "echo": (-0.1, 3.1),
}


def test_every_parameter_refuses_what_is_outside_its_range() -> None:
    kinds = {f.name: kind for kind in (MarketParameters, Mechanism) for f in fields(kind)}
    assert set(REFUSED) == set(kinds) - {"dynamics"}
    for name, (low, high) in REFUSED.items():
        for bad in (low, high, math.nan, True, "x"):
            with pytest.raises(GexlabError, match=f"parameter {name}: expected a number"):
                kinds[name](**{name: cast("Any", bad)})


def test_chains_from_elsewhere_are_not_replaced(tmp_path: Path) -> None:
    result = make("S1", tmp_path, years=0.03)
    rows = chain_of(result).assign(source="vendor.csv")
    first = result.first_session
    with lake_writer(open_lake(tmp_path), "SIM") as writer:
        writer.drop([first])
        writer.add(
            pa.Table.from_pandas(rows[rows["session"] == first], preserve_index=False).cast(
                CHAIN_SCHEMA
            )
        )
        writer.commit()
    before = {e.session: e.fingerprint for e in open_lake(tmp_path).sessions("SIM")}
    with pytest.raises(GexlabError, match=r"found those of vendor\.csv"):
        make("S1", tmp_path, years=0.03, seed=4)
    assert {e.session: e.fingerprint for e in open_lake(tmp_path).sessions("SIM")} == before


@pytest.mark.parametrize("world", ["S1", "S3", "S4"])
def test_every_world_with_gamma_refuses_kappa_of_minus_one(world: str) -> None:
    with pytest.raises(GexlabError, match="expected more than -1"):
        simulate_path(world, sessions=10, seed=1, kappa=-1.0)


def test_paths_refuse_what_cannot_clear() -> None:
    # Moves grow from session to session, at 50 so fast that one of them leaps over all the cells
    # of the book: `make bounds` sees where its options would be written.
    for kappa in (2.5, 50.0):
        changes = {"permanent": 0.0, "close_share": 1.0}
        with pytest.raises(GexlabError, match="within a factor of 8,000"):
            simulate_path("S3", sessions=90, seed=1, kappa=kappa, parameters=changes)
    with pytest.raises(GexlabError, match=r"more than -0\.5"):
        simulate_path("S1", sessions=10, seed=1, kappa=-0.6, parameters={"damping": 2.0})
    with pytest.raises(GexlabError, match="within a factor of 8,000"):
        simulate_path("S1", sessions=2_000, seed=1, parameters={"drift": 0.01, "impact": 0.0})
    for bad in (math.nan, [0.1] * 9):
        with pytest.raises(GexlabError, match="kappa: expected one finite number or 10"):
            simulate_path("S1", sessions=10, seed=1, kappa=bad)
    with pytest.raises(GexlabError, match="seed: expected"):
        simulate_path("S1", sessions=10, seed=-1)


def test_lagged_hedging_refuses_kappa_of_one() -> None:
    with pytest.raises(GexlabError, match="overshoots"):
        simulate_path("S2", sessions=10, seed=1, kappa=1.0)


def test_every_world_says_what_it_is() -> None:
    found = worlds()
    assert [n for n in found if len(n) == 2] == [f"S{k}" for k in range(10)]
    for name, world in found.items():
        assert world.name == name
        for calibration in ("visible", "realistic"):
            market, mechanism = world.calibration(calibration)
            assert all(hasattr(market, p) or hasattr(mechanism, p) for p in world.parameters)
            assert all(np.isfinite(list(world.effects(mechanism).values())))
