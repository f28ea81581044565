"""Any table, with the user's own column map."""

from __future__ import annotations

from typing import Final

from .vendor_preset import Preset, Timing

__all__ = ["PRESET"]

PRESET: Final = Preset(
    name="columns",
    doc=(
        "Any CSV, Parquet or JSON table. A TOML file (--map) says which column is which, in which "
        "unit, and when the rows were known."
    ),
    columns={},
    timing=Timing(),
)
