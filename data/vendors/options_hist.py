"""The options_hist Parquet schema."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from .layout import OCC_ROOT, Layout, long_table
from .vendor_preset import InputFile, Preset, RawTable, Timing

if TYPE_CHECKING:
    import duckdb

__all__ = ["PRESET"]

_LAYOUT: Final = Layout(
    shared={
        "contract": ("contract_id", "contractID"),
        "underlying": ("symbol",),
        "expiry": ("expiration",),
        "strike": ("strike",),
        "right": ("type",),
        "last": ("last",),
        "bid": ("bid",),
        "ask": ("ask",),
        "volume": ("volume",),
        "open_interest": ("open_interest",),
        "session": ("date",),
        "iv": ("implied_volatility",),
        "delta": ("delta",),
        "gamma": ("gamma",),
        "spot": ("spot", "underlying_price", "underlying_last"),
    },
    optional=frozenset({"delta", "gamma", "iv", "last", "spot", "volume"}),
)


def _read(connection: duckdb.DuckDBPyConnection, files: Sequence[InputFile]) -> list[RawTable]:
    from .table_reader import read_tables

    tables = [long_table(table, _LAYOUT) for table in read_tables(connection, files)]
    return [replace(t, implied_spot="spot" not in t.relation.columns) for t in tables]


PRESET: Final = Preset(
    name="options_hist",
    doc=(
        "Parquet or CSV with the columns contract_id, symbol, expiration, strike, type, bid, ask, "
        "volume, open_interest, date, implied_volatility and greeks; volatility in decimals. The "
        "schema has no spot. Unless a column spot (or underlying_price) was added, the spot is "
        "the one that put-call parity implies in the shortest expiry with five two-sided strikes "
        "(the median of the five where call and put are closest); sessions without are rejected "
        "as spot_missing."
    ),
    columns={**{name: name for name in _LAYOUT.shared if name != "contract"}, "root": OCC_ROOT},
    timing=Timing(
        quote_time="close", known_at="next_open", oi_lag_sessions=1, settlement="third_friday"
    ),
    optional=_LAYOUT.optional,
    reader=_read,
    cites=(
        "The schema says nothing about the lag. OPRA prints open interest once, at about 06:30 "
        "New York time, and it is that of the previous session (docs.thetadata.us, option open "
        "interest; MarketDataApp/documentation issue 173: it 'lags the rest of the row by one "
        "session'): a row dated t that was complete in the evening of t cannot hold more."
    ),
)
