"""One night at a time: a lock that a dead process does not keep."""

from __future__ import annotations

import os
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

from ...data import GexlabError, InputFileError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["NightRunningError", "one_night"]

_NAME = ".night"


class NightRunningError(GexlabError):
    """Another night is at work in the same folder."""


@contextmanager
def one_night(out: Path) -> Iterator[None]:
    """Hold the only right to publish nights into a folder.

    The operating system ties the lock to the open file: however the process ends, it is free.

    Raises
    ------
    NightRunningError
        If another process holds it.
    InputFileError
        If the folder cannot be written to.
    """
    try:
        out.mkdir(parents=True, exist_ok=True)
        handle = os.open(out / _NAME, os.O_RDWR | os.O_CREAT, 0o644)
    except OSError as error:
        raise InputFileError(
            f"{out}: nights cannot be written there ({error.strerror}): set [nightly] out to a "
            "folder that you may write to"
        ) from error
    try:
        if not _taken(handle):
            raise NightRunningError(
                f"{out}: another night is running (process {_owner(handle)}): wait until it has "
                "ended, or stop it"
            )
        os.ftruncate(handle, 0)
        os.lseek(handle, 0, os.SEEK_SET)
        os.write(handle, f"{os.getpid()}\n".encode("ascii"))
        yield
    finally:
        os.close(handle)


def _owner(handle: int) -> str:
    try:
        os.lseek(handle, 0, os.SEEK_SET)
        return os.read(handle, 32).decode("ascii", "replace").strip() or "unknown"
    except OSError:
        return "unknown"


def _taken(handle: int) -> bool:
    if sys.platform == "win32":
        import msvcrt

        os.lseek(handle, 1 << 30, os.SEEK_SET)
        try:
            msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True
    import fcntl

    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
