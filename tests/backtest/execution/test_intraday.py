"""Strategies that decide within the session, against a plain account bar by bar, and by hand."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from half_hours import write_half_hours
from reference_account import PlainAccount
from small_markets import write_lake

from gexlab.backtest.execution.bar_results import _by_regime
from gexlab.backtest.execution.measures import Clock
from gexlab.backtest.run.backtest import backtest, strategies_of, trade_config
from gexlab.backtest.run.bar_panel import bar_ground
from gexlab.backtest.run.load_config import parse_config
from gexlab.backtest.run.load_market import load_market
from gexlab.backtest.run.panel import market_panel
from gexlab.backtest.run.vectorbt_portfolio import portfolio
from gexlab.data.base.errors import ConfigError, UnknownNameError
from gexlab.data.regimes.intraday_recheck import intraday_regimes
from gexlab.strategies import make_strategy

ROOT = Path(__file__).resolve().parents[3]
RULES = ("last-half-hour", "opening-range", "first-hour-fade", "gap-fade")
COSTS: dict[str, Any] = {
    "fees_bps": 1.0, "slippage_bps": 0.5, "half_spread": 0.01, "cash_rate": 0.04,
    "borrow_rate": 0.02, "lot": "share", "stop_loss": 0.006, "take_profit": 0.008,
    "max_holding": 7, "cash": 50_000.0,
}  # fmt: skip


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("bars")
    days = write_half_hours(place, "2024-06-03", 40)["session"]  # an early close on 3 July
    gex = np.where(np.arange(40) % 3 == 0, -1.0, 1.0)
    table = pd.DataFrame({"session": days, "value": gex})
    table.to_csv(place / "gex.csv", index=False)
    return place


def _document(strategies: list[dict[str, Any]], **more: Any) -> dict[str, Any]:
    return {
        "data": {"underlying": "SPY", "bars": "bars.parquet", "intraday": "intraday.parquet"},
        "regime": {"source": "series", "series": {"path": "gex.csv", "known": "next_open"}},
        "strategies": strategies,
        "inference": {"bootstrap": 100},
    } | more


def _sessions(folder: Path) -> list[pd.DataFrame]:
    """Return the bars of each session."""
    bars = pd.read_parquet(folder / "intraday.parquet")
    local = bars["timestamp"].dt.tz_convert("America/New_York")
    return [mine.reset_index(drop=True) for _, mine in bars.groupby(local.dt.date)]


def _wanted(rule: str, bars: pd.DataFrame, before: float) -> list[float]:
    """Return what a rule wants after each bar of a session, in plain steps."""
    close, first = bars["close"].tolist(), float(bars["open"].iloc[0])
    n, out, held = len(bars), [], 0.0
    for k in range(n):
        if rule == "last-half-hour" and k == n - 2:  # the bar that ends half an hour before
            held = float(np.sign(close[k] - before))
        if rule == "first-hour-fade" and k == 1:
            held = -float(np.sign(close[k] - first))
        if rule == "gap-fade":
            held = -float(np.sign(first - before))
        if rule == "opening-range" and k >= 1 and held == 0.0:
            top, bottom = bars["high"].iloc[0], bars["low"].iloc[0]
            held = float(close[k] > top) - float(close[k] < bottom)
        out.append(held)
    return out


@pytest.mark.parametrize("execution", [{}, COSTS], ids=["plain", "terms"])
def test_orders_and_equity_are_those_of_a_plain_account(
    folder: Path, execution: dict[str, Any]
) -> None:
    # the regime is that of the previous session, short every third session
    strategies = [{"name": r, "filter": "sign", "long": "flat", "short": r} for r in RULES]
    config = parse_config(_document(strategies, execution=execution), folder)
    result = backtest(config)
    sessions = _sessions(folder)
    closes = pd.read_parquet(folder / "bars.parquet")["close"]
    dates = pd.read_parquet(folder / "bars.parquet")["session"]
    for rule in RULES:
        rows: list[dict[str, float]] = []
        targets: list[float] = []
        for s, bars in enumerate(sessions):
            acts = s > 0 and (s - 1) % 3 == 0
            wants = _wanted(rule, bars, closes[s - 1]) if acts else [0.0] * len(bars)
            prices: Any = bars[["open", "high", "low", "close"]].to_dict("records")
            rows += [{**bar, "days": 0.0} for bar in prices]
            rows[-len(bars)]["days"] = float((dates[s] - dates[s - 1]).days) if s else 0.0
            last = rows[-1]["close"]
            rows.append(dict.fromkeys(("open", "high", "low", "close"), last) | {"days": 0.0})
            # decided at a bar's end, filled at the next one's open, where it changes
            changed = np.diff([0.0, *wants[:-1]]) != 0.0
            sent = [w if c else np.nan for w, c in zip(wants[:-1], changed, strict=True)]
            targets += [np.nan, *sent, 0.0]
        plain = PlainAccount(
            fees_bps=execution.get("fees_bps", 0.0),
            slippage_bps=execution.get("slippage_bps", 0.0),
            cash=execution.get("cash", 1e6), cash_rate=execution.get("cash_rate", 0.0),
            borrow_rate=execution.get("borrow_rate", 0.0), lot=1.0 if execution else 0.0,
            stop_loss=execution.get("stop_loss"), take_profit=execution.get("take_profit"),
            max_holding=execution.get("max_holding", 0),
        )  # fmt: skip
        if execution:
            rows = [{**row, "half_spread": 0.01} for row in rows]
        plain.run(rows, targets)
        ends = np.cumsum([len(bars) + 1 for bars in sessions]) - 1
        wanted = np.array([close["equity"] for close in plain.closes])[ends]
        found = result.strategies[rule]
        np.testing.assert_allclose(found.equity, wanted, rtol=1e-10)
        fills = pd.DataFrame(plain.fills)
        assert len(fills) >= 20
        for name in ("size", "price", "fees"):
            np.testing.assert_allclose(found.orders[name], fills[name], rtol=1e-10)
        assert plain.shares == 0.0


def test_the_last_half_hour_by_hand(folder: Path) -> None:
    always = {"name": "lh", "filter": "always", "long": "last-half-hour"}
    config = parse_config(_document([always]), folder)
    trading = trade_config(config, load_market(config), strategies_of(config))
    result = backtest(config)
    bars = _sessions(folder)[1]
    before = pd.read_parquet(folder / "bars.parquet")["close"][0]
    side = np.sign(bars["close"].iloc[11] - before)  # 15:30 against the close before
    last = bars.iloc[12]
    earned = side * (last["close"] / last["open"] - 1.0)
    assert result.main.returns.iloc[0] == pytest.approx(earned, rel=1e-9)
    mine = result.main.orders[result.main.orders["session"] == "2024-06-04"]
    assert [f"{t:%H:%M}" for t in mine["fill_ts"]] == ["19:30", "20:00"]
    assert [f"{d:%Y-%m-%d}" for d in mine["decided"]] == ["2024-06-03"] * 2
    assert result.main.positions.iloc[1] == pytest.approx(side / 13, rel=1e-2)
    # 3 July closed at 13:00: decided at 12:30
    early = result.main.orders[result.main.orders["session"] == "2024-07-03"]
    assert [f"{t:%H:%M}" for t in early["fill_ts"]] == ["16:30", "17:00"]
    assert trading.within is not None
    assert [s.name for s in trading.every] == list(result.strategies)
    assert result.main.role == "main"


def test_a_label_that_is_public_at_noon_acts_from_noon_on(folder: Path) -> None:
    held = {"name": "day", "filter": "sign", "long": "hold", "short": "gap-fade"}
    late = {"source": "series", "series": {"path": "gex.csv", "known": "12:00"}}
    result = backtest(parse_config(_document([held], regime=late), folder))
    fills = result.main.orders["fill_ts"].dt.tz_convert("America/New_York")
    opened = result.main.orders["target"] != 0.0
    assert set(fills[opened].dt.strftime("%H:%M")) == {"12:00"}
    assert "late_within" in {notice.code for notice in result.notices}


def test_all_strategies_are_of_the_period_of_the_bars(folder: Path, tmp_path: Path) -> None:
    for name in ("bars.parquet", "gex.csv"):
        (tmp_path / name).write_bytes((folder / name).read_bytes())
    bars = pd.read_parquet(folder / "intraday.parquet")
    bars[bars["timestamp"] >= "2024-06-17"].to_parquet(tmp_path / "intraday.parquet", index=False)
    rule = {"name": "lh", "filter": "always", "long": "last-half-hour"}
    result = backtest(parse_config(_document([rule]), tmp_path))
    assert {str(s.equity.index[0].date()) for s in result.strategies.values()} == {"2024-06-17"}
    # what lies before is read: the first session has a close before it
    assert str(result.main.orders["session"].iloc[0].date()) == "2024-06-17"


def test_clocks_are_not_mixed() -> None:
    with pytest.raises(ConfigError, match="'fade' decides at the close, and 'gap-fade' within"):
        make_strategy("s", long="fade", short="gap-fade")
    with pytest.raises(ConfigError, match="'all' decides at the close and reads 'rechecked'"):
        make_strategy("s", filter={"name": "all", "of": ["sign", "rechecked"]}, long="hold")
    assert make_strategy("s", long="gap-fade").short.name == "flat"
    assert make_strategy("s", filter="rechecked", long="hold", short="flat").intraday


@pytest.mark.parametrize(
    ("strategy", "said"),
    [
        ({"name": "s", "long": "gap-fade"}, "no intraday bars: name them in data.intraday"),
        (
            {"name": "s", "filter": "rechecked", "long": "hold", "short": "flat"},
            "which needs chains",
        ),
    ],
)
def test_what_is_missing_is_said(folder: Path, strategy: dict[str, Any], said: str) -> None:
    document = _document([strategy])
    alone = parse_config(document, folder)
    with pytest.raises(ConfigError, match="decide once a session"):
        trade_config(alone, load_market(alone), strategies_of(alone)[:1])
    if "rechecked" not in strategy.values():
        document["data"] = {"underlying": "SPY", "bars": "bars.parquet"}
    with pytest.raises(ConfigError, match=said):
        backtest(parse_config(document, folder))


def test_the_librarys_portfolio_of_any_strategy_has_the_fills_of_the_results(folder: Path) -> None:
    strategies: list[dict[str, Any]] = [
        {"name": "lh", "filter": "always", "long": "last-half-hour"},
        {"name": "half", "filter": "always", "long": "hold", "size": 0.5},
    ]
    config = parse_config(_document(strategies, execution={"fees_bps": 1.0}), folder)
    result = backtest(config)
    for name in (None, "half", "always-fade"):
        found = portfolio(config, name)
        wanted = result.strategies[name or "lh"]
        assert found.orders.records["size"].tolist() == wanted.orders["size"].abs().tolist()
        assert found.value().to_numpy().ravel()[-1] == pytest.approx(wanted.equity.iloc[-1])
    with pytest.raises(UnknownNameError, match="always-fade"):
        portfolio(config, "always-fad")


def test_the_rechecked_regime_is_the_morning_book_repriced(tmp_path: Path) -> None:
    daily = write_lake(tmp_path, "XNYS", sessions=8)
    rows = [
        (pd.Timestamp(f"{day:%Y-%m-%d} {clock}", tz="America/New_York"), *[price * move] * 4)
        for day, price in zip(daily["session"], daily["open"], strict=True)
        for clock, move in (("10:00", 1.0), ("11:00", 0.93), ("12:00", 1.06))
    ]
    bars = pd.DataFrame(rows, columns=["timestamp", "open", "high", "low", "close"])
    bars.to_parquet(tmp_path / "intraday.parquet", index=False)
    document = {
        "data": {
            "lake": "lake", "underlying": "MKT", "instrument": "etf", "bars": "bars.parquet",
            "intraday": "intraday.parquet",
        },
        "strategies": [
            {"name": "checked", "filter": "rechecked", "long": "hold", "short": "flat"}
        ],
        "inference": {"bootstrap": 100},
    }  # fmt: skip
    config = parse_config(document, tmp_path)
    market = load_market(config)
    ground = bar_ground(market, recheck=True)
    assert market.intraday is not None
    wanted = intraday_regimes(tmp_path / "lake", "MKT", market.intraday.frame).frame
    ratio = ground.rows.bars.panel.column("bar.net_to_gross")
    # what components may read is what the document names; these bars have no volume
    panel = ground.rows.bars.panel
    stated = (ROOT / "docs" / "components.md").read_text(encoding="utf-8")
    named = set(re.findall(r"`(bar\.\w+)`", stated))
    assert {name for name in panel.columns if name.startswith("bar.")} == named - {"bar.volume"}
    of_days = {f"day.{name}" for name in market_panel(market).columns}
    assert {name for name in panel.columns if not name.startswith("bar.")} == of_days
    found = pd.Series(ratio.values, index=ground.bars.index).dropna()
    stamps = pd.DatetimeIndex(wanted["ts"]).tz_convert(None)
    np.testing.assert_array_equal(found.to_numpy(), wanted["net_to_gross"].to_numpy())
    moments = pd.DatetimeIndex(found.index)
    assert moments.equals(stamps.as_unit(moments.unit))
    assert np.isnan(ratio.values[ground.closing]).all()
    # long where the repriced book is long at a bar's end; flat at once where it no longer is
    orders = backtest(config).main.orders
    acts = orders[orders["target"] > 0.0]
    before = wanted.set_index(pd.DatetimeIndex(wanted["close_ts"]))["net_to_gross"]
    assert len(acts)
    assert (before.reindex(pd.DatetimeIndex(acts["fill_ts"])) >= 0.02).all()


def test_performance_by_regime_is_that_of_the_sessions_behind_it() -> None:
    """Returns over several sessions count in the total, not in means and ratios of a session."""
    returns = np.array([0.01, 0.03, -0.02, 0.05, 0.20])
    behind = np.array(["", "long", "long", "long", "short", "long"], dtype=object)
    clock = Clock(np.array([1, 1, 1, 1, 3]), 252, at_open=True)
    found = _by_regime(returns, np.array([0.0, 1.0, 1.0, -0.5, 0.5, 1.0]), behind, clock)
    calm = found["long"]
    assert (calm.sessions, found["short"].sessions) == (3, 1)
    assert calm.mean_bps == pytest.approx(1e4 * 0.02 / 3)
    deviation = np.std([0.01, 0.03, -0.02], ddof=1)
    assert calm.sharpe == pytest.approx(np.sqrt(252) * 0.02 / 3 / deviation)
    assert calm.total_return == pytest.approx(1.01 * 1.03 * 0.98 * 1.20 - 1.0)
    assert found["short"].mean_bps == pytest.approx(500.0)
    assert np.isnan(found["short"].sharpe)
