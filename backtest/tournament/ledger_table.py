"""A ledger in an object store: a Delta table of the changes that were made to it, in order.

A row is one statement of SQL by its name (``put_entry``, ``delete_entries`` ...) with what it was
given. A reader executes them, one after the other, in a database in memory; a writer does too,
makes its own change there, and adds what that took if nobody was first, else begins anew. So both
kinds of ledger answer the same queries, and count alike.
"""

from __future__ import annotations

import random
import re
import sqlite3
import time
from contextlib import closing, contextmanager
from functools import cache
from itertools import groupby
from typing import TYPE_CHECKING, Any, Final, TypeVar

from ...data import TRIALS, LakeError, LedgerError, place_of, row_table
from .ledger_sql import sql

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    import pyarrow as pa

    from ...data import RowTable
    from .ledger_sql import Execute

__all__ = ["changed_table", "has_table", "open_table", "table_of"]

#: Statements that a row may name; any other is of a later version, or nobody's.
_STATEMENTS: Final = (
    "put_sessions",
    "put_returns",
    "put_entry",
    "delete_entries",
    "put_deletion",
    "drop_returns",
    "put_lockbox",
    "open_lockbox",
)
_STATEMENT: Final = "statement"
_BYTES: Final = ("days", "simple")
_NUMBERS: Final = ("entries", "lockbox")
_ATTEMPTS: Final = 1000

T = TypeVar("T")


def table_of(path: Path) -> RowTable:
    """Return the table of a ledger."""
    return row_table(path, TRIALS, _schema())


@cache
def _schema() -> pa.Schema:
    import pyarrow as pa

    names = dict.fromkeys(name for of in _STATEMENTS for name in _asked(of))
    kinds = dict.fromkeys(_BYTES, pa.binary()) | dict.fromkeys(_NUMBERS, pa.int64())
    columns = [(name, kinds.get(name, pa.string())) for name in names]
    return pa.schema([(_STATEMENT, pa.string()), *columns])


@cache
def _asked(statement: str) -> tuple[str, ...]:
    """Return what a statement asks for."""
    return tuple(dict.fromkeys(re.findall(r":([a-z_]+)", sql(statement))))


def has_table(path: Path) -> bool:
    """Return whether a ledger was ever written to."""
    try:
        return table_of(path).exists()
    except LakeError as error:
        raise _unreadable(path, error) from error


@contextmanager
def open_table(path: Path) -> Iterator[sqlite3.Connection]:
    """Give a database in memory that holds what a ledger does.

    Raises
    ------
    LedgerError
        If there is none, it cannot be read, or it is of a later version.
    """
    table = table_of(path)
    try:
        found = table.read()
    except (LakeError, OSError) as error:
        raise _unreadable(path, error) from error
    if found.number < 0:
        raise LedgerError(
            f"there is no ledger at {place_of(table.folder)}: a backtest with that lake makes one"
        )
    with _replayed(path, found.rows) as ledger:
        yield ledger


def changed_table(path: Path, change: Callable[[Execute], T]) -> T:
    """Change a ledger as `changed` does.

    Raises
    ------
    LedgerError
        If it cannot be read or written, or others write without a pause.
    """
    table = table_of(path)
    for attempt in range(_ATTEMPTS):
        try:
            found = table.read()
        except (LakeError, OSError) as error:
            raise _unreadable(path, error) from error
        with _replayed(path, found.rows) as ledger:
            made: list[dict[str, Any]] = []

            def execute(
                name: str,
                given: Mapping[str, Any] | None = None,
                /,
                *,
                here: sqlite3.Connection = ledger,
                done: list[dict[str, Any]] = made,
            ) -> sqlite3.Cursor:
                cursor = here.execute(sql(name), given or {})
                if cursor.rowcount > 0:  # what changed nothing need not be done again
                    done.append({_STATEMENT: name, **(given or {})})
                return cursor

            result = change(execute)
        if not made or _added(path, table, found, made):
            return result
        time.sleep(min(0.01 * attempt, 0.5) * random.uniform(0.5, 1.0))
    raise LedgerError(
        f"cannot write the ledger {place_of(table.folder)}: others write to it without a pause; "
        "try again"
    )


def _added(path: Path, table: RowTable, found: Any, made: list[dict[str, Any]]) -> bool:
    import pyarrow as pa

    try:
        return table.append(found, pa.Table.from_pylist(made, schema=_schema()))
    except (LakeError, OSError) as error:
        raise LedgerError(
            f"cannot write the ledger {place_of(table.folder)}: {error}; or name a folder of a "
            "local disk under [ledger] path"
        ) from error


@contextmanager
def _replayed(path: Path, rows: pa.Table) -> Iterator[sqlite3.Connection]:
    """Give a database in memory in which the changes of a table were made."""
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as ledger:
        ledger.row_factory = sqlite3.Row
        ledger.executescript(sql("schema"))
        try:
            _replay(ledger, rows)
        except sqlite3.Error as error:
            raise _unreadable(path, error) from error
        yield ledger


def _replay(ledger: sqlite3.Connection, rows: pa.Table) -> None:
    names = rows.column(_STATEMENT).to_pylist()
    ledger.execute("BEGIN")
    begin = 0
    for name, run in groupby(names):
        length = sum(1 for _ in run)
        if name not in _STATEMENTS:
            raise sqlite3.DataError(
                f"{name!r} is no statement that is known here: it was written by a later version "
                "of gexlab; upgrade gexlab"
            )
        asked = _asked(name)
        columns = [rows.column(c).slice(begin, length).to_pylist() for c in asked]
        given = [dict(zip(asked, values, strict=True)) for values in zip(*columns, strict=True)]
        ledger.executemany(sql(name), given or [{}] * length)
        begin += length
    ledger.execute("COMMIT")


def _unreadable(path: Path, error: Exception) -> LedgerError:
    return LedgerError(f"cannot read the ledger {place_of(table_of(path).folder)}: {error}")
