"""Layouts found in public repositories, remade with our own numbers; answers are by eye.

Each names the repository and file (or the page of a service it documents) that the layout was seen
in, and the kinds it is an instance of (`kinds.py`).
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from instances import TIMING, Instance


@dataclass(frozen=True)
class Seen:
    """One layout: where it was seen, of which kinds it is, and what it must give."""

    where: str
    kinds: tuple[int, ...]
    instance: Instance


def _seen(
    name: str,
    where: str,
    kinds: tuple[int, ...],
    files: dict[str, str | bytes],
    rows: list[Any] | str,
    mapping: str,
    underlying: str,
    names: tuple[str, ...],
) -> Seen:
    instance = Instance("seen in public", name, files, rows, mapping, underlying=underlying,
                        names=names)  # fmt: skip
    return Seen(where, kinds, instance)


_TXO = "date,contract,LTD,strike,c_or_p,open,high,low,close,volume,Final_p,OI,period\n"
_TAIWAN = TIMING + 'calendar = "XTAI"\n[constants]\nmultiplier = 50\n'


def _big5(header: str, *rows: str) -> bytes:
    return (header + "\n" + "\n".join(rows) + "\n").encode("big5")


_TAIFEX_HEAD = "交易日期,契約,到期月份,履約價,買賣權,未沖銷契約數,交易時段"

MONTHS_OF_BIG5 = _seen(
    "monthly files in Big5, a column more from some month on",
    "TiTiTung/FutureTradingStrategy combine_option_dat.R",
    (1, 10, 11, 13),
    {
        "in/2018_opt_01.csv": _big5(
            _TAIFEX_HEAD,
            "2018/1/3,TXO,201803,10700,買權,55,一般",
            "2018/1/3,TXO,201803,10700,買權,-,盤後",
        ),
        "in/2018_opt_02.csv": _big5(
            _TAIFEX_HEAD + ",漲跌%", "2018/2/1,TXO,201803,10700,賣權,66,一般,1.5%"
        ),
        "closes.csv": "date,close\n2018-01-03,10801.57\n2018-02-01,11160.25\n",
    },
    [
        ("2018-01-03", "2018-03-21", 10700.0, "C", 55.0, 10801.57),
        ("2018-02-01", "2018-03-21", 10700.0, "P", 66.0, 11160.25),
    ],
    'encoding = "big5"\n[columns]\nsession = "交易日期"\nexpiry = "到期月份"\nstrike = "履約價"\n'
    'right = "買賣權"\nopen_interest = "未沖銷契約數"\n[where]\n"交易時段" = "一般"\n'
    '[join.spot]\nfiles = "closes.csv"\ncolumns = { session = "date", spot = "close" }\n' + _TAIWAN,
    "TXO",
    ("session", "expiry", "strike", "right", "open_interest", "spot"),
)

_FINMIND = [
    ["2020-04-01", "TXO", "202004W2", 9700, "put", 0.0, 6253, "position"],
    ["2020-04-01", "TXO", "202004W2", 9700, "put", 0.0, 0, "after_market"],
    ["2020-04-01", "TXO", "202004", 9700, "call", 210.0, 77, "position"],
    ["2020-04-01", "CAO", "202004", 55, "put", 2.48, 15, "position"],
]
FINMIND = _seen(
    "weekly and monthly codes of a service, another product, two trading sessions",
    "FinMind/FinMind-Doc docs/tutor/TaiwanMarket/Derivative.md",
    (6, 9, 11, 13),
    {
        "in/option.json": json.dumps(
            {
                "status": 200,
                "data": [
                    dict(
                        zip(
                            ("date", "option_id", "contract_date", "strike_price", "call_put",
                             "settlement_price", "open_interest", "trading_session"),
                            row, strict=True,
                        )
                    )
                    for row in _FINMIND
                ],
            }
        ),
        "spot.csv": "date,stock_id,close\n2020-04-01,TAIEX,9663.63\n2020-04-01,2330,271.5\n",
    },
    [
        ("2020-04-01", "2020-04-08", "P", 6253.0, 9663.63),
        ("2020-04-01", "2020-04-15", "C", 77.0, 9663.63),
    ],
    '[columns]\nsession = "date"\nexpiry = "contract_date"\nstrike = "strike_price"\n'
    'right = "call_put"\nopen_interest = "open_interest"\nunderlying = "option_id"\n[where]\n'
    'trading_session = "position"\n[join.spot]\nfiles = "spot.csv"\n'
    'columns = { session = "date", spot = "close" }\nwhere = { stock_id = "TAIEX" }\n' + _TAIWAN,
    "TXO",
    ("session", "expiry", "right", "open_interest", "spot"),
)  # fmt: skip

_COINS = (
    "snapshot_utc,exchange,underlying,instrument,expiry,strike,type,mark_price,bid,ask,mark_iv,"
    "delta,gamma,vega,theta,open_interest,volume_24h,underlying_price\n"
)
TWO_EXCHANGES = _seen(
    "two exchanges of coins in folders by year and month, percent volatilities",
    "sukarenormous-ship-it/options-data README.md, data/deribit/2026/07/2026-07-05.csv",
    (1, 8, 9),
    {
        "in/deribit/2026/07/2026-07-05.csv": _COINS
        + "2026-07-05T00:15:00Z,deribit,BTC,BTC-31JUL26-100000-C,2026-07-31,100000,call,0.05,"
        "0.0495,0.0505,43.2,,,,,120.5,3,99000\n"
        "2026-07-05T00:15:00Z,deribit,ETH,ETH-31JUL26-4000-C,2026-07-31,4000,call,0.05,,,60,,,,,9,3,"
        "3900\n",
        "in/okx/2026/07/2026-07-05.csv": _COINS
        + "2026-07-05T00:15:00Z,okx,BTC,BTC-USD-260731-100000-P,2026-07-31,100000,put,0.06,0.059,"
        "0.061,44,-0.51,0.00002,70,-80,33,3,99000\n",
    },
    [("2026-07-31", "C", 120.5, 0.432, 99000.0), ("2026-07-31", "P", 33.0, 0.44, 99000.0)],
    '[columns]\nquote_ts = "snapshot_utc"\nexpiry = "expiry"\nstrike = "strike"\nright = "type"\n'
    'open_interest = "open_interest"\niv = "mark_iv"\nspot = "underlying_price"\n'
    'underlying = "underlying"\n[scale]\niv = 0.01\n[constants]\nmultiplier = 1\n[timing]\n'
    'calendar = "24/7"\nknown_at = "quote"\noi_lag_sessions = 1\nsettlement = "PM"\n',
    "BTC",
    ("expiry", "right", "open_interest", "iv", "spot"),
)

UPSTOX = _seen(
    "a broker's chain, calls and puts nested in each strike",
    "Aravin/Algo-Trade testapp/src/upstox/mocks/option-chain.mock.ts",
    (8, 10),
    {
        "in/2024-06-25.json": json.dumps(
            {
                "status": "success",
                "data": [
                    {
                        "expiry": "2024-06-27",
                        "strike_price": 23500,
                        "underlying_spot_price": 23721.3,
                        **{
                            f"{side}_options": {
                                "instrument_key": "NSE_FO|1",
                                "market_data": {"ltp": 1, "oi": oi, "bid_price": 1, "ask_price": 2},
                                "option_greeks": {"delta": 0.5, "iv": iv},
                            }
                            for side, oi, iv in (("call", 1330, 12.5), ("put", 2440, 13.0))
                        },
                    }
                ],
            }
        )
    },
    [
        ("2024-06-25", "2024-06-27", "C", 1330.0, 0.125),
        ("2024-06-25", "2024-06-27", "P", 2440.0, 0.13),
    ],
    '[columns]\nsession = "filename"\nexpiry = "expiry"\nstrike = "strike_price"\n'
    'spot = "underlying_spot_price"\n[columns.call]\n'
    'open_interest = "call_options.market_data.oi"\niv = "call_options.option_greeks.iv"\n'
    '[columns.put]\nopen_interest = "put_options.market_data.oi"\n'
    'iv = "put_options.option_greeks.iv"\n[scale]\niv = 0.01\n[constants]\nmultiplier = 25\n'
    + TIMING + 'calendar = "XBOM"\n',
    "NIFTY",
    ("session", "expiry", "right", "open_interest", "iv"),
)  # fmt: skip

BY_STAMP = _seen(
    "snapshots by their stamp, strikes by name, ce and pe below",
    "KartikChauhn/genieSchema OiAnalysisSchema.js",
    (5, 10),
    {
        "in/a.json": json.dumps(
            {
                stamp: {
                    strike: {
                        side: {"inOi": oi, "stExpiry": "2025-05-29", "inSpot": spot}
                        for side, oi in (("ce", 1680), ("pe", 1645))
                    }
                    for strike in ("24000", "24050")
                }
                for stamp, spot in (
                    ("2025-05-15T09:15:00+05:30", 24010.5),
                    ("2025-05-15T15:29:00+05:30", 24015.5),
                )
            }
        )
    },
    [
        (stamp, strike, right, oi, spot)
        for stamp, spot in (
            ("2025-05-15 03:45:00+00:00", 24010.5),
            ("2025-05-15 09:59:00+00:00", 24015.5),
        )
        for strike in (24000.0, 24050.0)
        for right, oi in (("C", 1680.0), ("P", 1645.0))
    ],
    '[columns]\nquote_ts = "outer_outer_key"\nexpiry = "stExpiry"\nstrike = "outer_key"\n'
    'right = "key"\nopen_interest = "inOi"\nspot = "inSpot"\n[constants]\nmultiplier = 75\n'
    + TIMING.replace('quote_time = "close"\n', "")
    + 'calendar = "XBOM"\n',
    "NIFTY",
    ("quote_ts", "strike", "right", "open_interest", "spot"),
)

_XDTE = (
    "Time,Symbol,Price,VIX,Option,Type,Strike Price,Last Price,Bid,Ask,Expiration,Open Interest,"
    "Contract Size,Root Symbol\n"
)
EVERY_FEW_MINUTES = _seen(
    "snapshots every few minutes with root and contract size",
    "jminck/spx-options-data ansible/roles/spxlogstash/config/logstash-csv.conf",
    (2, 3, 4, 5, 15),
    {
        "in/0DTE.csv": _XDTE
        + "".join(
            f"2024-01-12 {clock},SPX,{spot},12.7,SPXW240119{r}04750000,{w},4750,30,{b},{b + 0.4},"
            f"2024-01-19,{oi},100,SPXW\n"
            for clock, spot, b in (("10:00:00", 4770.0, 40.0), ("15:55:00", 4783.83, 48.5))
            for r, w, oi in (("C", "call", 3010), ("P", "put", 1010))
        )
    },
    [
        ("2024-01-12 15:00:00+00:00", "SPXW", "C", 40.0, 4770.0, 100.0),
        ("2024-01-12 15:00:00+00:00", "SPXW", "P", 40.0, 4770.0, 100.0),
        ("2024-01-12 20:55:00+00:00", "SPXW", "C", 48.5, 4783.83, 100.0),
        ("2024-01-12 20:55:00+00:00", "SPXW", "P", 48.5, 4783.83, 100.0),
    ],
    '[columns]\nquote_ts = "Time"\nexpiry = "Expiration"\nstrike = "Strike Price"\nright = "Type"\n'
    'root = "Root Symbol"\nopen_interest = "Open Interest"\nbid = "Bid"\nask = "Ask"\n'
    'spot = "Price"\nmultiplier = "Contract Size"\n' + TIMING.replace('quote_time = "close"\n', ""),
    "SPX",
    ("quote_ts", "root", "right", "bid", "spot", "multiplier"),
)

_NSE = (
    "Symbol,Date,Expiry,Option type,Strike Price,Open,High,Low,Close,LTP,Settle Price,"
    "No. of contracts,Turnover * in  ₹ Lakhs,Open Int,Change in OI,Underlying Value\n"
)
DASHES = _seen(
    "an exchange's history of contracts with dashes for what is not there",
    "a loader's test of NSE's download, find_string hit 62082399825",
    (2, 7, 10),
    {
        "in/opt.csv": _NSE
        + "NIFTY,10-Sep-2025,25-Sep-2025,CE,25000,100,120,80,110,110,-,500,1000,10000,-,25050\n"
        "NIFTY,10-Sep-2025,25-Sep-2025,PE,25000,60,80,40,70,70,72.5,-,-,-,-,25050\n"
    },
    [
        ("2025-09-10", "2025-09-25", "C", 10000.0, None, 500.0),
        ("2025-09-10", "2025-09-25", "P", None, 72.5, None),
    ],
    '[columns]\nsession = "Date"\nexpiry = "Expiry"\nstrike = "Strike Price"\n'
    'right = "Option type"\nopen_interest = "Open Int"\nlast = "Settle Price"\n'
    'volume = "No. of contracts"\nspot = "Underlying Value"\n[constants]\nmultiplier = 75\n'
    + TIMING + 'calendar = "XBOM"\n',
    "NIFTY",
    ("session", "expiry", "right", "open_interest", "last", "volume"),
)  # fmt: skip

OLD_ROOTS = _seen(
    "roots of before 2010 and Saturday expirations",
    "a description of DataShop's files, find_string hit 31721511555",
    (3, 4, 7),
    {
        "in/2006.csv": "underlying_symbol,quote_date,root,expiration,strike,option_type,bid_1545,"
        "ask_1545,underlying_bid_1545,underlying_ask_1545,open_interest,delivery_code\n"
        "^XSP,2006-08-01,JGA,2006-08-19,125.000,c,2.15,2.40,127.10,127.10,0,0\n"
    },
    [("JGA", "2006-08-19", "2006-08-18 20:00:00+00:00", 127.1, None)],
    '[columns]\nsession = "quote_date"\nroot = "root"\nexpiry = "expiration"\nstrike = "strike"\n'
    'right = "option_type"\nbid = "bid_1545"\nask = "ask_1545"\nopen_interest = "open_interest"\n'
    'spot = ["underlying_bid_1545"]\nunderlying = "underlying_symbol"\n' + TIMING,
    "XSP",
    ("root", "expiry", "expiry_ts", "spot", "multiplier"),
)

SATURDAY_SYMBOL = _seen(
    "padded symbols, a Saturday, a strike of cents",
    "azure-architect/options-master docs/occ_symbol_format.md",
    (3,),
    {
        "in/a.csv": "date,occ,oi,spot\n2014-11-14,SPX   141122P01950000,5,2039.82\n"
        "2014-11-14,SPX   141122P00019500,5,2039.82\n"
    },
    [
        ("SPX", "2014-11-22", "AM", 19.5, "2014-11-21 14:30:00+00:00"),
        ("SPX", "2014-11-22", "AM", 1950.0, "2014-11-21 14:30:00+00:00"),
    ],
    '[columns]\nsession = "date"\nsymbol = "occ"\nopen_interest = "oi"\nspot = "spot"\n'
    + TIMING.replace("PM", "third_friday"),
    "SPX",
    ("root", "expiry", "settlement", "strike", "expiry_ts"),
)

TEXT_MIDNIGHTS = _seen(
    "dates as midnights without a zone",
    "options-pro/options_pro src/data/optionsOI.js",
    (2, 10),
    {
        "in/a.json": json.dumps(
            [
                {"Date": "2022-09-22T00:00:00.000", "Expiry": "2022-09-29T00:00:00.000",
                 "Strike": 17600, "Type": kind, "Open Interest": oi, "Spot": 17629.8}
                for kind, oi in (("CE", 34500), ("PE", 41250))
            ]
        )
    },
    [("2022-09-22", "2022-09-29", "C", 34500.0), ("2022-09-22", "2022-09-29", "P", 41250.0)],
    '[columns]\nsession = "Date"\nexpiry = "Expiry"\nstrike = "Strike"\nright = "Type"\n'
    'open_interest = "Open Interest"\nspot = "Spot"\n[constants]\nmultiplier = 1\n'
    + TIMING + 'calendar = "XBOM"\n',
    "NIFTY",
    ("session", "expiry", "right", "open_interest"),
)  # fmt: skip

GATE = _seen(
    "contracts of a coin exchange: the multiplier as text, calls as true and false",
    "gateio/gateapi-nodejs docs/OptionsContract.md",
    (4, 11),
    {
        "in/contracts.json": json.dumps(
            [
                {"name": f"BTC_USDT-20240126-43000-{letter}", "createTime": 1704355200.0,
                 "expirationTime": 1706256000, "isCall": call, "multiplier": "0.01",
                 "underlyingPrice": "43000.5", "strike": "43000", "positionSize": size}
                for letter, call, size in (("C", True, 500), ("P", False, 700))
            ]
        )
    },
    [
        ("2024-01-04", "2024-01-26", "C", 0.01, 43000.5),
        ("2024-01-04", "2024-01-26", "P", 0.01, 43000.5),
    ],
    '[columns]\nquote_ts = "createTime"\nexpiry = "expirationTime"\nstrike = "strike"\n'
    'right = "isCall"\nopen_interest = "positionSize"\nspot = "underlyingPrice"\n'
    'multiplier = "multiplier"\n[values]\nright = { true = "C", false = "P" }\n[timing]\n'
    'calendar = "24/7"\nknown_at = "quote"\noi_lag_sessions = 1\nsettlement = "PM"\n',
    "BTC",
    ("session", "expiry", "right", "multiplier", "spot"),
)  # fmt: skip

_DX = (
    "[QUOTE_UNIXTIME], [QUOTE_READTIME], [QUOTE_DATE], [QUOTE_TIME_HOURS], [UNDERLYING_LAST], "
    "[EXPIRE_DATE], [STRIKE], [C_BID], [C_ASK], [P_BID], [P_ASK]\n"
)
OPTIONSDX_AND_INTEREST = _seen(
    "a vendor's quotes and open interest from elsewhere, by contract",
    "a pipeline's test, find_string hit 63232582623",
    (6, 7, 9, 10),
    {
        "in/spx_eod_202301.txt": _DX
        + "1673643600, 2023-01-13 16:00, 2023-01-13, 16.0, 3999.09, 2023-01-20, 4000, 50.1, 50.5, "
        "49.0, 49.4\n",
        "oi.csv": "date,expiry,strike,right,oi\n2023-01-13,2023-01-20,4000,C,7777\n",
    },
    [("2023-01-13", "C", 7777.0, 50.1), ("2023-01-13", "P", None, 49.0)],
    '[columns]\nsession = "[QUOTE_DATE]"\nexpiry = "[EXPIRE_DATE]"\nstrike = "[STRIKE]"\n'
    'spot = "[UNDERLYING_LAST]"\n[columns.call]\nbid = "[C_BID]"\nask = "[C_ASK]"\n[columns.put]\n'
    'bid = "[P_BID]"\nask = "[P_ASK]"\n[join.open_interest]\nfiles = "oi.csv"\ncolumns = '
    '{ session = "date", expiry = "expiry", strike = "strike", right = "right", '
    'open_interest = "oi" }\ntiming = { oi_lag_sessions = 1, known_at = "09:00" }\n'
    + TIMING.replace("oi_lag_sessions = 1\n", ""),
    "SPX",
    ("session", "right", "open_interest", "bid"),
)

_INDIA = '[columns]\nsession = "date"\nexpiry = "expiry"\nstrike = "k"\nright = "r"\nspot = "s"\n'
SUNDAY = _seen(
    "a Sunday of the budget, as a circular announced it",
    "rhnvrm/stock-market-circulars hugo-site/content/circulars/nse/2026/nse-2026-01-16-...md",
    (12,),
    {"in/a.csv": "date,expiry,k,r,s\n2026-02-01,2026-02-10,25000,CE,25100\n"},
    [("2026-02-01", "2026-02-01 10:00:00+00:00")],
    _INDIA + "[constants]\nmultiplier = 65\n" + TIMING
    + 'calendar = "XBOM"\nadd_sessions = [2026-02-01]\n',
    "NIFTY",
    ("session", "quote_ts"),
)  # fmt: skip
MUHURAT = _seen(
    "an evening session announced with the holidays",
    "rhnvrm/stock-market-circulars hugo-site/content/circulars/nse/2025/nse-2025-12-15-...md",
    (12,),
    {
        "in/a.csv": "date,expiry,k,r,s\n2026-11-08,2026-11-10,25000,CE,25100\n"
        "2026-11-06,2026-11-10,25000,CE,25100\n"
    },
    [("2026-11-06",), ("2026-11-08",)],
    _INDIA + "[constants]\nmultiplier = 65\n" + TIMING
    + 'calendar = "XBOM"\nadd_sessions = [2026-11-08]\n',
    "NIFTY",
    ("session",),
)  # fmt: skip

SEEN = (
    MONTHS_OF_BIG5, FINMIND, TWO_EXCHANGES, UPSTOX, BY_STAMP, EVERY_FEW_MINUTES, DASHES, OLD_ROOTS,
    SATURDAY_SYMBOL, TEXT_MIDNIGHTS, GATE, OPTIONSDX_AND_INTEREST, SUNDAY, MUHURAT,
)  # fmt: skip
