"""Versions of a lake: rows of the table `versions`, each of which names every table's own version.

A row is committed last, and only if no other has its number: whatever was written for it becomes
visible with it, all at once, or never. Readers find every table through a row.
"""

from __future__ import annotations

import hashlib
import json
import logging
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from ..base.errors import LakeError
from .delta_log import (
    START,
    Checkpoint,
    DataFile,
    Step,
    TableShape,
    TableVersion,
    bring,
    commit_lines,
    files_at,
    log_file,
    log_numbers,
    table_lines,
)
from .logged_files import LoggedFiles
from .mirror import address_of, looked_anew, remembered, remote_of
from .sealing import MARK, put_mark, sealed, unsealed
from .sealing import marked as mark_of
from .storage import TakenError, has_log, put_new, read_kept, same_as_kept

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

__all__ = [
    "ARCHIVES",
    "ATTEMPTS",
    "MARK",
    "NOTHING",
    "VERSIONS",
    "Change",
    "Version",
    "archived",
    "commit",
    "is_lake",
    "mark",
    "marked",
    "newest",
    "previous_of",
    "readable",
    "table_files",
    "version_at",
    "version_of",
]

VERSIONS: Final = "versions"
#: Table of the versions that archived runs name.
ARCHIVES: Final = "archives"
#: How often a writer tries again to commit because others were first.
ATTEMPTS: Final = 1000
#: Letters of a date without a time.
_DATE: Final = 10
#: Clocks of machines that write to one lake may differ by so much.
_SKEW: Final = timedelta(hours=1)

_log = logging.getLogger("gexlab")


@dataclass(frozen=True, slots=True)
class Version:
    """A state of a lake.

    Attributes
    ----------
    number : int
        From 0 on; -1 before anything was written.
    at : datetime
        When it was committed, UTC.
    operation : str
        What made it: ``ingest``, ``rebuild``, ``compact`` and so on.
    underlying : str or None
        What it was made of, several with commas; None where the whole lake is meant.
    sessions : int
        How many sessions changed.
    oldest : int
        From here on every version can be read, before it those alone that archived runs name;
        `vacuum` raises it.
    tables : mapping of str to TableVersion
        Which version of each table belongs to it.
    digest : str
        Of its own log file.
    """

    number: int
    at: datetime
    operation: str
    underlying: str | None
    sessions: int
    oldest: int = 0
    tables: Mapping[str, TableVersion] = field(default_factory=dict, repr=False)
    digest: str = field(default="", repr=False)


NOTHING: Final = Version(-1, datetime(1970, 1, 1, tzinfo=UTC), "", None, 0)


@dataclass(frozen=True, slots=True)
class Change:
    """What a commit does to one table.

    Attributes
    ----------
    table : str
    shape : TableShape
    add : tuple of DataFile
        On disk already.
    remove : tuple of str
        Paths of files that no longer belong to it; they stay on disk for earlier versions.
    """

    table: str
    shape: TableShape
    add: tuple[DataFile, ...] = ()
    remove: tuple[str, ...] = ()


def is_lake(root: Path) -> bool:
    """Return whether a folder has a table of versions."""
    return has_log(root / VERSIONS)


def newest(root: Path) -> Version:
    """Return the last version of a lake; `NOTHING` where there is none yet.

    Raises
    ------
    LakeError
        If it cannot be read, or has gone.
    """
    return remembered(root, _newest)


def _newest(root: Path) -> Version:
    said = marked(root)[0]  # before the log is listed: others may commit in between
    if said >= 0 and remote_of(root) is None and log_file(root / VERSIONS, said).exists():
        # a log only grows: from the mark on there is little to look at, however long it is
        while log_file(root / VERSIONS, said + 1).exists():
            said += 1
        return version_at(root, said)
    numbers = log_numbers(root / VERSIONS)
    if numbers and not same_as_kept(log_file(root / VERSIONS, numbers[-1])):
        numbers = log_numbers(root / VERSIONS)  # another lake lies there now
    last = numbers[-1] if numbers else -1
    if said > last:
        raise LakeError(
            f"{root / VERSIONS}: version {said} was written, but its log has gone: restore "
            f"{log_file(root / VERSIONS, said)} from a copy; to go on from version {last} delete "
            f"{root / VERSIONS / MARK}, and ingest again what came later"
        )
    return version_at(root, last) if numbers else NOTHING


def version_at(root: Path, number: int) -> Version:
    """Return a version of a lake by its number, vacuumed or not.

    Raises
    ------
    LakeError
        If there is no such version, or it cannot be read.
    """
    path = log_file(root / VERSIONS, number)
    try:
        return _unsealed(read_kept(path), number)
    except FileNotFoundError as error:
        numbers = log_numbers(root / VERSIONS)
        there = f"versions {numbers[0]} to {numbers[-1]}" if numbers else "no versions"
        raise LakeError(
            f"the lake {address_of(root)} has {there}, not {number}: gexlab versions --lake lists "
            "them"
        ) from error
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise LakeError(
            f"{path} cannot be read ({type(error).__name__}: {error}): restore it from a copy, or "
            "delete it and the later ones, and ingest again what came since"
        ) from error


def version_of(root: Path, as_of: int | str | datetime) -> int:
    """Return the number of the version that is meant: by its number, or in force at a moment.

    Raises
    ------
    LakeError
        If the text is neither, the lake is younger than the moment, or the moment has not come.
    """
    if isinstance(as_of, int):
        return as_of
    if isinstance(as_of, str) and as_of.strip().isdigit() and len(as_of.strip()) < 8:
        return int(as_of)
    moment = _moment(as_of) if isinstance(as_of, str) else as_of
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    now = datetime.now(UTC)
    if moment > now + timedelta(days=1):
        raise LakeError(
            f"as of {moment:%Y-%m-%d %H:%M:%S}: that moment has not come (it is "
            f"{now:%Y-%m-%d %H:%M} UTC): name an earlier one, or a version; gexlab versions --lake "
            "lists them"
        )
    for number in range(newest(root).number, -1, -1):
        # the last one first: a version that was written by a wrong clock hides none after it
        if version_at(root, number).at <= moment:
            return number
    began = "is empty"
    if newest(root).number >= 0:
        began = f"begins {version_at(root, 0).at:%Y-%m-%d %H:%M:%S} UTC"
    raise LakeError(
        f"the lake {address_of(root)} {began}: it was not there at {moment:%Y-%m-%d %H:%M:%S}; "
        "name a later moment, or a version (gexlab versions --lake lists them; sessions are chosen "
        "by other options)"
    )


def _moment(text: str) -> datetime:
    """Return a stated moment; of a date alone its end."""
    try:
        found = datetime.fromisoformat(text.strip())
    except ValueError as error:
        raise LakeError(
            f"as of {text!r}: expected the number of a version or a moment such as "
            "2026-07-01T18:00 (UTC); gexlab versions --lake lists both"
        ) from error
    alone = len(text.strip()) <= _DATE
    return found + timedelta(days=1, microseconds=-1) if alone else found


def table_files(root: Path, version: Version, table: str) -> LoggedFiles:
    """Return the files of a table at a version of the lake, by their path in the table's folder.

    Raises
    ------
    LakeError
        If the table's log is not what was written.
    """
    at = version.tables.get(table)
    return LoggedFiles({}) if at is None else files_at(root / table, at)


def archived(root: Path, last: Version) -> frozenset[int]:
    """Return the versions that archived runs name, as the last version knows them.

    Raises
    ------
    LakeError
        If the log that says so is not what was written.
    """
    files = table_files(root, last, ARCHIVES).values()
    return frozenset(int(file.tags["version"]) for file in files)


def readable(root: Path, last: Version, numbers: Iterable[int]) -> list[int]:
    """Return which versions have not been vacuumed, ascending."""
    spared = archived(root, last)
    return sorted(n for n in numbers if n >= last.oldest or n in spared)


def commit(
    root: Path,
    before: Version,
    changes: Sequence[Change],
    *,
    operation: str,
    underlying: str | None,
    sessions: int,
    oldest: int | None = None,
    checkpoints: Mapping[str, TableVersion] | None = None,
) -> Version:
    """Commit changes of several tables as the version after `before`, all of them or none.

    `checkpoints` are tables of `before` whose log has one now.

    Raises
    ------
    TakenError
        If there is a version after `before` already; nothing is visible then.
    """
    number = before.number + 1
    looked_anew(root)
    if log_file(root / VERSIONS, number).exists():
        raise TakenError(str(number))
    tables = {**before.tables, **(checkpoints or {})}

    steps = [
        Step(root / c.table, tables.get(c.table, START), c.add, c.remove, c.shape) for c in changes
    ]
    made_now = bring(steps, operation.upper())
    tables |= {c.table: at for c, at in zip(changes, made_now, strict=True)}
    first = before.oldest if oldest is None else oldest
    made = Version(number, _after(root, before), operation, underlying, sessions, first, tables)
    content = _sealed(root, made, before.digest)
    put_new(log_file(root / VERSIONS, number), content)
    whole = replace(made, digest=hashlib.sha256(content).hexdigest())
    mark(root, whole)
    looked_anew(root)
    return whole


def _after(root: Path, before: Version) -> datetime:
    """Return the moment of a version after another; moments ascend but for a clock that was wrong.

    One that ran ahead must not date what others write after it.
    """
    now = datetime.now(UTC)
    if before.at - now < _SKEW:
        return max(now, before.at)
    _log.warning(
        "the lake %s: version %d is dated %s UTC, after this machine's clock (%s): one of the two "
        "is wrong; set the clock, or name versions by their number",
        root,
        before.number,
        f"{before.at:%Y-%m-%d %H:%M}",
        f"{now:%Y-%m-%d %H:%M}",
    )
    return now


def _sealed(root: Path, made: Version, previous: str) -> bytes:
    """Return the commit of a version: its row's file is written."""
    row, shape = _row_file(root, made)
    head = table_lines(VERSIONS, shape) if made.number == 0 else []
    lines = commit_lines([row], [], operation=made.operation.upper(), head=head)
    return sealed(lines, _to_json(made, previous))


@lru_cache(maxsize=4)  # a rebuild of one underlying asks for the last version five times
def _unsealed(content: bytes, number: int) -> Version:
    said = unsealed(content, number)
    return Version(
        number,
        datetime.fromisoformat(said["at"]),
        said["operation"],
        said["underlying"],
        said["sessions"],
        said["oldest"],
        {name: _table_version(*at) for name, at in said["tables"].items()},
        hashlib.sha256(content).hexdigest(),
    )


def _table_version(version: int, chain: str, *checkpoint: Any) -> TableVersion:
    return TableVersion(version, chain, Checkpoint(*checkpoint) if checkpoint else None)


def _said_of(at: TableVersion) -> list[Any]:
    """Return what a version says of a table's."""
    found = at.checkpoint
    more = [] if found is None else [found.version, found.chain, found.digest]
    return [at.version, at.chain, *more]


def previous_of(root: Path, number: int) -> str:
    """Return the digest of the version before, as a version states it."""
    content = read_kept(log_file(root / VERSIONS, number))
    return str(json.loads(content.splitlines()[-1])["commitInfo"]["gexlab"]["previous"])


def _to_json(made: Version, previous: str) -> dict[str, Any]:
    return {
        "version": made.number,
        "at": made.at.isoformat(),
        "operation": made.operation,
        "underlying": made.underlying,
        "sessions": made.sessions,
        "oldest": made.oldest,
        "tables": {name: _said_of(at) for name, at in sorted(made.tables.items())},
        "previous": previous,
    }


def _row_file(root: Path, made: Version) -> tuple[DataFile, TableShape]:
    """Write the row of a version, for whoever reads the table."""
    import pyarrow as pa

    from .arrow_tables import table_of
    from .data_files import write_file

    schema = pa.schema(
        [
            ("version", pa.int64()),
            ("at", pa.timestamp("us", tz="UTC")),
            ("operation", pa.string()),
            ("underlying", pa.string()),
            ("sessions", pa.int64()),
            ("tables", pa.string()),
        ]
    )
    tables = json.dumps({name: at.version for name, at in sorted(made.tables.items())})
    row = (made.number, made.at, made.operation, made.underlying, made.sessions, tables)
    columns = {name: [value] for name, value in zip(schema.names, row, strict=True)}
    table = table_of(columns, dict(zip(schema.names, schema.types, strict=True)))
    return write_file(root, VERSIONS, {}, f"{made.number:020d}", table), TableShape(schema, ())


def marked(root: Path) -> tuple[int, str]:
    """Return the last version that was marked as written, and its digest; -1 without a mark."""
    return mark_of(root / VERSIONS)


def mark(root: Path, version: Version) -> None:
    """Note a version as written, so that it is missed should its log be lost."""
    put_mark(root / VERSIONS, version.number, version.digest)
