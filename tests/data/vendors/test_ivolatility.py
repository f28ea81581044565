"""iVolatility files."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
from arrivals import arrived, covered_changes, day, lines, pick, utc
from made_files import IVOLATILITY


def test_made_by_hand(tmp_path: Path) -> None:
    file = tmp_path / "iv.csv"
    file.write_text(IVOLATILITY)
    found = arrived(tmp_path / "lake", "ivolatility", "SPX", file)
    assert (found.result.rows_read, found.result.rows_written) == (3, 3)
    call = found.row(strike=1340.0)
    # Monday was a holiday: the lag leads to Friday
    assert pick(call, "session", "quote_ts", "known_at", "oi_asof") == (
        day("2011-07-05"), utc(2011, 7, 5, 20), utc(2011, 7, 6, 13, 30), day("2011-07-01"),
    )  # fmt: skip
    assert pick(call, "root", "settlement", "expiry_ts", "iv", "open_interest", "spot") == (
        "SPX", "AM", utc(2011, 7, 15, 13, 30), 0.141, 20123.0, 1337.88,
    )  # fmt: skip
    put = found.row(strike=1200.0)
    assert pick(put, "root", "settlement", "expiry_ts", "iv") == (
        "SPXPM", "PM", utc(2011, 9, 30, 20), None,
    )  # fmt: skip
    # an old symbol tells no root: the third Friday decides
    old = found.row(strike=1345.0)
    assert pick(old, "root", "settlement") == (None, "AM")


def test_a_real_file_agrees_with_a_plain_reading(tmp_path: Path, shared_data: Path) -> None:
    file = shared_data / "raw" / "ivolatility_spx_2011.parquet"
    plain = pd.read_parquet(file)
    found = arrived(tmp_path, "ivolatility", "SPX", file)
    assert (found.result.rows_written, found.result.rows_rejected) == (len(plain), 0)
    rows = {
        (f"{r['session']:%m/%d/%Y}", f"{r['expiry']:%m/%d/%Y}", r["strike"], r["right"]): r
        for r in found.rows
    }
    for line in lines(plain.rename(columns={"call/put": "right"}).iloc[::10]):
        row = rows[(line.date, line.option_expiration, line.strike, line.right)]
        assert pick(row, "bid", "ask", "open_interest", "volume", "spot") == (
            line.bid, line.ask, line.open_interest, line.volume, line.stock_price_close,
        )  # fmt: skip
        assert row["iv"] == (line.iv if line.iv > 0 else None)
        assert row["settlement"] == ("AM" if line.option_symbol[:6].strip() == "SPX" else "PM")


def test_the_real_stamps_lag_by_a_session(shared_data: Path) -> None:
    """What moves the figure between two stamps is the trading of the earlier one."""
    plain = pd.read_parquet(shared_data / "raw" / "ivolatility_spx_2011.parquet")
    earlier, later = covered_changes(plain, "option_symbol", "date", "open_interest", "volume")
    assert (round(100 * earlier, 1), round(100 * later, 1)) == (89.8, 43.1)  # as vendors.md says
