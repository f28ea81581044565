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

SESSIONS = pd.DatetimeIndex(
    ["2024-01-02", "2024-01-03", "2024-01-04", "2024-01-05", "2024-01-08", "2024-01-09"],
    name="session",
)
HOLD_LONG = Strategy("hold-long", long="hold", short="flat")


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
    # follows a rise of 10 % a session with one purchase, which at 1 % costs is of 100 / 1.01
    closes = [100.0, 110.0, 121.0, 133.1, 146.41, 161.051]
    found = _run(_market(closes), strategy("always-follow"), costs=Costs(fees_bps=100.0))
    assert found.metrics.break_even_bps == pytest.approx(1e4 * 0.3 / (1 / 1.01), rel=1e-12)
    assert found.metrics.total_return == pytest.approx(1.331 / 1.01 - 1.0, rel=1e-12)
    assert found.trades["fees"].tolist() == pytest.approx([1 / 1.01])


def test_returns_by_label_when_filled_at_the_close() -> None:
    # decided after 0 and 1 under long, so held into 2 and 3; flat from the close of 3
    found = _run(_market([100.0, 100.0, 110.0, 104.5, 200.0, 300.0]), HOLD_LONG)
    np.testing.assert_allclose(found.returns, [0.0, 0.1, -0.05, 0.0, 0.0], atol=1e-12)
    long, short = found.by_regime["long"], found.by_regime["short"]
    assert (long.sessions, long.exposure, short.sessions, short.exposure) == (2, 1.0, 2, 0.0)
    assert long.mean_bps == pytest.approx(250.0)
    assert long.total_return == pytest.approx(0.05)
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
