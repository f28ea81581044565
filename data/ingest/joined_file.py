"""What one join of a column map gives, looked up by key."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import duckdb
import pyarrow as pa

from ..base.errors import InputFileError
from ..vendors.vendor_preset import Join

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
    unmatched, matched : int
        Rows of chains that found no row, and that found one, so far.
    example : str
        Keys of a row of the chains that found none.
    """

    join: Join
    keys: tuple[str, ...]
    rows: Any
    sessions: frozenset[int]
    unmatched: int = 0
    matched: int = 0
    example: str = ""

    def count(self, matched: int, keys: Mapping[str, Any]) -> None:
        """Count the rows of a batch, and remember the keys of its first."""
        rows = len(next(iter(keys.values())))
        self.matched += matched
        self.unmatched += rows - matched
        if rows and not self.example:
            self.example = _shown({name: keys[name][0].as_py() for name in self.keys})

    def refuse_without_match(self) -> None:
        """Refuse a join that found a row for none of the chains.

        Raises
        ------
        InputFileError
            With the keys of both sides.
        """
        if self.matched or not self.unmatched or self.join.absent:
            return
        theirs = "no row"
        if len(self.rows):
            [first] = self.rows.slice(0, 1).select(list(self.keys)).to_pylist()
            theirs = f"one of {_shown(first)}"
        raise InputFileError(
            f"[join.{self.join.name}] expected rows for the chains' keys, found none for any of "
            f"{self.unmatched} rows: a row of the chains has {self.example}, the joined files have "
            f"{theirs}. Nothing was written: correct files or keys of the join, or say "
            "--allow-rejects to go on without"
        )

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


def _shown(keys: Mapping[str, Any]) -> str:
    return ", ".join(f"{name.removeprefix('key ')} {value}" for name, value in keys.items())
