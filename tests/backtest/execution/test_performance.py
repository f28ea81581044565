"""Results by hand: what a position earned, traded and cost, and under which label."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from gexlab.backtest.execution.costs import FREE, Costs
from gexlab.backtest.execution.performance import evaluate, trade
from gexlab.backtest.run.market import Market
from gexlab.backtest.run.regime_source import RegimeSource
from gexlab.backtest.run.results import StrategyResult
from gexlab.backtest.statistics.resampling import Resampling
from gexlab.data.calendar.trading import trading_calendar
from gexlab.data.tables.bars import BarSet
from gexlab.data.tables.series import publication
from gexlab.strategies.model import Strategy
from gexlab.strategies.registry import strategy
from gexlab.strategies.rules.returns import Flat, Hold

SESSIONS = pd.DatetimeIndex(
    ["2024-01-02", "2024-01-03", "2024-01-04", "2024-01-05", "2024-01-08", "2024-01-09"],
    name="session",
)
HOLD_LONG = Strategy("hold-long", long=Hold(), short=Flat())


def _market(
    closes: list[float], opens: list[float] | None = None, regime: str = "LLSSLL"
) -> Market:
    calendar = trading_calendar("XNYS")
    values = np.array(closes)
    bars = pd.DataFrame({"open": opens or closes, "close": closes}, index=SESSIONS)
    bars["high"], bars["low"] = values * 2.0, values / 2.0
    known = pd.DatetimeIndex(publication(calendar, SESSIONS.to_numpy(), "next_open"), tz="UTC")
    names = {"L": "long", "S": "short", "N": "neutral", "A": "abstain"}
    table = pd.DataFrame(
        {"value": 1.0, "regime": [names[c] for c in regime], "known_at": known}, index=SESSIONS
    )
    source = RegimeSource("series", "drawn", "next_open", table, None, (), ())
    kept = np.ones(len(bars), dtype=bool)
    return Market(calendar, bars, kept, source, {}, BarSet(bars, 0, 0, 0, 0), None, (), (), False)


def _run(
    market: Market, chosen: Strategy, fill: Any = "next_close", costs: Costs = FREE
) -> StrategyResult:
    trading = trade(market, (chosen,), fill, costs, 100.0)
    return evaluate(trading, market.bars, Resampling(replications=100))[chosen.name]


def test_a_short_position_is_restored_to_its_target_every_session() -> None:
    # +10 % every session: fading stays short 100 %, losing 10 % of what is left each time
    closes = [100.0, 110.0, 121.0, 133.1, 146.41, 161.051]
    found = _run(_market(closes), strategy("always-fade"))
    np.testing.assert_allclose(found.equity, [100, 100, 100, 90, 81, 72.9], rtol=1e-12)
    # sells 100 % at first; then the short is 110 on equity 90 and must be 90: buys 20 per 100
    traded = np.array([0.0, 0.0, 1.0, 0.2, 0.2, 0.2])
    assert found.metrics.turnover == pytest.approx(traded.mean() * 252, rel=1e-12)
    assert found.metrics.trades == 1
    assert found.metrics.max_drawdown == pytest.approx(0.729 - 1.0, rel=1e-12)
    assert found.metrics.hit_rate == 0.0
    assert found.metrics.exposure == pytest.approx(4 / 6)


def test_the_break_even_cost_is_of_the_gross_profit() -> None:
    # follows a rise of 10 % a session with one purchase of all that there is
    closes = [100.0, 110.0, 121.0, 133.1, 146.41, 161.051]
    found = _run(_market(closes), strategy("always-follow"), costs=Costs(fees_bps=100.0))
    assert found.metrics.break_even_bps == pytest.approx(1e4 * 0.3, rel=1e-12)
    assert found.metrics.total_return == pytest.approx(1.331 / 1.01 - 1.0, rel=1e-12)
    assert found.trades["fees"].tolist() == pytest.approx([1 / 1.01])


def test_returns_by_label_when_filled_at_the_close() -> None:
    # decided after 0 and 1 under long, so held into 2 and 3; flat from the close of 3
    found = _run(_market([100.0, 100.0, 110.0, 104.5, 200.0, 300.0]), HOLD_LONG)
    np.testing.assert_allclose(found.returns, [0.0, 0.1, -0.05, 0.0, 0.0], atol=1e-12)
    # the flat session before the first fill counts under the decision that it waits for
    long, short = found.by_regime["long"], found.by_regime["short"]
    assert (long.sessions, short.sessions, short.exposure) == (3, 2, 0.0)
    assert long.exposure == pytest.approx(2 / 3)
    assert long.mean_bps == pytest.approx(1e4 * 0.05 / 3)
    assert long.total_return == pytest.approx(1.1 * 0.95 - 1.0)
    assert (short.mean_bps, short.total_return) == (0.0, 0.0)
    assert found.metrics.hit_rate == 0.5
    assert found.trades["regime"].tolist() == ["long", "long"]
    assert found.trades["status"].tolist() == ["closed", "open"]


def test_returns_by_label_when_filled_at_the_open() -> None:
    # bought at the open of 1, sold at the open of 3 (overnight 110 to 99), bought at that of 5
    opens = [100.0, 100.0, 105.0, 99.0, 150.0, 200.0]
    found = _run(_market([100.0, 105.0, 110.0, 104.5, 180.0, 190.0], opens), HOLD_LONG, "next_open")
    expected = [0.05, 110 / 105 - 1, 99 / 110 - 1, 0.0, -0.05]
    np.testing.assert_allclose(found.returns, expected, atol=1e-12)
    long, short = found.by_regime["long"], found.by_regime["short"]
    assert (long.sessions, long.exposure, short.sessions, short.exposure) == (3, 1.0, 2, 0.0)
    assert short.mean_bps == pytest.approx(1e4 * (99 / 110 - 1) / 2)
    # of the sessions that end with a position two of three gain
    assert found.metrics.hit_rate == pytest.approx(2 / 3)


def test_an_order_that_read_nothing_is_decided_at_its_sessions_close() -> None:
    orders = _run(_market([100.0] * 6), strategy("buy-and-hold")).orders
    assert orders["decision_ts"].tolist() == [pd.Timestamp("2024-01-02 21:00Z")]
    assert orders["fill_ts"].tolist() == [pd.Timestamp("2024-01-03 21:00Z")]


def test_an_order_is_decided_when_its_last_input_is_known() -> None:
    # the regime of the 3rd is known at the open of the 4th, after the bar of the 3rd
    orders = _run(
        _market([100.0, 110.0, 100.0, 110.0, 100.0, 110.0]), strategy("fade-long-follow-short")
    ).orders
    first = orders.iloc[0]
    assert (first["decided"], first["session"]) == (SESSIONS[1], SESSIONS[2])
    assert first["decision_ts"] == pd.Timestamp("2024-01-04 14:30Z")
    assert first["target"] == -1.0


def test_abstaining_closes_the_position() -> None:
    found = _run(_market([100.0] * 6, regime="LLAALL"), HOLD_LONG)
    assert found.positions.tolist() == [0.0, 1.0, 1.0, 0.0, 0.0, 1.0]
    assert set(found.by_regime) == {"long", "abstain"}


@pytest.mark.parametrize(
    ("fill", "name"),
    [
        ("next_open", "fade-long-follow-short"),
        ("next_open", "buy-and-hold"),
        ("next_close", "fade-long-follow-short"),
        ("next_close", "always-fade"),
        ("same_close", "buy-and-hold"),
    ],
)
def test_regimes_add_up_to_the_whole(fill: Any, name: str) -> None:
    closes = [100.0, 103.0, 99.0, 101.0, 98.0, 104.0]
    opens = [99.0, 101.0, 102.0, 100.0, 99.0, 100.0]
    found = _run(_market(closes, opens, "LSLSNA"), strategy(name), fill, Costs(fees_bps=25.0))
    parts = found.by_regime.values()
    assert sum(part.sessions for part in parts) == found.metrics.n == 5
    compound = np.prod([1.0 + part.total_return for part in parts])
    assert compound == pytest.approx(1.0 + found.metrics.total_return, rel=1e-12)
    # and the whole is what the equity says, from the cash before the first fill on
    assert found.metrics.total_return == pytest.approx(found.equity.iloc[-1] / 100.0 - 1.0)


def test_the_cost_of_a_fill_on_the_first_close_is_no_gift() -> None:
    # 1 % of the purchase: 100 / 1.01 shares at 100, then 3 % more
    found = _run(
        _market([100.0, 103.0, 103.0, 103.0, 103.0, 103.0]),
        strategy("buy-and-hold"),
        "same_close",
        Costs(fees_bps=100.0),
    )
    assert found.returns.iloc[0] == pytest.approx(1.03 / 1.01 - 1.0, rel=1e-12)
    assert found.metrics.total_return == pytest.approx(1.03 / 1.01 - 1.0, rel=1e-12)
    assert found.by_regime["long"].total_return == pytest.approx(1.03 / 1.01 - 1.0, rel=1e-12)


def test_an_order_carries_the_sessions_regime_and_the_filters_own_label() -> None:
    closes = [100.0, 101.0, 100.0, 101.0, 100.0, 101.0]
    orders = _run(_market(closes, regime="SLSSNA"), strategy("always-fade")).orders
    decided = SESSIONS.get_indexer(pd.DatetimeIndex(orders["decided"]))
    assert set(orders["label"]) == {"long"}
    names = {"L": "long", "S": "short", "N": "neutral", "A": "abstain"}
    assert orders["regime"].tolist() == [names["SLSSNA"[i]] for i in decided]
    trades = _run(_market(closes, regime="SLSSNA"), strategy("buy-and-hold")).trades
    assert trades["regime"].tolist() == ["short"]


@pytest.mark.parametrize("fees", [0.0, 5.0, 50.0, 500.0])
def test_the_break_even_cost_does_not_depend_on_the_costs_configured(fees: float) -> None:
    # fades: short of 10 %, then long of -10 % and so on; gross of costs it gains every session
    closes = [100.0, 110.0, 99.0, 108.9, 98.01, 107.811]
    found = _run(_market(closes), strategy("always-fade"), costs=Costs(fees_bps=fees))
    shares, equity, gains, traded = 0.0, 100.0, [], []
    for i, target in ((1, None), (2, -1.0), (3, 1.0), (4, -1.0), (5, 1.0)):
        before = equity
        equity += shares * (closes[i] - closes[i - 1])
        gains.append(equity / before - 1.0)
        wanted = 0.0 if target is None else target * equity / closes[i]
        traded.append(abs(wanted - shares) * closes[i] / before)
        shares = wanted
    expected = 1e4 * sum(gains) / sum(traded) if sum(gains) > 0.0 else float("nan")
    assert found.metrics.break_even_bps == pytest.approx(expected, rel=1e-9, nan_ok=True)


@pytest.mark.parametrize("fees", [0.0, 10.0])
def test_a_ruined_portfolio_has_no_figures_but_its_orders(fees: float) -> None:
    # short 100 % from the close of 2, then the price more than doubles
    closes = [100.0, 110.0, 121.0, 300.0, 310.0, 320.0]
    found = _run(_market(closes), strategy("always-fade"), costs=Costs(fees_bps=fees))
    m = found.metrics
    undefined = (m.sharpe, m.cagr, m.volatility, m.total_return, m.break_even_bps, m.exposure)
    assert all(np.isnan(x) for x in undefined)
    assert found.equity.iloc[-1] < 0.0
    assert found.positions.iloc[3:].isna().all()


def test_no_control_runs_that_would_know_too_much() -> None:
    market = _market([100.0, 101.0, 100.0, 101.0, 100.0, 101.0])
    chosen = (strategy("buy-and-hold"), strategy("always-fade"))
    trading = trade(market, chosen, "same_close", FREE, 100.0, required=1)
    assert [s.name for s in trading.strategies] == ["buy-and-hold"]
    assert trading.left_out == ("always-fade",)


def test_a_trade_is_told_in_the_order_that_it_happened_in() -> None:
    found = _run(_market([100.0, 100.0, 110.0, 104.5, 200.0, 300.0]), HOLD_LONG)
    assert list(found.trades.columns) == [
        "opened",
        "closed",
        "direction",
        "size",
        "entry_price",
        "exit_price",
        "fees",
        "pnl",
        "return",
        "regime",
        "status",
    ]
    first = found.trades.iloc[0]
    assert (first["opened"], first["closed"]) == (SESSIONS[1], SESSIONS[3])
    assert (first["entry_price"], first["exit_price"]) == (100.0, 104.5)


def test_the_first_is_judged_what_is_built_in_controls_and_the_rest_is_ones_own() -> None:
    chosen = (strategy("always-fade"), HOLD_LONG, strategy("buy-and-hold"))
    trading = trade(_market([100.0] * 6), chosen, "next_close", FREE, 100.0)
    found = evaluate(trading, pd.DataFrame({"close": [100.0] * 6}, SESSIONS), Resampling(100))
    assert [found[s.name].role for s in chosen] == ["main", "custom", "control"]
