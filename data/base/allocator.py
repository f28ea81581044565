"""What the C library does with memory that is free again, and Python with what refers to itself."""

from __future__ import annotations

import ctypes
import gc
import os
import sys
from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["collecting_new_only", "keep_freed_memory"]

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


@contextmanager
def collecting_new_only() -> Iterator[None]:
    """Let Python look for cycles of garbage only among what is made within this context.

    What was there before, imported modules above all, is not garbage: to go through it again and
    again took a tenth of a rebuild. Afterwards it is looked at as ever. Where somebody has put
    objects aside already (``gc.freeze``), nothing changes.
    """
    if gc.get_freeze_count():
        yield
        return
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()
