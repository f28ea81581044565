"""The 2026 snapshots: the known bad days are found, the others are left alone."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pandas as pd
import pytest

from gexlab.data.ingest.ingest import IngestResult, ingest
from gexlab.data.lake.lake import Lake, open_lake
from gexlab.data.quality.check import findings

BEFORE_THE_OPEN = date(2026, 6, 23)
REALLY_THE_DAY_BEFORE = date(2026, 8, 7)
HOLIDAYS = (date(2026, 6, 19), date(2026, 7, 3))


@pytest.fixture(scope="module")
def filled(
    shared_data: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Lake, IngestResult]:
    sample = shared_data / "chains" / "spx_cboe_snapshots_2026"
    root = tmp_path_factory.mktemp("quality") / "lake"
    result = ingest(
        [sample.with_suffix(".parquet")],
        vendor="columns",
        underlying="SPX",
        lake=root,
        mapping=sample.with_suffix(".map.toml"),
    )
    return open_lake(root), result


def test_holidays_never_enter(filled: tuple[Lake, IngestResult], shared_data: Path) -> None:
    lake, result = filled
    dates = pd.read_parquet(
        shared_data / "chains" / "spx_cboe_snapshots_2026.parquet", columns=["quote_date"]
    ).quote_date
    on_holidays = pd.to_datetime(dates).dt.date.isin(HOLIDAYS).sum()
    assert result.rejects == {"not_a_session": on_holidays}
    assert not {entry.session for entry in lake.sessions("SPX")} & set(HOLIDAYS)


def test_exactly_the_bad_days_are_reported(
    filled: tuple[Lake, IngestResult], shared_data: Path
) -> None:
    lake, _ = filled
    bars = pd.read_parquet(shared_data / "bars" / "spx_daily_2016_2026.parquet")
    closes = pd.DataFrame({"close": bars.c.to_numpy()}, index=pd.to_datetime(bars.date))
    found = findings(lake, "SPX", bars=closes, rate=0.043, dividend_yield=0.012)
    grave = {(f.session, f.check) for f in found if f.severity == "error"}
    assert grave == {
        (BEFORE_THE_OPEN, "known_before_quotes"),
        (REALLY_THE_DAY_BEFORE, "known_before_quotes"),
    }
    warned = {(f.session, f.check) for f in found if f.severity == "warning"}
    assert warned == {
        (BEFORE_THE_OPEN, "spot_off_close"),
        (BEFORE_THE_OPEN, "spot_off_parity"),
        (BEFORE_THE_OPEN, "spot_unchanged"),
        (BEFORE_THE_OPEN, "parity_outside_guard"),
        (date(2026, 6, 24), "parity_outside_guard"),  # 7 % of the open interest, quotes a bit late
        (REALLY_THE_DAY_BEFORE, "spot_off_close"),
        (REALLY_THE_DAY_BEFORE, "missing_sessions"),
    }
    # every snapshot was taken after the close and still lists what ended on the day; the last
    # hours of an expiry give no parity
    assert {f.check for f in found if f.severity == "info"} == {"expired_today", "no_parity"}


def test_carry_is_missing_where_rates_are(filled: tuple[Lake, IngestResult]) -> None:
    """Without rates the guard refuses the forwards of a year and more: F = S in every session."""
    lake, _ = filled
    found = [f for f in findings(lake, "SPX") if f.check == "no_carry"]
    assert len({f.session for f in found}) == 48
