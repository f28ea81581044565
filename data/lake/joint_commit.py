"""What one or several writers of a lake have, made visible in one version."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ..base.errors import LakeError
from .storage import TakenError
from .versions import ATTEMPTS, Change, Version, commit, mark, marked

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import date

    from .delta_log import DataFile
    from .manifest import Manifest, SessionEntry, SourceEntry
    from .writer import LakeWriter

__all__ = ["LakeMovedError", "Prepared", "Written", "by_table", "commit_together"]


@dataclass(frozen=True, slots=True)
class Written:
    """What a writer wrote in another process, over which record of the underlying."""

    record: DataFile | None
    fresh: dict[date, SessionEntry]
    made: dict[str, DataFile]
    seen: frozenset[date]
    unchanged: frozenset[date]


class LakeMovedError(LakeError):
    """What a writer's rows were worked out from has been replaced by another writer's."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """What a commit of a writer does.

    Attributes
    ----------
    version : Version
        Over which it writes.
    after : Manifest
    changes : tuple of Change
        None where nothing changes.
    sessions : int
        That differ.
    """

    version: Version
    after: Manifest
    changes: tuple[Change, ...]
    sessions: int


def commit_together(
    writers: Sequence[tuple[LakeWriter, tuple[SourceEntry, ...] | None]],
    *,
    operation: str = "write",
    whole: bool = False,
) -> list[Manifest]:
    """Make what several writers of a lake have visible in one version; return their new states.

    Parameters
    ----------
    writers : sequence of tuple
        Each with its sources, as for `LakeWriter.commit`.
    operation : str
    whole : bool
        As for `LakeWriter.commit`.

    Raises
    ------
    LakeMovedError
        If others wrote to one of the underlyings meanwhile and the rows are a `whole`, or if they
        write without a pause.
    """
    root = writers[0][0].root
    for attempt in range(ATTEMPTS):
        numbers = {writer.version.number for writer, _ in writers}
        if len(numbers) > 1 or attempt:
            for writer, _ in writers:
                writer.look_again(whole=whole)
        made = [writer.prepared(sources) for writer, sources in writers]
        if len({each.version.number for each in made}) > 1:
            continue  # others were first while some were looking
        changed = [each for each in made if each.changes]
        version = made[0].version
        if not changed:
            if marked(root)[0] < version.number:  # its writer was killed
                mark(root, version)
            return [each.after for each in made]
        try:
            commit(
                root, version, by_table(c for each in changed for c in each.changes),
                operation=operation,
                underlying=",".join(each.after.underlying for each in changed),
                sessions=sum(each.sessions for each in changed),
            )  # fmt: skip
        except TakenError:
            time.sleep(min(0.002 * attempt, 0.05))
        else:
            return [each.after for each in made]
    raise LakeMovedError(f"the lake {root} is written to without a pause: try again")


def by_table(changes: Iterable[Change]) -> list[Change]:
    """Return several changes of each table as one."""
    found: dict[str, list[Change]] = {}
    for change in changes:
        found.setdefault(change.table, []).append(change)
    return [
        replace(
            same[0],
            add=tuple(file for change in same for file in change.add),
            remove=tuple(path for change in same for path in change.remove),
        )
        for same in found.values()
    ]
