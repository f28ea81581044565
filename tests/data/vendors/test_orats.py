"""ORATS strikes in both spellings."""

from __future__ import annotations

from pathlib import Path

import pytest
from arrivals import arrived, day, pick, utc
from made_files import ORATS_API, ORATS_SHORT


@pytest.mark.parametrize("text", [ORATS_API, ORATS_SHORT], ids=["data API", "near end-of-day"])
def test_made_by_hand(tmp_path: Path, text: str) -> None:
    file = tmp_path / "strikes.csv"
    file.write_text(text)
    found = arrived(tmp_path / "lake", "orats", "SPX", file)
    assert found.result.rows_written == 2 * (text.count("\n") - 1)
    call = found.row(right="C", open_interest=7000.0)
    # the half day after Thanksgiving: 15:46 is after the close, which is at 13:00
    assert pick(call, "session", "quote_ts", "known_at", "oi_asof") == (
        day("2023-11-24"), utc(2023, 11, 24, 18), utc(2023, 11, 27, 14, 30), day("2023-11-22"),
    )  # fmt: skip
    assert pick(call, "settlement", "expiry_ts", "bid", "ask", "iv", "volume", "spot") == (
        "AM", utc(2023, 12, 15, 14, 30), 60.1, 60.9, 0.105, 15.0, 4559.3,
    )  # fmt: skip
    assert pick(call, "delta", "gamma") == (0.53, 0.0031)
    put = found.row(right="P", open_interest=9000.0)
    assert pick(put, "bid", "ask", "iv", "volume") == (48.2, 48.9, None, 25.0)
    assert put["delta"] == pytest.approx(-0.47, abs=1e-15)


def test_quotes_are_of_a_quarter_to_four(tmp_path: Path) -> None:
    file = tmp_path / "strikes.csv"
    file.write_text(ORATS_API.replace("2023-11-24", "2023-11-27"))
    found = arrived(tmp_path / "lake", "orats", "SPX", file)
    assert {r["quote_ts"] for r in found.rows} == {utc(2023, 11, 27, 20, 46)}
    assert {r["settlement"] for r in found.rows} == {"AM", "PM"}
