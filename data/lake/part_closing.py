"""Parts that are full, closed beside the next one: closing waits for the disk."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from ..base.errors import LakeError
from .integrity import part_damage

if TYPE_CHECKING:
    from concurrent.futures import Executor, Future
    from datetime import date
    from pathlib import Path

    from .delta_log import DataFile
    from .manifest import Manifest, SessionEntry
    from .parts import PartWriter

__all__ = ["Closed", "PartClosing", "content_of", "require_rescue"]

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


def require_rescue(path: Path, root: Path, before: Manifest, kept: list[date]) -> None:
    """Refuse to write while a damaged part holds further sessions, which would be lost.

    Parameters
    ----------
    path : Path
        The part, from which sessions go.
    root : Path
        The lake's folder.
    before : Manifest
    kept : list of date
        The sessions of the part that stay.

    Raises
    ------
    LakeError
        If the part is not what was written.
    """
    what = part_damage(path, root)
    if what is None:
        return
    sources = {s for e in before.sessions if e.session in kept for s in e.sources}
    files = [p for e in before.sources if e.source in sources for p in e.paths]
    raise LakeError(
        f"{path}: {what}; it also held {len(kept)} sessions from {kept[0]} to {kept[-1]}, read "
        f"from {', '.join(files[:20]) or 'elsewhere'}: ingest those files in the same call, or "
        "restore it"
    )


def content_of(name: str) -> tuple[str, str]:
    """Return what the name of a part says of its content: the sessions, and the digest."""
    return name[: len("20260102-20260102")], name.rpartition("-")[2]
