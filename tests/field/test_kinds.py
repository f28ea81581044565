"""Further inputs of each kind, made after public files, with answers worked out by hand."""

from __future__ import annotations

import io
import json
import zipfile
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from instances import COLUMNS, HEAD, TIMING

from gexlab.data.base.errors import GexlabError
from gexlab.data.ingest.ingest import IngestResult, ingest
from gexlab.data.lake.lake import open_lake
from gexlab.data.lake.parts import part_rows
from gexlab.reports.cli import app as cli

TWO = "2024-01-12,2024-01-19,470,C,3010,0.15,476\n2024-01-12,2024-01-19,470,P,1010,0.15,476\n"


class Bench:
    """Files and a map in a folder of their own; nothing is written to a lake."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def read(
        self,
        files: dict[str, str | bytes],
        mapping: str | None = COLUMNS + TIMING,
        underlying: str = "SPY",
        vendor: str = "columns",
    ) -> IngestResult:
        for name, body in files.items():
            path = self.folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(body if isinstance(body, bytes) else body.encode())
        if mapping is not None:
            (self.folder / "map.toml").write_text(mapping, encoding="utf-8")
        return ingest(
            [self.folder / "in"],
            vendor=vendor,
            underlying=underlying,
            lake=self.folder / "lake",
            mapping=None if mapping is None else self.folder / "map.toml",
            dry_run=True,
        )


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def told(result: IngestResult, *names: str) -> list[Any]:
    """Return columns of the first rows, as text where they are dates."""
    rows = [tuple(str(r[n]) if isinstance(r[n], date) else r[n] for n in names)
            for r in result.first_rows]  # fmt: skip
    return [row[0] for row in rows] if len(names) == 1 else rows


CALL = {"strike": 470.0, "right": "C", "oi": 3010, "iv": 0.15, "symbol": "SPY240119C00470000"}
PUT = {"strike": 470.0, "right": "P", "oi": 1010, "iv": 0.15, "symbol": "SPY240119P00470000"}
STAMP = 1_705_093_199  # 2024-01-12 15:59:59 in New York


def _schwab() -> dict[str, Any]:
    def leaf(c: dict[str, Any]) -> dict[str, Any]:
        return {
            "putCall": "CALL" if c["right"] == "C" else "PUT",
            "openInterest": c["oi"],
            "volatility": 15.0,
            "strikePrice": c["strike"],
            "expirationDate": "2024-01-19T21:00:00.000+00:00",
            "quoteTimeInLong": STAMP * 1000,
        }

    return {
        "symbol": "SPY",
        "underlyingPrice": 476.0,
        "callExpDateMap": {"2024-01-19:7": {"470.0": [leaf(CALL)]}},
        "putExpDateMap": {"2024-01-19:7": {"470.0": [leaf(PUT)]}},
    }


JSON_SHAPES: dict[str, tuple[Any, str]] = {
    "schwab": (
        _schwab(),
        'quote_ts = "quoteTimeInLong"\nexpiry = "expirationDate"\nstrike = "strikePrice"\n'
        'right = "putCall"\nopen_interest = "openInterest"\niv = "volatility"\n'
        'spot = "underlyingPrice"\n[scale]\niv = 0.01\n',
    ),
    "marketdata": (
        {
            "s": "ok",
            "optionSymbol": [CALL["symbol"], PUT["symbol"]],
            "updated": [STAMP, STAMP],
            "openInterest": [3010, 1010],
            "iv": [0.15, 0.15],
            "underlyingPrice": [476, 476],
        },
        'quote_ts = "updated"\nsymbol = "optionSymbol"\nopen_interest = "openInterest"\niv = "iv"\n'
        'spot = "underlyingPrice"\n',
    ),
    "polygon": (
        {
            "status": "OK",
            "results": [
                {
                    "details": {"ticker": f"O:{c['symbol']}"},
                    "open_interest": c["oi"],
                    "implied_volatility": 0.15,
                    "underlying_asset": {"price": 476.0},
                    "last_quote": {"last_updated": STAMP * 1_000_000_000},
                }
                for c in (CALL, PUT)
            ],
        },
        'quote_ts = "results[].last_quote.last_updated"\nsymbol = "details.ticker"\n'
        'open_interest = "open_interest"\niv = "implied_volatility"\n'
        'spot = "underlying_asset.price"\n',
    ),
    "alpaca": (
        {
            "next_page_token": None,
            "snapshots": {
                c["symbol"]: {
                    "impliedVolatility": 0.15,
                    "openInterest": c["oi"],
                    "latestQuote": {"t": "2024-01-12T20:59:59.123456789Z"},
                }
                for c in (CALL, PUT)
            },
        },
        'quote_ts = "latestQuote.t"\nsymbol = "key"\niv = "impliedVolatility"\n'
        'open_interest = "openInterest"\n[constants]\nspot = 476.0\n',
    ),
    "eodhd": (
        {
            "data": [
                {
                    "attributes": {
                        "underlying": "SPY", "exp_date": "2024-01-19", "type": word, "strike": 470,
                        "open_interest": c["oi"], "volatility": 0.15, "tradetime": "2024-01-12",
                    }
                }
                for c, word in ((CALL, "call"), (PUT, "put"))
            ]
        },
        'session = "tradetime"\nexpiry = "attributes.exp_date"\nstrike = "attributes.strike"\n'
        'right = "attributes.type"\nopen_interest = "attributes.open_interest"\n'
        'iv = "attributes.volatility"\n[constants]\nspot = 476.0\n',
    ),
}  # fmt: skip


@pytest.mark.parametrize("shape", sorted(JSON_SHAPES))
def test_json_as_services_return_it(shape: str, bench: Bench) -> None:
    document, columns = JSON_SHAPES[shape]
    timing = TIMING if 'session = "' in columns else TIMING.replace('quote_time = "close"\n', "")
    result = bench.read({"in/c.json": json.dumps(document)}, f"[columns]\n{columns}{timing}")
    names = ("session", "expiry", "strike", "right", "open_interest", "iv", "spot")
    assert told(result, *names) == [
        ("2024-01-12", "2024-01-19", 470.0, "C", 3010.0, 0.15, 476.0),
        ("2024-01-12", "2024-01-19", 470.0, "P", 1010.0, 0.15, 476.0),
    ]


@pytest.mark.parametrize(
    ("symbol", "root"),
    [
        ("O:SPXW240119C04750000", "SPXW"),
        ("SPXW  240119C04750000", "SPXW"),
        (".SPXW240119C4750", "SPXW"),
        ("SPXW_011924C4750", "SPXW"),
        ("SPXW 240119C4750000", "SPXW"),
        ("SPX US 01/19/24 C4750 Index", "SPX"),
    ],
)
def test_spellings_of_a_symbol(symbol: str, root: str, bench: Bench) -> None:
    mapping = '[columns]\nsession = "date"\nsymbol = "s"\nopen_interest = "oi"\nspot = "spot"\n'
    body = f"date,s,oi,spot\n2024-01-18,{symbol},7,4780\n"
    result = bench.read({"in/a.csv": body}, mapping + TIMING, "SPX")
    assert told(result, "root", "expiry", "right", "strike") == [(root, "2024-01-19", "C", 4750.0)]


def test_roots_and_what_they_deliver(bench: Bench) -> None:
    roots = ("SPX", "SPXW", "SPXPM", "SPT", "XYZ", "SPX1")
    rows = "".join(f"2024-01-12,2024-01-19,4700,C,{i},0.15,4780,{r}\n" for i, r in enumerate(roots))
    mapping = COLUMNS + 'root = "root"\n' + TIMING.replace("PM", "third_friday")
    result = bench.read({"in/a.csv": HEAD.replace("\n", ",root\n") + rows}, mapping, "SPX")
    assert sorted(told(result, "root", "settlement", "multiplier")[:6], key=str) == sorted(
        [("SPX", "AM", 100.0), ("SPXW", "PM", 100.0), ("SPXPM", "PM", 100.0), ("SPT", "AM", 100.0),
         ("XYZ", "PM", None), ("SPX1", "PM", None)], key=str,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("calendar", "session", "codes", "expiries"),
    [
        ("XNYS", "2024-01-12", ("202402", "202403"), ("2024-02-16", "2024-03-15")),
        ("XNYS", "2024-01-12", ("H4", "M4"), ("2024-03-15", "2024-06-21")),
        ("XTAI", "2024-01-12", ("202402", "202402W4"), ("2024-02-21", "2024-02-29")),
        ("XKRX", "2024-01-10", ("202402", "202403"), ("2024-02-08", "2024-03-14")),
        ("XBOM", "2025-08-01", ("202508", "202509"), ("2025-08-28", "2025-09-30")),
        ("24/7", "2024-01-12", ("202402", "2024-03"), ("2024-02-23", "2024-03-29")),
    ],
)
def test_codes_of_months(
    calendar: str, session: str, codes: tuple[str, str], expiries: tuple[str, str], bench: Bench
) -> None:
    rows = "".join(f"{session},{code},470,C,7,0.15,476\n" for code in codes)
    mapping = f'{COLUMNS}[constants]\nmultiplier = 1\n{TIMING}calendar = "{calendar}"\n'
    result = bench.read({"in/a.csv": HEAD + rows}, mapping)
    assert told(result, "expiry") == list(expiries)


def test_values_missing_and_where(bench: Bench) -> None:
    rows = (
        "2024-01-12,2024-01-19,470,1,3010,0.15,476,OPT\n"
        "2024-01-12,2024-01-19,470,0,*,-99.99,476,OPT\n"
        "2024-01-12,,0,XX,5,,476,FUT\n"
    )
    mapping = (
        COLUMNS + TIMING + '[values]\nright = { "1" = "C", "0" = "P" }\n'
        '[missing]\nopen_interest = ["*"]\niv = [-99.99]\n[where]\nkind = "OPT"\n'
    )
    result = bench.read({"in/a.csv": HEAD.replace("\n", ",kind\n") + rows}, mapping)
    assert told(result, "right", "open_interest", "iv") == [("C", 3010.0, 0.15), ("P", None, None)]
    assert (result.rows_left_out, result.rows_rejected) == (1, 0)


def test_files_of_one_contract_are_joined(bench: Bench) -> None:
    files: dict[str, str | bytes] = {
        "in/def.csv": "date,id,expiry,strike,cp\n2024-01-12,1,2024-01-19,470,C\n"
        "2024-01-12,2,2024-01-19,470,P\n2024-01-12,3,2024-01-19,480,P\n",
        # of the quotes of a session the last before the close counts
        "q.csv": "ts,id,bid,ask\n2024-01-12 15:58:00,1,6,7\n2024-01-12 15:59:00,1,6.5,7.5\n"
        "2024-01-12 16:15:00,1,9,9\n2024-01-12 15:59:00,2,.5,.7\n",
        "s.csv": "d,c\n2024-01-12,476\n",
        "oi.csv": "d,id,q,st\n2024-01-12,1,3010,9\n2024-01-12,2,1010,9\n2024-01-12,2,77,3\n",
    }
    mapping = (
        '[columns]\nsession = "date"\nexpiry = "expiry"\nstrike = "strike"\nright = "cp"\n'
        + TIMING
        + '[join.quotes]\nfiles = "q.csv"\n'
        'columns = { quote_ts = "ts", bid = "bid", ask = "ask" }\n'
        'keys = ["session", "id"]\n[join.spot]\nfiles = "s.csv"\n'
        'columns = { session = "d", spot = "c" }\n[join.open_interest]\nfiles = "oi.csv"\n'
        'columns = { session = "d", open_interest = "q" }\nkeys = ["session", "id"]\n'
        "where = { st = 9 }\nabsent = { open_interest = 0 }\n"
        'timing = { oi_lag_sessions = 1, known_at = "06:30" }\n'
    )
    result = bench.read(files, mapping)
    assert told(result, "strike", "right", "open_interest", "bid", "spot", "oi_asof") == [
        (470.0, "C", 3010.0, 6.5, 476.0, "2024-01-11"),
        (470.0, "P", 1010.0, 0.5, 476.0, "2024-01-11"),
        (480.0, "P", 0.0, None, 476.0, "2024-01-11"),
    ]
    assert result.unmatched == {"quotes": 1, "spot": 0, "open_interest": 1}


def test_two_rows_of_one_key_are_refused(bench: Bench) -> None:
    files: dict[str, str | bytes] = {
        "in/a.csv": HEAD.replace(",oi", "") + TWO.replace(",3010", "").replace(",1010", ""),
        "oi.csv": "date,expiry,strike,cp,oi\n2024-01-12,2024-01-19,470,C,1\n"
        "2024-01-12,2024-01-19,470,C,2\n",
    }
    mapping = (
        COLUMNS.replace('open_interest = "oi"\n', "") + TIMING
        + '[join.open_interest]\nfiles = "oi.csv"\ncolumns = { session = "date", '
        'expiry = "expiry", strike = "strike", right = "cp", open_interest = "oi" }\n'
    )  # fmt: skip
    with pytest.raises(GexlabError, match="two rows of one key contradict"):
        bench.read(files, mapping)


BY_SYMBOL = """[columns]
session = "date"
symbol = "s"
iv = "iv"
spot = "spot"
[join.open_interest]
files = "oi.csv"
columns = { session = "d", symbol = "s", open_interest = "q" }
timing = { oi_lag_sessions = 1, known_at = "06:30" }
"""
SYMBOLS = "date,s,iv,spot\n2024-01-12,O:SPY240119C00470000,.15,476\n"


@pytest.mark.parametrize("theirs", ["O:SPY240119C00470000", "SPY   240119C00470000"])
def test_joins_by_whole_symbols(theirs: str, bench: Bench) -> None:
    files: dict[str, str | bytes] = {
        "in/a.csv": SYMBOLS,
        "oi.csv": f"d,s,q\n2024-01-12,{theirs},7\n",
    }
    result = bench.read(files, BY_SYMBOL + TIMING.replace("oi_lag_sessions = 1\n", ""))
    assert told(result, "root", "open_interest") == [("SPY", 7.0)]
    assert result.unmatched == {"open_interest": 0}


def test_a_join_without_any_match_is_refused(bench: Bench) -> None:
    bench.read({"in/a.csv": SYMBOLS, "oi.csv": "d,s,q\n2024-01-11,SPY240119C00470000,7\n"},
               BY_SYMBOL + TIMING)  # fmt: skip
    arguments: dict[str, Any] = {
        "vendor": "columns", "underlying": "SPY", "lake": bench.folder / "lake",
        "mapping": bench.folder / "map.toml",
    }  # fmt: skip
    with pytest.raises(GexlabError, match=r"session 2024-01-12.*session 2024-01-11") as refused:
        ingest([bench.folder / "in"], **arguments)
    assert "none for any of 1 rows" in str(refused.value)
    assert not (bench.folder / "lake" / "chains").exists()
    assert ingest([bench.folder / "in"], **arguments, allow_rejects=True).rows_written == 1


def test_a_part_of_a_text(bench: Bench) -> None:
    mapping = (
        '[columns]\nsession = "date"\nexpiry = { column = "name", pattern = "C?P? (\\\\d{6}) " }\n'
        "right = { column = \"name\", pattern = ' ([CP]) ' }\n"
        "strike = { column = \"name\", pattern = '([\\d.]+)$' }\n"
        'open_interest = "oi"\nspot = "spot"\n'
    )
    body = "date,name,oi,spot\n2024-01-12,K200 C 202402 350.5,7,476\n"
    result = bench.read({"in/a.csv": body}, mapping + TIMING)
    assert told(result, "expiry", "right", "strike") == [("2024-02-16", "C", 350.5)]


@pytest.mark.parametrize("wrong", ['"([C"', '"no group"', "7"])
def test_a_pattern_without_a_group_is_refused(wrong: str, bench: Bench) -> None:
    mapping = COLUMNS.replace(
        'strike = "strike"', f'strike = {{ column = "a", pattern = {wrong} }}'
    )
    with pytest.raises(GexlabError, match="regular expression with a group"):
        bench.read({"in/a.csv": HEAD + TWO}, mapping + TIMING)


def test_a_shipped_map_takes_its_own_product_alone(bench: Bench) -> None:
    head = (
        "Business Date;Product ID;Maturity;Call/Put;Version;Strike Price;Daily Settlement Price;"
        "Traded Contracts;Open Interest;Underlying Closing Price\n"
    )
    rows = [
        f"2024-01-12;{product};202402;Call;0;16700;250;1;7;16704\n" for product in ("ODAX", "OESX")
    ]
    (bench.folder / "odax.csv").write_text(head + "".join(rows), encoding="utf-8")
    result = ingest(
        [bench.folder / "odax.csv"], vendor="columns", underlying="DAX",
        lake=bench.folder / "lake", mapping="eurex_daily", dry_run=True,
    )  # fmt: skip
    assert (result.rows_written, result.rows_left_out) == (1, 1)


def test_dates_alone_are_no_moments_of_quotes(bench: Bench) -> None:
    mapping = COLUMNS.replace("session", "quote_ts") + TIMING.replace('quote_time = "close"\n', "")
    with pytest.raises(GexlabError, match="dates without a time of day"):
        bench.read({"in/a.csv": HEAD + TWO}, mapping)


def test_stamps_of_contracts_are_one_snapshot(bench: Bench) -> None:
    rows = "".join(
        f"2024-01-12 15:{50 + i}:00,2024-01-19,{460 + 5 * i},C,7,0.15,476\n" for i in range(6)
    )
    mapping = COLUMNS.replace("session", "quote_ts") + TIMING.replace('quote_time = "close"\n', "")
    result = bench.read({"in/a.csv": HEAD + rows}, mapping)
    assert len(result.first_rows) == 6
    assert {r["quote_ts"].isoformat() for r in result.first_rows} == {"2024-01-12T20:55:00+00:00"}


def test_calls_and_puts_side_by_side(bench: Bench) -> None:
    mapping = (
        '[columns]\nsession = "date"\nexpiry = "expiry"\nstrike = "strike"\nspot = "spot"\n'
        '[columns.call]\nopen_interest = "c_oi"\niv = "c_iv"\n'
        '[columns.put]\nopen_interest = "p_oi"\niv = "p_iv"\n'
    )
    body = (
        "date,expiry,strike,c_oi,p_oi,c_iv,p_iv,spot\n2024-01-12,2024-01-19,470,7,8,.15,.16,476\n"
    )
    result = bench.read({"in/a.csv": body}, mapping + TIMING)
    assert told(result, "right", "open_interest", "iv") == [("C", 7.0, 0.15), ("P", 8.0, 0.16)]


@pytest.mark.parametrize(
    ("mapping", "name"),
    [
        (COLUMNS.replace('"date"', '"filename"'), "20240112.csv"),
        (COLUMNS.replace('"date"', '"filename"'), "spy_2024-01-12_eod.csv"),
        (COLUMNS.replace('"date"', '"day"'), "day=2024-01-12/part.csv"),
        (
            COLUMNS.replace('session = "date"\n', "")
            + "[path]\nsession = 'fo(\\d{2}[A-Z]{3}\\d{4})bhav'\n",
            "fo12JAN2024bhav.csv",
        ),
    ],
)
def test_values_in_paths(mapping: str, name: str, bench: Bench) -> None:
    body = HEAD.removeprefix("date,") + TWO.replace("2024-01-12,", "")
    result = bench.read({f"in/{name}": body}, mapping + TIMING)
    assert told(result, "session") == ["2024-01-12"] * 2


@pytest.mark.parametrize("encoding", ["utf-16", "cp950", "shift_jis", "gb18030", "cp1252"])
def test_encodings(encoding: str, bench: Bench) -> None:
    word = "Größe" if encoding in ("cp1252", "utf-16") else "日期"
    body = (HEAD.replace("date", word) + TWO).encode(encoding)
    stated = "" if encoding == "utf-16" else f'encoding = "{encoding}"\n'
    result = bench.read(
        {"in/a.csv": body}, stated + COLUMNS.replace('"date"', f'"{word}"') + TIMING
    )
    assert told(result, "open_interest") == [3010.0, 1010.0]


def test_packed_files_and_a_vendors_archive(bench: Bench) -> None:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as z:
        z.writestr("chain.csv", HEAD + TWO)
        z.writestr("stats.csv", "x,y\n1,2\n")
        z.writestr("readme.txt", "This is a manual\nof two lines\n")
    packed = pa.BufferOutputStream()
    with pa.CompressedOutputStream(packed, "zstd") as stream:
        stream.write((HEAD + TWO.replace("-12,", "-11,")).encode())
    files: dict[str, str | bytes] = {
        "in/v.zip": archive.getvalue(),
        "in/b.csv.zst": packed.getvalue().to_pybytes(),
        "in/manual.pdf": "x",
        "in/empty.csv": HEAD,
    }
    result = bench.read(files)
    assert (result.rows_written, result.sessions, result.files_empty) == (4, 2, 1)
    assert sorted(path.rpartition("/")[2] for path in result.ignored) == [
        "manual.pdf", "v.zip!readme.txt", "v.zip!stats.csv",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (TWO.replace("2024-01-19", "05/06/2024"), r"2024-05-06 \(month first\) or as 2024-06-05"),
        (TWO.replace("2024-01-19,470,P", "01/19/2024,470,P").replace("2024-01-19", "19/01/2024"),
         "cannot both be read"),
        (TWO.replace("3010", '"3,010"').replace("1010", '"1,010"').replace(".15", ""),
         r"can be read as \d+ or as \d"),
        (TWO.replace("3010", "3.010").replace("1010", "1.010"),
         "column 'oi' decides: state thousands"),
        (TWO.replace(",0.15", ',"0,15"').replace("476", "476.5"), "state decimal"),
    ],
    ids=["order of a date", "two orders", "thousands or decimals", "thousands of counts",
         "two marks"],
)  # fmt: skip
def test_what_can_be_read_in_two_ways_is_refused(rows: str, message: str, bench: Bench) -> None:
    with pytest.raises(GexlabError, match=message):
        bench.read({"in/a.csv": HEAD + rows})


SIDE = "Last Sale,Net,Bid,Ask,Vol,Open Int"
LONG_SIDE = "Last Sale,Net,Bid,Ask,Vol,IV,Delta,Gamma,Open Int"


def _old(name: str, call: str, put: str, interest: tuple[int, int]) -> str:
    return f"{name} ({call}),25,0,24,26,0,{interest[0]},{name} ({put}),0,0,9,9.5,0,{interest[1]},"


OLD_CBOE = "\n".join(
    [
        "SPX (S&P 500 INDEX),2684.79,+2.17,",
        "Dec 28 2017 @ 11:12 ET,",
        f"Calls,{SIDE},Puts,{SIDE},",
        _old("18 Dec 2600.00", "SPX1821L2600", "SPX1821X2600", (267, 109)),
        _old("18 Jan 2700.00", "SPXW1805A2700-E", "SPXW1805M2700-E", (25, 34)),
        _old("18 Jan 2700.00", "SPXW1805A2700-4", "SPXW1805M2700-4", (25, 34)),
        "",
    ]
)
CBOE_2018 = "\n".join(
    [
        "SPX (S&P 500 INDEX),2750.79,-16.34",
        "Oct 15 2018 @ 20:00 ET",
        f"Expiration Date,Calls,{LONG_SIDE},Strike,Puts,{LONG_SIDE}",
        "10/19/2018,SPX181019C02750000,1,0,10,11,5,0.3,0.5,0.001,15,2750.00,"
        "SPX181019P02750000,1,0,10,11,5,0.3,-0.5,0.001,9",
        "",
    ]
)


def test_cboe_tables_of_earlier_years(bench: Bench, tmp_path: Path) -> None:
    result = bench.read({"in/q.csv": OLD_CBOE}, None, "SPX", "cboe_quote_table")
    names = ("session", "root", "expiry", "settlement", "right", "open_interest", "spot")
    assert told(result, *names) == [
        ("2017-12-28", "SPXW", "2018-01-05", "PM", "C", 25.0, 2684.79),
        ("2017-12-28", "SPXW", "2018-01-05", "PM", "P", 34.0, 2684.79),
        ("2017-12-28", "SPX", "2018-12-21", "AM", "C", 267.0, 2684.79),
        ("2017-12-28", "SPX", "2018-12-21", "AM", "P", 109.0, 2684.79),
    ]
    # rows of a single exchange repeat the consolidated ones
    assert result.others == {"SPXW_4": 2}
    later = Bench(tmp_path / "later").read({"in/q.csv": CBOE_2018}, None, "SPX", "cboe_quote_table")
    assert told(later, *names) == [
        ("2018-10-15", "SPX", "2018-10-19", "AM", "C", 15.0, 2750.79),
        ("2018-10-15", "SPX", "2018-10-19", "AM", "P", 9.0, 2750.79),
    ]


def test_years_of_two_digits_after_years_of_four(bench: Bench) -> None:
    """The first rows do not decide for the last: 1/17/24 is no day of the year 24."""
    many = "".join(f"1/16/2024,1/19/2024,{300 + i / 10:.1f},C,7,0.15,476\n" for i in range(2500))
    result = bench.read({"in/a.csv": HEAD + many + "1/17/24,1/19/24,470,C,7,0.15,476\n"})
    assert (result.rows_written, result.sessions, result.rows_rejected) == (2501, 2, 0)


def test_a_later_file_takes_nothing_away(bench: Bench) -> None:
    """What the lake knows of a contract stays where a later file lacks the column."""
    quotes = COLUMNS.replace('open_interest = "oi"\n', "") + TIMING
    interest = COLUMNS.replace('iv = "iv"\n', "") + TIMING
    lake = bench.folder / "lake"

    def add(name: str, mapping: str) -> None:
        (bench.folder / "map.toml").write_text(mapping, encoding="utf-8")
        ingest([bench.folder / name], vendor="columns", underlying="SPY", lake=lake,
               mapping=bench.folder / "map.toml")  # fmt: skip

    (bench.folder / "quotes.csv").write_text(HEAD + TWO.replace("3010", "").replace("1010", ""))
    (bench.folder / "oi.csv").write_text(HEAD + TWO.replace("0.15", ""))
    add("quotes.csv", quotes)
    add("oi.csv", interest)
    rows = rows_of(lake)
    assert [(r["open_interest"], r["iv"]) for r in rows] == [(3010.0, 0.15), (1010.0, 0.15)]
    # the same file read in another way lends nothing to itself
    add("oi.csv", COLUMNS.replace('iv = "iv"\n', "").replace('"oi"', '"strike"') + TIMING)
    assert [r["open_interest"] for r in rows_of(lake)] == [470.0, 470.0]


def rows_of(lake: Path) -> list[dict[str, Any]]:
    """Return the rows of a lake's one session."""
    [entry] = open_lake(lake).sessions("SPY")
    found: list[dict[str, Any]] = part_rows(entry.file, [entry.session]).to_pylist()
    return found


def test_yearly_parquet_with_prices_of_the_underlying_beside_it(bench: Bench) -> None:
    """A public history's shape: integer beside float between years, closes in their own file."""
    sessions = {2023: ["2023-12-28", "2023-12-29"], 2024: ["2024-01-02"]}
    closes = {"2023-12-28": 476.69, "2023-12-29": 475.31, "2024-01-02": 472.65}
    files: dict[str, str | bytes] = {
        "prices.csv": "symbol,date,close\n"
        + "".join(f"SPY,{d},{c}\nQQQ,{d},{c - 60}\n" for d, c in closes.items())
    }
    kinds = {2023: pa.int64(), 2024: pa.float64()}
    for year, days in sessions.items():
        count = len(days) * 2
        table = pa.table(
            {
                "contract_id": ["SPY240216C00470000", "SPY240216P00470000"] * len(days),
                "symbol": ["SPY"] * count,
                "expiration": pa.array([date(2024, 2, 16)] * count),
                "strike": [470.0] * count,
                "type": ["call", "put"] * len(days),
                "bid": [10.0, 3.0] * len(days),
                "ask": [10.2, 3.1] * len(days),
                "open_interest": pa.array([7] * count, kinds[year]),
                "date": pa.array([date.fromisoformat(d) for d in days for _ in "CP"]),
                "implied_volatility": [0.15] * count,
            }
        )
        sink = pa.BufferOutputStream()
        pq.write_table(table, sink)
        files[f"in/options_{year}.parquet"] = sink.getvalue().to_pybytes()
    mapping = (
        '[join.spot]\nfiles = "prices.csv"\ncolumns = { session = "date", spot = "close" }\n'
        'where = { symbol = "SPY" }\n'
    )
    result = bench.read(files, mapping, "SPY", "options_hist")
    assert told(result, "session", "spot") == [(d, c) for d, c in closes.items() for _ in "CP"]
    assert result.spots_implied == 0
    assert result.unmatched == {"spot": 0}


def test_what_no_row_has_is_said(bench: Bench, capsys: pytest.CaptureFixture[str]) -> None:
    bare = COLUMNS.replace('open_interest = "oi"\n', "").replace('iv = "iv"\n', "") + TIMING
    assert bench.read({"in/a.csv": HEAD + TWO}, bare).without == ("open_interest", "volatility")
    where = ("--vendor", "columns", "--map", str(bench.folder / "map.toml"), "--underlying", "SPY")
    lake = ("--lake", str(bench.folder / "lake"))
    assert cli.run(["ingest", str(bench.folder / "in"), *where, *lake]) == 0
    said = " ".join(capsys.readouterr().out.split())
    assert "no row has open interest and volatility" in said
    assert "[join.open_interest]" in said
    # what the lake holds of the same session counts, and so does a file that has it
    assert bench.read({"in/b.csv": HEAD + TWO}, COLUMNS + TIMING).without == ()


def test_a_closure_announced_late(bench: Bench) -> None:
    result = bench.read({"in/a.csv": HEAD + TWO}, COLUMNS + TIMING + "drop_sessions = [2024-01-12]")
    assert (result.rows_written, result.rejects) == (0, {"not_a_session": 2})


def test_a_weekend_day_nobody_added(bench: Bench) -> None:
    result = bench.read({"in/a.csv": HEAD + TWO.replace("2024-01-12", "2024-01-13")})
    assert (result.rows_written, result.rejects) == (0, {"not_a_session": 2})
