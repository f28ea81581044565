"""Which SQL statements a lake answers: one SELECT, judged by its syntax tree."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

import duckdb

from ..base.errors import QueryError

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["TABLE_FUNCTIONS", "first_line", "require_one_select"]

#: Table functions that compute from their arguments alone. Every other one is refused: they read
#: files, dereference addresses, change settings, or run text as SQL.
TABLE_FUNCTIONS: Final = frozenset(
    {"generate_series", "json_each", "json_tree", "range", "repeat", "repeat_row", "unnest"}
)
#: Kinds of query that only read; data-modifying CTEs have kinds of their own.
_READING: Final = frozenset({"SELECT_NODE", "SET_OPERATION_NODE", "RECURSIVE_CTE_NODE", "CTE_NODE"})


def require_one_select(connection: duckdb.DuckDBPyConnection, sql: str) -> None:
    """Raise unless a text is one SELECT statement that only reads.

    Raises
    ------
    QueryError
        If it is no SQL, another or more than one statement, holds a part that writes (a
        data-modifying CTE), or calls a table function that is not among `TABLE_FUNCTIONS`.
    """
    try:
        statements = connection.extract_statements(sql)
    except duckdb.Error as error:
        raise QueryError(f"not SQL: {first_line(error)}; correct the statement") from error
    kinds = [statement.type.name for statement in statements]
    if kinds != ["SELECT"]:
        found = ", ".join(kinds) or "nothing"
        raise QueryError(f"expected one SELECT, found {found}: the lake is only read here")
    for part in _parts(_tree(connection, sql)):
        _require_reading(part)


def _tree(connection: duckdb.DuckDBPyConnection, sql: str) -> Any:
    """Return the statement's syntax tree; what cannot be shown as one is refused."""
    asked = "SELECT json_serialize_sql($sql::VARCHAR)"
    rows = connection.execute(asked, {"sql": sql}).fetchall()
    tree = json.loads(rows[0][0])
    if tree.get("error"):
        found = tree.get("error_message", "a statement of another kind")
        raise QueryError(f"expected one SELECT, found {found}: the lake is only read here")
    return tree["statements"]


def _parts(tree: Any) -> Iterator[dict[str, Any]]:
    """Yield every object of the tree, without recursion: statements may be deeply nested."""
    waiting = [tree]
    while waiting:
        found = waiting.pop()
        if isinstance(found, dict):
            yield found
            waiting.extend(found.values())
        elif isinstance(found, list):
            waiting.extend(found)


def _require_reading(part: dict[str, Any]) -> None:
    kind = part.get("type")
    if isinstance(kind, str) and kind.endswith("_NODE") and kind not in _READING:
        word = kind.removesuffix("_NODE").removesuffix("_QUERY")
        raise QueryError(f"expected one SELECT, found {word} in it: the lake is only read here")
    if kind == "TABLE_FUNCTION":
        name = str(part.get("function", {}).get("function_name", "")).lower()
        if name not in TABLE_FUNCTIONS:
            raise QueryError(
                f"the table function {name!r} is refused here, where only the lake's views are "
                f"read: ask for them, or use {', '.join(sorted(TABLE_FUNCTIONS))}"
            )


def first_line(error: BaseException) -> str:
    """Return the first line of an error's text."""
    lines = str(error).strip().splitlines()
    return lines[0] if lines else type(error).__name__
