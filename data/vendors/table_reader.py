"""The reader most vendors share: tables in CSV, Parquet or JSON, rows as they are."""

from __future__ import annotations

import csv
from collections import Counter
from typing import TYPE_CHECKING, Final

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from ..base.errors import InputFileError
from ..base.sql import load_sql
from .preset import RawTable, Rereading

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Sequence

    from .preset import InputFile

__all__ = ["TEXT_SUFFIXES", "read_tables"]

TEXT_SUFFIXES: Final = (".csv", ".txt", ".tsv")
_HEADER_BYTES: Final = 1 << 20
_DELIMITERS: Final = (",", "\t", ";", "|")


def read_tables(
    connection: duckdb.DuckDBPyConnection, files: Sequence[InputFile]
) -> list[RawTable]:
    """Return one raw table per set of columns that occurs among the files.

    Raises
    ------
    InputFileError
        If a file is not what its suffix says.
    """
    text = [f for f in files if f.path.suffix.lower() in TEXT_SUFFIXES]
    parquet = [f for f in files if f.path.suffix.lower() == ".parquet"]
    json = [f for f in files if f.path.suffix.lower() == ".json"]
    return [
        *(_csv(connection, header, group) for header, group in _grouped(text, header_line)),
        *(_parquet(connection, group) for _, group in _grouped(parquet, _schema)),
        *(_json(connection, file) for file in json),
    ]


def _grouped(
    files: Iterable[InputFile], key: Callable[[InputFile], str]
) -> list[tuple[str, tuple[InputFile, ...]]]:
    groups: dict[str, list[InputFile]] = {}
    for file in files:
        groups.setdefault(key(file), []).append(file)
    return [(name, tuple(group)) for name, group in groups.items()]


def header_line(file: InputFile) -> str:
    """Return the first line of a text file."""
    with file.path.open("rb") as stream:
        line = stream.read(_HEADER_BYTES).lstrip(b"\xef\xbb\xbf").splitlines()[:1]
    try:
        text = line[0].decode("utf-8") if line else ""
    except UnicodeDecodeError as error:
        raise InputFileError(
            f"{file.label}: the header is not UTF-8 (byte {error.start}): convert the file, e.g. "
            "with iconv -t UTF-8"
        ) from error
    if not text.strip() or "\x00" in text:
        raise InputFileError(
            f"{file.label}: the first line is not a header of column names: this is no table in "
            "text; export it again, or leave the file out"
        )
    return text


def _csv(
    connection: duckdb.DuckDBPyConnection, header: str, files: tuple[InputFile, ...]
) -> RawTable:
    delimiter = max(_DELIMITERS, key=header.count)
    names = [name.strip() for name in next(csv.reader([header], delimiter=delimiter))]
    columns, paths = _unique(names), [str(f.path) for f in files]

    def read(numbers: Collection[str] = ()) -> duckdb.DuckDBPyRelation:
        kinds = {name: "DOUBLE" if name in numbers else "VARCHAR" for name in columns}
        given = {"files": paths, "columns": kinds, "delimiter": delimiter}
        return connection.sql(load_sql("vendors/read_csv"), params=given)

    relation = read()
    return RawTable(relation, files, _repeated(names), Rereading(relation, read))


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
    paths = [str(f.path) for f in files]
    return RawTable(
        connection.sql(load_sql("vendors/read_parquet"), params={"files": paths}), files
    )


def _json(connection: duckdb.DuckDBPyConnection, file: InputFile) -> RawTable:
    try:
        relation = connection.sql(load_sql("vendors/read_json"), params={"files": [str(file.path)]})
    except duckdb.Error as error:
        raise InputFileError(
            f"{file.label} is not a JSON table ({str(error).splitlines()[0]}): expected an array "
            "of objects or one object per line"
        ) from error
    return RawTable(relation, (file,))
