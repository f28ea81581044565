"""What the C library does with memory that is free again, and Python with what refers to itself."""

from __future__ import annotations

import ctypes
import gc
import os
import sys
from functools import cache
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from contextlib import ExitStack

__all__ = ["collect_new_only", "keep_freed_memory", "share_freed_memory"]

#: Parameters of ``mallopt``, as in malloc.h, and what they are set to, bytes.
_TRIM_THRESHOLD: Final = (-1, 2**26)
_MMAP_THRESHOLD: Final = (-3, 2**22)


@cache
def keep_freed_memory() -> bool:
    """Let this process keep up to 64 MB that are free again, for what it needs next.

    The C library gives back what is free at the top of its memory beyond 128 KB, and asks for it
    again page by page: threads that lay out session after session spent a fifth of their time
    on that. Where the environment says how much is kept (``MALLOC_TRIM_THRESHOLD_``), or the C
    library is another than glibc, nothing changes.

    Returns
    -------
    bool
        Whether it was said.
    """
    if sys.platform != "linux" or "MALLOC_TRIM_THRESHOLD_" in os.environ:
        return False
    try:
        say = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError):
        return False
    return (say(*_TRIM_THRESHOLD), say(*_MMAP_THRESHOLD)) == (1, 1)


def share_freed_memory() -> bool:
    """Keep freed memory, and let Arrow take its own from there too.

    For many chains or names one after the other. Arrow's own allocator gives back what is free as
    soon, and keeps memory of its own for each thread: an ingest of 127 names took 130 MB and a
    twentieth of its time more, one by two workers a tenth. One large file is read faster with it.
    Where ``ARROW_DEFAULT_MEMORY_POOL`` says from where Arrow takes its memory, it stays.

    Returns
    -------
    bool
        Whether freed memory is kept.
    """
    kept = keep_freed_memory()
    if kept and "ARROW_DEFAULT_MEMORY_POOL" not in os.environ:
        import pyarrow as pa

        pa.set_memory_pool(pa.system_memory_pool())
    return kept


def collect_new_only(until: ExitStack) -> None:
    """Let Python look for cycles of garbage only among what is made from here on, until an exit.

    What was there before, imported modules above all, is not garbage: to go through it again and
    again took a tenth of a rebuild. Afterwards it is looked at as ever. Where somebody has put
    objects aside already (``gc.freeze``), nothing changes.

    Parameters
    ----------
    until : ExitStack
        Ends it.
    """
    if not gc.get_freeze_count():
        gc.freeze()
        until.callback(gc.unfreeze)
