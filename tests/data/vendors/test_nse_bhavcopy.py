"""NSE's bhavcopy."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pandas as pd
import pytest
from arrivals import arrived, day, lines, pick, utc
from made_files import NSE_BHAVCOPY

from gexlab.data.calendar.trading import trading_calendar
from gexlab.data.regimes.rebuild import rebuild
from gexlab.data.regimes.table import regimes


def test_made_by_hand(tmp_path: Path) -> None:
    file = tmp_path / "BhavCopy_NSE_FO_0_0_0_20250313_F_0000.csv"
    file.write_text(NSE_BHAVCOPY)
    found = arrived(tmp_path / "lake", "nse_bhavcopy", "NIFTY", file)
    assert (found.result.rows_read, found.result.rows_of_others) == (2, 3)
    call = found.row(right="C")
    # Friday 2025-03-14 was Holi: the next open is on Monday, 09:15 in Mumbai
    assert pick(call, "session", "quote_ts", "known_at", "oi_asof") == (
        day("2025-03-13"), utc(2025, 3, 13, 10), utc(2025, 3, 17, 3, 45), day("2025-03-13"),
    )  # fmt: skip
    # 750,000 units are 10,000 contracts of 75
    assert pick(call, "open_interest", "multiplier", "volume", "last", "spot") == (
        10000.0, 75.0, 1200.0, 251.35, 22397.2,
    )  # fmt: skip
    assert pick(call, "settlement", "expiry_ts", "iv", "bid", "ask") == (
        "PM", utc(2025, 3, 27, 10), None, None, None,
    )  # fmt: skip
    assert pick(found.row(right="P"), "last", "open_interest") == (None, 2.0)
    assert found.lake.calendar("NIFTY") == "XBOM"
    assert found.lake.settlement_sources("NIFTY") == {call["source"]}


@pytest.fixture(scope="module")
def plain(shared_data: Path) -> pd.DataFrame:
    frame = pd.read_parquet(shared_data / "raw" / "nse_bhavcopy_nifty.parquet")
    return frame[frame.FinInstrmTp == "IDO"]


def test_a_real_file_agrees_with_a_plain_reading(
    tmp_path: Path, shared_data: Path, plain: pd.DataFrame
) -> None:
    found = arrived(
        tmp_path, "nse_bhavcopy", "NIFTY", shared_data / "raw" / "nse_bhavcopy_nifty.parquet"
    )
    assert (found.result.rows_written, found.result.rows_rejected) == (len(plain), 0)
    rows = {(str(r["session"]), str(r["expiry"]), r["strike"], r["right"]): r for r in found.rows}
    for line in lines(plain.iloc[::200]):
        row = rows[(line.TradDt, line.XpryDt, line.StrkPric, line.OptnTp[0])]
        assert row["open_interest"] * row["multiplier"] == line.OpnIntrst
        assert pick(row, "multiplier", "last", "spot", "volume") == (
            line.NewBrdLotQty, line.SttlmPric, line.UndrlygPric, line.TtlTradgVol,
        )  # fmt: skip
        assert pick(row, "iv", "bid", "ask") == (None, None, None)
    rebuild(found.lake, "NIFTY", books=("as_of_close",), side_tables=False)
    table = regimes(found.lake, "NIFTY")
    assert len(table) == plain.TradDt.nunique()
    assert set(table.quality) == {"ok"}
    assert (table.oi_rejected_share < 0.01).all()


def test_the_real_open_interest_is_of_its_own_day(plain: pd.DataFrame) -> None:
    """Its stated change leads back, contract by contract, to the figure of the previous session."""
    key = ["XpryDt", "OptnTp", "StrkPric"]
    calendar = trading_calendar("XBOM")
    dates = sorted(plain.TradDt.unique())
    exact = []
    for a, b in pairwise(dates):
        if calendar.shift(day(a), 1) != day(b):
            continue
        both = plain[plain.TradDt == a].merge(plain[plain.TradDt == b], on=key)
        exact.append((both.OpnIntrst_y - both.ChngInOpnIntrst_y == both.OpnIntrst_x).mean())
    # the exceptions: a pair with a change of some contracts in between, and one with a special
    # Sunday session
    assert (sum(share == 1 for share in exact), len(exact)) == (62, 63)  # as vendors.md says
    assert set(plain.NewBrdLotQty) == {25, 65, 75}
