"""Interest, borrowing, dividends, lots, stops and leverage against a plain account, and by hand."""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from property_search import examples
from reference_account import PlainAccount
from small_plans import plan_of, schedule_of, sessions_from_2024

from gexlab.backtest.execution.costs import FREE, Costs
from gexlab.backtest.execution.engine import Simulation, portfolio, simulate
from gexlab.backtest.execution.terms import Terms, lot_named
from gexlab.data.base.errors import ConfigError, InputFileError


def _days(sessions: pd.DatetimeIndex) -> np.ndarray[Any, Any]:
    return np.append(0.0, np.diff(sessions.to_numpy()) / np.timedelta64(1, "D"))


def _terms(n: int, **changes: Any) -> Terms:
    arrays = ("half_spread", "cash_rate", "financing_rate", "borrow_rate", "dividends")
    values = {name: np.full(n, 0.0) + changes.pop(name, 0.0) for name in arrays}
    return Terms(**values, days=_days(sessions_from_2024(n)), **changes)


def _run(
    bars: pd.DataFrame, targets: list[float], fill: Any, terms: Terms, costs: Costs = FREE,
    cash: float = 10_000.0,
) -> Simulation:  # fmt: skip
    bars = bars.set_axis(sessions_from_2024(len(bars)))
    plan = plan_of(np.array(targets))
    return simulate([plan], bars, schedule_of(len(bars), fill), costs, cash, terms)


def _bars(*rows: tuple[float, float, float, float]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["open", "high", "low", "close"])


@st.composite
def _market(draw: st.DrawFn) -> pd.DataFrame:
    n = draw(st.integers(3, 30))
    seed = draw(st.integers(0, 10_000))
    rng = np.random.default_rng(seed)
    close = 100.0 * np.cumprod(1.0 + rng.normal(0.0, 0.03, n))
    opened = close * (1.0 + rng.normal(0.0, 0.02, n))
    top = np.maximum(close, opened) * (1.0 + np.abs(rng.normal(0.0, 0.01, n)))
    low = np.minimum(close, opened) * (1.0 - np.abs(rng.normal(0.0, 0.01, n)))
    bars = pd.DataFrame({"open": opened, "high": top, "low": low, "close": close})
    bars["dividend"] = np.where(rng.random(n) < 0.3, rng.random(n), 0.0)
    bars["half_spread"] = rng.random(n) * 0.2
    picks = np.array([np.nan, -1.0, -0.5, 0.0, 0.3, 1.0, 2.0])
    bars["target"] = np.append(np.nan, rng.choice(picks, n - 1))
    return bars


_SETTINGS: dict[str, st.SearchStrategy[Any]] = {
    "cash_rate": st.sampled_from([0.0, 0.05]),
    "financing_rate": st.sampled_from([0.0, 0.09]),
    "borrow_rate": st.sampled_from([0.0, 0.03]),
    "lot": st.sampled_from([0.0, 1.0, 7.0]),
    "stop_loss": st.sampled_from([None, 0.01, 0.04]),
    "take_profit": st.sampled_from([None, 0.015, 0.05]),
    "max_holding": st.sampled_from([0, 1, 3]),
    "max_leverage": st.sampled_from([0.7, 1.0, 2.0]),
    "future": st.booleans(),
    "fees_bps": st.sampled_from([0.0, 7.3]),
    "slippage_bps": st.sampled_from([0.0, 4.0]),
    "fixed": st.sampled_from([0.0, 0.4]),
}


@examples(20)
@given(
    bars=_market(),
    settings=st.fixed_dictionaries(_SETTINGS),
    fill=st.sampled_from(["next_open", "next_close"]),
)
def test_fills_and_accounts_are_those_of_a_plain_account(
    bars: pd.DataFrame, settings: dict[str, Any], fill: str
) -> None:
    n = len(bars)
    given_ = dict(settings)
    costs = Costs(given_["fees_bps"], given_["slippage_bps"], given_["fixed"])
    unit = given_["lot"] or 1.0
    terms = _terms(
        n,
        half_spread=bars["half_spread"].to_numpy(),
        dividends=bars["dividend"].to_numpy(),
        **{k: given_[k] for k in ("cash_rate", "financing_rate", "borrow_rate", "lot")},
        unit=unit,
        stop_loss=given_["stop_loss"] or np.nan,
        take_profit=given_["take_profit"] or np.nan,
        max_holding=given_["max_holding"],
        max_leverage=given_["max_leverage"],
        funded=not given_["future"],
    )
    found = _run(bars, bars["target"].tolist(), fill, terms, costs)
    rows: Any = bars.assign(days=terms.days).to_dict("records")
    where = "open" if fill == "next_open" else "close"
    plain = PlainAccount(where=where, cash=10_000.0, unit=unit, **given_)
    plain.run(rows, bars["target"].tolist())
    expected = pd.DataFrame(plain.closes)
    np.testing.assert_allclose(found.equity["s"], expected["equity"], rtol=1e-10, atol=1e-6)
    np.testing.assert_allclose(found.shares["s"], expected["shares"], rtol=1e-10, atol=1e-9)
    assert bool(found.accounts) is not terms.plain
    for account, name in product(found.accounts, ("cash", "interest", "borrowing", "dividends")):
        np.testing.assert_allclose(getattr(account, name), expected[name], rtol=1e-10, atol=1e-6)
    wanted = pd.DataFrame(plain.fills, columns=["row", "size", "price", "fees", "why"])
    orders = found.orders.rename(columns={"cause": "why"})
    assert orders[["row", "why"]].to_numpy().tolist() == wanted[["row", "why"]].to_numpy().tolist()
    for name in ("size", "price", "fees"):
        found_, want = orders[name].to_numpy(), wanted[name].to_numpy(dtype=float)
        np.testing.assert_allclose(found_, want, rtol=1e-10, atol=1e-10)


def test_interest_dividends_and_the_spread_by_hand() -> None:
    # Tue 2 to Fri 5 January 2024: long half from the open of the 3rd, at 100 plus 5 cents
    bars = _bars(*[(100.0, 100.0, 100.0, 100.0)] * 3, (98.0, 98.0, 98.0, 98.0))
    terms = _terms(4, cash_rate=0.0365, dividends=np.array([0.0, 0.0, 0.0, 2.0]), half_spread=0.05)
    found = _run(bars, [np.nan, 0.5, np.nan, np.nan], "next_open", terms)
    (account,) = found.accounts
    # one day's interest on 10,000 is 10,000 x 0.0365 / 365 = 1
    assert account.interest[1] == pytest.approx(1.0, rel=1e-12)
    shares = 0.5 * 10_001.0 / 100.0
    cash = 10_001.0 - shares * 100.05
    assert found.orders["price"].tolist() == pytest.approx([100.05])
    assert account.cash[1] == pytest.approx(cash, rel=1e-12)
    cash += cash * 1e-4
    cash += cash * 1e-4 + 2.0 * shares
    assert found.equity["s"].iloc[-1] == pytest.approx(cash + 98.0 * shares, rel=1e-12)


def test_borrowed_shares_and_borrowed_money_by_hand() -> None:
    # over a weekend (Fri 5 to Mon 8 January 2024: three days)
    bars = _bars(*[(100.0, 100.0, 100.0, 100.0)] * 5)
    terms = _terms(5, borrow_rate=0.0365, financing_rate=0.073, max_leverage=2.0)
    short = _run(bars, [np.nan, np.nan, -1.0, np.nan, np.nan], "next_close", terms)
    # 100 shares borrowed at 100: a day costs 10,000 x 0.0365 / 365 = 1
    assert short.accounts[0].borrowing.tolist() == pytest.approx([0.0, 0.0, 0.0, -1.0, -3.0])
    assert short.equity["s"].iloc[-1] == pytest.approx(9_996.0, rel=1e-12)
    levered = _run(bars, [np.nan, np.nan, 1.5, np.nan, np.nan], "next_close", terms)
    # 150 shares for 15,000, of which 5,000 are borrowed: a day costs 5,000 x 0.073 / 365 = 1
    assert levered.shares["s"].iloc[-1] == pytest.approx(150.0)
    assert levered.accounts[0].interest[3] == pytest.approx(-1.0, rel=1e-12)
    assert levered.accounts[0].interest[4] == pytest.approx(-3.0 * 5_001.0 / 5_000.0, rel=1e-12)


def test_leverage_is_capped_and_counted() -> None:
    bars = _bars(*[(100.0, 100.0, 100.0, 100.0)] * 3)
    found = _run(bars, [np.nan, 3.0, np.nan], "next_open", _terms(3, max_leverage=2.0))
    assert found.shares["s"].tolist() == pytest.approx([0.0, 200.0, 200.0])
    assert found.accounts[0].capped == 1


def test_lots_are_whole_and_never_more_than_asked_for() -> None:
    bars = _bars((4_000.0, 4_000.0, 4_000.0, 4_000.0), (4_000.0, 4_100.0, 4_000.0, 4_100.0))
    # a million buys 250 points of the index; an ES contract is 50 of them, a SPY share a tenth
    for lot, units, held in ((50.0, 250.0, 250.0), (60.0, 240.0, 240.0), (0.1, 250.0, 250.0)):
        found = _run(bars, [np.nan, 1.0], "next_open", _terms(2, lot=lot), cash=1e6)
        assert found.shares["s"].iloc[-1] == pytest.approx(held)
        assert found.equity["s"].iloc[-1] == pytest.approx(1e6 + 100.0 * units)
    charged = _run(
        bars, [np.nan, -1.0], "next_open", _terms(2, lot=50.0, unit=50.0),
        Costs(fixed_per_share=2.5), cash=1e6,
    )  # fmt: skip
    assert charged.orders["fees"].tolist() == pytest.approx([12.5])  # five contracts


def test_a_stop_within_the_bar_of_the_entry_makes_two_fills() -> None:
    bars = _bars(
        (100.0, 100.0, 100.0, 100.0),
        (100.0, 101.0, 97.0, 99.0),  # bought at 100, stopped at 98
        (99.0, 99.0, 99.0, 99.0),  # still wanted, but stopped out
        (99.0, 99.0, 99.0, 99.0),  # another side: goes again
        (99.0, 99.0, 99.0, 99.0),
    )
    found = _run(bars, [np.nan, 1.0, 1.0, -1.0, 1.0], "next_open", _terms(5, stop_loss=0.02))
    assert found.orders["row"].tolist() == [1, 1, 3, 4]
    assert found.orders["cause"].tolist() == [0, 1, 0, 0]
    assert found.orders["price"].tolist() == pytest.approx([100.0, 98.0, 99.0, 99.0])
    assert found.equity["s"].tolist() == pytest.approx([10_000.0, *[9_800.0] * 4])
    assert found.round_trips["status"].tolist() == ["closed", "closed", "open"]


def test_a_gap_beyond_the_stop_fills_at_the_open() -> None:
    bars = _bars(*[(100.0, 100.0, 100.0, 100.0)] * 2, (90.0, 95.0, 89.0, 94.0))
    found = _run(bars, [np.nan, 1.0, 1.0], "next_close", _terms(3, stop_loss=0.05))
    assert found.orders["price"].tolist() == pytest.approx([100.0, 90.0])
    short = _run(bars, [np.nan, -1.0, -1.0], "next_close", _terms(3, take_profit=0.02))
    assert short.orders["price"].tolist() == pytest.approx([100.0, 90.0])
    assert short.orders["cause"].tolist() == [0, 2]


def test_a_position_is_closed_after_its_time() -> None:
    bars = _bars(*[(100.0, 100.0, 100.0, 100.0)] * 6)
    found = _run(bars, [np.nan, 1.0, 1.0, 1.0, 1.0, 0.0], "next_open", _terms(6, max_holding=2))
    assert found.orders["row"].tolist() == [1, 3]
    assert found.orders["cause"].tolist() == [0, 3]


def test_a_future_earns_on_all_equity() -> None:
    bars = _bars(*[(100.0, 100.0, 100.0, 100.0)] * 3)
    terms = _terms(3, cash_rate=0.0365, funded=False)
    found = _run(bars, [1.0, np.nan, np.nan], "next_close", terms)
    assert found.accounts[0].interest.tolist() == pytest.approx([0.0, 1.0, 1.0001])


def test_dividends_are_put_to_work_by_a_target_that_stays_full() -> None:
    bars = _bars(*[(100.0, 100.0, 100.0, 100.0)] * 3)
    terms = _terms(3, dividends=np.array([0.0, 0.0, 1.0]))
    found = _run(bars, [1.0, 1.0, 1.0], "next_close", terms)
    assert found.orders["row"].tolist() == [0, 2]
    assert found.shares["s"].iloc[-1] == pytest.approx(101.0)


def test_exits_within_a_bar_need_its_range() -> None:
    bars = _bars((100.0, 100.0, 100.0, 100.0), (100.0, np.nan, 99.0, 100.0))
    with pytest.raises(InputFileError, match="bar of 2024-01-03 has no high"):
        _run(bars, [np.nan, 1.0], "next_open", _terms(2, stop_loss=0.02))


def test_the_librarys_portfolio_has_the_same_fills() -> None:
    bars = _bars(
        (100.0, 100.0, 100.0, 100.0), (100.0, 101.0, 97.0, 99.0), (99.0, 99.0, 99.0, 99.0)
    ).set_axis(sessions_from_2024(3))
    plan, schedule = plan_of(np.array([np.nan, 1.0, -0.5])), schedule_of(3, "next_open")
    for terms in (None, _terms(3, stop_loss=0.02)):
        found = portfolio(plan, bars, schedule, Costs(2.0), 10_000.0, terms)
        wanted = simulate([plan], bars, schedule, Costs(2.0), 10_000.0, terms)
        assert type(found).__name__ == "Portfolio"
        records = found.orders.records
        assert records["size"].tolist() == wanted.orders["size"].abs().tolist()
        assert found.value().to_numpy().ravel()[-1] == pytest.approx(wanted.equity["s"].iloc[-1])


def test_lots_go_with_the_bars() -> None:
    assert [lot_named(n, "SPX") for n in (None, "share", "SPY", "ES", "MES", 12)] == [
        0.0, 1.0, 0.1, 50.0, 5.0, 12.0,
    ]  # fmt: skip
    assert lot_named("SPY", "SPY") == 1.0
    with pytest.raises(ConfigError, match=r"'ES': expected bars of SPX or ES, found .* 'SPY'"):
        lot_named("ES", "SPY")
    with pytest.raises(ConfigError, match="expected bars of SPY or SPX"):
        lot_named("SPY", "QQQ")


@pytest.mark.parametrize("lot", [0.0, 50.0])
def test_initial_capital_matters_with_lots_alone(lot: float) -> None:
    rng = np.random.default_rng(3)
    close = 100.0 * np.cumprod(1.0 + rng.normal(0.0, 0.02, 12))
    bars = pd.DataFrame({"open": close, "high": close * 1.01, "low": close * 0.99, "close": close})
    targets = [np.nan, 1.0, np.nan, -0.5, np.nan, 0.7, 0.0, 1.0, np.nan, -1.0, 0.3, np.nan]
    rates = {"cash_rate": 0.05, "borrow_rate": 0.03, "half_spread": 0.02, "dividends": 0.1}
    costs = Costs(fees_bps=3.0, fixed_per_share=0.05)
    small, large = (
        _run(bars, targets, "next_open", _terms(12, lot=lot, **rates), costs, cash).equity["s"]
        for cash in (1e4, 1e6)
    )
    same = np.allclose(small / 1e4, large / 1e6, rtol=1e-10)
    assert same == (lot == 0.0)
