"""Read a vendor's file into a lake of its own and hand back what arrived."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pandas as pd

from gexlab.data.ingest.ingest import IngestResult, ingest
from gexlab.data.lake.lake import Lake, open_lake

_ROWS = """
SELECT * FROM read_parquet($files, hive_partitioning = false)
ORDER BY session, quote_ts, expiry, settlement, strike, "right"
"""


@dataclass(frozen=True, slots=True)
class Arrived:
    """What an ingest wrote."""

    result: IngestResult
    rows: list[dict[str, Any]]
    lake: Lake

    def row(self, **wanted: Any) -> dict[str, Any]:
        """Return the one row with these values."""
        found = [r for r in self.rows if all(r[k] == v for k, v in wanted.items())]
        assert len(found) == 1, f"{len(found)} rows with {wanted}"
        return found[0]


def arrived(
    folder: Path, vendor: str, underlying: str, file: Path, mapping: Path | None = None
) -> Arrived:
    """Ingest one file into a lake in `folder` and read the lake back."""
    result = ingest([file], vendor=vendor, underlying=underlying, lake=folder, mapping=mapping)
    lake = open_lake(folder)
    files = [str(path) for path in lake.chain_files(underlying)]
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        rows = connection.sql(_ROWS, params={"files": files}).to_arrow_table().to_pylist()
    return Arrived(result, rows, lake)


def utc(year: int, month: int, day: int, hour: int, minute: int = 0, second: int = 0) -> datetime:
    """Return a moment in UTC."""
    return datetime(year, month, day, hour, minute, second, tzinfo=UTC)


def day(text: str) -> date:
    """Return a date in ISO form."""
    return date.fromisoformat(text)


def pick(row: dict[str, Any], *names: str) -> tuple[Any, ...]:
    """Return some values of a row."""
    return tuple(row[name] for name in names)


def lines(frame: pd.DataFrame) -> list[Any]:
    """Return the rows of a frame as named tuples whose fields may be anything."""
    return list(frame.itertuples())


def covered_changes(
    plain: pd.DataFrame, contract: str, stamp: str, figure: str, volume: str
) -> tuple[float, float]:
    """Return which volume covers the changes of open interest between neighbouring stamps.

    Returns
    -------
    tuple of float
        Shares of the changes that the volume of the earlier and of the later stamp covers. Open
        interest cannot change by more than what was traded: where the figure stamped t was
        settled after the previous session t, the first is near 1; where after t, the second.
    """
    keyed = plain.set_index([contract, stamp])
    held = keyed[figure].unstack().to_numpy(dtype=float)
    traded = np.nan_to_num(keyed[volume].unstack().to_numpy(dtype=float))
    change = np.abs(np.diff(held, axis=1))
    moved = change > 0
    earlier = (change <= traded[:, :-1])[moved]
    later = (change <= traded[:, 1:])[moved]
    return float(earlier.mean()), float(later.mean())
