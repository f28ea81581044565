"""Names under which vendors keep what a chain consists of."""

from __future__ import annotations

import re
from typing import Final

__all__ = ["MEANINGS", "meaning_of"]

#: Canonical name to what its cells are.
MEANINGS: Final = {
    "underlying": "text", "session": "date", "quote_ts": "moment", "root": "text",
    "expiry": "date", "settlement": "text", "strike": "number", "right": "text",
    "open_interest": "number", "volume": "number", "bid": "number", "ask": "number",
    "last": "number", "iv": "number", "delta": "number", "gamma": "number", "spot": "number",
    "multiplier": "number", "known_at": "moment", "time": "time", "symbol": "symbol",
}  # fmt: skip

_NAMES: Final = {
    "underlying": "underlying symbol ticker underlyingsymbol act_symbol tckrsymb und secid 契約",
    "session": "date session quotedate tradedate datadate day asof asofdate timestamp traddt "
    "businessdate tradingday 交易日期 日期",
    "quote_ts": "quotets quotetime quotedatetime datetime ts tsevent time quoteunixtime "
    "quotereadtime updatedat snapshotutc tsutc",
    "root": "root rootsymbol optionroot",
    "expiry": "expiry expiration expirationdate expirdate expirydate exdate expiredate maturity "
    "contractdate contractmonth deliverymonth expirationtime maturitydate "
    "expirydt xprydt ltd lasttradingday optionexpiration exp expirationdt "
    "到期月份週別 到期月份(週別) 到期月份 到期日",
    "settlement": "settlement amsettlement expirytod",
    "strike": "strike strikeprice strikepr strkpric k 履約價 行权价 行使価格",
    "right": "right cp cpflag callput calltype optiontype type putcall optiontyp optntp side "
    "corp pc cporp iscall instrumentclass 買賣權",
    "open_interest": "openinterest oi openint opnintrst openinterestqty 未沖銷契約數 持仓量 "
    "未平仓量",
    "volume": "volume vol tradevolume totalvolume contracts ttltradgvol 成交量",
    "bid": "bid bestbid bidprice bidpx bidpx00 bidclose bideod bid1545 最後最佳買價",
    "ask": "ask offer bestoffer bestask askprice askpx askpx00 askclose askeod ask1545 "
    "最後最佳賣價",
    "last": "last lastprice close settlepr settlementprice settle finalp sttlmpric price 結算價",
    "iv": "iv impliedvolatility impliedvol implvolatility mididv ivmean markiv midiv "
    "impliedvolatility1545 greeksmidiv",
    "delta": "delta",
    "gamma": "gamma",
    "spot": "spot underlyingprice underlyinglast underlyingclose stockprice stkpx spotpx spotprice "
    "undrlygpric activeunderlyingprice1545 stockpriceclose undprice underlyinglastprice "
    "underlyingvalue underlyingspotprice",
    "multiplier": "multiplier contractsize lotsize newbrdlotqty sharespercontract",
    "time": "quotetimeofday msofday clock snapshotesttime",
    "symbol": "optionsymbol contractsymbol contractid occsymbol osi rawsymbol contractname",
}
_BY_NAME: Final = {word: meaning for meaning, words in _NAMES.items() for word in words.split()}


def meaning_of(name: str) -> str | None:
    """Return the canonical name that a column's name suggests, None where it suggests none.

    Examples
    --------
    >>> meaning_of("Expiration Date"), meaning_of("impl_volatility"), meaning_of("note")
    ('expiry', 'iv', None)
    """
    plain = re.sub(r"[\W_]", "", name.casefold())
    if name.strip() in _BY_NAME:
        return _BY_NAME[name.strip()]
    if plain in _BY_NAME:
        return _BY_NAME[plain]
    last = re.sub(r"[\W_]", "", name.rpartition(".")[2].casefold())
    return _BY_NAME.get(last)
