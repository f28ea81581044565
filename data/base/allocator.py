"""What the C library does with memory that is free again."""

from __future__ import annotations

import ctypes
import os
import sys
from functools import cache
from typing import Final

__all__ = ["keep_freed_memory"]

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
