"""The engine against a plain portfolio, and its refusals."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from property_search import examples
from reference_portfolio import portfolio_equity
from small_plans import NAT, plan_of, schedule_of, sessions_from_2024

from gexlab.backtest.execution.costs import FREE, Costs
from gexlab.backtest.execution.engine import engine_name, simulate
from gexlab.backtest.execution.timing import OrderPlan
from gexlab.backtest.statistics.metrics import equity_returns, sharpe
from gexlab.data.base.errors import InputFileError, LookAheadError


def _bars(opens: Any, closes: Any) -> pd.DataFrame:
    return pd.DataFrame({"open": opens, "close": closes}, index=sessions_from_2024(len(closes)))


@st.composite
def _market(draw: st.DrawFn) -> dict[str, Any]:
    n = draw(st.integers(2, 40))
    step = st.floats(-0.2, 0.2)
    closes = 100.0 * np.cumprod(1.0 + np.array(draw(st.lists(step, min_size=n, max_size=n))))
    gap = np.array(draw(st.lists(st.floats(-0.05, 0.05), min_size=n, max_size=n)))
    target = st.one_of(st.just(np.nan), st.sampled_from([-1.0, 0.0, 1.0]), st.floats(-1.0, 1.0))
    targets = np.array([np.nan, *draw(st.lists(target, min_size=n - 1, max_size=n - 1))])
    return {"closes": closes, "opens": closes * (1.0 + gap), "targets": targets}


def _dust(target: float) -> dict[str, Any]:
    """Return a market in which a short position is left for `target` and taken again."""
    closes = np.array([100.0, 100.0, 80.0, 80.0, 100.0])
    targets = np.array([np.nan, -1.0, target, -1.0, np.nan])
    return {"closes": closes, "opens": closes, "targets": targets}


@examples(120)
@example(_dust(1.6e-10), "next_close", 0.0, 0.0, 0.0)  # the library closes a position for it
@example(_dust(1.6e-10), "next_open", 7.3, 25.0, 0.1)
@example(_dust(-1.6e-10), "next_close", 0.0, 0.0, 0.0)
@example(_dust(9.99e-10), "next_close", 0.0, 0.0, 0.0)
@example(_dust(1.01e-9), "next_close", 0.0, 0.0, 0.0)
@example(_dust(1e-8), "next_close", 0.5, 0.0, 0.0)
@example(_dust(1.0 - 5e-10), "next_close", 0.0, 0.0, 0.0)  # and spends what cash would be left
@given(
    market=_market(),
    fill=st.sampled_from(["next_open", "next_close"]),
    fees=st.sampled_from([0.0, 0.5, 7.3, 100.0]),
    slippage=st.sampled_from([0.0, 1.0, 25.0]),
    fixed=st.sampled_from([0.0, 0.005, 0.1]),
)
def test_equity_is_that_of_a_plain_portfolio(
    market: dict[str, Any], fill: Any, fees: float, slippage: float, fixed: float
) -> None:
    bars = _bars(market["opens"], market["closes"])
    schedule = schedule_of(len(bars), fill)
    found = simulate(
        [plan_of(market["targets"])], bars, schedule, Costs(fees, slippage, fixed), 10_000.0
    )
    expected = portfolio_equity(
        market["closes"],
        market["opens"] if fill == "next_open" else market["closes"],
        market["targets"],
        fees_bps=fees,
        slippage_bps=slippage,
        fixed_per_share=fixed,
        cash=10_000.0,
    )
    np.testing.assert_allclose(found.equity["s"], expected, rtol=1e-10, atol=1e-6)


def test_a_position_too_small_to_be_real_is_flat() -> None:
    closes = np.array([100.0, 100.0, 150.0])
    bars = _bars(closes, closes)
    found = {}
    for target in (9.9e-10, 1e-9, -9.9e-10, -1e-9):
        plan = plan_of(np.array([np.nan, target, np.nan]))
        found[target] = simulate([plan], bars, schedule_of(3, "next_close"), FREE, 1e9)
    # 1e-9 of a billion is one currency unit: a hundredth of a share at 100
    assert [len(s.orders) for s in found.values()] == [0, 1, 0, 1]
    assert found[1e-9].orders["size"].tolist() == pytest.approx([0.01])
    assert found[-1e-9].equity["s"].iloc[-1] == pytest.approx(1e9 - 0.5, abs=1e-6)


def test_a_hand_calculation() -> None:
    # 1,000 at 100 with 10 bp: buys 1000 / 100.1 shares; at 110 sells them and as many again
    bars = _bars([100.0] * 3, [100.0, 110.0, 99.0])
    plan = plan_of(np.array([1.0, -1.0, 0.0]))
    found = simulate([plan], bars, schedule_of(3, "next_close"), Costs(fees_bps=10.0), 1_000.0)
    shares = 1000 / 100.1
    after = shares * 110 - 2 * shares * 110 * 0.001
    last = after + shares * (110 - 99) - shares * 99 * 0.001
    np.testing.assert_allclose(found.equity["s"], [shares * 100, after, last], rtol=1e-12)
    assert found.orders["size"].round(9).tolist() == [
        round(shares, 9),
        round(-2 * shares, 9),
        round(shares, 9),
    ]
    assert found.round_trips["direction"].tolist() == ["long", "short"]
    assert found.round_trips["status"].tolist() == ["closed", "closed"]


def test_several_portfolios_do_not_touch_each_other() -> None:
    closes = np.array([100.0, 105.0, 95.0, 100.0])
    bars = _bars(closes, closes)
    plans = [plan_of(np.array([np.nan, t, -t, t]), name) for name, t in (("a", 1.0), ("b", -0.5))]
    both = simulate(plans, bars, schedule_of(4, "next_close"), Costs(5.0), 1e6)
    for plan in plans:
        alone = simulate([plan], bars, schedule_of(4, "next_close"), Costs(5.0), 1e6)
        pd.testing.assert_series_equal(both.equity[plan.name], alone.equity[plan.name])


def test_full_exposure_earns_position_times_return() -> None:
    rng = np.random.default_rng(3)
    closes = 100.0 * np.cumprod(1.0 + rng.normal(0.0, 0.01, 300))
    targets = np.sign(rng.normal(size=300))
    bars = _bars(closes, closes)
    found = simulate([plan_of(targets)], bars, schedule_of(300, "next_close"), FREE, 1e6)
    returns = equity_returns(found.equity["s"].to_numpy())
    np.testing.assert_allclose(returns, targets[:-1] * (closes[1:] / closes[:-1] - 1.0), atol=1e-12)


def test_the_library_itself_agrees_on_the_sharpe_ratio() -> None:
    import vectorbt

    rng = np.random.default_rng(4)
    equity = pd.Series(
        1e6 * np.cumprod(1.0 + rng.normal(0.0, 0.01, 300)), index=sessions_from_2024(300)
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        library: Any = equity.pct_change().iloc[1:]
        accessor = library.vbt.returns(freq="1D", year_freq="252 days")
        theirs = accessor.sharpe_ratio()
    assert vectorbt.__version__.startswith("1.")
    assert sharpe(equity_returns(equity.to_numpy())) == pytest.approx(theirs, rel=1e-12)


def test_a_ruined_portfolio_stops_trading() -> None:
    # short 100 at 100, then the price more than doubles: equity is gone and no order follows
    closes = np.array([100.0, 250.0, 50.0])
    bars = _bars(closes, closes)
    found = simulate(
        [plan_of(np.array([-1.0, 1.0, 1.0]))], bars, schedule_of(3, "next_close"), FREE, 1_000.0
    )
    assert found.equity["s"].tolist() == [1000.0, -500.0, 1500.0]
    assert np.isnan(equity_returns(found.equity["s"].to_numpy())).tolist() == [True, True]


@pytest.mark.parametrize("title", ["regime", "bars"])
def test_an_order_that_knew_too_much_is_refused(title: str) -> None:
    closes = np.full(5, 100.0)
    schedule = schedule_of(5, "next_open")
    plan = plan_of(np.array([np.nan, 1.0, 0.0, 1.0, 0.0]))
    late = np.full(5, NAT)
    # the order of row 3 fills at the open of that session; its input came a nanosecond after it
    late[3] = schedule.due[2] + np.timedelta64(1, "ns")
    inputs = {**plan.inputs, title: late}
    planted = OrderPlan(plan.name, plan.target, plan.decided, plan.label, inputs)
    session = schedule.sessions[2].date()
    with pytest.raises(
        LookAheadError, match=rf"session {session} reads {title} known at"
    ) as caught:
        simulate([planted], _bars(closes, closes), schedule, FREE, 1e6)
    assert "\n" not in str(caught.value)
    late[3] = schedule.due[2]
    simulate([planted], _bars(closes, closes), schedule, FREE, 1e6)


def test_at_the_same_close_an_input_must_come_before() -> None:
    closes = np.full(3, 100.0)
    schedule = schedule_of(3, "same_close")
    targets = np.array([1.0, 0.0, 1.0])
    known = schedule.due.copy()
    plan = OrderPlan("s", targets, np.arange(3), np.full(3, "long"), {"regime": known})
    with pytest.raises(LookAheadError, match="same_close"):
        simulate([plan], _bars(closes, closes), schedule, FREE, 1e6)
    known -= np.timedelta64(1, "ns")
    simulate([plan], _bars(closes, closes), schedule, FREE, 1e6)


def test_a_fill_needs_a_price() -> None:
    opens = np.array([100.0, np.nan, 100.0])
    bars = _bars(opens, [100.0] * 3)
    with pytest.raises(InputFileError, match="bar of 2024-01-03 has no open"):
        simulate(
            [plan_of(np.array([np.nan, 1.0, 0.0]))], bars, schedule_of(3, "next_open"), FREE, 1e6
        )
    idle = plan_of(np.array([np.nan, np.nan, 1.0]))
    assert len(simulate([idle], bars, schedule_of(3, "next_open"), FREE, 1e6).orders) == 1


def test_warning_filters_survive_the_engine() -> None:
    before = list(warnings.filters)
    name = engine_name()
    assert warnings.filters == before
    assert name.startswith("vectorbt 1.")


def test_the_librarys_global_settings_do_not_act() -> None:
    import vectorbt

    closes = np.array([100.0, 110.0, 121.0])
    bars = _bars(closes, closes)
    plan = plan_of(np.array([1.0, np.nan, 0.0]))
    expected = simulate([plan], bars, schedule_of(3, "next_close"), FREE, 1e6).equity
    portfolio = vectorbt.settings["portfolio"]
    saved = dict(portfolio)
    try:
        portfolio.update({"fees": 0.1, "slippage": 0.1, "init_cash": 1.0, "lock_cash": True})
        found = simulate([plan], bars, schedule_of(3, "next_close"), FREE, 1e6).equity
    finally:
        portfolio.update(saved)
    pd.testing.assert_frame_equal(found, expected)
