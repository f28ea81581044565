"""One writer at a time, and no file removed below a reader: locks that die with their process."""

from __future__ import annotations

import json
import os
import socket
import sys
import time
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from ..base.errors import LakeError, LakeLockedError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["nobody_reading", "read_lock", "write_lock"]

_NAME: Final = ".lock"
_PATIENCE: Final = 0.5


@contextmanager
def write_lock(root: Path, *, patience: float = _PATIENCE) -> Iterator[None]:
    """Hold the only right to write to the lake at `root`.

    Whoever holds it is waited for so many seconds: long enough for a reader that removes files
    which were kept for it, not for a writer.

    The operating system ties the lock to the open file, so that it disappears with its process,
    however that process ends. The text in the file (process, host, time) only serves the message.

    Raises
    ------
    LakeLockedError
        If another process, or another thread of this one, is writing.
    LakeError
        If the lock cannot be written.
    """
    path = root / _NAME
    try:
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    except OSError as error:
        raise LakeError(
            f"cannot write to the lake {root}: {error.strerror}; choose a folder you may write to"
        ) from error
    try:
        if not _acquired(handle, patience):
            raise LakeLockedError(
                f"the lake {root} is being written to by {_owner(path)}: wait until it has "
                "finished, or stop it"
            )
        _sign(handle)
        yield
    finally:
        # closing releases; the file stays, because removing it would race with the next writer
        os.close(handle)


def _acquired(handle: int, patience: float) -> bool:
    end = time.monotonic() + patience
    while not _acquire(handle):
        if time.monotonic() >= end:
            return False
        time.sleep(0.01)
    return True


def _acquire(handle: int) -> bool:
    try:
        if sys.platform == "win32":
            import msvcrt

            # a byte far behind the text, which thus stays readable
            os.lseek(handle, 1 << 30, os.SEEK_SET)
            msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def _sign(handle: int) -> None:
    owner = {
        "pid": os.getpid(),
        "host": socket.gethostname(),
        "since": datetime.now(UTC).isoformat(timespec="seconds"),
    }
    # a full disk must not stop the lock: only the other writer's message would be poorer
    with suppress(OSError):
        os.ftruncate(handle, 0)
        os.lseek(handle, 0, os.SEEK_SET)
        os.write(handle, json.dumps(owner).encode())


def _owner(path: Path) -> str:
    try:
        owner = json.loads(path.read_text(encoding="utf-8"))
        return f"process {owner['pid']} on {owner['host']} since {owner['since']}"
    except (OSError, ValueError, KeyError, TypeError):
        return "another process"


@contextmanager
def read_lock(root: Path) -> Iterator[None]:
    """Keep writers from removing files of the lake at `root` that were superseded meanwhile.

    Any number of readers may hold it, and no writer waits for them. It is a lock on the folder of
    the chains, so that reading needs no right to write and leaves nothing behind. Where it cannot
    be had (a platform or a file system without such locks) reading goes on without.
    """
    handle = _folder(root)
    try:
        if handle is not None:
            _lock(handle, alone=False)
        yield
    finally:
        if handle is not None:
            os.close(handle)


@contextmanager
def nobody_reading(root: Path) -> Iterator[bool]:
    """Give whether no reader holds the lake; while this lasts, none begins."""
    handle = _folder(root)
    try:
        yield handle is None or _lock(handle, alone=True)
    finally:
        if handle is not None:
            os.close(handle)


def _folder(root: Path) -> int | None:
    if sys.platform == "win32":
        return None
    try:
        return os.open(root / "chains", os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return None


def _lock(handle: int, *, alone: bool) -> bool:
    """Lock a folder; return False where others hold it, True also where there are no such locks."""
    import fcntl

    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB if alone else fcntl.LOCK_SH)
    except BlockingIOError:
        return False
    except OSError:
        return True
    return True
