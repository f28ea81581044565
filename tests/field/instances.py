"""Further small inputs of the kinds in which files from the field differ, each with its answer.

A call and a put of SPY on 2024-01-12, written by other hands; answers are by eye.
"""

from __future__ import annotations

import gzip
import io
import json
import zipfile
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

HEAD = "date,expiry,strike,cp,oi,iv,spot\n"
CALL = "2024-01-12,2024-01-19,470,C,3010,0.15,476\n"
PUT = "2024-01-12,2024-01-19,470,P,1010,0.15,476\n"
PLAIN = HEAD + CALL + PUT
COLUMNS = """[columns]
session = "date"
expiry = "expiry"
strike = "strike"
right = "cp"
open_interest = "oi"
iv = "iv"
spot = "spot"
"""
TIMING = """[timing]
quote_time = "close"
known_at = "next_open"
oi_lag_sessions = 1
settlement = "PM"
"""
MAP = COLUMNS + TIMING
#: What the call and the put are in the lake: day, expiry, strike, right, interest, iv, spot.
TWO = [
    ("2024-01-12", "2024-01-19", 470.0, "C", 3010.0, 0.15, 476.0),
    ("2024-01-12", "2024-01-19", 470.0, "P", 1010.0, 0.15, 476.0),
]
NAMES = ("session", "expiry", "strike", "right", "open_interest", "iv", "spot")


@dataclass(frozen=True)
class Instance:
    """One input.

    Attributes
    ----------
    kind : str
        What it is an instance of.
    name : str
    files : dict
        Name to content; what lies in ``in/`` is ingested.
    rows : list of tuple, or str
        The rows that must enter, by `names`; or what a refusal must say.
    mapping, vendor, underlying : str
    names : tuple of str
    """

    kind: str
    name: str
    files: dict[str, str | bytes]
    rows: list[Any] | str
    mapping: str | None = MAP
    vendor: str = "columns"
    underlying: str = "SPY"
    names: tuple[str, ...] = NAMES


def _one(text: str | bytes, name: str = "in/a.csv") -> dict[str, str | bytes]:
    return {name: text}


def _parquet(**columns: Any) -> bytes:
    sink = io.BytesIO()
    pq.write_table(pa.table(columns), sink)
    return sink.getvalue()


def _zip(**members: str) -> bytes:
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w") as archive:
        for name, text in members.items():
            archive.writestr(name.replace("__", "/").replace("_dot_", "."), text)
    return sink.getvalue()


def _with(session: str = "2024-01-12", expiry: str = "2024-01-19") -> str:
    return PLAIN.replace("2024-01-12", session).replace("2024-01-19", expiry)


def _plain_parquet(**other: Any) -> bytes:
    columns: dict[str, Any] = {
        "date": pa.array([date(2024, 1, 12)] * 2),
        "expiry": pa.array([date(2024, 1, 19)] * 2),
        "strike": pa.array([470, 470], pa.int64()),
        "cp": pa.array(["C", "P"]),
        "oi": pa.array([3010, 1010], pa.int32()),
        "iv": pa.array([0.15, 0.15]),
        "spot": pa.array([476.0, 476.0]),
    }
    return _parquet(**{**columns, **other})


def _stamps(unit: str, *, hour: int = 0) -> Any:
    moment = datetime(2024, 1, 12, hour, tzinfo=UTC)
    return pa.array([moment] * 2, pa.timestamp(unit, "UTC"))


_OTHER_DAY = PLAIN.replace("2024-01-12", "2024-01-11")
_EPOCH = int(datetime(2024, 1, 12, tzinfo=UTC).timestamp())
_EXPIRY = int(datetime(2024, 1, 19, tzinfo=UTC).timestamp())
_FOUR = sorted([(r[0].replace("12", "11"), *r[1:]) for r in TWO] + TWO)

TABLES = [
    Instance(
        "several tables",
        "other order of columns",
        {
            "in/a.csv": PLAIN,
            "in/b.csv": "spot,iv,oi,cp,strike,expiry,date\n"
            "476,0.15,3010,C,470,2024-01-19,2024-01-11\n"
            "476,0.15,1010,P,470,2024-01-19,2024-01-11\n",
        },
        _FOUR,
    ),
    Instance(
        "several tables",
        "integers beside decimals",
        {
            "in/a.csv": PLAIN,
            "in/b.csv": _OTHER_DAY.replace("476", "476.0").replace("470", "470.00"),
        },
        _FOUR,
    ),
    Instance(
        "several tables",
        "text beside numbers in Parquet",
        {
            "in/a.parquet": _plain_parquet(),
            "in/b.parquet": _plain_parquet(
                date=pa.array([date(2024, 1, 11)] * 2),
                strike=pa.array(["470", "470"]),
                oi=pa.array(["3010", "1010"]),
            ),
        },
        _FOUR,
    ),
    Instance(
        "several tables",
        "nanoseconds beside microseconds",
        {
            "in/a.parquet": _plain_parquet(
                date=pa.array(
                    [datetime(2024, 1, 12)] * 2,  # noqa: DTZ001
                    pa.timestamp("ns"),
                )
            ),
            "in/b.parquet": _plain_parquet(
                date=pa.array(
                    [datetime(2024, 1, 11)] * 2,  # noqa: DTZ001
                    pa.timestamp("us"),
                )
            ),
        },
        _FOUR,
    ),
    Instance(
        "several tables",
        "semicolons beside commas",
        {"in/a.csv": PLAIN, "in/b.csv": _OTHER_DAY.replace(",", ";")},
        _FOUR,
    ),
]

DATES = [
    Instance(
        "dates",
        "two digits, the map decides",
        _one(_with("1/12/24", "1/19/24")),
        TWO,
        MAP + 'date_format = "%m/%d/%y"\n',
    ),
    Instance(
        "dates", "two digits, day first", _one(_with("12.01.24", "19.01.24")), "can be read as"
    ),
    Instance("dates", "two digits, one session", _one(_with("1/12/24")), "can be read as"),
    Instance(
        "dates",
        "both orders possible",
        _one(PLAIN.replace("2024-01-12", "05/06/2024").replace("2024-01-19", "07/08/2024")),
        "can be read as",
    ),
    Instance("dates", "Excel's days", _one(_with("45303", "45310")), TWO),
    Instance("dates", "numbers with a decimal point", _one(_with("20240112.0", "20240119.0")), TWO),
    Instance("dates", "upper months", _one(_with("12JAN2024", "19JAN2024")), TWO),
    Instance("dates", "names of months first", _one(_with("Jan 12 2024", "Jan 19 2024")), TWO),
    Instance(
        "dates",
        "midnights with a zone in text",
        _one(_with("2024-01-12T00:00:00+00:00", "2024-01-19T00:00:00Z")),
        TWO,
    ),
    Instance(
        "dates",
        "New York's midnights in UTC, Parquet",
        _one(_plain_parquet(date=_stamps("us", hour=5)), "in/a.parquet"),
        TWO,
    ),
    Instance(
        "dates",
        "UTC midnights, Parquet",
        _one(_plain_parquet(date=_stamps("ms")), "in/a.parquet"),
        TWO,
    ),
]

EPOCHS = [
    Instance("epochs", unit, _one(_with(str(_EPOCH * factor), str(_EXPIRY * factor))), TWO)
    for unit, factor in (
        ("seconds", 1),
        ("milliseconds", 10**3),
        ("microseconds", 10**6),
        ("nanoseconds", 10**9),
    )
] + [
    Instance(
        "epochs",
        "integers in Parquet",
        _one(
            _plain_parquet(
                date=pa.array([_EPOCH * 10**6] * 2), expiry=pa.array([_EXPIRY * 1000] * 2)
            ),
            "in/a.parquet",
        ),
        TWO,
    ),
    Instance(
        "epochs",
        "exponents in text",
        _one(_with(f"{_EPOCH * 1000:.6e}".replace("e+", "E+"), "2024-01-19")),
        "holds '1.705018E.12'",  # the spreadsheet has rounded it
    ),
]

MOMENTS = [
    Instance(
        "moments",
        name,
        _one(PLAIN.replace("2024-01-12", stamp)),
        [("2024-01-12", at) for _ in range(2)],
        MAP.replace('session = "date"', 'quote_ts = "date"').replace('quote_time = "close"\n', ""),
        names=("session", "quote_ts"),
    )
    for name, stamp, at in (
        ("offset", "2024-01-12T15:45:00-05:00", "2024-01-12 20:45:00+00:00"),
        ("zone by letters", "2024-01-12 15:45:00 EST", "2024-01-12 20:45:00+00:00"),
        ("no zone is the exchange's", "2024-01-12 15:45", "2024-01-12 20:45:00+00:00"),
        ("afternoon", "2024-01-12 3:45:00 PM", "2024-01-12 20:45:00+00:00"),
        ("fractions", "2024-01-12 20:45:00.500000Z", "2024-01-12 20:45:00.500000+00:00"),
    )
]

_ROOTS = "date,expiry,strike,cp,oi,iv,spot,root\n"


def _rooted(underlying: str, root: str, expiry: str, expected: tuple[Any, ...]) -> Instance:
    row = f"2024-01-12,{expiry},470,C,3010,0.15,476,{root}\n"
    return Instance(
        "roots", f"{underlying} {root} {expiry}", _one(_ROOTS + row), [expected],
        COLUMNS + 'root = "root"\n' + TIMING.replace("PM", "third_friday"), underlying=underlying,
        names=("settlement", "multiplier"),
    )  # fmt: skip


ROOTS = [
    _rooted("SPY", "SPY", "2024-01-19", ("PM", 100.0)),
    _rooted("QQQ", "QQQ", "2024-02-16", ("PM", 100.0)),
    _rooted("NDX", "NDXP", "2024-01-19", ("PM", 100.0)),
    _rooted("NDX", "NDX", "2024-01-19", ("AM", 100.0)),
    _rooted("RUT", "RUTW", "2024-01-19", ("PM", 100.0)),
    _rooted("VIX", "VIXW", "2024-01-24", ("AM", 100.0)),
    _rooted("SPX", "SPXQ", "2024-03-28", ("PM", 100.0)),
    _rooted("SPY", "SPY7", "2024-01-19", ("PM", 10.0)),
    _rooted("AAPL", "AAPL1", "2024-01-19", ("PM", None)),
    _rooted("XSP", "XSP", "2024-01-19", ("PM", 100.0)),
]


def _symbol(text: str, expected: tuple[Any, ...], underlying: str) -> Instance:
    return Instance(
        "symbols", text, _one(f"date,s,oi,iv,spot\n2024-01-12,{text},7,0.15,476\n"), [expected],
        '[columns]\nsession = "date"\nsymbol = "s"\nopen_interest = "oi"\niv = "iv"\n'
        'spot = "spot"\n[constants]\nmultiplier = 100\n' + TIMING, underlying=underlying,
        names=("root", "expiry", "right", "strike"),
    )  # fmt: skip


SYMBOLS = [
    _symbol("AAPL240119C00190000", ("AAPL", "2024-01-19", "C", 190.0), "AAPL"),
    _symbol("AAPL  240119P00192500", ("AAPL", "2024-01-19", "P", 192.5), "AAPL"),
    _symbol(".SPY240119C470", ("SPY", "2024-01-19", "C", 470.0), "SPY"),
    _symbol("SPY_011924P470.5", ("SPY", "2024-01-19", "P", 470.5), "SPY"),
    _symbol("O:SPY240119C00470500", ("SPY", "2024-01-19", "C", 470.5), "SPY"),
    _symbol("SPY US 01/19/24 P470 Equity", ("SPY", "2024-01-19", "P", 470.0), "SPY"),
    _symbol("SPY   20240119C00470000", ("SPY", "2024-01-19", "C", 470.0), "SPY"),
]


def _unknown(name: str, cell: str, extra: str = "") -> Instance:
    return Instance(
        "sentinels",
        name,
        _one(PLAIN.replace(",3010,", f",{cell},")),
        [("C", None), ("P", 1010.0)],
        MAP + extra,
        names=("right", "open_interest"),
    )


SENTINELS = [
    *(
        _unknown(name, name)
        for name in (
            "2147483647",
            "4294967295",
            "N/A",
            "NULL",
            "\\N",
            "-",
            ".",
            "NaN",
            "#N/A",
            "None",
        )
    ),
    _unknown("by the map, a number", "-1", "[missing]\nopen_interest = [-1]\n"),
    _unknown("by the map, a word", "halt", '[missing]\nopen_interest = ["halt"]\n'),
]

TEXTS = [
    Instance("text", "a byte order mark", _one(b"\xef\xbb\xbf" + PLAIN.encode()), TWO),
    Instance("text", "UTF-16", _one(PLAIN.encode("utf-16")), TWO),
    Instance("text", "line ends of two kinds", _one(PLAIN.replace("\n", "\r\n", 1).encode()), TWO),
    Instance("text", "a header in the middle", _one(PLAIN + HEAD), TWO),
    Instance(
        "text", "quoted cells", _one(PLAIN.replace("470", '"470"').replace("C,", '"C",')), TWO
    ),
    Instance(
        "text",
        "thousands",
        _one(PLAIN.replace(",3010,", ',"3,010",').replace(",1010,", ',"1,010",')),
        TWO,
    ),
    Instance(
        "text",
        "decimal comma",
        _one(PLAIN.replace(",", ";").replace("0.15", "0,15").replace("476", "476,0")),
        TWO,
    ),
    Instance("text", "currency signs", _one(PLAIN.replace(",476", ",$476.00")), TWO),
    Instance("text", "spaces around cells and names", _one(PLAIN.replace(",", " , ")), TWO),
    Instance("text", "tabs", _one(PLAIN.replace(",", "\t"), "in/a.tsv"), TWO),
    Instance("text", "empty lines at the end", _one(PLAIN + "\n\n"), TWO),
    Instance("text", "a bar as separator", _one(PLAIN.replace(",", "|"), "in/a.txt"), TWO),
]

PACKED = [
    Instance("packed", "gzip", _one(gzip.compress(PLAIN.encode()), "in/a.csv.gz"), TWO),
    Instance(
        "packed",
        "a zip with a manual",
        _one(
            _zip(a_dot_csv=PLAIN, readme_dot_txt="Our files are described on the web.\n"),
            "in/a.zip",
        ),
        TWO,
    ),
    Instance("packed", "folders in a zip", _one(_zip(x__y__a_dot_csv=PLAIN), "in/a.zip"), TWO),
    Instance("packed", "upper case suffix", _one(PLAIN, "in/A.CSV"), TWO),
    Instance(
        "packed",
        "jsonl",
        _one(
            "".join(
                json.dumps(dict(zip(HEAD.strip().split(","), line.split(","), strict=True))) + "\n"
                for line in (CALL.strip(), PUT.strip())
            ),
            "in/a.jsonl",
        ),
        TWO,
    ),
    Instance("packed", "an empty file among good ones", {"in/a.csv": PLAIN, "in/b.csv": ""}, TWO),
    Instance(
        "packed",
        "a header without rows among good ones",
        {"in/a.csv": PLAIN, "in/b.csv": HEAD},
        TWO,
    ),
]

_FINVIZ = (
    "Contract Name,Last Trade,Expiry,Strike,Last Close,Bid,Ask,Change $,Change %,Volume,Open Int.,"
    "Type,IV,Delta,Gamma,Theta,Vega,Rho\n"
    '"SPY240119C00470000",1/12/2024 3:55:56 PM,1/19/2024,470.0,8.2,8.1,8.4,0,0%,"1,200","3,010",'
    "call,0.15,0.62,0.01,-0.02,0.05,0.03\n"
    '"SPY240119P00470000",1/12/2024 3:59:12 PM,1/19/2024,470.0,1.2,1.1,1.3,0,0%,800,"1,010",put,'
    "-1,-0.38,0.01,-0.02,0.05,0.03\n"
)
_READER = (
    "Strike,Expiry,Type,Symbol,Last,Bid,Ask,Chg,PctChg,Vol,Open_Int,IV,Root,IsNonstandard,"
    "Underlying,Underlying_Price,Quote_Time\n"
    "470.0,2024-01-19,call,SPY240119C00470000,8.2,8.1,8.4,0.0,0.0,5,3010,0.15,SPY,False,SPY,476.0,"
    "2024-01-12 16:00:00\n"
    "470.0,2024-01-19,put,SPY240119P00470000,1.2,1.1,1.3,0.0,0.0,5,1010,0.15,SPY,False,SPY,476.0,"
    "2024-01-12 16:00:00\n"
)
_DHAN = {
    "status": "success",
    "data": {
        "last_price": 21894.55,
        "oc": {
            f"{strike}.000000": {
                side: {"greeks": {"delta": 0.5}, "implied_volatility": 12.5, "last_price": 100.0,
                       "oi": oi, "volume": 5}
                for side, oi in (("ce", 500), ("pe", 250))
            }
            for strike in (21850, 21900)
        },
    },
}  # fmt: skip
_WAREHOUSE = (
    "expirationDate,isCall,lastTradeDate,strike,lastPrice,bid,ask,volume,openInterest,"
    "impliedVolatility\n"
    "2024-01-19,true,2024-01-12,470,8.2,8.1,8.4,5,3010,0.15\n"
    "2024-01-19,false,2024-01-12,470,1.2,1.1,1.3,5,1010,0.15\n"
)

#: Layouts as public repositories have them, remade with our numbers.
PUBLIC = [
    Instance(
        "public layouts",
        "export of a screener",
        _one(_FINVIZ),
        [
            ("2024-01-12", "2024-01-19", 470.0, "C", 3010.0, 0.15, 476.0),
            ("2024-01-12", "2024-01-19", 470.0, "P", 1010.0, None, 476.0),
        ],
        '[columns]\nquote_ts = "Last Trade"\nsymbol = "Contract Name"\niv = "IV"\n'
        'open_interest = "Open Int."\nbid = "Bid"\nask = "Ask"\nvolume = "Volume"\n'
        "[missing]\niv = [-1, 0]\n"
        "[constants]\nspot = 476\n" + TIMING.replace('quote_time = "close"', 'order = "MDY"'),
    ),
    Instance(
        "public layouts",
        "frames of a reader of Yahoo",
        _one(_READER),
        TWO,
        '[columns]\nquote_ts = "Quote_Time"\nexpiry = "Expiry"\nstrike = "Strike"\n'
        'right = "Type"\nroot = "Root"\nopen_interest = "Open_Int"\niv = "IV"\n'
        'spot = "Underlying_Price"\n[where]\nIsNonstandard = "False"\n'
        + TIMING.replace('quote_time = "close"\n', ""),
    ),
    Instance(
        "public layouts",
        "a broker's chain by strikes",
        {"in/2024-01-12.json": json.dumps(_DHAN)},
        [
            ("2024-01-12", "2024-01-18", 21850.0, "C", 500.0, 0.125, 21894.55),
            ("2024-01-12", "2024-01-18", 21850.0, "P", 250.0, 0.125, 21894.55),
            ("2024-01-12", "2024-01-18", 21900.0, "C", 500.0, 0.125, 21894.55),
            ("2024-01-12", "2024-01-18", 21900.0, "P", 250.0, 0.125, 21894.55),
        ],
        '[columns]\nsession = "filename"\nstrike = "outer_key"\nright = "key"\n'
        'spot = "data.last_price"\nopen_interest = "oi"\niv = "implied_volatility"\n'
        '[constants]\nexpiry = "2024-01-18"\nmultiplier = 50\n[scale]\niv = 0.01\n'
        + TIMING
        + 'calendar = "XBOM"\n',
        underlying="NIFTY",
    ),
    Instance(
        "public layouts",
        "a table of a warehouse",
        _one(_WAREHOUSE),
        TWO,
        '[columns]\nsession = "lastTradeDate"\nexpiry = "expirationDate"\nstrike = "strike"\n'
        'right = "isCall"\nopen_interest = "openInterest"\niv = "impliedVolatility"\n'
        '[constants]\nspot = 476\n[values]\nright = { true = "C", false = "P" }\n' + TIMING,
    ),
]

_SATURDAY = PLAIN.replace("2024-01-12", "2024-01-13")

#: Sessions that a map adds and drops.
CALENDARS = [
    Instance(
        "calendars",
        "a Saturday made up for",
        _one(_SATURDAY),
        [("2024-01-13", "C"), ("2024-01-13", "P")],
        MAP + "add_sessions = [2024-01-13]\n",
        names=("session", "right"),
    ),
    Instance(
        "calendars",
        "both at once",
        _one(_SATURDAY),
        [("2024-01-13", "2024-01-11"), ("2024-01-13", "2024-01-11")],
        MAP + 'add_sessions = ["2024-01-13"]\ndrop_sessions = ["2024-01-12"]\n',
        names=("session", "oi_asof"),
    ),
]

INSTANCES = [*CALENDARS, *TABLES, *DATES, *EPOCHS, *MOMENTS, *ROOTS, *SYMBOLS, *SENTINELS, *TEXTS,
             *PACKED, *PUBLIC]  # fmt: skip
