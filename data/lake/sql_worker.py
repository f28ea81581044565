"""The process that runs one SQL statement over a lake, with no file system and bounded means.

`sql_process` starts it as ``python -m gexlab.data.lake.sql_worker``. It reads one
request in JSON from standard input and answers with one Arrow stream on standard output; an error
goes to standard error as JSON, and the exit code is 3. It ends by itself when standard input is
closed: whoever asked has gone.
"""

from __future__ import annotations

import json
import os
import re
import sys
import threading
from contextlib import suppress
from datetime import date
from importlib.abc import MetaPathFinder
from typing import TYPE_CHECKING, Any, Final

import duckdb
import pyarrow as pa

from ..base.errors import QueryError
from .sql_checking import first_line, require_one_select

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pyarrow.dataset as ds

__all__ = ["REFUSED", "main", "open_connection"]

#: Exit code of a statement that was refused or failed.
REFUSED: Final = 3
#: Types whose values Arrow would change or lose.
_LOST: Final = re.compile(r"\b(UHUGEINT|BIGNUM|VARINT|BIT|INTERVAL|TIME WITH TIME ZONE|GEOMETRY)\b")
#: Rows of a batch: few enough that one of wide rows stays small.
_BATCH_ROWS: Final = 16_384
#: Memory beyond DuckDB's own limit: the interpreter, and Arrow's batches of the lake's files.
_BESIDE: Final = 1 << 30


def main() -> int:
    """Answer the request on standard input and return the exit code."""
    request = json.loads(sys.stdin.readline())
    threading.Thread(target=_leave_with_parent, daemon=True).start()
    _bound(request["memory"], request["seconds"])
    late = threading.Event()
    try:
        _answer(request, late)
    except Exception as error:  # of DuckDB, Arrow, or the statement: all go to whoever asked
        _say("time" if late.is_set() else _kind(error), first_line(error))
        return REFUSED
    return 0


def _kind(error: Exception) -> str:
    if isinstance(error, QueryError):
        return "refused"
    if isinstance(error, duckdb.PermissionException):
        return "outside"
    memory = isinstance(error, (MemoryError, duckdb.OutOfMemoryException))
    return "memory" if memory or "out of memory" in str(error).lower() else "failed"


def _say(kind: str, message: str) -> None:
    sys.stderr.write(json.dumps({"kind": kind, "message": message}))
    sys.stderr.flush()


def _leave_with_parent() -> None:
    sys.stdin.read()
    os._exit(REFUSED)


def _bound(memory: int, seconds: float) -> None:
    """Let the system refuse what DuckDB's own limits do not cover: files, memory, processor."""
    with suppress(ImportError, ValueError, OSError):  # a system without such limits
        import resource

        resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        resource.setrlimit(resource.RLIMIT_DATA, (memory + _BESIDE, memory + _BESIDE))
        processor = int(seconds * (os.cpu_count() or 1)) + 60
        resource.setrlimit(resource.RLIMIT_CPU, (processor, processor))


def _answer(request: Mapping[str, Any], late: threading.Event) -> None:
    with open_connection(request["tables"], request["memory"]) as connection:
        require_one_select(connection, request["sql"])
        clock = threading.Timer(request["seconds"], _stop, (connection, late))
        clock.daemon = True
        clock.start()
        reader = _carried(connection.sql(request["sql"])).to_arrow_reader(_BATCH_ROWS)
        schema = _with_unique_names(reader.schema)
        with pa.ipc.new_stream(sys.stdout.buffer, schema) as out:
            for batch in reader:
                out.write_batch(pa.RecordBatch.from_arrays(batch.columns, schema=schema))
                sys.stdout.buffer.flush()
        clock.cancel()


def _stop(connection: duckdb.DuckDBPyConnection, late: threading.Event) -> None:
    late.set()
    connection.interrupt()


def _carried(rows: duckdb.DuckDBPyRelation) -> duckdb.DuckDBPyRelation:
    """Return rows whose types Arrow can hold: the others as DuckDB's own text."""
    kept = [not _LOST.search(str(kind)) for kind in rows.types]
    if all(kept):
        return rows
    columns = [duckdb.SQLExpression(f"#{i + 1}") for i in range(len(kept))]
    named = zip(columns, kept, rows.columns, strict=True)
    return rows.project(*((c if k else c.cast("VARCHAR")).alias(name) for c, k, name in named))


def _with_unique_names(schema: pa.Schema) -> pa.Schema:
    """Return a schema in which a name that occurs again has a number: ``n``, ``n_1``.

    Examples
    --------
    >>> _with_unique_names(pa.schema([("n", "int8"), ("n", "int8"), ("n_1", "int8")])).names
    ['n', 'n_1', 'n_1_1']
    """
    taken: set[str] = set()
    fields = []
    for field in schema:
        name, number = field.name, 0
        while name in taken:
            number += 1
            name = f"{field.name}_{number}"
        taken.add(name)
        fields.append(field.with_name(name))
    return pa.schema(fields)


def open_connection(
    tables: Mapping[str, Sequence[Mapping[str, Any]]], memory: int
) -> duckdb.DuckDBPyConnection:
    """Return a connection that knows some tables and can open no file.

    Parameters
    ----------
    tables : mapping
        View name to its sources, each with ``files`` (Parquet), ``sessions`` (ISO dates that count
        in them; None: all) and, where not all of a file is meant, its row ``groups``.
    memory : int
        Bytes that DuckDB may use; it does not spill to disk.

    Notes
    -----
    Arrow reads the files, DuckDB sees its batches: DuckDB's own file system stays shut, its
    settings are locked, before a statement is seen.
    """
    connection = duckdb.connect(
        config={
            "memory_limit": f"{memory}B",
            "temp_directory": "",
            "autoinstall_known_extensions": False,
            "autoload_known_extensions": False,
        }
    )
    connection.execute("SET TimeZone = 'UTC'")
    connection.execute("SET enable_progress_bar = false")
    for name, sources in tables.items():
        _register(connection, name, sources)
    connection.execute("SET python_enable_replacements = false")
    connection.execute("SET enable_external_access = false")
    connection.execute("SET lock_configuration = true")
    return connection


def _register(
    connection: duckdb.DuckDBPyConnection, name: str, sources: Sequence[Mapping[str, Any]]
) -> None:
    """Make a view of one or several sets of files."""
    if len(sources) == 1:
        connection.register(name, _dataset(sources[0]))
        return
    names = [f"{name}__{i}" for i in range(len(sources))]
    for part, source in zip(names, sources, strict=True):
        connection.register(part, _dataset(source))
    whole = connection.table(names[0])
    for part in names[1:]:
        whole = whole.union(connection.table(part))
    whole.create_view(name)


def _dataset(source: Mapping[str, Any]) -> ds.Dataset:
    import pyarrow.compute as pc
    import pyarrow.dataset as ds

    groups = source.get("groups") or [None]
    if all(each is None for each in groups):
        rows: ds.Dataset = ds.dataset(source["files"], format="parquet", partitioning=None)
    else:
        rows = _fragments(source["files"], groups)
    if source["sessions"] is None:
        return rows
    days = pa.array([date.fromisoformat(day) for day in source["sessions"]], pa.date32())
    return rows.filter(pc.field("session").isin(days))


def _fragments(files: Sequence[str], groups: Sequence[Sequence[int] | None]) -> ds.Dataset:
    """Return the row groups of files that are meant; None stands for all of a file."""
    import pyarrow.dataset as ds
    from pyarrow.fs import LocalFileSystem

    form, disk = ds.ParquetFileFormat(), LocalFileSystem()
    pieces = [
        form.make_fragment(path, disk, row_groups=None if own is None else list(own))
        for path, own in zip(files, groups, strict=True)
        if own != []
    ]
    if not pieces:
        return ds.dataset(form.make_fragment(files[0], disk).physical_schema.empty_table())
    return ds.FileSystemDataset(pieces, pieces[0].physical_schema, form, disk)


class _WithoutPandas(MetaPathFinder):
    """Hides pandas: Arrow's data sets load it where they find it, half of this process's start."""

    def find_spec(self, fullname: str, *_: Any) -> None:
        if fullname == "pandas":
            raise ModuleNotFoundError("not needed here", name=fullname)


if __name__ == "__main__":
    sys.meta_path.insert(0, _WithoutPandas())
    code = main()
    with suppress(OSError):
        sys.stdout.flush()
    os._exit(code)
