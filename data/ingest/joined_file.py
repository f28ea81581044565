"""What one join of a column map gives, looked up by key."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import duckdb
import pyarrow as pa

from ..vendors.preset import Join

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["JoinedFile"]


@dataclass(slots=True)
class JoinedFile:
    """What a join gives, ready to be looked up.

    Attributes
    ----------
    join : Join
    keys : tuple of str
        Columns of `rows` that are compared: canonical names, and `raw_key` of others.
    rows : pyarrow.Table
        One row per key: the keys, the given columns, ``oi_asof`` and ``known_at``.
    sessions : frozenset of int
        Sessions that the files cover, days since 1970; empty where session is no key.
    unmatched : int
        Rows of chains that found no row, so far.
    """

    join: Join
    keys: tuple[str, ...]
    rows: Any
    sessions: frozenset[int]
    unmatched: Counter[str] = field(default_factory=Counter)

    def looked_up(self, keys: Mapping[str, Any]) -> Any:
        """Return for each row of a batch what the files give, in the batch's order.

        Parameters
        ----------
        keys : mapping of str to array
            By name of the key.

        Returns
        -------
        pyarrow.Table
            The given columns, ``oi_asof``, ``known_at``, and ``matched``.
        """
        batch = pa.table({f"k{i}": keys[name] for i, name in enumerate(self.keys)})
        batch = batch.append_column("row_of_batch", pa.array(range(len(batch)), pa.int64()))
        named = self.rows.rename_columns(
            [f"k{self.keys.index(n)}" if n in self.keys else n for n in self.rows.column_names]
        ).append_column("matched", pa.repeat(True, len(self.rows)))
        given = [n for n in named.column_names if n not in batch.column_names]
        with duckdb.connect() as connection:
            connection.execute("SET TimeZone = 'UTC'")
            left, right = connection.from_arrow(batch), connection.from_arrow(named)
            using = ", ".join(f"k{i}" for i in range(len(self.keys)))
            both = left.set_alias("a").join(right.set_alias("b"), using, how="left")
            return both.order("row_of_batch").select(*given).to_arrow_table()
