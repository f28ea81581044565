"""Rows of the regime table and its side tables, ready to become Arrow tables."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pyarrow as pa

from ..lake.arrow_tables import PlainTable, Repeated, table_of
from .regime_columns import REGIME_COLUMNS, Key

__all__ = ["Block", "regime_columns_of", "regime_table", "side_columns_of"]

_ARROW: Final = {
    "VARCHAR": pa.string(),
    "DATE": pa.date32(),
    "DOUBLE": pa.float64(),
    "BIGINT": pa.int64(),
    "TIMESTAMPTZ": pa.timestamp("us", tz="UTC"),
}
_REGIME_KINDS: Final = {name: _ARROW[column.type] for name, column in REGIME_COLUMNS.items()}
_KEY: Final = ("underlying", "session", "book", "dealer_model", "definition_id")
_SIDE_KINDS: Final = {"session": _ARROW["DATE"], "known_at": _ARROW["TIMESTAMPTZ"]}


@dataclass(frozen=True, slots=True)
class Block:
    """Rows of a side table for one key, as columns of equal length."""

    key: Key
    columns: dict[str, Any]


def regime_columns_of(rows: list[dict[str, Any]]) -> PlainTable:
    """Return regime rows as the canonical columns, before they become an Arrow table."""
    columns = {name: [row.get(name) for row in rows] for name in _REGIME_KINDS}
    return PlainTable(columns, _REGIME_KINDS)


def regime_table(rows: list[dict[str, Any]]) -> pa.Table:
    """Return regime rows as an Arrow table of the canonical columns."""
    return table_of(regime_columns_of(rows).columns, _REGIME_KINDS)


def side_columns_of(blocks: list[Block]) -> PlainTable:
    """Return the rows of several blocks, each with its key, before they become an Arrow table."""
    counts = [len(next(iter(block.columns.values()))) for block in blocks]
    columns: dict[str, Any] = {
        name: Repeated([getattr(block.key, name) for block in blocks], counts) for name in _KEY
    }
    for name in blocks[0].columns:
        columns[name] = np.concatenate([block.columns[name] for block in blocks])
    return PlainTable(columns, _SIDE_KINDS)
