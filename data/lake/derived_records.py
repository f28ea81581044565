"""The table `rebuilds`: which rebuilt rows of an underlying are valid, as stores of them."""

from __future__ import annotations

import json
import re
from dataclasses import astuple, dataclass, replace
from datetime import date
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from ..base.errors import LakeError
from .data_files import file_bytes, rows_in
from .derived_parts import Marks, Part, Place, Variant
from .derived_tables import REBUILDS, TABLES, DerivedStore
from .lake import Lake
from .storage import stored_size, writable
from .versions import Version, table_files

if TYPE_CHECKING:
    from collections.abc import Collection

    from .delta_log import DataFile

__all__ = [
    "SHARED",
    "Lacking",
    "lacking",
    "left_behind",
    "read_store",
    "rebuilt_underlyings",
    "store_record",
    "stored",
    "stores_of",
]

_PART: Final = re.compile(r"[\w.=-]+")
#: Name of a file that parts share.
SHARED: Final = re.compile(r"joint-v\d+-[0-9a-f]{12}\.parquet")
_REMEDY: Final = (
    "restore it from a copy, or delete it and run gexlab rebuild again by the definition that its "
    "name begins with; what other definitions gave can be read by --definition"
)


@dataclass(frozen=True, slots=True)
class Lacking:
    """What a store has of wanted rows, and what it lacks.

    Attributes
    ----------
    store : DerivedStore
        As it is on disk, without parts of which a file is gone.
    sessions : dict of book to set of date
        Those that it lacks, or has from other inputs.
    closed : bool
        Whether it cannot be written to.
    recorded : bool
        Whether it records that its inputs mean the rows wanted, and no others.
    """

    store: DerivedStore
    sessions: dict[str, set[date]]
    closed: bool
    recorded: bool


def read_store(lake: Lake, record: DataFile) -> DerivedStore:
    """Read the record of a store.

    Parameters
    ----------
    lake : Lake
    record : DataFile
        Of the table of rebuilds.

    Returns
    -------
    DerivedStore
        With all parts and variants.

    Raises
    ------
    LakeError
        If the record cannot be read, or is not what was written.
    """
    path = lake.root / REBUILDS / record.path
    content = file_bytes(lake.root, REBUILDS, record, _REMEDY)
    try:
        row, parts, variants = _said(content)
        return DerivedStore(
            lake,
            row["underlying"],
            row["definition_id"],
            json.loads(row["definition"]),
            row["dealer_model"],
            parts=parts,
            variants=variants,
            record=record.path,
        )
    except (ValueError, KeyError, TypeError, OSError) as error:
        raise LakeError(f"{path}: not a record of a rebuild ({error}): {_REMEDY}") from error


@lru_cache(maxsize=4)  # a rebuild of one session looks at the same record three times
def _said(content: bytes) -> tuple[dict[str, str], tuple[Part, ...], tuple[Variant, ...]]:
    """Return what a record's bytes state: its row, parts and variants."""
    [row] = rows_in(content).to_pylist()
    parts = [_part(stated) for stated in json.loads(row["parts"])]
    strange = next((p.name for p in parts if not _is_part(p)), None)
    if strange is not None:
        raise ValueError(f"{strange!r} is no name of a part")
    return row, tuple(parts), tuple(Variant(**v) for v in json.loads(row["variants"]))


def _part(stated: dict[str, Any]) -> Part:
    unknown = stated.keys() - Part.__slots__
    if unknown:
        raise ValueError(f"it states {', '.join(sorted(unknown))}: written by a later gexlab")
    places = {table: Place(*place) for table, place in stated.get("places", {}).items()}
    return Part(**(stated | {"tables": tuple(stated["tables"]), "places": places}))


def _is_part(part: Part) -> bool:
    named = bool(_PART.fullmatch(part.name)) and set(part.tables) <= set(TABLES)
    grouped = part.group is None or (type(part.group) is int and part.group >= 0)
    return named and grouped and all(_is_place(place) for place in part.places.values())


def _is_place(place: Place) -> bool:
    numbers = astuple(place)[1:]
    if not all(type(number) is int and number >= 0 for number in numbers):
        return False
    in_order = place.begin <= place.end <= place.tail
    # a row group has rows, and bytes
    few = place.groups <= min(place.rows, place.end - place.begin)
    return in_order and few and bool(SHARED.fullmatch(place.name))


def store_record(store: DerivedStore, version: Version) -> DataFile | None:
    """Return the record of a store at a version of the lake, None where it has none."""
    for file in table_files(store.lake.root, version, REBUILDS).of(store.underlying):
        if file.tags["store"] == store.stem:
            return file
    return None


def stored(store: DerivedStore, record: DataFile | None) -> DerivedStore:
    """Return a store with the parts and variants of a record, none where there is none any more.

    Of a record whose file is gone nobody knows what it said: all is computed anew.
    """
    if record is None:
        return store
    if stored_size(store.lake.root / REBUILDS / record.path) is None:
        return replace(store, record=record.path)
    found = read_store(store.lake, record)
    return replace(store, parts=found.parts, variants=found.variants, record=found.record)


def left_behind(there: DerivedStore, version: Version) -> set[tuple[str, str]]:
    """Return the files of a store whose record is gone; those that others may need among them."""
    if there.record is None:
        return set()
    own = re.compile(rf"{re.escape(there.stem)}-\d{{4}}-\d\d-\d\d_.*|{SHARED.pattern}")
    return {
        (table, file.path)
        for table in TABLES
        for file in table_files(there.lake.root, version, table).of(there.underlying)
        if own.fullmatch(file.path.rpartition("/")[2])
    }


def lacking(store: DerivedStore, wanted: Marks) -> Lacking:
    """Return what a store on disk has of the rows wanted, and what it lacks of them.

    Parameters
    ----------
    store : DerivedStore
    wanted : mapping
        Book to ISO session to mark.

    Returns
    -------
    Lacking
    """
    found = stored(store, store_record(store, store.lake.at())).intact()
    done: dict[str, set[tuple[str, str]]] = {book: set() for book in wanted}
    for part in found.parts:
        done.setdefault(part.book, set()).update(part.sessions.items())
    missing = {
        book: {date.fromisoformat(day) for day, _ in days.items() - done[book]}
        for book, days in wanted.items()
    }
    return Lacking(found, missing, _is_closed(found), found.means(wanted))


def _is_closed(store: DerivedStore) -> bool:
    """Return whether there are rows of an earlier rebuild that cannot be added to."""
    closed = store.record is not None and not writable(store.lake.root / REBUILDS)
    return closed and store.lake.version is None


def rebuilt_underlyings(lake: Lake) -> list[str]:
    """Return the underlyings of which anything was rebuilt, sorted."""
    return table_files(lake.root, lake.at(), REBUILDS).underlyings()


def stores_of(
    lake: Lake | Path, underlying: str, definitions: Collection[str] | None = None
) -> list[DerivedStore]:
    """Return everything that was rebuilt of an underlying: a store for each set of inputs.

    Parameters
    ----------
    lake : Lake or Path
    underlying : str
    definitions : collection of str, optional
        Ids; records of others are not read.

    Returns
    -------
    list of DerivedStore

    Raises
    ------
    LakeError
        If a record cannot be read.
    """
    opened = lake if isinstance(lake, Lake) else Lake(lake)
    mine = table_files(opened.root, opened.at(), REBUILDS).of(underlying)
    if definitions is not None:
        meant = tuple(f"{name}-" for name in definitions)
        mine = [f for f in mine if f.tags["store"].startswith(meant)]
    found = [read_store(opened, f) for f in sorted(mine, key=lambda f: f.tags["store"])]
    return [own for store in found for own in store.by_variant()]
