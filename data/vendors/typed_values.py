"""Values of a vendor's column in their canonical type, as expressions of DuckDB."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from duckdb import ConstantExpression, FunctionExpression

from ..base.schema import CHAIN_COLUMNS
from .cells import DAYS, MOMENTS

if TYPE_CHECKING:
    from .cells import Cells

__all__ = ["as_text", "typed"]

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


def typed(name: str, value: Any, kind: str, cells: Cells, file_index: Any) -> Any | None:
    """Return the expression in its canonical type, or None where the type cannot be meant."""
    what = ConstantExpression(name)
    if kind == _NULL_TYPE:
        return value
    if name in DAYS:
        parsed = _day(name, value, kind, cells)
    elif name in MOMENTS:
        parsed = _moment(name, value, kind, cells)
    elif CHAIN_COLUMNS[name] == "DOUBLE":
        return _number(name, value, kind, cells, file_index)
    elif not _is_scalar(kind):
        return None
    elif name == "right":
        # its few words are put into capitals once each, not row by row
        return cells.right(value.cast("VARCHAR"))
    elif name == "underlying":  # names that differ in case alone are two
        return FunctionExpression("name_of", as_text(value, kind))
    else:
        return FunctionExpression("text_of", as_text(value, kind))
    if parsed is None or kind not in ("VARCHAR", *_NUMERIC):
        return parsed
    # an expiry that is no date makes its contract impossible, which is a reject with a count
    lenient = name == "expiry" and cells.careful
    how = "understood_word" if lenient else "understood"
    return FunctionExpression(how, parsed, value, what, file_index)


def _day(name: str, value: Any, kind: str, cells: Cells) -> Any | None:
    if kind == "DATE":
        return value
    if kind.startswith("TIMESTAMP") and not _is_zoned(kind):
        return value.cast("DATE")
    if _is_zoned(kind):
        moment = value.cast("TIMESTAMPTZ")
        zone = cells.zone_of_days(moment)
        return FunctionExpression("timezone", ConstantExpression(zone), moment).cast("DATE")
    return cells.day(name, as_text(value, kind)) if _is_scalar(kind) else None


def _moment(name: str, value: Any, kind: str, cells: Cells) -> Any | None:
    if (
        kind == "DATE"
        or kind == "VARCHAR"
        or (kind.startswith("TIMESTAMP") and not _is_zoned(kind))
    ):
        cells.require_clock(name, value.cast("VARCHAR"))
    if _is_zoned(kind):
        return value.cast("TIMESTAMPTZ")
    if kind == "DATE" or kind.startswith("TIMESTAMP"):
        zone = ConstantExpression(cells.zone)
        return FunctionExpression("at_zone", zone, value.cast("TIMESTAMP"))
    return cells.moment(name, as_text(value, kind)) if _is_scalar(kind) else None


def _number(name: str, value: Any, kind: str, cells: Cells, file_index: Any) -> Any | None:
    if _is_numeric(kind):
        return FunctionExpression("number_of_number", value)
    return cells.number(name, value, file_index) if kind == "VARCHAR" else None


def as_text(value: Any, kind: str) -> Any:
    """Return a value as the text that a file of text would hold."""
    if kind == "VARCHAR":
        return value
    if kind.startswith("TIMESTAMP"):
        return value.cast("DATE").cast("VARCHAR")
    if kind.partition("(")[0] in ("FLOAT", "DOUBLE", "DECIMAL"):
        return FunctionExpression("text_of_number", value.cast("DOUBLE"))
    return value.cast("VARCHAR")


def _is_zoned(kind: str) -> bool:
    return kind.endswith("WITH TIME ZONE") or kind.startswith("TIMESTAMPTZ")


def _is_numeric(kind: str) -> bool:
    return kind.partition("(")[0] in _NUMERIC


def _is_scalar(kind: str) -> bool:
    return kind == "VARCHAR" or _is_numeric(kind) or kind == "BOOLEAN"
