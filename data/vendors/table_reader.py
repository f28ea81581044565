"""The reader most vendors share: tables in CSV, Parquet or JSON, rows as they are."""

from __future__ import annotations

import csv
from collections import Counter
from dataclasses import replace
from itertools import groupby
from typing import TYPE_CHECKING, Final, TypeVar
from uuid import uuid4
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import duckdb
import pyarrow as pa
import pyarrow.feather as feather
import pyarrow.parquet as pq

from ..base.errors import InputFileError
from ..base.sql import bound_sql
from .json_files import json_table
from .raw_table import RawTable, SecondReading
from .text_files import TextTable, plain_text

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Sequence
    from pathlib import Path

    from .raw_table import InputFile

__all__ = ["TEXT_SUFFIXES", "read_tables"]

TEXT_SUFFIXES: Final = (".csv", ".txt", ".tsv")
_PARQUET: Final = (".parquet", ".pq", ".parq")
_JSON: Final = (".json", ".jsonl", ".ndjson")
_ARROW: Final = (".feather", ".arrow")
_T = TypeVar("_T")
#: JSON up to this size is parsed as a whole where it is nested.
_NESTED_BYTES: Final = 1 << 30
_LARGE: Final = 8 << 20
#: Tables that a change of schema between files may make, before rows are sorted instead.
_MOST_TURNS: Final = 32
_HEAD_BYTES: Final = 1 << 18
_NESTED_TYPES: Final = ("STRUCT", "MAP", "JSON", "UNION")


def read_tables(
    connection: duckdb.DuckDBPyConnection, files: Sequence[InputFile]
) -> list[RawTable]:
    """Return one raw table per set of columns that occurs among the files.

    Raises
    ------
    InputFileError
        If a file is not what its suffix says.
    """
    text = [plain_text(f, f.encoding) for f in files if _suffix(f) in TEXT_SUFFIXES]
    parquet = [f for f in files if _suffix(f) in _PARQUET]
    return [
        *(_csv(connection, group) for group in _grouped(text, _layout)),
        *(_parquet(connection, tuple(group)) for group in _in_turn(parquet)),
        *(_json(connection, file) for file in files if _suffix(file) in _JSON),
        *(_arrow(connection, file) for file in files if _suffix(file) in _ARROW),
    ]


def _suffix(file: InputFile) -> str:
    return file.path.suffix.lower()


def _grouped(files: Iterable[_T], key: Callable[[_T], object]) -> list[list[_T]]:
    groups: dict[object, list[_T]] = {}
    for file in files:
        groups.setdefault(key(file), []).append(file)
    return list(groups.values())


def _in_turn(files: Sequence[InputFile]) -> list[list[InputFile]]:
    """Return Parquet files by schema, in file order where that makes few groups of typed dates.

    A history whose years differ in a type then streams as it is, and need not be sorted first.
    """
    schemas = {file.path: _schema(file) for file in files}
    turns = [list(group) for _, group in groupby(files, key=lambda file: schemas[file.path])]
    dated = all("date32" in text or "timestamp" in text for text in schemas.values())
    few = len(turns) <= _MOST_TURNS and dated
    return turns if few else _grouped(files, lambda file: schemas[file.path])


def _layout(table: TextTable) -> object:
    return table.header, table.delimiter, table.trailing


def _csv(connection: duckdb.DuckDBPyConnection, tables: list[TextTable]) -> RawTable:
    first, files = tables[0], tuple(table.file for table in tables)
    names = [name.strip() for name in next(csv.reader([first.header], delimiter=first.delimiter))]
    columns = _unique([*names, ""] if first.trailing else names)
    paths = [str(f.path) for f in files]

    def read(numbers: Collection[str] = (), paths: list[str] = paths) -> duckdb.DuckDBPyRelation:
        kinds = {name: "DOUBLE" if name in numbers else "VARCHAR" for name in columns}
        given = {"files": paths, "columns": kinds, "delimiter": first.delimiter}
        query, given = bound_sql("vendors/read_csv", given)
        return connection.sql(query, params=given)

    relation = read()
    header = tuple(columns) if not first.trailing else tuple(columns[:-1])
    head = _head_of(files[0])
    first_rows = None if head is None else read((), [str(head)])
    return RawTable(
        relation, files, _repeated(names), SecondReading(relation, read), header, first_rows
    )


def _head_of(file: InputFile) -> Path | None:
    """Return a copy of the first lines of a large file, None where it is small."""
    if file.work is None or file.path.stat().st_size < _LARGE:
        return None
    with file.path.open("rb") as stream:
        start = stream.read(_HEAD_BYTES)
    copy = file.work / f"{uuid4().hex}{file.path.suffix}"
    # a quoted cell may hold a line end: lines with an odd number of quotes end the copy
    lines = start.splitlines(keepends=True)[:-1]
    quoted = enumerate(lines) if b'"' in start else ()
    whole = next((i for i, line in quoted if line.count(b'"') % 2), len(lines))
    copy.write_bytes(b"".join(lines[:whole]))
    return copy if whole > 1 else None


def _unique(names: list[str]) -> list[str]:
    """Name what has no name, and what has one that is taken, so that every column has its own."""
    taken: set[str] = {"file_index", "file_row"}
    unique = []
    for i, name in enumerate(names):
        fresh = name if name and name.casefold() not in taken else f"{name}#{i + 1}"
        taken.add(fresh.casefold())
        unique.append(fresh)
    return unique


def _repeated(names: list[str]) -> frozenset[str]:
    counts = Counter(name.casefold() for name in names)
    return frozenset(name for name in names if counts[name.casefold()] > 1)


def _schema(file: InputFile) -> str:
    try:
        return str(pq.read_schema(file.path).remove_metadata())
    except (OSError, pa.ArrowException) as error:
        raise InputFileError(
            f"{file.label} is not a complete Parquet file ({str(error).splitlines()[0]}): "
            "download or export it again"
        ) from error


def _parquet(connection: duckdb.DuckDBPyConnection, files: tuple[InputFile, ...]) -> RawTable:
    query, given = bound_sql("vendors/read_parquet", {"files": [str(f.path) for f in files]})
    zones = _zones(pq.read_schema(files[0].path))
    return RawTable(connection.sql(query, params=given), files, columnar=True, zones=zones)


def _zones(schema: pa.Schema) -> tuple[str, ...]:
    """Return the time zones of a table's columns."""
    said = (str(kind.tz) for kind in schema.types if pa.types.is_timestamp(kind) and kind.tz)
    return tuple(dict.fromkeys(zone for zone in said if zone != "UTC" and _is_zone(zone)))


def _is_zone(name: str) -> bool:
    try:
        return ZoneInfo(name) is not None
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return False


def _json(connection: duckdb.DuckDBPyConnection, file: InputFile) -> RawTable:
    """Read flat JSON through the engine, and what is nested as a whole."""
    query, given = bound_sql("vendors/read_json", {"files": [str(file.path)]})
    try:
        relation = connection.sql(query, params=given)
        nested = any(
            str(t).startswith(_NESTED_TYPES) or str(t).endswith("[]") for t in relation.types
        )
    except duckdb.Error as error:
        if file.path.stat().st_size > _NESTED_BYTES:
            raise InputFileError(
                f"{file.label} is not a JSON table ({str(error).splitlines()[0]}): expected an "
                "array of objects or one object per line"
            ) from error
        nested = True
    if not nested:
        return RawTable(relation, (file,))
    return _registered(connection, json_table(file), file)


def _arrow(connection: duckdb.DuckDBPyConnection, file: InputFile) -> RawTable:
    try:
        table = feather.read_table(file.path)
    except (OSError, pa.ArrowException) as error:
        raise InputFileError(
            f"{file.label} is not a complete Feather file ({str(error).splitlines()[0]}): export "
            "it again"
        ) from error
    return replace(_registered(connection, table, file), zones=_zones(table.schema))


def _registered(connection: duckdb.DuckDBPyConnection, table: object, file: InputFile) -> RawTable:
    """Return an Arrow table as one that queries can read for as long as the connection lives."""
    view = f"read_{uuid4().hex}"
    connection.register(view, table)
    relation = connection.view(view).select(
        duckdb.StarExpression(),
        duckdb.ConstantExpression(0).alias("file_index"),
        duckdb.SQLExpression("row_number() OVER ()").alias("file_row"),
    )
    return RawTable(relation, (file,))
