"""Sessions, settlement and moments of rows, held against a reading row by row."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from property_search import examples

from gexlab.data.base.errors import InputFileError
from gexlab.data.calendar.trading import trading_calendar
from gexlab.data.ingest.ingest import ingest
from gexlab.data.ingest.timing import Dating
from gexlab.data.lake.lake import open_lake
from gexlab.data.vendors.vendor_preset import InputFile, Preset, Timing

CALENDAR = trading_calendar()
SESSIONS: list[date] = CALENDAR.sessions.tolist()
OPENS = dict(zip(SESSIONS, CALENDAR.opens.astype("datetime64[us]").tolist(), strict=True))
CLOSES = dict(zip(SESSIONS, CALENDAR.closes.astype("datetime64[us]").tolist(), strict=True))
FILE = InputFile(Path("chain.parquet"), "chain.parquet", "0")
TYPES = {
    "session": pa.date32(),
    "quote_ts": pa.timestamp("us", tz="UTC"),
    "root": pa.string(),
    "expiry": pa.date32(),
    "strike": pa.float64(),
    "right": pa.string(),
    "open_interest": pa.float64(),
    "iv": pa.float64(),
    "spot": pa.float64(),
    "known_at": pa.timestamp("us", tz="UTC"),
    "file_index": pa.int64(),
}

Row = dict[str, Any]


def _moment(value: datetime | None) -> datetime | None:
    return None if value is None else value.replace(tzinfo=UTC)


def _session_of(row: Row) -> date | None:
    """Return the stated session, else the last one opened at or before the stamp."""
    if row["session"] is not None:
        return row["session"] if row["session"] in OPENS else None
    if row["quote_ts"] is None:
        return None
    stamp = row["quote_ts"].replace(tzinfo=None)
    return max((day for day, at in OPENS.items() if at <= stamp), default=None)


def _expected(row: Row) -> Row:
    """Read one row under quote_time close, known_at next_open, lag 1, third_friday."""
    session = _session_of(row)
    right = {"C": "C", "CALL": "C", "CE": "C", "P": "P", "PUTS": "P"}.get(row["right"])
    last = max((day for day in SESSIONS if day <= row["expiry"]), default=None)
    if session is None:
        return {"reject": "not_a_session"}
    if row["spot"] is None or row["spot"] <= 0:
        return {"reject": "spot_missing"}
    if row["strike"] is None or row["strike"] <= 0 or right is None or last is None:
        return {"reject": "bad_contract"}
    if row["open_interest"] is not None and row["open_interest"] < 0:
        return {"reject": "negative_open_interest"}
    following, before = (SESSIONS[SESSIONS.index(session) + i] for i in (1, -1))
    undecided = row["root"] is None and CALENDAR.is_monthly(row["expiry"])
    settlement = "AM" if row["root"] == "SPX" else "PM"
    known = [m for m in (row["known_at"], _moment(OPENS[following])) if m is not None]
    close = _moment(CLOSES[session])
    assert close is not None
    return {
        "reject": None,
        "session": session,
        "quote_ts": min(row["quote_ts"] or close, close),
        "settlement": None if undecided else settlement,
        "expiry_ts": _moment((OPENS if settlement == "AM" else CLOSES)[last]),
        "morning_ts": _moment(OPENS[last]) if undecided else None,
        "right": right,
        "oi_asof": None if row["open_interest"] is None else before,
        "iv": row["iv"] if row["iv"] is not None and 0.01 <= row["iv"] <= 10 else None,
        "known_at": max(known),
    }


_DAYS = st.dates(date(2022, 11, 1), date(2023, 4, 30))
_STAMPS = st.datetimes(datetime(2022, 11, 1), datetime(2023, 4, 30)).map(  # noqa: DTZ001
    lambda at: at.replace(tzinfo=UTC)
)
_ROWS = st.fixed_dictionaries(
    {
        "session": st.none() | _DAYS,
        "quote_ts": st.none() | _STAMPS,
        "root": st.sampled_from([None, None, "SPX", "SPXW"]),
        "expiry": _DAYS | st.sampled_from([date(2023, 4, 7), date(2022, 12, 17)]),
        "strike": st.sampled_from([None, -1.0, 0.0, 100.0, 100.0, 100.0]),
        "right": st.sampled_from([None, "X", "C", "CALL", "CE", "P", "PUTS"]),
        "open_interest": st.sampled_from([None, -1.0, 0.0, 7.0]),
        "iv": st.sampled_from([None, 0.0, 0.009, 0.01, 0.2, 10.0, 11.0]),
        "spot": st.sampled_from([None, 0.0, 4000.0, 4000.0, 4000.0]),
        "known_at": st.none() | _STAMPS,
    }
)


def _table(rows: list[Row]) -> pa.Table:
    return pa.table(
        {name: pa.array([row.get(name, 0) for row in rows], kind) for name, kind in TYPES.items()}
    )


@examples(60)
@given(st.lists(_ROWS, min_size=1, max_size=40))
def test_rows_are_dated_as_one_by_one(rows: list[Row]) -> None:
    timing = Timing(
        quote_time="close", known_at="next_open", oi_lag_sessions=1, settlement="third_friday"
    )
    preset = Preset("made", "", {name: name for name in TYPES}, timing)
    found = Dating(preset, "SPX", (FILE,)).dated(_table(rows)).to_pylist()
    for row, got in zip(rows, found, strict=True):
        expected = _expected(row)
        assert {name: got[name] for name in expected} == expected, row


def test_rows_of_others_are_counted_and_left_out() -> None:
    row = {"session": date(2023, 1, 4), "expiry": date(2023, 1, 6), "right": "C", "spot": 1.0}
    rows = [row | {"strike": float(i)} for i in range(1, 6)]
    names = pa.array(["SPX", "NDX", None, "RUT", "NDX"])
    timing = Timing(quote_time="close", known_at="next_open", settlement="PM")
    dating = Dating(Preset("made", "", {"underlying": "u"}, timing), "spx", (FILE,))
    found = dating.dated(
        pa.table(
            {name: pa.array([r.get(name, 0) for r in rows], TYPES[name]) for name in rows[0]}
            | {"underlying": names, "file_index": pa.array([0] * 5)}
        )
    )
    assert found.column("strike").to_pylist() == [1.0, 3.0]
    assert dict(dating.others) == {"NDX": 2, "RUT": 1}


@pytest.mark.parametrize(
    ("timing", "said"),
    [
        (Timing(quote_time="close", known_at="next_open"), "no settlement and no root"),
        (Timing(quote_time="close", settlement="PM"), "no time at which it was known"),
    ],
)
def test_what_no_rule_says_is_refused(timing: Timing, said: str) -> None:
    row = {"session": date(2023, 1, 4), "expiry": date(2023, 1, 6), "right": "C", "spot": 1.0}
    table = _table([dict.fromkeys(TYPES) | row | {"strike": 5.0, "file_index": 0}])
    with pytest.raises(InputFileError, match=f"chain.parquet: .*{said}"):
        Dating(Preset("made", "", {}, timing), "SPX", (FILE,)).dated(table)


def test_a_stamp_before_the_session_of_other_rows(tmp_path: Path) -> None:
    """Rows of one session stay together although some were quoted before the previous session."""
    rows = [("2021-01-04", "2021-01-04 19:00", 100 + i) for i in range(3)]
    rows += [("2021-01-05", f"2021-01-0{1 + 4 * (i % 2)} 15:00", 100 + i) for i in range(4)]
    text = "".join(f"{day},{at},2021-02-19,{strike},C,100,1\n" for day, at, strike in rows)
    (tmp_path / "chain.csv").write_text("s,q,e,k,r,x,o\n" + text)
    (tmp_path / "map.toml").write_text(
        '[columns]\nsession="s"\nquote_ts="q"\nexpiry="e"\nstrike="k"\nright="r"\nspot="x"\n'
        'open_interest="o"\n[timing]\ntimezone="UTC"\nknown_at="next_open"\n'
        'oi_lag_sessions=1\nsettlement="PM"\n'
    )
    result = ingest(
        [tmp_path / "chain.csv"],
        vendor="columns",
        underlying="SPX",
        lake=tmp_path / "lake",
        mapping=tmp_path / "map.toml",
    )
    assert (result.rows_read, result.rows_written) == (7, 7)
    held = [(e.session, e.rows) for e in open_lake(tmp_path / "lake").sessions("SPX")]
    assert held == [(date(2021, 1, 4), 3), (date(2021, 1, 4) + timedelta(days=1), 4)]
