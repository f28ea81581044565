"""Deribit's coin-settled options."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
from arrivals import arrived, day, lines, pick, utc
from made_files import DERIBIT


def test_made_by_hand(tmp_path: Path) -> None:
    file = tmp_path / "deribit.csv"
    file.write_text(DERIBIT)
    found = arrived(tmp_path / "lake", "deribit", "BTC", file)
    assert (found.result.rows_read, found.result.rows_of_others) == (2, 1)
    call = found.row(right="C")
    assert pick(call, "session", "quote_ts", "known_at", "oi_asof") == (
        day("2026-07-10"), utc(2026, 7, 10, 3, 40, 39), utc(2026, 7, 10, 3, 40, 39),
        day("2026-07-09"),
    )  # fmt: skip
    # live for another four hours and twenty minutes
    assert pick(call, "expiry_ts", "settlement") == (utc(2026, 7, 10, 8), "PM")
    # 0.0038 coin at 64,100 dollars a coin; a contract is one coin
    assert call["bid"] == pytest.approx(243.58, rel=1e-12)
    assert call["ask"] == pytest.approx(269.22, rel=1e-12)
    assert pick(call, "open_interest", "multiplier", "spot") == (161.3, 1.0, 64100.0)
    assert call["iv"] == pytest.approx(0.415, rel=1e-12)
    put = found.row(right="P")
    # dollars by its own future, spot by the shortest
    assert pick(put, "bid", "spot", "open_interest") == (None, 64100.0, 0.0)
    assert put["ask"] == pytest.approx(0.052 * 64800, rel=1e-12)
    assert found.lake.calendar("BTC") == "24/7"


@pytest.mark.parametrize("underlying", ["BTC", "ETH"])
def test_real_snapshots_agree_with_a_plain_reading(
    tmp_path: Path, shared_data: Path, underlying: str
) -> None:
    file = shared_data / "raw" / "deribit_btc_2026.parquet"
    plain = pd.read_parquet(file)
    mine = plain[plain.underlying == underlying]
    found = arrived(tmp_path, "deribit", underlying, file)
    assert (found.result.rows_written, found.result.rows_rejected) == (len(mine), 0)
    assert found.result.rows_of_others == len(plain) - len(mine)
    assert len({r["session"] for r in found.rows}) == mine.quote_date.nunique()
    rows = {(str(r["session"]), str(r["expiry"]), r["strike"], r["right"]): r for r in found.rows}
    shortest = mine[mine.expiry == mine.groupby("snapshot_utc").expiry.transform("min")]
    spots = shortest.groupby("quote_date").underlying_price.agg(set)
    for line in lines(mine.iloc[::100]):
        row = rows[(line.quote_date, line.expiry, float(line.strike), line.type[0].upper())]
        assert row["iv"] == pytest.approx(line.mark_iv / 100, rel=1e-14)
        assert row["ask"] == pytest.approx(line.ask * line.underlying_price, nan_ok=True) or (
            row["ask"] is None and pd.isna(line.ask)
        )
        assert pick(row, "open_interest", "multiplier") == (line.open_interest, 1.0)
        assert row["spot"] in spots[line.quote_date]
        assert str(row["expiry_ts"]) == f"{line.expiry} 08:00:00+00:00"
    by_session = {r["session"]: r["spot"] for r in found.rows}
    assert all(r["spot"] == by_session[r["session"]] for r in found.rows)
