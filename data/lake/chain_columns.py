"""A chain file's columns as plain numbers: what ``sql/rebuild_scan.sql`` gives.

No database has to be started for it. Only files as the lake writes them are read so.
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from hashlib import blake2b
from io import FileIO
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow.parquet as pq

from ..base.errors import LakeError
from .parts import CHAIN_SCHEMA
from .row_groups import Asked, row_group, unpacked

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence
    from datetime import date
    from pathlib import Path

    from .row_groups import RowGroup, Unpacked

__all__ = ["ChainFile", "OtherLayout", "opened_part", "rows_between"]

Columns: TypeAlias = dict[str, npt.NDArray[Any]]

#: Bits of NaN, and of one that no computation gives.
_NAN: Final = int(np.array(np.nan).view(np.int64))
_NO_QUOTE: Final = _NAN + 0x6E6F
#: Rows of small sessions that are decoded together: few enough that they are still in the
#: processor's cache when they are evaluated.
_TOGETHER: Final = 16_384
#: Rows of a row group that is taken into memory as a whole; the lake's have an eighth of it.
_MOST_ROWS: Final = 1_000_000
#: Stands for a day that is not known.
_NEVER: Final = -1

_ROW: Final = (Asked("session"), Asked("quote_ts"))
_NUMBERS: Final = ("strike", "open_interest", "bid", "ask", "iv", "spot", "multiplier")
_MOMENTS: Final = {"known_at": "known_us", "expiry_ts": "expiry_us"}
#: What official settlement prices are found by.
_SETTLED: Final = ("last", "source")
_NAMES: Final = (
    *("session", "quote_ts", "expiry", "oi_asof", "settlement", "right", "root"),
    *(*_NUMBERS, *_MOMENTS, *_SETTLED),
)


class OtherLayout(Exception):
    """A chain file has other columns, types or pages than those that the lake writes."""


@dataclass(frozen=True, slots=True)
class ChainFile:
    """A chain file that is open.

    Attributes
    ----------
    file : FileIO
    kept : FileMetaData
        Its footer.
    """

    file: FileIO
    kept: pq.FileMetaData


@contextmanager
def opened_part(path: Path) -> Iterator[ChainFile]:
    """Open a chain file."""
    with FileIO(path) as file:
        yield ChainFile(file, pq.read_metadata(file))


def rows_between(
    part: ChainFile, first: date, last: date, settled: Collection[str]
) -> Iterator[Columns]:
    """Yield the columns of a file's rows in its order, some sessions of a row group at a time.

    Parameters
    ----------
    part : ChainFile
    first, last : date
        Bounds of the sessions, both included.
    settled : collection of str
        Sources whose ``last`` is an official settlement price.

    Yields
    ------
    dict of str to ndarray
        As `chain_reader.RawSession` describes them. Of several snapshots of a session, only some of
        the earlier ones come.

    Raises
    ------
    OtherLayout
        Before the first of them, if the file is not as the lake writes it.
    """
    if not _is_plain(part.kept):
        raise OtherLayout
    days = np.array([first, last], "datetime64[D]").astype(np.int64)
    asked = _asked(settled)
    for i, number in enumerate(_groups_of(part.kept, first, last)):
        group = row_group(part.file, part.kept, number, _names(settled))
        if group is None and not i:
            raise OtherLayout
        if group is None:
            raise OSError("its row groups are laid out in several ways")
        yield from _sessions_of(group, days, asked)


def _is_plain(kept: pq.FileMetaData) -> bool:
    """Return whether a file has all columns, in the types and row groups that the lake writes."""
    schema = kept.schema.to_arrow_schema()
    most = max((kept.row_group(i).num_rows for i in range(kept.num_row_groups)), default=0)
    return most <= _MOST_ROWS and all(
        name in schema.names and schema.field(name).type == CHAIN_SCHEMA.field(name).type
        for name in _NAMES
    )


def _names(settled: Collection[str]) -> list[str]:
    return [name for name in _NAMES if settled or name not in _SETTLED]


def _groups_of(kept: pq.FileMetaData, first: date, last: date) -> list[int]:
    """Return the row groups that may hold sessions between two days, both included."""
    place = kept.schema.names.index("session")
    found = []
    for i in range(kept.num_row_groups):
        said = kept.row_group(i).column(place).statistics
        if said is None or not said.has_min_max or (said.min <= last and first <= said.max):
            found.append(i)
    return found


def _asked(settled: Collection[str]) -> tuple[Asked, ...]:
    """Return the columns of a chain; text becomes a number.

    A quote that is missing is told from one that is NaN where settlement prices are asked for.
    """
    quote = _NO_QUOTE if settled else _NAN
    known = {"bid": quote, "ask": quote}
    more = (Asked("last", _NAN), Asked("source", 0, lambda word: word in settled))
    return (
        Asked("expiry"),
        Asked("oi_asof", _NEVER),
        Asked("settlement", 0, lambda word: word == "AM"),
        Asked("right", 0, lambda word: (word == "C") << 1),
        Asked("root", 0, _number_of),
        *(Asked(name) for name in _MOMENTS),
        *(Asked(name, known.get(name, _NAN)) for name in _NUMBERS),
        *(more if settled else ()),
    )


def _sessions_of(
    group: RowGroup, days: npt.NDArray[np.int64], asked: tuple[Asked, ...]
) -> Iterator[Columns]:
    """Yield the rows of a row group's sessions between two days, both included."""
    (session, moment), missing = unpacked(group, _ROW, 0, group.rows).rows(0, group.rows)
    _require_all(missing.sum(), "a day or moment")
    other = session[1:] != session[:-1]
    ends = np.append(np.flatnonzero(other) + 1, group.rows)
    # of several snapshots of a session, its last
    starts = np.append(0, np.flatnonzero(other | (moment[1:] != moment[:-1])) + 1)
    begins = starts[np.searchsorted(starts, ends) - 1]
    within = (session[begins] >= days[0]) & (session[begins] <= days[1])
    if not within.any():
        return
    spans = _joined(begins[within].tolist(), ends[within].tolist())
    packed = unpacked(group, asked, spans[0][0], spans[-1][1])
    for begin, end in spans:
        columns = _plain(packed, asked, begin, end)
        columns["session"] = session[begin:end].astype(np.int32)
        columns["quote_us"] = moment[begin:end].copy()
        yield columns


def _joined(begins: Sequence[int], ends: Sequence[int]) -> list[tuple[int, int]]:
    """Return rows of sessions, those of small ones that follow each other together."""
    spans = [(begins[0], ends[0])]
    for begin, end in zip(begins[1:], ends[1:], strict=True):
        if end - spans[-1][0] <= _TOGETHER:
            spans[-1] = (spans[-1][0], end)
        else:
            spans.append((begin, end))
    return spans


def _plain(packed: Unpacked, asked: tuple[Asked, ...], begin: int, end: int) -> Columns:
    """Return the columns of some rows as plain numbers."""
    values, lacking = packed.rows(begin, end)
    bits = {each.name: row for each, row in zip(asked, values, strict=True)}
    missing = dict(zip(bits, lacking.tolist(), strict=True))
    _require_all(sum(missing[name] for name in ("expiry", *_MOMENTS)), "a day or moment")
    _require_all(missing["right"] + missing["settlement"], "a right or a settlement")
    columns: Columns = {name: bits[name].view(np.float64) for name in _NUMBERS}
    columns |= {us: bits[name] for name, us in _MOMENTS.items()}
    columns |= {name: bits[name].astype(np.int32) for name in ("expiry", "oi_asof")}
    columns["kind"] = (bits["settlement"] | bits["right"]).astype(np.uint8)
    columns["root_number"] = bits["root"].view(np.uint64)
    if "last" in bits:
        columns["settlement_price"] = _settlement_prices(bits)
    return columns


def _require_all(missing: int, what: str) -> None:
    if missing:
        raise LakeError(
            f"a chain file holds {missing} contracts without {what}, which no ingest writes: "
            "ingest its sessions again"
        )


@lru_cache(maxsize=4096)
def _number_of(root: str) -> int:
    """Return a number that another root shares as seldom as 64 bits allow; 0 of none."""
    return int.from_bytes(blake2b(root.encode(), digest_size=8).digest(), "little") or 1


def _settlement_prices(bits: Mapping[str, npt.NDArray[np.int64]]) -> npt.NDArray[np.float64]:
    """Return official settlement prices of contracts without quotes; NaN where there is none.

    Quotes that are missing become NaN.
    """
    bid, ask = bits["bid"], bits["ask"]
    unquoted = (bid == _NO_QUOTE) & (ask == _NO_QUOTE)
    bid[bid == _NO_QUOTE] = _NAN
    ask[ask == _NO_QUOTE] = _NAN
    price = bits["last"].view(np.float64)
    return np.where((bits["source"] != 0) & unquoted & ~(price <= 0.0), price, np.nan)
