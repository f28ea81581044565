"""What happens where new rows meet what the lake holds of the same sessions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import duckdb
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from ..base.sql import load_sql
from ..lake.integrity import require_intact
from ..lake.parts import CHAIN_SCHEMA, part_rows

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable
    from datetime import date
    from pathlib import Path

    from ..lake.manifest import SessionEntry

__all__ = ["LENDABLE", "lends", "lent", "merged", "rows_to_keep"]

#: Columns that rows take over from the lake where their files do not have them.
LENDABLE: Final = (
    "open_interest", "volume", "bid", "ask", "last", "iv", "delta", "gamma",
)  # fmt: skip


def rows_to_keep(entries: Iterable[SessionEntry], replaced: Collection[str]) -> Any | None:
    """Return what the lake holds of some sessions from sources that are not replaced, or None."""
    by_file: dict[Path, list[date]] = {}
    for entry in entries:
        if not set(entry.sources) <= set(replaced):
            by_file.setdefault(entry.file, []).append(entry.session)
    if not by_file:
        return None
    gone = pa.array(sorted(replaced), pa.string())
    tables = [part_rows(path, days) for path, days in sorted(by_file.items())]
    rows = pa.concat_tables(tables)
    return rows.filter(pc.invert(pc.is_in(rows.column("source"), value_set=gone)))


def lends(entry: SessionEntry, unstated: Collection[str]) -> bool:
    """Return whether the part of a session says anything in columns that new files do not have.

    Parameters
    ----------
    entry : SessionEntry
    unstated : collection of str

    Raises
    ------
    LakeError
        If the part is not what was written.
    """
    require_intact([entry.file], entry.file.parents[3])
    with pq.ParquetFile(entry.file) as part:
        for name in sorted(set(unstated).intersection(part.schema_arrow.names)):
            column = part.read([name]).column(0)
            if column.null_count < len(column):
                return True
    return False


def lent(fresh: Any, stored: Any, unstated: Collection[str]) -> Any:
    """Return new rows with the columns that their files do not have, from rows that the lake holds.

    A contract never loses what the lake knows of it because a later file lacks the column. What is
    taken over is known when both rows are; contracts that the lake holds more than once lend
    nothing.

    Parameters
    ----------
    fresh, stored : pyarrow.Table
        Canonical rows.
    unstated : collection of str
        The columns that the new rows' files do not state.
    """
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        connection.register("fresh_rows", fresh)
        connection.register("stored_rows", stored)
        query = connection.sql(load_sql("ingest/lend"), params={"unstated": sorted(unstated)})
        return query.to_arrow_table().cast(CHAIN_SCHEMA)


def merged(fresh: Any, stored: Any) -> Any:
    """Return new rows laid over stored ones, in the lake's order.

    Where both have a contract (all of the key: underlying, moment, root, expiry, settlement,
    strike, right), the new rows stay.
    """
    with duckdb.connect() as connection:
        connection.register("fresh_rows", fresh)
        connection.register("stored_rows", stored)
        return connection.sql(load_sql("ingest/merge")).to_arrow_table().cast(CHAIN_SCHEMA)
