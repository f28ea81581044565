"""Parts that are full, closed beside the next one: closing waits for the disk."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from concurrent.futures import Executor, Future

    from .delta_log import DataFile
    from .manifest import SessionEntry
    from .parts import PartWriter

__all__ = ["Closed", "PartClosing"]

Closed: TypeAlias = "tuple[list[SessionEntry], DataFile]"


class PartClosing:
    """Full parts of one writer, in the order in which they were handed over.

    Parameters
    ----------
    hand : Executor or None
        Who closes them; None: whoever hands them over, at once.
    """

    def __init__(self, hand: Executor | None) -> None:
        self._hand = hand
        self._closed: list[Closed | Future[Closed]] = []

    def add(self, part: PartWriter) -> None:
        """Take a part that nothing more is added to."""
        self._closed.append(
            _closed(part) if self._hand is None else self._hand.submit(_closed, part)
        )

    def settled(self) -> list[Closed]:
        """Wait for all parts, and return what each holds; they are not returned again.

        Raises
        ------
        OSError
            If one could not be written.
        """
        closed, self._closed = self._closed, []
        return [each if isinstance(each, tuple) else each.result() for each in closed]

    def abandon(self) -> None:
        """Wait for all parts, and forget them."""
        closed, self._closed = self._closed, []
        for each in closed:
            if not isinstance(each, tuple):
                each.exception()  # waits; whatever became of it, nobody asks any more


def _closed(part: PartWriter) -> Closed:
    try:
        return part.close()
    except BaseException:
        part.abandon()
        raise
