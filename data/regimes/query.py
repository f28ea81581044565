"""Questions in SQL to a lake: read-only, and blind to everything outside it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

import duckdb

from ..base.errors import DefinitionError, NotRebuiltError, QueryError, SeveralDefinitionsError
from ..lake.derived_tables import TABLES
from ..lake.lake import Lake, connect, open_lake, undisturbed
from .table import read_rebuilt

if TYPE_CHECKING:
    from pathlib import Path

    import pyarrow as pa

    from .store_choice import DefinitionChoice

__all__ = ["VIEWS", "query"]

#: What can be asked: the chains, and every table that a rebuild writes.
VIEWS: Final = ("chains", *TABLES)


@undisturbed
def query(lake: Lake | str | Path, sql: str, *, definition: DefinitionChoice = None) -> pa.Table:
    """Return the answer to one SELECT over the lake's views.

    Parameters
    ----------
    lake : Lake or path
    sql : str
        One SELECT statement in DuckDB's SQL. Views: ``chains`` (canonical columns, all
        underlyings), ``regimes`` and its side tables (`VIEWS`), each of the only definition
        that was rebuilt for its underlying, or of the one named.
    definition : Definition, str or path, optional
        Whose rows the rebuilt views hold: a definition, its name or file, or the id of a rebuilt
        one. Needed where an underlying was rebuilt by several.

    Returns
    -------
    pyarrow.Table
        In the order that the statement asks for; missing is null.

    Raises
    ------
    QueryError
        If the statement is no single SELECT, names what does not exist, or reaches outside.
    NotRebuiltError
        If it asks for a rebuilt table and nothing has been rebuilt.
    SeveralDefinitionsError
        If an underlying was rebuilt by several definitions and none is named.
    LakeError
        If rebuilt files are gone or cannot be read.

    Notes
    -----
    The connection may open the lake's chain files and nothing else, cannot load extensions, and
    its settings are locked before the statement is seen.
    """
    opened = lake if isinstance(lake, Lake) else open_lake(lake)
    _require_one_select(sql)
    with connect(opened) as connection:
        files = _chain_files(opened)
        if files:
            connection.read_parquet(files, hive_partitioning=False).create_view("chains")
        _register_rebuilt(connection, opened, sql, definition)
        _lock(connection, files)
        try:
            return connection.sql(sql).to_arrow_table()
        except duckdb.Error as error:
            raise QueryError(_reason(error, opened)) from error


def _require_one_select(sql: str) -> None:
    try:
        statements = duckdb.extract_statements(sql)
    except duckdb.Error as error:
        raise QueryError(f"not SQL: {_first_line(error)}; correct the statement") from error
    kinds = [statement.type.name for statement in statements]
    if kinds != ["SELECT"]:
        found = ", ".join(kinds) or "nothing"
        raise QueryError(f"expected one SELECT, found {found}: the lake is only read here")


def _chain_files(lake: Lake) -> list[str]:
    return [str(file) for name in lake.underlyings() for file in lake.chain_files(name)]


def _register_rebuilt(
    connection: duckdb.DuckDBPyConnection, lake: Lake, sql: str, definition: DefinitionChoice
) -> None:
    """Register the rebuilt tables whose names occur in the statement: only they are read."""
    words = set(re.findall(r"\w+", sql.lower()))
    for name in TABLES:
        if name in words:
            connection.register(name, _rebuilt(lake, name, definition))


def _rebuilt(lake: Lake, name: str, definition: DefinitionChoice) -> pa.Table:
    """Return a rebuilt table of all underlyings, each by its only definition or the one named."""
    import pyarrow as pa

    found = []
    for underlying in lake.underlyings():
        try:
            found.append(read_rebuilt(lake, name, underlying, None, None, definition))
        except SeveralDefinitionsError:
            raise
        except (NotRebuiltError, DefinitionError):
            continue  # it has no rows: nothing is rebuilt, or a peer's rule without such a table
    if not found:
        raise NotRebuiltError(f"{lake.root}: no {name} has been rebuilt: run gexlab rebuild first")
    return pa.concat_tables(found)


def _lock(connection: duckdb.DuckDBPyConnection, files: list[str]) -> None:
    connection.execute("SET python_enable_replacements = false")
    connection.execute("SET allowed_paths = ?", [files])
    connection.execute("SET enable_external_access = false")
    connection.execute("SET lock_configuration = true")


def _reason(error: duckdb.Error, lake: Lake) -> str:
    if isinstance(error, duckdb.PermissionException):
        return f"the statement reaches outside the lake {lake.root}: ask for {', '.join(VIEWS)}"
    return f"{_first_line(error)}; there are {', '.join(VIEWS)}"


def _first_line(error: duckdb.Error) -> str:
    return str(error).strip().splitlines()[0]
