"""Answers in SQL to JSON, CSV and Parquet, batch by batch: memory doesn't grow with them."""

from __future__ import annotations

import json
import math
from decimal import Decimal
from typing import IO, TYPE_CHECKING, Any, Final

from ...data import QueryError, defused, defused_column, encodable, published_file, values_of
from .output import plain

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    import pyarrow as pa

    from ...data import Answer

__all__ = ["ENDINGS", "first_rows", "rows_of", "write_answer", "write_json"]

ENDINGS: Final = (".parquet", ".csv", ".json")


def rows_of(batch: pa.RecordBatch) -> Iterator[tuple[Any, ...]]:
    """Yield the rows of a batch as plain values."""
    columns = [_values(column) for column in batch.columns]
    return zip(*columns, strict=True) if columns else iter(())


def _values(column: pa.Array) -> list[Any]:
    """Return Python's values; dates beyond Python's are texts."""
    try:
        return values_of(column)
    except (ValueError, OverflowError):
        return [_text(column[i]) for i in range(len(column))]


def _text(value: pa.Scalar) -> str | None:
    """Return a date or time that Python has no value for as text, others as they are."""
    import numpy as np
    import pyarrow as pa

    if not value.is_valid:
        return None
    is_date = pa.types.is_date32(value.type)
    if not is_date and not pa.types.is_timestamp(value.type):
        return str(value)  # within a list or a structure
    unit: Any = "D" if is_date else value.type.unit
    number = value.value
    if abs(number) == (2**31 if is_date else 2**63) - 1:  # how DuckDB says it
        return "infinity" if number > 0 else "-infinity"
    zone = "+00:00" if not is_date and value.type.tz else ""
    return f"{np.datetime64(number, unit)}{zone}"


def first_rows(answer: Answer, most: int) -> tuple[list[tuple[Any, ...]], int]:
    """Return the first rows of an answer, and how many there are; the others are only counted."""
    shown: list[tuple[Any, ...]] = []
    number = 0
    for batch in answer:
        if number < most:
            shown.extend(rows_of(batch.slice(0, most - number)))
        number += batch.num_rows
    return shown, number


def write_json(answer: Answer, file: IO[str], most: float = math.inf) -> int:
    """Write an answer as one JSON list of objects; return the number of rows.

    Raises
    ------
    QueryError
        If it has more than so many characters.
    """
    names = [json.dumps(encodable(name)) for name in answer.schema.names]
    number = size = 0
    file.write("[")
    for batch in answer:
        for row in rows_of(batch):
            cells = (f"{name}: {_json(value)}" for name, value in zip(names, row, strict=True))
            text = (",\n" if number else "\n") + "  {" + ", ".join(cells) + "}"
            size += len(text)
            if size > most:
                raise QueryError(
                    f"the answer has more than {most / 1e6:.0f} MB as JSON: ask for less, or write "
                    "it to a file (--out)"
                )
            file.write(text)
            number += 1
    file.write("\n]\n" if number else "]\n")
    return number


def _json(value: Any) -> str:
    if isinstance(value, Decimal):  # digits as they are: whole numbers, and decimals
        return f"{value:f}" if value.is_finite() else "null"
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return json.dumps(plain(_stated(value)), allow_nan=False)


def _stated(value: Any) -> Any:
    """Return what JSON can say of a value within a list or a structure."""
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, dict):
        return {str(k): _stated(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [_stated(v) for v in value]
    return value


def write_answer(answer: Answer, out: Path) -> int:
    """Write an answer to a .parquet, .csv or .json file and return the number of rows.

    The file appears when it is complete. In CSV no text is a formula (see
    `gexlab.data.base.exporting`); lists and structures are JSON.

    Raises
    ------
    QueryError
        If the ending is another one, or the statement fails.
    InputFileError
        If the file cannot be written.
    """
    require_ending(out)
    with published_file(out) as beside:
        if out.suffix == ".json":
            with beside.open("w", encoding="utf-8") as file:
                return write_json(answer, file)
        return _write_batches(answer, beside, csv=out.suffix == ".csv")


def require_ending(out: Path) -> None:
    """Raise unless a file's ending says how it is written."""
    if out.suffix not in ENDINGS:
        raise QueryError(f"{out}: give a file name that ends in {', '.join(ENDINGS)}")


def _write_batches(answer: Answer, path: Path, *, csv: bool) -> int:
    import pyarrow as pa
    import pyarrow.csv
    import pyarrow.parquet

    number = 0
    if csv:
        schema = pa.schema(
            [
                pa.field(name, pa.string() if _as_text(field.type) else field.type)
                for name, field in zip(defused(answer.schema.names), answer.schema, strict=True)
            ]
        )
        writer: Any = pyarrow.csv.CSVWriter(path, schema)
    else:
        schema = answer.schema
        writer = pyarrow.parquet.ParquetWriter(path, schema, compression="zstd")
    with writer:
        for batch in answer:
            columns = [_csv_column(c) for c in batch.columns] if csv else batch.columns
            writer.write_batch(pa.RecordBatch.from_arrays(columns, schema=schema))
            number += batch.num_rows
    return number


def _as_text(kind: pa.DataType) -> bool:
    import pyarrow as pa

    return not (
        pa.types.is_boolean(kind)
        or pa.types.is_integer(kind)
        or pa.types.is_floating(kind)
        or pa.types.is_decimal(kind)
        or pa.types.is_temporal(kind)
    )


def _csv_column(column: pa.Array) -> pa.Array:
    import pyarrow as pa

    if not _as_text(column.type):
        return column
    if pa.types.is_string(column.type):
        return defused_column(column)
    return defused_column(pa.array(_texts(_values(column)), pa.string()))


def _texts(values: Iterable[Any]) -> Iterator[str | None]:
    for value in values:
        yield value if value is None or isinstance(value, str) else _json(_stated(value))
