"""Columns of the side tables: what each number of them means.

Until they are written, the values of a side table are one matrix of doubles: days, counts and
places in a list of words are whole numbers, which doubles hold as they are.
"""

from __future__ import annotations

from typing import Final, Literal, TypeAlias

from .chain_volatility import MISSING

__all__ = [
    "ALL",
    "AM",
    "DIRECTIONS",
    "PM",
    "SIDE_COLUMNS",
    "Kind",
]

#: What a column holds: numbers (NaN is NULL), whole numbers, flags, days or microseconds since
#: 1970, or the place of a word in a tuple of words.
Kind: TypeAlias = Literal["number", "count", "flag", "day", "moment"] | tuple[str | None, ...]

#: Places of the settlements, the last of them that of all together.
AM, PM, ALL = range(3)
_SETTLEMENTS: Final = ("AM", "PM", "all")
_FORWARD_SOURCES: Final = ("rates", "parity")
DIRECTIONS: Final = ("down", "up")
_REASONS: Final = tuple(reason or None for reason in MISSING)

#: Of each table the columns after its key, in order.
SIDE_COLUMNS: Final[dict[str, dict[str, Kind]]] = {
    "exposure_by_expiry": {
        "expiry": "day",
        "settlement": _SETTLEMENTS,
        "time": "number",
        "forward": "number",
        "forward_source": _FORWARD_SOURCES,
        "net_gex": "number",
        "gross_gex": "number",
        "net_dex": "number",
        "net_vex": "number",
        "net_cex": "number",
        "open_interest": "number",
        "contracts_used": "count",
        "contracts_rejected": "count",
    },
    "exposure_by_strike": {
        "strike": "number",
        "call_gex": "number",
        "put_gex": "number",
        "net_gex": "number",
        "gross_gex": "number",
    },
    "flip_roots": {
        "level": "number",
        "direction": DIRECTIONS,
        "slope": "number",
        "is_flip": "flag",
    },
    "profile": {
        "level": "number",
        "log_move": "number",
        "net_gex": "number",
        "gross_gex": "number",
    },
    "fixed_strike_vol": {
        "expiry": "day",
        "settlement": _SETTLEMENTS,
        "strikes": "count",
        "unmatched": "count",
        "change_by_vega": "number",
        "change_by_exposure": "number",
        "vega_dollars": "number",
        "delta_dollars": "number",
    },
    "implied_volatility": {
        "known_at": "moment",
        "atm_30d": "number",
        "atm_near_days": "number",
        "atm_next_days": "number",
        "atm_missing": _REASONS,
        "swap_30d": "number",
        "swap_near_days": "number",
        "swap_next_days": "number",
        "swap_missing": _REASONS,
    },
}
