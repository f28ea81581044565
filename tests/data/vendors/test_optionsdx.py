"""OptionsDX text files."""

from __future__ import annotations

from pathlib import Path

from arrivals import arrived, day, pick, utc
from made_files import OPTIONSDX


def test_made_by_hand(tmp_path: Path) -> None:
    file = tmp_path / "spx_eod_202304.txt"
    file.write_text(OPTIONSDX)
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
