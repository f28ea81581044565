"""OptionsDX text files."""

from __future__ import annotations

from pathlib import Path

from arrivals import arrived, day, pick, utc

MADE = (
    "[QUOTE_UNIXTIME], [QUOTE_READTIME], [QUOTE_DATE], [QUOTE_TIME_HOURS], [UNDERLYING_LAST], "
    "[EXPIRE_DATE], [EXPIRE_UNIX], [DTE], [C_DELTA], [C_GAMMA], [C_VEGA], [C_THETA], [C_RHO], "
    "[C_IV], [C_VOLUME], [C_LAST], [C_SIZE], [C_BID], [C_ASK], [STRIKE], [P_BID], [P_ASK], "
    "[P_SIZE], [P_LAST], [P_DELTA], [P_GAMMA], [P_VEGA], [P_THETA], [P_RHO], [P_IV], [P_VOLUME], "
    "[STRIKE_DISTANCE], [STRIKE_DISTANCE_PCT]\n"
    "1680552000, 2023-04-03 16:00, 2023-04-03, 16.000000, 4124.51, 2023-04-06, 1680811200, 3.0,"
    " 0.520000, 0.006800, 1.5, -2.6, 0.1, 0.131000, 310.000000, 24.100000, 10 x 12, 23.900000, "
    "24.300000, 4125.000000, 22.700000, 23.000000, 5 x 9, , -0.480000, 0.006900, 1.5, -2.3, "
    "-0.1, 0.128000, , 0.490000, 0.000000\n"
    "1680552000, 2023-04-03 16:00, 2023-04-03, 16.000000, 4124.51, 2023-04-21, 1682107200, 18.0,"
    " 0.520000, 0.006800, 1.5, -2.6, 0.1, , 310.000000, 24.100000, 10 x 12, 23.900000, "
    "24.300000, 4125.000000, 22.700000, 23.000000, 5 x 9, 1.5, -0.480000, 0.006900, 1.5, -2.3, "
    "-0.1, 0.128000, 4, 0.490000, 0.000000\n"
)


def test_made_by_hand(tmp_path: Path) -> None:
    file = tmp_path / "spx_eod_202304.txt"
    file.write_text(MADE)
    found = arrived(tmp_path / "lake", "optionsdx", "SPX", file)
    assert (found.result.rows_read, found.result.rows_written) == (4, 4)
    # Friday 2023-04-07 was Good Friday: the week ends on Thursday
    call = found.row(right="C", expiry=day("2023-04-06"))
    assert pick(call, "session", "quote_ts", "known_at", "expiry_ts") == (
        day("2023-04-03"), utc(2023, 4, 3, 20), utc(2023, 4, 4, 13, 30), utc(2023, 4, 6, 20),
    )  # fmt: skip
    assert pick(call, "iv", "delta", "gamma", "volume", "last", "bid", "ask", "spot") == (
        0.131, 0.52, 0.0068, 310.0, 24.1, 23.9, 24.3, 4124.51,
    )  # fmt: skip
    put = found.row(right="P", expiry=day("2023-04-06"))
    assert pick(put, "iv", "delta", "volume", "last", "bid", "ask", "strike") == (
        0.128, -0.48, None, None, 22.7, 23.0, 4125.0,
    )  # fmt: skip
    # there is no open interest in these files: unknown, not zero
    assert {(r["open_interest"], r["oi_asof"]) for r in found.rows} == {(None, None)}
    monthly = found.row(right="C", expiry=day("2023-04-21"))
    assert pick(monthly, "settlement", "expiry_ts", "iv") == (
        "AM", utc(2023, 4, 21, 13, 30), None,
    )  # fmt: skip
