"""iVolatility end-of-day option files."""

from __future__ import annotations

from typing import Final

from .layout import OCC_ROOT, Layout, reader_of
from .vendor_preset import Dialect, Preset, Timing

__all__ = ["PRESET"]

_LAYOUT: Final = Layout(
    shared={
        "underlying": ("symbol",),
        "session": ("date",),
        "spot": ("stock_price_close", "stock price close"),
        "contract": ("option_symbol", "option symbol"),
        "expiry": ("option_expiration", "option expiration", "expiration"),
        "strike": ("strike",),
        "right": ("call/put",),
        "bid": ("bid",),
        "ask": ("ask",),
        "iv": ("iv",),
        "volume": ("volume",),
        "open_interest": ("open_interest", "open interest"),
        "delta": ("delta",),
        "gamma": ("gamma",),
    },
    optional=frozenset({"delta", "gamma", "volume"}),
)

PRESET: Final = Preset(
    name="ivolatility",
    doc=(
        "iVolatility end-of-day files: one contract per row, dates month first, volatility in "
        "decimals with -1 for none, option symbols as the OCC writes them (the root decides AM or "
        "PM; older symbols do not tell, and the third Friday decides)."
    ),
    columns={**{name: name for name in _LAYOUT.shared if name != "contract"}, "root": OCC_ROOT},
    timing=Timing(
        quote_time="close", known_at="next_open", oi_lag_sessions=1, settlement="third_friday"
    ),
    optional=_LAYOUT.optional,
    dialect=Dialect(order="MDY"),
    reader=reader_of(_LAYOUT),
    cites=(
        "The lag shows in the numbers: over five sessions of SPX in January 2011, 89.8 % of the "
        "changes of open interest between stamps are covered by the volume of the earlier stamp, "
        "43.1 % by that of the later. OPRA prints the figure of the previous session at about "
        "06:30 New York time (docs.thetadata.us, option open interest)."
    ),
)
