"""Deribit's coin-settled options."""

from __future__ import annotations

from typing import Final

from .layout import Layout, reader_of
from .vendor_preset import Dialect, Preset, Sql, Timing

__all__ = ["PRESET"]

_LAYOUT: Final = Layout(
    shared={
        "stamp": ("snapshot_utc", "timestamp"),
        "underlying": ("underlying", "base_currency"),
        "expiry": ("expiry",),
        "strike": ("strike",),
        "right": ("type", "option_type"),
        "bid_coin": ("bid", "bid_price"),
        "ask_coin": ("ask", "ask_price"),
        "iv": ("mark_iv",),
        "delta": ("delta",),
        "gamma": ("gamma",),
        "open_interest": ("open_interest",),
        "volume": ("volume_24h", "volume"),
        "forward": ("underlying_price",),
    },
    optional=frozenset({"delta", "gamma", "volume"}),
)
_FORWARD: Final = "number_of_text(CAST(forward AS VARCHAR), 'spot', file_index)"

PRESET: Final = Preset(
    name="deribit",
    doc=(
        "Snapshots of Deribit's inverse options on BTC and ETH. Prices are in coin: times the "
        "expiry's own future (underlying_price) they are dollars at expiry, undiscounted, so that "
        "rates of 0 belong to this vendor. Open interest is in coin and a contract is one coin: "
        "the multiplier is 1. Volatility is in percent. The spot is the future of the shortest "
        "expiry, the middle one where its rows state several. Options end at 08:00 UTC, every "
        "calendar day is a session (00:00 to 24:00 UTC)."
    ),
    columns={
        **{
            name: name
            for name in _LAYOUT.shared
            if name not in ("stamp", "bid_coin", "ask_coin", "forward")
        },
        "quote_ts": "stamp",
        "bid": Sql(f"number_of_text(CAST(bid_coin AS VARCHAR), 'bid', file_index) * {_FORWARD}"),
        "ask": Sql(f"number_of_text(CAST(ask_coin AS VARCHAR), 'ask', file_index) * {_FORWARD}"),
        "spot": "forward",
        "expiry_ts": Sql(
            "CAST(date_of_text(CAST(expiry AS VARCHAR), NULL) AS VARCHAR) || ' 08:00:00+00'"
        ),
    },
    scale={"iv": 0.01},
    constants={"multiplier": 1.0},
    timing=Timing(
        calendar="24/7",
        timezone="UTC",
        known_at="quote",
        oi_lag_sessions=1,
        settlement="PM",
    ),
    dialect=Dialect(spot="nearest_expiry"),
    optional=_LAYOUT.optional,
    reader=reader_of(_LAYOUT),
    cites=(
        "docs.deribit.com, public/get_book_summary_by_currency: underlying_price is the price for "
        "implied volatility calculations, mark_iv is in percent, open_interest of options in "
        "units of the base currency; options expire at 08:00 UTC. Open interest is live: the last "
        "session that it contains as a whole is the one before the snapshot's."
    ),
)
