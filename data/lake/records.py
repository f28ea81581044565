"""What the lake holds of an underlying, as rows of the tables `sessions` and `sources`."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import replace
from datetime import date
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Any, Final

from ..base.errors import LakeError
from ..calendar.day_numbers import from_days
from .arrow_tables import array_of
from .data_files import file_bytes, rows_in, write_file
from .delta_log import DataFile, TableShape
from .manifest import Manifest, SessionEntry, SourceEntry
from .session_facts import SessionFacts
from .versions import Change, Version, newest, table_files

if TYPE_CHECKING:
    from pathlib import Path

    import pyarrow as pa

__all__ = [
    "CHAINS",
    "SESSIONS",
    "SOURCES",
    "manifest_at",
    "read_record",
    "record_changes",
    "record_of",
    "underlyings_at",
]

SESSIONS: Final = "sessions"
SOURCES: Final = "sources"
CHAINS: Final = "chains"
#: A part lies in the folder of its year; any other name could lead elsewhere.
_PART: Final = re.compile(
    r"underlying=[A-Za-z0-9^$._%-]+/year=\d{4}/\d{8}-\d{8}-(?:v\d+-)?[0-9a-f]{12}\.parquet"
)
_RECORD: Final = re.compile(r"/sessions-v(\d+)-[0-9a-f]+\.parquet$")
_SOURCES_KEY: Final = b"gexlab.sources"
_REMEDY: Final = "restore it from a copy, or ingest again into a fresh lake"


def underlyings_at(root: Path, version: Version) -> list[str]:
    """Return the underlyings that have sessions at a version, sorted."""
    files = table_files(root, version, SESSIONS).values()
    return sorted(f.partition["underlying"] for f in files if f.rows)


def record_of(root: Path, underlying: str, version: Version) -> DataFile | None:
    """Return the file of an underlying's sessions at a version, None where it has none.

    Raises
    ------
    LakeError
        If the log names several.
    """
    found = table_files(root, version, SESSIONS).of(underlying)
    if len(found) > 1:
        raise LakeError(f"{root / SESSIONS}: two records of {underlying}: {_REMEDY}")
    return found[0] if found else None


def manifest_at(root: Path, underlying: str, version: Version | None = None) -> Manifest:
    """Return what the lake holds of an underlying at a version (None: the newest).

    Raises
    ------
    LakeError
        If a record cannot be read, or is not what was written.
    """
    record = record_of(root, underlying, newest(root) if version is None else version)
    return Manifest(underlying) if record is None else read_record(root, underlying, record)


def read_record(root: Path, underlying: str, record: DataFile) -> Manifest:
    """Return what a file of the table `sessions` says, with the sources that belong to it."""
    content = file_bytes(root, SESSIONS, record, _REMEDY)
    try:
        sessions, stated = _recorded(content, root / CHAINS)
        said = json.loads(stated)
        if said["underlying"] != underlying:
            raise ValueError(f"it is that of {said['underlying']}")
        kept = DataFile(said["path"], said["size"], said["rows"], said["digest"], {})
        if ".." in kept.path.split("/"):
            raise ValueError(f"{kept.path!r} lies outside")
        sources = _sources(file_bytes(root, SOURCES, kept, _REMEDY))
        return Manifest(underlying, sessions, sources, _written_for(record))
    except (ValueError, KeyError, TypeError, OSError) as error:
        raise LakeError(f"{root / SESSIONS / record.path}: not a record ({error})") from error


@lru_cache(maxsize=4)
def _recorded(content: bytes, chains: Path) -> tuple[tuple[SessionEntry, ...], bytes]:
    """Return the sessions that a record's bytes state, and what they say of their sources."""
    rows = rows_in(content)
    return _sessions(rows, chains), rows.schema.metadata[_SOURCES_KEY]


@lru_cache(maxsize=4)
def _sources(content: bytes) -> tuple[SourceEntry, ...]:
    return tuple(SourceEntry(**_plain(row)) for row in rows_in(content).to_pylist())


def _written_for(record: DataFile) -> int | None:
    """Return the version of the lake that first held what a record says of sessions and sources.

    A compaction writes a record anew and changes nothing of it.
    """
    found = record.tags.get("written") or _RECORD.search(record.path)
    return None if found is None else int(found if isinstance(found, str) else found[1])


def _content(manifest: Manifest) -> str:
    """Return a digest of what a record says, wherever sessions lie and files were found."""
    sources = [replace(source, paths=()) for source in manifest.sources]
    digest = hashlib.sha256(repr(sources).encode())
    text = (f"{e.session}|{e.fingerprint}|{e.sources}|{e.facts}" for e in manifest.sessions)
    digest.update("".join(text).encode())
    return digest.hexdigest()[:16]


def _plain(row: dict[str, Any]) -> dict[str, Any]:
    return {k: v for k, v in row.items() if k != "underlying"} | {"paths": tuple(row["paths"])}


def _sessions(rows: Any, chains: Path) -> tuple[SessionEntry, ...]:
    columns = [
        _days(rows.column(f.name))
        if str(rows.column(f.name).type) == "date32[day]"
        else rows.column(f.name).to_pylist()
        for f in list(_session_schema())[1:]
    ]
    # few files hold many sessions, and a path takes longer to make than the rest of an entry
    paths = {name: chains / name for name in dict.fromkeys(columns[3])}
    strange = next((name for name in paths if not _PART.fullmatch(name)), None)
    if strange is not None:
        raise ValueError(f"{strange!r} is no name of a part")
    return tuple(
        SessionEntry(day, n, mark, paths[name], tuple(said), SessionFacts(size, kind, asof))
        for day, n, mark, name, said, size, kind, asof in zip(*columns, strict=True)
    )


def _days(column: pa.ChunkedArray) -> list[date | None]:
    """Return the dates of a column, as `to_pylist` does, which takes four times as long."""
    import pyarrow as pa

    # a view: a cast would load Arrow's functions, which readers have no other need of
    days = (day for chunk in column.chunks for day in chunk.view(pa.int32()).to_pylist())
    return [None if day is None else from_days(day) for day in days]


def record_changes(
    root: Path,
    version: Version,
    before: DataFile | None,
    after: Manifest,
    *,
    held: Manifest | None = None,
) -> list[Change]:
    """Write the record of an underlying anew, and return what a commit then does to its tables.

    Parameters
    ----------
    root : Path
    version : Version
        After which it is to be committed.
    before : DataFile or None
        The record that it replaces.
    after : Manifest
    held : Manifest, optional
        What that record says, where it was read: sources that stay are not written again.
    """
    import pyarrow as pa

    part, number = {"underlying": after.underlying}, f"v{version.number + 1}"
    last = None if before is None else before.tags["sources"]
    sources = None
    if last is not None and held is not None and held.sources == after.sources:
        sources = table_files(root, version, SOURCES).get(last)
    if sources is None:
        sources = write_file(root, SOURCES, part, f"sources-{number}", _source_rows(after))
    schema = _session_schema()
    said = json.dumps({"underlying": after.underlying, "path": sources.path, "size": sources.size,
                       "rows": sources.rows, "digest": sources.digest})  # fmt: skip
    # few files hold many sessions
    files = dict.fromkeys(e.file for e in after.sessions)
    names = {file: file.relative_to(root / CHAINS).as_posix() for file in files}
    columns = [
        [after.underlying] * len(after.sessions),
        [e.session for e in after.sessions],
        [e.rows for e in after.sessions],
        [e.fingerprint for e in after.sessions],
        [names[e.file] for e in after.sessions],
        [e.sources for e in after.sessions],
        [e.facts.multiplier for e in after.sessions],
        [e.facts.settlement for e in after.sessions],
        [e.facts.oi_asof for e in after.sessions],
    ]
    arrays = [array_of(each, f.type) for each, f in zip(columns, schema, strict=True)]
    rows = pa.Table.from_arrays(arrays, schema=schema.with_metadata({_SOURCES_KEY: said.encode()}))
    tags = {"sources": sources.path, "content": _content(after), "written": number[1:]}
    if before is not None and before.tags.get("content") == tags["content"]:
        tags["written"] = before.tags["written"]
    sessions = write_file(root, SESSIONS, part, f"sessions-{number}", rows, tags)
    by = ("underlying",)
    changes = []
    if before is None or before.path != sessions.path:
        gone = () if before is None else (before.path,)
        changes.append(Change(SESSIONS, TableShape(schema, by), (sessions,), gone))
    if last != sources.path:
        gone = () if last is None else (last,)
        changes.append(Change(SOURCES, TableShape(_source_schema(), by), (sources,), gone))
    return changes


def _source_rows(manifest: Manifest) -> Any:
    import pyarrow as pa

    schema, sources = _source_schema(), manifest.sources
    columns = {f.name: [getattr(s, f.name, manifest.underlying) for s in sources] for f in schema}
    arrays = [array_of(columns[f.name], f.type) for f in schema]
    return pa.Table.from_arrays(arrays, schema=schema)


@cache
def _session_schema() -> Any:
    import pyarrow as pa

    return pa.schema(
        [
            ("underlying", pa.string()),
            ("session", pa.date32()),
            ("rows", pa.int64()),
            ("fingerprint", pa.string()),
            ("file", pa.string()),
            ("sources", pa.list_(pa.string())),
            ("multiplier", pa.float64()),
            ("settlement", pa.string()),
            ("oi_asof", pa.date32()),
        ]
    )


@cache
def _source_schema() -> Any:
    import pyarrow as pa

    return pa.schema(
        [
            ("underlying", pa.string()),
            ("source", pa.string()),
            ("recipe", pa.string()),
            ("paths", pa.list_(pa.string())),
            ("calendar", pa.string()),
            ("last_is_settlement", pa.bool_()),
            ("monthly", pa.string()),
            ("currency", pa.string()),
            ("instrument", pa.string()),
            ("spot", pa.string()),
        ]
    )
