"""Adding to the rebuilt tables of a lake: one writer at a time, parts that count all at once."""

from __future__ import annotations

import json
import os
import shutil
from contextlib import contextmanager, suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from ..base.errors import LakeError
from .derived_parts import Marks, Part, Variant
from .derived_tables import FORMAT, MANIFEST, TABLES, DerivedStore
from .integrity import digest_of
from .locks import write_lock
from .sealed import sealed

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator
    from pathlib import Path

    import pyarrow as pa

__all__ = ["commit_parts", "right_to_rebuild", "write_parts"]

#: How long a rebuild waits for another one of the same store.
_LONGEST_WAIT_SECONDS: Final = 600.0


@contextmanager
def right_to_rebuild(store: DerivedStore) -> Iterator[DerivedStore]:
    """Hold the only right to rebuild, and give the store as the one before left it.

    Yields
    ------
    DerivedStore
        As it is on disk, without parts of which a file is gone.

    Raises
    ------
    LakeLockedError
        If another rebuild of this store takes more than ten minutes.
    """
    manifest = store.folder / MANIFEST
    try:
        store.folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise LakeError(
            f"{store.folder} cannot be made ({error.strerror}): rebuild as a user who may write "
            "to the lake, or work on a copy of it"
        ) from error
    try:
        with write_lock(store.folder, patience=_LONGEST_WAIT_SECONDS):
            yield store.current().intact()
    finally:
        if not manifest.is_file():  # a first rebuild that failed leaves nothing
            _remove(store.folder)


def write_parts(
    store: DerivedStore, contents: Iterable[tuple[str, dict[str, str], dict[str, pa.Table]]]
) -> tuple[Part, ...]:
    """Write parts and return them; they count once `commit_parts` names them.

    Parameters
    ----------
    contents : iterable of tuple
        Book, ISO session to mark, and table to rows, of each part.

    Returns
    -------
    tuple of Part
        In the order of `contents`.
    """
    parts = []
    for book, marks, tables in contents:
        part = Part.of(book, marks, tables)
        parts.append(replace(part, digests=_write_part(store, part.name, tables)))
    return tuple(parts)


def _write_part(store: DerivedStore, name: str, tables: dict[str, pa.Table]) -> dict[str, str]:
    """Write the Parquet files of one part; they count only once `commit_parts` names the part.

    Returned is the digest of each table's file.

    Parameters
    ----------
    name : str
        File name without its ending.
    tables : dict of str to Table
        Table to rows.
    """
    import pyarrow.parquet as pq

    digests = {}
    for table, rows in tables.items():
        folder = store.folder / table
        folder.mkdir(parents=True, exist_ok=True)
        target = folder / f"{name}.parquet"
        half = folder / f".{name}.{os.getpid()}.half"
        with half.open("wb") as file:
            pq.write_table(rows, file, compression="zstd", row_group_size=262_144)
            file.flush()
            os.fsync(file.fileno())  # a manifest on disk must not name what is not
        half.replace(target)
        digests[table] = digest_of(target)
    return digests


def commit_parts(store: DerivedStore, parts: tuple[Part, ...], marks: Marks) -> DerivedStore:
    """Make new parts valid, and `marks` what the store's inputs mean, in one step.

    Returned is the store with the rows of `marks` alone.
    Rows that no inputs mean any more are dropped, and those of sessions that the lake no
    longer holds; files of no part are deleted afterwards.

    Parameters
    ----------
    parts : tuple of Part
        Written already.
    marks : mapping
        Book to ISO session to mark.

    Returns
    -------
    DerivedStore
        With the rows of `marks` alone.
    """
    stored = set().union(*marks.values())
    variants = tuple(v for v in _variants_with(store, marks, stored) if any(v.marks.values()))
    meant = {
        (book, day, mark)
        for variant in variants
        for book, days in variant.marks.items()
        for day, mark in days.items()
    }
    kept: list[Part] = []
    for part in (*store.parts, *parts):
        fresh = part.only(_among(meant))
        meant -= {(part.book, day, mark) for day, mark in fresh.sessions.items()}
        if fresh.sessions:
            kept.append(fresh)
    renewed = replace(store, parts=tuple(kept), variants=variants)
    _save(renewed)
    _sweep(renewed)
    return renewed.only(marks)


def _variants_with(store: DerivedStore, marks: Marks, stored: Collection[str]) -> Iterator[Variant]:
    """Yield all variants, the one of the store's inputs with new marks, of stored sessions."""
    own: Marks = {}
    for variant in store.variants:
        kept = {
            book: {day: mark for day, mark in days.items() if day in stored}
            for book, days in variant.marks.items()
        }
        if variant.inputs == store.inputs:
            own = kept
        else:
            yield replace(variant, marks=kept)
    yield Variant(store.inputs, store.definition, {**own, **marks})


def _save(store: DerivedStore) -> None:
    store.folder.mkdir(parents=True, exist_ok=True)
    content = {
        "format": FORMAT,
        "definition": store.definition,
        "dealer_model": store.dealer_model,
        "parts": [_fields(part) for part in store.parts],
        "variants": [_fields(variant) for variant in store.variants],
    }
    half = store.folder / f".{MANIFEST}.{os.getpid()}.half"
    with half.open("w", encoding="utf-8") as file:
        file.write(sealed(json.dumps(content)))
        file.flush()
        os.fsync(file.fileno())
    half.replace(store.folder / MANIFEST)


def _fields(value: Part | Variant) -> dict[str, Any]:
    """Return the fields as they are: `asdict` would copy every mark of every session."""
    return {name: getattr(value, name) for name in value.__slots__}


def _sweep(store: DerivedStore) -> None:
    """Remove files of no part: replaced ones, and what a killed rebuild left."""
    names = {f"{part.name}.parquet" for part in store.parts}
    for table in TABLES:
        folder = store.folder / table
        for path in folder.glob("*"):
            if path.name not in names:
                path.unlink(missing_ok=True)
        with suppress(OSError):  # no part has the table
            folder.rmdir()


def _among(rows: Collection[tuple[str, str, str]]) -> Callable[[str, str, str], bool]:
    return lambda book, day, mark: (book, day, mark) in rows


def _remove(store: Path) -> None:
    """Remove a store without a manifest, and the folders above it that are then empty."""
    shutil.rmtree(store, ignore_errors=True)
    with suppress(OSError):
        for above in store.parents[:3]:  # of the definition, the underlying, all that is rebuilt
            above.rmdir()
