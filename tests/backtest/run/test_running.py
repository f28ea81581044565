"""A whole configuration, from files to files."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from gexlab.backtest.run.backtest import backtest
from gexlab.data.base.errors import (
    InputFileError,
    LookAheadError,
    NotEnoughDataError,
)

MakeMarket = Callable[..., Path]
BUILT_IN = [
    "fade-long-follow-short",
    "follow-long-fade-short",
    "always-fade",
    "always-follow",
    "buy-and-hold",
]


def _document(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder / "results.json").read_text(encoding="utf-8"))
    return found


def test_the_files_and_keys_are_those_promised(make_market: MakeMarket, tmp_path: Path) -> None:
    steps: list[tuple[int, int | None]] = []
    result = backtest(
        make_market(),
        out=tmp_path / "out",
        progress=lambda done, total, what="": steps.append((done, total)),
    )
    document = _document(tmp_path / "out")
    assert list(document["strategies"]) == BUILT_IN
    assert set(document["data"]) >= {
        "underlying",
        "first_session",
        "last_session",
        "sessions",
        "simulated",
    }
    assert set(document["regime"]["counts"]) == {"long", "short", "neutral", "abstain"}
    assert set(document["strategies"]["always-fade"]) >= {
        "sharpe",
        "sharpe_low",
        "sharpe_high",
        "cagr",
        "volatility",
        "max_drawdown",
        "turnover",
        "trades",
        "exposure",
        "break_even_bps",
    }
    cell = document["volatility"]["parkinson"]["long"]
    assert set(cell) >= {"today", "next_1", "next_5", "n"}
    assert len(document["next_return_sd_by_quantile"]) == 4
    assert set(document["autocorrelation"]["short"]) == {"lag1", "low", "high", "n"}
    assert set(document["provenance"]) >= {
        "gexlab",
        "versions",
        "config_sha256",
        "inputs",
        "definition_id",
        "trials",
    }
    assert document["provenance"]["trials"] == 5
    assert [entry["path"] for entry in document["provenance"]["inputs"]] == [
        "gex.parquet",
        "bars.parquet",
        "vix.parquet",
    ]
    equity = pd.read_parquet(tmp_path / "out" / "equity.parquet")
    assert len(equity) == 5 * 400
    trades = pd.read_parquet(tmp_path / "out" / "trades.parquet")
    assert (trades["strategy"] == "always-fade").sum() == (
        result.strategies["always-fade"].metrics.trades
    )
    assert steps == [(0, 4), (1, 4), (2, 4), (3, 4), (4, 4)]


def test_two_runs_write_the_same_bytes(make_market: MakeMarket, tmp_path: Path) -> None:
    file = make_market()
    documents = []
    for name in ("a", "b"):
        backtest(file, out=tmp_path / name)
        document = _document(tmp_path / name)
        for key in ("created_at", "seconds"):
            del document["provenance"][key]
        documents.append(json.dumps(document))
    assert documents[0] == documents[1]
    for table in ("trades", "orders", "equity"):
        first, second = ((tmp_path / n / f"{table}.parquet").read_bytes() for n in ("a", "b"))
        assert first == second


def test_the_seed_moves_nothing(make_market: MakeMarket) -> None:
    first = backtest(make_market()).main.metrics
    second = backtest(make_market(strategies="seed = 8")).main.metrics
    assert first.sharpe_low < first.sharpe < first.sharpe_high
    assert repr(first) == repr(second)


def test_positions_by_hand(make_market: MakeMarket) -> None:
    file = make_market(sessions=60)
    result = backtest(file)
    bars = pd.read_parquet(file.parent / "bars.parquet")
    gex = pd.read_parquet(file.parent / "gex.parquet")
    # fade yesterday's move where yesterday's value was positive, follow it where negative; the
    # order fills at today's open and the position shows at today's close
    move = np.sign(bars["close"].diff()).to_numpy()
    wanted = np.where(gex["value"] > 0, -move, move)[1:-1]
    held = np.sign(result.main.positions.to_numpy())[2:]
    assert (held == wanted).all()
    orders = result.main.orders
    assert (orders["decided"] < orders["session"]).all()
    assert (orders["decision_ts"] <= orders["fill_ts"]).all()
    assert orders["price"].tolist() == (
        bars.set_index("session")["open"].loc[orders["session"]].tolist()
    )


def test_costs_lower_the_result_and_leave_the_break_even_alone(make_market: MakeMarket) -> None:
    free = backtest(make_market()).strategies["always-follow"].metrics
    dear = backtest(make_market(execution="fees_bps = 5.0\nslippage_bps = 2.0"))
    costly = dear.strategies["always-follow"].metrics
    # about 1.5 sides of 100 % a session at 7 basis points each
    drag = (free.cagr - costly.cagr) / (1 + free.cagr)
    assert drag == pytest.approx(1 - np.exp(-costly.turnover * 7e-4), rel=0.05)
    assert costly.break_even_bps == pytest.approx(free.break_even_bps, rel=0.02, nan_ok=True)


def test_at_the_break_even_cost_nothing_is_left(make_market: MakeMarket) -> None:
    free = backtest(make_market()).strategies["buy-and-hold"].metrics
    best = max(
        (s for s in backtest(make_market()).strategies.values() if s.metrics.turnover > 50),
        key=lambda s: s.metrics.break_even_bps if s.metrics.break_even_bps > 0 else 0,
    )
    cost = best.metrics.break_even_bps
    paid = backtest(make_market(execution=f"fees_bps = {cost}")).strategies[best.spec.name]
    assert float(paid.returns.sum()) == pytest.approx(0.0, abs=0.01)
    assert free.trades == 1


def test_without_signal_the_market_is_held(make_market: MakeMarket) -> None:
    file = make_market(instrument="index")
    result = backtest(file)
    hold = result.strategies["buy-and-hold"]
    close = pd.read_parquet(file.parent / "bars.parquet")["close"].to_numpy()
    # decided after the first close, bought at the second
    assert hold.equity.iloc[-1] / 1e6 == pytest.approx(close[-1] / close[1], rel=1e-12)
    assert result.execution.fill == "next_close"


def test_the_period_tested_is_cut_but_warmed_up(make_market: MakeMarket) -> None:
    late = """
[[strategies]]
name = "ranked"
filter = "tercile"
window = 100
"""
    file = make_market(strategies=late)
    text = file.read_text().replace('bars = "bars', 'start = 2019-08-01\nbars = "bars')
    file.write_text(text)
    result = backtest(file)
    assert str(result.data.first_session) == "2019-08-01"
    # the window of 100 values lies before the start, so that the first label is there at once
    assert "abstain" not in result.main.by_regime
    assert result.main.orders["session"].iloc[0] == result.bars.index[1]


def test_a_filter_may_read_a_named_series(make_market: MakeMarket) -> None:
    strategies = """
[[strategies]]
name = "calm"
filter = "percentile"
on = "vix"
window = 60
long = "flat"
short = "hold"
size = 0.5
"""
    result = backtest(make_market(strategies=strategies))
    assert set(np.round(result.main.positions.abs().unique(), 1)) <= {0.0, 0.5}
    assert result.main.spec.parameters["on"] == "vix"
    assert result.main.metrics.exposure > 0.0


def test_index_bars_at_the_open_raise_a_warning(make_market: MakeMarket) -> None:
    result = backtest(make_market(instrument="index", execution='fill = "next_open"'))
    assert result.notices[0].code == "stale_index_open"
    assert result.notices[0].severity == "warning"
    quiet = backtest(make_market(instrument="etf", execution='fill = "next_open"'))
    assert "stale_index_open" not in [n.code for n in quiet.notices]


def test_a_regime_published_after_the_fill_is_refused(make_market: MakeMarket) -> None:
    with pytest.raises(LookAheadError, match=r"session 2019-01-0\d reads regime known at"):
        backtest(make_market(known="10:30", execution='fill = "next_open"'))
    assert backtest(make_market(known="10:30", execution='fill = "next_close"')).data.sessions


def test_the_same_close_is_refused_to_rules_that_read_it(make_market: MakeMarket) -> None:
    with pytest.raises(LookAheadError, match="same_close"):
        backtest(make_market(execution='fill = "same_close"'))
    hold = "[[strategies]]\nname = 'buy-and-hold'"
    result = backtest(make_market(execution='fill = "same_close"', strategies=hold))
    assert result.main.orders["session"].iloc[0] == result.bars.index[0]


def test_single_late_rows_are_missing_and_counted(make_market: MakeMarket) -> None:
    from dataclasses import replace

    from gexlab.backtest.run.backtest import run_backtest, trade_config
    from gexlab.backtest.run.load_config import load_config
    from gexlab.backtest.run.load_market import load_market

    config = load_config(make_market())
    market = load_market(config)
    table = market.regime.table.copy()
    table.loc[table.index[10], "known_at"] += pd.Timedelta("2h")
    late = replace(market, regime=replace(market.regime, table=table))
    trading = trade_config(config, late)
    assert trading.decisions[0].frame["label"].iloc[10] == "abstain"
    assert trading.decisions[0].frame["target"].iloc[10] == 0.0
    notices = {n.code: n.count for n in run_backtest(config, late, trading).notices}
    assert notices["late_regime"] == 1


def test_sessions_without_a_regime_row_are_flat_and_counted(make_market: MakeMarket) -> None:
    file = make_market()
    gex = pd.read_parquet(file.parent / "gex.parquet")
    gex.drop(index=[50, 51]).to_parquet(file.parent / "gex.parquet")
    result = backtest(file)
    assert result.data.sessions == 398
    notices = {n.code: n.count for n in result.notices}
    assert notices["regime_missing"] == 2
    orders = result.main.orders.set_index("decided")
    assert orders["target"].loc[gex["session"][50]] == 0.0


def test_a_regime_of_rounding_has_no_quartiles(make_market: MakeMarket) -> None:
    file = make_market()
    gex = pd.read_parquet(file.parent / "gex.parquet")
    noise = 1.0 + 1e-15 * np.random.default_rng(0).standard_normal(len(gex))
    gex.assign(value=5e9 * noise).to_parquet(file.parent / "gex.parquet")
    result = backtest(file)
    assert np.isnan(result.next_return_sd_by_quantile).all()
    assert [c.n for c in result.volatility.by_quantile["parkinson"]] == [0, 0, 0, 0]
    told = {n.code: (n.severity, n.count, n.detail) for n in result.notices}["regime_constant"]
    assert told[:2] == ("warning", 400)
    assert "the same on all 400 sessions, but for rounding" in told[2]


def test_missing_values_abstain(make_market: MakeMarket) -> None:
    file = make_market()
    gex = pd.read_parquet(file.parent / "gex.parquet")
    gex.loc[20:24, "value"] = np.nan
    gex.to_parquet(file.parent / "gex.parquet")
    result = backtest(file)
    assert result.regime.counts["abstain"] == 5
    assert sum(result.regime.counts.values()) == 400
    assert {n.code: n.count for n in result.notices}["abstaining_sessions"] == 5


def test_a_missing_bar_delays_the_fill(make_market: MakeMarket) -> None:
    file = make_market()
    bars = pd.read_parquet(file.parent / "bars.parquet")
    move = np.sign(bars["close"].diff()).to_numpy()
    turn = next(i for i in range(20, 40) if move[i] != move[i - 1])  # an order is decided here
    bars.drop(index=[turn + 1]).to_parquet(file.parent / "bars.parquet")
    result = backtest(file)
    orders = result.strategies["always-follow"].orders.set_index("decided")
    assert orders["session"].loc[bars["session"][turn]] == bars["session"][turn + 2]
    # no return spans the gap: besides the first session two more have none
    cells = result.volatility.by_regime["close_to_close"].values()
    assert sum(cell.n for cell in cells) == 400 - 1 - 2
    codes = [n.code for n in result.notices]
    assert {"bars_missing", "bars_missing_for_regime"} <= set(codes)


def test_a_market_beside_its_truth_is_simulated(make_market: MakeMarket) -> None:
    file = make_market(sessions=30)
    assert not backtest(file).data.simulated
    (file.parent / "truth.json").write_text("{}")
    assert backtest(file).data.simulated


def test_doing_nothing_has_no_figures(make_market: MakeMarket) -> None:
    flat = "[[strategies]]\nname = 'nothing'\nlong = 'flat'\nshort = 'flat'"
    result = backtest(make_market(sessions=5, strategies=flat))
    metrics = result.main.metrics
    assert np.isnan([metrics.sharpe, metrics.sharpe_low, metrics.break_even_bps]).all()
    assert np.isnan(metrics.hit_rate)
    assert (metrics.trades, metrics.turnover, metrics.exposure, metrics.cagr) == (0, 0.0, 0.0, 0.0)
    assert len(result.main.orders) == len(result.main.trades) == 0


def test_intraday_bars_give_realised_variance(make_market: MakeMarket) -> None:
    file = make_market(sessions=40)
    days = pd.read_parquet(file.parent / "bars.parquet")["session"]
    times = [f"{d.date()} {clock}" for d in days for clock in ("09:30", "09:40", "09:50")]
    flat = pd.DataFrame({"timestamp": times})
    # +1 % and back within each session: two returns of ln 1.01
    close = np.tile([100.0, 101.0, 100.0], len(days))
    flat = flat.assign(open=np.tile([100.0, 100.0, 101.0], len(days)), close=close)
    flat = flat.assign(high=flat[["open", "close"]].max(axis=1), low=flat["close"].clip(upper=100))
    flat.to_parquet(file.parent / "intraday.parquet")
    text = file.read_text().replace("[regime]", 'intraday = "intraday.parquet"\n\n[regime]', 1)
    file.write_text(text)
    result = backtest(file)
    cell = result.volatility.by_regime["realised_variance"]["long"]
    assert cell.today == pytest.approx(np.sqrt(252 * 2) * np.log(1.01), rel=1e-9)
    assert result.data.intraday_sessions == 40
    flat.iloc[::3].to_parquet(file.parent / "intraday.parquet")
    thin = backtest(file)
    assert "realised_variance" not in thin.volatility.by_regime
    assert "intraday_too_thin" in [n.code for n in thin.notices]


def test_too_little_data(make_market: MakeMarket) -> None:
    with pytest.raises(NotEnoughDataError, match="only 2 sessions have both"):
        backtest(make_market(sessions=2))


def test_an_unwritable_folder(make_market: MakeMarket, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(InputFileError, match="results cannot be written"):
        backtest(make_market(sessions=30), out=tmp_path / "file" / "out")


PUBLISHED = """
[data]
underlying = "SPX"
instrument = "{instrument}"
bars = "bars/spx_spy_qqq_vix_daily_1995_2026.parquet"
bars_where = {{ root = "{root}" }}
{dates}
[regime]
source = "series"
[regime.series]
path = "series/squeezemetrics_dix_gex.parquet"
columns = {{ session = "date", value = "gex" }}
known = "next_open"
[execution]
fill = "{fill}"
[series.vix]
path = "series/vix_daily.parquet"
columns = {{ session = "date" }}
known = "close"
[inference]
bootstrap = 200
"""


def _published(shared_data: Path, **changes: str) -> Any:
    import tomllib

    from gexlab.backtest.run.load_config import parse_config

    settings = {"instrument": "index", "root": "SPX", "dates": "", "fill": "next_close"}
    document = tomllib.loads(PUBLISHED.format(**{**settings, **changes}))
    return backtest(parse_config(document, shared_data))


def test_the_published_quartiles(shared_data: Path) -> None:
    # own calculation from the same public files with pandas.qcut and n - 1
    result = _published(shared_data, dates="start = 2011-05-01\nend = 2017-12-31")
    assert result.data.sessions == 1679
    assert np.round(result.next_return_sd_by_quantile, 2).tolist() == [1.39, 0.83, 0.65, 0.45]
    assert np.round(result.vix_return_sd_by_quantile, 2).tolist() == [0.46, 0.59, 0.82, 1.42]
    shares = result.regime.negative_share_by_year
    assert {year: round(share, 3) for year, share in shares.items()} == {
        2011: 0.176,
        2012: 0.052,
        2013: 0.008,
        2014: 0.020,
        2015: 0.091,
        2016: 0.087,
        2017: 0.008,
    }


@pytest.mark.parametrize(
    ("root", "fill", "expected"),
    [
        ("SPX", "next_close", [0.09, 0.03, 0.68]),
        ("SPY", "next_close", [0.11, -0.06, 0.68]),
        ("SPX", "next_open", [0.19, 0.42, 0.77]),
        ("SPY", "next_open", [-0.10, -0.04, 0.72]),
    ],
)
def test_the_tradable_sharpe_ratios(
    shared_data: Path, root: str, fill: str, expected: list[float]
) -> None:
    # own calculation with log P&L from fill to fill, so that is what is compared; the result's
    # own ratio is of simple returns between closes
    kind = "index" if root == "SPX" else "etf"
    dates = "start = 2012-04-30"
    result = _published(shared_data, root=root, instrument=kind, fill=fill, dates=dates)
    prices = np.log(result.bars["open" if fill == "next_open" else "close"].to_numpy())
    found = []
    for name in ("fade-long-follow-short", "always-fade", "buy-and-hold"):
        held = np.sign(result.strategies[name].positions.to_numpy())
        profit = (held[:-1] * np.diff(prices))[1:]
        found.append(float(profit.mean() / profit.std(ddof=1) * np.sqrt(252)))
    np.testing.assert_allclose(found, expected, atol=0.006)
    assert ("stale_index_open" in [n.code for n in result.notices]) == (
        root == "SPX" and fill == "next_open"
    )
