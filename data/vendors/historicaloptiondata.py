"""historicaloptiondata.com (DeltaNeutral) option files, levels 1 to 3."""

from __future__ import annotations

from typing import Final

from .layout import OCC_ROOT, Layout, reader_of
from .vendor_preset import Dialect, Preset, Timing

__all__ = ["PRESET"]

_LAYOUT: Final = Layout(
    shared={
        "underlying": ("UnderlyingSymbol", "underlying"),
        "spot": ("UnderlyingPrice", "underlying_last"),
        "contract": ("OptionSymbol", "optionroot", "optionalias"),
        "right": ("Type",),
        "expiry": ("Expiration",),
        "session": ("DataDate", "quotedate"),
        "strike": ("Strike",),
        "last": ("Last",),
        "bid": ("Bid",),
        "ask": ("Ask",),
        "volume": ("Volume",),
        "open_interest": ("OpenInterest",),
        "iv": ("IVMean", "IV", "impliedvol"),
        "delta": ("Delta",),
        "gamma": ("Gamma",),
    },
    optional=frozenset({"delta", "gamma", "iv", "last", "volume"}),
)

PRESET: Final = Preset(
    name="historicaloptiondata",
    doc=(
        "Option files of historicaloptiondata.com, one contract per row, all underlyings in one "
        "file; the names of levels 1 to 3 and of older exports are understood. Volatility in "
        "decimals, quotes at the close. Bare files (level 1) have no volatility: it is solved."
    ),
    columns={**{name: name for name in _LAYOUT.shared if name != "contract"}, "root": OCC_ROOT},
    timing=Timing(
        quote_time="close", known_at="next_open", oi_lag_sessions=1, settlement="third_friday"
    ),
    optional=_LAYOUT.optional,
    dialect=Dialect(order="MDY"),
    reader=reader_of(_LAYOUT),
    cites=(
        "File format pages of historicaloptiondata.com (columns; T1OpenInterest of level 3 is the "
        "figure of another day). The lag shows in the numbers: in a year of SPY, 98.9 % of the "
        "changes of open interest between stamps are covered by the volume of the earlier stamp, "
        "88.5 % by that of the later."
    ),
)
