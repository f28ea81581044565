"""Where parts lie in a file that they share, held against the file's own footer."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

from ..base.errors import LakeError
from .derived_parts import Place

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

__all__ = ["MISPLACED", "is_misplaced", "places_in", "rows_of_group"]

MISPLACED: Final = "its rows do not lie where the record of the rebuild says"


def places_in(path: Path, name: str, counts: Sequence[int]) -> list[Place]:
    """Return where each piece lies in a file that was written piece by piece.

    Parameters
    ----------
    path : Path
    name : str
        Of the file.
    counts : sequence of int
        Rows of each piece.

    Raises
    ------
    LakeError
        If the file holds other rows.
    """
    rows_of, begins = _footer_of(path)
    places, group, row = [], 0, 0
    for count in counts:
        first, rows = group, 0
        while rows < count and group < len(rows_of):
            rows += rows_of[group]
            group += 1
        if rows != count:  # each row group holds rows of one piece
            raise LakeError(
                f"{path}: {rows} rows where {count} were written: run gexlab compact again"
            )
        begin, end, tail = begins[first], begins[group], begins[-1]
        places.append(Place(name, first, group - first, row, count, begin, end, tail))
        row += count
    return places


def is_misplaced(path: Path, place: Place) -> bool:
    """Return whether a file's footer says other row groups, rows or bytes of a place."""
    import pyarrow as pa

    try:
        rows_of, begins = _footer_of(path)
    except (OSError, pa.ArrowException):
        return True
    after = place.group + place.groups
    if after > len(rows_of):
        return True
    rows = sum(rows_of[place.group : after])
    said = (sum(rows_of[: place.group]), rows, begins[place.group], begins[after], begins[-1])
    return said != (place.row, place.rows, place.begin, place.end, place.tail)


def rows_of_group(path: Path, group: int) -> int:
    """Return how many rows a row group of a file holds; 0 where it has no such group."""
    rows_of, _ = _footer_of(path)
    return sum(rows_of[group : group + 1])


def _footer_of(path: Path) -> tuple[list[int], list[int]]:
    state = path.stat()
    return _read_footer(path, state.st_ino, state.st_mtime_ns, state.st_size)


@lru_cache(maxsize=1024)
def _read_footer(path: Path, inode: int, written: int, size: int) -> tuple[list[int], list[int]]:
    """Return rows of each row group, and where each begins, the footer at the end."""
    import pyarrow.parquet as pq

    said = pq.read_metadata(path)
    groups = [said.row_group(i) for i in range(said.num_row_groups)]
    tail = size - said.serialized_size - 8  # its length and the mark at the end
    return [group.num_rows for group in groups], [*(_begin(group) for group in groups), tail]


def _begin(group: Any) -> int:
    columns = [group.column(i) for i in range(group.num_columns)]
    # no page is at 0: a file begins with a mark
    begins = [each.dictionary_page_offset or each.data_page_offset for each in columns]
    return int(min(begins))
