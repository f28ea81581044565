"""Columns of the canonical chain and of every table that a rebuild writes.

Types are DuckDB's. All time stamps are UTC. Missing is NULL, never 0.
"""

from __future__ import annotations

from typing import Final, Literal

__all__ = [
    "BOOKS",
    "CHAIN_COLUMNS",
    "OPTIONAL_COLUMNS",
    "REGIMES",
    "SIDE_TABLES",
    "TABLES",
    "Book",
    "Regime",
]

Book = Literal["as_of_close", "post_expiry"]
Regime = Literal["long", "short", "neutral", "abstain"]

BOOKS: Final[tuple[Book, ...]] = ("as_of_close", "post_expiry")
REGIMES: Final[tuple[Regime, ...]] = ("long", "short", "neutral", "abstain")

#: One row per contract per snapshot.
CHAIN_COLUMNS: Final[dict[str, str]] = {
    "underlying": "VARCHAR",
    "session": "DATE",
    "quote_ts": "TIMESTAMPTZ",
    "root": "VARCHAR",
    "expiry": "DATE",
    "settlement": "VARCHAR",
    "expiry_ts": "TIMESTAMPTZ",
    "strike": "DOUBLE",
    "right": "VARCHAR",
    "open_interest": "DOUBLE",
    "oi_asof": "DATE",
    "volume": "DOUBLE",
    "bid": "DOUBLE",
    "ask": "DOUBLE",
    "last": "DOUBLE",
    "iv": "DOUBLE",
    "iv_outside": "DOUBLE",
    "delta": "DOUBLE",
    "gamma": "DOUBLE",
    "spot": "DOUBLE",
    "multiplier": "DOUBLE",
    "known_at": "TIMESTAMPTZ",
    "source": "VARCHAR",
}

#: Columns that canonical rows may leave out; they are then NULL.
#: ``iv_outside`` is the vendor's volatility where it is positive but outside 0.01 ... 10, so that
#: `iv` is NULL: kept only to be compared with, like the vendor's delta and gamma.
OPTIONAL_COLUMNS: Final = ("iv_outside",)

#: Tables of a rebuild beside the regime table, by expiry, strike, root, shift or moneyness.
SIDE_TABLES: Final = (
    "exposure_by_expiry",
    "exposure_by_strike",
    "flip_roots",
    "profile",
    "fixed_strike_vol",
    "implied_volatility",
)

#: Every table that a rebuild writes.
TABLES: Final = ("regimes", *SIDE_TABLES, "quality_findings")
