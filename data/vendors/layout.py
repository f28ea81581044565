"""Files that hold two contracts in a row, or spell their columns in several ways."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

from ..base.errors import MissingColumnError
from .vendor_preset import InputFile, RawTable, Reader, SecondReading, Sql

if TYPE_CHECKING:
    import duckdb
    from duckdb import Expression

__all__ = [
    "OCC_ROOT",
    "OCC_UNDERLYING",
    "Layout",
    "both_sides",
    "long_table",
    "reader_of",
    "side_column",
]

Spellings = Mapping[str, tuple[str, ...]]

_OCC: Final = r"^[A-Z0-9.^_]{1,6} *\d{6}[CP]\d{8}$"
#: Root of an option symbol as the OCC writes it ("SPXW  110107C01050000", spaces optional), which
#: a layout calls `contract`; NULL for symbols of another kind.
OCC_ROOT: Final = Sql(
    f"CASE WHEN regexp_matches(upper(trim(contract)), '{_OCC}') "
    "THEN trim(left(trim(contract), length(trim(contract)) - 15)) END"
)
#: The underlying of an option symbol, called `contract`: weekly, quarterly and PM series belong to
#: their index. A root of an adjusted contract ("SPY1") stays itself: its deliverable is another.
OCC_UNDERLYING: Final = Sql(
    f"""CASE {OCC_ROOT.text}
    WHEN 'SPXW' THEN 'SPX' WHEN 'SPXPM' THEN 'SPX' WHEN 'SPXQ' THEN 'SPX'
    WHEN 'NDXP' THEN 'NDX' WHEN 'RUTW' THEN 'RUT' WHEN 'VIXW' THEN 'VIX' WHEN 'DJXW' THEN 'DJX'
    WHEN 'OEXW' THEN 'OEX' WHEN 'XSPW' THEN 'XSP' WHEN 'MRUTW' THEN 'MRUT'
    ELSE {OCC_ROOT.text} END"""
)


@dataclass(frozen=True, slots=True)
class Layout:
    """How the columns of a file become the columns that a preset speaks of.

    Attributes
    ----------
    shared : mapping of str to tuple of str
        Name in the preset to the spellings that occur in files; the first one present is taken.
        Spaces around and case do not matter.
    call, put : mapping of str to tuple of str
        The same for files that hold a call and a put in each row; both empty where a row is one
        contract. A column `right` is added.
    optional : frozenset of str
        Names that a file may lack; the table then lacks them, too.
    """

    shared: Spellings
    call: Spellings = field(default_factory=dict)
    put: Spellings = field(default_factory=dict)
    optional: frozenset[str] = frozenset()


def reader_of(layout: Layout) -> Reader:
    """Return a reader of CSV, Parquet and JSON tables of a layout."""

    def read(connection: duckdb.DuckDBPyConnection, files: Sequence[InputFile]) -> list[RawTable]:
        from .table_reader import read_tables

        return [long_table(table, layout) for table in read_tables(connection, files)]

    return read


def long_table(table: RawTable, layout: Layout) -> RawTable:
    """Return a table with the layout's names, and one contract per row.

    Of a row with a call and a put, the call comes first.

    Raises
    ------
    InputFileError
        If the file lacks a column that is not optional.
    """
    if not layout.call:
        relation = table.relation.select(
            *_chosen(table, layout.shared, layout.optional), *_place(1, 0)
        )
    else:
        calls = {**layout.shared, **layout.call}
        puts = {**layout.shared, **layout.put}
        relation = table.relation.select(
            *_chosen(table, calls, layout.optional), _text("C").alias("right"), *_place(2, 0)
        ).union(
            table.relation.select(
                *_chosen(table, puts, layout.optional), _text("P").alias("right"), *_place(2, 1)
            )
        )
    reread = table.with_numbers

    def with_numbers(names: Collection[str]) -> duckdb.DuckDBPyRelation:
        assert reread is not None
        numbers = reread(_only_for(names, table, layout))
        return long_table(replace(table, relation=numbers), layout).relation

    return replace(
        table,
        relation=relation,
        ambiguous=frozenset(),
        header=(),
        head=None
        if table.head is None
        else long_table(
            replace(table, relation=table.head, head=None, rereading=None), layout
        ).relation,
        rereading=None if reread is None else SecondReading(relation, with_numbers),
    )


def _head(table: RawTable, layout: Layout) -> duckdb.DuckDBPyRelation | None:
    if table.head is None:
        return None
    first = replace(table, relation=table.head, head=None, rereading=None)
    return long_table(first, layout).relation


def side_column(name: str) -> str:
    """Return the name under which a column of either side stands in a two-sided table."""
    return f"either {name}"


def both_sides(table: RawTable, sides: Sequence[tuple[str, str, str]]) -> RawTable:
    """Return a table with a call and a put in each row as one with a row for each, the call first.

    Parameters
    ----------
    table : RawTable
    sides : sequence of (str, str, str)
        Name, column of calls, column of puts.

    Raises
    ------
    MissingColumnError
        If the file lacks one of the columns.
    """
    relation = _either(table, sides, 1, "C", 0).union(_either(table, sides, 2, "P", 1))
    head = None
    if table.head is not None:
        first = replace(table, relation=table.head)
        head = _either(first, sides, 1, "C", 0).union(_either(first, sides, 2, "P", 1))
    return replace(table, relation=relation, rereading=None, header=(), head=head)


def _either(
    table: RawTable, sides: Sequence[tuple[str, str, str]], side: int, right: str, offset: int
) -> duckdb.DuckDBPyRelation:
    from duckdb import ColumnExpression, StarExpression

    present = _present(table)
    chosen = []
    for names in sides:
        found = present.get(names[side].strip().casefold())
        if found is None:
            raise _absent(table, names[0], (names[side],))
        chosen.append(ColumnExpression(found).alias(side_column(names[0])))
    chosen.append(_text(right).alias(side_column("right")))
    return table.relation.select(
        StarExpression(exclude=["file_index", "file_row"]), *chosen, *_place(2, offset)
    )


def _only_for(names: Collection[str], table: RawTable, layout: Layout) -> set[str]:
    """Return the file's columns that stand for these names and for no others."""
    serves: dict[str, set[str]] = {}
    present = _present(table)
    for part in (layout.shared, layout.call, layout.put):
        for name, spellings in part.items():
            column = _spelled(spellings, present)
            if column is not None:
                serves.setdefault(column, set()).add(name)
    return {column for column, served in serves.items() if served <= set(names)}


def _chosen(table: RawTable, names: Spellings, optional: frozenset[str]) -> list[Expression]:
    from duckdb import ColumnExpression

    present = _present(table)
    chosen = []
    for name, spellings in names.items():
        found = _spelled(spellings, present)
        if found is not None:
            chosen.append(ColumnExpression(found).alias(name))
        elif name not in optional:
            raise _absent(table, name, spellings)
    return chosen


def _present(table: RawTable) -> dict[str, str]:
    return {column.strip().casefold(): column for column in reversed(table.relation.columns)}


def _spelled(spellings: tuple[str, ...], present: dict[str, str]) -> str | None:
    return next((present[s.casefold()] for s in spellings if s.casefold() in present), None)


def _absent(table: RawTable, name: str, spellings: tuple[str, ...]) -> MissingColumnError:
    columns = [c for c in table.relation.columns if c not in ("file_index", "file_row")]
    return MissingColumnError(
        f"{table.files[0].label}: expected a column {' or '.join(spellings)} ({name}), found "
        f"{', '.join(columns)[:400]}: gexlab inspect FILE says which vendor or map "
        "fits; or map the columns with --vendor columns"
    )


def _place(step: int, offset: int) -> list[Expression]:
    """Return where a row stands: the rows of a file keep their order."""
    from duckdb import ColumnExpression, ConstantExpression

    row = ColumnExpression("file_row") * ConstantExpression(step) + ConstantExpression(offset)
    return [ColumnExpression("file_index"), row.alias("file_row")]


def _text(value: str) -> Expression:
    from duckdb import ConstantExpression

    return ConstantExpression(value)
