"""What the root of a contract says: its settlement, its multiplier, its plain name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ..base.arrow_values import plain
from ..lake.arrow_tables import array_of, coded_words
from ..vendors.roots import root_facts, symbol_parts

if TYPE_CHECKING:
    from ..vendors.roots import Root

__all__ = [
    "AM",
    "PM",
    "UNDECIDED",
    "UNKNOWN",
    "deliverable",
    "plain_roots",
    "root_code",
    "root_index",
    "roots_of",
]

#: Codes of a settlement; the last is decided by the order of the file's rows.
PM, AM, UNDECIDED, UNKNOWN = range(4)


def roots_of(table: Any, underlying: str) -> list[Root | None]:
    """Return what is known of the table's distinct roots, None (last) for rows without one."""
    if "root" not in table.column_names:
        return [None]
    words = table.column("root").combine_chunks().dictionary_encode().dictionary.to_pylist()
    return [*(root_facts(word, underlying) for word in words), None]


def root_index(table: Any) -> Any:
    """Return for each row the place of its root among `roots_of`."""
    encoded = table.column("root").combine_chunks().dictionary_encode()
    return plain(encoded.indices, len(encoded.dictionary))


def plain_roots(column: Any) -> Any:
    """Return a column of roots; of whole symbols (``O:SPY240119C00470000``) the root in them."""
    encoded = column.combine_chunks().cast(pa.string()).dictionary_encode()
    words = encoded.dictionary.to_pylist()
    roots = [p[0] if (p := symbol_parts(w)) is not None else w for w in words]
    return coded_words(plain(encoded.indices, -1), roots).cast(pa.string())


def root_code(fact: Root | None, default: int) -> int:
    """Return the code of a root's settlement, -1 where the rule decides."""
    if fact is None:
        return -1
    if fact.settlement is not None:
        return AM if fact.settlement == "AM" else PM
    return default


def deliverable(table: Any, facts: list[Root | None]) -> dict[str, Any]:
    """Return multipliers: as stated, else by the root; NULL where the root is not a standard one.

    Roots are returned without what symbols add to them.
    """
    found = {"multiplier": _multipliers(table, facts)}
    if "root" in table.column_names:
        found["root"] = plain_roots(table.column("root"))
    return found


def _multipliers(table: Any, facts: list[Root | None]) -> Any:
    """Return a multiplier for each row, see `deliverable`."""
    stated = table.column("multiplier") if "multiplier" in table.column_names else None
    if stated is not None and not stated.null_count and (plain(stated) > 0.0).all():
        return stated
    by_root = np.array([100.0 if f is None else f.multiplier for f in facts], np.float64)
    index = root_index(table) if "root" in table.column_names else np.zeros(len(table), int)
    usual = array_of(by_root.take(index))
    if stated is None:
        return usual
    return pc.coalesce(pc.if_else(pc.greater(stated, 0.0), stated, None), usual)
