"""When a regime is known: at the latest of all rows that it was computed from."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import pandas as pd
import pytest
from lakes import lake_of
from plain_chains import Contract, one_row, plain_chain

from gexlab.data import rebuild, regimes
from gexlab.data.ingest.calendar_tables import calendar_tables
from gexlab.data.vendors.vendor_preset import Timing

CONTRACTS = (Contract("C", 4050.0), Contract("P", 3950.0), Contract("C", 4100.0))


def _later(chain: pd.DataFrame, row: int, by: pd.Timedelta) -> pd.DataFrame:
    known = list(chain["known_at"])
    known[row] += by
    return chain.assign(known_at=known)


@pytest.mark.parametrize("late", [0, 1, 2])
def test_the_latest_row_counts_wherever_it_stands(tmp_path: Path, late: int) -> None:
    chain = plain_chain(*CONTRACTS)
    chain = _later(chain, late, pd.Timedelta(hours=13, microseconds=1))
    wanted = pd.Timestamp(
        "2022-12-13 14:00:00.000001", tz="UTC"
    )  # the close is 21:00, rows at 01:00
    for book in ("as_of_close", "post_expiry"):
        assert one_row(tmp_path / book, chain, book=book)["known_at"] == wanted


def test_a_row_that_the_book_leaves_out_counts_too(tmp_path: Path) -> None:
    """It was left out by reading it: without open interest, and expired after the close."""
    chain = plain_chain(*CONTRACTS, Contract("P", 3900.0, open_interest=0.0))
    chain = _later(chain, 3, pd.Timedelta(hours=9))
    found = one_row(tmp_path, chain)["known_at"]
    assert found == pd.Timestamp("2022-12-13 10:00", tz="UTC")


def test_each_session_has_its_own_moment(tmp_path: Path) -> None:
    days = (date(2022, 12, 12), date(2022, 12, 13), date(2022, 12, 14))
    hours = (30.0, 4.0, 1.0)  # the first is known after the second
    chains = [
        plain_chain(*CONTRACTS, session=d, known_hours=h) for d, h in zip(days, hours, strict=True)
    ]
    lake = lake_of(tmp_path, "SPX", *chains)
    rebuild(lake, "SPX")
    rows = regimes(lake, "SPX", book="post_expiry")
    closes = [pd.Timestamp(d, tz="UTC") + pd.Timedelta(hours=21) for d in days]
    wanted = [c + timedelta(hours=h) for c, h in zip(closes, hours, strict=True)]
    assert rows["known_at"].tolist() == wanted


def test_an_early_close_bounds_the_moment_of_quotes() -> None:
    """15:46 of a session that ends at 13:00 New York is its close; known_at is not moved."""
    timing = Timing(settlement="PM", quote_time="15:46", known_at="18:30", oi_lag_sessions=1)
    table = calendar_tables(timing).sessions.to_pandas().set_index("session")
    early, plain = table.loc[date(2022, 11, 25)], table.loc[date(2022, 11, 28)]
    assert early["quote_ts"] == pd.Timestamp("2022-11-25 18:00", tz="UTC") == early["close_ts"]
    assert early["known_at"] == pd.Timestamp("2022-11-25 23:30", tz="UTC")
    assert early["oi_asof"] == date(2022, 11, 23)  # the 24th is Thanksgiving
    assert plain["quote_ts"] == pd.Timestamp("2022-11-28 20:46", tz="UTC")
    assert plain["oi_asof"] == date(2022, 11, 25)
