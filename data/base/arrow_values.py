"""Arrow's values as Python's, without pandas: Arrow loads it to say what a moment is."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["records_of", "values_of"]

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_UNITS: Final = {
    "s": timedelta(seconds=1),
    "ms": timedelta(milliseconds=1),
    "us": timedelta(microseconds=1),
}


def values_of(column: pa.Array | pa.ChunkedArray) -> list[Any]:
    """Return the values of a column, missing as None.

    Parameters
    ----------
    column : Array or ChunkedArray

    Returns
    -------
    list
        What ``to_pylist`` gives; moments in UTC have `datetime.UTC`.

    Raises
    ------
    OverflowError
        If a moment is beyond Python's.

    Examples
    --------
    >>> import pyarrow as pa
    >>> values_of(pa.array([1_000_000, None], pa.timestamp("us", tz="UTC")))
    [datetime.datetime(1970, 1, 1, 0, 0, 1, tzinfo=datetime.timezone.utc), None]
    """
    import pyarrow as pa

    kind = column.type
    known = pa.types.is_timestamp(kind) and kind.unit in _UNITS and kind.tz in (None, "UTC")
    if not known:
        found: list[Any] = column.to_pylist()
        return found
    if isinstance(column, pa.ChunkedArray):
        return [value for chunk in column.chunks for value in values_of(chunk)]
    unit = _UNITS[kind.unit]
    epoch = _EPOCH if kind.tz else _EPOCH.replace(tzinfo=None)
    return [None if n is None else epoch + n * unit for n in column.view(pa.int64()).to_pylist()]


def records_of(table: pa.Table) -> list[dict[str, Any]]:
    """Return the rows of a table, each a dictionary of its columns; see `values_of`.

    Parameters
    ----------
    table : Table

    Returns
    -------
    list of dict
        Missing is None.
    """
    columns = [values_of(column) for column in table.columns]
    return [dict(zip(table.column_names, row, strict=True)) for row in zip(*columns, strict=True)]
