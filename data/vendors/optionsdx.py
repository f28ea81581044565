"""OptionsDX text files."""

from __future__ import annotations

from typing import Final

from .layout import Layout, reader_of
from .vendor_preset import Dialect, Preset, Timing

__all__ = ["PRESET"]


def _side(letter: str) -> dict[str, tuple[str, ...]]:
    names = ("delta", "gamma", "iv", "volume", "last", "bid", "ask")
    return {name: (f"[{letter}_{name.upper()}]", f"{letter}_{name.upper()}") for name in names}


_LAYOUT: Final = Layout(
    shared={
        "quote_ts": ("[QUOTE_READTIME]", "QUOTE_READTIME"),
        "spot": ("[UNDERLYING_LAST]", "UNDERLYING_LAST"),
        "expiry": ("[EXPIRE_DATE]", "EXPIRE_DATE"),
        "strike": ("[STRIKE]", "STRIKE"),
    },
    call=_side("C"),
    put=_side("P"),
    optional=frozenset({"delta", "gamma", "last", "volume"}),
)

PRESET: Final = Preset(
    name="optionsdx",
    doc=(
        "OptionsDX text files (spy_eod_202101.txt and the like): a call and a put in each row, "
        "column names in brackets, volatility in decimals. They hold no open interest, so that "
        "no exposure can come of them alone: the regime abstains. The symbol is only in the "
        "file's name; --underlying says what it is."
    ),
    columns={name: name for name in (*_LAYOUT.shared, *_LAYOUT.call, "right")},
    optional=_LAYOUT.optional,
    dialect=Dialect(order="MDY"),
    timing=Timing(timezone="America/New_York", known_at="next_open", settlement="third_friday"),
    reader=reader_of(_LAYOUT),
    cites=(
        "Column names as in the header of the vendor's end-of-day files, QUOTE_READTIME in New "
        "York time. There is no open interest and thus no lag. The files are sold by the month; "
        "the open of the next session is the earliest at which a subscriber had the day's quotes."
    ),
)
