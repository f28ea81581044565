"""Where the chain goes: the lake's own writer, fed month by month."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

from ..lake import open_lake
from ..parts import CHAIN_SCHEMA, with_optional
from ..writing import lake_writer

__all__ = ["ChainSink", "chain_sink"]


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
        writer.drop(entry.session for entry in writer.before.sessions)
        yield _Canonical(writer)
        writer.commit()


class _Canonical:
    def __init__(self, writer: ChainSink) -> None:
        self._writer = writer

    def add(self, rows: Any) -> None:
        self._writer.add(with_optional(rows).cast(CHAIN_SCHEMA))
