"""From a configuration to hypotheses.json, users' own hypotheses, and simulated markets."""

from __future__ import annotations

import json
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any

import markets
import numpy as np
import pandas as pd
import pytest

from gexlab.backtest.hypotheses import registry
from gexlab.backtest.hypotheses import test as testing
from gexlab.backtest.hypotheses.datasets import known_before_next_open, load_dataset
from gexlab.backtest.hypotheses.protocol import (
    Card,
    Dataset,
    Hypothesis,
    Outcome,
    Published,
    Settings,
)
from gexlab.backtest.run.load_config import parse_config
from gexlab.data import rebuild
from gexlab.data.base.errors import ConfigError, UnknownNameError
from gexlab.data.calendar.trading import trading_calendar
from gexlab.data.simulate import simulate, simulate_path

KEYS = {
    "name", "estimate", "std_error", "t_stat", "p_value", "n", "expected_sign", "verdict",
    "reason", "data_tier", "published",
}  # fmt: skip


@pytest.fixture
def config(tmp_path: Path) -> dict[str, Any]:
    """Daily bars, intraday bars, GEX and VIX of a market with hedging at the close."""
    dataset = markets.market(700, 3, damping=0.2, close=0.3)
    bars = dataset.bars.reset_index()
    bars["session"] = bars["session"].dt.strftime("%Y-%m-%d")
    bars.to_csv(tmp_path / "bars.csv", index=False)
    for name, series in (("gex", dataset.gex), ("vix", dataset.vix)):
        assert series is not None
        series.rename("value").rename_axis("session").to_frame().to_parquet(
            tmp_path / f"{name}.parquet"
        )
    grid = dataset.intraday
    assert grid is not None
    calendar = trading_calendar()
    opens = calendar.opens[np.searchsorted(calendar.sessions, grid.sessions)]
    starts = opens[:, None] + (np.arange(78) * 5).astype("timedelta64[m]")
    prices = np.exp(grid.log_prices)
    frame = pd.DataFrame(
        {
            "ts": pd.DatetimeIndex(starts.ravel()).tz_localize("UTC"),
            "open": prices[:, :-1].ravel(),
            "high": np.maximum(prices[:, :-1], prices[:, 1:]).ravel(),
            "low": np.minimum(prices[:, :-1], prices[:, 1:]).ravel(),
            "close": prices[:, 1:].ravel(),
        }
    )
    frame.to_parquet(tmp_path / "intraday.parquet")
    return {
        "data": {
            "underlying": "SPX", "bars": str(tmp_path / "bars.csv"),
            "intraday": str(tmp_path / "intraday.parquet"),
        },
        "regime": {
            "source": "series",
            "series": {"path": str(tmp_path / "gex.parquet"), "known": "next_open"},
        },
        "series": {"vix": {"path": str(tmp_path / "vix.parquet"), "known": "close"}},
        "inference": {"bootstrap": 100},
    }  # fmt: skip


def test_a_volatility_series_in_decimals_is_one_in_percent(config: dict[str, Any]) -> None:
    del config["data"]["intraday"]
    whole = load_dataset(parse_config(config))
    path = Path(config["series"]["vix"]["path"])
    frame = pd.read_parquet(path)
    (frame / 100.0).to_parquet(path)
    found = load_dataset(parse_config(config))
    assert whole.vix is not None
    assert found.vix is not None
    np.testing.assert_allclose(found.vix, whole.vix, rtol=1e-12)
    assert (whole.vix_note, found.vix_note[:29]) == ("", "series.vix is read as decimal")


def test_file_of_all_hypotheses(config: dict[str, Any], tmp_path: Path) -> None:
    seen: list[str] = []

    def report(done: int, total: int | None, what: str = "") -> None:
        assert total == len(registry.hypothesis_names())
        if ":" in what:  # a step within a test
            assert done == len(seen)
            return
        assert done == len(seen) + 1
        seen.append(what)

    result = testing.test(
        None,
        parse_config(config),
        out=tmp_path / "out",
        surrogates=150,
        progress=report,
    )
    document = json.loads((tmp_path / "out" / "hypotheses.json").read_text())
    assert [entry["name"] for entry in document] == list(registry.hypothesis_names()) == seen
    assert all(set(entry) >= KEYS for entry in document)
    by_name = {entry["name"]: entry for entry in document}
    split = by_name["momentum-split"]
    assert split["verdict"] == "supported"
    assert split["published"]["how_read"] == "full text"
    assert set(split["published"]) >= {"value", "source", "how_read"}
    assert split["q_value"] <= 0.05
    assert split["p_value"] <= split["p_stepdown"] <= 1.0
    assert split["romano_wolf"] is (split["p_stepdown"] <= 0.05)
    assert split["tables"][0]["columns"][-1] == "published"
    flip = by_name["flip-placebo"]
    assert flip["verdict"].startswith("needs data: chains")
    assert (flip["estimate"], flip["n"], flip["q_value"]) == (None, 0, None)
    assert result.corrected
    assert sum(result.counts.values()) == len(document)
    assert not list((tmp_path / "out").glob("*.part"))


def test_the_file_says_the_same_as_the_dataset(config: dict[str, Any]) -> None:
    loaded, original = load_dataset(parse_config(config)), markets.market(
        700, 3, damping=0.2, close=0.3
    )  # fmt: skip
    assert loaded.intraday is not None
    assert original.intraday is not None
    # early closes end in NaN: the simulated market does not know them
    full = loaded.intraday.full
    assert full.sum() > 690
    np.testing.assert_allclose(
        loaded.intraday.log_prices[full], original.intraday.log_prices[full], atol=1e-12
    )
    pd.testing.assert_series_equal(
        loaded.gex, original.gex, check_names=False, check_freq=False, check_index_type=False
    )
    assert loaded.stale_opens
    assert loaded.table is None


def test_named_hypotheses_are_not_corrected(config: dict[str, Any]) -> None:
    result = testing.test(["momentum-interaction"], parse_config(config))
    (only,) = result.results
    assert not result.corrected
    assert np.isnan(only.q_value)
    assert only.romano_wolf is None
    assert only.power > 0.5
    with pytest.raises(UnknownNameError, match="did you mean 'vol-damping'"):
        testing.test(["vol-dampng"], parse_config(config))
    with pytest.raises(ConfigError, match="no hypothesis named"):
        testing.test([], parse_config(config))


def test_values_published_late_move_to_the_session_that_knows_them() -> None:
    calendar = trading_calendar()
    days = pd.DatetimeIndex(["2024-01-02", "2024-01-03", "2024-01-04"])
    opens = [pd.Timestamp(calendar.open_of(d.date())) for d in days]
    table = pd.DataFrame(
        {"value": [1.0, 2.0], "known_at": [opens[1], opens[1] + pd.Timedelta(minutes=30)]},
        index=days[:2],
    )
    got = known_before_next_open(table, "value", calendar)
    # the first is known at the open after its session; the second only after the open of the
    # session it is dated, so the open of the one after that is the first that knows it
    assert got.to_dict() == {days[0]: 1.0, days[1]: 2.0}
    late = table.assign(known_at=[opens[1] + pd.Timedelta(minutes=1)] * 2)
    assert known_before_next_open(late, "value", calendar).to_dict() == {days[1]: 2.0}


# --- users' own ---------------------------------------------------------------------------------


def test_a_book_that_cannot_be_repriced_says_why(tmp_path: Path) -> None:
    simulate("S1", years=0.2, seed=2, lake=tmp_path, contracts=200)
    rebuild(tmp_path, "SIM")
    bars = pd.read_parquet(tmp_path / "intraday.parquet")
    prices = ["open", "high", "low", "close"]
    bars.assign(**(bars[prices] / 10.0)).to_parquet(tmp_path / "etf.parquet")

    def unchecked(intraday: str) -> str:
        raw = {
            "data": {
                "underlying": "SIM", "instrument": "index", "lake": str(tmp_path),
                "bars": str(tmp_path / "bars.parquet"), "intraday": str(tmp_path / intraday),
            },
            "regime": {"source": "lake"},
        }  # fmt: skip
        dataset = load_dataset(parse_config(raw))
        assert (dataset.frozen is None) == bool(dataset.unchecked)
        return dataset.unchecked

    assert unchecked("intraday.parquet") == ""
    assert "give bars of the underlying itself" in unchecked("etf.parquet")


def _mean_return(dataset: Dataset, settings: Settings) -> Outcome:
    r = np.diff(np.log(dataset.bars["close"].to_numpy()))
    error = float(r.std(ddof=1) / np.sqrt(len(r)))
    t = float(r.mean() / error)
    return Outcome(
        float(r.mean()), error, t, 0.5, len(r), -1.0, 1.0, t > 2.0, f"t {t:.1f}"
    )  # fmt: skip


MINE = Hypothesis(
    Card(
        "drift", "Prices rise.", "me", "own computation", "mean return", "D", "+", "t below 2",
        "mean log return", (Published(0.0003, "a year's worth / 252", "me", "own computation"),),
    ),
    _mean_return,
)  # fmt: skip


def test_a_users_own_hypothesis_runs_by_name(
    config: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    points = {
        "drift": EntryPoint("drift", f"{__name__}:MINE", registry.GROUP),
        "broken": EntryPoint("broken", "no_such_module:THING", registry.GROUP),
        "empty": EntryPoint("empty", "math:pi", registry.GROUP),
    }
    monkeypatch.setattr(registry, "entry_points", lambda group: list(points.values()))
    monkeypatch.setattr(EntryPoint, "load", _load)
    assert registry.hypothesis_names()[-3:] == ("broken", "drift", "empty")
    result = testing.test(["drift"], parse_config(config))
    assert result.results[0].verdict in ("supported", "not supported")
    assert testing.hypotheses_document(result)[0]["published"]["value"] == 0.0003
    with pytest.raises(ConfigError, match="cannot be loaded"):
        registry.hypothesis("broken")
    with pytest.raises(ConfigError, match="gives a float without card"):
        registry.hypothesis("empty")


def _load(point: EntryPoint) -> object:
    """Load as the library does, except that this file is no importable module."""
    if point.name == "drift":
        return MINE
    module = __import__(point.module)
    return getattr(module, point.attr)


# --- simulated markets --------------------------------------------------------------------------


def test_null_market_has_the_famous_table_without_a_dealer() -> None:
    """Quartiles .90 / .87 / .60 / .48 % by 12 other seeds; .07 is the spread between seeds."""
    spread = np.zeros((12, 4))
    for m in range(12):
        market = simulate_path("S0", sessions=3_200, seed=900 + m, minutes=30)
        closes = np.log(market.bars[:, -1, 3])
        gex, following = market.gammas["net_gex"][:-1], 100 * np.diff(closes)
        quartile = np.argsort(np.argsort(gex)) * 4 // len(gex)
        spread[m] = [following[quartile == q].std() for q in range(4)]
    np.testing.assert_allclose(spread.mean(axis=0), [0.90, 0.87, 0.60, 0.48], atol=0.16)
    assert (np.diff(spread.mean(axis=0))[1:] < 0).all()
    change = np.corrcoef(np.diff(closes), np.diff(market.gammas["net_gex"]))[0, 1]
    assert 0.4 < change < 0.85
