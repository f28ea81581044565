"""The grid of intraday bars, cell by cell."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest

from gexlab.backtest.statistics.intraday import IntradayGrid, intraday_grid
from gexlab.data.base.errors import NotEnoughDataError
from gexlab.data.calendar.trading import trading_calendar

CALENDAR = trading_calendar()


def _frame(day: str, minutes: int, count: int, skip: tuple[int, ...] = ()) -> pd.DataFrame:
    """Bars from the New York open (14:30 UTC in winter); bar k opens at 100 + k, closes + 1."""
    start = pd.Timestamp(f"{day} 14:30", tz="UTC")
    keep = [k for k in range(count) if k not in skip]
    return pd.DataFrame(
        {
            "session": pd.Timestamp(day),
            "ts": [start + pd.Timedelta(minutes=minutes * k) for k in keep],
            "open": [100.0 + k for k in keep],
            "close": [101.0 + k for k in keep],
        }
    )


def test_a_full_session() -> None:
    grid = intraday_grid(_frame("2025-01-07", 5, 78), CALENDAR, 5)
    assert (grid.minutes, grid.length, grid.carried) == (5, 390, 0)
    np.testing.assert_allclose(np.exp(grid.log_prices[0]), 100.0 + np.arange(79))
    assert grid.full.all()
    assert math.exp(grid.at(30)[0]) == pytest.approx(106.0)
    assert math.exp(grid.at(-30)[0]) == pytest.approx(172.0)
    half_hours = grid.returns(30)
    assert half_hours.shape == (1, 13)
    assert half_hours[0, 0] == pytest.approx(math.log(106 / 100))


def test_shorter_bars_fill_a_wider_grid() -> None:
    grid = intraday_grid(_frame("2025-01-07", 1, 390), CALENDAR, 30)
    np.testing.assert_allclose(np.exp(grid.log_prices[0]), 100.0 + 30 * np.arange(14))


def test_early_close_ends_in_nan() -> None:
    # 2025-12-24 closed at 13:00; bars printed afterwards do not count
    frame = pd.concat([_frame("2025-12-23", 5, 78), _frame("2025-12-24", 5, 60)])
    grid = intraday_grid(frame, CALENDAR, 5)
    assert grid.full.tolist() == [True, False]
    assert math.exp(grid.log_prices[1, 42]) == pytest.approx(142.0)
    assert np.isnan(grid.log_prices[1, 43:]).all()


def test_missing_bars_carry_the_price_and_are_counted() -> None:
    grid = intraday_grid(_frame("2025-01-07", 5, 78, skip=(3, 4, 77)), CALENDAR, 5)
    np.testing.assert_allclose(np.exp(grid.log_prices[0, 3:7]), [103, 103, 103, 106])
    assert grid.carried == 3
    assert grid.full.all()


def test_a_late_first_bar_leaves_the_open_unknown() -> None:
    grid = intraday_grid(_frame("2025-01-07", 5, 78, skip=(0, 1)), CALENDAR, 5)
    assert np.isnan(grid.log_prices[0, :3]).all()
    assert not grid.full.any()


def test_order_of_rows_does_not_matter() -> None:
    frame = pd.concat([_frame("2025-01-08", 5, 78), _frame("2025-01-07", 5, 78)])
    shuffled = frame.sample(frac=1.0, random_state=3)
    one, other = (intraday_grid(f, CALENDAR, 15) for f in (frame, shuffled))
    np.testing.assert_array_equal(one.log_prices, other.log_prices)
    assert one.sessions.tolist() == sorted(other.sessions.tolist())


def test_errors_say_what_to_do() -> None:
    with pytest.raises(NotEnoughDataError, match="these have 60"):
        intraday_grid(_frame("2025-01-07", 60, 7), CALENDAR, 5)
    with pytest.raises(NotEnoughDataError, match="UTC start"):
        intraday_grid(_frame("2025-01-04", 5, 78), CALENDAR, 5)  # a Saturday
    grid = IntradayGrid(np.array(["2025-01-07"], "M8[D]"), 30, np.zeros((1, 14)))
    with pytest.raises(NotEnoughDataError, match="minute 45"):
        grid.at(45)
    with pytest.raises(NotEnoughDataError, match="over 5 minutes"):
        grid.returns(5)
