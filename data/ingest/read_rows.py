"""Rows of vendor files through to the writer, whole sessions at a time."""

from __future__ import annotations

from contextlib import closing
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ..base.arrow_values import plain
from ..base.errors import InputFileError
from ..lake.arrow_tables import array_of
from ..lake.manifest import Manifest, SessionEntry
from ..lake.session_stream import Piece, UnsortedError, pieces_of, sorted_rows
from ..lake.writer import LakeWriter
from .background import Background, background
from .canonical_rows import canonical_rows
from .merge import LENDABLE, lends, lent, merged, rows_to_keep
from .plan import Plan, source_of
from .session_order import canonical_sessions, come_again
from .spellings import refuse_doubled, without_spellings
from .tally import Tally, files_without_rows
from .timing import TwoSpellingsError

if TYPE_CHECKING:
    from collections.abc import Collection, Generator, Iterable, Iterator, Sequence
    from datetime import date

    import duckdb

    from ..base.progress import Progress
    from ..vendors.vendor_preset import Preset, RawTable
    from .arrow_arrays import Flags, Ints
    from .canonical_rows import Rows

__all__ = ["read_rows", "read_stream", "take_out_replaced"]

#: Rows that are put in order at a time: about one row group. Half as many take four hundredths more
#: processor time, and as long by the clock.
_PIECE_ROWS: Final = 131_072

#: What a regime is made of: open interest, and a volatility or prices to solve one from.
_NEEDED: Final = ("open_interest", "iv", "bid", "last")

#: More runs than this of rows that are not rejected are copied: each is a table of its own.
_MOST_RUNS: Final = 8

#: Rows that a dry run shows.
_SHOWN_ROWS: Final = 6

#: Files smaller than this together are sorted at once: setting up the stream costs more.
_STREAMED_BYTES: Final = 4 << 20


def read_rows(
    connection: duckdb.DuckDBPyConnection,
    tables: Sequence[RawTable],
    plan: Plan,
    preset: Preset,
    before: Manifest,
    writer: LakeWriter | None,
    progress: Progress,
    folder: Path,
) -> Tally:
    """Take all rows through to the writer.

    The first rows say how dates are written, and the reader of text parses numbers itself,
    which is faster. Where a cell is written in another way, everything is read again: the whole
    column then decides, "n/a" is missing, and what is to be refused is named. They are read again
    also where a file turns out to hold two names that differ in case alone.
    """
    careful = exact = False
    while True:
        try:
            rows = canonical_rows(
                connection,
                tables,
                preset,
                before.underlying,
                work=folder,
                numbers=not careful,
                careful=careful,
                exact=exact,
            )
            tally = _read(rows, plan, preset, before, writer, progress)
        except (InputFileError, TwoSpellingsError) as error:
            if isinstance(error, TwoSpellingsError):
                exact = True
            elif careful:
                raise
            else:
                careful = True
            if writer is not None:
                writer.forget()
            continue
        tally.others = rows.dating.others
        tally.left_out = rows.dating.left_out["where"]
        tally.outside = rows.dating.left_out["outside"]
        tally.joins = rows.dating.joins
        tally.empty = files_without_rows(rows.files, before.underlying, tally)
        break
    refuse_doubled(tally.doubled, before.underlying)
    return tally


def _read(
    rows: Rows,
    plan: Plan,
    preset: Preset,
    before: Manifest,
    writer: LakeWriter | None,
    progress: Progress,
) -> Tally:
    """Take all rows through to the writer.

    Large files are streamed in file order, which is faster; if it turns out that the rows of a
    session do not come together, they are read again and sorted. Large sessions are taken snapshot
    by snapshot, unless these turn out to come in no order.
    """
    large = sum(file.path.stat().st_size for file in rows.files) > _STREAMED_BYTES
    for way in (rows.in_file_order, rows.by_session) if large else (rows.by_session,):
        try:
            with background() as behind:
                return read_stream(
                    rows, way(), plan, preset, before, writer, progress, behind, cut=True
                )
        except UnsortedError:
            if writer is not None:
                writer.forget()
    with background() as behind:
        return read_stream(rows, rows.by_session(), plan, preset, before, writer, progress, behind)


def read_stream(
    rows: Rows,
    stream: Generator[Any],
    plan: Plan,
    preset: Preset,
    before: Manifest,
    writer: LakeWriter | None,
    progress: Progress,
    behind: Background,
    *,
    cut: bool = False,
) -> Tally:
    """Work through one reading of the rows, whole sessions at a time.

    With `cut` large sessions are taken snapshot by snapshot, where these ascend and meet nothing
    that the lake holds. What the tally says is whole when all that is `behind` has been done.

    Raises
    ------
    UnsortedError
        If the rows of a session do not come together, or those of a snapshot of one that was cut.
    """
    joined = {name for join in preset.joins for name in join.given}
    stated = {*preset.columns, *preset.constants, *joined}
    unstated = [name for name in LENDABLE if name not in stated]
    tally = Tally(implied=frozenset(source_of(preset, rows.files[i]) for i in rows.implied))
    accepted = _ascending(_accepted(stream, tally, progress))

    @cache
    def named() -> tuple[list[str], Ints]:  # when rows are there: digests may still be worked out
        place = {file.fingerprint: i for i, file in enumerate(plan.fresh)}
        age = np.array([place.get(file.fingerprint, -1) for file in rows.files])
        return [source_of(preset, file) for file in rows.files], age

    def stored(piece: Piece) -> Any:
        days = pc.unique(piece.rows.column("session")).to_pylist()
        tally.sessions.update(days)
        taken, twice = without_spellings(piece.rows, rows.dating.spellings, before.underlying)
        tally.doubled |= twice
        fresh, replaced, repeated = canonical_sessions(
            taken, before.underlying, *named(), snapshots=piece.part
        )
        tally.implied_spots.update(_days_of(fresh, tally.implied))
        tally.replaced += replaced
        tally.repeated += repeated
        if writer is None and not tally.first_rows:
            tally.first_rows = tuple(fresh.slice(0, _SHOWN_ROWS).to_pylist())
        if "iv_outside" in fresh.column_names:
            outside = fresh.column("iv_outside")
            tally.outside_volatility += len(outside) - outside.null_count
        # a session that comes in pieces meets nothing
        whole = fresh if piece.part else _over_stored(fresh, days, plan, before, tally, unstated)
        tally.stated.update(n for n in _NEEDED if whole.column(n).null_count < len(whole))
        return whole

    def may_cut(first: Any) -> bool:
        day = first.column("session")[0].as_py()
        held = [entry for entry in before.sessions if entry.session == day]
        met = any(_is_met(entry, plan, unstated) for entry in held)
        return cut and not met and come_again(first)

    with closing(stream):
        for piece in pieces_of(accepted, _PIECE_ROWS, may_cut):
            if writer is None:
                stored(piece)
            else:
                behind.write(stored, writer, piece)
    if any("spot" in one.join.given and not one.unmatched for one in rows.dating.joins):
        behind.once_stored(tally.forget_implied)  # the joined file states every row's spot
    return tally


def _days_of(rows: Any, sources: Collection[str]) -> list[date]:
    """Return the sessions that have rows of some sources."""
    if not sources:
        return []
    mine = rows.filter(pc.is_in(rows.column("source"), value_set=pa.array(sorted(sources))))
    days: list[date] = pc.unique(mine.column("session")).to_pylist()
    return days


def _ascending(tables: Iterable[Any]) -> Iterator[Any]:
    last = None
    for table in tables:
        days = plain(table.column("session"))
        if (np.diff(days) < 0).any() or (last is not None and days[0] < last):
            raise UnsortedError
        last = days[-1]
        yield table


def _accepted(batches: Iterable[Any], tally: Tally, progress: Progress) -> Iterator[Any]:
    """Count what comes and let through what is not rejected."""
    for batch in batches:
        counts = np.bincount(plain(batch.column("file_index")))
        tally.by_file.update({int(i): int(counts[i]) for i in np.flatnonzero(counts)})
        progress(tally.by_file.total(), None, "rows read")
        reasons = batch.column("reject")
        if reasons.null_count < len(batch):
            for file, reason, count in _counted(batch.column("file_index"), reasons):
                tally.rejects[reason] += count
                tally.rejected_by_file[file, reason] += count
            yield from _runs_of(batch, plain(reasons.is_null()))
        elif len(batch):
            yield batch


def _runs_of(rows: Any, wanted: Flags) -> Iterator[Any]:
    """Yield the rows that are wanted: of few long runs each as it lies, which copies nothing."""
    edges = np.flatnonzero(np.diff(wanted, prepend=False, append=False)).tolist()
    if len(edges) > _MOST_RUNS:
        yield rows.filter(array_of(wanted))
        return
    for start, end in zip(edges[::2], edges[1::2], strict=True):
        yield rows.slice(start, end - start)


def _counted(files: Any, reasons: Any) -> Iterator[tuple[int, str, int]]:
    """Yield how many rows of which file are rejected for which reason."""
    encoded = reasons.combine_chunks()
    words = encoded.dictionary.to_pylist()
    code = plain(encoded.indices, -1)
    place = plain(files)
    for i, word in enumerate(words):
        counts = np.bincount(place[code == i])
        for file in np.flatnonzero(counts).tolist():
            yield file, word, int(counts[file])


def _is_met(entry: SessionEntry, plan: Plan, unstated: Collection[str]) -> bool:
    """Return whether rows that the lake holds of a session stay beside new ones, or lend to them.

    Rows of a file that is read in another way do neither.
    """
    if not set(entry.sources) <= plan.replaced:
        return True
    reread = plan.replaced & {source.source for source in plan.sources}
    return not set(entry.sources) <= reread and lends(entry, unstated)


def _over_stored(
    rows: Any,
    days: Sequence[date],
    plan: Plan,
    before: Manifest,
    tally: Tally,
    unstated: Collection[str],
) -> Any:
    """Lay rows over what the lake holds of the same sessions from other files."""
    here = set(days)
    entries = [e for e in before.sessions if e.session in here]
    if unstated and entries:
        # a file that is read in another way lends nothing to itself
        reread = plan.replaced & {entry.source for entry in plan.sources}
        lenders = rows_to_keep(entries, reread)
        rows = rows if lenders is None else sorted_rows(lent(rows, lenders, unstated))
    stored = rows_to_keep(entries, plan.replaced)
    if stored is None:
        return rows
    both = merged(rows, stored)
    tally.replaced += len(rows) + len(stored) - len(both)
    return both


def take_out_replaced(
    plan: Plan, before: Manifest, rewritten: Collection[date], writer: LakeWriter
) -> None:
    """Take the rows of replaced sources out of sessions that nothing new was read for."""
    left = [
        e
        for e in before.sessions
        if e.session not in rewritten and not plan.replaced.isdisjoint(e.sources)
    ]
    writer.drop(e.session for e in left)
    kept = rows_to_keep(left, plan.replaced)
    if kept is not None:
        writer.add(kept)
