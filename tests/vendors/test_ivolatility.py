"""iVolatility files."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
from arrivals import arrived, covered_changes, day, lines, pick, utc

MADE = (
    "symbol,exchange,company_name,date,stock_price_close,option_symbol,option_expiration,strike,"
    "call/put,style,ask,bid,mean_price,settlement,iv,volume,open_interest,stock_price_for_iv,"
    "forward_price,isinterpolated,delta,vega,gamma,theta,rho\n"
    "SPX,CBOE,S&P 500,07/05/2011,1337.88,SPX   110716C01340000,07/15/2011,1340,C,E,14.1,13.6,13.85,"
    "0,0.141,120,20123,1337.88,1336.9,,0.47,0.9,0.0113,-0.5,0.2\n"
    "SPX,CBOE,S&P 500,07/05/2011,1337.88,SPXPM 110930P01200000,09/30/2011,1200,P,E,19.2,18.2,18.7,"
    "0,-1,0,30,1337.88,1333.1,,0,0,0,0,0\n"
    "SPX,CBOE,S&P 500,07/05/2011,1337.88,SXYGF,07/15/2011,1345,C,E,11.1,10.6,10.85,"
    "0,0.139,10,5,1337.88,1336.9,,0.44,0.9,0.0115,-0.5,0.2\n"
)


def test_made_by_hand(tmp_path: Path) -> None:
    file = tmp_path / "iv.csv"
    file.write_text(MADE)
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
    assert earlier > 0.85
    assert later < 0.5
