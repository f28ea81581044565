"""Named series: values, and the moment from which each may be used."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pandas as pd
import pytest

from gexlab.data.base.errors import InputFileError
from gexlab.data.tables.series import load_series, read_series


def _write(folder: Path, rows: Sequence[tuple[str, object]]) -> Path:
    file = folder / "series.csv"
    pd.DataFrame(rows, columns=["date", "gex"]).to_csv(file, index=False)
    return file


@pytest.mark.parametrize(
    ("known", "expected"),
    [
        # 2024-07-03 closes at 13:00 New York; the next session is Friday the 5th, open 09:30
        ("close", "2024-07-03 17:00Z"),
        ("next_open", "2024-07-05 13:30Z"),
        ("08:00", "2024-07-05 12:00Z"),
        ("10:30", "2024-07-05 14:30Z"),
    ],
)
def test_when_a_value_is_public(tmp_path: Path, known: str, expected: str) -> None:
    file = _write(tmp_path, [("2024-07-03", 1.5)])
    table = read_series(file, {"session": "date", "value": "gex"}, known)
    assert table["known_at"].tolist() == [pd.Timestamp(expected)]
    assert table["value"].tolist() == [1.5]


def test_the_clock_is_the_exchanges_own(tmp_path: Path) -> None:
    # New York leaves daylight saving on Sunday 2024-11-03
    file = _write(tmp_path, [("2024-11-01", 1.0), ("2024-11-04", 2.0)])
    table = read_series(file, {"value": "gex"}, "08:00")
    assert table["known_at"].dt.strftime("%m-%d %H:%M").tolist() == ["11-04 13:00", "11-05 13:00"]


def test_what_is_missing_stays_undefined_and_what_is_left_out_is_counted(tmp_path: Path) -> None:
    rows = [("2024-07-05", None), ("2024-07-04", 2.0), ("2024-07-03", 1.0)]
    found = load_series(_write(tmp_path, rows), {"value": "gex"})
    assert found.not_sessions == 1
    assert found.frame["session"].dt.day.tolist() == [3, 5]
    assert found.frame["value"].isna().tolist() == [False, True]


def test_dates_that_are_all_a_day_off_are_refused(tmp_path: Path) -> None:
    """Midnights of India, written in UTC: each is the evening before, Monday's on a Sunday."""
    days = pd.bdate_range("2024-06-03", "2024-06-18").tz_localize("Asia/Kolkata")
    rows = [(f"{day.tz_convert('UTC'):%Y-%m-%dT%H:%M:%SZ}", 1.0) for day in days]
    with pytest.raises(InputFileError, match=r"3 of 12 dates are no sessions.*one day later"):
        load_series(_write(tmp_path, rows), {"value": "gex"})
    every_day = [(f"{day:%Y-%m-%d}", 1.0) for day in pd.date_range("2024-06-03", "2024-06-18")]
    assert load_series(_write(tmp_path, every_day), {"value": "gex"}).not_sessions == 4


@pytest.mark.parametrize(
    ("rows", "columns", "message"),
    [
        ([("2024-07-03", 1.0)] * 2, {"value": "gex"}, "two values of 2024-07-03"),
        ([("2024-07-03", "x")], {"value": "gex"}, "column 'value' holds 'x' in row 1"),
        ([("2024-07-03", 1.0)], {}, "no column 'value'"),
        ([("2024-07-04", 1.0)], {"value": "gex"}, "none of its dates is a session of XNYS"),
        ([("2024-07-03", 1.0)], {"valeu": "gex"}, "column map names 'valeu'"),
    ],
)
def test_a_series_that_cannot_be_read(
    tmp_path: Path, rows: Sequence[tuple[str, object]], columns: dict[str, str], message: str
) -> None:
    with pytest.raises(InputFileError, match=message):
        read_series(_write(tmp_path, rows), columns)
