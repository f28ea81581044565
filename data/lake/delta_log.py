"""The log of one Delta table: what it held at each version, and commits that never overlap.

Version ``n`` is the file ``_delta_log/n.json`` of actions, which whoever comes first may make.
Readers of Delta (polars, Spark, DuckDB) read the tables as they are; see decision 0261 for why the
log is written here and not through a library.
"""

from __future__ import annotations

import hashlib
import json
import re
import time
import uuid
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote, unquote

from ..base.errors import LakeError
from .checkpoints import adds_by_path, checkpoint_file
from .logged_files import DataFile, LoggedFiles, Said, add_in, inside, lines_about, said_of
from .mirror import remote_of
from .storage import TakenError, listed_names, put_all, put_new, read_kept

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    import pyarrow as pa

__all__ = [
    "LOG",
    "START",
    "Checkpoint",
    "DataFile",
    "Step",
    "TableShape",
    "TableVersion",
    "add_action",
    "apply",
    "bring",
    "chained",
    "commit_lines",
    "files_at",
    "files_in",
    "files_of",
    "log_file",
    "log_numbers",
    "table_lines",
]

LOG: Final = "_delta_log"
_NUMBER: Final = re.compile(r"(\d{20})\.json")
#: Commits that are replayed at once, and remembered.
_BLOCK: Final = 64
_ENGINE: Final = "gexlab"
#: Nothing is cleaned up by other programs: every version stays readable until it is vacuumed.
_KEPT: Final = {
    "delta.enableExpiredLogCleanup": "false",
    "delta.logRetentionDuration": "interval 36500 days",
}
_TYPES: Final = {
    "string": "string",
    "double": "double",
    "binary": "binary",
    "bool": "boolean",
    "date32[day]": "date",
    "timestamp[us, tz=UTC]": "timestamp",
    "int8": "byte",
    "int16": "short",
    "int32": "integer",
    "int64": "long",
}


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A checkpoint of a log.

    Attributes
    ----------
    version : int
        Number of the last commit that it holds.
    chain : str
        Digest of the log up to and with it.
    digest : str
        SHA-256 of its own bytes.
    """

    version: int
    chain: str
    digest: str


@dataclass(frozen=True, slots=True)
class TableVersion:
    """A version of one table's log.

    Attributes
    ----------
    version : int
        Number of the last commit.
    chain : str
        Digest of the log up to and with it: one byte changed anywhere changes it.
    checkpoint : Checkpoint or None
        From which it need be read.
    """

    version: int
    chain: str
    checkpoint: Checkpoint | None = None


#: Of a table that has no log yet.
START: Final = TableVersion(-1, "")


@dataclass(frozen=True, slots=True)
class TableShape:
    """Columns of a table, with those that its folders are named by.

    Attributes
    ----------
    schema : pyarrow.Schema
    partition_by : tuple of str
    """

    schema: pa.Schema
    partition_by: tuple[str, ...]


def log_file(folder: Path, version: int) -> Path:
    """Return where a version of a table's log lies."""
    return Path(f"{folder}/{LOG}/{version:020d}.json")  # a third of what joining takes


def log_numbers(folder: Path) -> list[int]:
    """Return the versions of a table's log, ascending; none where it has no log."""
    names = listed_names(folder / LOG)
    found = sorted({int(name[1]) for name in map(_NUMBER.fullmatch, names) if name})
    if found and remote_of(folder) is not None:  # the mirror need not have all
        return list(range(found[-1] + 1))
    return found


def chained(before: str, content: bytes) -> str:
    """Return the digest of a log that goes on with `content`."""
    return hashlib.sha256(before.encode() + content).hexdigest()


@lru_cache(maxsize=256)
def files_at(folder: Path, at: TableVersion) -> LoggedFiles:
    """Return the files of a table at a version, by path.

    Raises
    ------
    LakeError
        If the log is not what was written.
    """
    chain, files = _replayed(folder, at.version, at.checkpoint)
    if chain != at.chain:
        # blocks are remembered by their place, where a copy of the lake may lie by now
        _block.cache_clear()
        chain, files = _replayed(folder, at.version, at.checkpoint)
    if chain != at.chain:
        raise _not_as_written(folder, at)
    return LoggedFiles(files)


def _not_as_written(folder: Path, at: TableVersion) -> LakeError:
    return LakeError(
        f"{folder / LOG}: the log up to version {at.version} is not what was written: restore "
        "it from a copy (gexlab verify --lake says which file)"
    )


def files_of(folder: Path, at: TableVersion, underlying: str) -> LoggedFiles:
    """Return the files of one underlying at a version, without a look at what is said of others.

    For whoever asks for one alone; `files_at` is remembered, and holds them all.

    Raises
    ------
    LakeError
        If the log is not what was written.
    """
    chain: str = ""
    held: dict[str, Said] = {}
    first = 0
    if at.checkpoint is not None and at.checkpoint.version <= at.version:
        chain, whole = _begun(folder, at.checkpoint)
        held = {path: said for path, said in whole.items() if path.startswith(inside(underlying))}
        first = at.checkpoint.version + 1
    chain, held = _played(folder, range(first, at.version + 1), chain, held, underlying)
    if chain != at.chain:
        raise _not_as_written(folder, at)
    return LoggedFiles(held)


def files_in(lines: Iterable[bytes]) -> dict[str, DataFile]:
    """Return the files that the lines of one commit add, by path."""
    files: dict[str, Said] = {}
    apply(b"\n".join(lines), files)
    return {p: said if isinstance(said, DataFile) else said_of(said) for p, said in files.items()}


def _replayed(
    folder: Path, version: int, checkpoint: Checkpoint | None = None
) -> tuple[str, dict[str, Said]]:
    """Return the digest of a log up to a version, and the files that it leaves."""
    if checkpoint is not None and checkpoint.version > version:
        checkpoint = None
    first = 0 if checkpoint is None else checkpoint.version + 1
    whole = (version + 1 - first) // _BLOCK
    chain, held = _block(folder, checkpoint, whole)
    return _played(folder, range(first + whole * _BLOCK, version + 1), chain, dict(held))


@lru_cache(maxsize=512)
def _block(
    folder: Path, checkpoint: Checkpoint | None, number: int
) -> tuple[str, Mapping[str, Said]]:
    """Return the same after so many blocks of commits, which no longer change."""
    if number == 0:
        return ("", {}) if checkpoint is None else _begun(folder, checkpoint)
    first = 0 if checkpoint is None else checkpoint.version + 1
    chain, held = _block(folder, checkpoint, number - 1)
    numbers = range(first + (number - 1) * _BLOCK, first + number * _BLOCK)
    return _played(folder, numbers, chain, dict(held))


def _begun(folder: Path, checkpoint: Checkpoint) -> tuple[str, Mapping[str, Said]]:
    """Return what a checkpoint says; where it is not what was written, what the log does."""
    path = checkpoint_file(folder / LOG, checkpoint.version)
    with suppress(OSError, ValueError):
        content = read_kept(path)
        if hashlib.sha256(content).hexdigest() == checkpoint.digest:
            return checkpoint.chain, dict(adds_by_path(content))
    return _replayed(folder, checkpoint.version)


def _played(
    folder: Path,
    numbers: Iterable[int],
    chain: str,
    files: dict[str, Said],
    only: str | None = None,
) -> tuple[str, dict[str, Said]]:
    for number in numbers:
        path = log_file(folder, number)
        try:
            content = read_kept(path)
            apply(content, files, only)
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise LakeError(
                f"{path} cannot be read ({type(error).__name__}: {error}): restore it from a copy"
            ) from error
        chain = chained(chain, content)
    return chain, files


def apply(content: bytes, files: dict[str, Said], only: str | None = None) -> None:
    """Bring the files of a table from one version to the next; of one underlying `only`.

    What lies in no underlying's folder is brought in any case.
    """
    lines = content.splitlines() if only is None else lines_about(content, only)
    for line in lines:
        added = add_in(line)
        if added is not None:
            files[added[0]] = added[1]
        elif b'"remove"' in line and "remove" in (action := json.loads(line)):
            files.pop(unquote(action["remove"]["path"]), None)


@dataclass(frozen=True, slots=True)
class Step:
    """What a commit does to one table.

    Attributes
    ----------
    folder : Path
        Of the table.
    at : TableVersion
        From which it goes on; `START` where it has no log.
    add : tuple of DataFile
        On disk already.
    remove : tuple of str
        Paths of files that it no longer holds.
    shape : TableShape
    """

    folder: Path
    at: TableVersion
    add: tuple[DataFile, ...]
    remove: tuple[str, ...]
    shape: TableShape


def bring(steps: Sequence[Step], operation: str) -> list[TableVersion]:
    """Commit to tables what each holds at a version, with some files more and others less.

    Where a log has gone on from there without anybody naming what followed (a writer that was
    killed, or one that is still at work), the commit takes that back.

    Parameters
    ----------
    steps : sequence of Step
        Of one lake, no table twice.
    operation : str
        Goes into the logs.

    Returns
    -------
    list of TableVersion
        Whose files are exactly those.
    """
    contents = [
        _content(s, s.at, s.add, _removed(s.folder, s.at, set(s.remove)), operation) for s in steps
    ]
    firsts = [log_file(step.folder, step.at.version + 1) for step in steps]
    made = put_all(list(zip(firsts, contents, strict=True)))
    return [
        _next(step.at, content) if new else _taken_back(step, operation)
        for step, content, new in zip(steps, contents, made, strict=True)
    ]


def _taken_back(step: Step, operation: str) -> TableVersion:
    """Commit to a table whose log has gone on what takes that back, with the step's own files."""
    more, less = {f.path: f for f in step.add}, set(step.remove)
    wanted = {} if step.at == START else dict(files_at(step.folder, step.at))
    wanted = {path: f for path, f in wanted.items() if path not in less} | more
    while True:
        last = log_numbers(step.folder)[-1]
        chain, said = _replayed(step.folder, last, step.at.checkpoint)
        there = LoggedFiles(said)
        fresh = [f for path, f in wanted.items() if there.get(path) != f]
        gone = [f for path, f in there.items() if path not in wanted]
        newer = TableVersion(last, chain, step.at.checkpoint)
        content = _content(step, newer, fresh, gone, operation)
        with suppress(TakenError):
            put_new(log_file(step.folder, last + 1), content)
            return _next(newer, content)


def _removed(folder: Path, at: TableVersion, paths: set[str]) -> list[DataFile]:
    return [files_at(folder, at)[path] for path in sorted(paths)] if paths else []


def _content(
    step: Step,
    at: TableVersion,
    add: Iterable[DataFile],
    remove: Iterable[DataFile],
    operation: str,
) -> bytes:
    head = table_lines(step.folder.name, step.shape) if at.version < 0 else []
    return commit_lines(add, remove, operation=operation, head=head)


def _next(at: TableVersion, content: bytes) -> TableVersion:
    return TableVersion(at.version + 1, chained(at.chain, content), at.checkpoint)


def commit_lines(
    add: Iterable[DataFile], remove: Iterable[DataFile], *, operation: str, head: Iterable[Any] = ()
) -> bytes:
    """Return the content of one commit."""
    now = int(time.time() * 1000)
    actions = [
        *head,
        *({"remove": _remove(f, now)} for f in remove),
        *({"add": add_action(f, now)} for f in add),
        {"commitInfo": {"timestamp": now, "operation": operation, "engineInfo": _ENGINE,
                        "operationParameters": {}, "id": uuid.uuid4().hex}},
    ]  # fmt: skip
    return "".join(json.dumps(action) + "\n" for action in actions).encode()


def table_lines(name: str, shape: TableShape) -> list[dict[str, Any]]:
    """Return the actions that a table's first commit begins with."""
    fields = [
        {"name": f.name, "type": _type(f.type), "nullable": True, "metadata": {}}
        for f in shape.schema
    ]
    known = set(shape.schema.names)
    fields += [
        {"name": n, "type": "integer" if n == "year" else "string", "nullable": True,
         "metadata": {}}
        for n in shape.partition_by
        if n not in known
    ]  # fmt: skip
    described = {
        "id": str(uuid.uuid5(uuid.NAMESPACE_URL, f"gexlab/{name}")),
        "name": name,
        "format": {"provider": "parquet", "options": {}},
        "schemaString": json.dumps({"type": "struct", "fields": fields}),
        "partitionColumns": list(shape.partition_by),
        "configuration": _KEPT,
        "createdTime": int(time.time() * 1000),
    }
    return [{"protocol": {"minReaderVersion": 1, "minWriterVersion": 2}}, {"metaData": described}]


def _type(kind: Any) -> Any:
    text = str(kind)
    if text in _TYPES:
        return _TYPES[text]
    if text.startswith("list<"):
        return {"type": "array", "elementType": _type(kind.value_type), "containsNull": True}
    if text.startswith("dictionary<"):
        return _type(kind.value_type)
    raise LakeError(f"a table's column cannot be of type {text}")


def add_action(file: DataFile, now: int) -> dict[str, Any]:
    stats: dict[str, Any] = {"numRecords": file.rows}
    if file.first is not None:
        stats |= {"minValues": {"session": file.first}, "maxValues": {"session": file.last},
                  "nullCount": {"session": 0}}  # fmt: skip
    return {
        "path": quote(file.path, safe="/="),
        "partitionValues": file.partition,
        "size": file.size,
        "modificationTime": now,
        "dataChange": True,
        "stats": json.dumps(stats),
        "tags": {"sha256": file.digest} | file.tags,
    }


def _remove(file: DataFile, now: int) -> dict[str, Any]:
    return {
        "path": quote(file.path, safe="/="),
        "deletionTimestamp": now,
        "dataChange": True,
        "extendedFileMetadata": True,
        "partitionValues": file.partition,
        "size": file.size,
    }
