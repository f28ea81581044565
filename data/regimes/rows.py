"""Rows of the regime table and its side tables as Arrow tables."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from .regime_columns import REGIME_COLUMNS, Key

__all__ = ["Block", "regime_table", "side_table_of"]

_ARROW: Final = {
    "VARCHAR": pa.string(),
    "DATE": pa.date32(),
    "DOUBLE": pa.float64(),
    "BIGINT": pa.int64(),
    "TIMESTAMPTZ": pa.timestamp("us", tz="UTC"),
}
_REGIME_SCHEMA: Final = pa.schema([(n, _ARROW[c.type]) for n, c in REGIME_COLUMNS.items()])


@dataclass(frozen=True, slots=True)
class Block:
    """Rows of a side table for one key, as columns of equal length."""

    key: Key
    columns: dict[str, Any]


def regime_table(rows: list[dict[str, Any]]) -> pa.Table:
    """Return regime rows as an Arrow table of the canonical columns."""
    return pa.Table.from_pylist(rows, schema=_REGIME_SCHEMA)


def _column(name: str, values: npt.NDArray[Any]) -> pa.Array:
    if name == "known_at":
        return pa.array(values).cast(_ARROW["TIMESTAMPTZ"])
    kind = pa.string() if values.dtype == object else None
    return pa.array(values, kind, from_pandas=True)  # undefined is NULL


def side_table_of(blocks: list[Block]) -> pa.Table:
    """Return the rows of several blocks as one Arrow table, each with its key."""
    counts = [len(next(iter(block.columns.values()))) for block in blocks]
    index = pa.array(np.repeat(np.arange(len(blocks), dtype=np.int32), counts))
    columns: dict[str, pa.Array] = {}
    for name in ("underlying", "session", "book", "dealer_model", "definition_id"):
        kind = pa.date32() if name == "session" else pa.string()
        values = pa.array([getattr(block.key, name) for block in blocks], kind)
        columns[name] = values.take(index)
    for name in blocks[0].columns:
        values = np.concatenate([block.columns[name] for block in blocks])
        columns[name] = _column(name, values)
    return pa.table(columns)
