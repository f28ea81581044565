"""One truth, a small chain, written as vendors and exchanges lay their files out.

The answers are worked out here, from the formulas alone; nothing is imported from gexlab.
"""

from __future__ import annotations

import gzip
import json
import math
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

NEW_YORK = ZoneInfo("America/New_York")
SESSION = date(2024, 1, 12)
#: Days of the truth: a weekly and a monthly expiration.
EXPIRIES = (date(2024, 1, 19), date(2024, 2, 16))
CLOSE = datetime(2024, 1, 12, 16, tzinfo=NEW_YORK)
AT_1545 = datetime(2024, 1, 12, 15, 45, tzinfo=NEW_YORK)
SPOT = 476.0
#: Strike relative to spot, volatility, open interest of the call and of the put.
SHAPE = (
    (0.985, 0.154, 3010, 1010), (0.9925, 0.147, 1500, 2500), (1.0, 0.14, 2020, 990),
    (1.0075, 0.136, 800, 1200), (1.015, 0.132, 4040, 333),
)  # fmt: skip


@dataclass(frozen=True)
class Contract:
    """One contract of the truth, priced by Black's formula without rates."""

    expiry: date
    strike: float
    right: str
    open_interest: int
    iv: float
    years: float
    spot: float

    @property
    def price(self) -> float:
        d1 = self._d1()
        call = self.spot * _cdf(d1) - self.strike * _cdf(d1 - self.iv * math.sqrt(self.years))
        return call if self.right == "C" else call - self.spot + self.strike

    @property
    def bid(self) -> float:
        return self.price - 0.01

    @property
    def ask(self) -> float:
        return self.price + 0.01

    @property
    def gamma(self) -> float:
        density = math.exp(-0.5 * self._d1() ** 2) / math.sqrt(2.0 * math.pi)
        return density / (self.spot * self.iv * math.sqrt(self.years))

    def _d1(self) -> float:
        sd = self.iv * math.sqrt(self.years)
        return math.log(self.spot / self.strike) / sd + 0.5 * sd

    def symbol(self, root: str = "SPY") -> str:
        """Return the contract as the OCC names it, without the spaces."""
        return f"{root}{self.expiry:%y%m%d}{self.right}{round(self.strike * 1000):08d}"


def _cdf(x: float) -> float:
    return 0.5 * math.erfc(-x / math.sqrt(2.0))


@dataclass(frozen=True)
class Layout:
    """How a vendor writes the truth, and how it is read.

    Attributes
    ----------
    name : str
    write : callable
        Contracts to file names and contents; what lies in ``in/`` is ingested.
    mapping : str or None
        Name of the documented map.
    vendor : str
    underlying, instrument : str
    quote : datetime
        Moment of the quotes.
    expires : callable
        Day to the moment of expiration.
    spot, tick, multiplier : float
    expiries : tuple of date
    rejected : int
        Rows of contracts that deliver something else.
    """

    name: str
    write: Callable[[list[Contract]], dict[str, str | bytes]]
    mapping: str | None = None
    vendor: str = "columns"
    underlying: str = "SPY"
    instrument: str = "etf"
    quote: datetime = CLOSE
    expires: Callable[[date], datetime] = field(
        default=lambda day: datetime(day.year, day.month, day.day, 16, tzinfo=NEW_YORK)
    )
    spot: float = SPOT
    tick: float = 1.0
    multiplier: float = 100.0
    expiries: tuple[date, ...] = EXPIRIES
    session: date = SESSION
    rejected: int = 0

    def truth(self) -> list[Contract]:
        """Return the contracts."""
        rows = []
        for expiry in self.expiries:
            years = (self.expires(expiry) - self.quote) / timedelta(days=365)
            for level, iv, calls, puts in SHAPE:
                strike = round(level * self.spot / self.tick) * self.tick
                rows += [Contract(expiry, strike, right, interest, iv, years, self.spot)
                         for right, interest in (("C", calls), ("P", puts))]  # fmt: skip
        return rows

    def net_gex(self) -> float:
        """Return calls less puts, per percent."""
        unit = self.multiplier * self.spot**2 * 0.01
        return sum(
            (1 if c.right == "C" else -1) * c.open_interest * c.gamma * unit for c in self.truth()
        )

    def gross_gex(self) -> float:
        """Return the sum of the sizes."""
        unit = self.multiplier * self.spot**2 * 0.01
        return sum(c.open_interest * c.gamma * unit for c in self.truth())


def _csv(header: str, rows: list[list[Any]], mark: str = ",") -> str:
    lines = [header, *(mark.join(map(_cell, row)) for row in rows)]
    return "\n".join(lines) + "\n"


def _cell(value: Any) -> str:
    return repr(value) if isinstance(value, float) else str(value)


def _json(document: Any) -> str:
    return json.dumps(document)


def _closes(name: str = "close", day: str = "date") -> str:
    return f"{day},open,{name}\n2024-01-11,470.1,471.2\n2024-01-12,475.0,476.0\n"


def _interest(contracts: list[Contract]) -> str:
    return _csv(
        "date,expiration,strike,call_put,open_interest",
        [[SESSION, c.expiry, c.strike, _word(c), c.open_interest] for c in contracts],
    )


def _word(c: Contract) -> str:
    return "Call" if c.right == "C" else "Put"


_DATASHOP = (
    "underlying_symbol,quote_date,root,expiration,strike,option_type,open,high,low,close,"
    "trade_volume,bid_size_1545,bid_1545,ask_size_1545,ask_1545,underlying_bid_1545,"
    "underlying_ask_1545,{calcs}bid_size_eod,bid_eod,ask_size_eod,ask_eod,underlying_bid_eod,"
    "underlying_ask_eod,vwap,open_interest,delivery_code"
)
_CALCS = "implied_underlying_price_1545,active_underlying_price_1545,implied_volatility_1545,"


def datashop(contracts: list[Contract], *, calcs: bool) -> dict[str, str | bytes]:
    """Return end-of-day quotes of DataShop."""
    rows = [
        ["SPY", SESSION, "SPY", c.expiry, c.strike, c.right, 0, 0, 0, 0, 12, 5, c.bid, 5, c.ask,
         SPOT - 0.01, SPOT + 0.01, *([SPOT + 0.2, SPOT, c.iv] if calcs else []),
         5, c.bid + 1, 5, c.ask + 1, SPOT + 1, SPOT + 1.1, 0, c.open_interest, ""]
        for c in contracts
    ]  # fmt: skip
    return {"in/eod.csv": _csv(_DATASHOP.format(calcs=_CALCS if calcs else ""), rows)}


def datashop_intervals(contracts: list[Contract]) -> dict[str, str | bytes]:
    """Return quotes by interval: the last before the close counts."""
    header = (
        "underlying_symbol,quote_datetime,root,expiration,strike,option_type,open,high,low,close,"
        "trade_volume,bid_size,bid,ask_size,ask,underlying_bid,underlying_ask,"
        "implied_underlying_price,active_underlying_price,implied_volatility,delta,gamma,theta,"
        "vega,rho,open_interest"
    )
    rows = [
        ["SPY", f"{SESSION} {clock}", "SPY", c.expiry, c.strike, c.right, 0, 0, 0, 0, 12, 5,
         c.bid + off, 5, c.ask + off, SPOT + off, SPOT + off, SPOT + off, SPOT + off,
         c.iv + 0.1 * off, 0, 0, 0, 0, 0, c.open_interest]
        for clock, off in (("15:00:00", 2.0), ("16:00:00", 0.0))
        for c in contracts
    ]  # fmt: skip
    return {"in/intervals.csv": _csv(header, rows)}


def polygon_day_files(contracts: list[Contract]) -> dict[str, str | bytes]:
    """Return day aggregates of options and of stocks, and open interest kept by the user."""
    midnight = int(datetime(2024, 1, 12, tzinfo=NEW_YORK).timestamp()) * 10**9
    header = "ticker,volume,open,close,high,low,window_start,transactions"
    options = _csv(
        header, [[f"O:{c.symbol()}", 12, 1, c.price, 2, 1, midnight, 3] for c in contracts]
    )
    stocks = _csv(header, [["QQQ", 5, 1, 400.0, 2, 1, midnight, 3],
                           ["SPY", 5, 1, SPOT, 2, 1, midnight, 3]])  # fmt: skip
    interest = _csv(
        "date,ticker,open_interest",
        [[SESSION, f"O:{c.symbol()}", c.open_interest] for c in contracts],
    )
    return {
        "in/2024-01-12.csv.gz": gzip.compress(options.encode()),
        "stocks/2024-01-12.csv.gz": gzip.compress(stocks.encode()),
        "open_interest.csv": interest,
    }


def polygon_snapshot(contracts: list[Contract]) -> dict[str, str | bytes]:
    """Return a chain snapshot of the API."""
    stamp = int(AT_1545.timestamp()) * 10**9
    results = [
        {
            "break_even_price": 1.0,
            "day": {"close": 1.0, "volume": 12, "last_updated": stamp},
            "details": {
                "contract_type": _word(c).lower(), "exercise_style": "american",
                "expiration_date": str(c.expiry), "shares_per_contract": 100,
                "strike_price": c.strike, "ticker": f"O:{c.symbol()}",
            },
            "greeks": {"delta": 0.5, "gamma": 0.02},
            "implied_volatility": c.iv,
            "last_quote": {"ask": c.ask, "bid": c.bid, "last_updated": stamp},
            "open_interest": c.open_interest,
            "underlying_asset": {"price": SPOT, "ticker": "SPY"},
        }
        for c in contracts
    ]  # fmt: skip
    return {"in/snapshot.json": _json({"request_id": "a1", "results": results, "status": "OK"})}


def databento(contracts: list[Contract]) -> dict[str, str | bytes]:
    """Return three schemas, each a file, and closes."""
    at = "2024-01-12T10:30:00.000000000Z"
    names = [f"SPY   {c.symbol()[3:]}" for c in contracts]
    definition = _csv(
        "ts_event,instrument_id,raw_symbol,instrument_class,strike_price,expiration",
        [[at, i, n, c.right, c.strike, c.expiry]
         for i, (n, c) in enumerate(zip(names, contracts, strict=True))],
    )  # fmt: skip
    statistics = _csv(
        "ts_event,instrument_id,stat_type,quantity",
        [[at, i, kind, quantity] for i, c in enumerate(contracts)
         for kind, quantity in ((9, c.open_interest), (3, 99999))],
    )  # fmt: skip
    quotes = _csv(
        "ts_event,instrument_id,bid_px_00,ask_px_00",
        [[f"2024-01-12T20:{minute}:00.000000000Z", i, c.bid + off, c.ask + off]
         for i, c in enumerate(contracts) for minute, off in (("58", 1.0), ("59", 0.0))],
    )  # fmt: skip
    return {"in/definition.csv": definition, "statistics/a.csv": statistics,
            "cbbo/a.csv": quotes, "closes.csv": _closes()}  # fmt: skip


def thetadata(contracts: list[Contract]) -> dict[str, str | bytes]:
    """Return end-of-day rows, open interest and closes."""
    eod = _csv(
        "root,expiration,strike,right,ms_of_day,open,high,low,close,volume,bid_size,bid,ask_size,"
        "ask,date",
        [["SPY", f"{c.expiry:%Y%m%d}", round(c.strike * 1000), c.right, 57_600_000, 0, 0, 0, 0, 12,
          5, c.bid, 5, c.ask, "20240112"] for c in contracts],
    )  # fmt: skip
    interest = _csv(
        "root,expiration,strike,right,ms_of_day,open_interest,date",
        [["SPY", f"{c.expiry:%Y%m%d}", round(c.strike * 1000), c.right, 23_400_000,
          c.open_interest, "20240112"] for c in contracts],
    )  # fmt: skip
    return {"in/eod.csv": eod, "open_interest.csv": interest, "closes.csv": _closes()}


def tradier(contracts: list[Contract]) -> dict[str, str | bytes]:
    """Return the answer with greeks."""
    stamp = int(AT_1545.timestamp()) * 1000
    options = [
        {
            "symbol": c.symbol(), "description": "SPY", "exch": "Z", "type": "option", "last": None,
            "volume": 12, "bid": c.bid, "ask": c.ask, "underlying": "SPY", "strike": c.strike,
            "open_interest": c.open_interest, "contract_size": 100,
            "expiration_date": str(c.expiry), "option_type": _word(c).lower(),
            "root_symbol": "SPY", "bid_date": stamp, "ask_date": stamp,
            "greeks": {"delta": 0.5, "mid_iv": c.iv, "smv_vol": 0.2,
                       "updated_at": "2024-01-12 20:00:00"},
        }
        for c in contracts
    ]  # fmt: skip
    return {"in/chain.json": _json({"options": {"option": options}})}


def schwab(contracts: list[Contract]) -> dict[str, str | bytes]:
    """Return maps of calls and puts by expiration and strike."""
    stamp = int(AT_1545.timestamp()) * 1000
    maps: dict[str, dict[str, dict[str, list[Any]]]] = {"C": {}, "P": {}}
    for c in contracts:
        days = (c.expiry - SESSION).days
        leaf = {
            "putCall": _word(c).upper(), "symbol": c.symbol("SPY   "), "bid": c.bid, "ask": c.ask,
            "totalVolume": 12, "quoteTimeInLong": stamp, "volatility": c.iv * 100,
            "openInterest": c.open_interest, "strikePrice": c.strike, "multiplier": 100.0,
            "expirationDate": f"{c.expiry}T21:00:00.000+00:00", "mini": False,
        }  # fmt: skip
        strikes = maps[c.right].setdefault(f"{c.expiry}:{days}", {})
        strikes[str(c.strike)] = [leaf]
    document = {
        "symbol": "SPY", "status": "SUCCESS", "isDelayed": False, "interestRate": 5.3,
        "underlyingPrice": SPOT, "numberOfContracts": len(contracts),
        "callExpDateMap": maps["C"], "putExpDateMap": maps["P"],
    }  # fmt: skip
    return {"in/chains.json": _json(document)}


def alpaca(contracts: list[Contract]) -> dict[str, str | bytes]:
    """Return snapshots, and the contracts with their open interest."""
    snapshots = {
        c.symbol(): {
            "greeks": {"delta": 0.5},
            "impliedVolatility": c.iv,
            "latestQuote": {"ap": c.ask, "as": 5, "bp": c.bid, "bs": 5,
                            "t": "2024-01-12T20:45:00.123456789Z"},
        }
        for c in contracts
    }  # fmt: skip
    entries = [
        {"id": str(i), "symbol": c.symbol(), "status": "active", "open_interest":
         str(c.open_interest), "open_interest_date": "2024-01-11", "size": "100"}
        for i, c in enumerate(contracts)
    ]  # fmt: skip
    return {
        "in/snapshots.json": _json({"next_page_token": None, "snapshots": snapshots}),
        "contracts.json": _json({"option_contracts": entries, "page_token": None}),
    }


def alpha_vantage(contracts: list[Contract]) -> dict[str, str | bytes]:
    """Return a session's answer and the closes."""
    data = [
        {"contractID": c.symbol(), "symbol": "SPY", "expiration": str(c.expiry),
         "strike": f"{c.strike:.2f}", "type": _word(c).lower(), "last": "0.00", "mark": "1.00",
         "bid": repr(c.bid), "bid_size": "5", "ask": repr(c.ask), "ask_size": "5", "volume": "12",
         "open_interest": str(c.open_interest), "date": str(SESSION),
         "implied_volatility": repr(c.iv), "delta": "0.5", "gamma": "0.02"}
        for c in contracts
    ]  # fmt: skip
    document = {"endpoint": "Historical Options", "message": "success", "data": data}
    return {"in/h.json": _json(document), "closes.csv": _closes(day="timestamp")}


def marketdata(contracts: list[Contract]) -> dict[str, str | bytes]:
    """Return columns as lists."""
    n = len(contracts)
    document = {
        "s": "ok", "optionSymbol": [c.symbol() for c in contracts], "underlying": ["SPY"] * n,
        "expiration": [int(CLOSE.timestamp())] * n, "side": [_word(c).lower() for c in contracts],
        "strike": [c.strike for c in contracts], "updated": [int(AT_1545.timestamp())] * n,
        "bid": [c.bid for c in contracts], "ask": [c.ask for c in contracts],
        "openInterest": [c.open_interest for c in contracts], "volume": [12] * n,
        "underlyingPrice": [SPOT] * n, "iv": [c.iv for c in contracts],
    }  # fmt: skip
    return {"in/chain.json": _json(document)}


def eodhd(contracts: list[Contract]) -> dict[str, str | bytes]:
    """Return entries with their attributes, and closes."""
    data = [
        {"id": f"{c.symbol()}-{SESSION}", "type": "options-eod", "attributes": {
            "contract": c.symbol(), "underlying_symbol": "SPY", "exp_date": str(c.expiry),
            "expiration_type": "weekly", "type": _word(c).lower(), "strike": c.strike,
            "exchange": "NASDAQ", "currency": "USD", "bid": c.bid, "ask": c.ask, "volume": 12,
            "open_interest": c.open_interest, "volatility": c.iv, "tradetime": str(SESSION)}}
        for c in contracts
    ]  # fmt: skip
    document = {"meta": {"offset": 0, "limit": 1000, "total": len(data)}, "data": data}
    return {"in/eod.json": _json(document), "closes.csv": _closes()}


def dolt(contracts: list[Contract]) -> dict[str, str | bytes]:
    """Return the table of chains, prices of several stocks, and open interest from elsewhere."""
    chain = _csv(
        "date,act_symbol,expiration,strike,call_put,bid,ask,vol,delta,gamma,theta,vega,rho",
        [[SESSION, "SPY", c.expiry, c.strike, _word(c), c.bid, c.ask, c.iv, 0, 0, 0, 0, 0]
         for c in contracts],
    )  # fmt: skip
    prices = "date,act_symbol,open,high,low,close,volume\n2024-01-12,QQQ,1,1,1,409.5,9\n"
    prices += "2024-01-12,SPY,475,477,474,476,9\n"
    return {"in/option_chain.csv": chain, "closes.csv": prices,
            "open_interest.csv": _interest(contracts)}  # fmt: skip


def tardis(contracts: list[Contract]) -> dict[str, str | bytes]:
    """Return snapshots of Deribit's chain; of two snapshots the later counts."""
    header = (
        "exchange,symbol,timestamp,local_timestamp,type,strike_price,expiration,open_interest,"
        "last_price,bid_price,bid_amount,bid_iv,ask_price,ask_amount,ask_iv,mark_price,mark_iv,"
        "underlying_index,underlying_price,delta,gamma,vega,theta,rho"
    )
    rows = []
    eight = {c.expiry: int(_at("UTC", 8)(c.expiry).timestamp()) * 10**6 for c in contracts}
    for at, off in ((datetime(2024, 1, 12, 18, tzinfo=UTC), 9.0), (BITCOIN_AT, 0.0)):
        stamp = int(at.timestamp()) * 10**6
        rows += [
            ["deribit", f"BTC-{c.expiry:%-d%b%y}-{c.strike:.0f}-{c.right}".upper(), stamp,
             stamp + 9, _word(c).lower(), c.strike, eight[c.expiry],
             c.open_interest, "", 0.01, 5, 50.0, 0.02, 5, 60.0, 0.015, c.iv * 100 + off, "SYN.X",
             c.spot, 0, 0, 0, 0, 0]
            for c in contracts
        ]  # fmt: skip
    return {"in/options_chain.csv": _csv(header, rows)}


BITCOIN_AT = datetime(2024, 1, 12, 20, tzinfo=UTC)


def krx(contracts: list[Contract]) -> dict[str, str | bytes]:
    """Return the exchange's daily file, in its own encoding, and the index."""
    body = _csv(
        "종목코드,종목명,종가,대비,시가,고가,저가,내재변동성,익일정산가,거래량,거래대금,미결제약정",
        [["201V2350", f"{kind} {c.right} {c.expiry:%Y%m} {c.strike:.1f}", c.price, 0, 0, 0, 0,
          c.iv * 100, 0, 12, 0, c.open_interest]
         for kind in ("코스피200", "미니코스피200") for c in contracts],
    )  # fmt: skip
    index = "일자,종가,대비\n2024/01/11,339.1,0\n2024/01/12,340.0,0\n"
    return {"in/options_20240112.csv": body.encode("cp949"), "index.csv": index.encode("cp949")}


def eurex(contracts: list[Contract]) -> dict[str, str | bytes]:
    """Return daily statistics; an adjusted contract stands among them."""
    rows = [
        ["2024-01-12", "ODAX", f"{c.expiry:%Y%m}", _word(c), version, c.strike, c.price,
         12, c.open_interest, c.spot]
        for c in contracts for version in (0, 1)
    ]  # fmt: skip
    header = (
        "Business Date;Product ID;Maturity;Call/Put;Version;Strike Price;Daily Settlement Price;"
        "Traded Contracts;Open Interest;Underlying Closing Price"
    )
    return {"in/odax.csv": _csv(header, rows, ";")}


def jquants(contracts: list[Contract]) -> dict[str, str | bytes]:
    """Return the API's answer; figures of an emergency margin stand among them."""
    entries = [
        {"Date": "2024-01-12", "Code": "130060018", "WholeDayClose": 1.0, "Volume": 12.0,
         "OpenInterest": float(c.open_interest) + (99 if kind == "001" else 0),
         "TurnoverValue": 0.0, "ContractMonth": f"{c.expiry:%Y-%m}", "StrikePrice": c.strike,
         "EmergencyMarginTriggerDivision": kind, "PutCallDivision": "2" if c.right == "C" else "1",
         "LastTradingDay": str(c.expiry - timedelta(days=1)),
         "SpecialQuotationDay": str(c.expiry), "SettlementPrice": c.price,
         "TheoreticalPrice": c.price, "BaseVolatility": 15.0, "UnderlyingPrice": c.spot,
         "ImpliedVolatility": c.iv * 100, "InterestRate": 0.1}
        for c in contracts for kind in ("001", "002")
    ]  # fmt: skip
    return {"in/index_option.json": _json({"index_option": entries, "pagination_key": "x"})}


def nse_old(contracts: list[Contract]) -> dict[str, str | bytes]:
    """Return a bhavcopy of before July 2024 and the index closes of the day."""
    header = (
        "INSTRUMENT,SYMBOL,EXPIRY_DT,STRIKE_PR,OPTION_TYP,OPEN,HIGH,LOW,CLOSE,SETTLE_PR,CONTRACTS,"
        "VAL_INLAKH,OPEN_INT,CHG_IN_OI,TIMESTAMP,"
    )
    rows: list[list[Any]] = [["FUTIDX", "NIFTY", "25-Jan-2024", 0, "XX", 1, 1, 1, 1, 21950.0, 9, 9,
                              9, 0, "12-JAN-2024", ""]]  # fmt: skip
    rows += [
        ["OPTIDX", "NIFTY", f"{c.expiry:%d-%b-%Y}", c.strike, c.right + "E", 0, 0, 0, c.price,
         c.price, 12, 0, c.open_interest, 0, "12-JAN-2024", ""]
        for c in contracts
    ]  # fmt: skip
    closes = "Index Name,Index Date,Closing Index Value\nNifty Bank,12-01-2024,47709.8\n"
    closes += "Nifty 50,12-01-2024,21900\n"
    return {"in/fo12JAN2024bhav.csv": _csv(header, rows), "index_closes.csv": closes}


def taifex(contracts: list[Contract]) -> dict[str, str | bytes]:
    """Return the exchange's daily file: both sessions, months and weeks by their codes."""
    header = "交易日期,契約,到期月份(週別),履約價,買賣權,收盤價,成交量,結算價,未沖銷契約數,交易時段"
    rows: list[list[Any]] = []
    for c in contracts:
        code = "202401W4" if c.expiry == date(2024, 1, 24) else f"{c.expiry:%Y%m}"
        right = "買權" if c.right == "C" else "賣權"
        rows.append(["2024/1/12", "TXO", code, c.strike, right, "-", 12, c.price,
                     c.open_interest, "一般"])  # fmt: skip
        rows.append(["2024/1/12", "TXO", code, c.strike, right, 9, 3, "-", "-", "盤後"])
    closes = "date,close\n2024-01-12,17500\n"
    return {"in/OptDaily.csv": _csv(header, rows).encode("cp950"), "taiex.csv": closes}


def orats_minute(contracts: list[Contract]) -> dict[str, str | bytes]:
    """Return one-minute rows, calls and puts side by side, of which the last snapshot counts."""
    header = (
        "ticker,tradeDate,expirDate,dte,strike,stockPrice,callVolume,callOpenInterest,callBidPrice,"
        "callAskPrice,callMidIv,putVolume,putOpenInterest,putBidPrice,putAskPrice,putMidIv,delta,"
        "gamma,spotPrice,snapShotEstTime,snapShotDate"
    )
    rows = []
    for call, put in zip(contracts[::2], contracts[1::2], strict=True):
        for clock, off in (("15:30", 1.0), ("16:00", 0.0)):
            rows.append(
                ["SPY", SESSION, call.expiry, 7, call.strike, SPOT + off, 12, call.open_interest,
                 call.bid + off, call.ask + off, call.iv + 0.1 * off, 12, put.open_interest,
                 put.bid + off, put.ask + off, put.iv + 0.1 * off, 0.5, 0.02, SPOT + off, clock,
                 SESSION]
            )  # fmt: skip
    return {"in/minute.csv": _csv(header, rows)}


def bare_level(contracts: list[Contract]) -> dict[str, str | bytes]:
    """Return historicaloptiondata's level 1: quotes, no volatility."""
    header = (
        "UnderlyingSymbol,UnderlyingPrice,Exchange,OptionSymbol,OptionExt,Type,Expiration,DataDate,"
        "Strike,Last,Bid,Ask,Volume,OpenInterest"
    )
    rows = [
        ["SPY", SPOT, "*", c.symbol(), "", _word(c).lower(), f"{c.expiry:%m/%d/%Y}", "01/12/2024",
         c.strike, 0, c.bid, c.ask, 12, c.open_interest]
        for c in contracts
    ]  # fmt: skip
    return {"in/L1_20240112.csv": _csv(header, rows)}


def third_level(contracts: list[Contract]) -> dict[str, str | bytes]:
    """Return historicaloptiondata's level 3: volatility and greeks."""
    header = (
        "UnderlyingSymbol,UnderlyingPrice,Flags,OptionSymbol,Blank,Type,Expiration,DataDate,Strike,"
        "Last,Bid,Ask,Volume,OpenInterest,T1OpenInterest,IVMean,IVBid,IVAsk,Delta,Gamma,Theta,Vega,"
        "AKA"
    )
    rows = [
        ["SPY", SPOT, "", c.symbol(), "", _word(c).lower(), f"{c.expiry:%m/%d/%Y}", "01/12/2024",
         c.strike, 0, c.bid, c.ask, 12, c.open_interest, 7, c.iv, c.iv, c.iv, 0.5, 0.02, 0, 0, ""]
        for c in contracts
    ]  # fmt: skip
    return {"in/L3_20240112.csv": _csv(header, rows)}


def options_hist(contracts: list[Contract]) -> dict[str, str | bytes]:
    """Return a table of contracts with a column of spots."""
    rows = [
        [c.symbol(), "SPY", SESSION, c.expiry, c.strike, _word(c).lower(), c.bid, c.ask, 12,
         c.open_interest, c.iv, SPOT]
        for c in contracts
    ]  # fmt: skip
    header = (
        "contract_id,symbol,date,expiration,strike,type,bid,ask,volume,open_interest,"
        "implied_volatility,spot"
    )
    return {"in/options_2024.csv": _csv(header, rows)}


def _at(zone: str, hour: int, minute: int = 0) -> Callable[[date], datetime]:
    return lambda day: datetime(day.year, day.month, day.day, hour, minute, tzinfo=ZoneInfo(zone))


LAYOUTS = [
    Layout("DataShop, end of day", lambda c: datashop(c, calcs=False), "datashop_eod",
           quote=AT_1545),
    Layout("DataShop, end of day with calcs", lambda c: datashop(c, calcs=True),
           "datashop_eod_calcs", quote=AT_1545),
    Layout("DataShop, intervals", datashop_intervals, "datashop_intervals"),
    Layout("Polygon, flat files", polygon_day_files, "polygon_day_files"),
    Layout("Polygon, snapshot", polygon_snapshot, "polygon_snapshot", quote=AT_1545),
    Layout("Databento", databento, "databento",
           quote=datetime(2024, 1, 12, 15, 59, tzinfo=NEW_YORK)),
    Layout("ThetaData", thetadata, "thetadata"),
    Layout("Tradier", tradier, "tradier", quote=AT_1545),
    Layout("Schwab", schwab, "schwab", quote=AT_1545),
    Layout("Alpaca", alpaca, "alpaca", quote=AT_1545 + timedelta(microseconds=123456)),
    Layout("Alpha Vantage", alpha_vantage, "alpha_vantage"),
    Layout("MarketData.app", marketdata, "marketdata", quote=AT_1545),
    Layout("EODHD", eodhd, "eodhd"),
    Layout("dolt", dolt, "dolt_options"),
    Layout("Tardis", tardis, "tardis_options_chain", underlying="BTC", instrument="index",
           quote=BITCOIN_AT, expires=_at("UTC", 8), spot=43000.0, tick=100.0, multiplier=1.0,
           expiries=(date(2024, 1, 26), date(2024, 2, 23))),
    Layout("Korea", krx, "krx_kospi200", underlying="KOSPI200", instrument="index",
           quote=_at("Asia/Seoul", 15, 30)(SESSION), expires=_at("Asia/Seoul", 15, 30), spot=340.0,
           tick=2.5, multiplier=250000.0, expiries=(date(2024, 2, 8), date(2024, 3, 14)),
           rejected=20),
    Layout("Eurex", eurex, "eurex_daily", underlying="DAX", instrument="index",
           quote=_at("Europe/Berlin", 22)(SESSION), expires=_at("Europe/Berlin", 22), spot=16700.0,
           tick=50.0, multiplier=5.0, expiries=(date(2024, 1, 19), date(2024, 2, 16))),
    Layout("JPX", jquants, "jpx_jquants", underlying="NK225", instrument="index",
           quote=_at("Asia/Tokyo", 15)(SESSION), expires=_at("Asia/Tokyo", 9), spot=35500.0,
           tick=250.0, multiplier=1000.0, expiries=(date(2024, 2, 9), date(2024, 3, 8))),
    Layout("NSE before July 2024", nse_old, "nse_before_july_2024", underlying="NIFTY",
           instrument="index", quote=_at("Asia/Kolkata", 15, 30)(SESSION),
           expires=_at("Asia/Kolkata", 15, 30), spot=21900.0, tick=50.0, multiplier=1.0,
           expiries=(date(2024, 1, 18), date(2024, 1, 25))),
    Layout("Taiwan, daily file", taifex, "taifex_daily", underlying="TXO", instrument="index",
           quote=_at("Asia/Taipei", 13, 30)(SESSION), expires=_at("Asia/Taipei", 13, 30),
           spot=17500.0, tick=50.0, multiplier=50.0,
           expiries=(date(2024, 1, 24), date(2024, 2, 21))),
    Layout("ORATS, one minute", orats_minute, vendor="orats"),
    Layout("historicaloptiondata, level 1", bare_level, vendor="historicaloptiondata"),
    Layout("historicaloptiondata, level 3", third_level, vendor="historicaloptiondata"),
    Layout("options_hist", options_hist, vendor="options_hist"),
]  # fmt: skip
