"""Connections to DuckDB: their memory limit, threads, time zone and folder for spilling."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import duckdb

from .lake import Lake

__all__ = ["connect"]


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
