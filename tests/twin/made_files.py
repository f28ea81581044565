"""Small files in vendors' formats, made up by hand; the tests read them by hand, too."""

from __future__ import annotations

import json
from typing import Any

_CBOE_HEADER = (
    "Expiration Date,Calls,Last Sale,Net,Bid,Ask,Volume,IV,Delta,Gamma,Open Interest,Strike,"
    "Puts,Last Sale,Net,Bid,Ask,Volume,IV,Delta,Gamma,Open Interest\n"
)
# Friday 2022-11-25 closed at 13:00; Thursday was a holiday
CBOE_QUOTE_TABLE = (
    'S&P 500 INDEX,"Last: 4,026.12",Change: -1.14\n'
    '"Date: November 25, 2022 at 3:30 PM EST",Bid: 4000,Ask: 4050,Size: 1*1,Volume: 0\n'
    + _CBOE_HEADER
    + "Fri Nov 25 2022,SPXW221125C04000000,26.1,1,26,26.3,900,0.05,1,0,1500,4000.00,"
    "SPXW221125P04000000,0,0,0,0.05,0,0,0,0,2500\n"
    "Fri Dec 16 2022,SPX221216C04000000,80.5,1,80,81,12,0.19,0.58,0.0021,700,4000.00,"
    "SPX221216P04000000,44.2,1,44,44.6,7,0.2,-0.42,0.0021,800\n"
    "Fri Dec 16 2022,SPXW221216C04002500,79,1,78.9,79.9,3,0.188,0.57,0.0021,70,4002.50,"
    "SPXW221216P04002500,0,0,45,45.6,0,0.199,-0.43,0.0021,\n"
)

YFINANCE = (
    "quote_date,underlying,contractSymbol,expiry,type,strike,lastPrice,bid,ask,volume,openInterest,"
    "impliedVolatility,lastTradeDate,spot\n"
    "2026-08-12,SPY,SPY260821C00770000,2026-08-21,C,770,5.1,5.0,5.2,12,3400,0.14,"
    "2026-08-13 14:31:07+00:00,772.5\n"
    "2026-08-12,SPY,SPY260821P00770000,2026-08-21,P,770,4.4,4.3,,nan,,0.00001,"
    "2026-08-12 19:59:00+00:00,772.5\n"
    "2026-08-12,QQQ,QQQ260821P00700000,2026-08-21,P,700,4.4,4.3,4.5,1,2,0.2,"
    "2026-08-13 15:00:00+00:00,723.7\n"
)

IVOLATILITY = (
    "symbol,exchange,company_name,date,stock_price_close,option_symbol,option_expiration,strike,"
    "call/put,style,ask,bid,mean_price,settlement,iv,volume,open_interest,stock_price_for_iv,"
    "forward_price,isinterpolated,delta,vega,gamma,theta,rho\n"
    "SPX,CBOE,S&P 500,07/05/2011,1337.88,SPX   110716C01340000,07/15/2011,1340,C,E,14.1,13.6,13.85,"
    "0,0.141,120,20123,1337.88,1336.9,,0.47,0.9,0.0113,-0.5,0.2\n"
    "SPX,CBOE,S&P 500,07/05/2011,1337.88,SPXPM 110930P01200000,09/30/2011,1200,P,E,19.2,18.2,18.7,"
    "0,-1,0,30,1337.88,1333.1,,0,0,0,0,0\n"
    "SPX,CBOE,S&P 500,07/05/2011,1337.88,SXYGF,07/15/2011,1345,C,E,11.1,10.6,10.85,"
    "0,0.139,10,5,1337.88,1336.9,,0.44,0.9,0.0115,-0.5,0.2\n"
)

OPTIONSDX = (
    "[QUOTE_UNIXTIME], [QUOTE_READTIME], [QUOTE_DATE], [QUOTE_TIME_HOURS], [UNDERLYING_LAST], "
    "[EXPIRE_DATE], [EXPIRE_UNIX], [DTE], [C_DELTA], [C_GAMMA], [C_VEGA], [C_THETA], [C_RHO], "
    "[C_IV], [C_VOLUME], [C_LAST], [C_SIZE], [C_BID], [C_ASK], [STRIKE], [P_BID], [P_ASK], "
    "[P_SIZE], [P_LAST], [P_DELTA], [P_GAMMA], [P_VEGA], [P_THETA], [P_RHO], [P_IV], [P_VOLUME], "
    "[STRIKE_DISTANCE], [STRIKE_DISTANCE_PCT]\n"
    "1680552000, 2023-04-03 16:00, 2023-04-03, 16.000000, 4124.51, 2023-04-06, 1680811200, 3.0,"
    " 0.520000, 0.006800, 1.5, -2.6, 0.1, 0.131000, 310.000000, 24.100000, 10 x 12, 23.900000, "
    "24.300000, 4125.000000, 22.700000, 23.000000, 5 x 9, , -0.480000, 0.006900, 1.5, -2.3, "
    "-0.1, 0.128000, , 0.490000, 0.000000\n"
    "1680552000, 2023-04-03 16:00, 2023-04-03, 16.000000, 4124.51, 2023-04-21, 1682107200, 18.0,"
    " 0.520000, 0.006800, 1.5, -2.6, 0.1, , 310.000000, 24.100000, 10 x 12, 23.900000, "
    "24.300000, 4125.000000, 22.700000, 23.000000, 5 x 9, 1.5, -0.480000, 0.006900, 1.5, -2.3, "
    "-0.1, 0.128000, 4, 0.490000, 0.000000\n"
)

NSE_BHAVCOPY = (
    "TradDt,BizDt,Sgmt,FinInstrmTp,TckrSymb,XpryDt,StrkPric,OptnTp,ClsPric,UndrlygPric,SttlmPric,"
    "OpnIntrst,ChngInOpnIntrst,TtlTradgVol,NewBrdLotQty\n"
    "2025-03-13,2025-03-13,FO,IDO,NIFTY,2025-03-27,22500,CE,250.1,22397.2,251.35,750000,75000,1200,75\n"
    "2025-03-13,2025-03-13,FO,IDO,NIFTY,2025-03-27,22500,PE,240.1,22397.2,,150,0,3,75\n"
    "2025-03-13,2025-03-13,FO,IDF,NIFTY,2025-03-27,,,22500.1,22397.2,22501,7500,0,3,75\n"
    "2025-03-13,2025-03-13,FO,IDO,BANKNIFTY,2025-03-27,48000,CE,250,48060.4,251,300,0,3,30\n"
    "2025-03-13,2025-03-13,FO,STF,INFY,2025-03-27,,,1700,1690,1701,400,0,3,400\n"
)

DERIBIT = (
    "snapshot_utc,exchange,underlying,instrument,expiry,strike,type,mark_price,bid,ask,mark_iv,"
    "delta,gamma,vega,theta,open_interest,volume_24h,underlying_price,quote_date\n"
    "2026-07-10 03:40:39,deribit,BTC,BTC-10JUL26-64000-C,2026-07-10,64000,call,0.004,0.0038,0.0042,"
    "41.5,,,,,161.3,5,64100,2026-07-10\n"
    "2026-07-10 03:40:39,deribit,BTC,BTC-25SEP26-64000-P,2026-07-25,64000,put,0.05,,0.052,49.63,"
    ",,,,0,0,64800,2026-07-10\n"
    "2026-07-10 03:40:39,deribit,ETH,ETH-10JUL26-1800-C,2026-07-10,1800,call,0.01,0.01,0.02,60,"
    ",,,,7,1,1805,2026-07-10\n"
)

ORATS_API = (
    "ticker,tradeDate,expirDate,dte,strike,stockPrice,callVolume,callOpenInterest,callBidSize,"
    "callAskSize,putVolume,putOpenInterest,putBidSize,putAskSize,callBidPrice,callValue,"
    "callAskPrice,putBidPrice,putValue,putAskPrice,callBidIv,callMidIv,callAskIv,smvVol,putBidIv,"
    "putMidIv,putAskIv,residualRate,delta,gamma,theta,vega,rho,phi,driftlessTheta,spotPrice,"
    "expiryTod\n"
    "SPX,2023-11-24,2023-12-15,22,4550,4571.3,15,7000,3,4,25,9000,5,6,60.1,60.5,60.9,48.2,48.5,48.9,"
    "0.1,0.105,0.11,0.104,0.1,0,0.11,0.05,0.53,0.0031,-1,4,1,-1,-1,4559.3,am\n"
    "SPX,2023-11-24,2023-12-15,22,4550,4571.3,5,700,3,4,2,900,5,6,60.3,60.5,61.2,48.1,48.5,49.0,"
    "0.1,0.106,0.11,0.104,0.1,0.101,0.11,0.05,0.53,0.0031,-1,4,1,-1,-1,4559.3,pm\n"
)

ORATS_SHORT = (
    "ticker,stkPx,expirDate,yte,strike,cVolu,cOi,pVolu,pOi,cBidPx,cValue,cAskPx,pBidPx,pValue,"
    "pAskPx,cBidIv,cMidIv,cAskIv,smoothSmvVol,pBidIv,pMidIv,pAskIv,iRate,divRate,"
    "residualRateData,delta,gamma,theta,vega,rho,phi,driftlessTheta,extVol,extCTheo,extPTheo,"
    "spot_px,trade_date\n"
    "SPX,4571.3,12/15/2023,0.06,4550,15,7000,25,9000,60.1,60.5,60.9,48.2,48.5,48.9,0.1,0.105,0.11,"
    "0.104,0.1,0,0.11,0.05,0.01,0.02,0.53,0.0031,-1,4,1,-1,-1,0.1,60,48,4559.3,11/24/2023\n"
)

HISTORICALOPTIONDATA_2 = (
    "UnderlyingSymbol,UnderlyingPrice,Exchange,OptionSymbol,Blank,Type,Expiration,DataDate,Strike,"
    "Last,Bid,Ask,Volume,OpenInterest,IV,Delta,Gamma,Theta,Vega,Alias\n"
    "SPX,1650.5,*,SPXW131129C01650000,,call,11/29/2013,11/27/2013 16:00,1650,9.9,9.5,10.1,514,744,"
    "0.1443,0.51,0.0176,-15.9,61.8,SPXW131129C01650000\n"
    "SPX,1650.5,*,SPX131221P01600000,,put,12/21/2013,11/27/2013 16:00,1600,10.83,10.45,10.9,317,"
    "17052,0.1519,-0.25,0.0101,-17.0,61.9,SPX131221P01600000\n"
    "A,48.74,*,A131221C00050000,,call,12/21/2013,11/27/2013 16:00,50,0.71,0.67,0.7,20,2359,0.2,0.4,"
    "0.1,-5,6,A131221C00050000\n"
)

HISTORICALOPTIONDATA_1 = (
    "UnderlyingSymbol,UnderlyingPrice,Exchange,OptionSymbol,Blank,Type,Expiration,DataDate,Strike,"
    "Last,Bid,Ask,Volume,OpenInterest\n"
    "A,48.74,*,A131019C00050000,,call,10/19/2013,09/16/2013,50,0.71,0.67,0.7,20,2359\n"
)


def cboe_delayed_json(stamp: str, traded: str | None, **more: Any) -> str:
    """Return a file with an AM contract, a PM contract and one of an adjusted root."""
    option = {
        "bid": 80.0, "ask": 81.0, "iv": 0.19, "open_interest": 700.0, "volume": 12.0,
        "delta": 0.58, "gamma": 0.0021, "last_trade_price": 80.5, "theo": 80.4,
    }  # fmt: skip
    names = ("SPX260320C06600000", "SPXW260320P06602500", "SPX1260320C06600000")
    data = {
        "options": [{"option": name, **option, **more} for name in names],
        "symbol": "^SPX",
        "current_price": 6612.5,
        "last_trade_time": traded,
    }
    return json.dumps({"timestamp": stamp, "data": data, "symbol": "_SPX"})
