"""Files in the making: a folder of one's own for each writer, and what killed writers left."""

from __future__ import annotations

import os
import re
import shutil
import socket
import uuid
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Final

from ..base.errors import LakeError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["draft_folder", "naming_the_lake", "remove_abandoned"]

_DRAFTS: Final = ".tmp"


@contextmanager
def draft_folder(root: Path) -> Iterator[Path]:
    """Give a folder of one's own for files in the making, removed at the end."""
    above = root / _DRAFTS
    root.mkdir(parents=True, exist_ok=True)
    remove_abandoned(root)
    drafts = above / f"{os.getpid()}-{_host()}-{uuid.uuid4().hex[:12]}"
    while True:
        with suppress(FileNotFoundError):  # another writer has just removed the empty folder above
            above.mkdir(exist_ok=True)
            drafts.mkdir()
            break
    try:
        yield drafts
    finally:
        shutil.rmtree(drafts, ignore_errors=True)
        with suppress(OSError):
            above.rmdir()


def remove_abandoned(root: Path) -> None:
    """Remove what writers had in the making when they were killed."""
    above = root / _DRAFTS
    with suppress(OSError):  # another writer does the same
        for left in list(above.iterdir()):
            if _abandoned(left.name):
                shutil.rmtree(left, ignore_errors=True)
        above.rmdir()


def _host() -> str:
    return re.sub(r"[^A-Za-z0-9.]", "", socket.gethostname())


def _abandoned(name: str) -> bool:
    """Return whether a folder of drafts is that of a process of this machine that has ended."""
    pid, _, rest = name.partition("-")
    if rest.rpartition("-")[0] != _host() or not pid.isdigit() or os.name != "posix":
        return False
    try:
        os.kill(int(pid), 0)
    except OSError as error:  # a process that may not be asked is alive
        return isinstance(error, ProcessLookupError)
    return False


@contextmanager
def naming_the_lake(root: Path) -> Iterator[None]:
    """Say of which lake it is that something cannot be written.

    Raises
    ------
    LakeError
    """
    try:
        yield
    except OSError as error:
        raise LakeError(
            f"cannot write to the lake {root}: {error.strerror or error}; free some space or "
            "choose a folder you may write to; the lake is as it was"
        ) from error
