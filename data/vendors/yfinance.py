"""Dumps of yfinance's option chains."""

from __future__ import annotations

from typing import Final

from .layout import OCC_ROOT, Layout, reader_of
from .vendor_preset import Preset, Sql, Timing

__all__ = ["PRESET"]

_LAYOUT: Final = Layout(
    shared={
        "session": ("quote_date", "session", "date"),
        "underlying": ("underlying", "symbol", "ticker"),
        "contract": ("contractSymbol",),
        "expiry": ("expiry", "expiration"),
        "right": ("type", "optionType", "right"),
        "strike": ("strike",),
        "last": ("lastPrice",),
        "bid": ("bid",),
        "ask": ("ask",),
        "volume": ("volume",),
        "open_interest": ("openInterest",),
        "iv": ("impliedVolatility",),
        "last_trade": ("lastTradeDate",),
        "spot": ("spot", "underlying_price"),
    },
    optional=frozenset({"last", "volume"}),
)
_NOT_COLUMNS: Final = ("contract", "last_trade")

PRESET: Final = Preset(
    name="yfinance",
    doc=(
        "Chains collected with yfinance, with the columns of its data frames plus the date, the "
        "underlying and its close. Such a dump is taken after the open interest of its date was "
        "published, in the morning of the next session: open interest is settled after the date "
        "itself, while quotes may be that morning's. Yahoo writes a volatility of 0.00001 for "
        "none."
    ),
    columns={
        **{name: name for name in _LAYOUT.shared if name not in _NOT_COLUMNS},
        "root": OCC_ROOT,
        "known_at": Sql(
            "max(understood(moment_of_text(CAST(last_trade AS VARCHAR), 'UTC', NULL), last_trade, "
            "'known_at', file_index)) OVER (PARTITION BY session, underlying)"
        ),
    },
    timing=Timing(
        quote_time="close", known_at="next_open", oi_lag_sessions=0, settlement="third_friday"
    ),
    optional=_LAYOUT.optional,
    reader=reader_of(_LAYOUT),
    cites=(
        "The stamps show it: of the contracts last traded on the session before that of "
        "their stamp, 89 to 93 % carry the open interest of the stamp before, of those traded on "
        "the stamp's own session 19 to 26 %: the figure stamped t contains the trading of t. The "
        "last trades in a dump of t are of the morning of the next session: no row was known "
        "before."
    ),
)
