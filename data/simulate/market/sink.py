"""Where the large tables go, month by month: the lake's own writer, and a file of positions."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

import pyarrow.parquet as pq

from ...base.errors import LakeError
from ...lake.lake import open_lake
from ...lake.manifest import SessionEntry
from ...lake.parts import CHAIN_SCHEMA, with_optional
from ...lake.writer import lake_writer

__all__ = ["SIMULATED", "ChainSink", "PositionsSink", "chain_sink", "positions_sink"]


#: What the source of every simulated row begins with.
SIMULATED = "simulate:"


class ChainSink(Protocol):
    """Takes whole sessions in ascending order."""

    def add(self, rows: Any) -> None:
        """Take a table of canonical rows in the lake's order."""


@contextmanager
def chain_sink(folder: Path, underlying: str) -> Iterator[ChainSink]:
    """Open the lake in `folder` for the chain of `underlying`.

    The chain replaces what the lake held of `underlying`, and is visible when the block ends
    without an error; otherwise the lake is as it was.
    """
    with lake_writer(open_lake(folder, create=True), underlying) as writer:
        _require_simulated(writer.before.sessions, folder, underlying)
        writer.drop(entry.session for entry in writer.before.sessions)
        yield _Canonical(writer)
        writer.commit()


def _require_simulated(entries: Iterable[SessionEntry], folder: Path, underlying: str) -> None:
    """Refuse to replace chains that came from elsewhere."""
    for entry in entries:
        foreign = [source for source in entry.sources if not source.startswith(SIMULATED)]
        if foreign:
            raise LakeError(
                f"{folder}: expected no chains of {underlying} but simulated ones, found those of "
                f"{foreign[0]} on {entry.session}: choose another folder or --underlying"
            )


class _Canonical:
    def __init__(self, writer: ChainSink) -> None:
        self._writer = writer

    def add(self, rows: Any) -> None:
        self._writer.add(with_optional(rows).cast(CHAIN_SCHEMA))


class PositionsSink:
    """Writes dealers' true positions to ``positions.parquet`` without holding them.

    Parameters
    ----------
    folder : Path
    wanted : bool
        Whether the world has positions to write; without, nothing is ever added.
    """

    def __init__(self, folder: Path, *, wanted: bool) -> None:
        self.path, self.wanted = folder / "positions.parquet", wanted
        self._draft = folder / "positions.draft"
        self._writer: pq.ParquetWriter | None = None

    def add(self, rows: Any) -> None:
        """Take a table of positions."""
        if self._writer is None:
            self._writer = pq.ParquetWriter(self._draft, rows.schema, compression="zstd")
        self._writer.write_table(rows)

    def finish(self, *, keep: bool) -> None:
        """Put the file in its place, or leave the folder as it was."""
        if self._writer is not None:
            self._writer.close()
        if keep and self._writer is not None:
            self._draft.replace(self.path)
        elif keep:
            self.path.unlink(missing_ok=True)  # an earlier run's
        else:
            self._draft.unlink(missing_ok=True)


@contextmanager
def positions_sink(folder: Path, *, wanted: bool) -> Iterator[PositionsSink]:
    """Open the file of positions; it appears when the block ends without an error."""
    sink = PositionsSink(folder, wanted=wanted)
    try:
        yield sink
    except BaseException:
        sink.finish(keep=False)
        raise
    sink.finish(keep=True)
