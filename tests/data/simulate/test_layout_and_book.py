"""What is listed and what customers hold, against the rules they are stated by."""

from __future__ import annotations

from datetime import date

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from property_search import examples

from gexlab.data import GexlabError, trading_calendar
from gexlab.data.simulate.market.book import empty_book, listing, trade
from gexlab.data.simulate.market.listings import expiries, ladder_for, layout_for

CALENDAR = trading_calendar()
LARGE = layout_for(10_000)


def position(day: date) -> int:
    found: int = CALENDAR.position(day)
    return found


def test_a_large_market_lists_what_the_exchange_lists() -> None:
    # 2022-12-12 to 2022-12-12: by hand from the rules (10 daily, 8 weekly, 12 monthly AM and PM,
    # quarterly; June's and December's to two years)
    day = position(date(2022, 12, 12))
    quoted = [e for e in expiries(LARGE, CALENDAR, day, day) if e.listed <= day]
    listed = {(e.expiry, e.settlement) for e in quoted}
    assert (date(2022, 12, 12), "PM") in listed  # expires today
    assert (date(2022, 12, 12), "AM") not in listed  # gone at the open
    daily = [CALENDAR.shift(date(2022, 12, 12), k) for k in range(11)]
    assert {(d, "PM") for d in daily} <= listed
    assert {(date(2022, 12, 16), "AM"), (date(2022, 12, 16), "PM")} <= listed
    assert (date(2023, 4, 21), "AM") in listed
    assert (date(2023, 4, 20), "PM") not in listed
    assert (date(2024, 6, 21), "AM") in listed
    assert (date(2024, 7, 19), "AM") not in listed
    assert max(d for d, _ in listed) == date(2024, 9, 20)
    assert all(CALENDAR.is_session(d) for d, _ in listed)


def test_decembers_are_listed_two_years_ahead() -> None:
    day = position(date(2022, 12, 21))
    quoted = [e for e in expiries(layout_for(600), CALENDAR, day, day) if e.listed <= day]
    assert max(e.expiry for e in quoted) == date(2024, 12, 20)


def test_an_expiration_once_listed_stays_until_it_dies() -> None:
    found = expiries(layout_for(600), CALENDAR, 6_000, 6_250)
    assert len(set(found)) == len(found)
    assert all(e.listed < e.dies for e in found)
    assert [(e.expiry, e.settlement) for e in found] == sorted(
        (e.expiry, e.settlement) for e in found
    )


@pytest.mark.parametrize("contracts", [100, 50_000])
def test_a_market_has_a_sensible_size(contracts: int) -> None:
    with pytest.raises(GexlabError, match=r"200 to 40000 contracts a session, found"):
        layout_for(contracts)


def book_after(sessions: int, decay: float) -> tuple[float, float]:
    """Calls and puts open after some sessions at one price and one expiration far away."""
    layout = layout_for(600)
    ladder = ladder_for(layout, 4_000.0)
    day = position(date(2022, 12, 21))
    quoted = tuple(
        e for e in expiries(layout, CALENDAR, day, day) if e.expiry == date(2024, 12, 20)
    )
    book = empty_book(1, ladder)
    years = np.array([2.0])
    for _ in range(sessions):
        listed = listing(book, quoted, years, layout, ladder, 4_000.0)
        trade(book, listed, years, 4_000.0, calls=300.0, puts=500.0, decay=decay)
    calls, puts = book.interest.sum(axis=(0, 1))
    return float(calls), float(puts)


@examples(10)
@given(sessions=st.integers(1, 60), decay=st.floats(0.0, 0.5))
def test_open_interest_builds_and_decays_as_a_geometric_series(sessions: int, decay: float) -> None:
    total = sum((1 - decay) ** k for k in range(sessions))
    assert book_after(sessions, decay) == pytest.approx((300 * total, 500 * total), rel=1e-12)


def test_customers_sell_calls_above_and_buy_puts_below() -> None:
    layout = layout_for(600)
    ladder = ladder_for(layout, 4_000.0)
    day = position(date(2022, 12, 12))
    quoted = tuple(e for e in expiries(layout, CALENDAR, day, day) if e.listed <= day < e.dies)
    years = np.array([(e.expiry - date(2022, 12, 12)).days / 365 for e in quoted])
    book = empty_book(len(quoted), ladder)
    listed = listing(book, quoted, years, layout, ladder, 4_000.0)
    sold, bought = trade(book, listed, years, 4_000.0, calls=1e5, puts=1e5, decay=0.1)
    above = listed.strike > 4_000.0
    assert sold[above].sum() > 70_000
    assert bought[~above].sum() > 70_000
    assert sold.sum() == pytest.approx(1e5, rel=1e-3)  # nothing was open: opened is all
    assert (listed.calls == 0).all()  # settled overnight: not yet open interest
    # strikes with a position stay listed when the price has moved away
    moved = listing(book, quoted, years, layout, ladder, 5_000.0)
    held = set(np.unique(listed.strike[np.rint(sold) > 0]))
    assert held <= set(moved.strike)


def test_strikes_of_a_ladder_are_an_eight_hundredth_of_the_start_apart() -> None:
    fine, coarse = layout_for(40_000), layout_for(200)
    assert fine.strikes >= 60 > coarse.strikes
    assert ladder_for(fine, 4_000.0, reach=2.0).base == 5.0
    assert ladder_for(fine, 4_000.0, reach=2.0).count == 1_600
    assert ladder_for(coarse, 4_000.0, reach=2.0).base == 25.0
