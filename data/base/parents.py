"""Worker processes that end when whoever started them does, however that happens."""

from __future__ import annotations

import os
import threading
import time
from typing import Final

__all__ = ["end_with_parent"]

_PAUSE: Final = 1.0


def end_with_parent(parent: int) -> None:
    """Watch a parent process from a thread and end this one within seconds of it.

    A worker that waits for its next task would otherwise wait for ever once its parent was
    killed: it is nobody's child then, and holds its memory.

    Parameters
    ----------
    parent : int
        Number of the process that started this one.
    """
    threading.Thread(target=_watch, args=(parent,), daemon=True, name="end-with-parent").start()


def _watch(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(_PAUSE)
    os._exit(1)
