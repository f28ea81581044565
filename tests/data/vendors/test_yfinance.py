"""yfinance dumps: a made one by hand, real ones, and the alignment of their open interest."""

from __future__ import annotations

from datetime import date, timedelta
from itertools import pairwise
from pathlib import Path

import numpy as np
import pandas as pd
from arrivals import arrived, day, lines, pick, utc
from made_files import YFINANCE

from gexlab.data.calendar.trading import trading_calendar


def test_made_by_hand(tmp_path: Path) -> None:
    file = tmp_path / "dump.csv"
    file.write_text(YFINANCE)
    found = arrived(tmp_path / "lake", "yfinance", "SPY", file)
    assert (found.result.rows_read, found.result.rows_of_others) == (2, 1)
    call = found.row(right="C")
    assert pick(call, "session", "quote_ts", "oi_asof", "open_interest") == (
        day("2026-08-12"), utc(2026, 8, 12, 20), day("2026-08-12"), 3400.0,
    )  # fmt: skip
    # the dump contains a trade of the next morning: nobody had it before
    assert call["known_at"] == utc(2026, 8, 13, 14, 31, 7)
    assert pick(call, "root", "settlement", "expiry_ts", "iv", "spot") == (
        "SPY", "PM", utc(2026, 8, 21, 20), 0.14, 772.5,
    )  # fmt: skip
    put = found.row(right="P")
    assert pick(put, "open_interest", "oi_asof", "iv", "ask", "volume") == (None,) * 5
    assert put["known_at"] == call["known_at"]


def test_open_interest_of_the_date_is_never_known_on_it(tmp_path: Path) -> None:
    """Where no trade proves a later collection, the next open is the earliest moment."""
    file = tmp_path / "dump.csv"
    file.write_text(YFINANCE.replace("2026-08-13 14:31:07", "2026-08-12 20:14:00"))
    found = arrived(tmp_path / "lake", "yfinance", "SPY", file)
    assert {r["known_at"] for r in found.rows} == {utc(2026, 8, 13, 13, 30)}


def test_real_dumps_agree_with_a_plain_reading(tmp_path: Path, shared_data: Path) -> None:
    file = shared_data / "raw" / "yfinance_spy_qqq_iwm_2026.parquet"
    plain = pd.read_parquet(file)
    for underlying in ("SPY", "QQQ", "IWM"):
        found = arrived(tmp_path, "yfinance", underlying, file)
        mine = plain[plain.underlying == underlying]
        assert found.result.rows_written == len(mine)
        assert found.result.rows_of_others == len(plain) - len(mine)
        assert found.result.rows_rejected == 0
        rows = {(str(r["session"]), r["expiry"], r["strike"], r["right"]): r for r in found.rows}
        last = pd.to_datetime(mine.lastTradeDate, utc=True).groupby(mine.quote_date).max()
        for line in lines(mine.iloc[:: max(1, len(mine) // 500)]):
            row = rows[(line.quote_date, day(line.expiry), line.strike, line.type)]
            assert row["oi_asof"] in (row["session"], None)
            assert row["known_at"] == last[line.quote_date]
            assert row["spot"] == line.spot
            assert row["open_interest"] == (
                None if np.isnan(line.openInterest) else line.openInterest
            )


def _traded_on(plain: pd.DataFrame) -> pd.Series:
    stamps = pd.to_datetime(plain.lastTradeDate, utc=True).dt.tz_convert("America/New_York")
    return stamps.dt.strftime("%Y-%m-%d")


def test_the_stamps_of_the_real_dumps_contain_their_own_trading(shared_data: Path) -> None:
    """The evidence for a lag of 0: what moves the figure stamped t is the trading of t.

    Of two neighbouring stamps a < b, contracts last traded on a keep their figure, contracts
    traded on b change it. Were the figure stamped b settled after a, it would be the other way
    round.
    """
    plain = pd.read_parquet(shared_data / "raw" / "yfinance_spy_qqq_iwm_2026.parquet")
    plain = plain.assign(traded=_traded_on(plain))
    calendar = trading_calendar("XNYS")
    stamps = sorted(plain.quote_date.unique())
    pairs = [(a, b) for a, b in pairwise(stamps) if calendar.shift(day(a), 1) == day(b)]
    assert len(pairs) == 4
    kept, changed = [], []
    for a, b in pairs:
        both = plain[plain.quote_date == a].merge(
            plain[plain.quote_date == b], on="contractSymbol", suffixes=("_a", "_b")
        )
        same = both.openInterest_a == both.openInterest_b
        kept.append(round(100 * same[both.traded_b == a].mean()))
        changed.append(round(100 * same[both.traded_b == b].mean()))
    # as vendors.md says
    assert (min(kept), max(kept), min(changed), max(changed)) == (89, 93, 19, 26)


def _dump(stamps: list[date], settled: dict[date, int], lag: int) -> str:
    """Return a dump of one contract whose figure stamped t was settled `lag` sessions before t."""
    calendar = trading_calendar("XNYS")
    head = YFINANCE.splitlines()[0]
    lines = [
        f"{t},SPY,SPY261218C00770000,2026-12-18,C,770,5,5,6,1,{settled[calendar.shift(t, -lag)]},"
        f"0.14,{t + timedelta(days=1)} 14:00:00+00:00,772.5"
        for t in stamps
    ]
    return "\n".join([head, *lines, ""])


def test_vendors_that_stamp_a_session_apart_are_aligned_exactly(tmp_path: Path) -> None:
    """The same truth, stamped t by one vendor and t + 1 by another: equal for equal oi_asof."""
    calendar = trading_calendar("XNYS")
    rng = np.random.default_rng(7)
    first = day("2026-08-31")  # a week with Labor Day in it
    sessions = [calendar.shift(first, i) for i in range(-1, 10)]
    settled = {t: int(n) for t, n in zip(sessions, rng.integers(1, 10**6, 11), strict=True)}
    yahoo, other = tmp_path / "yahoo.csv", tmp_path / "other.csv"
    yahoo.write_text(_dump(sessions[1:], settled, lag=0))
    other.write_text(_dump(sessions[1:], settled, lag=1))
    mapping = tmp_path / "map.toml"
    mapping.write_text('[timing]\noi_lag_sessions = 1\nknown_at = "next_open"\n')
    a = arrived(tmp_path / "a", "yfinance", "SPY", yahoo)
    b = arrived(tmp_path / "b", "yfinance", "SPY", other, mapping)
    by_day = [{r["oi_asof"]: r["open_interest"] for r in x.rows} for x in (a, b)]
    common = sorted(set(by_day[0]) & set(by_day[1]))
    assert len(common) == 9
    assert [by_day[0][t] for t in common] == [by_day[1][t] for t in common]
    assert [by_day[0][t] for t in common] == [settled[t] for t in common]
    assert {r["session"] - r["oi_asof"] for r in b.rows} == {
        timedelta(days=1), timedelta(days=3), timedelta(days=4),
    }  # fmt: skip
