"""Rows of the regime table and its side tables, ready to become Arrow tables."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from ..exposure.side_columns import SIDE_COLUMNS
from ..lake.arrow_tables import Coded, Gapped, PlainTable, table_of
from .regime_columns import KEY, MOMENTS, REGIME_COLUMNS, Key

if TYPE_CHECKING:
    from collections.abc import ItemsView, Sequence

    from ..exposure.side_columns import Kind

__all__ = ["BookRows", "regime_columns_of", "regime_table", "side_columns_of"]

Floats: TypeAlias = npt.NDArray[np.float64]

_ARROW: Final = {
    "VARCHAR": pa.string(),
    "DATE": pa.date32(),
    "DOUBLE": pa.float64(),
    "BIGINT": pa.int64(),
    "TIMESTAMPTZ": pa.timestamp("us", tz="UTC"),
}
_REGIME_KINDS: Final = {name: _ARROW[kind] for name, kind in REGIME_COLUMNS.items()}
_NUMBERS: Final = [name for name, kind in _REGIME_KINDS.items() if pa.types.is_floating(kind)]
_EPOCH_ORDINAL: Final = date(1970, 1, 1).toordinal()
_SIDE_KINDS: Final = {"session": _ARROW["DATE"], "known_at": _ARROW["TIMESTAMPTZ"]}


@dataclass(frozen=True, slots=True)
class BookRows:
    """All rows of one session and book.

    Attributes
    ----------
    key : Key
    regime : tuple
        Its row of the regime table, see `regime_row`.
    tables : dict of str to ndarray, shape (columns, rows)
        Side tables, see `side_columns.SIDE_COLUMNS`.
    findings : list of dict
        Rows of the table ``quality_findings``.
    """

    key: Key
    regime: tuple[Any, ...]
    tables: dict[str, Floats]
    findings: list[dict[str, Any]]

    def columns(self, table: str) -> dict[str, npt.NDArray[Any]]:
        """Return a side table's columns after the key; NaN and NaT where undefined."""
        found = {}
        for (name, kind), values in zip(_side(table), self.tables[table], strict=True):
            column = _meant(values, kind)
            found[name] = np.array(kind)[column] if isinstance(kind, tuple) else column
        return found


def regime_columns_of(rows: Sequence[BookRows]) -> PlainTable:
    """Return regime rows as the canonical columns, before they become an Arrow table."""
    values = [*zip(*(each.regime for each in rows), strict=True)] or [()] * len(_REGIME_KINDS)
    columns: dict[str, Any] = dict(zip(_REGIME_KINDS, values, strict=True))
    numbers = np.array([columns[name] for name in _NUMBERS], np.float64)
    columns |= zip(_NUMBERS, _gapped(numbers), strict=True)
    columns |= {name: np.array(columns[name], np.int64) for name in MOMENTS}
    return PlainTable(columns, _REGIME_KINDS, KEY)


def regime_table(rows: Sequence[BookRows]) -> pa.Table:
    """Return regime rows as an Arrow table of the canonical columns."""
    return table_of(regime_columns_of(rows).columns, _REGIME_KINDS)


def side_columns_of(rows: Sequence[BookRows]) -> dict[str, PlainTable]:
    """Return the rows of all side tables with their keys, before they become Arrow tables."""
    # a fortieth of what numpy takes for dates
    ordinals = np.array([each.key.session.toordinal() for each in rows], np.int32)
    days = ordinals - np.int32(_EPOCH_ORDINAL)
    words = {
        name: _numbered([getattr(each.key, name) for each in rows])
        for name in KEY
        if name != "session"
    }
    found = {}
    for table in rows[0].tables:
        parts = [each.tables[table] for each in rows]
        whose = np.repeat(np.arange(len(parts)), [part.shape[1] for part in parts])
        nobody = np.zeros_like(whose)
        columns: dict[str, Any] = dict.fromkeys(KEY)
        columns["session"] = days[whose]
        for name, (different, places) in words.items():
            columns[name] = Coded(different, nobody if len(different) == 1 else places[whose])
        columns |= _side_columns(table, np.concatenate(parts, axis=1))
        found[table] = PlainTable(columns, _SIDE_KINDS, KEY)
    return found


def _numbered(words: list[str]) -> tuple[list[str], npt.NDArray[np.int64]]:
    """Return the different words among some, and the place of each of all in them."""
    places = {word: i for i, word in enumerate(dict.fromkeys(words))}
    return list(places), np.array([places[word] for word in words])


def _side_columns(table: str, joined: Floats) -> dict[str, Any]:
    """Return the columns of a side table after its key."""
    columns: dict[str, Any] = {}
    for (name, kind), number in zip(_side(table), _gapped(joined), strict=True):
        if kind == "number":
            columns[name] = number
        else:
            column = _meant(number.values, kind)
            columns[name] = Coded(kind, column) if isinstance(kind, tuple) else column
    return columns


def _gapped(matrix: Floats) -> list[Gapped]:
    """Return the rows of a matrix: where NaN stands is asked once, not of each."""
    missing = np.isnan(matrix)
    some = set(np.flatnonzero(missing.any(axis=1)).tolist())
    return [Gapped(row, missing[i] if i in some else None) for i, row in enumerate(matrix)]


def _side(table: str) -> ItemsView[str, Kind]:
    return SIDE_COLUMNS[table].items()


def _meant(values: Floats, kind: Kind) -> npt.NDArray[Any]:
    """Return a column of a side table as what it means; of words, their places.

    Parameters
    ----------
    values : ndarray, shape (n,)
    kind : Kind

    Returns
    -------
    ndarray, shape (n,)
        Of float64, int64, bool, datetime64[D] or datetime64[us]; NaN and NaT are missing.
    """
    if kind == "number":
        return values
    if kind == "flag":
        return np.asarray(values != 0.0)
    if kind not in ("day", "moment"):
        return values.astype(np.int64)
    known = np.isfinite(values)
    found = np.full(values.size, "NaT", "datetime64[D]" if kind == "day" else "datetime64[us]")
    found[known] = values[known].astype(np.int64).astype(found.dtype)
    return found
