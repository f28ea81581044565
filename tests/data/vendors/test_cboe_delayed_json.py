"""Cboe's delayed quotes: made ones read by hand, a real one against a plain reading."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from arrivals import arrived, day, pick, utc
from made_files import cboe_delayed_json

from gexlab.data.base.errors import InputFileError
from gexlab.data.ingest.ingest import ingest


def read(tmp_path: Path, text: str) -> Any:
    file = tmp_path / "_SPX.json"
    file.write_text(text)
    return arrived(tmp_path / "lake", "cboe_delayed_json", "SPX", file)


def test_made_by_hand(tmp_path: Path) -> None:
    # Thursday 2026-03-05, New York is five hours behind UTC until the Sunday after
    found = read(tmp_path, cboe_delayed_json("2026-03-05 23:40:12", "2026-03-05T16:14:59"))
    assert (found.result.rows_read, found.result.rows_of_others) == (2, 1)
    row = found.row(root="SPX")
    assert pick(row, "session", "quote_ts", "known_at", "oi_asof") == (
        day("2026-03-05"), utc(2026, 3, 5, 21), utc(2026, 3, 5, 23, 40, 12), day("2026-03-04"),
    )  # fmt: skip
    assert pick(row, "expiry", "settlement", "expiry_ts", "strike", "right") == (
        day("2026-03-20"), "AM", utc(2026, 3, 20, 13, 30), 6600.0, "C",
    )  # fmt: skip
    assert pick(row, "bid", "ask", "last", "iv", "open_interest", "volume", "spot") == (
        80.0, 81.0, 80.5, 0.19, 700.0, 12.0, 6612.5,
    )  # fmt: skip
    late = found.row(root="SPXW")
    assert pick(late, "settlement", "expiry_ts", "strike", "right") == (
        "PM", utc(2026, 3, 20, 20), 6602.5, "P",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("stamp", "traded", "session", "quoted"),
    [
        # while trading: the quotes of the last trade
        ("2026-03-05 18:00:05", "2026-03-05T12:45:01", "2026-03-05", utc(2026, 3, 5, 17, 45, 1)),
        # in the morning before the open: still yesterday's close, known this morning
        ("2026-03-06 12:50:21", "2026-03-05T16:14:59", "2026-03-05", utc(2026, 3, 5, 21)),
        # on the first day of summer time
        ("2026-03-09 21:00:00", "2026-03-09T16:14:59", "2026-03-09", utc(2026, 3, 9, 20)),
        # on a Saturday
        ("2026-03-07 15:00:00", "2026-03-06T16:14:59", "2026-03-06", utc(2026, 3, 6, 21)),
        # without a last trade the quotes are 15 minutes old
        ("2026-03-05 18:00:05", None, "2026-03-05", utc(2026, 3, 5, 17, 45, 5)),
        # a last trade that claims to be after the file is not believed
        ("2026-03-05 18:00:05", "2026-03-05T23:00:00", "2026-03-05", utc(2026, 3, 5, 18, 0, 5)),
    ],
)
def test_moments(tmp_path: Path, stamp: str, traded: str | None, session: str, quoted: Any) -> None:
    row = read(tmp_path, cboe_delayed_json(stamp, traded)).row(root="SPX")
    assert pick(row, "session", "quote_ts") == (day(session), quoted)
    assert row["known_at"].strftime("%Y-%m-%d %H:%M:%S") == stamp


def test_zeros_that_mean_none(tmp_path: Path) -> None:
    text = cboe_delayed_json(
        "2026-03-05 23:40:12", "2026-03-05T16:14:59", iv=0.0, last_trade_price=0.0, bid=0.0
    )
    row = read(tmp_path, text).row(root="SPX")
    assert pick(row, "iv", "last", "bid", "open_interest") == (None, None, 0.0, 700.0)


@pytest.mark.parametrize(
    "text",
    [
        '{"timestamp": "2026-03-05 23:40:12"}',
        "[1, 2, 3]",
        cboe_delayed_json("2026-03-05 23:40:12", "2026-03-05T16:14:59")[:-50],
        '{"timestamp": "soon", "data": {"options": [], "current_price": "x"}}',
    ],
)
def test_what_is_not_such_a_file(tmp_path: Path, text: str) -> None:
    file = tmp_path / "_SPX.json"
    file.write_text(text)
    with pytest.raises(InputFileError) as caught:
        ingest([file], vendor="cboe_delayed_json", underlying="SPX", lake=tmp_path / "lake")
    assert "_SPX.json" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_real_file_agrees_with_a_plain_reading(tmp_path: Path, shared_data: Path) -> None:
    file = shared_data / "raw" / "cboe_delayed_rut.json"
    found = arrived(tmp_path, "cboe_delayed_json", "RUT", file)
    whole = json.loads(file.read_text())
    options = {o["option"]: o for o in whole["data"]["options"]}
    assert found.result.rows_written == len(options)
    assert found.result.rows_rejected == 0
    for row in found.rows:
        name = f"{row['root']}{row['expiry']:%y%m%d}{row['right']}{row['strike'] * 1000:08.0f}"
        plain = options[name]
        iv = plain["iv"] if 0.01 <= plain["iv"] <= 10 else None
        assert pick(row, "open_interest", "bid", "ask", "iv", "delta", "gamma", "volume") == (
            plain["open_interest"], plain["bid"], plain["ask"], iv, plain["delta"],
            plain["gamma"], plain["volume"],
        )  # fmt: skip
        assert row["spot"] == whole["data"]["current_price"]
        assert row["settlement"] == ("AM" if row["root"] == "RUT" else "PM")
    assert {str(r["known_at"]) for r in found.rows} == {f"{whole['timestamp']}+00:00"}
