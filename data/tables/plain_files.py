"""Small tables in which nothing has to be guessed, read without a database.

Starting DuckDB costs more (14 ms) than reading a few thousand rows, and a run reads half a dozen
such tables. Whatever is not plain, large or damaged is left to DuckDB, which reads dialects and
says what is wrong; of a plain file both give the same table, to the type.
"""

from __future__ import annotations

import string
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    import pyarrow as pa

__all__ = ["PlainFile", "plain_file"]

#: Sizes in bytes beyond which DuckDB's start no longer matters; it need not hold a file whole.
_LONGEST_TEXT: Final = 1 << 20
_LONGEST_PARQUET: Final = 16 << 20

#: What cells and commas of plain text are made of: no quote, comment or other separator.
_PLAIN: Final = (string.ascii_letters + string.digits + "_.:+-/ ,\r\n").encode()
_BLANK_LINES: Final = (b"\n\n", b"\n\r\n")
_OUTER_SPACE: Final = (b", ", b" ,", b"\n ", b" \n", b" \r")


@dataclass(frozen=True, slots=True)
class PlainFile:
    """A small table whose columns are known.

    Attributes
    ----------
    names : tuple of str
        Its columns, different also where letter case is ignored.
    """

    names: tuple[str, ...]
    _read: Callable[[list[str]], pa.Table | None]

    def table(self, columns: Sequence[str], where: Mapping[str, str]) -> pa.Table | None:
        """Return some columns of the rows whose cells of text equal others.

        Parameters
        ----------
        columns : sequence of str
            Of `names`, each once or more.
        where : mapping of str to str
            Name of a column of text to what stands there.

        Returns
        -------
        Table or None
            As DuckDB gives it; None where that is not certain: it must be asked.
        """
        import pyarrow as pa
        import pyarrow.compute as pc

        rows = self._read(list(dict.fromkeys([*columns, *where])))
        if rows is None:
            return None
        for name, wanted in where.items():
            if not pa.types.is_string(rows.schema.field(name).type):
                return None
            equal: Any = pc.equal(rows.column(name), wanted)
            rows = rows.filter(equal)
        return rows.select(list(columns))


def plain_file(path: Path) -> PlainFile | None:
    """Return a table that can be read without a database, None for any other.

    Parameters
    ----------
    path : Path
        A file that is there.
    """
    import pyarrow as pa

    ending = path.suffix.lower()
    try:
        if ending in (".parquet", ".pq"):
            return _plain_parquet(path)
        return _plain_text(path) if ending in (".csv", ".txt") else None
    except (OSError, pa.ArrowException):
        return None


def _plain_text(path: Path) -> PlainFile | None:
    """Return a table of text whose every line has the same number of bare cells."""
    if path.stat().st_size > _LONGEST_TEXT:
        return None
    content = path.read_bytes()
    odd = content.translate(None, _PLAIN) or content[:1] in b"\r\n "
    if odd or b"," not in content or any(s in content for s in (*_BLANK_LINES, *_OUTER_SPACE)):
        return None
    if content.count(b"\r") not in (0, content.count(b"\r\n")):
        return None
    header, _, rest = content.partition(b"\n")
    names = header.decode().rstrip("\r").split(",")
    if not rest or not _all_different(names):
        return None
    rows = _text_rows(content, names)
    return PlainFile(tuple(names), rows.select)


def _text_rows(content: bytes, names: Sequence[str]) -> pa.Table:
    """Return cells as text, empty ones as null.

    Raises
    ------
    ArrowException
        If lines have different numbers of cells.
    """
    import pyarrow as pa
    import pyarrow.csv as pacsv

    return pacsv.read_csv(
        pa.BufferReader(content),
        read_options=pacsv.ReadOptions(use_threads=False),
        parse_options=pacsv.ParseOptions(quote_char=False, ignore_empty_lines=False),
        convert_options=pacsv.ConvertOptions(
            column_types=dict.fromkeys(names, pa.string()),
            null_values=[""],
            strings_can_be_null=True,
        ),
    )


def _plain_parquet(path: Path) -> PlainFile | None:
    """Return a flat Parquet file; DuckDB takes names of folders such as year=2025 for columns."""
    import pyarrow.parquet as pq

    if path.stat().st_size > _LONGEST_PARQUET or "=" in str(path.absolute()):
        return None
    with pq.ParquetFile(path) as file:
        leaves = [file.schema.column(i) for i in range(len(file.schema))]
        names = [leaf.path for leaf in leaves]
        dated = {leaf.name for leaf in leaves if leaf.physical_type == "INT96"}
        if names != file.schema_arrow.names or not _all_different(names):
            return None

    def read(columns: list[str]) -> pa.Table | None:
        return None if dated.intersection(columns) else _parquet_rows(path, columns)

    return PlainFile(tuple(names), read)


def _parquet_rows(path: Path, columns: list[str]) -> pa.Table | None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with pq.ParquetFile(path) as file:
            rows = file.read(columns, use_threads=False).select(columns)
        fields = [(field.name, _type_of(field.type)) for field in rows.schema]
        return None if None in dict(fields).values() else rows.cast(pa.schema(fields))
    except (OSError, pa.ArrowException):
        return None


def _type_of(kind: pa.DataType) -> pa.DataType | None:
    """Return the type that DuckDB gives to a Parquet column, None for rare ones.

    Zones and how text was kept in memory are notes of the writer's library.
    """
    import pyarrow as pa

    is_a = pa.types
    if is_a.is_dictionary(kind):
        return pa.string() if _type_of(kind.value_type) == pa.string() else None
    if is_a.is_timestamp(kind):
        return pa.timestamp("ns" if kind.unit == "ns" else "us", kind.tz and "UTC")
    if is_a.is_string(kind) or is_a.is_large_string(kind) or is_a.is_string_view(kind):
        return pa.string()
    plain = (is_a.is_integer, is_a.is_float32, is_a.is_float64, is_a.is_boolean, is_a.is_date32)
    return kind if any(test(kind) for test in plain) else None


def _all_different(names: Sequence[str]) -> bool:
    return len({name.lower() for name in names}) == len(names) and "" not in names
