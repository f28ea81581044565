"""Numbers whose points can be decimal marks or separate thousands, where a file leaves it open."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import pyarrow as pa
import pyarrow.compute as pc
from duckdb import ColumnExpression

from ..base.errors import InputFileError
from ..base.schema import CHAIN_COLUMNS
from .column_names import names_in

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .vendor_preset import Preset, RawTable

__all__ = ["refuse_open_points"]

_HEAD_ROWS: Final = 2048
_COUNTS: Final = ("open_interest", "volume")
_GROUPED: Final = r"^\s*[-+]?[1-9][0-9]{0,2}([.][0-9]{3})+\s*$"
#: Cells that decide: four digits in a row, a comma, or a point that cannot separate thousands.
_DECIDES: Final = r"[0-9]{4}|,|^\s*[-+]?0?[.]|[.][0-9]{1,2}\s*$|[0-9][eE]"


def refuse_open_points(table: RawTable, preset: Preset) -> None:
    """Refuse a table of text in which every number with a point can be read in two ways.

    A strike of ``4.700`` is 4.7 or 4700; elsewhere in most files a number such as 0.15, 4700 or
    1,5 decides. Counts of contracts are asked by themselves: nothing else contradicts an open
    interest of ``1.234`` that is a thousand times larger, in files where prices have points too.

    Raises
    ------
    InputFileError
        If nothing among the first rows decides, and the map does not either.
    """
    dialect = preset.dialect
    if dialect.decimal is not None or dialect.thousands is not None:
        return
    kinds = dict(zip(table.relation.columns, map(str, table.relation.types), strict=True))
    said = {
        name: [c for c in names_in(column) if kinds.get(c) == "VARCHAR"]
        for name, column in preset.columns.items()
        if CHAIN_COLUMNS[name] == "DOUBLE" and name not in preset.constants
    }
    columns = list(dict.fromkeys(c for names in said.values() for c in names))
    if not columns:
        return
    rows = table.relation if table.head is None else table.head
    head = rows.select(*map(ColumnExpression, columns)).limit(_HEAD_ROWS).to_arrow_table()
    _refuse_open(columns, "the file", head, table)
    counts = dict.fromkeys(c for name in _COUNTS for c in said.get(name, ()))
    for column in counts:
        _refuse_open([column], f"column {column!r}", head, table)


def _refuse_open(columns: Sequence[str], where: str, head: pa.Table, table: RawTable) -> None:
    cells = pa.chunked_array([chunk for name in columns for chunk in head.column(name).chunks],
                             pa.string())  # fmt: skip
    open_ = _first(cells, _GROUPED)
    if open_ is None or _first(cells, _DECIDES) is not None:
        return
    text = open_.strip()
    raise InputFileError(
        f"{table.files[0].label}: {text!r} can be read as {text.replace('.', '')} or with a "
        f'decimal point, and nothing else in {where} decides: state thousands = "." or '
        'decimal = "." in the map'
    )


def _first(cells: Any, pattern: str) -> str | None:
    found = cells.filter(pc.match_substring_regex(cells, pattern))
    return found[0].as_py() if len(found) else None
