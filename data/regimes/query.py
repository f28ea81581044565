"""Questions in SQL to a lake: read-only, blind to everything outside it, and bounded.

The statement runs in a process of its own (`sql_worker`), which has no file system, and whose
memory and time are limited; its answer arrives as a stream of Arrow batches.
"""

from __future__ import annotations

import json
import signal
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from ..base.errors import LakeError, QueryError
from ..base.schema import TABLES
from ..lake.sql_process import started_worker

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime
    from pathlib import Path

    import pyarrow as pa

    from ..lake.lake import Lake
    from ..lake.sql_process import SqlProcess
    from .store_choice import DefinitionChoice

__all__ = ["MEMORY", "SECONDS", "VIEWS", "Limits", "query", "sql", "stream"]

#: What can be asked: the chains, and every table that a rebuild writes.
VIEWS: Final = ("chains", *TABLES)
#: Bytes that a statement may use unless more are granted.
MEMORY: Final = 2 << 30
#: Seconds that a statement may take, its answer included, unless more are granted.
SECONDS: Final = 60.0
#: Seconds after which a worker that doesn't answer to its own clock is killed.
_GRACE: Final = 5.0
_LEAST_MEMORY: Final = 64 << 20


@dataclass(frozen=True, slots=True)
class Limits:
    """What one statement may use.

    Attributes
    ----------
    memory : int
        Bytes for the statement; nothing is spilled to disk.
    seconds : float
        Until the last row of the answer has been taken.
    """

    memory: int = MEMORY
    seconds: float = SECONDS

    def __post_init__(self) -> None:
        if self.memory < _LEAST_MEMORY or not 0 < self.seconds < 1e6:
            raise QueryError(
                f"expected at least {_LEAST_MEMORY >> 20} MB and 0 < seconds < 1e6, found "
                f"{self.memory >> 20} MB and {self.seconds:g} s: choose other limits"
            )


def query(
    lake: Lake | str | Path,
    sql: str,
    *,
    definition: DefinitionChoice = None,
    limits: Limits | None = None,
    as_of: int | str | datetime | None = None,
) -> pa.Table:
    """Return the whole answer to one SELECT over the lake's views.

    Parameters
    ----------
    lake : Lake or path
    sql : str
        One SELECT statement in DuckDB's SQL. Views: ``chains`` (canonical columns, all
        underlyings), ``regimes`` and its side tables (`VIEWS`), each of one definition per
        underlying, so that definitions do not mix.
    definition : Definition, str or path, optional
        Whose rows the rebuilt views hold: a definition, its name or file, or the id of a rebuilt
        one. Needed where an underlying was rebuilt by several.
    limits : Limits, optional
        Memory and time; the answer itself may take as much memory again.
    as_of : int, str or datetime, optional
        A version of the lake, by its number or by a moment at which it was in force.

    Returns
    -------
    pyarrow.Table
        In the order that the statement asks for; missing is null.

    Raises
    ------
    QueryError
        If the statement is no single SELECT, names what does not exist, reaches outside, or needs
        more than its limits.
    NotRebuiltError
        If it asks for a rebuilt table and nothing has been rebuilt.
    OutdatedRowsError
        If rows of a rebuilt table that it asks for are of other chains than there are now.
    LakeError
        If rebuilt files are gone or cannot be read.

    See Also
    --------
    stream : the same in bounded memory, whatever the size of the answer.
    """
    import pyarrow as pa

    allowed = limits or Limits()
    with stream(lake, sql, definition=definition, limits=allowed, as_of=as_of) as reader:
        batches, size = [], 0
        for batch in reader:
            size += batch.nbytes
            if size > allowed.memory:
                raise QueryError(
                    f"the answer is larger than {allowed.memory >> 20} MB: aggregate, take it as "
                    "a stream, or write it to a file (gexlab sql --out)"
                )
            batches.append(batch)
        return pa.Table.from_batches(batches, reader.schema)


#: The command's name.
sql = query


@contextmanager
def stream(
    lake: Lake | str | Path,
    sql: str,
    *,
    definition: DefinitionChoice = None,
    limits: Limits | None = None,
    as_of: int | str | datetime | None = None,
) -> Iterator[Answer]:
    """Give the answer to one SELECT batch by batch; arguments and errors as in `query`.

    Parameters
    ----------
    lake : Lake, str or Path
    sql : str
        One SELECT.
    definition : str, Path or Definition, optional
        Which definition's rows the views show.
    limits : Limits, optional
        Memory, time and rows; the defaults where not given.
    as_of : int, str or datetime, optional
        A version of the lake, by its number or by a moment at which it was in force.

    Yields
    ------
    Answer
        Its schema and an iterator of batches. Columns of one name are numbered (``n``, ``n_1``).

    Raises
    ------
    QueryError, NotRebuiltError, LakeError, DefinitionError
        As `query`.

    Notes
    -----
    The lake stays readable as it was at the beginning until the block ends.
    """
    allowed = limits or Limits()
    with started_worker() as worker:  # it starts while the lake is looked into
        from ..lake.lake import open_lake
        from .views import views_named

        opened = open_lake(lake, as_of=as_of)
        with opened.reading():
            tables = views_named(opened, sql, definition)
            yield Answer(worker, sql, tables, opened.root, allowed)


class Answer:
    """The answer to a statement: a schema, and batches that can be taken once.

    Attributes
    ----------
    schema : pyarrow.Schema
    """

    def __init__(
        self,
        worker: SqlProcess,
        sql: str,
        tables: dict[str, list[dict[str, Any]]],
        root: Path,
        limits: Limits,
    ) -> None:
        import pyarrow as pa

        self._worker, self._root, self._limits = worker, root, limits
        self._broken = (pa.ArrowException, OSError)
        bounds = {"memory": limits.memory, "seconds": limits.seconds}
        worker.ask({"sql": sql, "tables": tables, **bounds}, limits.seconds + _GRACE)
        try:
            self._reader = pa.ipc.open_stream(worker.answers)
        except self._broken as error:
            raise self._failure() from error
        self.schema = self._reader.schema

    def __iter__(self) -> Iterator[pa.RecordBatch]:
        """Yield the batches; an error ends the iteration."""
        while True:
            try:
                batch = self._reader.read_next_batch()
            except StopIteration:
                break
            except self._broken as error:
                raise self._failure() from error
            yield batch
        if self._worker.process.wait():
            raise self._failure()

    def _failure(self) -> Exception:
        """Return why the worker has ended before its answer was complete."""
        said = self._worker.errors.read()
        code = self._worker.process.wait()
        try:
            found = json.loads(said)
            return self._error(str(found["kind"]), str(found["message"]))
        except (ValueError, KeyError, TypeError):
            late = self._worker.late.is_set() or code == -getattr(signal, "SIGXCPU", 0)
            # the allocator gives up (SIGABRT), or the system takes the process (SIGKILL)
            short = code in (-signal.SIGABRT, -getattr(signal, "SIGKILL", 0)) or b"alloc" in said
            kind = "time" if late else "memory" if short else "failed"
            return self._error(kind, f"the statement ended its process (code {code})")

    def _error(self, kind: str, message: str) -> Exception:
        if kind == "time":
            return QueryError(
                f"the statement took longer than {self._limits.seconds:g} s: ask for less, or "
                "grant more (--timeout)"
            )
        if kind == "memory":
            return QueryError(
                f"the statement needs more than {self._limits.memory >> 20} MB: ask for less, "
                "aggregate earlier, or grant more (--memory)"
            )
        if kind == "outside":
            return QueryError(
                f"the statement reaches outside the lake {self._root}: ask for {', '.join(VIEWS)}"
            )
        if kind == "refused":
            return QueryError(message)
        if "parquet" in message.lower() and str(self._root) in message:
            return LakeError(
                f"{self._root}: a file of the lake cannot be read ({message}): run gexlab rebuild "
                "again, or restore it"
            )
        return QueryError(f"{message}; there are {', '.join(VIEWS)}")
