"""Every hypothesis uses a value only from the moment at which it was public.

Two properties over all sixteen: an input that is published k sessions later gives the same result
as that input shifted by hand, and a market that ends at a session gives what the whole one,
cut by hand, gives.
"""

from __future__ import annotations

from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from small_markets import write_lake

from gexlab.backtest.hypotheses.datasets import dataset_of
from gexlab.backtest.hypotheses.protocol import Dataset, Settings
from gexlab.backtest.hypotheses.registry import BUILT_IN, hypothesis
from gexlab.backtest.hypotheses.run import run_one
from gexlab.backtest.run.config import Config
from gexlab.backtest.run.load_config import parse_config
from gexlab.backtest.run.load_market import load_market
from gexlab.backtest.run.market import Market, cut_market
from gexlab.backtest.statistics.resampling import Resampling
from gexlab.data.calendar.trading import trading_calendar

#: What needs chains; the rest runs on a longer market of bars and series.
WITH_CHAINS = ("sign-audit", "flip-placebo", "pin-distance", "screenshot-vs-dynamic")
LONG = tuple(name for name in BUILT_IN if name not in WITH_CHAINS)
SETTINGS = Settings(resampling=Resampling(seed=3, replications=99, block=10.0))
SERIES = ("vix", "other_gex", "letf")


def _config(folder: Path, source: str) -> Config:
    regime: dict[str, Any] = {"source": source}
    data = {"underlying": "MKT", "instrument": "index", "bars": "bars.parquet"}
    if source == "series":
        regime["series"] = {"path": "gex.parquet", "known": "next_open"}
    else:
        data["lake"] = "lake"
    series = {name: {"path": f"{name}.parquet", "known": "close"} for name in SERIES}
    return parse_config(
        {
            "data": {**data, "intraday": "minutes.parquet"},
            "regime": regime,
            "series": series,
            "inference": {"bootstrap": 100},
        },
        folder,
    )


def _write_series(folder: Path, sessions: pd.DatetimeIndex, names: tuple[str, ...]) -> None:
    rng = np.random.default_rng(11)
    for name in names:
        walk = np.zeros(len(sessions))
        for t, shock in enumerate(rng.normal(size=len(walk))):
            walk[t] = 0.9 * walk[t - 1] + shock
        value = 15.0 + np.abs(walk) if name == "vix" else walk
        frame = pd.DataFrame({"session": sessions, "value": value})
        frame.to_parquet(folder / f"{name}.parquet", index=False)


def _write_bars(folder: Path, first: str, sessions: int, minutes: int) -> pd.DatetimeIndex:
    """Write daily and intraday bars of one random path; return the sessions."""
    rng = np.random.default_rng(5)
    calendar = trading_calendar("XNYS")
    start = calendar.position(pd.Timestamp(first).date())
    days = calendar.sessions[start : start + sessions]
    sigma = 0.01 * np.exp(0.3 * np.sin(np.arange(len(days)) / 40.0))
    rows, daily, level = [], [], np.log(100.0)
    for day, opened, closed, s in zip(
        days, calendar.opens[start:], calendar.closes[start:], sigma, strict=False
    ):
        steps = int((closed - opened) / np.timedelta64(minutes, "m"))
        begun = level + 0.2 * s * rng.standard_normal()
        path = begun + np.cumsum(s / np.sqrt(steps) * rng.standard_t(5, steps))
        before = np.concatenate([[begun], path[:-1]])
        high, low = np.maximum(before, path), np.minimum(before, path)
        bar = np.exp(np.column_stack([before, high, low, path]))
        stamps = opened + np.arange(steps) * np.timedelta64(minutes, "m")
        rows.append(pd.DataFrame(bar, columns=["open", "high", "low", "close"], index=stamps))
        daily.append((day, bar[0, 0], bar[:, 1].max(), bar[:, 2].min(), bar[-1, 3]))
        level = path[-1]
    intraday = pd.concat(rows)
    intraday.insert(0, "timestamp", pd.DatetimeIndex(intraday.index, tz="UTC"))
    intraday.to_parquet(folder / "minutes.parquet", index=False)
    bars = pd.DataFrame(daily, columns=["session", "open", "high", "low", "close"])
    bars["session"] = bars["session"].astype("datetime64[ns]")
    bars.to_parquet(folder / "bars.parquet", index=False)
    return pd.DatetimeIndex(bars["session"])


@pytest.fixture(scope="module")
def chains(tmp_path_factory: pytest.TempPathFactory) -> tuple[Config, Market]:
    """A small market with chains and half-hourly bars."""
    folder = tmp_path_factory.mktemp("chains")
    write_lake(folder, "XNYS", sessions=100)
    sessions = _write_bars(folder, "2025-01-02", 100, 30)
    _write_series(folder, sessions, SERIES)
    config = _config(folder, "lake")
    return config, load_market(config)


@pytest.fixture(scope="module")
def long(tmp_path_factory: pytest.TempPathFactory) -> tuple[Config, Market]:
    """A market of bars, ten-minute bars and series, over all eras that a hypothesis asks for."""
    folder = tmp_path_factory.mktemp("long")
    sessions = _write_bars(folder, "2020-03-02", 760, 10)
    _write_series(folder, sessions, (*SERIES, "gex"))
    config = _config(folder, "series")
    return config, load_market(config)


def _later(known_at: pd.Series[Any], market: Market, k: int) -> pd.Series[Any]:
    """Return moments of publication k sessions later, at the same place between two opens."""
    opens = market.calendar.opens
    stamps = pd.DatetimeIndex(known_at).tz_convert("UTC").tz_localize(None).as_unit("ns").to_numpy()
    at = np.searchsorted(opens, stamps, side="left")
    moved = opens[at + k] - np.minimum(opens[at] - stamps, np.timedelta64(12, "h"))
    return pd.Series(pd.DatetimeIndex(moved, tz="UTC"), index=known_at.index)


def _delayed(market: Market, k: int) -> Market:
    """Return a market whose regime rows and series are published k sessions later."""
    regime = market.regime
    table = regime.table.assign(known_at=_later(regime.table["known_at"], market, k))
    rebuilt = regime.rebuilt
    if rebuilt is not None:
        rows = rebuilt.table("regimes", "post_expiry")
        late = rows.assign(known_at=_later(rows["known_at"], market, k))
        rebuilt = replace(rebuilt, _read={("regimes", "post_expiry"): late})
    series = {
        name: s.assign(known_at=_later(s["known_at"], market, k))
        for name, s in market.series.items()
    }
    return replace(market, regime=replace(regime, table=table, rebuilt=rebuilt), series=series)


def _by_hand(dataset: Dataset, k: int, market: Market) -> Dataset:
    """Return a dataset whose inputs are moved k sessions on, whatever they are stamped with."""
    index = pd.DatetimeIndex(
        market.calendar.sessions[market.calendar.sessions >= np.datetime64("2019-01-01")].astype(
            "datetime64[ns]"
        ),
        name="session",
    )

    def moved(table: Any) -> Any:
        if table is None:
            return None
        there = pd.DatetimeIndex(table.index)
        on = index[index.get_indexer(there) + k]
        out = table.set_axis(on, axis=0)
        return out.reindex(dataset.bars.index)

    unknown = None if dataset.frozen is None else np.full_like(dataset.frozen, np.nan)
    return replace(
        dataset,
        gex=moved(dataset.gex),
        regime=moved(dataset.regime),
        history=moved(dataset.history),
        vix=moved(dataset.vix),
        table=moved(dataset.table),
        legs=moved(dataset.legs),
        other_gex=moved(dataset.other_gex),
        letf=moved(dataset.letf),
        # no chain is public in the morning: there is no book to freeze or to reprice
        frozen=unknown,
        dynamic=unknown,
    )


def _cut_by_hand(dataset: Dataset, last: pd.Timestamp, like: Dataset) -> Dataset:
    """Return a dataset without what lies after a session; the grid and the strikes are `like`'s."""

    def until(table: Any) -> Any:
        return None if table is None else table[table.index <= last]

    grid = like.intraday
    rows = None if grid is None else len(grid.sessions)
    return replace(
        dataset,
        bars=until(dataset.bars),
        gex=until(dataset.gex),
        regime=until(dataset.regime),
        history=until(dataset.history),
        vix=until(dataset.vix),
        table=until(dataset.table),
        legs=until(dataset.legs),
        other_gex=until(dataset.other_gex),
        letf=until(dataset.letf),
        intraday=grid,
        frozen=None if dataset.frozen is None else dataset.frozen[:rows],
        dynamic=None if dataset.dynamic is None else dataset.dynamic[:rows],
        strike_step=like.strike_step,
    )


def _ends_with(market: Market, last: pd.Timestamp) -> Market:
    cut = cut_market(market, last)
    assert market.intraday is not None
    frame = market.intraday.frame
    minutes = frame[frame["session"] <= last].reset_index(drop=True)
    return replace(cut, intraday=replace(market.intraday, frame=minutes))


def _found(name: str, dataset: Dataset) -> dict[str, Any]:
    result = run_one(hypothesis(name), dataset, SETTINGS)
    numbers = {} if result.outcome is None else asdict(result.outcome)
    return {"verdict": result.verdict, **{k: v for k, v in numbers.items() if k != "scores"}}


def _assert_same(one: dict[str, Any], other: dict[str, Any]) -> None:
    assert one["verdict"] == other["verdict"]
    for key in ("estimate", "std_error", "t_stat", "p_value", "n", "low", "high"):
        if key in one or key in other:
            assert one[key] == pytest.approx(other[key], rel=1e-9, nan_ok=True), key


def _assert_delay(name: str, made: tuple[Config, Market], k: int) -> None:
    config, market = made
    recheck = name == "screenshot-vs-dynamic"
    as_it_was = dataset_of(config, market, recheck=recheck)
    delayed = dataset_of(config, _delayed(market, k), recheck=False)
    if recheck:
        unknown = np.full_like(as_it_was.frozen, np.nan)
        delayed = replace(delayed, frozen=unknown, dynamic=unknown)
    by_hand = _by_hand(as_it_was, k, market)
    _assert_same(_found(name, delayed), _found(name, by_hand))


@pytest.mark.parametrize("name", ["sign-audit", "flip-placebo", "pin-distance"])
def test_chain_rows_published_later_act_later(name: str, chains: tuple[Config, Market]) -> None:
    _assert_delay(name, chains, 9)
    if name == "sign-audit":
        config, market = chains
        before = dataset_of(config, market, recheck=False)
        after = dataset_of(config, _delayed(market, 9), recheck=False)
        assert _found(name, before)["t_stat"] != _found(name, after)["t_stat"]


@pytest.mark.parametrize("name", ["vol-damping", "letf-rebalance"])
def test_series_published_later_act_later(name: str, long: tuple[Config, Market]) -> None:
    _assert_delay(name, long, 3)


@pytest.mark.slow
@pytest.mark.parametrize("k", [1, 2, 9])
@pytest.mark.parametrize("name", list(BUILT_IN))
def test_any_delay_over_all_sixteen(name: str, k: int, request: pytest.FixtureRequest) -> None:
    _assert_delay(name, request.getfixturevalue("chains" if name in WITH_CHAINS else "long"), k)


def _assert_truncation(name: str, made: tuple[Config, Market], share: float) -> None:
    config, market = made
    recheck = name == "screenshot-vs-dynamic"
    last = market.sessions[int(share * len(market.sessions))]
    part = dataset_of(config, _ends_with(market, last), recheck=recheck)
    whole = dataset_of(config, market, recheck=recheck)
    _assert_same(_found(name, part), _found(name, _cut_by_hand(whole, last, part)))


@pytest.mark.parametrize("name", ["flip-placebo"])
def test_what_comes_later_changes_nothing_before(name: str, chains: tuple[Config, Market]) -> None:
    _assert_truncation(name, chains, 0.8)


@pytest.mark.slow
@pytest.mark.parametrize("share", [0.75, 0.9])
@pytest.mark.parametrize("name", list(BUILT_IN))
def test_truncation_over_all_sixteen(
    name: str, share: float, request: pytest.FixtureRequest
) -> None:
    made = request.getfixturevalue("chains" if name in WITH_CHAINS else "long")
    _assert_truncation(name, made, share)


def test_a_chain_that_is_published_late_is_no_morning_book(
    chains: tuple[Config, Market],
) -> None:
    """The re-checked book is unknown until its chain is public, bar by bar."""
    from gexlab.backtest.hypotheses.datasets import _place
    from gexlab.backtest.statistics.intraday import intraday_grid

    _, market = chains
    assert market.intraday is not None
    grid = intraday_grid(market.intraday.frame, market.calendar, 30)
    day = grid.sessions[3]
    opened = market.calendar.opens[np.searchsorted(market.calendar.sessions, day)]
    ends = pd.DatetimeIndex(opened + np.arange(1, 4) * np.timedelta64(30, "m"), tz="UTC")
    found = pd.DataFrame(
        {
            "session": np.full(3, day.astype("datetime64[ns]")), "close_ts": ends,
            "known_at": ends.where(ends >= ends[1], ends[1]), "morning_net_to_gross": 0.5,
            "net_to_gross": [0.1, 0.2, 0.3],
        }
    )  # fmt: skip
    frozen, dynamic = _place(found, market.calendar, grid)
    assert np.isnan(frozen[3, 1])
    assert dynamic[3, 2:4].tolist() == [0.2, 0.3]
    assert np.isfinite(dynamic).sum() == 2


def test_the_main_strategy_is_refused_a_regime_that_is_late(long: tuple[Config, Market]) -> None:
    config, market = long
    late = dataset_of(config, _delayed(market, 2), traded=True)
    verdict = _found("fade-follow", late)["verdict"]
    assert verdict.startswith("needs data: a regime that is public in time: strategy 'fade-long-")
    assert "760 of 760 sessions tested" in verdict
