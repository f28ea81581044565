"""Streaming a lake's chains session by session, as plain arrays, in bounded memory."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import date
from itertools import pairwise
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import numpy.typing as npt

from ..base.compiling import compiled
from ..base.errors import DefinitionError, LakeError
from ..base.sql import load_sql
from ..exposure.quality_gate import Contracts
from .chain_columns import OtherLayout, opened_part, rows_between
from .integrity import require_intact

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Sequence
    from pathlib import Path

    import duckdb
    import pyarrow as pa

    from ..tables.positions import DealerSource
    from .connection import Database
    from .manifest import SessionEntry

__all__ = ["RawSession", "read_entries", "read_files", "read_sessions"]

Floats: TypeAlias = npt.NDArray[np.float64]
Moments: TypeAlias = npt.NDArray[np.int64]
Days: TypeAlias = npt.NDArray[np.int32]
Columns: TypeAlias = dict[str, npt.NDArray[Any]]

#: Rows fetched at a time: few enough that a batch is still in the processor's cache when it is
#: copied, and that its memory is used again for the next one.
_BATCH_ROWS = 16_384
_EPOCH_ORDINAL = date(1970, 1, 1).toordinal()
#: Scans whose columns `snapshot_from` understands; the second has the dealers' positions too.
_PLAIN = "lake/rebuild_scan"
_POSITIONED = "lake/rebuild_scan_positions"


@dataclass(frozen=True, slots=True)
class RawSession:
    """The latest snapshot of one session, as columns of equal length.

    Attributes
    ----------
    session : date
    columns : dict of str to ndarray
        Those of the scan, ``sql/rebuild_scan.sql``, as plain numbers: days or microseconds since
        1970; NaN where a number is NULL; ``kind`` for morning and call (bit 0: AM, bit 1: call).
        ``settlement_price`` only where some source declares official settlement prices.
    spots : ndarray
        Distinct spots of the snapshot, ascending; more than one is a finding.
    spot : float
        Median of the rows' spots.
    known_before_quotes : bool
        Whether some row claims to have been public before its own quotes.
    oi_asof : date or None
        Latest session after whose close the open interest was settled; None if unknown.
    """

    session: date
    columns: Columns
    spots: Floats
    spot: float
    known_before_quotes: bool
    oi_asof: date | None

    @property
    def contracts(self) -> Contracts:
        """Keys and quotes, as `exposure.gate.likeness` compares them."""
        c = self.columns
        return (
            c["expiry"], c["kind"], c["strike"], c["open_interest"], c["iv"], c["bid"], c["ask"]
        )  # fmt: skip


def read_sessions(
    connection: duckdb.DuckDBPyConnection,
    chain_files: Sequence[Path],
    first: date,
    last: date,
    *,
    settled: Collection[str] = (),
    query: str = _PLAIN,
) -> Iterator[RawSession]:
    """Yield the sessions of chain files in order, each with its latest snapshot, by a query.

    Parameters
    ----------
    connection : DuckDBPyConnection
    chain_files : sequence of Path
        In the order of their sessions.
    first, last : date
        Bounds, both included.
    settled : collection of str
        Sources whose ``last`` is an official settlement price.
    query : str
        Name of the scan in ``data/sql``.

    Notes
    -----
    Rows are fetched as they are asked for, so that memory does not grow with history, nor with
    the snapshots of a session.
    """
    _require(chain_files)
    rows = _queried(connection, chain_files, first, last, settled, query)
    yield from _sessions(rows, first, last)


def _queried(
    connection: duckdb.DuckDBPyConnection,
    chain_files: Sequence[Path],
    first: date,
    last: date,
    settled: Collection[str],
    query: str,
) -> Iterator[Columns]:
    """Yield the rows of chain files as a query gives them, some at a time."""
    import duckdb

    bound: dict[str, object] = {"first": first, "last": last}
    if query != _POSITIONED:
        bound["files"] = [str(f) for f in chain_files]
    if query in (_PLAIN, _POSITIONED):
        bound["settled"] = sorted(settled)
    relation = connection.sql(load_sql(query), params=bound)
    if query in (_PLAIN, _POSITIONED) and not settled:
        relation = relation.select(duckdb.StarExpression(exclude=["settlement_price"]))
    reader: Any = relation.to_arrow_reader(_BATCH_ROWS)
    for batch in reader:
        yield _plain(batch)


def read_entries(
    database: Database,
    entries: Sequence[SessionEntry],
    *,
    settled: Collection[str] = (),
    source: DealerSource | None = None,
) -> Iterator[RawSession]:
    """Yield neighbouring sessions of a lake in order, wherever they are kept.

    Parameters
    ----------
    database : Database
        Asked for a cursor where the chains alone do not do.
    entries : sequence of SessionEntry
        Without a gap, ascending.
    settled : collection of str
        Sources whose ``last`` is an official settlement price.
    source : DealerSource, optional
        Where positions come from when the right alone does not give them.

    Raises
    ------
    DefinitionError
        If the dealers' positions or expression do not fit the chains.
    """
    for files, first, last in _stretches(entries):
        if source is None:
            yield from read_files(database, files, first, last, settled)
        else:
            with database.cursor() as connection:
                yield from _positioned(connection, files, first, last, settled, source)


def read_files(
    database: Database,
    files: Sequence[Path],
    first: date,
    last: date,
    settled: Collection[str] = (),
) -> Iterator[RawSession]:
    """Yield the sessions of chain files in order, each with its latest snapshot.

    Parameters
    ----------
    database : Database
        Asked for a cursor where a file is not as the lake writes it.
    files : sequence of Path
        In the order of their sessions.
    first, last : date
        Bounds, both included.
    settled : collection of str
        Sources whose ``last`` is an official settlement price.

    Notes
    -----
    Rows are fetched as they are asked for, so that memory does not grow with history, nor with
    the snapshots of a session.
    """
    _require(files)
    yield from _sessions(_read(database, files, first, last, settled), first, last)


def _read(
    database: Database, files: Sequence[Path], first: date, last: date, settled: Collection[str]
) -> Iterator[Columns]:
    """Yield the rows of chain files, some at a time; by a query where one is not as we write it."""
    import pyarrow as pa

    for file in files:
        try:
            with opened_part(file) as part:
                yield from rows_between(part, first, last, settled)
        except OtherLayout:  # before any of its rows was given
            yield from _asked_of_duckdb(database, file, first, last, settled)
        except (OSError, UnicodeDecodeError, pa.ArrowInvalid) as error:
            raise _unreadable(file, error) from error


def _asked_of_duckdb(
    database: Database, file: Path, first: date, last: date, settled: Collection[str]
) -> Iterator[Columns]:
    """Yield the rows of a chain file that somebody else has written, some at a time."""
    import duckdb

    try:
        with database.cursor() as connection:
            yield from _queried(connection, [file], first, last, settled, _PLAIN)
    except duckdb.Error as error:
        raise _unreadable(file, error) from error


def _unreadable(file: Path, error: Exception) -> LakeError:
    return LakeError(
        f"{file} is named by the lake but cannot be read ({str(error).splitlines()[0]}): "
        "restore it, or ingest its sessions again"
    )


def _positioned(
    connection: duckdb.DuckDBPyConnection,
    files: Sequence[Path],
    first: date,
    last: date,
    settled: Collection[str],
    source: DealerSource,
) -> Iterator[RawSession]:
    """Yield sessions with the dealers' positions."""
    import duckdb

    source.lay_out(connection, files, first, last)
    try:
        yield from read_sessions(connection, files, first, last, settled=settled, query=_POSITIONED)
    except duckdb.Error as error:
        raise DefinitionError(
            f"dealer model {source.model.name!r} fails on the chains from {first} to {last}: "
            f"{str(error).splitlines()[0]}: correct the expression"
        ) from error


def _require(files: Sequence[Path]) -> None:
    if files:
        require_intact(files, files[0].parents[3])


def _sessions(batches: Iterable[Columns], first: date, last: date) -> Iterator[RawSession]:
    """Yield the sessions between two days, both included, of rows in the lake's order."""
    begin, end = np.array([first, last], "datetime64[D]").astype(np.int64).tolist()
    pending: list[Columns] = []
    for batch in batches:
        for piece in _pieces(batch):
            day = piece["session"][0]
            if pending and pending[-1]["session"][0] != day:
                yield _session(pending)
                pending = []
            if begin <= day <= end:
                pending = _latest(pending, piece)
    if pending:
        yield _session(pending)


def _stretches(entries: Sequence[SessionEntry]) -> Iterator[tuple[list[Path], date, date]]:
    """Yield files that can be read one after the other, and the sessions to take from them.

    A session that was replaced lies in a file of its own, in the middle of the sessions of
    another file: reading must come back to that one later.
    """
    begin, files = 0, [entries[0].file]
    for i, entry in enumerate(entries):
        if entry.file in files[:-1]:
            yield files, entries[begin].session, entries[i - 1].session
            begin, files = i, [entry.file]
        elif entry.file != files[-1]:
            files.append(entry.file)
    yield files, entries[begin].session, entries[-1].session


def _plain(batch: pa.RecordBatch) -> Columns:
    """Return columns as plain numbers: days and microseconds since 1970, NaN for NULL.

    They are in memory of our own: Arrow's is read-only, and kernels would be compiled once more
    for it.
    """
    import pyarrow as pa

    columns: Columns = {}
    for name, column in zip(batch.schema.names, batch.columns, strict=True):
        if pa.types.is_date32(column.type):
            column = column.view(pa.int32())
        elif pa.types.is_timestamp(column.type):
            column = column.cast(pa.timestamp("us", column.type.tz)).view(pa.int64())
        columns[name] = np.array(column.to_numpy(zero_copy_only=False))
    morning, call = (columns.pop(name).view(np.uint8) for name in ("morning", "call"))
    return columns | {"kind": morning | (call << 1)}


def _pieces(columns: Columns) -> Iterator[Columns]:
    """Yield the parts of a batch that belong to one session each, as views of its memory."""
    session = columns["session"]
    if session.size and session[0] == session[-1]:
        yield columns
        return
    edges = [0, *(np.flatnonzero(session[1:] != session[:-1]) + 1).tolist(), session.size]
    for begin, end in pairwise(edges if session.size else []):
        yield {name: values[begin:end] for name, values in columns.items()}


def _latest(before: list[Columns], piece: Columns) -> list[Columns]:
    """Return what is of the latest snapshot so far: earlier ones are let go as they are read."""
    moments = piece["quote_us"]
    first = int(moments.searchsorted(moments[-1]))
    if first:
        return [{name: values[first:] for name, values in piece.items()}]
    later = bool(before) and before[-1]["quote_us"][-1] != moments[-1]
    return [piece] if later else [*before, piece]


def _session(pieces: list[Columns]) -> RawSession:
    """Return a session from its latest snapshot."""
    columns = pieces[0]
    if len(pieces) > 1:
        columns = {name: np.concatenate([p[name] for p in pieces]) for name in columns}
    unknown, spots_differ, early, latest_oi = _said(columns)
    if 0 < unknown < columns["multiplier"].size:
        # of an adjusted contract even the strike is not what it says; where all are, they stay and
        # are rejected
        known = ~np.isnan(columns["multiplier"])
        columns = {name: values[known] for name, values in columns.items()}
        _, spots_differ, early, latest_oi = _said(columns)
    spots = np.unique(columns["spot"]) if spots_differ else columns["spot"][:1]
    return RawSession(
        session=_date(int(columns["session"][0])),
        columns=columns,
        spots=spots,
        spot=float(np.median(columns["spot"]) if spots_differ else spots[0]),
        known_before_quotes=early,
        oi_asof=_date(latest_oi) if latest_oi >= 0 else None,
    )


def _said(columns: Columns) -> tuple[int, bool, bool, int]:
    """Return what `_summary` finds."""
    names = ("multiplier", "spot", "known_us", "quote_us", "oi_asof")
    found: tuple[int, bool, bool, int] = _summary(*(columns[name] for name in names))
    return found


@compiled()
def _summary(
    multiplier: Floats, spot: Floats, known_us: Moments, quote_us: Moments, oi_asof: Days
) -> tuple[int, bool, bool, int]:
    """Return what the rows of a snapshot say together.

    Contracts of unknown multiplier; whether spots differ; whether some row claims to have been
    public before its own quotes; and the latest day of open interest.
    """
    unknown, differ, early, latest = 0, False, False, -1
    for i in range(spot.size):
        unknown += math.isnan(multiplier[i])
        differ |= spot[i] != spot[0]
        early |= known_us[i] < quote_us[i]
        latest = max(latest, oi_asof[i])
    return unknown, differ, early, latest


def _date(days: int) -> date:
    return date.fromordinal(days + _EPOCH_ORDINAL)
