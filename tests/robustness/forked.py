"""Work in a child process that can be signalled at any of its file operations."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable

__all__ = ["fork", "waited", "watched"]

#: What the interpreter reports of files.
OPERATIONS = (
    "open",
    "os.rename",
    "os.remove",
    "os.mkdir",
    "os.rmdir",
    "os.truncate",
    "os.symlink",
)


def fork(work: Callable[[], int]) -> int:
    """Work in a child that ends with the code of the work, 70 where it raises; return its id."""
    pid = os.fork()
    if pid:
        return pid
    code = 70
    try:
        code = work()
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else 1
    except BaseException as error:
        sys.stderr.write(f"{type(error).__name__}: {error}\n")
    finally:
        os._exit(code)


def waited(pid: int) -> int:
    """Return the code that a child ends with, the negative signal where one ended it."""
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def watched(operation: int, signum: int, work: Callable[[], int]) -> tuple[int, int]:
    """Work, and get a signal at the given file operation; return code and number of operations."""
    seen = [0]

    def hook(event: str, _: object) -> None:
        if event in OPERATIONS:
            seen[0] += 1
            if seen[0] == operation:
                os.kill(os.getpid(), signum)

    sys.addaudithook(hook)
    return work(), seen[0]
