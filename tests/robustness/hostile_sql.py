"""Hostile SQL, generated from what DuckDB itself lists: statement kinds, functions, settings."""

from __future__ import annotations

import random
from collections.abc import Iterator

import duckdb

__all__ = ["KINDS", "WITHOUT_TEXT", "kinds", "statements"]

#: One statement of each kind; `{sql}` is a path in quotes.
KINDS = {
    "ALTER": "ALTER TABLE chains ADD COLUMN evil INT",
    "ANALYZE": "ANALYZE",
    "ATTACH": "ATTACH {sql} AS evil",
    "CALL": "CALL pragma_version()",
    "COPY": "COPY (SELECT 'evil') TO {sql} (FORMAT csv, USE_TMP_FILE false)",
    "COPY_DATABASE": "COPY FROM DATABASE memory TO evil",
    "CREATE": "CREATE OR REPLACE TABLE evil AS SELECT * FROM read_text({sql})",
    "CREATE_FUNC": "CREATE MACRO evil(a) AS a",
    "DELETE": "DELETE FROM chains RETURNING *",
    "DETACH": "DETACH memory",
    "DROP": "DROP VIEW chains",
    "EXECUTE": "EXECUTE evil({sql})",
    "EXPLAIN": "EXPLAIN ANALYZE SELECT * FROM read_text({sql})",
    "EXPORT": "EXPORT DATABASE {sql}",
    "EXTENSION": "UPDATE EXTENSIONS",
    "INSERT": "INSERT INTO chains SELECT * FROM read_parquet({sql}) RETURNING *",
    "LOAD": "LOAD {sql}",
    "MERGE_INTO": "MERGE INTO chains USING (SELECT 1 AS a) s ON s.a = 1 WHEN MATCHED THEN DELETE",
    "MULTI": "SELECT 1; COPY (SELECT 1) TO {sql}",
    "PRAGMA": "PRAGMA database_list",
    "PREPARE": "PREPARE evil AS SELECT * FROM read_text({sql})",
    "SELECT": "SELECT * FROM {sql}",
    "SET": "SET temp_directory = {sql}",
    "TRANSACTION": "BEGIN",
    "UPDATE": "UPDATE chains SET strike = 0 RETURNING *",
    "VACUUM": "VACUUM",
    "VARIABLE_SET": "SET VARIABLE evil = (SELECT content FROM read_text({sql}))",
}
#: Kinds that no text has.
WITHOUT_TEXT = {"INVALID", "LOGICAL_PLAN", "RELATION"}
_WRAPS = (
    "{s}",
    "WITH x AS ({s}) SELECT * FROM x",
    "WITH x AS MATERIALIZED ({s}) SELECT * FROM x",
    "WITH RECURSIVE x AS ({s}) SELECT * FROM x",
    "SELECT * FROM ({s})",
    "SELECT ({s})",
    "SELECT 1 WHERE EXISTS ({s})",
    "SELECT 1; {s}",
    "FROM query('{q}')",
    "SELECT json_execute_serialized_sql(json_serialize_sql('{q}'))",
)


def statements(paths: list[str], *, seed: int) -> Iterator[str]:
    """Yield statements that try to read or write `paths`, in a random order that `seed` fixes."""
    everything = [*_of_kinds(paths), *_of_functions(paths), *_of_settings(paths)]
    random.Random(seed).shuffle(everything)
    yield from everything


def kinds() -> set[str]:
    """Return the statement kinds that DuckDB knows."""
    return {name for name in dir(duckdb.StatementType) if name.isupper()}


def _of_kinds(paths: list[str]) -> Iterator[str]:
    for i, text in enumerate(KINDS.values()):
        quoted = f"'{paths[i % len(paths)]}'"
        statement = text.format(sql=quoted)
        for wrap in _WRAPS:
            yield wrap.format(s=statement, q=statement.replace("'", "''"))


def _of_functions(paths: list[str]) -> Iterator[str]:
    """Yield calls of every table function and pragma, and of scalars that take a text."""
    found = duckdb.execute(
        "SELECT DISTINCT function_name, function_type, parameter_types FROM duckdb_functions() "
        "WHERE function_type IN ('table', 'pragma', 'table_macro') "
        "OR (function_type IN ('scalar', 'macro') AND list_contains(parameter_types, 'VARCHAR')) "
        "ORDER BY ALL"
    ).fetchall()
    for i, (name, kind, types) in enumerate(found):
        given = ", ".join(_argument(t, paths[i % len(paths)]) for t in types)
        call = f'"{name}"({given})'
        if kind in ("scalar", "macro"):
            yield f"SELECT {call}"
            continue
        yield f"FROM {call}"
        yield f"PRAGMA {name}" + (f"({given})" if given else "")


def _argument(kind: str | None, path: str) -> str:
    if kind is None or "VARCHAR" in kind or kind in ("ANY", "BLOB"):
        return f"['{path}']" if kind and kind.endswith("[]") else f"'{path}'"
    if kind == "TABLE":
        return "(SELECT 1)"
    return f"CAST(1 AS {kind})" if kind.isidentifier() else "1"


def _of_settings(paths: list[str]) -> Iterator[str]:
    names = duckdb.execute("SELECT name FROM duckdb_settings() ORDER BY 1").fetchall()
    for i, (name,) in enumerate(names):
        yield f"SET {name} = '{paths[i % len(paths)]}'"
        yield f"RESET {name}"
        yield f"SELECT current_setting('{name}')"
