"""Ingest: sessions, settlement, publication times, rejects. Expected values are by hand."""

from __future__ import annotations

import gzip
import io
import re
import shutil
import zipfile
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st
from property_search import examples

from gexlab.data.base.errors import ConfigError, GexlabError, InputFileError, LakeError
from gexlab.data.base.sql import load_sql
from gexlab.data.ingest import files as files_room
from gexlab.data.ingest import read_rows as ingest_room
from gexlab.data.ingest.ingest import IngestResult, ingest
from gexlab.data.ingest.session_order import _packed
from gexlab.data.lake.connection import connect
from gexlab.data.lake.lake import Lake, open_lake
from gexlab.data.lake.session_stream import sorted_rows
from gexlab.data.lake.writer import LakeWriter
from gexlab.data.vendors.table_reader import read_tables
from gexlab.data.vendors.vendor_preset import InputFile

HEADER = "date,expiry,strike,cp,oi,iv,bid,ask,spot"
ROW = "2022-12-12,2022-12-30,4000,C,10,0.2,1,2,3990.5"
MAP = """
[columns]
session = "date"
expiry = "expiry"
strike = "strike"
right = "cp"
open_interest = "oi"
iv = "iv"
bid = "bid"
ask = "ask"
spot = "spot"

[timing]
quote_time = "close"
known_at = "next_open"
oi_lag_sessions = 1
settlement = "third_friday"
"""
STAMPED = MAP.replace('session = "date"', 'quote_ts = "date"').replace('quote_time = "close"\n', "")


class Bench:
    """A lake, a folder of files and a column map."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.root = folder / "lake"
        (folder / "in").mkdir(parents=True)
        self.map(MAP)

    def map(self, text: str) -> None:
        (self.folder / "map.toml").write_text(text)

    def file(self, *rows: str, name: str = "chain.csv", header: str = HEADER) -> Path:
        path = self.folder / "in" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("\n".join([header, *rows]) + "\n")
        return path

    def ingest(self, *paths: Path | str, **options: Any) -> IngestResult:
        return ingest(
            paths,
            **{
                "vendor": "columns",
                "underlying": "SPX",
                "lake": self.root,
                "mapping": self.folder / "map.toml",
                **options,
            },
        )

    def rows(self, *columns: str) -> list[Any]:
        """Return the lake's rows in its order: tuples of the columns, or values of the one."""
        lake = open_lake(self.root)
        tables = [pq.ParquetFile(path).read() for path in lake.chain_files("SPX")]
        found = sorted_rows(pa.concat_tables(tables)).select(list(columns)).to_pylist()
        values = [tuple(row.values()) for row in found]
        return [v[0] for v in values] if len(columns) == 1 else values

    def state(self) -> dict[str, bytes]:
        paths = [p for p in self.root.rglob("*") if p.is_file()]
        return {p.relative_to(self.root).as_posix(): p.read_bytes() for p in paths}


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def utc(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)  # type: ignore[misc,arg-type]


def test_one_row_by_hand(bench: Bench) -> None:
    result = bench.ingest(bench.file(ROW))
    assert (result.rows_read, result.rows_written, result.rejects) == (1, 1, {})
    assert (result.sessions, result.files) == (1, 1)
    (row,) = bench.rows(
        *("underlying", "session", "quote_ts", "root", "expiry", "settlement", "expiry_ts"),
        *("strike", "right", "open_interest", "oi_asof", "volume", "bid", "ask", "last", "iv"),
        *("spot", "multiplier", "known_at"),
    )
    assert row == (
        *("SPX", date(2022, 12, 12), utc(2022, 12, 12, 21), None, date(2022, 12, 30), "PM"),
        *(utc(2022, 12, 30, 21), 4000.0, "C", 10.0, date(2022, 12, 9), None, 1.0, 2.0, None, 0.2),
        *(3990.5, 100.0, utc(2022, 12, 13, 14, 30)),
    )
    (source,) = bench.rows("source")
    assert source.startswith("columns:")


def test_every_reject_is_counted_by_its_first_reason(bench: Bench) -> None:
    path = bench.file(
        ROW,
        "2022-12-26,2022-12-30,4000,C,10,0.2,1,2,3990",  # Christmas observed
        ",2022-12-30,4000,C,10,0.2,1,2,3990",
        "2022-12-12,2022-12-30,4000,C,10,0.2,1,2,",
        "2022-12-12,2022-12-30,4000,C,10,0.2,1,2,0",
        "2022-12-12,2022-12-30,4000,C,10,0.2,1,2,-5",
        "2022-12-12,,4000,C,10,0.2,1,2,3990",
        "2022-12-12,2022-02-30,4000,C,10,0.2,1,2,3990",
        "2022-12-12,2022-12-30,0,C,10,0.2,1,2,3990",
        "2022-12-12,2022-12-30,,C,10,0.2,1,2,3990",
        "2022-12-12,2022-12-30,4000,X,10,0.2,1,2,3990",
        "2022-12-12,2022-12-30,4000,,10,0.2,1,2,3990",
        "2022-12-12,2022-12-30,4000,C,-1,0.2,1,2,3990",
        "2022-12-26,2022-12-30,4000,X,-1,0.2,1,2,",  # everything wrong: the session comes first
    )
    result = bench.ingest(path, allow_rejects=True)
    assert result.rejects == {
        "bad_contract": 6,
        "negative_open_interest": 1,
        "not_a_session": 3,
        "spot_missing": 3,
    }
    assert (result.rows_read, result.rows_written, result.rows_rejected) == (14, 1, 13)


def test_everything_else_enters_expired_contracts_included(bench: Bench) -> None:
    bench.ingest(bench.file("2022-12-12,2022-12-09,402.5,P,,0,-1,0,3990"))
    (row,) = bench.rows("expiry", "strike", "right", "open_interest", "oi_asof", "iv", "bid")
    assert row == (date(2022, 12, 9), 402.5, "P", None, None, None, -1.0)


def _by_strike(bench: Bench, rows: dict[str, Any], *columns: str, header: str = HEADER) -> Any:
    """Ingest rows as one file, each with a strike of its own; return the columns by row."""
    strikes = {text: 4000 + number for number, text in enumerate(rows)}
    file = [text.replace(",4000,", f",{strike},") for text, strike in strikes.items()]
    bench.ingest(bench.file(*file, header=header))
    found = {strike: values for strike, *values in bench.rows("strike", *columns)}
    return {text: tuple(found[strike]) for text, strike in strikes.items()}


def test_spellings_of_the_right(bench: Bench) -> None:
    calls, puts = ("C", "call", "CE", " c ", "Calls"), ("P", "put", "pe", "PUTS", "Put")
    expected = {
        ROW.replace(",C,", f",{text},"): (right,)
        for right, texts in (("C", calls), ("P", puts))
        for text in texts
    }
    assert _by_strike(bench, expected, "right") == expected


@pytest.mark.parametrize(
    "text",
    [
        *("2022-12-30", "20221230", "12/30/2022", "12/30/22", "30-Dec-2022", "30DEC22"),
        *("2022/12/30", "Fri Dec 30 2022", "2022-12-30 00:00:00", "Dec 30 2022"),
        "2022-12-30T00:00:00",
    ],
)
def test_spellings_of_a_date(text: str, bench: Bench) -> None:
    bench.ingest(bench.file(ROW.replace("2022-12-30", text)))
    assert bench.rows("expiry") == [date(2022, 12, 30)]


def test_a_stated_date_format_overrides_the_guess(bench: Bench) -> None:
    bench.map(MAP + 'date_format = "%d/%m/%Y"\n')
    bench.ingest(bench.file("12/01/2023,03/02/2023,4000,C,10,0.2,1,2,3990"))
    assert bench.rows("session", "expiry") == [(date(2023, 1, 12), date(2023, 2, 3))]


@pytest.mark.parametrize(
    "text", ["", "NaN", "nan", "NA", "NULL", "None", "N/A", "n/a", "  ", "-", ".", r"\N"]
)
def test_missing_numbers_are_null_never_zero(text: str, bench: Bench) -> None:
    bench.ingest(bench.file(ROW.replace(",10,0.2,1,2,", f",{text},{text},{text},{text},")))
    assert bench.rows("open_interest", "iv", "bid", "ask") == [(None,) * 4]


@pytest.mark.parametrize("more", [{}, {"inf": None}], ids=["numbers", "a word for a number"])
def test_impossible_volatilities_become_null(more: dict[str, None], bench: Bench) -> None:
    values = {"0": None, "0.0099": None, "0.01": 0.01, "10": 10.0, "10.01": None, **more}
    expected = {ROW.replace(",0.2,", f",{text},"): (value,) for text, value in values.items()}
    assert _by_strike(bench, expected, "iv") == expected


@pytest.mark.parametrize(
    "wrong",
    ["1e308", "-1e308", "1e15", "1e-308", "-99.99", "-999.99", "-9999", "-99999", "2147483647",
     "4294967295"],
)  # fmt: skip
def test_numbers_that_no_market_prints_are_none(wrong: str, bench: Bench) -> None:
    """Products of some leave what a double holds; others mean unknown to vendors."""
    result = bench.ingest(
        bench.file(
            ROW.replace(",10,0.2,1,2,", f",{wrong},{wrong},{wrong},{wrong},"),
            f"2022-12-12,2022-12-30,{wrong},C,10,0.2,1,2,3990",
            f"2022-12-12,2022-12-30,4000,P,10,0.2,1,2,{wrong}",
        ),
        allow_rejects=True,
    )
    assert result.rejects == {"bad_contract": 1, "spot_missing": 1}
    small = float(wrong) if 0 < float(wrong) < 1 else None  # next to nothing is a number
    assert bench.rows("open_interest", "iv", "bid", "ask") == [(small, None, small, small)]


def test_scales_and_constants(bench: Bench) -> None:
    bench.map(
        MAP.replace('spot = "spot"', "")
        + "[scale]\niv = 0.01\n[constants]\nspot = 3990.5\nmultiplier = 10\nroot = 'spxw'\n"
    )
    bench.ingest(bench.file(ROW.replace(",0.2,", ",18,")))
    assert bench.rows("iv", "spot", "multiplier", "root") == [(0.18, 3990.5, 10.0, "SPXW")]


# New York opens at 9:30 and closes at 16:00: 14:30 and 21:00 UTC in winter, 13:30 and 20:00 in
# summer; on the day after Thanksgiving it closes at 13:00.
@pytest.mark.parametrize(
    ("stamp", "session", "quoted"),
    [
        ("2022-12-12 19:00:00Z", date(2022, 12, 12), utc(2022, 12, 12, 19)),
        ("2022-12-12 21:00:00+00:00", date(2022, 12, 12), utc(2022, 12, 12, 21)),
        ("2022-12-13 01:28:00Z", date(2022, 12, 12), utc(2022, 12, 12, 21)),  # printed at night
        ("2022-12-13 14:29:59Z", date(2022, 12, 12), utc(2022, 12, 12, 21)),  # before the open
        ("2022-12-13 14:30:00Z", date(2022, 12, 13), utc(2022, 12, 13, 14, 30)),
        ("2022-12-10 15:00:00Z", date(2022, 12, 9), utc(2022, 12, 9, 21)),  # Saturday
        ("2022-12-26 15:00:00Z", date(2022, 12, 23), utc(2022, 12, 23, 21)),  # holiday
        ("2022-11-25 19:00:00Z", date(2022, 11, 25), utc(2022, 11, 25, 18)),  # early close
        ("2022-12-12 15:00:00", date(2022, 12, 12), utc(2022, 12, 12, 20)),  # New York time
        ("2022-07-12 15:00:00", date(2022, 7, 12), utc(2022, 7, 12, 19)),  # in summer
        ("2022-12-12 15:00:00-0500", date(2022, 12, 12), utc(2022, 12, 12, 20)),
        ("2022-12-12T15:00:00.250-05:00", date(2022, 12, 12), utc(2022, 12, 12, 20, 0, 0, 250000)),
        ("12/12/2022 15:00", date(2022, 12, 12), utc(2022, 12, 12, 20)),
        ("2022-03-14 13:29:00Z", date(2022, 3, 11), utc(2022, 3, 11, 21)),  # summer time began
        ("2022-03-14 13:30:00Z", date(2022, 3, 14), utc(2022, 3, 14, 13, 30)),
    ],
)
def test_a_stamp_belongs_to_the_last_session_opened(
    stamp: str, session: date, quoted: datetime, bench: Bench
) -> None:
    bench.map(STAMPED.replace('"next_open"', '"quote"'))
    bench.ingest(bench.file(ROW.replace("2022-12-12", stamp)))
    (row,) = bench.rows("session", "quote_ts")
    assert row == (session, quoted)


@pytest.mark.parametrize(
    "number", ["1670868000", "1670868000000", "1670868000000000", "1670868000000000000"]
)
def test_epochs_of_every_unit(number: str, bench: Bench) -> None:
    bench.map(STAMPED.replace('"next_open"', '"quote"'))
    table = pa.table(
        {
            "date": [int(number)],
            "expiry": [date(2022, 12, 30)],
            "strike": [4000.0],
            "cp": ["C"],
            "oi": [1.0],
            "iv": [0.2],
            "bid": [1.0],
            "ask": [2.0],
            "spot": [3990.0],
        }
    )
    pq.write_table(table, bench.folder / "in" / "chain.parquet")
    bench.ingest(bench.folder / "in" / "chain.parquet")
    assert bench.rows("quote_ts") == [utc(2022, 12, 12, 18)]


@pytest.mark.parametrize(
    ("rule", "known"),
    [
        ("quote", utc(2022, 11, 26, 1, 0)),
        ("next_open", utc(2022, 11, 28, 14, 30)),
        ("18:30", utc(2022, 11, 25, 23, 30)),
    ],
)
def test_publication_time(rule: str, known: datetime, bench: Bench) -> None:
    bench.map(STAMPED.replace('"next_open"', f'"{rule}"'))
    bench.ingest(bench.file(ROW.replace("2022-12-12", "2022-11-25 20:00:00")))
    assert bench.rows("quote_ts", "known_at") == [(utc(2022, 11, 25, 18), known)]


def test_of_a_column_and_a_rule_the_later_publication_counts(bench: Bench) -> None:
    bench.map(MAP.replace("[columns]", '[columns]\nknown_at = "seen"'))
    header = HEADER + ",seen"
    bench.ingest(bench.file(ROW + ",2022-12-13 18:00:00", ROW + ",", header=header))
    assert sorted(bench.rows("known_at")) == [
        utc(2022, 12, 13, 14, 30),
        utc(2022, 12, 13, 23),
    ]


def test_quotes_of_a_stated_time(bench: Bench) -> None:
    bench.map(MAP.replace('"close"', '"15:45"'))
    bench.ingest(bench.file(ROW, ROW.replace("2022-12-12", "2022-11-25")))
    # on the short session 15:45 is after the close, which then counts
    assert bench.rows("quote_ts") == [utc(2022, 11, 25, 18), utc(2022, 12, 12, 20, 45)]


@pytest.mark.parametrize(
    ("lag", "settled"),
    [(0, date(2022, 12, 27)), (1, date(2022, 12, 23)), (2, date(2022, 12, 22))],
)
def test_open_interest_lag_counts_sessions(lag: int, settled: date, bench: Bench) -> None:
    bench.map(MAP.replace("oi_lag_sessions = 1", f"oi_lag_sessions = {lag}"))
    bench.ingest(bench.file(ROW.replace("2022-12-12", "2022-12-27")))
    assert bench.rows("oi_asof") == [settled]


# 2022-04-15 was Good Friday, 2011-01-22 the Saturday after a third Friday, 2023-06-16 a third
# Friday, 2022-12-16 one in winter.
def test_third_friday_rule_and_expiry_moments(bench: Bench) -> None:
    cases = (
        ("2022-12-16", "AM", utc(2022, 12, 16, 14, 30)),
        ("2023-06-16", "AM", utc(2023, 6, 16, 13, 30)),
        ("2022-04-14", "AM", utc(2022, 4, 14, 13, 30)),
        ("2022-04-15", "AM", utc(2022, 4, 14, 13, 30)),
        ("2011-01-22", "AM", utc(2011, 1, 21, 14, 30)),
        ("2022-12-14", "PM", utc(2022, 12, 14, 21)),
        ("2022-11-25", "PM", utc(2022, 11, 25, 18)),
        ("2022-12-26", "PM", utc(2022, 12, 23, 21)),
    )
    expected = {ROW.replace("2022-12-30", expiry): (how, dies) for expiry, how, dies in cases}
    assert _by_strike(bench, expected, "settlement", "expiry_ts") == expected


def test_the_second_of_two_rows_of_a_monthly_contract_is_pm(bench: Bench) -> None:
    monthly = ROW.replace("2022-12-30", "2022-12-16")
    bench.ingest(
        bench.file(
            monthly.replace(",10,", ",1,"),
            monthly.replace(",C,10,", ",P,2,"),
            monthly.replace("4000", "3900").replace(",10,", ",3,"),
            monthly.replace(",10,", ",4,"),
            monthly.replace(",C,10,", ",P,5,"),
        )
    )
    found = bench.rows("strike", "right", "open_interest", "settlement", "expiry_ts")
    am, pm = utc(2022, 12, 16, 14, 30), utc(2022, 12, 16, 21)
    assert found == [
        (3900.0, "C", 3.0, "AM", am),
        (4000.0, "C", 1.0, "AM", am),
        (4000.0, "P", 2.0, "AM", am),
        (4000.0, "C", 4.0, "PM", pm),
        (4000.0, "P", 5.0, "PM", pm),
    ]


def test_each_snapshot_has_its_own_pair_of_monthly_rows(bench: Bench) -> None:
    bench.map(STAMPED)
    monthly = ROW.replace("2022-12-30", "2022-12-16")
    bench.ingest(
        bench.file(
            *(
                monthly.replace("2022-12-12", f"2022-12-12 {h}:00:00").replace(",10,", f",{oi},")
                for h, oi in ((10, 10), (10, 11), (15, 10))
            )
        )
    )
    assert bench.rows("quote_ts", "settlement") == [
        (utc(2022, 12, 12, 15), "AM"),
        (utc(2022, 12, 12, 15), "PM"),
        (utc(2022, 12, 12, 20), "AM"),
    ]


def test_the_root_decides_where_it_is_known(bench: Bench) -> None:
    bench.map(MAP.replace("[columns]", '[columns]\nroot = "root"'))
    known = {"AM": ("SPX", "spx", "NDX", "RUT", "DJX", "VIX"), "PM": ("SPXW", "NDXP", "SPY")}
    expected = {
        f"{ROW},{root}": (root.upper(), how) for how, roots in known.items() for root in roots
    }
    header = f"{HEADER},root"
    assert _by_strike(bench, expected, "root", "settlement", header=header) == expected


@pytest.mark.parametrize("rule", ["AM", "PM"])
def test_a_plain_rule_and_a_column(rule: str, bench: Bench) -> None:
    bench.map(MAP.replace('"third_friday"', f'"{rule}"'))
    bench.ingest(bench.file(ROW.replace("2022-12-30", "2022-12-16")))
    assert bench.rows("settlement") == [rule]
    bench.map(MAP.replace("[columns]", '[columns]\nsettlement = "how"'))
    bench.ingest(bench.file(ROW + ",am", name="other.csv", header=HEADER + ",how"))
    assert "AM" in bench.rows("settlement")


@pytest.mark.parametrize("roots", [("SPX", "SPXW"), ("SPXW", "SPX"), ("SPXW", "SPXW")])
def test_morning_comes_before_strike_whatever_the_order_of_a_file(
    roots: tuple[str, str], bench: Bench
) -> None:
    bench.map(MAP.replace('right = "cp"', 'right = "cp"\nroot = "root"'))
    strikes = (4000, 3900) if roots[0] == roots[1] else (3900, 4000)
    contracts = [
        f"{day},{expiry},{strike},{right},10,0.2,1,2,3990.5,{root}"
        for day in ("2022-12-12", "2022-12-13")
        for expiry in ("2022-12-16", "2023-01-20")
        for strike in strikes
        for right in "CP"
        for root in dict.fromkeys(roots)
    ]
    bench.ingest(bench.file(*contracts, header=f"{HEADER},root"))
    lake = open_lake(bench.root)
    (path,) = lake.chain_files("SPX")
    found = (
        pq.ParquetFile(path).read().select(["session", "expiry", "settlement", "strike", "right"])
    )
    rows = [tuple(row.values()) for row in found.to_pylist()]
    assert rows == sorted(rows)
    assert len(rows) == len(contracts)


def test_rows_that_share_a_key_without_a_root_are_both_kept(bench: Bench) -> None:
    result = bench.ingest(bench.file(ROW, ROW.replace(",10,", ",3,")))
    assert (result.rows_written, result.rows_replaced) == (2, 0)
    assert bench.rows("open_interest") == [3.0, 10.0]


def test_the_same_file_again_changes_nothing(bench: Bench) -> None:
    path = bench.file(ROW)
    bench.ingest(path)
    before = bench.state()
    again = bench.ingest(path)
    assert bench.state() == before
    assert (again.rows_read, again.rows_written, again.files_unchanged) == (0, 0, 1)


def test_a_changed_file_replaces_its_rows(bench: Bench) -> None:
    other = ROW.replace("2022-12-12", "2022-12-13")
    bench.ingest(bench.file(ROW, other))
    old = {e.session: e.fingerprint for e in open_lake(bench.root).sessions("SPX")}
    bench.ingest(bench.file(ROW.replace(",10,", ",11,")))
    new = {e.session: e.fingerprint for e in open_lake(bench.root).sessions("SPX")}
    assert bench.rows("session", "open_interest") == [(date(2022, 12, 12), 11.0)]
    assert new[date(2022, 12, 12)] != old[date(2022, 12, 12)]


def test_sessions_ascend_in_every_file_of_the_lake(bench: Bench) -> None:
    """Sessions that lose a source's rows are rewritten after later ones, from several files."""
    days = [f"2022-12-{day}" for day in (12, 13, 14)]

    def of(strike: int, *days: str) -> list[str]:
        row = ROW.replace(",4000,", f",{strike},")
        return [row.replace("2022-12-12", day) for day in days]

    bench.ingest(bench.file(*of(4000, *days), name="a.csv"))
    bench.ingest(bench.file(*of(4100, *days), name="b.csv"))
    bench.ingest(bench.file(*of(4200, days[1]), name="c.csv"))
    bench.ingest(bench.file(*of(4000, "2022-12-16"), name="a.csv"))
    lake = open_lake(bench.root)
    for path in lake.chain_files("SPX"):
        sessions = pq.ParquetFile(path).read(["session"]).column(0).to_pylist()
        assert sessions == sorted(sessions)
    held = [(e.session.day, e.rows) for e in lake.sessions("SPX")]
    assert held == [(12, 1), (13, 2), (14, 1), (16, 1)]
    assert sorted(bench.rows("strike")) == [4000.0, 4100.0, 4100.0, 4100.0, 4200.0]


@pytest.mark.parametrize("name", ["a!b.csv", "now!/a.csv", "!.csv"])
def test_an_exclamation_mark_in_a_path_names_no_member(name: str, bench: Bench) -> None:
    later = ROW.replace("2022-12-12", "2022-12-13")
    bench.ingest(bench.file(ROW, later, name=name))
    bench.ingest(bench.file(later, name=name))
    assert bench.rows("session") == [date(2022, 12, 13)]


def test_a_grown_file_keeps_the_fingerprints_of_its_old_sessions(bench: Bench) -> None:
    bench.ingest(bench.file(ROW))
    (old,) = open_lake(bench.root).sessions("SPX")
    bench.ingest(bench.file(ROW, ROW.replace("2022-12-12", "2022-12-13")))
    new = open_lake(bench.root).sessions("SPX")
    assert [e.session for e in new] == [date(2022, 12, 12), date(2022, 12, 13)]
    assert new[0].fingerprint == old.fingerprint
    assert len(set(bench.rows("source"))) == 1


def test_files_of_one_session_add_up_and_the_newest_contract_counts(bench: Bench) -> None:
    put = ROW.replace(",C,", ",P,")
    bench.ingest(bench.file(ROW, name="calls.csv"))
    result = bench.ingest(bench.file(put, ROW.replace(",10,", ",12,"), name="puts.csv"))
    assert (result.rows_written, result.rows_replaced) == (2, 1)
    assert bench.rows("right", "open_interest") == [("C", 12.0), ("P", 10.0)]


def test_one_ingest_of_two_files_equals_two_ingests(bench: Bench, tmp_path: Path) -> None:
    first = bench.file(ROW, ROW.replace("4000", "4100"), name="1.csv")
    second = bench.file(ROW.replace(",10,", ",12,"), name="2.csv")
    together = bench.ingest(first, second)
    assert together.rows_read == together.rows_written == 3
    assert together.rows_replaced == 1
    once = open_lake(bench.root).chain_files("SPX")
    other = tmp_path / "other"
    bench.ingest(first, lake=other)
    bench.ingest(second, lake=other)
    bench.root = other
    assert set(bench.rows("strike", "open_interest")) == {(4000.0, 12.0), (4100.0, 10.0)}
    twice = open_lake(other).chain_files("SPX")
    digests = [[path.stem.rpartition("-")[2] for path in paths] for paths in (twice, once)]
    assert digests[0] == digests[1]


DAILY = [ROW.replace("2022-12-12", f"2022-12-{day}") for day in (12, 13, 14, 15)]
MANY = [
    row.replace("4000", str(strike)).replace(",C,", f",{right},")
    for row in DAILY
    for strike in (3900, 4000, 4100)
    for right in "CP"
]


def test_streaming_and_sorting_give_the_same_lake(
    bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = bench.file(*MANY, *(row.replace("2022-12-30", "2022-12-16") for row in MANY * 2))
    bench.ingest(path)
    sorted_state = bench.state()
    monkeypatch.setattr(ingest_room, "_STREAMED_BYTES", 0)
    ordered = sorted(path.read_text().splitlines()[1:], key=lambda row: row[:10])
    for name, rows in {
        "in order": ordered,
        "not in order": path.read_text().splitlines()[1:],
    }.items():
        bench.root = tmp_path / name
        bench.ingest(bench.file(*rows))
        assert _without_source(bench.state()) == _without_source(sorted_state)


def _without_source(state: dict[str, bytes]) -> list[str]:
    (record,) = (v for k, v in state.items() if re.match("sessions/under.*parquet", k))
    return [str(mark) for mark in pq.read_table(io.BytesIO(record))["fingerprint"].to_pylist()]


def test_another_map_reads_the_file_again(bench: Bench) -> None:
    path = bench.file(ROW)
    bench.ingest(path)
    bench.map(MAP + "[scale]\nstrike = 0.1\n")
    assert bench.ingest(path).rows_written == 1
    assert bench.rows("strike") == [400.0]


def test_a_moved_file_is_not_read_again(bench: Bench) -> None:
    path = bench.file(ROW)
    bench.ingest(path)
    moved = path.rename(path.with_name("moved.csv"))
    assert bench.ingest(moved).files_unchanged == 1
    assert len(bench.rows("strike")) == 1


def test_a_dry_run_counts_and_writes_nothing(bench: Bench) -> None:
    result = bench.ingest(bench.file(ROW, ROW.replace("3990.5", "0")), dry_run=True)
    assert (result.rows_read, result.rows_written, result.dry_run) == (2, 1, True)
    assert not bench.root.exists()


def test_rows_of_other_underlyings_are_left_out_and_counted(bench: Bench) -> None:
    bench.map(MAP.replace("[columns]", '[columns]\nunderlying = "symbol"'))
    header = HEADER + ",symbol"
    path = bench.file(ROW + ",SPX", ROW + ",SPY", ROW + ",spx", ROW + ",QQQ", header=header)
    result = bench.ingest(path)
    # capitals matter: names that differ in them are two
    assert (result.rows_read, result.rows_of_others) == (1, 3)
    with pytest.raises(InputFileError, match="holds no rows of NDX: it holds QQQ, SPX, SPY"):
        bench.ingest(path, underlying="NDX")


@pytest.fixture(scope="module")
def in_order(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """Return the sessions' fingerprints of one file, its rows in order."""
    plain = Bench(tmp_path_factory.mktemp("plain"))
    plain.ingest(plain.file(*MANY))
    return [e.fingerprint for e in open_lake(plain.root).sessions("SPX")]


@examples(10)
@given(order=st.permutations(range(len(MANY))), cuts=st.integers(1, 3), streamed=st.booleans())
def test_the_order_of_rows_and_files_does_not_matter(
    order: list[int],
    cuts: int,
    streamed: bool,
    in_order: list[str],
    tmp_path_factory: pytest.TempPathFactory,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    least = 0 if streamed else 1 << 40
    monkeypatch.setattr(ingest_room, "_STREAMED_BYTES", least)
    bench = Bench(tmp_path_factory.mktemp("bench"))
    paths = [bench.file(*(MANY[i] for i in order[k::cuts]), name=f"{k}.csv") for k in range(cuts)]
    bench.ingest(*paths)
    assert [e.fingerprint for e in open_lake(bench.root).sessions("SPX")] == in_order


def test_parquet_with_nan_and_every_kind_of_date(bench: Bench) -> None:
    stamp = datetime(2022, 12, 12)  # noqa: DTZ001 - a file without time zones is the point
    nan = float("nan")
    for i, kind in enumerate([pa.date32(), pa.timestamp("ns"), pa.timestamp("s", "UTC")]):
        table = pa.table(
            {
                "date": pa.array([stamp]).cast(kind),
                "expiry": [20221230],
                "strike": [4000],
                "cp": ["C"],
                "oi": [nan],
                "iv": [nan],
                "bid": [nan],
                "ask": [1],
                "spot": pa.array([3990.5], pa.float32()),
            }
        )
        path = bench.folder / "in" / f"{i}.parquet"
        pq.write_table(table, path)
        bench.map(MAP + 'timezone = "UTC"\n')
        bench.ingest(path)
        (row,) = bench.rows("session", "expiry", "open_interest", "iv", "bid", "spot")
        assert row == (date(2022, 12, 12), date(2022, 12, 30), None, None, None, 3990.5)


def test_json_tables(bench: Bench) -> None:
    names, values = HEADER.split(","), ROW.split(",")
    record = "{" + ", ".join(f'"{n}": "{v}"' for n, v in zip(names, values, strict=True)) + "}"
    for name, text in {"array.json": f"[{record}]", "lines.json": record + "\n" + record}.items():
        path = bench.folder / "in" / name
        path.write_text(text)
        bench.ingest(path)
    assert set(bench.rows("strike", "spot")) == {(4000.0, 3990.5)}


AWKWARD = ["it's.csv", 'a"b.csv', "x; DROP TABLE lake;--.csv", "[1]*?.csv", "$1 {f}.csv", "ü.csv"]


@pytest.mark.parametrize("name", AWKWARD)
def test_awkward_names_of_files(name: str, bench: Bench) -> None:
    path = bench.file(ROW, name=name)
    bench.ingest(path)
    assert bench.rows("strike") == [4000.0]
    assert open_lake(bench.root).manifest("SPX").sources[0].paths == (str(path),)


def test_awkward_names_of_columns(bench: Bench) -> None:
    name = "oi\\\"; DROP TABLE x;--'"
    bench.map(MAP.replace('open_interest = "oi"', f"open_interest = '''{name}'''"))
    quoted = '"' + name.replace('"', '""') + '"'
    bench.ingest(bench.file(ROW, header=HEADER.replace("oi", quoted)))
    assert bench.rows("open_interest") == [10.0]


def test_folders_globs_and_archives(bench: Bench) -> None:
    days = {"a.csv": "12", "sub/b.csv": "13"}
    for name, day in days.items():
        bench.file(ROW.replace("2022-12-12", f"2022-12-{day}"), name=name)
    (bench.folder / "in" / "readme.md").write_text("not data")
    (bench.folder / "in" / ".hidden.csv").write_text("not data")
    text = "\n".join([HEADER, ROW.replace("2022-12-12", "2022-12-14")])
    with gzip.open(bench.folder / "in" / "c.csv.gz", "wt") as stream:
        stream.write(text)
    with zipfile.ZipFile(bench.folder / "in" / "d.zip", "w") as archive:
        archive.writestr("inner/d.csv", text.replace("2022-12-14", "2022-12-15"))
        archive.writestr("about.txt~", "not data")
    result = bench.ingest(bench.folder / "in")
    assert (result.files, result.files_ignored, result.sessions) == (4, 1, 4)
    assert bench.ingest(str(bench.folder / "in" / "**" / "*.csv")).files_unchanged == 2


def _zipped(bench: Bench, members: dict[str, bytes]) -> Path:
    path = bench.folder / "in" / "archive.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return path


def test_members_cannot_leave_their_folder(bench: Bench) -> None:
    text = f"{HEADER}\n{ROW}\n".encode()
    bench.ingest(_zipped(bench, {"../../../escaped.csv": text, "/tmp/escaped.csv": text + b"\n"}))
    assert not list(bench.folder.parent.rglob("escaped.csv"))
    assert len(bench.rows("strike")) == 1


def test_bombs_are_stopped(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files_room, "_ALLOWANCE", 1 << 16)
    zeros = b"0" * (1 << 24)
    with pytest.raises(InputFileError, match=r"archive.zip!zeros.csv unpacks to more than"):
        bench.ingest(_zipped(bench, {"zeros.csv": zeros}))
    bomb = bench.folder / "in" / "zeros.csv.gz"
    bomb.write_bytes(gzip.compress(zeros))
    with pytest.raises(InputFileError, match=r"zeros.csv.gz unpacks to more than"):
        bench.ingest(bomb)
    assert not bench.root.exists()


def _truncated_parquet(bench: Bench) -> Path:
    path = bench.folder / "in" / "cut.parquet"
    pq.write_table(pa.table({"a": list(range(1000))}), path)
    path.write_bytes(path.read_bytes()[:-100])
    return path


def _parquet(bench: Bench, **columns: Any) -> Path:
    path = bench.folder / "in" / "typed.parquet"
    text = dict(zip(HEADER.split(","), ([v] for v in ROW.split(",")), strict=True))
    pq.write_table(pa.table({**text, **columns}), path)
    return path


def _bytes(bench: Bench, name: str, content: bytes) -> Path:
    path = bench.folder / "in" / name
    path.write_bytes(content)
    return path


BAD: dict[str, tuple[Callable[[Bench], Path], str]] = {
    "no column": (
        lambda b: b.file(ROW, header=HEADER.replace("strike", "stryke")),
        r"chain.csv: column 'strike' \(for strike\) is missing: did you mean 'stryke'\?",
    ),
    "text in a number": (
        lambda b: b.file(ROW, ROW.replace("4000", "four thousand")),
        r"chain.csv: column for strike holds 'four thousand' where a number",
    ),
    "text in open interest": (
        lambda b: b.file(ROW.replace(",10,", ",ten,")),
        r"chain.csv: column for open_interest holds 'ten'",
    ),
    "formula": (
        lambda b: b.file(ROW.replace("3990.5", "=1+1")),
        r"chain.csv: column for spot holds '=1\+1'",
    ),
    "text in a date": (
        lambda b: b.file(ROW.replace("2022-12-12", "yesterday")),
        r"chain.csv: column for session holds 'yesterday'",
    ),
    "no contract at all": (
        lambda b: b.file(ROW.replace("2022-12-30", "soon")),
        r"chain.csv: no row names a contract \(1 rows\)",
    ),
    "wrong type": (
        lambda b: _parquet(b, strike=[True]),
        r"typed.parquet: column 'strike' \(for strike\) is BOOLEAN, which cannot be a number",
    ),
    "nested type": (
        lambda b: _parquet(b, date=[[1, 2]]),
        r"typed.parquet: column 'date' \(for session\) is .*\[\], which cannot be a date",
    ),
    "empty": (lambda b: _bytes(b, "none.csv", b""), r"none.csv is empty"),
    "header only": (lambda b: b.file(), r"chain.csv holds no rows of SPX: it has a header"),
    "blank lines": (lambda b: _bytes(b, "b.csv", b"\n\n\n"), r"b.csv: the first line is not"),
    "truncated parquet": (_truncated_parquet, r"cut.parquet is not a complete Parquet file"),
    "no parquet": (
        lambda b: _bytes(b, "no.parquet", b"a,b\n1,2\n"),
        r"no.parquet is not a complete Parquet file",
    ),
    "short line": (
        lambda b: b.file(ROW, ROW.rsplit(",", 1)[0]),
        r"chain.csv: line 3: expected number of columns: 9 found: 8",
    ),
    "long line": (lambda b: b.file(ROW + ",1"), r"chain.csv: line 2: expected number of columns"),
    "open quote": (lambda b: b.file('"' + ROW), r"chain.csv: line 2: value with unterminated"),
    "latin-1": (
        lambda b: _bytes(b, "l.csv", f"{HEADER}\n{ROW}é\n".encode("latin-1")),
        r"l.csv: line 2: not UTF-8: convert the file",
    ),
    "latin-1 header": (
        lambda b: _bytes(b, "h.csv", f"{HEADER}é\n{ROW}\n".encode("latin-1")),
        r"h.csv: the header is not UTF-8",
    ),
    "column twice": (
        lambda b: b.file(ROW + ",1", header=HEADER + ",strike"),
        r"chain.csv: column 'strike' occurs twice in the header",
    ),
    "binary": (
        lambda b: _bytes(b, "z.csv", b"\x00\x01\x02\n\x00"),
        r"z.csv: the first line is not a header",
    ),
    "no json": (lambda b: _bytes(b, "j.json", b"[{]"), r"j.json is not a JSON table"),
    "no zip": (lambda b: _bytes(b, "a.zip", b"PK\x03\x04 no"), r"a.zip: damaged or encrypted"),
    "no gzip": (lambda b: _bytes(b, "a.csv.gz", b"no"), r"a.csv.gz"),
    "cut gzip": (
        lambda b: _bytes(b, "a.csv.gz", gzip.compress(b"a,b\n" * 99)[:-9]),
        r"a.csv.gz: damaged or encrypted archive",
    ),
    "zip without data": (
        lambda b: _zipped(b, {"a.pdf": b"x"}),
        r"archive.zip: expected 1 to 100000 members, at least one of them",
    ),
    "no suffix": (lambda b: _bytes(b, "chain", b"x"), r"chain: not a data file by its suffix"),
    "no such file": (lambda b: b.folder / "nowhere.csv", r"nowhere.csv: no such file"),
    "empty folder": (lambda b: b.folder / "in", r"in: no data files in this folder"),
}


@pytest.fixture(scope="module")
def one_row(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a lake of one row, to be copied."""
    bench = Bench(tmp_path_factory.mktemp("one"))
    bench.ingest(bench.file(ROW))
    return bench.root


@pytest.mark.parametrize("case", BAD)
@pytest.mark.parametrize("filled", [False, True], ids=["new lake", "filled lake"])
def test_malformed_input_is_one_line_and_changes_nothing(
    case: str, filled: bool, bench: Bench, one_row: Path
) -> None:
    if filled:
        shutil.copytree(one_row, bench.root)
    before = bench.state()
    make, message = BAD[case]
    with pytest.raises(GexlabError, match=message) as caught:
        bench.ingest(make(bench))
    assert "\n" not in str(caught.value)
    assert bench.state() == before
    assert bench.root.exists() == filled


def test_one_bad_file_among_good_ones_keeps_all_out(bench: Bench) -> None:
    good = bench.file(ROW, name="1.csv")
    bad = bench.file(ROW.replace("3990.5", "x"), name="2.csv")
    with pytest.raises(InputFileError, match=r"2.csv: column for spot holds 'x'"):
        bench.ingest(good, bad)
    assert not bench.root.exists()


def test_a_file_of_a_holiday_alone_is_no_error(bench: Bench) -> None:
    result = bench.ingest(bench.file(ROW.replace("2022-12-12", "2022-12-26")))
    assert (result.rows_written, result.rejects) == (0, {"not_a_session": 1})
    assert bench.ingest(bench.folder / "in" / "chain.csv").files_unchanged == 1


def test_a_lake_that_cannot_be_made(bench: Bench) -> None:
    bench.root.write_text("a file")
    with pytest.raises(LakeError, match="choose a folder you may write to"):
        bench.ingest(bench.file(ROW))


def test_one_underlying_has_one_calendar(bench: Bench) -> None:
    bench.ingest(bench.file(ROW))
    bench.map(MAP + 'calendar = "XLON"\n[constants]\nmultiplier = 10\n')
    with pytest.raises(LakeError, match="the sessions in the lake are of XNYS"):
        bench.ingest(bench.file(ROW, name="other.csv"))


def test_the_lake_says_which_calendar_and_which_prices(bench: Bench) -> None:
    bench.map(MAP + 'calendar = "XLON"\nlast_is_settlement = true\n[constants]\nmultiplier = 10\n')
    bench.ingest(bench.file(ROW))
    lake = open_lake(bench.root)
    assert lake.calendar("SPX") == "XLON"
    assert lake.settlement_sources("SPX") == frozenset(bench.rows("source"))


def test_canonical_files_come_back_as_they_were(bench: Bench) -> None:
    monthly = ROW.replace("2022-12-30", "2022-12-16")
    bench.ingest(bench.file(ROW, monthly, monthly.replace(",10,", ",3,")))
    (part,) = open_lake(bench.root).chain_files("SPX")
    copy = bench.folder / "copy"
    ingest([part], vendor="canonical", underlying="SPX", lake=copy)
    (old,), (new,) = open_lake(bench.root).sessions("SPX"), Lake(copy).sessions("SPX")
    assert new.fingerprint == old.fingerprint


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("nonsense", "is not valid TOML"),
        ("[colums]\n", r"table 'colums' is unknown: did you mean 'columns'\?"),
        ('[columns]\nstrik = "x"\n', r"\[columns\] key 'strik' is unknown: did you mean 'strike'"),
        ("[columns]\nstrike = 5\n", r"strike: expected the name of a column, .* found 5"),
        ("[scale]\nexpiry = 2.0\n", "expected a column of numbers"),
        ("[scale]\niv = 0\n", "expected a number other than 0, found 0"),
        ('[constants]\nspot = "x"\n', "expected a number, found 'x'"),
        ("[timing]\noi_lag_sessions = 9\n", "expected 0 to 5, found 9"),
        ('[timing]\nquote_time = "25:00"\n', "expected close or HH:MM, found '25:00'"),
        ('[timing]\nsettlement = "noon"\n', "expected PM, AM or third_friday, found 'noon'"),
        ("[timing]\nlast_is_settlement = 1\n", "expected true or false, found 1"),
        (MAP + 'calendar = "MARS"\n', "unknown exchange calendar 'MARS'"),
        (MAP + 'timezone = "Mars/Phobos"\n', "timezone 'Mars/Phobos' is unknown"),
        (MAP.replace('strike = "strike"\n', ""), "a strike is needed"),
        (MAP.replace('quote_time = "close"\n', ""), "quote_time is missing"),
        (MAP.replace('known_at = "next_open"\n', ""), "known_at is missing"),
        (MAP.replace('settlement = "third_friday"\n', ""), "settlement is missing"),
        (MAP.replace("oi_lag_sessions = 1\n", ""), "oi_lag_sessions is missing"),
        (
            MAP.replace("oi_lag_sessions = 1", "oi_lag_sessions = 0").replace("next_open", "quote"),
            "contradicts known_at",
        ),
    ],
)
def test_maps_that_leave_something_open(text: str, message: str, bench: Bench) -> None:
    bench.map(text)
    with pytest.raises(GexlabError, match=message) as caught:
        bench.ingest(bench.file(ROW))
    assert "\n" not in str(caught.value)
    assert not bench.root.exists()


def test_a_map_that_is_not_there(bench: Bench) -> None:
    with pytest.raises(ConfigError, match="cannot read the column map"):
        bench.ingest(bench.file(ROW), mapping=bench.folder / "none.toml")


def test_an_unknown_vendor_is_told_the_nearest(bench: Bench) -> None:
    with pytest.raises(GexlabError, match="unknown vendor 'column': did you mean 'columns'"):
        bench.ingest(bench.file(ROW), vendor="column")


def test_a_number_that_the_csv_reader_cannot_parse_is_read_as_text(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Met at the end of a file that is streamed: all of it is read again."""
    monkeypatch.setattr(ingest_room, "_STREAMED_BYTES", 0)
    dropped: list[int] = []
    forget = LakeWriter.forget

    def forgetting(writer: LakeWriter) -> None:
        dropped.append(1)
        forget(writer)

    monkeypatch.setattr(LakeWriter, "forget", forgetting)
    days = ("2022-12-12", "2022-12-13", "2022-12-14")
    each = 1_001  # the last row would be ,1.6 and .51 without its spaces
    rows = [
        f"{day},2022-12-30,{1000 + i},C,10,0.2,1.{i % 7},2.0,3990.5{i % 3}"
        for day in days
        for i in range(each)
    ]
    good = bench.file(*rows, name="a.csv")
    rows[-1] = f"2022-12-14,2022-12-30,{999 + each},C,10,n/a, 1.6 ,2.0,3990.51"
    late = bench.file(*rows, name="b.csv")
    result = bench.ingest(late, lake=bench.folder / "late")
    assert (result.rows_read, result.rows_written) == (len(rows), len(rows))
    assert dropped
    bench.ingest(good)
    plain, spelled = (
        pa.concat_tables(pq.ParquetFile(path).read() for path in open_lake(root).chain_files("SPX"))
        for root in (bench.root, bench.folder / "late")
    )
    iv = spelled.column("iv").to_pylist()
    assert iv.count(None) == 1
    assert spelled.column("strike")[iv.index(None)].as_py() == 999.0 + each
    assert spelled.drop_columns(["iv", "source"]) == plain.drop_columns(["iv", "source"])
    rows[-1] = f"2022-12-14,2022-12-30,{999 + each},C,10,0.2,1.6,2;0,3990.51"
    wrong = bench.file(*rows, name="c.csv")
    with pytest.raises(InputFileError, match=r"c\.csv: column for ask holds '2;0' where a number"):
        bench.ingest(wrong)


ODD = (
    *("", " ", "nan", "NaN", "1e3", "+1", "-0.0", ".5", "5.", " 1", "1 ", "1_0", "0x10", "inf"),
    *("1e-400", "1e400", "NULL", "none", "1.2.3", "--1", '"1"', '""', "-Infinity", "1d", "\uff11"),
)


@pytest.mark.parametrize("cell", ODD)
def test_both_readings_of_a_number_agree(cell: str, tmp_path: Path) -> None:
    """Where the CSV reader takes a cell as a number, reading it as text gives the same one."""
    path = tmp_path / "cell.csv"
    path.write_text(f"a,b\n1,{cell}\n", encoding="utf-8")
    found = []
    with connect() as connection:
        connection.execute(load_sql("ingest/macros"))
        (table,) = read_tables(connection, [InputFile(path, "cell.csv", "0")])
        assert table.with_numbers is not None
        for relation, value in (
            (table.with_numbers({"b"}), "number_of_number(b)"),
            (table.relation, "number_of_text(b, 'b', 0)"),
        ):
            try:
                found.append(relation.select(duckdb.SQLExpression(value)).fetchall())
            except duckdb.Error:
                found.append([])
    assert found[0] in ([], found[1])


def test_a_join_counts_what_it_found_and_what_not() -> None:
    import pyarrow as pa

    from gexlab.data.ingest.joined_file import JoinedFile

    join: Any = None
    file = JoinedFile(join, ("strike",), None, frozenset())
    file.count(2, {"strike": pa.array([1.0, 2.0, 3.0])})
    file.count(0, {"strike": pa.array([4.0])})
    assert (file.matched, file.unmatched) == (2, 2)


def test_columns_that_an_expression_reads_stay_text() -> None:
    from types import SimpleNamespace

    from gexlab.data.vendors.projection import _number_columns
    from gexlab.data.vendors.vendor_preset import Sql

    columns = {"strike": "K", "open_interest": "oi", "bid": Sql("replace(K, ',', '.')")}
    dialect = SimpleNamespace(where=(), values={}, decimal=None, thousands=None)
    preset: Any = SimpleNamespace(columns=columns, dialect=dialect, joins=(), constants={})
    table: Any = SimpleNamespace(relation=SimpleNamespace(columns=["K", "oi", "other"]))
    assert _number_columns(table, preset) == {"oi"}


def test_stamps_whose_day_and_month_are_exchanged_are_read_as_stated(bench: Bench) -> None:
    """A stated format goes before what a stamp looks like: 9 December, not 12 September."""
    bench.map('date_format = { quote_ts = "%Y-%d-%m %H:%M:%S" }\n' + STAMPED)
    bench.ingest(bench.file(ROW.replace("2022-12-12", "2022-09-12 15:00:00", 1)))
    assert bench.rows("session", "quote_ts") == [(date(2022, 12, 9), utc(2022, 12, 9, 20))]


@pytest.mark.parametrize("last", [1, 3, 4])
def test_contracts_stamped_one_by_one_are_one_snapshot(bench: Bench, last: int) -> None:
    """Where fewer than half have the last stamp; strikes of another expiry are other contracts."""
    bench.map(STAMPED.replace('known_at = "next_open"', 'known_at = "quote"'))
    contracts = [(day, strike) for day in (23, 30) for strike in (3900, 4000, 4100, 4200)]
    minutes = [min(k, 8 - last) for k in range(8)]
    rows = (
        f"2022-12-12 15:{minute:02d}:00,2022-12-{day},{strike},C,10,0.2,1,2,3990.5"
        for minute, (day, strike) in zip(minutes, contracts, strict=True)
    )
    bench.ingest(bench.file(*rows))
    wanted = minutes if last == 4 else [8 - last] * 8
    assert bench.rows("quote_ts") == [utc(2022, 12, 12, 20, minute) for minute in wanted]


def test_keys_of_more_places_than_an_integer_holds_are_ranked() -> None:
    """2^40 days, 2 moments and 2^30 strikes: the order is that of the parts, in turn."""
    day = np.array([2**40 - 1, 3, 3, 2**40 - 1, 5])
    moment, strike = np.array([0, 1, 0, 0, 0]), np.array([7, 2**30 - 1, 5, 6, 0])
    key = _packed([(day, 2**40), (moment, 2), (strike, 2**30)])
    assert np.argsort(key).tolist() == np.lexsort((strike, moment, day)).tolist() == [2, 1, 4, 3, 0]
