"""Adding to the rebuilt tables of a lake: parts that count all at once, whoever else rebuilds."""

from __future__ import annotations

import json
import time
from dataclasses import astuple, dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final

import pyarrow as pa

from ..base.errors import LakeError
from .arrow_tables import PlainTable, as_table, table_of
from .data_files import ROWS_OF_GROUP, SMALL, Draft, write_file, write_files
from .delta_log import DataFile, TableShape
from .derived_parts import Marks, Part, Variant
from .derived_records import SHARED, left_behind, read_store, store_record, stored
from .derived_tables import REBUILDS, TABLES, DerivedStore
from .joint_commit import by_table
from .records import read_record, record_of
from .storage import TakenError, at_once
from .versions import ATTEMPTS, Change, Version, commit, newest, table_files

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence

__all__ = [
    "BY",
    "Contents",
    "Uncommitted",
    "WrittenPart",
    "commit_parts",
    "commit_stores",
    "record_change",
    "store_changes",
    "write_parts",
]
#: What the folders of rebuilt tables are named by.
BY: Final = ("underlying", "year")
_RECORD: Final = pa.schema(
    [
        (name, pa.string())
        for name in (
            "underlying", "definition_id", "dealer_model", "definition", "parts", "variants",
        )
    ]
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Contents:
    """Rows of some sessions, of one book or of several.

    Attributes
    ----------
    books : tuple of str
    sessions : dict of str to str
        ISO session to the mark of what it was computed from.
    tables : mapping of str to Table or PlainTable
        The rows of the first book, then those of the next one.
    counts : mapping of str to tuple of int
        Table to the rows of each book; may be left out of one book.
    """

    books: tuple[str, ...]
    sessions: dict[str, str]
    tables: Mapping[str, pa.Table | PlainTable]
    counts: Mapping[str, tuple[int, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class WrittenPart:
    """A part whose files are on disk.

    Attributes
    ----------
    part : Part
    files : dict of str to DataFile
        By table.
    schemas : dict of str to Schema
        By table.
    """

    part: Part
    files: dict[str, DataFile]
    schemas: dict[str, pa.Schema]


@dataclass(frozen=True, slots=True)
class Uncommitted:
    """What was computed for a store: on disk, and without effect until it is committed.

    Attributes
    ----------
    store : DerivedStore
    written : tuple of WrittenPart
    marks : mapping
        Book to ISO session to mark: what the store's inputs mean from now on.
    chains : str
        Mark (`Lake.written`) of the state of the chains of which `marks` are.
    """

    store: DerivedStore
    written: tuple[WrittenPart, ...]
    marks: Marks
    chains: str = ""

    @property
    def files(self) -> int:
        """How many files were written."""
        return sum(len(part.files) for part in self.written)

    @property
    def sessions(self) -> int:
        """How many sessions were computed."""
        return len({day for part in self.written for day in part.part.sessions})


def write_parts(store: DerivedStore, contents: Iterable[Contents]) -> tuple[WrittenPart, ...]:
    """Write parts and return them; they count once `commit_parts` names them.

    Each book of the contents is one part for each year. Where a year is small, the parts of its
    books share their files, a row group each: to make a file takes longer than to fill it.

    Returns
    -------
    tuple of WrittenPart
        In the order of `contents`.
    """
    number = newest(store.lake.root).number + 1
    root = store.lake.root if store.scratch is None else store.scratch.path
    made = [(_new_parts(store, number, each), each) for whole in contents for each in _cut(whole)]
    drafts = [
        Draft(
            table,
            store.partition(parts[0]),
            f"{store.stem}-{parts[0].name}-v{parts[0].version}",
            rows,
            groups=each.counts.get(table, ()),
        )
        for parts, each in made
        for table, rows in each.tables.items()
    ]
    files = iter(write_files(root, drafts))  # all at once: what waits for a disk waits together
    return tuple(w for parts, each in made for w in _written(parts, each.tables, files))


def _cut(whole: Contents) -> Iterator[Contents]:
    """Yield the contents of files: of one year, and of several books where they are small."""
    tables = {name: as_table(rows) for name, rows in whole.tables.items()}
    years = sorted({day[:4] for day in whole.sessions})
    if len(years) == 1 and (len(whole.books) == 1 or _are_small(tables.values())):
        yield replace(whole, tables=tables)
        return
    for i, book in enumerate(whole.books):
        own = tables
        if len(whole.books) > 1:
            own = {name: _of_book(rows, whole.counts[name], i) for name, rows in tables.items()}
        for year in years:
            days = {day: mark for day, mark in whole.sessions.items() if day[:4] == year}
            if len(years) > 1:
                own = {name: _of_year(rows, int(year)) for name, rows in own.items()}
            yield Contents((book,), days, own)


def _are_small(tables: Iterable[pa.Table]) -> bool:
    """Return whether rows are so few that each book's are one row group, made in memory."""
    return all(
        rows.num_rows <= ROWS_OF_GROUP and rows.get_total_buffer_size() <= SMALL for rows in tables
    )


def _of_book(rows: pa.Table, counts: tuple[int, ...], place: int) -> pa.Table:
    return rows.slice(sum(counts[:place]), counts[place])


def _of_year(rows: pa.Table, year: int) -> pa.Table:
    import pyarrow.compute as pc

    return rows.filter(pc.equal(pc.year(rows.column("session")), year))


def _new_parts(store: DerivedStore, number: int, contents: Contents) -> list[Part]:
    """Return the parts whose rows some contents are, without the digests of their files."""
    shared = len(contents.books) > 1
    parts = [
        Part.of(book, contents.sessions, contents.tables, i if shared else None)
        for i, book in enumerate(contents.books)
    ]
    # what was lost comes back where it lay
    number = next((lost.version for lost in store.lost if lost.name == parts[0].name), number)
    return [replace(part, version=number) for part in parts]


def _written(
    parts: list[Part], tables: Mapping[str, pa.Table], files: Iterator[DataFile]
) -> list[WrittenPart]:
    own = {table: next(files) for table in tables}
    digests = {table: file.digest for table, file in own.items()}
    schemas = {table: rows.schema for table, rows in tables.items()}
    return [WrittenPart(replace(part, digests=digests), own, schemas) for part in parts]


def commit_parts(
    store: DerivedStore, written: Sequence[WrittenPart], marks: Marks, chains: str = ""
) -> DerivedStore:
    """Make new parts valid, and `marks` what the store's inputs mean, in one step.

    Returned is the store with the rows of `marks` alone.
    Rows that no inputs mean any more are dropped, and those of sessions that the lake no
    longer holds; their files stay on disk for the versions before.

    Parameters
    ----------
    written : sequence of WrittenPart
    marks : mapping
        Book to ISO session to mark.
    chains : str
        Mark (`Lake.written`) of the state of the chains of which `marks` are.

    Returns
    -------
    DerivedStore
        With the rows of `marks` alone.

    Raises
    ------
    LakeError
        If others commit without a pause.
    """
    [done] = commit_stores([Uncommitted(store, tuple(written), marks, chains)])
    return done


def commit_stores(pending: Sequence[Uncommitted]) -> list[DerivedStore]:
    """Commit what was computed for several stores of a lake in one version: all of it or nothing.

    Parameters
    ----------
    pending : sequence of Uncommitted
        Of one lake, no store twice; the past is not written to.

    Returns
    -------
    list of DerivedStore
        Each with the rows of its marks alone; see `commit_parts`.

    Raises
    ------
    LakeError
        If others commit without a pause.
    """
    if not pending:
        return []
    root = pending[0].store.lake.root
    if pending[0].store.lake.version is not None:
        return [_in_the_past(each) for each in pending]
    last: Sequence[_Prepared | None] = [None] * len(pending)
    for attempt in range(ATTEMPTS):
        version = newest(root)
        told = [(*pair, version) for pair in zip(pending, last, strict=True)]
        made = at_once(lambda given: _prepared(*given), told)
        last = made
        changed = [i for i, each in enumerate(made) if each.changes]
        try:
            if changed:
                commit(
                    root, version, _together(version, pending, made),
                    operation="rebuild",
                    underlying=",".join(dict.fromkeys(
                        pending[i].store.underlying for i in changed)),
                    sessions=sum(pending[i].sessions for i in changed),
                )  # fmt: skip
        except TakenError:
            time.sleep(min(0.002 * attempt, 0.05))
        else:
            return [m.after.only(p.marks) for m, p in zip(made, pending, strict=True)]
    raise LakeError(f"the lake {root} is written to without a pause: try again")


@dataclass(frozen=True, slots=True)
class _Prepared:
    """What a commit does for one store, and of which state of it that is worked out."""

    record: str | None
    held: frozenset[str]
    after: DerivedStore
    changes: tuple[Change, ...]


def _prepared(pending: Uncommitted, last: _Prepared | None, version: Version) -> _Prepared:
    """Return what a commit does for a store; what was worked out `last` where that still holds."""
    store = pending.store
    record = store_record(store, version)
    held = frozenset(_days_held(store, version, pending.chains))
    path = None if record is None else record.path
    if last is not None and (last.record, last.held) == (path, held):
        return last
    there = stored(store, record)
    after = _renewed(there, [w.part for w in pending.written], pending.marks, held)
    changes = store_changes(there, version, after, pending.written)
    return _Prepared(path, held, after, tuple(changes))


def _together(
    version: Version, pending: Sequence[Uncommitted], made: Sequence[_Prepared]
) -> list[Change]:
    """Return what a commit does for several stores; files in which rows of others lie stay."""
    changes = by_table(change for each in made for change in each.changes)
    shared = {
        (change.table, path)
        for change in changes
        for path in change.remove
        if SHARED.fullmatch(path.rpartition("/")[2])
    }
    if not shared:
        return changes
    needed = set().union(*(_paths(each.after) for each in made))
    lake, own = pending[0].store.lake, {each.record for each in made}
    records = table_files(lake.root, version, REBUILDS)
    for name in sorted({each.store.underlying for each in pending}):
        for record in records.of(name):
            if record.path in own:
                continue
            try:
                needed |= _paths(read_store(lake, record))
            except LakeError:  # nobody knows which of them it needs
                needed |= shared
    return [
        replace(c, remove=tuple(path for path in c.remove if (c.table, path) not in needed))
        for c in changes
    ]


def _in_the_past(pending: Uncommitted) -> DerivedStore:
    store = pending.store
    days = {str(e.session) for e in store.lake.manifest(store.underlying).sessions}
    parts = [w.part for w in pending.written]
    return _renewed(store, parts, pending.marks, days).only(pending.marks)


def _days_held(store: DerivedStore, version: Version, chains: str) -> set[str]:
    """Return the sessions of chains at a version, where these are others than the marks' own."""
    root, name = store.lake.root, store.underlying
    record = record_of(root, name, version)
    if record is None or record.digest == chains:
        return set()
    return {str(entry.session) for entry in read_record(root, name, record).sessions}


def _renewed(
    there: DerivedStore, parts: Sequence[Part], marks: Marks, held: Collection[str]
) -> DerivedStore:
    """Return a store with further parts, without what nobody means any more."""
    stored = set().union(held, *marks.values())
    variants = tuple(v for v in _variants_with(there, marks, stored) if any(v.marks.values()))
    meant = {
        (book, day, mark)
        for variant in variants
        for book, days in variant.marks.items()
        for day, mark in days.items()
    }
    kept: list[Part] = []
    for part in (*there.intact().parts, *parts):
        fresh = part.only(_among(meant))
        meant -= {(part.book, day, mark) for day, mark in fresh.sessions.items()}
        if fresh.sessions:
            kept.append(fresh)
    return replace(there, parts=tuple(kept), variants=variants)


def store_changes(
    there: DerivedStore, version: Version, renewed: DerivedStore, written: Sequence[WrittenPart]
) -> list[Change]:
    """Write the record anew, and return what a commit then does to the tables."""
    if there.record is not None and (there.parts, there.variants) == (
        renewed.parts,
        renewed.variants,
    ):
        return []
    record = record_change(there, version, renewed)
    files = {(t, f.path): f for w in written for t, f in w.files.items()}
    old, new = _paths(there) or left_behind(there, version), _paths(renewed)
    schemas = {t: s for w in written for t, s in w.schemas.items()}
    changes = []
    for table in TABLES:
        add = tuple(files[key] for key in sorted(new - old) if key[0] == table)
        gone = tuple(path for name, path in sorted(old - new) if name == table)
        if add or gone:
            shape = TableShape(schemas.get(table, pa.schema([])), BY)
            changes.append(Change(table, shape, add, gone))
    return [*changes, record]


def record_change(there: DerivedStore, version: Version, renewed: DerivedStore) -> Change:
    """Write the record of a store anew, and return what a commit then does to their table."""
    record = _write_record(renewed, version.number + 1)
    gone = () if there.record is None else (there.record,)
    return Change(REBUILDS, TableShape(_RECORD, ("underlying",)), (record,), gone)


def _paths(store: DerivedStore) -> set[tuple[str, str]]:
    return {(table, store.path(table, part)) for part in store.parts for table in part.tables}


def _variants_with(store: DerivedStore, marks: Marks, stored: Collection[str]) -> Iterator[Variant]:
    """Yield all variants, the one of the store's inputs with new marks, of stored sessions."""
    own: dict[str, dict[str, str]] = {}
    for variant in store.variants:
        kept = {
            book: {day: mark for day, mark in days.items() if day in stored}
            for book, days in variant.marks.items()
        }
        if variant.inputs == store.inputs:
            own = kept
        else:
            yield replace(variant, marks=kept)
    # what another rebuild of the same inputs has of later sessions stays
    more = {book: {**own.get(book, {}), **days} for book, days in marks.items()}
    yield Variant(store.inputs, store.definition, {**own, **more})


def _write_record(store: DerivedStore, number: int) -> DataFile:
    row = {
        "underlying": store.underlying,
        "definition_id": store.definition_id,
        "dealer_model": store.dealer_model,
        "definition": json.dumps(store.definition),
        "parts": json.dumps([_fields(part) for part in store.parts]),
        "variants": json.dumps([_fields(variant) for variant in store.variants]),
    }
    rows = table_of({name: [row[name]] for name in _RECORD.names})
    part = {"underlying": store.underlying}
    stem = f"{store.stem}-v{number}"
    return write_file(store.lake.root, REBUILDS, part, stem, rows, {"store": store.stem})


def _fields(value: Part | Variant) -> dict[str, Any]:
    """Return the fields as they are: `asdict` would copy every mark of every session."""
    found = {name: getattr(value, name) for name in value.__slots__}
    places = found.pop("places", None)
    if places:  # earlier versions of gexlab read records without them
        found["places"] = {table: astuple(place) for table, place in places.items()}
    if found.get("group", 0) is None:  # likewise
        del found["group"]
    return found


def _among(rows: Collection[tuple[str, str, str]]) -> Callable[[str, str, str], bool]:
    return lambda book, day, mark: (book, day, mark) in rows
