"""Users' own tables, Parquet or CSV: the mapped columns of the wanted rows, as they stand there.

`cells` turns them into numbers, days and moments.
"""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING, Any, Final

from ..base.errors import InputFileError, MissingColumnError, NoRowsError
from ..base.sql import load_sql
from ..vendors.json_files import json_table
from ..vendors.vendor_preset import InputFile
from .plain_files import plain_file
from .three_headers import three_headers

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    import duckdb
    import pandas as pd

__all__ = ["Scalar", "read_table", "require_file"]

Scalar = str | int | float | bool

_WHERE: Final = (
    "bars_columns, intraday_columns or a series' columns in a configuration, --bars-columns of a "
    "command"
)


def read_table(
    path: Path,
    columns: Mapping[str, Sequence[str]],
    *,
    optional: Sequence[str] = (),
    where: Mapping[str, Scalar] | None = None,
) -> pd.DataFrame:
    """Read the wanted columns of the wanted rows.

    Parameters
    ----------
    path : Path
        A ``.parquet`` file; anything else is read as CSV with a header line.
    columns : mapping of str to sequence of str
        Canonical name to the file's names for it, best first; letter case does not matter unless
        two columns differ in nothing else.
    optional : sequence of str
        Canonical names that may be absent.
    where : mapping of str to scalar, optional
        Column of the file to the value that a row must have there to be kept.

    Returns
    -------
    DataFrame
        Columns by canonical name, plain index; CSV cells are text.

    Raises
    ------
    InputFileError
        If the file is absent, unreadable or empty, or lacks a column or every wanted row
        (`NoRowsError`).
    """
    require_file(path)
    frame = _plain_frame(path, columns, optional, where or {})
    if frame is None:
        frame = _frame_by_sql(path, columns, optional, where or {})
    if frame.empty:
        kept = ", ".join(f"{name} = {value!r}" for name, value in (where or {}).items())
        raise NoRowsError(f"{path}: no rows{' where ' + kept if kept else ''}")
    return frame


def _plain_frame(
    path: Path,
    columns: Mapping[str, Sequence[str]],
    optional: Sequence[str],
    where: Mapping[str, Scalar],
) -> pd.DataFrame | None:
    """Return the wanted rows of a plain file, None where DuckDB must be asked."""
    file = plain_file(path)
    if file is None or three_headers(path) is not None:
        return None
    present = list(file.names)
    wanted = {_match(present, [name]): _text(value) for name, value in where.items()}
    names = _resolve(path, present, columns, optional)
    if None in wanted or len(wanted) < len(where):
        return None
    rows = file.table(list(names.values()), {str(n): text for n, text in wanted.items()})
    if rows is None:
        return None
    frame: pd.DataFrame = rows.rename_columns(list(names)).to_pandas()
    return _in_own_zones(path, frame, names)


def _frame_by_sql(
    path: Path,
    columns: Mapping[str, Sequence[str]],
    optional: Sequence[str],
    where: Mapping[str, Scalar],
) -> pd.DataFrame:
    """Return the wanted rows of any file."""
    import duckdb

    query = (
        "tables/table_parquet" if path.suffix.lower() in {".parquet", ".pq"} else "tables/table_csv"
    )
    with duckdb.connect(config={"threads": 1}) as connection:
        connection.execute("SET TimeZone = 'UTC'")
        try:
            relation = _opened(connection, path, query)
            names = _resolve(path, list(relation.columns), columns, optional)
            rows = _keep(path, relation, where)
            wanted = [duckdb.ColumnExpression(names[c]).alias(c) for c in names]
            frame: pd.DataFrame = rows.select(*wanted).to_arrow_table().to_pandas()
            frame = _in_own_zones(path, frame, names)
        except duckdb.Error as error:
            reason = str(error).splitlines()[0]
            raise InputFileError(f"{path}: cannot be read: {reason}; write it anew") from error
    return frame


def _in_own_zones(path: Path, frame: pd.DataFrame, names: Mapping[str, str]) -> pd.DataFrame:
    """Return stamps in the zones that a Parquet file states: they are read in UTC."""
    import pandas as pd

    aware = [str(name) for name in frame if isinstance(frame[name].dtype, pd.DatetimeTZDtype)]
    if not aware:
        return frame
    import pyarrow.parquet as pq

    schema = pq.read_schema(path)
    zones = {name: getattr(schema.field(names[name]).type, "tz", None) for name in aware}
    return frame.assign(**{n: frame[n].dt.tz_convert(zone) for n, zone in zones.items() if zone})


def require_file(path: Path) -> None:
    """Refuse a file that is not there, with the name of one beside it that was probably meant.

    Raises
    ------
    InputFileError
    """
    if not path.is_file():
        raise InputFileError(f"{path}: no such file: {_beside(path)}correct its path")


def _opened(connection: duckdb.DuckDBPyConnection, path: Path, query: str) -> Any:
    """Return a table as its rows; CSV with yfinance's three header lines has the usual names."""
    if path.suffix.lower() in (".json", ".jsonl", ".ndjson"):
        return connection.from_arrow(json_table(InputFile(path, str(path), "")))
    names = None if query.endswith("parquet") else three_headers(path)
    if names is None:
        return connection.sql(load_sql(query), params={"file": str(path)})
    given = {"file": str(path), "names": names}
    return connection.sql(load_sql("tables/table_csv_named"), params=given)


def _resolve(
    path: Path,
    present: list[str],
    columns: Mapping[str, Sequence[str]],
    optional: Sequence[str],
) -> dict[str, str]:
    found = {name: _match(present, candidates) for name, candidates in columns.items()}
    missing = [name for name, column in found.items() if column is None and name not in optional]
    if missing:
        expected = columns[missing[0]][0]
        raise MissingColumnError(
            f"{path}: no column {expected!r} for {missing[0]!r}: the file has "
            f"{_listed(present)}; say which of them it is ({_WHERE})"
        )
    return {name: column for name, column in found.items() if column is not None}


def _beside(path: Path) -> str:
    """Return the question after the file that was probably meant; empty where none is near."""
    try:
        names = [entry.name for entry in path.parent.iterdir() if entry.is_file()]
    except OSError:
        return ""
    near = get_close_matches(path.name, names, n=1)
    return f"did you mean {near[0]!r}? " if near else ""


def _listed(names: Sequence[str]) -> str:
    """Return column names in one line, whatever they contain."""
    return ", ".join(" ".join(name.split()) for name in names)


def _match(present: list[str], candidates: Sequence[str]) -> str | None:
    for candidate in candidates:
        same = [name for name in present if name.lower() == candidate.lower()]
        if candidate in present or len(same) == 1:
            return candidate if candidate in present else same[0]
    return None


def _keep(
    path: Path, relation: duckdb.DuckDBPyRelation, where: Mapping[str, Scalar]
) -> duckdb.DuckDBPyRelation:
    for name, value in where.items():
        column = _match(list(relation.columns), [name])
        if column is None:
            raise InputFileError(
                f"{path}: no column {name!r} to select rows by: the file has "
                f"{_listed(relation.columns)}"
            )
        import duckdb

        text = duckdb.ColumnExpression(column).cast(duckdb.sqltypes.VARCHAR)
        relation = relation.filter(text == duckdb.ConstantExpression(_text(value)))
    return relation


def _text(value: Scalar) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
