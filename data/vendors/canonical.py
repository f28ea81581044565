"""Files that already are canonical chains."""

from __future__ import annotations

from typing import Final

from ..base.schema import CHAIN_COLUMNS
from .vendor_preset import Preset, Timing

__all__ = ["PRESET"]

_REQUIRED: Final = ("quote_ts", "expiry", "strike", "right", "spot", "known_at")

PRESET: Final = Preset(
    name="canonical",
    doc=(
        "Tables with the columns of the canonical chain, in canonical units. quote_ts, expiry, "
        "strike, right, spot, known_at and one of root and settlement are required; session and "
        "expiry_ts follow from the calendar where they are absent."
    ),
    columns={name: name for name in CHAIN_COLUMNS if name != "source"},
    timing=Timing(timezone="UTC"),
    optional=frozenset(CHAIN_COLUMNS).difference(_REQUIRED),
)
