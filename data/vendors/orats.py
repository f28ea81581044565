"""ORATS strikes files, of the data API and of the near end-of-day service."""

from __future__ import annotations

from typing import Final

from .layout import Layout, reader_of
from .vendor_preset import Clocked, Dialect, Preset, Sql, Timing

__all__ = ["PRESET"]


def _side(short: str, long: str) -> dict[str, tuple[str, ...]]:
    return {
        "volume": (f"{short}Volu", f"{long}Volume"),
        "open_interest": (f"{short}Oi", f"{long}OpenInterest"),
        "bid": (f"{short}BidPx", f"{long}BidPrice"),
        "ask": (f"{short}AskPx", f"{long}AskPrice"),
        "iv": (f"{short}MidIv", f"{long}MidIv"),
    }


_LAYOUT: Final = Layout(
    shared={
        "underlying": ("ticker",),
        "session": ("tradeDate", "trade_date"),
        "spot": ("spotPrice", "spot_px", "stockPrice", "stkPx"),
        "expiry": ("expirDate",),
        "settlement": ("expiryTod",),
        "strike": ("strike",),
        "call_delta": ("delta",),
        "gamma": ("gamma",),
        "snapshot_day": ("snapShotDate",),
        "snapshot_time": ("snapShotEstTime",),
    },
    call=_side("c", "call"),
    put=_side("p", "put"),
    optional=frozenset({"gamma", "settlement", "snapshot_day", "snapshot_time", "volume"}),
)
_NOT_COLUMNS: Final = ("call_delta", "snapshot_day", "snapshot_time")

PRESET: Final = Preset(
    name="orats",
    doc=(
        "ORATS strikes, a call and a put in each row, in the names of the data API (callBidPrice) "
        "or of the near end-of-day files (cBidPx). Volatility is that of each side's mid, in "
        "decimals, 0 for none; delta is the call's, the put's is less by one. For an index, the "
        "spot is spotPrice: stockPrice is an implied future of each expiry. One-minute files "
        "state the moment of each snapshot (snapShotEstTime); the last of a session counts."
    ),
    columns={
        **{
            name: name
            for name in (*_LAYOUT.shared, *_LAYOUT.call, "right")
            if name not in _NOT_COLUMNS
        },
        "quote_ts": Clocked("snapshot_day", "snapshot_time"),
        "delta": Sql(
            "TRY_CAST(call_delta AS DOUBLE) - CASE WHEN \"right\" = 'P' THEN 1 ELSE 0 END"
        ),
    },
    timing=Timing(
        timezone="America/New_York",
        quote_time="15:46",
        known_at="next_open",
        oi_lag_sessions=1,
        settlement="third_friday",
    ),
    optional=_LAYOUT.optional | {"quote_ts"},
    dialect=Dialect(order="MDY"),
    reader=reader_of(_LAYOUT),
    cites=(
        "orats.com/near-eod-data: cOi and pOi are 'updated by OCC the night before', stkPx of an "
        "index is 'the solved implied futures price for each expiration'; orats.com/docs/"
        "definitions for the names of the data API. Near end-of-day quotes are taken 14 minutes "
        "before the close."
    ),
)
