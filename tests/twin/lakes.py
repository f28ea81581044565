"""Canonical frames of the tests written to a lake, through its one writer."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa

from gexlab.data.base.schema import CHAIN_COLUMNS
from gexlab.data.lake.lake import Lake, open_lake
from gexlab.data.lake.manifest import SourceEntry
from gexlab.data.lake.writer import lake_writer, write_sessions

_MOMENTS = ("quote_ts", "expiry_ts", "known_at")


def canonical_table(chain: pd.DataFrame) -> pa.Table:
    """Arrow table with all canonical columns; what the frame lacks is NULL, and so is NaN."""
    columns = {}
    for name, kind in CHAIN_COLUMNS.items():
        if name in _MOMENTS:
            stamps = pd.to_datetime(chain[name], utc=True).astype("datetime64[us, UTC]")
            columns[name] = pa.array(stamps, pa.timestamp("us", tz="UTC"))
        elif kind == "DATE":
            days = chain[name] if name in chain else [None] * len(chain)
            columns[name] = pa.array(list(days), pa.date32())
        elif kind == "DOUBLE":
            values = chain[name] if name in chain else np.full(len(chain), np.nan)
            columns[name] = pa.array(np.asarray(values, dtype=np.float64), from_pandas=True)
        else:
            texts = chain[name] if name in chain else [None] * len(chain)
            columns[name] = pa.array(
                [t if isinstance(t, str) else None for t in texts], pa.string()
            )
    return pa.table(columns)


def lake_of(
    root: Path, underlying: str, *sessions: pd.DataFrame, settlement_prices: bool = False
) -> Lake:
    """A lake that holds these sessions of one underlying."""
    lake = open_lake(root, create=True)
    rows = pa.concat_tables([canonical_table(chain) for chain in sessions])
    write_sessions(lake, underlying, rows, source="test")
    if settlement_prices:  # as the record says after the ingest of such a vendor
        with lake_writer(lake, underlying) as writer:
            writer.commit((SourceEntry("test", "by hand", (), last_is_settlement=True),))
    return lake
