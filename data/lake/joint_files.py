"""Files of rebuilt tables that parts share: after a compaction one for each underlying and year.

A part keeps row groups of its own there, and a digest of them: who reads one book, definition or
dealer model reads and compares nothing of the others. Rebuilds never write to such a file.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from itertools import groupby
from typing import TYPE_CHECKING

import numpy as np

from .data_files import Draft, partition_folder, write_groups
from .delta_log import TableShape
from .derived_parts import Part, Place
from .derived_records import read_store
from .derived_tables import REBUILDS, TABLES, DerivedStore, spans_of
from .derived_writer import BY, record_change
from .integrity import digest_of_parts
from .joint_commit import by_table
from .shared_places import places_in
from .storage import fetched
from .versions import Change, commit, newest, table_files

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    import pyarrow as pa

    from .delta_log import DataFile
    from .lake import Lake
    from .versions import Version

__all__ = ["join_rebuilt"]


@dataclass(frozen=True, slots=True)
class _Pile:
    """Parts of a store that become one: of one book, year and set of tables, no session twice."""

    store: DerivedStore
    parts: tuple[Part, ...]
    schemas: tuple[pa.Schema, ...]

    @property
    def whole(self) -> Part:
        """The part that they become."""
        marks = {day: mark for part in self.parts for day, mark in part.sessions.items()}
        first = self.parts[0]
        return Part.of(first.book, dict(sorted(marks.items())), first.tables)

    def schema(self, table: str) -> pa.Schema | None:
        """Return the columns of a table; None where it has no such table."""
        tables = self.parts[0].tables
        return self.schemas[tables.index(table)] if table in tables else None


def join_rebuilt(lake: Lake, underlying: str) -> None:
    """Join the rebuilt rows of an underlying: of each table and year in one file, where none is.

    Files whose columns differ, as those of another version of gexlab may, stay apart.

    Raises
    ------
    TakenError
        If others committed meanwhile.
    MissingPartError
        If a file is not what was written.
    """
    version = newest(lake.root)
    records = table_files(lake.root, version, REBUILDS).of(underlying)
    stores = [read_store(lake, record) for record in sorted(records, key=lambda r: r.tags["store"])]
    piles = [pile for year in _scattered(stores) for pile in _piles(stores, year)]
    years = {pile.parts[0].year for pile in piles}
    if not years:
        return
    joined: list[tuple[_Pile, Part]] = []
    added: dict[str, list[DataFile]] = {}
    for _, of_year in groupby(piles, key=lambda pile: pile.parts[0].year):
        made, files = _shared(lake.root, version.number + 1, list(of_year))
        joined += made
        for table, file in files:
            added.setdefault(table, []).append(file)
    changes = _table_changes(lake.root, version, underlying, years, added)
    for store in stores:
        kept = [part for part in store.parts if part.year not in years]
        fresh = [part for pile, part in joined if pile.store is store]
        if fresh:
            after = replace(store, parts=(*kept, *fresh))
            changes.append(record_change(store, version, after))
    commit(
        lake.root, version, by_table(changes), operation="compact",
        underlying=underlying, sessions=0,
    )  # fmt: skip


def _scattered(stores: Iterable[DerivedStore]) -> list[str]:
    """Return the years in which some table has several files that can be joined."""
    files: dict[tuple[str, str], set[Path]] = {}
    for store in stores:
        for part in store.parts:
            for table in part.tables:
                files.setdefault((part.year, table), set()).add(store.file(table, part))
    return sorted({year for (year, _), paths in files.items() if _alike(paths)})


def _alike(paths: set[Path]) -> bool:
    """Return whether two of some files have the same columns."""
    import pyarrow as pa

    known: list[pa.Schema] = []
    for path in sorted(paths) if len(paths) > 1 else ():
        try:
            fetched(path)
            schema = _schema_of(path)
        except (OSError, pa.ArrowInvalid):
            return True  # what is wrong with it is said when it is compared
        if any(schema.equals(other) for other in known):
            return True
        known.append(schema)
    return False


def _schema_of(path: Path) -> pa.Schema:
    """Return the columns of a file, whether or not it says of some that nothing is missing."""
    import pyarrow.parquet as pq

    return _plain(pq.read_schema(path))


def _plain(schema: pa.Schema) -> pa.Schema:
    import pyarrow as pa

    return pa.schema([field.with_nullable(True) for field in schema])


def _piles(stores: Iterable[DerivedStore], year: str) -> Iterator[_Pile]:
    """Yield the parts of a year as they are joined, in the order of the rows."""
    for store in stores:
        groups: dict[tuple[str, tuple[str, ...]], list[tuple[Part, tuple[pa.Schema, ...]]]] = {}
        for part in sorted(store.parts, key=lambda part: part.name):
            if part.year == year:
                for table in part.tables:
                    replace(store, parts=(part,)).pieces(table)  # compared with its digest
                schemas = tuple(_schema_of(store.file(table, part)) for table in part.tables)
                groups.setdefault((part.book, part.tables), []).append((part, schemas))
        for _, found in sorted(groups.items()):
            yield from _without_overlap(store, found)


def _without_overlap(
    store: DerivedStore, parts: list[tuple[Part, tuple[pa.Schema, ...]]]
) -> Iterator[_Pile]:
    """Yield parts in as few piles as they come to, none with a session twice.

    Rows of one session that were computed from different inputs stay apart.
    """
    piles: list[tuple[set[str], list[Part], tuple[pa.Schema, ...]]] = []
    for part, schemas in parts:
        for days, pile, own in piles:
            if days.isdisjoint(part.sessions) and own == schemas:
                days.update(part.sessions)
                pile.append(part)
                break
        else:
            piles.append((set(part.sessions), [part], schemas))
    for _, pile, own in piles:
        yield _Pile(store, tuple(pile), own)


def _shared(
    root: Path, number: int, piles: list[_Pile]
) -> tuple[list[tuple[_Pile, Part]], list[tuple[str, DataFile]]]:
    """Write the shared files of a year; return the parts that lie in them, and the files."""
    parts = [replace(pile.whole, version=number) for pile in piles]
    files: list[tuple[str, DataFile]] = []
    for table in TABLES:
        groups: list[tuple[pa.Schema, list[int]]] = []
        for i, pile in enumerate(piles):
            schema = pile.schema(table)
            if schema is None:
                continue
            found = next((own for known, own in groups if known.equals(schema)), None)
            if found is None:
                groups.append((schema, [i]))
            else:
                found.append(i)
        for schema, chosen in groups:
            file, places = _shared_file(root, table, number, schema, [piles[i] for i in chosen])
            files.append((table, file))
            path = root / table / file.path
            for i, place in zip(chosen, places, strict=True):
                digest = digest_of_parts(path, spans_of(place, file.size))
                parts[i] = replace(
                    parts[i],
                    digests=parts[i].digests | {table: digest},
                    places=parts[i].places | {table: place},
                )
    return list(zip(piles, parts, strict=True)), files


def _shared_file(
    root: Path, table: str, number: int, schema: pa.Schema, piles: list[_Pile]
) -> tuple[DataFile, list[Place]]:
    partition = piles[0].store.partition(piles[0].parts[0])
    draft = Draft(table, partition, f"joint-v{number}", schema.empty_table())
    file, counts = write_groups(root, draft, schema, (_rows(pile, table) for pile in piles))
    name = file.path.removeprefix(partition_folder(partition))
    return file, places_in(root / table / file.path, name, counts)


def _rows(pile: _Pile, table: str) -> pa.Table:
    """Return the rows of a pile that count, by session, each in its own order."""
    import pyarrow as pa
    import pyarrow.compute as pc

    pieces = []
    for part in pile.parts:
        rows = _rows_of(pile.store, table, part)
        days = pa.array([date.fromisoformat(day) for day in part.sessions], pa.date32())
        pieces.append(rows.filter(pc.is_in(rows.column("session"), value_set=days)))
    joined = pa.concat_tables(pieces)
    # stable: rows of a session stay in their order
    order = np.argsort(joined.column("session").to_numpy(), kind="stable")
    return joined.take(pa.array(order))


def _rows_of(store: DerivedStore, table: str, part: Part) -> pa.Table:
    import pyarrow as pa
    import pyarrow.parquet as pq

    path, own = store.file(table, part), part.groups(table)
    fetched(path)
    with pq.ParquetFile(path) as file:
        rows = file.read() if own is None else file.read_row_groups(own)
    return pa.Table.from_arrays(rows.columns, schema=_plain(rows.schema))


def _table_changes(
    root: Path, version: Version, underlying: str, years: set[str], added: dict[str, list[DataFile]]
) -> list[Change]:
    """Return what a commit does to the tables: all files of the years give way to the new ones."""
    import pyarrow as pa

    changes = []
    for table in TABLES:
        files = table_files(root, version, table).of(underlying)
        gone = tuple(sorted(f.path for f in files if f.partition["year"] in years))
        fresh = tuple(added.get(table, ()))
        if gone or fresh:
            changes.append(Change(table, TableShape(pa.schema([]), BY), fresh, gone))
    return changes
