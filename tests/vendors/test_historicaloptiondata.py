"""historicaloptiondata.com files."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
from arrivals import arrived, covered_changes, day, lines, pick, utc

LEVEL_2 = (
    "UnderlyingSymbol,UnderlyingPrice,Exchange,OptionSymbol,Blank,Type,Expiration,DataDate,Strike,"
    "Last,Bid,Ask,Volume,OpenInterest,IV,Delta,Gamma,Theta,Vega,Alias\n"
    "SPX,1650.5,*,SPXW131129C01650000,,call,11/29/2013,11/27/2013 16:00,1650,9.9,9.5,10.1,514,744,"
    "0.1443,0.51,0.0176,-15.9,61.8,SPXW131129C01650000\n"
    "SPX,1650.5,*,SPX131221P01600000,,put,12/21/2013,11/27/2013 16:00,1600,10.83,10.45,10.9,317,"
    "17052,0.1519,-0.25,0.0101,-17.0,61.9,SPX131221P01600000\n"
    "A,48.74,*,A131221C00050000,,call,12/21/2013,11/27/2013 16:00,50,0.71,0.67,0.7,20,2359,0.2,0.4,"
    "0.1,-5,6,A131221C00050000\n"
)
LEVEL_1 = (
    "UnderlyingSymbol,UnderlyingPrice,Exchange,OptionSymbol,Blank,Type,Expiration,DataDate,Strike,"
    "Last,Bid,Ask,Volume,OpenInterest\n"
    "A,48.74,*,A131019C00050000,,call,10/19/2013,09/16/2013,50,0.71,0.67,0.7,20,2359\n"
)


def test_made_by_hand(tmp_path: Path) -> None:
    file = tmp_path / "options_20131127.csv"
    file.write_text(LEVEL_2)
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
    file.write_text(LEVEL_1)
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
    assert earlier > 0.95
    assert later < 0.9
