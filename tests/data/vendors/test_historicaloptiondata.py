"""historicaloptiondata.com files."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
from arrivals import arrived, covered_changes, day, lines, pick, utc
from made_files import HISTORICALOPTIONDATA_1, HISTORICALOPTIONDATA_2


def test_made_by_hand(tmp_path: Path) -> None:
    file = tmp_path / "options_20131127.csv"
    file.write_text(HISTORICALOPTIONDATA_2)
    found = arrived(tmp_path / "lake", "historicaloptiondata", "SPX", file)
    assert (found.result.rows_read, found.result.rows_of_others) == (2, 1)
    call = found.row(right="C")
    # the day before Thanksgiving; the Friday after it closes at 13:00
    assert pick(call, "session", "quote_ts", "known_at", "oi_asof") == (
        day("2013-11-27"), utc(2013, 11, 27, 21), utc(2013, 11, 29, 14, 30), day("2013-11-26"),
    )  # fmt: skip
    assert pick(call, "root", "settlement", "expiry_ts", "iv", "last", "volume") == (
        "SPXW", "PM", utc(2013, 11, 29, 18), 0.1443, 9.9, 514.0,
    )  # fmt: skip
    put = found.row(right="P")
    # listed for the Saturday, dead at Friday's open
    assert pick(put, "root", "expiry", "settlement", "expiry_ts", "open_interest") == (
        "SPX", day("2013-12-21"), "AM", utc(2013, 12, 20, 14, 30), 17052.0,
    )  # fmt: skip


def test_bare_files_have_no_volatility(tmp_path: Path) -> None:
    file = tmp_path / "bb_20130916.csv"
    file.write_text(HISTORICALOPTIONDATA_1)
    [row] = arrived(tmp_path / "lake", "historicaloptiondata", "A", file).rows
    assert pick(row, "iv", "delta", "bid", "open_interest", "settlement") == (
        None, None, 0.67, 2359.0, "PM",
    )  # fmt: skip
    assert row["expiry_ts"] == utc(2013, 10, 18, 20)


def test_a_real_file_agrees_with_a_plain_reading(tmp_path: Path, shared_data: Path) -> None:
    file = shared_data / "raw" / "historicaloptiondata_spy_2021.parquet"
    plain = pd.read_parquet(file)
    found = arrived(tmp_path, "historicaloptiondata", "SPY", file)
    assert (found.result.rows_written, found.result.rows_rejected) == (len(plain), 0)
    rows = {(str(r["session"]), r["expiry"], r["strike"], r["right"]): r for r in found.rows}
    for line in lines(plain):
        row = rows[(line.quotedate, day(line.expiration), line.strike, line.type[0].upper())]
        assert pick(row, "bid", "ask", "last", "iv", "open_interest", "spot", "gamma") == (
            line.bid, line.ask, line.last, line.impliedvol, line.openinterest,
            line.underlying_last, line.gamma,
        )  # fmt: skip
        assert pick(row, "root", "settlement") == ("SPY", "PM")


def test_the_real_stamps_lag_by_a_session(shared_data: Path) -> None:
    plain = pd.read_parquet(shared_data / "raw" / "historicaloptiondata_spy_2021.parquet")
    earlier, later = covered_changes(plain, "optionroot", "quotedate", "openinterest", "volume")
    assert (round(100 * earlier, 1), round(100 * later, 1)) == (98.9, 88.5)  # as vendors.md says
