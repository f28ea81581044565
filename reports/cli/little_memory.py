"""Where the address space is limited, native libraries abort without a word: somebody watches.

OpenBLAS, LLVM and the C library end a process that they cannot serve: by a signal, by exit code
127, or by a line of their own. No handler in Python sees that. Under a limit the work is
therefore done in a child, and its parent says why it ended.
"""

from __future__ import annotations

import os
import signal
import sys
from contextlib import suppress
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from types import FrameType

__all__ = ["address_space", "out_of_address_space", "watched"]

#: Signals by which somebody asks a process to end: no sign of missing memory.
_ASKED: Final = frozenset({signal.SIGINT, signal.SIGTERM, signal.SIGKILL, signal.SIGHUP})


def address_space() -> int | None:
    """Return the limit of the address space (``ulimit -v``) in bytes; None: there is none."""
    try:
        import resource
    except ImportError:  # a system without such limits
        return None
    limit, _ = resource.getrlimit(resource.RLIMIT_AS)
    return None if limit == resource.RLIM_INFINITY else limit


def out_of_address_space(limit: int) -> str:
    """Return what to say where the work needs more address space than there is."""
    return (
        f"the memory ran out: the address space is limited to {limit / 2**30:.1f} GB (ulimit -v), "
        "and libraries reserve several gigabytes that they never use: raise that limit (ulimit -v "
        "unlimited), and limit resident memory instead (a container's limit, MemoryMax of systemd)"
    )


def watched() -> int | None:
    """Go on in a child where the address space is limited; the parent never comes back.

    Returns
    -------
    int or None
        File descriptor on which the child says that it ended in good order; None where nobody
        watches.
    """
    limit = address_space()
    if limit is None or not hasattr(os, "fork"):
        return None
    told, tell = os.pipe()
    parent = os.getpid()
    child = os.fork()
    if child == 0:
        from ...data import end_with_parent

        os.close(told)
        end_with_parent(parent)
        return tell
    os._exit(_wait(child, told, limit))


def _wait(child: int, told: int, limit: int) -> int:
    """Return the exit code of a child; say what it could not."""

    def pass_on(number: int, frame: FrameType | None) -> None:
        with suppress(ProcessLookupError):
            os.kill(child, number)

    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a terminal asks the child itself
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, pass_on)
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    os.set_blocking(told, False)
    with suppress(BlockingIOError):
        if os.read(told, 1):
            return code
    if -code in _ASKED:
        return 128 - code
    sys.stderr.write(f"error: {out_of_address_space(limit)}\n")
    sys.stderr.flush()
    return 1
