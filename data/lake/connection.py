"""Connections to DuckDB: their memory limit, threads, time zone and folder for spilling."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING

from .lake import Lake

if TYPE_CHECKING:
    from contextlib import ExitStack

    import duckdb

__all__ = ["Database", "connect"]


def connect(
    lake: Lake | None = None,
    *,
    threads: int | None = None,
    memory_limit: str = "50%",
    spill: Path | None = None,
) -> duckdb.DuckDBPyConnection:
    """Return an in-memory DuckDB connection that thinks in UTC and stays within its means.

    Parameters
    ----------
    lake : Lake, optional
        Not needed by the connection itself; names what is going to be read.
    threads : int, optional
        Worker threads; by default one per core.
    memory_limit : str
        DuckDB's own limit, e.g. ``"2GB"``; beyond it, work spills to disk.
    spill : Path, optional
        Folder for spilling; by default one in the system's temporary folder.
    """
    import duckdb

    folder = spill or Path(tempfile.gettempdir()) / f"gexlab-spill-{os.getpid()}"
    connection = duckdb.connect(
        config={
            "memory_limit": memory_limit,
            "temp_directory": str(folder),
            "autoinstall_known_extensions": False,
            "autoload_known_extensions": False,
            **({} if threads is None else {"threads": threads}),
        }
    )
    connection.execute("SET TimeZone = 'UTC'")
    # Its bar goes to standard output, which belongs to whoever asked for results.
    connection.execute("SET enable_progress_bar = false")
    return connection


class Database:
    """A connection that is made when it is first needed: many a rebuild needs none.

    Threads may share it; each takes cursors of its own.

    Parameters
    ----------
    lake : Lake
    until : ExitStack
        Closes the connection at its end.
    threads : int, optional
        Worker threads of the database; by default one per core.
    """

    def __init__(self, lake: Lake, until: ExitStack, threads: int | None = None) -> None:
        self._lake = lake
        self._until = until
        self._threads = threads
        self._connection: duckdb.DuckDBPyConnection | None = None
        self._making = Lock()

    @property
    def started(self) -> bool:
        """Whether there is a connection."""
        return self._connection is not None

    def cursor(self) -> duckdb.DuckDBPyConnection:
        """Return a connection of one's own to the same database, to be closed after use."""
        with self._making:
            if self._connection is None:
                made = connect(self._lake, threads=self._threads)
                self._connection = self._until.enter_context(made)
            return self._connection.cursor()
