"""Intraday bars are held against the daily ones."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from gexlab.backtest.run.soundness import off_daily_bars
from gexlab.data.tables.bars import load_bars
from gexlab.data.tables.intraday_bars import IntradaySet, load_intraday


def _daily() -> pd.DataFrame:
    days = pd.bdate_range("2024-01-02", periods=30)
    close = 400.0 + np.arange(30.0)
    return pd.DataFrame(
        {"open": close, "high": close * 1.005, "low": close * 0.995, "close": close}, index=days
    )


def _intraday(daily: pd.DataFrame, factor: float = 1.0) -> IntradaySet:
    rows = [
        {"session": day, "ts": day + pd.Timedelta(hours=hour), "close": price * factor}
        for day, close in zip(daily.index, daily["close"], strict=True)
        for hour, price in ((15, close - 1.0), (20, close))
    ]
    return IntradaySet(pd.DataFrame(rows), 60.0, 0, 0, 0)


def test_the_last_price_is_the_close() -> None:
    assert off_daily_bars(_daily(), _intraday(_daily())) == ()


def test_a_session_of_another_day_is_named() -> None:
    daily = _daily()
    intraday = _intraday(daily)
    intraday.frame.loc[41, "close"] = daily["close"].iloc[20] * 0.994  # 0.6 of a range of 1 %
    [finding] = off_daily_bars(daily, intraday)
    assert (finding.check, str(finding.session)) == ("intraday_off_close", "2024-01-30")
    assert finding.detail == "last intraday price 417.48, daily close 420"


@pytest.mark.parametrize("factor", [2.0, 0.1, 1.0127])
def test_other_prices_are_one_finding(factor: float) -> None:
    [finding] = off_daily_bars(_daily(), _intraday(_daily(), factor))
    assert (finding.check, finding.session, finding.count) == ("intraday_of_other_prices", None, 26)
    assert f"{factor:.4g} times the daily close" in finding.detail


def test_real_bars_raise_no_alarm(shared_data: Path) -> None:
    folder = shared_data / "bars"
    for name, root in (("spx_5min_2025_2026", "SPX"), ("spy_1min_2025_2026", "SPY")):
        daily = load_bars(folder / "spx_spy_qqq_vix_daily_1995_2026.parquet", where={"root": root})
        intraday = load_intraday(folder / f"{name}.parquet")
        assert (
            len(off_daily_bars(daily.frame, intraday)) <= 0.01 * intraday.frame["session"].nunique()
        )
