"""ORATS strikes in both spellings."""

from __future__ import annotations

from pathlib import Path

import pytest
from arrivals import arrived, day, pick, utc

API = (
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
SHORT = (
    "ticker,stkPx,expirDate,yte,strike,cVolu,cOi,pVolu,pOi,cBidPx,cValue,cAskPx,pBidPx,pValue,"
    "pAskPx,cBidIv,cMidIv,cAskIv,smoothSmvVol,pBidIv,pMidIv,pAskIv,iRate,divRate,"
    "residualRateData,delta,gamma,theta,vega,rho,phi,driftlessTheta,extVol,extCTheo,extPTheo,"
    "spot_px,trade_date\n"
    "SPX,4571.3,12/15/2023,0.06,4550,15,7000,25,9000,60.1,60.5,60.9,48.2,48.5,48.9,0.1,0.105,0.11,"
    "0.104,0.1,0,0.11,0.05,0.01,0.02,0.53,0.0031,-1,4,1,-1,-1,0.1,60,48,4559.3,11/24/2023\n"
)


@pytest.mark.parametrize("text", [API, SHORT], ids=["data API", "near end-of-day"])
def test_made_by_hand(tmp_path: Path, text: str) -> None:
    file = tmp_path / "strikes.csv"
    file.write_text(text)
    found = arrived(tmp_path / "lake", "orats", "SPX", file)
    assert found.result.rows_written == 2 * (text.count("\n") - 1)
    call = found.row(right="C", open_interest=7000.0)
    # the half day after Thanksgiving: 15:46 is after the close, which is at 13:00
    assert pick(call, "session", "quote_ts", "known_at", "oi_asof") == (
        day("2023-11-24"), utc(2023, 11, 24, 18), utc(2023, 11, 27, 14, 30), day("2023-11-22"),
    )  # fmt: skip
    assert pick(call, "settlement", "expiry_ts", "bid", "ask", "iv", "volume", "spot") == (
        "AM", utc(2023, 12, 15, 14, 30), 60.1, 60.9, 0.105, 15.0, 4559.3,
    )  # fmt: skip
    assert pick(call, "delta", "gamma") == (0.53, 0.0031)
    put = found.row(right="P", open_interest=9000.0)
    assert pick(put, "bid", "ask", "iv", "volume") == (48.2, 48.9, None, 25.0)
    assert put["delta"] == pytest.approx(-0.47, abs=1e-15)


def test_quotes_are_of_a_quarter_to_four(tmp_path: Path) -> None:
    file = tmp_path / "strikes.csv"
    file.write_text(API.replace("2023-11-24", "2023-11-27"))
    found = arrived(tmp_path / "lake", "orats", "SPX", file)
    assert {r["quote_ts"] for r in found.rows} == {utc(2023, 11, 27, 20, 46)}
    assert {r["settlement"] for r in found.rows} == {"AM", "PM"}
