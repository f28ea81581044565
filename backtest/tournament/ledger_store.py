"""Where a ledger lies and how it is read and changed: a SQLite file, or a table in a store.

On a disk it is one SQLite file in WAL mode: several processes write at once, each change in one
transaction, so that a killed writer leaves all of it or none. In an object store, where there are
no such files, it is a Delta table that only grows (`ledger_table`). Both answer the same queries.
"""

from __future__ import annotations

import sqlite3
import time
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Any, Final, TypeVar

from ...data import LedgerError, is_mirror, place_of
from .ledger_sql import sql

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from .ledger_sql import Execute

__all__ = ["changed", "has_ledger", "ledger_file", "ledger_place", "open_ledger"]

#: Seconds that a writer waits for the others.
_PATIENCE: Final = 10.0
_VERSION: Final = 2
_FILE: Final = "trials.sqlite"

T = TypeVar("T")


def ledger_file(path: Path) -> Path:
    """Return the file of a ledger: in the folder named, or the file itself (.sqlite, .db)."""
    return path if path.suffix in {".sqlite", ".db"} else path / _FILE


def ledger_place(path: Path) -> Path | str:
    """Return where a ledger lies: its file, or the address of its table."""
    if not is_mirror(path):
        return ledger_file(path)
    from .ledger_table import table_of

    return place_of(table_of(path).folder)


def has_ledger(path: Path) -> bool:
    """Return whether there is a ledger.

    Raises
    ------
    LedgerError
        If the store in which it would lie does not say so.
    """
    if not is_mirror(path):
        return ledger_file(path).exists()
    from .ledger_table import has_table

    return has_table(path)


@contextmanager
def open_ledger(path: Path) -> Iterator[sqlite3.Connection]:
    """Open a ledger to read it; closed at the end.

    Raises
    ------
    LedgerError
        If it is absent, cannot be read, or is of a later version.
    """
    if is_mirror(path):
        from .ledger_table import open_table

        with open_table(path) as ledger:
            yield ledger
        return
    with _opened(ledger_file(path), write=False) as ledger:
        yield ledger


def changed(path: Path, change: Callable[[Execute], T]) -> T:
    """Change a ledger, made where absent: all that `change` does, or nothing of it.

    Parameters
    ----------
    path : Path
    change : callable
        Is given what executes queries, and may be called again where others were first.

    Returns
    -------
    object
        What `change` returns.

    Raises
    ------
    LedgerError
        If it cannot be written, or other writers hold it for too long.
    """
    if is_mirror(path):
        from .ledger_table import changed_table

        return changed_table(path, change)
    with _opened(ledger_file(path), write=True) as ledger, _transaction(ledger):

        def execute(name: str, given: Mapping[str, Any] | None = None, /) -> sqlite3.Cursor:
            return ledger.execute(sql(name), given or {})

        return change(execute)


@contextmanager
def _opened(file: Path, *, write: bool) -> Iterator[sqlite3.Connection]:
    try:
        if write:
            file.parent.mkdir(parents=True, exist_ok=True)
        mode = "rwc" if write else "ro"
        address = f"{file.absolute().as_uri()}?mode={mode}"
        with closing(
            sqlite3.connect(address, uri=True, timeout=_PATIENCE, isolation_level=None)
        ) as ledger:
            ledger.row_factory = sqlite3.Row
            _prepare(ledger, file, write=write)
            yield ledger
    except sqlite3.Error as error:
        raise LedgerError(_reason(file, error, write=write)) from error
    except OSError as error:
        raise LedgerError(
            f"cannot write the ledger {file}: {error.strerror}; name a folder that you may write "
            "to under [ledger] path"
        ) from error


def _prepare(ledger: sqlite3.Connection, file: Path, *, write: bool) -> None:
    version = int(ledger.execute("PRAGMA user_version").fetchone()[0])
    if version > _VERSION:
        raise LedgerError(f"{file} was written by a later version of gexlab: upgrade gexlab")
    if not write:
        return
    ledger.execute("PRAGMA synchronous = FULL")
    if version < _VERSION:
        _until_free(ledger, "PRAGMA journal_mode = WAL")
        ledger.executescript(sql("schema"))


def _until_free(ledger: sqlite3.Connection, statement: str) -> None:
    """Execute what SQLite does not wait for itself while others hold the file."""
    end = time.monotonic() + _PATIENCE
    while True:
        try:
            ledger.execute(statement)
        except sqlite3.OperationalError as error:
            if "locked" not in str(error) or time.monotonic() > end:
                raise
            time.sleep(0.02)
        else:
            return


@contextmanager
def _transaction(ledger: sqlite3.Connection) -> Iterator[None]:
    ledger.execute("BEGIN IMMEDIATE")
    try:
        yield
    except BaseException:
        ledger.execute("ROLLBACK")
        raise
    ledger.execute("COMMIT")


def _reason(file: Path, error: sqlite3.Error, *, write: bool) -> str:
    if not write and not file.exists():
        return f"there is no ledger at {file}: a backtest with a lake or a [ledger] path makes one"
    doing = "write" if write else "read"
    if "locked" in str(error):
        return f"cannot {doing} the ledger {file}: others held it for {_PATIENCE:g} s; try again"
    remedy = "name a folder of a local disk that you may write to under [ledger] path"
    return f"cannot {doing} the ledger {file}: {error}; {remedy}"
