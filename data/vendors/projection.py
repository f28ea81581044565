"""From a vendor's columns to typed ones: the first, per-vendor half of the pipeline."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any, Final

import duckdb
from duckdb import (
    CoalesceOperator,
    ColumnExpression,
    ConstantExpression,
    FunctionExpression,
    SQLExpression,
)

from ..base.errors import InputFileError, MissingColumnError
from ..base.schema import CHAIN_COLUMNS
from .cells import DAYS, MOMENTS, Cells
from .column_names import ON_HALF_DAYS, names_in, respelled
from .grouped_numbers import refuse_open_points
from .paths import path_texts
from .typed_values import as_text, typed
from .vendor_preset import Clocked, FirstOf, Part, Sql

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .vendor_preset import Preset, RawTable

__all__ = ["PROJECTED", "TAKEN", "projected", "raw_key"]

#: Canonical columns that a vendor may state; the rest of the pipeline fills what is NULL.
PROJECTED: Final = tuple(name for name in CHAIN_COLUMNS if name != "source")
#: Column that says whether a row is one that the map asks for (`Dialect.where`).
TAKEN: Final = "taken"


@dataclass(frozen=True, slots=True)
class _Source:
    """A table's column, or what is made of several, and its type."""

    value: Any
    kind: str
    column: str = ""


def projected(
    connection: duckdb.DuckDBPyConnection,
    table: RawTable,
    preset: Preset,
    zone: str,
    offset: int,
    *,
    numbers: bool = False,
    careful: bool = False,
    keys: Sequence[str] | None = None,
) -> duckdb.DuckDBPyRelation:
    """Return a relation with the columns `PROJECTED`, `file_index` and `file_row`.

    Parameters
    ----------
    connection : DuckDBPyConnection
        Holds the table.
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
    careful : bool
        Look at every cell of a column before deciding how it is written; else at the first rows,
        and a cell that is written in another way is an error when the relation is executed.
    keys : sequence of str, optional
        Columns to carry along under `raw_key`; by default those of the preset's joins.

    Returns
    -------
    DuckDBPyRelation
        Dates, moments in UTC, text in upper case (`right` and `underlying` as they are), numbers in
        canonical units; NULL where the file says nothing. A value that cannot be read is an error
        when the relation is executed. Where the preset asks for some rows, `taken` says which;
        the key columns of its joins have the names of `raw_key`.

    Raises
    ------
    InputFileError
        If a column is absent, occurs twice, is of a type that cannot be what it should be, or can
        be read in two ways.
    """
    refuse_open_points(table, preset)
    if numbers and table.with_numbers is not None:
        found = table.with_numbers(_number_columns(table, preset))
        table = replace(table, relation=found, header=())
    elif table.header:
        table = replace(table, relation=_without_headers(table))
    taken = _taken(table, preset)
    cells = Cells(connection, table, preset, zone, taken, careful=careful)
    number = ColumnExpression("file_index") + ConstantExpression(offset)
    named = _naming_contracts(table, preset) if careful else None
    columns = [
        _column(name, table, preset, cells, number, taken, named).alias(name) for name in PROJECTED
    ]
    carried = _raw_keys(preset) if keys is None else keys
    columns += [_key(name, table, preset).alias(raw_key(name)) for name in carried]
    if taken is not None:
        columns.append(taken.alias(TAKEN))
    row = ColumnExpression("file_row").cast("BIGINT").alias("file_row")
    return table.relation.select(*columns, number.cast("BIGINT").alias("file_index"), row)


def raw_key(name: str) -> str:
    """Return the name under which a file's own column is carried along for a join."""
    return f"key {name}"


def _raw_keys(preset: Preset) -> list[str]:
    names = [mine for join in preset.joins for mine, _ in join.keys if mine not in CHAIN_COLUMNS]
    return list(dict.fromkeys(names))


def _key(name: str, table: RawTable, preset: Preset) -> Any:
    source = _named(name, "the join", table, preset)
    assert source is not None
    return FunctionExpression("key_text", source.value.cast("VARCHAR"))


def _without_headers(table: RawTable) -> duckdb.DuckDBPyRelation:
    """Leave out lines that repeat the header, as joining files end to end leaves them."""
    names = [name for name in table.header if "#" not in name][:3]
    present = [n for n in names if n in table.relation.columns]
    if not names or present != names:
        return table.relation
    same: Any = None
    for name in names:
        cell = FunctionExpression("trim", ColumnExpression(name).cast("VARCHAR"))
        here = CoalesceOperator(cell, ConstantExpression("")) == ConstantExpression(name)
        same = here if same is None else same & here
    return table.relation.filter(~same)


def _taken(table: RawTable, preset: Preset) -> Any | None:
    """Return which rows the map asks for, None where it asks for all."""
    taken = None
    for where in preset.dialect.where:
        source = _named(where.column, "[where]", table, preset)
        assert source is not None
        text = FunctionExpression("key_text", source.value.cast("VARCHAR"))
        wanted = [FunctionExpression("key_text", ConstantExpression(v)) for v in where.values]
        here = CoalesceOperator(text.isin(*wanted), ConstantExpression(False))
        here = ~here if where.negated else here
        taken = here if taken is None else taken & here
    return taken


def _naming_contracts(table: RawTable, preset: Preset) -> Any | None:
    """Return which rows name an expiry or a right, None where that cannot be said.

    Others are lines of text below a table ("Total", "Data provided by ..."): what stands in them is
    not read, and they are rejected.
    """
    kinds = dict(zip(table.relation.columns, map(str, table.relation.types), strict=True))
    columns = [preset.columns.get(name) for name in ("expiry", "right")]
    if not all(isinstance(c, str) and kinds.get(c) == "VARCHAR" for c in columns):
        return None
    named = None
    for column in columns:
        blank = FunctionExpression("is_blank", ColumnExpression(str(column)))
        here = CoalesceOperator(~blank, ConstantExpression(False))
        named = here if named is None else named | here
    return named


def _number_columns(table: RawTable, preset: Preset) -> set[str]:
    """Return the columns that are numbers by the preset, and that nothing reads as text."""
    texts = [w.column for w in preset.dialect.where]
    texts += [mine for join in preset.joins for mine, _ in join.keys]
    expressions = " ".join(c.text for c in preset.columns.values() if isinstance(c, Sql))
    available = dict.fromkeys(table.relation.columns, "VARCHAR")
    found: dict[str, set[bool]] = {}
    for name, column in preset.columns.items():
        is_number = CHAIN_COLUMNS[name] == "DOUBLE" and name not in preset.dialect.values
        for said in names_in(column):
            spelled = said if said in available else respelled(said, available)
            found.setdefault(spelled or "", set()).add(is_number and name not in preset.constants)
    for said in texts:
        found.setdefault(respelled(said, available) or said, set()).add(False)
    if preset.dialect.decimal is not None or preset.dialect.thousands is not None:
        return set()
    return {
        column
        for column, kinds in found.items()
        if kinds == {True} and not re.search(rf"\b{re.escape(column)}\b", expressions)
    }


def _column(
    name: str,
    table: RawTable,
    preset: Preset,
    cells: Cells,
    file_index: Any,
    taken: Any | None,
    named: Any | None,
) -> Any:
    if name in preset.constants:
        constant = preset.constants[name]
        text = isinstance(constant, str)
        groups = [[_Source(ConstantExpression(constant), "VARCHAR" if text else "DOUBLE")]]
    else:
        groups = _sources(name, table, preset)
    if not groups:
        return ConstantExpression(None).cast(CHAIN_COLUMNS[name])
    counts = taken if named is None else named if taken is None else taken & named
    readings = [
        _mean([_read(name, s, table, preset, cells, file_index, counts) for s in group])
        for group in groups
    ]
    typed = readings[0] if len(readings) == 1 else CoalesceOperator(*readings)
    factor = 1.0 if name in preset.constants else preset.scale.get(name, 1.0)
    scaled = typed if factor == 1.0 else typed * ConstantExpression(factor)
    return scaled.cast(CHAIN_COLUMNS[name])


def _mean(values: list[Any]) -> Any:
    total = values[0]
    for value in values[1:]:
        total = total + value
    return total if len(values) == 1 else total / ConstantExpression(float(len(values)))


def _read(
    name: str,
    source: _Source,
    table: RawTable,
    preset: Preset,
    cells: Cells,
    file_index: Any,
    taken: Any | None,
) -> Any:
    value = source.value if taken is None else duckdb.CaseExpression(taken, source.value)
    value = cells.known(name, value, source.kind)
    value, kind = cells.translated(name, value, source)
    found = typed(name, value, kind, cells, file_index)
    if found is None:
        raise InputFileError(
            f"{table.files[0].label}: column {_described(name, preset)} is {kind}, which cannot "
            f"be {_expected(name)}: map another column, or convert it"
        )
    return found


def _sources(name: str, table: RawTable, preset: Preset) -> list[list[_Source]]:
    """Return the groups of columns that a canonical column comes from, best first."""
    pattern = preset.dialect.path.get(name)
    if pattern is not None:
        texts = path_texts(table, f"re:{pattern}", name) or []
        return [[_Source(_by_file(texts), "VARCHAR")]]
    column = preset.columns.get(name)
    if column is None:
        return []
    if isinstance(column, Sql):
        return [[_expression(column, name, table)]]
    if isinstance(column, Clocked):
        clocked = _clocked(column, name, table, preset)
        return [] if clocked is None else [[clocked]]
    if isinstance(column, Part):
        part = _part(column, name, table, preset)
        return [] if part is None else [[part]]
    if isinstance(column, FirstOf):
        groups = [[_named(c, name, table, preset, needed=False) for c in g] for g in column.choices]
        there = [[s for s in group if s is not None] for group in groups]
        kept = [g for g, all_of in zip(there, groups, strict=True) if len(g) == len(all_of)]
        if not kept:
            _named(column.choices[0][0], name, table, preset)
        return kept
    found = _named(column, name, table, preset)
    if found is None:
        return []
    instead = ON_HALF_DAYS.get(found.column.casefold(), ())
    later = [_named(c, name, table, preset, needed=False) for c in instead]
    more = [s for s in later if s is not None]
    return [[found], more] if more and len(more) == len(instead) else [[found]]


def _expression(column: Sql, name: str, table: RawTable) -> _Source:
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


def _clocked(column: Clocked, name: str, table: RawTable, preset: Preset) -> _Source | None:
    day = _named(column.date, name, table, preset)
    clock = _named(column.time, name, table, preset)
    if day is None or clock is None:
        return None
    value = FunctionExpression(
        "day_and_clock", as_text(day.value, day.kind), as_text(clock.value, clock.kind)
    )
    return _Source(value, "VARCHAR")


def _part(column: Part, name: str, table: RawTable, preset: Preset) -> _Source | None:
    whole = _named(column.column, name, table, preset)
    if whole is None:
        return None
    text = as_text(whole.value, whole.kind)
    found = FunctionExpression(
        "regexp_extract", text, ConstantExpression(column.pattern), ConstantExpression(1)
    )
    return _Source(FunctionExpression("nullif", found, ConstantExpression("")), "VARCHAR")


def _named(
    column: str, name: str, table: RawTable, preset: Preset, *, needed: bool = True
) -> _Source | None:
    available = dict(zip(table.relation.columns, map(str, table.relation.types), strict=True))
    available = {k: v for k, v in available.items() if k not in ("file_index", "file_row")}
    spelled = column if column in available else respelled(column, available)
    if spelled is None:
        texts = path_texts(table, column, name)
        if texts is not None:
            return _Source(_by_file(texts), "VARCHAR")
        if name in preset.optional or not needed:
            return None
        raise MissingColumnError(_absent(column, name, table, list(available)))
    if spelled.casefold() in {repeated.casefold() for repeated in table.ambiguous}:
        raise InputFileError(
            f"{table.files[0].label}: column {spelled!r} occurs twice in the header: rename one "
            "of them"
        )
    return _plain(ColumnExpression(spelled), available[spelled], spelled)


def _by_file(texts: list[str | None]) -> Any:
    place = ColumnExpression("file_index").cast("BIGINT") + ConstantExpression(1)
    return FunctionExpression("list_extract", ConstantExpression(texts), place).cast("VARCHAR")


def _plain(value: Any, kind: str, column: str = "") -> _Source:
    """Read the text out of types that only dress it up."""
    if kind == "JSON":
        text = FunctionExpression("json_extract_string", value, ConstantExpression("$"))
        return _Source(text, "VARCHAR", column)
    if kind.startswith("ENUM") or kind == "UUID":
        return _Source(value.cast("VARCHAR"), "VARCHAR", column)
    return _Source(value, kind, column)


def _absent(column: str, name: str, table: RawTable, available: list[str]) -> str:
    near = get_close_matches(column, available, n=1)
    hint = f"did you mean {near[0]!r}? " if near else ""
    shown = ", ".join(available[:40])[:400]
    return (
        f"{table.files[0].label}: column {column!r} (for {name}) is missing: {hint}the file has "
        f"{shown}; correct the column map (gexlab inspect writes one), or choose another vendor"
    )


def _described(name: str, preset: Preset) -> str:
    column = preset.columns.get(name)
    return f"{column!r} (for {name})" if isinstance(column, str) else repr(name)


def _expected(name: str) -> str:
    if name in DAYS:
        return "a date"
    if name in MOMENTS:
        return "a time stamp"
    return "a number" if CHAIN_COLUMNS[name] == "DOUBLE" else "text"
