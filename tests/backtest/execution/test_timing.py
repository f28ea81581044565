"""When decisions fill and by when their inputs must be known, against dates by hand."""

from __future__ import annotations

from typing import Literal

import numpy as np
import pandas as pd
import pytest

from gexlab.backtest.execution.costs import Costs, break_even_bps
from gexlab.backtest.execution.timing import OrderPlan, Schedule, make_schedule, plan_orders
from gexlab.data.calendar.trading import trading_calendar
from gexlab.strategies.decisions import Decisions

# 3 July 2024 closes at 13:00 New York, the 4th is a holiday, and the bar of the 8th is missing
DAYS = ["2024-07-02", "2024-07-03", "2024-07-05", "2024-07-09"]
NONE = -1


def _schedule(fill: Literal["next_open", "next_close", "same_close"]) -> Schedule:
    return make_schedule(trading_calendar("XNYS"), pd.DatetimeIndex(DAYS), fill)


def _stamps(*texts: str) -> list[np.datetime64]:
    return [np.datetime64(text or "NaT", "ns") for text in texts]


def _same(found: object, wanted: list[np.datetime64]) -> None:
    np.testing.assert_array_equal(np.asarray(found), np.array(wanted))


def test_the_next_open() -> None:
    found = _schedule("next_open")
    assert found.row.tolist() == [1, 2, 3, NONE]
    fills = ("2024-07-03T13:30", "2024-07-05T13:30", "2024-07-09T13:30", "")
    _same(found.fill_ts, _stamps(*fills))
    # the order of the 5th must be out for the 8th, although it fills a day later
    due = ("2024-07-03T13:30", "2024-07-05T13:30", "2024-07-08T13:30", "2024-07-10T13:30")
    _same(found.due, _stamps(*due))
    assert not found.strict
    assert found.deadline.tolist() == [pd.Timestamp(d, tz="UTC") for d in due]


def test_the_next_close() -> None:
    found = _schedule("next_close")
    assert found.row.tolist() == [1, 2, 3, NONE]
    _same(found.fill_ts, _stamps("2024-07-03T17:00", "2024-07-05T20:00", "2024-07-09T20:00", ""))
    due = ("2024-07-03T17:00", "2024-07-05T20:00", "2024-07-08T20:00", "2024-07-10T20:00")
    _same(found.due, _stamps(*due))


@pytest.mark.parametrize("fill", ["next_open", "next_close", "same_close"])
def test_a_bar_is_known_at_its_own_close(
    fill: Literal["next_open", "next_close", "same_close"],
) -> None:
    closes = ("2024-07-02T20:00", "2024-07-03T17:00", "2024-07-05T20:00", "2024-07-09T20:00")
    found = _schedule(fill)
    _same(found.known_at, _stamps(*closes))
    assert found.bars_known_at.tolist() == [pd.Timestamp(c, tz="UTC") for c in closes]


def test_at_the_same_close_inputs_are_known_a_nanosecond_before() -> None:
    found = _schedule("same_close")
    assert found.row.tolist() == [0, 1, 2, 3]
    assert found.strict
    _same(found.fill_ts, list(found.known_at))
    assert found.deadline.iloc[1] == pd.Timestamp("2024-07-03T16:59:59.999999999", tz="UTC")


def _plan(targets: list[float], fill: Literal["next_open", "same_close"]) -> OrderPlan:
    schedule = _schedule(fill)
    n = len(targets)
    frame = pd.DataFrame({"target": targets, "label": ["long", "short", "neutral", "abstain"]})
    frame["regime_known_at"] = pd.DatetimeIndex(schedule.known_at, tz="UTC") + pd.Timedelta("1h")
    frame["bars_known_at"] = pd.Series([pd.NaT] * n, dtype="datetime64[ns, UTC]")
    return plan_orders("s", Decisions(frame), schedule)


def test_each_decision_moves_to_the_bar_of_its_fill() -> None:
    plan = _plan([0.5, -1.0, 1.0, 0.25], "next_open")
    np.testing.assert_array_equal(plan.target, [np.nan, 0.5, -1.0, 1.0])
    assert plan.decided.tolist() == [-1, 0, 1, 2]
    assert plan.label.tolist() == ["", "long", "short", "neutral"]
    known = ("", "2024-07-02T21:00", "2024-07-03T18:00", "2024-07-05T21:00")
    _same(plan.inputs["regime"], _stamps(*known))
    _same(plan.decision_ts, _stamps(*known))


def test_orders_that_change_nothing_are_not_sent() -> None:
    """Flat stays flat and fully long stays so; any other position drifts and is restored."""
    cases = {
        (0.0, 0.0, 1.0, 1.0): [np.nan, np.nan, 1.0, np.nan],
        (-1.0, -1.0, 0.5, 0.5): [-1.0, -1.0, 0.5, 0.5],
        (1.0, 0.0, 0.0, 1.0): [1.0, 0.0, np.nan, 1.0],
        (9.9e-10, 1e-9, -9.9e-10, 0.0): [np.nan, 1e-9, 0.0, np.nan],
    }
    for targets, sent in cases.items():
        np.testing.assert_array_equal(_plan(list(targets), "same_close").target, sent)


def test_costs_in_shares_of_the_notional() -> None:
    """Half a basis point and 0.35 cents a share at 50: 0.5e-4 + 0.7e-4."""
    costs = Costs(fees_bps=0.5, slippage_bps=2.0, fixed_per_share=0.0035)
    assert costs.fee_rate(np.array([50.0])) == pytest.approx([1.2e-4], rel=1e-12)
    assert costs.slippage == pytest.approx(2e-4, rel=1e-12)


def test_the_break_even_cost_is_undefined_without_profit_or_trades() -> None:
    gain, trade = np.array([0.0, 0.004, 0.0]), np.array([1.0, 0.0, 1.0])
    assert break_even_bps(gain, trade) == pytest.approx(20.0)
    for profit, traded in ((gain * 0.0, trade), (-gain, trade), (gain, trade * 0.0)):
        assert np.isnan(break_even_bps(profit, traded))
