"""Rows put in order and written while further ones are being read."""

from __future__ import annotations

from collections import deque
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from ..base.allocator import keep_freed_memory
from ..lake.parts import split_sessions

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from concurrent.futures import Future

    from ..lake.session_stream import Piece
    from ..lake.writer import LakeWriter

__all__ = ["Background", "background"]

#: Rows that may wait to be put in order and written, a few pieces: enough that neither thread waits
#: for the one that reads where one piece takes longer than another.
_WAITING_ROWS: Final = 524_288


class Background:
    """Two threads, a few pieces behind the one that reads: they go on from name to name.

    One puts rows as they are stored and fingerprints sessions, the other writes them: each has
    about as much to do as the one that reads.
    """

    def __init__(self, printer: ThreadPoolExecutor, worker: ThreadPoolExecutor) -> None:
        self._printer = printer
        self._worker = worker
        self._pending: deque[tuple[Future[None], int]] = deque()

    def write(self, stored: Callable[[Piece], Any], writer: LakeWriter, piece: Piece) -> None:
        """Hand a piece on: `stored` makes of it what the writer is given.

        Raises
        ------
        Exception
            What became of an earlier piece.
        """
        rows = piece.rows.num_rows
        while self._pending and rows + sum(waiting for _, waiting in self._pending) > _WAITING_ROWS:
            self._pending.popleft()[0].result()
        if piece.part:
            made = self._printer.submit(stored, piece)
            written = self._worker.submit(partial(_add_piece, writer, made, last=piece.last))
        else:
            sessions = self._printer.submit(lambda: list(split_sessions(stored(piece))))
            written = self._worker.submit(lambda: writer.add_sessions(sessions.result()))
        self._pending.append((written, rows))

    def once_stored(self, then: Callable[[], None]) -> None:
        """Do something when all rows so far have been put in order."""
        self._pending.append((self._printer.submit(then), 0))

    def once_written(self, then: Callable[[], None]) -> None:
        """Do something when all rows so far have been given to their writer."""
        self._pending.append((self._worker.submit(then), 0))

    def settle(self) -> None:
        """Wait for everything."""
        while self._pending:
            self._pending.popleft()[0].result()


def _add_piece(writer: LakeWriter, rows: Future[Any], *, last: bool) -> None:
    writer.add_piece(rows.result(), last=last)


@contextmanager
def background() -> Iterator[Background]:
    """Give threads that have done everything they were given at the end."""
    keep_freed_memory()
    with ThreadPoolExecutor(max_workers=1) as printer, ThreadPoolExecutor(max_workers=1) as worker:
        made = Background(printer, worker)
        yield made
        made.settle()
