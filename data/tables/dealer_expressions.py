"""Dealer models written as SQL: a number per contract, from nothing but the contract's own row.

An expression is parsed by DuckDB, its tree is checked node by node against a short list of what a
row needs, and only the text that DuckDB writes from the checked tree is ever run.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, Final

import duckdb

from ..base.errors import DefinitionError, UnknownNameError
from ..base.schema import CHAIN_COLUMNS
from ..base.sql import load_sql

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["ALLOWED_FUNCTIONS", "checked_expression"]

Node = dict[str, Any]

ALLOWED_FUNCTIONS: Final = frozenset(
    {"abs", "ceil", "coalesce", "exp", "floor", "greatest", "least", "ln", "nullif", "pow"}
    | {"power", "round", "sign", "sqrt"}
)
_OPERATORS: Final = frozenset({"+", "-", "*", "/", "%"})
_CLASSES: Final = frozenset(
    {"BETWEEN", "CASE", "COLUMN_REF", "COMPARISON", "CONJUNCTION", "CONSTANT", "FUNCTION"}
    | {"OPERATOR"}
)
_OPERATOR_TYPES: Final = frozenset(
    {
        "COMPARE_IN",
        "COMPARE_NOT_IN",
        "OPERATOR_COALESCE",
        "OPERATOR_IS_NOT_NULL",
        "OPERATOR_IS_NULL",
        "OPERATOR_NOT",
        "OPERATOR_NULLIF",
    }
)
_QUOTED: Final = re.compile(r"""('(?:[^']|'')*'|"(?:[^"]|"")*")""")
#: A column whose name SQL reserves; people write it without quotes.
_RIGHT: Final = re.compile(r"\bright\b(?!\s*\()", re.IGNORECASE)
_LONGEST: Final = 4_000
_DEEPEST: Final = 50


def checked_expression(text: str) -> str:
    """Return a dealer expression as DuckDB writes it, once every part of it is known.

    Parameters
    ----------
    text : str
        An expression over the columns of the canonical chain: literals, arithmetic, comparisons,
        AND, OR, NOT, IN, BETWEEN, IS NULL, CASE and the functions of `ALLOWED_FUNCTIONS`.

    Raises
    ------
    DefinitionError
        If it is no expression, not a number, or uses anything else: a subquery, an aggregate, a
        window, another table, a file, a setting, a parameter.
    UnknownNameError
        If a column or a function is not among those allowed.

    Examples
    --------
    >>> checked_expression("CASE WHEN right = 'C' THEN 1 ELSE -1 END")
    'CASE  WHEN (("right" = \\'C\\')) THEN (1) ELSE -1 END'
    """
    if not text.strip() or len(text) > _LONGEST:
        raise _refused(text, "it is empty or longer than 4,000 characters")
    if "\0" in text:
        raise _refused(text, "it holds a NUL character")
    with duckdb.connect(config={"threads": 1, "enable_external_access": False}) as connection:
        tree = _parsed(connection, text)
        _check(tree, text, 0)
        canonical = _sql_of(connection, tree)
        _require_number(connection, canonical, text)
    return canonical


def _refused(text: str, reason: str) -> DefinitionError:
    shown = text if len(text) <= 80 else text[:77] + "..."
    return DefinitionError(
        f"dealer expression {shown!r}: {reason}: write a number per contract from the columns of "
        "its row, e.g. CASE WHEN right = 'C' THEN 1 ELSE -1 END"
    )


def _parsed(connection: duckdb.DuckDBPyConnection, text: str) -> Node:
    """Return the tree of the expression, which must be all that the text holds."""
    pieces = _QUOTED.split(text)
    pieces[::2] = [_RIGHT.sub('"right"', piece) for piece in pieces[::2]]
    statement = "SELECT " + "".join(pieces) + "\n"
    row = connection.execute(
        load_sql("tables/expression_parse"), {"statement": statement}
    ).fetchone()
    assert row is not None
    try:
        found: Node = json.loads(row[0])
    except RecursionError as error:
        raise _refused(text, "nested too deeply") from error
    if found.get("error"):
        reason = " ".join(str(found.get("error_message", "cannot be parsed")).split())
        raise _refused(text, f"not SQL ({reason})")
    statements = found["statements"]
    node = statements[0]["node"] if len(statements) == 1 else {}
    if not _is_bare(node):
        raise _refused(text, "more than one expression")
    tree: Node = node["select_list"][0]
    return tree


def _is_bare(node: Node) -> bool:
    """Return whether a SELECT is nothing but one expression."""
    empty = ("where_clause", "having", "sample", "qualify", "modifiers", "group_expressions")
    return (
        node.get("type") == "SELECT_NODE"
        and len(node["select_list"]) == 1
        and node["from_table"]["type"] == "EMPTY"
        and not any(node.get(name) for name in empty)
        and not node["cte_map"]["map"]
    )


def _check(node: Node, text: str, depth: int) -> None:
    """Refuse a tree that holds anything but what is listed above."""
    kind, form = node.get("class"), str(node.get("type"))
    if depth > _DEEPEST:
        raise _refused(text, "nested too deeply")
    if kind not in _CLASSES:
        raise _refused(text, f"{str(kind).lower()} is not allowed")
    if node.get("alias"):  # "0x7f" is read as 0 with the name x7f: never what was meant
        raise _refused(text, f"the name {node['alias']!r} stands where an operator is expected")
    if kind == "OPERATOR" and form not in _OPERATOR_TYPES:
        raise _refused(text, f"{form.lower()} is not allowed")
    if kind == "COLUMN_REF":
        _check_column(node, text)
    if kind == "FUNCTION":
        _check_function(node, text)
    for child in _children(node):
        _check(child, text, depth + 1)


def _check_column(node: Node, text: str) -> None:
    names = node["column_names"]
    if len(names) != 1:
        raise _refused(text, f"{'.'.join(names)} is not a column of the row")
    if names[0].lower() not in CHAIN_COLUMNS:
        raise UnknownNameError("column in the dealer expression", names[0], CHAIN_COLUMNS)


def _check_function(node: Node, text: str) -> None:
    name = node["function_name"]
    path = node.get("qualified_name", {}).get("path", [name])
    if node.get("is_operator") and name in _OPERATORS:
        return
    if name.lower() not in ALLOWED_FUNCTIONS:
        raise UnknownNameError("function in the dealer expression", name, ALLOWED_FUNCTIONS)
    plain = not (node.get("filter") or node.get("distinct") or node["order_bys"]["orders"])
    if not plain or path != [name] or node.get("schema") or node.get("catalog"):
        raise _refused(text, f"{name} is used as more than a function of its arguments")


def _children(node: Node) -> Iterator[Node]:
    """Yield every expression directly below a node, whatever the field that holds it."""
    for value in node.values():
        yield from _expressions(value)


def _expressions(value: Any) -> Iterator[Node]:
    if isinstance(value, dict):
        if "class" in value:
            yield value
        else:
            for inner in value.values():
                yield from _expressions(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _expressions(inner)


def _sql_of(connection: duckdb.DuckDBPyConnection, tree: Node) -> str:
    """Return the text of a checked tree."""
    blank = connection.execute(
        load_sql("tables/expression_parse"), {"statement": "SELECT 1"}
    ).fetchone()
    assert blank is not None
    whole = json.loads(blank[0])
    whole["statements"][0]["node"]["select_list"] = [tree | {"alias": ""}]
    row = connection.execute(
        load_sql("tables/expression_write"), {"tree": json.dumps(whole)}
    ).fetchone()
    assert row is not None
    return str(row[0]).removeprefix("SELECT ")


def _require_number(connection: duckdb.DuckDBPyConnection, canonical: str, text: str) -> None:
    """Bind the expression to a row of the chain and refuse what is not a number."""
    nothing = connection.sql(load_sql("tables/expression_row"))
    try:
        found = nothing.select(duckdb.SQLExpression(canonical)).types[0]
    except duckdb.Error as error:
        raise _refused(text, str(error).splitlines()[0]) from error
    numeric = ("DECIMAL", "DOUBLE", "FLOAT", "HUGEINT", "INTEGER", "BIGINT", "SMALLINT", "TINYINT")
    if not str(found).lstrip("U").startswith(numeric):
        raise _refused(text, f"it gives {found}, not a number")
