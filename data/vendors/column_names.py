"""Names of vendors' columns: which a preset reads, and how a file may spell them."""

from __future__ import annotations

import re
from typing import Final

from .vendor_preset import Clocked, FirstOf, Part

__all__ = ["ON_HALF_DAYS", "names_in", "respelled"]

#: DataShop's columns of 15:45 are blank on days that close at 13:00; those of the close are there.
ON_HALF_DAYS: Final[dict[str, tuple[str, ...]]] = {
    "bid_1545": ("bid_eod",),
    "ask_1545": ("ask_eod",),
    "active_underlying_price_1545": ("underlying_bid_eod", "underlying_ask_eod"),
    "implied_underlying_price_1545": ("underlying_bid_eod", "underlying_ask_eod"),
    "underlying_bid_1545": ("underlying_bid_eod",),
    "underlying_ask_1545": ("underlying_ask_eod",),
}


def names_in(column: object) -> tuple[str, ...]:
    """Return the source columns that a column of a preset is made of, expressions apart."""
    if isinstance(column, str):
        return (column, *ON_HALF_DAYS.get(column.casefold(), ()))
    if isinstance(column, FirstOf):
        return tuple(name for group in column.choices for name in group)
    if isinstance(column, Clocked):
        return column.date, column.time
    if isinstance(column, Part):
        return (column.column,)
    return ()


def respelled(column: str, available: dict[str, str]) -> str | None:
    wanted = column.strip().casefold()
    same = next((name for name in available if name.strip().casefold() == wanted), None)
    if same is not None:
        return same
    if "." not in column:
        inside = [n for n in available if n.casefold().endswith(f".{wanted}")]
        return inside[0] if len(inside) == 1 else None
    # of a path into nested JSON the table may hold the last steps alone
    inner = re.sub(r"\[\d*\]", "", wanted)
    ends = [n for n in available if inner == n.casefold() or inner.endswith(f".{n.casefold()}")]
    return max(ends, key=len) if ends else None
