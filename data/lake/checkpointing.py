"""Checkpoints of the logs of tables: written where one has grown long, held to their digests."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any, Final

from .checkpoints import actions_in, checkpoint_bytes, checkpoint_file, last_checkpoint
from .delta_log import LOG, Checkpoint, TableVersion, add_action, files_at, log_file
from .storage import read_kept, read_now, replaced
from .versions import commit, newest

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["checkpoint_damage", "write_checkpoints"]

#: Commits after which a log is worth a checkpoint.
_LONG: Final = 64
_LAST: Final = "_last_checkpoint"


def write_checkpoints(root: Path) -> None:
    """Write checkpoints of the tables whose log has grown long since the last one, or has lost it.

    Raises
    ------
    TakenError
        If others committed meanwhile.
    """
    version = newest(root)
    made: dict[str, TableVersion] = {}
    for name, at in version.tables.items():
        point = at.checkpoint
        if at.version - (point.version if point else -1) >= _LONG:
            made[name] = _written(root / name, at)
        elif point and checkpoint_damage(root / name, point):  # the same bytes come back
            _written(root / name, TableVersion(point.version, point.chain))
            _tell(root / name, point)
    if made:
        commit(
            root, version, [], operation="compact", underlying=None, sessions=0, checkpoints=made
        )
    for name, at in made.items():
        assert at.checkpoint is not None
        _tell(root / name, at.checkpoint)


def _written(folder: Path, at: TableVersion) -> TableVersion:
    """Write down what a table holds at a version; it counts once a version of the lake says so."""
    head: dict[str, Any] = {}
    for line in read_kept(log_file(folder, 0)).splitlines():
        head |= json.loads(line)
    content = checkpoint_bytes(head, [add_action(f, 0) for f in files_at(folder, at).values()])
    replaced(checkpoint_file(folder / LOG, at.version), content)
    digest = hashlib.sha256(content).hexdigest()
    return TableVersion(at.version, at.chain, Checkpoint(at.version, at.chain, digest))


def _tell(folder: Path, point: Checkpoint) -> None:
    """Tell other programs of a checkpoint."""
    content = read_kept(checkpoint_file(folder / LOG, point.version))
    replaced(folder / LOG / _LAST, last_checkpoint(point.version, actions_in(content)))


def checkpoint_damage(folder: Path, point: Checkpoint) -> tuple[str, str] | None:
    """Return which file of a checkpoint is not what was written, and what is wrong with it.

    Parameters
    ----------
    folder : Path
        Of the table.
    point : Checkpoint
        The last one.
    """
    path = checkpoint_file(folder / LOG, point.version)
    try:
        content = read_kept(path)
        if hashlib.sha256(content).hexdigest() != point.digest:
            return str(path), "its bytes are not those that were written"
        path = folder / LOG / _LAST
        if read_now(path) != last_checkpoint(point.version, actions_in(content)):
            return str(path), "is not that of the last checkpoint"
    except FileNotFoundError:
        return str(path), "gone"
    except OSError as error:
        return str(path), f"cannot be read ({error.strerror})"
    return None
