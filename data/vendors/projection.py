"""From a vendor's columns to typed ones: the first, per-vendor half of the pipeline."""

from __future__ import annotations

import re
from dataclasses import replace
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any, Final

import duckdb
from duckdb import ColumnExpression, ConstantExpression, FunctionExpression, SQLExpression

from ..base.errors import InputFileError
from ..base.schema import CHAIN_COLUMNS
from .preset import Sql

if TYPE_CHECKING:
    from .preset import Preset, RawTable

__all__ = ["PROJECTED", "projected"]

#: Canonical columns that a vendor may state; the rest of the pipeline fills what is NULL.
PROJECTED: Final = tuple(name for name in CHAIN_COLUMNS if name != "source")

_DAYS: Final = ("session", "expiry", "oi_asof")
_MOMENTS: Final = ("quote_ts", "expiry_ts", "known_at")
_NUMERIC: Final = (
    "TINYINT",
    "SMALLINT",
    "INTEGER",
    "BIGINT",
    "HUGEINT",
    "UTINYINT",
    "USMALLINT",
    "UINTEGER",
    "UBIGINT",
    "UHUGEINT",
    "FLOAT",
    "DOUBLE",
    "DECIMAL",
)
_NULL_TYPE: Final = '"NULL"'


def projected(
    table: RawTable, preset: Preset, zone: str, offset: int, *, numbers: bool = False
) -> duckdb.DuckDBPyRelation:
    """Return a relation with the columns `PROJECTED`, `file_index` and `file_row`.

    Parameters
    ----------
    table : RawTable
        Rows as the vendor wrote them.
    preset : Preset
        Says which column is which.
    zone : str
        Of stamps that state none.
    offset : int
        Added to `file_index`, which then counts through all tables of an ingest.
    numbers : bool
        Let the reader of text parse numbers, where it can.

    Returns
    -------
    DuckDBPyRelation
        Dates, moments in UTC, text in upper case (but `right`, which stays as it is), numbers in
        canonical units; NULL where the file says nothing. A value that cannot be read is an error
        when the relation is executed.

    Raises
    ------
    InputFileError
        If a column is absent, occurs twice, or is of a type that cannot be what it should be.
    """
    if numbers and table.with_numbers is not None:
        found = table.with_numbers(_number_columns(table, preset))
        table = replace(table, relation=found)
    number = ColumnExpression("file_index") + ConstantExpression(offset)
    columns = [_column(name, table, preset, zone, number).alias(name) for name in PROJECTED]
    row = ColumnExpression("file_row").cast("BIGINT").alias("file_row")
    return table.relation.select(*columns, number.cast("BIGINT").alias("file_index"), row)


def _number_columns(table: RawTable, preset: Preset) -> set[str]:
    """Return the columns that are numbers by the preset, and that no expression reads."""
    expressions = " ".join(c.text for c in preset.columns.values() if isinstance(c, Sql))
    available = dict.fromkeys(table.relation.columns, "VARCHAR")
    found: dict[str, set[bool]] = {}
    for name, column in preset.columns.items():
        if isinstance(column, str):
            spelled = column if column in available else _respelled(column, available)
            is_number = CHAIN_COLUMNS[name] == "DOUBLE"
            found.setdefault(spelled or "", set()).add(is_number and name not in preset.constants)
    return {
        column
        for column, kinds in found.items()
        if kinds == {True} and not re.search(rf"\b{re.escape(column)}\b", expressions)
    }


def _column(name: str, table: RawTable, preset: Preset, zone: str, file_index: Any) -> Any:
    found = _source(name, table, preset)
    if found is None:
        return ConstantExpression(None).cast(CHAIN_COLUMNS[name])
    value, kind = found
    typed = _typed(name, value, kind, preset, zone, file_index)
    if typed is None:
        raise InputFileError(
            f"{table.files[0].label}: column {_described(name, preset)} is {kind}, which cannot "
            f"be {_expected(name)}: map another column, or convert it"
        )
    factor = preset.scale.get(name, 1.0)
    scaled = typed if factor == 1.0 else typed * ConstantExpression(factor)
    return scaled.cast(CHAIN_COLUMNS[name])


def _source(name: str, table: RawTable, preset: Preset) -> tuple[Any, str] | None:
    """Return the expression that a canonical column comes from and its type, or None."""
    if name in preset.constants:
        constant = preset.constants[name]
        return ConstantExpression(constant), "VARCHAR" if isinstance(constant, str) else "DOUBLE"
    column = preset.columns.get(name)
    if column is None:
        return None
    if isinstance(column, Sql):
        return _expression(column, name, table)
    return _named(column, name, table, preset)


def _expression(column: Sql, name: str, table: RawTable) -> tuple[Any, str]:
    value = SQLExpression(column.text)
    try:
        (kind,) = table.relation.select(value.alias("value")).types
    except duckdb.Error as error:
        reason = str(error).splitlines()[0]
        raise InputFileError(
            f"{table.files[0].label}: cannot find {name} in this file ({reason}): is it this "
            "vendor's format?"
        ) from error
    return _plain(value, str(kind))


def _named(column: str, name: str, table: RawTable, preset: Preset) -> tuple[Any, str] | None:
    available = dict(zip(table.relation.columns, map(str, table.relation.types), strict=True))
    available = {k: v for k, v in available.items() if k not in ("file_index", "file_row")}
    spelled = column if column in available else _respelled(column, available)
    if spelled is None:
        if name in preset.optional:
            return None
        raise InputFileError(_absent(column, name, table, list(available)))
    if spelled.casefold() in {repeated.casefold() for repeated in table.ambiguous}:
        raise InputFileError(
            f"{table.files[0].label}: column {spelled!r} occurs twice in the header: rename one "
            "of them"
        )
    return _plain(ColumnExpression(spelled), available[spelled])


def _plain(value: Any, kind: str) -> tuple[Any, str]:
    """Read the text out of types that only dress it up."""
    if kind == "JSON":
        return FunctionExpression("json_extract_string", value, ConstantExpression("$")), "VARCHAR"
    return (value.cast("VARCHAR"), "VARCHAR") if kind.startswith("ENUM") else (value, kind)


def _respelled(column: str, available: dict[str, str]) -> str | None:
    wanted = column.strip().casefold()
    return next((name for name in available if name.strip().casefold() == wanted), None)


def _absent(column: str, name: str, table: RawTable, available: list[str]) -> str:
    near = get_close_matches(column, available, n=1)
    hint = f"did you mean {near[0]!r}? " if near else ""
    shown = ", ".join(available[:40])[:400]
    return (
        f"{table.files[0].label}: column {column!r} (for {name}) is missing: {hint}the file has "
        f"{shown}; correct the column map, or choose another vendor"
    )


def _typed(
    name: str, value: Any, kind: str, preset: Preset, zone: str, file_index: Any
) -> Any | None:
    """Return the expression in its canonical type, or None where the type cannot be meant."""
    what, where = ConstantExpression(name), ConstantExpression(zone)
    pattern = ConstantExpression(preset.timing.date_format).cast("VARCHAR")
    if kind == _NULL_TYPE:
        return value
    if name in _DAYS:
        parsed = _day(value, kind, where, pattern)
    elif name in _MOMENTS:
        parsed = _moment(value, kind, where, pattern)
    elif CHAIN_COLUMNS[name] == "DOUBLE":
        return _number(value, kind, what, file_index)
    elif not _is_scalar(kind):
        return None
    elif name == "right":
        # its few words are put into capitals once each, not row by row
        return value.cast("VARCHAR")
    else:
        return FunctionExpression("text_of", value)
    # an expiry that is no date makes its contract impossible, which is a reject with a count
    if parsed is None or name == "expiry" or kind not in ("VARCHAR", *_NUMERIC):
        return parsed
    return FunctionExpression("understood", parsed, value, what, file_index)


def _day(value: Any, kind: str, zone: Any, pattern: Any) -> Any | None:
    if kind == "DATE" or (kind.startswith("TIMESTAMP") and not _is_zoned(kind)):
        return value.cast("DATE")
    if _is_zoned(kind):
        return FunctionExpression("timezone", zone, value.cast("TIMESTAMPTZ")).cast("DATE")
    if _is_numeric(kind):
        return FunctionExpression("date_of_number", value)
    return FunctionExpression("date_of_text", value, pattern) if kind == "VARCHAR" else None


def _moment(value: Any, kind: str, zone: Any, pattern: Any) -> Any | None:
    if _is_zoned(kind):
        return value.cast("TIMESTAMPTZ")
    if kind == "DATE" or kind.startswith("TIMESTAMP"):
        return FunctionExpression("at_zone", zone, value.cast("TIMESTAMP"))
    if _is_numeric(kind):
        return FunctionExpression("moment_of_number", value)
    if kind == "VARCHAR":
        return FunctionExpression("moment_of_text", value, zone, pattern)
    return None


def _number(value: Any, kind: str, what: Any, file_index: Any) -> Any | None:
    if _is_numeric(kind):
        return FunctionExpression("number_of_number", value)
    if kind == "VARCHAR":
        return FunctionExpression("number_of_text", value, what, file_index)
    return None


def _is_zoned(kind: str) -> bool:
    return kind.endswith("WITH TIME ZONE") or kind.startswith("TIMESTAMPTZ")


def _is_numeric(kind: str) -> bool:
    return kind.partition("(")[0] in _NUMERIC


def _is_scalar(kind: str) -> bool:
    return kind == "VARCHAR" or _is_numeric(kind)


def _described(name: str, preset: Preset) -> str:
    column = preset.columns.get(name)
    return f"{column!r} (for {name})" if isinstance(column, str) else repr(name)


def _expected(name: str) -> str:
    if name in _DAYS:
        return "a date"
    if name in _MOMENTS:
        return "a time stamp"
    return "a number" if CHAIN_COLUMNS[name] == "DOUBLE" else "text"
