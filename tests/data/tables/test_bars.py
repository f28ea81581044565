"""Daily and intraday bars: every way to write a time, and every bar that cannot be one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from gexlab.data.base.errors import CalendarError, InputFileError
from gexlab.data.calendar.trading import exchange_timezone
from gexlab.data.tables.bars import load_bars, read_bars
from gexlab.data.tables.intraday_bars import load_intraday

# Monday 2024-07-01 to Friday 2024-07-05: the 3rd closes at 13:00, the 4th is a holiday
DAYS = ["2024-07-01", "2024-07-02", "2024-07-03", "2024-07-05"]


def _daily(**changes: Any) -> pd.DataFrame:
    columns = {
        "session": DAYS,
        "open": [10.0, 11.0, 12.0, 13.0],
        "high": [11.0, 12.0, 13.0, 14.0],
        "low": [9.0, 10.0, 11.0, 12.0],
        "close": [10.5, 11.5, 12.5, 13.5],
    }
    return pd.DataFrame({**columns, **changes})


def _dates(bars: pd.DataFrame) -> list[str]:
    return list(pd.DatetimeIndex(bars.index).strftime("%Y-%m-%d"))


def _parquet(folder: Path, frame: pd.DataFrame) -> Path:
    file = folder / "bars.parquet"
    frame.to_parquet(file)
    return file


def _csv(folder: Path, frame: pd.DataFrame) -> Path:
    file = folder / "bars.csv"
    frame.to_csv(file, index=False)
    return file


@pytest.mark.parametrize(
    "session",
    [
        pytest.param(DAYS, id="iso text"),
        pytest.param([d.replace("-", "") for d in DAYS], id="compact text"),
        pytest.param([d + " 00:00:00" for d in DAYS], id="text with midnight"),
        pytest.param(pd.to_datetime(DAYS), id="naive stamps"),
        pytest.param(pd.to_datetime(DAYS).date, id="dates"),
        pytest.param(pd.to_datetime(DAYS, utc=True), id="midnights in UTC mean dates"),
        pytest.param(
            pd.to_datetime(DAYS).tz_localize("America/New_York"), id="midnights in New York"
        ),
        pytest.param(
            pd.to_datetime(DAYS).tz_localize("Asia/Kolkata"), id="midnights in the file's own zone"
        ),
        pytest.param(
            (pd.to_datetime(DAYS) + pd.Timedelta("16h")).tz_localize("America/New_York"),
            id="closes in New York",
        ),
    ],
)
def test_sessions_in_parquet(tmp_path: Path, session: Any) -> None:
    bars = read_bars(_parquet(tmp_path, _daily(session=session)))
    assert _dates(bars) == DAYS
    assert bars.index.name == "session"
    assert bars["close"].tolist() == [10.5, 11.5, 12.5, 13.5]


@pytest.mark.parametrize(
    ("session", "expected"),
    [
        (DAYS, DAYS),
        (["07/01/2024", "07/02/2024", "07/15/2024", "07/16/2024"], None),
        (["15.07.2024", "16.07.2024", "17.07.2024", "18.07.2024"], None),
    ],
)
def test_sessions_in_csv(tmp_path: Path, session: list[str], expected: list[str] | None) -> None:
    bars = read_bars(_csv(tmp_path, _daily(session=session)))
    assert len(bars) == 4
    assert expected is None or _dates(bars) == expected


def test_day_and_month_are_never_guessed(tmp_path: Path) -> None:
    session = ["01/02/2024", "02/02/2024", "05/02/2024", "06/02/2024"]
    with pytest.raises(
        InputFileError, match=r"2024-01-02 .month first. or as 2024-02-01 .day first."
    ):
        read_bars(_csv(tmp_path, _daily(session=session)))


def test_rows_are_sorted_and_columns_mapped(tmp_path: Path) -> None:
    frame = _daily().iloc[::-1].rename(columns={"session": "d", "close": "c", "open": "Open"})
    bars = read_bars(_parquet(tmp_path, frame), {"session": "d", "close": "c"})
    assert bars["close"].tolist() == [10.5, 11.5, 12.5, 13.5]
    assert bars["open"].tolist() == [10.0, 11.0, 12.0, 13.0]


def test_one_instrument_of_several(tmp_path: Path) -> None:
    other = _daily(root="SPY", close=[9.5, 10.5, 11.5, 12.5])
    file = _parquet(tmp_path, pd.concat([_daily(root="SPX"), other]))
    assert read_bars(file, where={"root": "SPY"})["close"].iloc[0] == 9.5
    with pytest.raises(InputFileError, match=r"two bars of 2024-07-01: .*bars_where"):
        read_bars(file)
    with pytest.raises(InputFileError, match="no rows where root = 'QQQ'"):
        read_bars(file, where={"root": "QQQ"})
    with pytest.raises(InputFileError, match="no column 'ticker' to select rows by"):
        read_bars(file, where={"ticker": "SPY"})


def test_rows_are_selected_by_numbers_too(tmp_path: Path) -> None:
    file = _parquet(tmp_path, pd.concat([_daily(id=1), _daily(id=2)]))
    assert len(read_bars(file, where={"id": 2})) == 4


def test_what_is_left_out_is_counted(tmp_path: Path) -> None:
    # the holiday row goes, the missing 2nd is counted, the close above its high is kept
    frame = _daily(session=["2024-07-01", "2024-07-03", "2024-07-04", "2024-07-05"])
    frame.loc[0, "close"] = 11.5
    found = load_bars(_parquet(tmp_path, frame))
    assert (found.not_sessions, found.missing, found.outside_range) == (1, 1, 1)
    assert len(found.frame) == 3


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"close": [10.5, None, 12.5, 13.5]}, "bar of 2024-07-02 has no close"),
        ({"low": [9.0, 10.0, 99.0, 12.0]}, "bar of 2024-07-03 has a high below its low"),
        ({"open": [10.0, 0.0, 12.0, 13.0]}, "bar of 2024-07-02 has a price that is not positive"),
        ({"open": [10.0, -1.0, 12.0, 13.0]}, "bar of 2024-07-02 has a price that is not positive"),
        ({"close": [10.5, np.inf, 1.0, 1.0]}, "column 'close' holds 'inf' in row 2"),
        ({"session": [*DAYS[:3], DAYS[0]]}, "two bars of 2024-07-01"),
        ({"session": ["2024-07-04"] * 1 + ["2024-07-06", "2024-07-07", "2024-12-25"]}, "none of"),
        ({"session": ["2300-01-02", *DAYS[1:]]}, "a date of the year 2300 in row 1"),
        ({"session": ["2040-12-31", *DAYS[1:]]}, "a date of the year 2040 in row 1"),
        ({"session": [None, *DAYS[1:]]}, "column 'session' is empty in row 1"),
    ],
)
def test_a_bar_that_cannot_be_one(tmp_path: Path, changes: dict[str, Any], message: str) -> None:
    with pytest.raises(InputFileError, match=message) as caught:
        read_bars(_parquet(tmp_path, _daily(**changes)))
    assert "bars.parquet" in str(caught.value)


def test_an_undefined_open_stays_undefined(tmp_path: Path) -> None:
    bars = read_bars(_parquet(tmp_path, _daily(open=[None, 11.0, 12.0, 13.0])))
    assert np.isnan(bars["open"].iloc[0])


def test_adjusted_prices(tmp_path: Path) -> None:
    # two for one before the 3rd: half the price, the same move
    frame = _daily(adj=[5.25, 5.75, 12.5, 13.5])
    plain = load_bars(_parquet(tmp_path, frame))
    assert "adjusted_close" not in plain.frame
    assert plain.frame["close"].tolist() == [10.5, 11.5, 12.5, 13.5]
    scaled = load_bars(_parquet(tmp_path, frame), {"adjusted_close": "adj"}).frame
    assert scaled["close"].tolist() == [5.25, 5.75, 12.5, 13.5]
    assert scaled["open"].tolist() == [5.0, 5.5, 12.0, 13.0]
    frame.loc[1, "adj"] = 0.0
    with pytest.raises(InputFileError, match="bar of 2024-07-02 has no positive adjusted close"):
        load_bars(_parquet(tmp_path, frame), {"adjusted_close": "adj"})


def test_jumps_are_counted(tmp_path: Path) -> None:
    frame = _daily()
    frame.loc[2:, ["open", "high", "low", "close"]] /= 2.0
    assert load_bars(_parquet(tmp_path, frame)).jumps == 1
    assert load_bars(_parquet(tmp_path, _daily())).jumps == 0


@pytest.mark.parametrize(
    ("calendar", "zone"),
    [("XNYS", "America/New_York"), ("XBOM", "Asia/Calcutta"), ("24/7", "UTC")],
)
def test_other_exchanges(tmp_path: Path, calendar: str, zone: str) -> None:
    assert exchange_timezone(calendar) in {zone, "Asia/Kolkata"}
    session = ["2024-07-01", "2024-07-02", "2024-07-03", "2024-07-05"]
    found = load_bars(_parquet(tmp_path, _daily(session=session)), calendar=calendar)
    # only New York rests on the 4th
    assert found.missing == (0 if calendar == "XNYS" else 1)


def test_text_in_a_number_is_named(tmp_path: Path) -> None:
    frame = _daily(close=["10.5", "11.5", "twelve", "13.5"])
    with pytest.raises(InputFileError, match="column 'close' holds 'twelve' in row 3"):
        read_bars(_csv(tmp_path, frame))


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("bars.parquet", b"PAR1 and no more"),
        ("bars.parquet", b""),
        ("bars.csv", b""),
        ("bars.csv", b"session,open,high,low,close\n"),
        ("bars.csv", b"\xff\xfe\x00garbage,\n"),
    ],
)
def test_a_broken_file_is_one_line(tmp_path: Path, name: str, content: bytes) -> None:
    file = tmp_path / name
    file.write_bytes(content)
    with pytest.raises(InputFileError) as caught:
        read_bars(file)
    assert name in str(caught.value)
    assert "\n" not in str(caught.value)


def test_what_is_absent_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputFileError, match="no such file"):
        read_bars(tmp_path / "bars.csv")
    file = _parquet(tmp_path, _daily().drop(columns="high"))
    with pytest.raises(InputFileError, match="no column 'high'"):
        read_bars(file)
    with pytest.raises(InputFileError, match="no column 'h' for 'high'"):
        read_bars(file, {"high": "h"})
    with pytest.raises(InputFileError, match="column map names 'hihg'"):
        read_bars(file, {"hihg": "high"})
    with pytest.raises(CalendarError, match="unknown exchange calendar 'XXXX'"):
        read_bars(_parquet(tmp_path, _daily()), calendar="XXXX")


def _intraday(stamps: list[str]) -> pd.DataFrame:
    n = len(stamps)
    prices = {name: np.full(n, 10.0) for name in ("open", "high", "low", "close")}
    return pd.DataFrame({"timestamp": stamps, **prices})


def test_every_way_to_write_the_start_of_a_bar(tmp_path: Path) -> None:
    local = ["2024-07-01 09:30", "2024-07-01 09:35", "2024-07-01 15:55"]
    zoned = ["2024-07-01T13:30:00Z", "2024-07-01T13:35:00Z", "2024-07-01T19:55:00Z"]
    naive = _intraday(local)
    split = naive.drop(columns="timestamp").assign(
        date=[s[:10] for s in local], time=[s[11:] for s in local]
    )
    frames = {
        "naive": naive,
        "zoned": _intraday(zoned),
        "split": split,
        "time alone": _intraday(zoned).rename(columns={"timestamp": "time"}),
    }
    for frame in frames.values():
        found = load_intraday(_csv(tmp_path, frame)).frame
        assert found["ts"].tolist() == [pd.Timestamp(s) for s in zoned]
        assert set(found["session"]) == {pd.Timestamp("2024-07-01")}


def test_regular_hours_end_at_an_early_close(tmp_path: Path) -> None:
    # 2024-07-03 closes at 13:00 New York; the bar that starts then is outside
    stamps = ["2024-07-03 09:25", "2024-07-03 09:30", "2024-07-03 12:55", "2024-07-03 13:00"]
    stamps += ["2024-07-03 10:00"]
    file = _csv(tmp_path, _intraday(stamps))
    found = load_intraday(file)
    assert (len(found.frame), found.outside_hours) == (3, 2)
    every = load_intraday(file, hours="all").frame
    # before the open a bar still belongs to the previous session
    assert every["session"].iloc[0] == pd.Timestamp("2024-07-02")
    assert every["session"].iloc[-1] == pd.Timestamp("2024-07-03")


def test_missing_bars_are_counted(tmp_path: Path) -> None:
    # 78 five-minute bars from 09:30 to 16:00, two of them lost
    times = pd.date_range("2024-07-01 09:30", periods=78, freq="5min")
    stamps = [str(t) for t in times.delete([10, 20])]
    found = load_intraday(_csv(tmp_path, _intraday(stamps)))
    assert (found.minutes, found.missing) == (5.0, 2)


def test_a_wrong_zone_is_noticed(tmp_path: Path) -> None:
    times = pd.date_range("2024-07-01 22:30", periods=60, freq="5min")
    file = _csv(tmp_path, _intraday([str(t) for t in times]))
    with pytest.raises(InputFileError, match="intraday_timezone"):
        load_intraday(file)
    assert len(load_intraday(file, timezone="Asia/Tokyo").frame) == 60


def test_the_clock_change_moves_bars_in_utc(tmp_path: Path) -> None:
    # daylight saving began on Sunday 2024-03-10
    file = _csv(tmp_path, _intraday(["2024-03-08 09:30", "2024-03-11 09:30"]))
    starts = load_intraday(file).frame["ts"]
    assert starts.dt.strftime("%H:%M").tolist() == ["14:30", "13:30"]


def test_hours_that_do_not_exist_are_counted(tmp_path: Path) -> None:
    # 02:30 of 2024-03-10 was skipped, 01:30 of 2024-11-03 came twice
    stamps = ["2024-03-10 02:30", "2024-11-03 01:30", "2024-03-11 09:30"]
    assert load_intraday(_csv(tmp_path, _intraday(stamps))).unplaced == 2


@pytest.mark.parametrize(
    ("stamps", "message"),
    [
        (["2024-07-01 09:30", "2024-07-01 09:30"], "two bars of 2024-07-01T13:30"),
        (["2024-07-01 09:30", "9999-12-31 09:30"], "a date of the year 9999 in row 2"),
        (["2024-07-01 09:30", "later"], "column 'timestamp' holds 'later' in row 2"),
        (["2024-07-01 09:30", "2024-07-01T13:35:00Z"], "all with a zone or all without"),
    ],
)
def test_intraday_bars_that_cannot_be_placed(
    tmp_path: Path, stamps: list[str], message: str
) -> None:
    with pytest.raises(InputFileError, match=message):
        load_intraday(_csv(tmp_path, _intraday(stamps)))


def test_a_bad_clock_time_is_named(tmp_path: Path) -> None:
    frame = _intraday(["2024-07-01"] * 2).rename(columns={"timestamp": "date"})
    with pytest.raises(InputFileError, match="column 'time' holds '25:00' in row 2"):
        load_intraday(_csv(tmp_path, frame.assign(time=["09:30", "25:00"])))
    with pytest.raises(InputFileError, match="no column for the start of a bar"):
        load_intraday(_csv(tmp_path, frame.drop(columns="date")))


def test_the_development_files_are_read(shared_data: Path) -> None:
    folder = shared_data / "bars"
    several = folder / "spx_spy_qqq_vix_daily_1995_2026.parquet"
    index = load_bars(several, where={"root": "SPX"})
    assert (len(index.frame), index.not_sessions, index.missing) == (7836, 0, 0)
    mapped = {"session": "date", "open": "o", "high": "h", "low": "l", "close": "c"}
    assert len(read_bars(folder / "spx_daily_2016_2026.parquet", mapped)) == 2514
    five = load_intraday(folder / "spx_5min_2026.parquet")
    assert (five.minutes, five.unplaced) == (5.0, 0)
    assert len(five.frame) + five.outside_hours == 5152
