"""Nothing looks ahead: cut the input off after a session and all that came before stays.

The property is tested on the files' level (a market, cut, is read and run anew) and on the level
of loaded inputs, over random markets, strategies and cut points.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from property_search import examples

from gexlab.backtest.execution.costs import Costs
from gexlab.backtest.execution.performance import Trading, trade
from gexlab.backtest.run.backtest import backtest
from gexlab.backtest.run.load_config import load_config
from gexlab.backtest.run.load_market import load_market
from gexlab.backtest.run.market import Market, cut_market
from gexlab.strategies.model import Strategy
from gexlab.strategies.registry import STRATEGIES, make_strategy

MakeMarket = Callable[..., Path]

RULES = ["fade", "follow", "flat", "hold"]
STRATEGY = st.builds(
    make_strategy,
    name=st.just("drawn"),
    filter=st.sampled_from(["sign", "percentile", "tercile", "always"]),
    long=st.sampled_from(RULES),
    short=st.sampled_from(RULES),
    neutral=st.sampled_from(RULES),
    lookback=st.integers(1, 5),
    scale=st.sampled_from(["sign", "scaled"]),
    window=st.integers(5, 40),
    enter=st.just(0.7),
    exit=st.just(0.55),
    on=st.sampled_from([None, "vix"]),
)


def _trade(market: Market, strategies: tuple[Strategy, ...], fill: Any) -> Trading:
    return trade(market, strategies, fill, Costs(2.0, 1.0), 1e6)


def assert_same_past(whole: Trading, part: Trading, n: int) -> None:
    """Labels and targets up to the cut, orders filled by then, and the equity they gave."""
    for before, after in zip(whole.decisions, part.decisions, strict=True):
        pd.testing.assert_frame_equal(before.frame.iloc[:n], after.frame, check_freq=False)
    orders = whole.net.orders[whole.net.orders["row"] < n].reset_index(drop=True)
    pd.testing.assert_frame_equal(
        orders.sort_values(["strategy", "row"], ignore_index=True),
        part.net.orders.sort_values(["strategy", "row"], ignore_index=True),
    )
    pd.testing.assert_frame_equal(whole.net.equity.iloc[:n], part.net.equity, check_freq=False)
    pd.testing.assert_frame_equal(whole.net.shares.iloc[:n], part.net.shares, check_freq=False)


@examples(60)
@given(
    strategy=STRATEGY,
    fill=st.sampled_from(["next_open", "next_close"]),
    cut=st.integers(5, 280),
)
def test_decisions_orders_and_equity_do_not_know_the_future(
    market: Market, strategy: Strategy, fill: Literal["next_open", "next_close"], cut: int
) -> None:
    whole = _trade(market, (strategy,), fill)
    part = _trade(cut_market(market, market.sessions[cut]), (strategy,), fill)
    assert_same_past(whole, part, cut + 1)


@pytest.fixture(scope="module")
def market(tmp_path_factory: pytest.TempPathFactory) -> Market:
    """Return a market with late rows, missing values and missing bars in it."""
    from dataclasses import replace

    from gexlab.backtest.run.load_config import parse_config

    folder = tmp_path_factory.mktemp("market")
    rng = np.random.default_rng(11)
    days = pd.bdate_range("2019-01-02", periods=315)
    days = days[[d.strftime("%m-%d") not in HOLIDAYS for d in days]][:300]
    close = 100.0 * np.cumprod(1.0 + rng.normal(0.0, 0.01, 300))
    bars = pd.DataFrame({"session": days, "open": close, "high": close, "low": close})
    bars["open"] *= 1.001
    bars["high"] *= 1.01
    bars["low"] *= 0.99
    bars["close"] = close
    value = rng.normal(0.3, 1.0, 300)
    value[rng.random(300) < 0.05] = np.nan
    bars[rng.random(300) > 0.03].to_parquet(folder / "bars.parquet")
    pd.DataFrame({"session": days, "value": value}).to_parquet(folder / "gex.parquet")
    pd.DataFrame({"session": days, "value": 20 + value}).to_parquet(folder / "vix.parquet")
    loaded = load_market(
        parse_config(
            {
                "data": {"underlying": "SPY", "bars": "bars.parquet"},
                "regime": {
                    "source": "series",
                    "series": {"path": "gex.parquet", "known": "next_open"},
                },
                "series": {"vix": {"path": "vix.parquet", "known": "close"}},
            },
            folder,
        )
    )
    table = loaded.regime.table.copy()
    late = rng.random(len(table)) < 0.1
    table.loc[late, "known_at"] += pd.Timedelta("3h")
    return replace(loaded, regime=replace(loaded.regime, table=table))


#: Holidays of 2019 and early 2020 in New York that fall on weekdays.
HOLIDAYS = {
    "01-01",
    "01-20",
    "01-21",
    "02-17",
    "02-18",
    "04-10",
    "04-19",
    "05-27",
    "07-04",
    "09-02",
    "11-28",
    "12-25",
}


@pytest.mark.parametrize("fill", ["next_open", "next_close"])
def test_cut_files_give_the_same_past(make_market: MakeMarket, fill: str) -> None:
    file = make_market(sessions=120, execution=f'fill = "{fill}"')
    whole = backtest(file)
    frames = {n: pd.read_parquet(file.parent / f"{n}.parquet") for n in ("bars", "gex", "vix")}
    for cut in np.random.default_rng(5).integers(10, 118, size=4):
        for name, frame in frames.items():
            frame.iloc[: cut + 1].to_parquet(file.parent / f"{name}.parquet")
        part = backtest(file)
        for name, strategy in part.strategies.items():
            before = whole.strategies[name]
            pd.testing.assert_series_equal(before.equity.iloc[: cut + 1], strategy.equity)
            pd.testing.assert_series_equal(before.positions.iloc[: cut + 1], strategy.positions)
            pd.testing.assert_frame_equal(
                before.orders.iloc[: len(strategy.orders)], strategy.orders
            )
        pd.testing.assert_frame_equal(whole.regime.table.iloc[: cut + 1], part.regime.table)


READS_RANGES = make_strategy(
    "ranges",
    filter="sign",
    long={"name": "failed-breakout", "sessions": 3},
    short={"name": "breakout", "sessions": 3},
)


def test_wrong_bars_near_the_cut_give_the_same_past(make_market: MakeMarket) -> None:
    """Wrong prints, flat bars and bars of another level: nobody knew more at the cut than there."""
    file = make_market(sessions=160)
    bars = pd.read_parquet(file.parent / "bars.parquet")
    usual = float(np.median(np.log(bars["high"].to_numpy() / bars["low"].to_numpy())))
    body = bars[["open", "close"]]
    for row, ranges in ((60, 4.5), (75, 5.5), (90, 7.0), (105, 9.0), (120, 230.0)):
        bars.loc[row, "low"] = body.min(axis=1)[row] * np.exp(-ranges * usual)
        bars.loc[row + 4, "high"] = body.max(axis=1)[row + 4] * np.exp(ranges * usual)
    bars.loc[112, ["high", "low"]] = bars["close"][112]
    bars.loc[112, "open"] = bars["close"][112]
    bars.loc[130:132, ["open", "high", "low", "close"]] *= 10.0
    bars.to_parquet(file.parent / "bars.parquet")
    level = pd.DatetimeIndex(bars["session"][130:133])
    whole = _trade(load_market(load_config(file)), (READS_RANGES,), "next_open")
    assert len(whole.net.orders) > 20
    for cut in (61, 76, 90, 112, 131, 133):
        bars.iloc[: cut + 1].to_parquet(file.parent / "bars.parquet")
        market = load_market(load_config(file))
        part = _trade(market, (READS_RANGES,), "next_open")
        days = market.sessions.difference(level)
        assert len(days) >= cut - 5
        past, now = (t.decisions[0].frame.loc[days] for t in (whole, part))
        pd.testing.assert_frame_equal(past, now)
        if cut == 131:  # while such bars last they are traded on, and reported
            told = {f.check for f in market.findings if f.session in level.date}
            assert {"bar_in_doubt", "price_scale_changed"} & told
        else:
            assert_same_past(whole, part, len(days))


def _last_years(market: Market, sessions: int) -> Market:
    """Return the last part of a market: enough to rank, and quick to recompute."""
    from dataclasses import replace

    bars = market.bars.iloc[-sessions:]
    table = market.regime.table.loc[bars.index[0] :]
    regime = replace(market.regime, table=table)
    return replace(market, bars=bars, tested=market.tested[-sessions:], regime=regime)


def test_the_published_series_at_many_cuts(shared_data: Path, tmp_path: Path) -> None:
    text = f"""
[data]
underlying = "SPX"
bars = "{shared_data}/bars/spx_spy_qqq_vix_daily_1995_2026.parquet"
bars_where = {{ root = "SPX" }}
[regime]
source = "series"
[regime.series]
path = "{shared_data}/series/squeezemetrics_dix_gex.parquet"
columns = {{ session = "date", value = "gex" }}
known = "next_open"
"""
    file = tmp_path / "run.toml"
    file.write_text(text)
    market = _last_years(load_market(load_config(file)), 800)
    ranked = make_strategy("ranked", filter="percentile")
    every = (
        STRATEGIES["fade-long-follow-short"],
        ranked,
        make_strategy("thirds", filter="tercile"),
    )
    whole = _trade(market, every, "next_close")
    n = len(market.sessions)
    for cut in np.random.default_rng(8).integers(300, n - 1, size=50):
        part = _trade(cut_market(market, market.sessions[cut]), every, "next_close")
        assert_same_past(whole, part, int(cut) + 1)
