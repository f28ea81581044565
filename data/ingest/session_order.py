"""Resolve AM/PM by file order, keep the newest file's rows, sort."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from ..base.arrow_values import plain
from ..lake.arrow_tables import array_of, coded_words
from ..lake.parts import CODED_SCHEMA

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["canonical_sessions", "come_again", "tied_rows"]

_Ints = npt.NDArray[np.int64]
#: Fewer contracts than this are taken as they are stamped.
_STAMPED: Final = 6
#: What the lake sorts rows of one contract by, as its sort.sql does.
_BESIDE_KEY: Final = (
    "open_interest", "bid", "ask", "last", "iv", "iv_outside", "delta", "gamma", "volume",
    "known_at", "source",
)  # fmt: skip
#: Rows that are looked at first for a value that changes within a session.
_FIRST_ROWS: Final = 1_024
_Flags = npt.NDArray[np.bool_]
_NOBODY: Final = np.empty(0, dtype=np.int64)


def canonical_sessions(
    rows: Any, underlying: str, sources: Sequence[str], age: _Ints, *, snapshots: bool = False
) -> tuple[Any, int, int]:
    """Return whole sessions, or snapshots, as canonical rows in the lake's order.

    Parameters
    ----------
    rows : pyarrow.Table
        What `dating.Dating` gives, rows that were not rejected, in file order within each
        session.
    underlying : str
        Goes into the column `underlying`.
    sources : sequence of str
        The column `source` for each value of `file_index`.
    age : ndarray of int64
        For each value of `file_index`: ascending from the oldest file to the newest. Where several
        files hold one contract of one snapshot, the newest file's rows stay.
    snapshots : bool
        The rows are whole snapshots of a session in which contracts come again.

    Returns
    -------
    tuple of pyarrow.Table, int and int
        The rows, how many gave way to a newer file's, and how many repeated another row of their
        file in everything.
    """
    count = len(rows)
    rows = rows.combine_chunks()  # once, not in every look at a column
    rows = rows if snapshots else _one_moment(rows)
    contract = _contract_codes(rows)
    by_contract = _packed([*contract, _shifted(plain(rows.column("file_index")))])
    ascending = bool((by_contract[1:] > by_contract[:-1]).all())
    repeated = _NOBODY if ascending else _repetitions(rows, by_contract)
    if len(repeated):
        keep = np.ones(len(rows), dtype=bool)
        keep[repeated] = False
        rows = rows.filter(array_of(keep)).combine_chunks()
        contract = _contract_codes(rows)
    file_index = plain(rows.column("file_index"))
    morning, undecided = _settlement(rows, contract, file_index)
    if ascending and len(sources) == 1 and _keeps_order(morning, contract):
        return _assembled(rows, underlying, sources, file_index, morning, undecided), 0, 0
    key = _packed([*contract[:3], _evening(morning), *contract[3:]])
    order = _order(key)
    kept = order
    if len(sources) > 1:
        kept = order[_newest(key[order], age[file_index[order]])]
    table = _assembled(rows, underlying, sources, file_index, morning, undecided)
    kept = _ties_ordered(table, kept, key)
    table = table if _is_range(kept, len(rows)) else _reordered(table, kept)
    return table, len(rows) - len(kept), count - len(rows)


def come_again(rows: Any) -> bool:
    """Return whether contracts of a session come again: its stamps then are snapshots.

    Parameters
    ----------
    rows : pyarrow.Table
        Of one session.

    Returns
    -------
    bool
    """
    codes = _contract_codes(rows)
    return bool(np.unique(_packed([codes[0], *codes[2:]])).size < len(rows))


def tied_rows(rows: Any) -> tuple[_Ints, _Ints]:
    """Return the places of rows that share their contract, snapshot and file, and the key of each.

    Parameters
    ----------
    rows : pyarrow.Table
        What `dating.Dating` gives, rows that were not rejected.

    Returns
    -------
    tuple of two ndarrays of int64
        Places in the table, ascending, and numbers that are equal where the keys are.
    """
    rows = rows.combine_chunks()
    key = _packed([*_contract_codes(rows), _shifted(plain(rows.column("file_index")))])
    order = _order(key)
    places = np.sort(order[_of_ties(key[order])])
    return places, key[places]


def _one_moment(rows: Any) -> Any:
    """Give the contracts of a snapshot one moment where each has its own stamp: the last.

    Services stamp every contract with its own last quote. Stamps of a session are snapshots only
    where contracts come again under another stamp.
    """
    stamp = plain(rows.column("quote_ts"))
    day = plain(rows.column("session")).astype(np.int64)
    edges = np.flatnonzero(np.append(True, np.diff(day) != 0))
    first, last = np.minimum.reduceat(stamp, edges), np.maximum.reduceat(stamp, edges)
    if (first == last).all():
        return rows
    codes = _contract_codes(rows)
    key = _packed([codes[0], *codes[2:]])
    place = np.repeat(np.arange(len(edges)), np.diff(np.append(edges, len(day))))
    moment = stamp.copy()
    for i in np.flatnonzero(first != last):
        here = place == i
        own = np.unique(key[here]).size == int(here.sum())
        late = int((stamp[here] == last[i]).sum())
        if own and int(here.sum()) >= _STAMPED and 2 * late < int(here.sum()):
            moment[here] = last[i]
    if (moment == stamp).all():
        return rows
    moments = array_of(moment).cast(rows.column("quote_ts").type)
    stated = rows.column("known_at")
    known = pc.if_else(pc.less(stated, moments), moments, stated)
    at, then = rows.column_names.index("quote_ts"), rows.column_names.index("known_at")
    return rows.set_column(at, "quote_ts", moments).set_column(then, "known_at", known)


def _keeps_order(morning: _Flags, contract: list[tuple[_Ints, int]]) -> bool:
    """Return whether rows in the order of their contracts are in the lake's: of each expiry's rows
    all settle at the same time of day."""
    here = np.flatnonzero(morning[1:] != morning[:-1])
    apart = [codes[here] != codes[here + 1] for codes, _ in contract[:3]]
    return bool(np.any(apart, axis=0).all())


def _repetitions(rows: Any, key: _Ints) -> _Ints:
    """Return the places of rows that equal an earlier row of their file in everything."""
    order = _order(key)
    places = np.sort(order[_of_ties(key[order])])
    if not len(places):
        return _NOBODY
    frame = rows.take(array_of(places)).to_pandas()
    again: _Ints = places[frame.duplicated().to_numpy()]
    return again


def _of_ties(key: _Ints) -> _Ints:
    """Return the places of sorted keys that occur more than once."""
    same = np.append(key[1:] == key[:-1], False)
    if not same.any():
        return _NOBODY
    return np.flatnonzero(same | np.append(False, same[:-1]))


def _ties_ordered(table: Any, order: _Ints, key: _Ints) -> _Ints:
    """Return an order by key in which rows of equal keys are in the order of what they say."""
    sorted_key = key[order]
    places = _of_ties(sorted_key)
    if not len(places):
        return order
    tied = table.select(_BESIDE_KEY).take(array_of(order[places]))
    tied = tied.set_column(len(_BESIDE_KEY) - 1, "source", tied.column("source").cast(pa.string()))
    tied = tied.append_column("key", pa.array(sorted_key[places]))
    found = pc.sort_indices(tied, [(name, "ascending") for name in ("key", *_BESIDE_KEY)])
    order = order.copy()
    order[places] = order[places][found.to_numpy()]
    return order


def _reordered(table: Any, order: _Ints) -> Any:
    """Return a table's rows in an order of sessions as they are.

    What all rows of a session share is left as it is, where no row is left out.
    """
    places = array_of(order)
    days = plain(table.column("session"))
    within = days[1:] == days[:-1]
    whole = len(order) == len(table)
    # the places are sure to be there, which would else be looked at again for each column
    columns = [
        column
        if whole and _is_shared(column.chunk(0), within)
        else pc.take(column, places, boundscheck=False)
        for column in table.columns
    ]
    return pa.table(columns, schema=table.schema)


def _is_shared(column: Any, within: _Flags) -> bool:
    """Return whether all rows of each session have one value; `within`: as the row before."""
    if column.null_count:
        return bool(column.null_count == len(column))
    coded = pa.types.is_dictionary(column.type)
    kept = column.indices if coded else column
    # as bits: a NaN is like itself, and a negative zero unlike zero
    values = plain(kept).view(f"i{kept.type.bit_width // 8}")
    # most columns change within the first rows
    return not any(
        ((values[1:end] != values[: end - 1]) & within[: end - 1]).any()
        for end in (min(_FIRST_ROWS, len(values)), len(values))
    )


def _contract_codes(rows: Any) -> list[tuple[_Ints, int]]:
    """Return small integers, and how many there are, that order rows as the lake does.

    In order: session, moment, expiry, strike, right, root; settlement comes in between, once it is
    known.
    """
    return [
        _shifted(plain(rows.column("session"))),
        _moments(rows.column("quote_ts")),
        _shifted(plain(rows.column("expiry"))),
        _distinct(rows.column("strike")),
        _distinct(rows.column("right")),
        _distinct(rows.column("root")) if "root" in rows.column_names else _nothing(len(rows)),
    ]


def _settlement(
    rows: Any, contract: list[tuple[_Ints, int]], file_index: _Ints
) -> tuple[_Flags, _Flags]:
    """Return which rows settle in the morning, and for which of them file order decided.

    Of the rows of one contract in one snapshot and file, the first settles in the morning.
    """
    given = rows.column("settlement").chunk(0)
    morning = _are(given, "AM")
    if "morning_ts" not in rows.column_names or not given.null_count:
        return morning, np.zeros(len(rows), dtype=bool)
    undecided = np.flatnonzero(plain(pc.is_null(given)))
    key = _packed([(codes[undecided], count) for codes, count in contract])
    order = np.lexsort((file_index[undecided], key))
    starts = np.ones(len(order), dtype=bool)
    same = np.diff(key[order]) == 0
    starts[1:] = ~(same & (np.diff(file_index[undecided][order]) == 0))
    first = np.zeros(len(rows), dtype=bool)
    first[undecided[order[starts]]] = True
    return morning | first, first


def _are(column: Any, word: str) -> _Flags:
    """Return which rows of a column of few words have one of them."""
    words = column.dictionary.to_pylist()
    if word not in words:
        return np.zeros(len(column), dtype=bool)
    found: _Flags = plain(column.indices, -1) == words.index(word)
    return found


def _evening(morning: _Flags) -> tuple[_Ints, int]:
    """Return 0 for rows that settle in the morning, 1 for others; all 0 where none does."""
    return ((~morning).astype(np.int64), 2) if morning.any() else _nothing(len(morning))


def _newest(key: _Ints, age: _Ints) -> _Flags:
    """Return which rows, sorted by key, are of the newest file that has their key."""
    starts = np.flatnonzero(np.append(True, np.diff(key) != 0))
    newest = np.maximum.reduceat(age, starts)
    keep: _Flags = age == np.repeat(newest, np.diff(np.append(starts, len(key))))
    return keep


def _assembled(
    rows: Any,
    underlying: str,
    sources: Sequence[str],
    file_index: _Ints,
    morning: _Flags,
    decided_here: _Flags,
) -> Any:
    made = {
        "underlying": _repeated(underlying, len(rows)),
        "settlement": coded_words(morning.astype(np.int8), ("PM", "AM"))
        if morning.any()
        else _repeated("PM", len(rows)),
        "source": coded_words(file_index, sources)
        if len(sources) > 1
        else _repeated(sources[0], len(rows)),
    }
    for name in rows.column_names:
        if name not in ("underlying", "settlement", "source"):
            made[name] = rows.column(name)
    if decided_here.any():
        made["expiry_ts"] = pc.if_else(
            array_of(decided_here), rows.column("morning_ts"), rows.column("expiry_ts")
        )
    columns = [
        _as_field(made[f.name], f) if f.name in made else _nulls(len(rows), f) for f in CODED_SCHEMA
    ]
    return pa.table(columns, schema=CODED_SCHEMA)


def _as_field(column: Any, field: Any) -> Any:
    return column if column.type == field.type else column.cast(field.type)


def _nulls(count: int, field: Any) -> Any:
    most = 1 << count.bit_length()
    return _kept_nulls(most, field.type).slice(0, count)


@lru_cache(maxsize=32)
def _kept_nulls(count: int, kind: Any) -> Any:
    """Return NULLs; kept, because most files lack the same columns, which are filled with zeros."""
    if not pa.types.is_dictionary(kind):
        return pa.nulls(count, kind)
    return pa.DictionaryArray.from_arrays(pa.nulls(count, pa.int32()), pa.nulls(0, pa.string()))


def _order(key: _Ints) -> _Ints:
    """Return the stable ascending order; no sort where there is nothing to sort."""
    if bool((np.diff(key) >= 0).all()):
        return np.arange(len(key))
    return np.argsort(key, kind="stable")


def _packed(codes: list[tuple[_Ints, int]]) -> _Ints:
    """Return one integer per row that orders like the codes in turn."""
    key = codes[0][0].astype(np.int64)
    size = codes[0][1]
    for values, count in codes[1:]:
        if count == 1:
            continue
        if size * count >= 1 << 62:
            key, size = _ranked(key)
        key = key * count + values
        size *= count
    return key


def _ranked(values: npt.NDArray[np.generic]) -> tuple[_Ints, int]:
    distinct, codes = np.unique(values, return_inverse=True)
    return codes, len(distinct)


def _shifted(values: npt.NDArray[np.generic]) -> tuple[_Ints, int]:
    codes = values.astype(np.int64) - int(values.min())
    return codes, int(codes.max()) + 1


def _distinct(column: Any) -> tuple[_Ints, int]:
    """Return the rank of each value among the distinct ones, NULL last."""
    encoded = column.combine_chunks().dictionary_encode()
    words = encoded.dictionary
    text = pa.types.is_string(words.type)
    found = np.array(words.to_pylist(), dtype=object) if text else plain(words)
    rank = np.append(np.argsort(np.argsort(found)), len(found)).astype(np.int64)
    return rank[plain(encoded.indices, len(found))], len(found) + 1


def _moments(column: Any) -> tuple[_Ints, int]:
    """Return what `_distinct` gives; quick where rows of one moment follow each other."""
    stamps = plain(column) if not column.null_count else np.empty(0)
    starts = np.flatnonzero(np.append(True, np.diff(stamps) != 0))
    if column.null_count or 8 * len(starts) > len(stamps):
        return _distinct(column.cast(pa.int64()))
    values, codes = np.unique(stamps[starts], return_inverse=True)
    return np.repeat(codes, np.diff(np.append(starts, len(stamps)))), len(values) + 1


def _nothing(count: int) -> tuple[_Ints, int]:
    return np.zeros(count, dtype=np.int64), 1


def _repeated(word: str, count: int) -> Any:
    return coded_words(np.zeros(count, dtype=np.int32), [word])


def _is_range(order: _Ints, count: int) -> bool:
    return len(order) == count and bool((order == np.arange(count)).all())
