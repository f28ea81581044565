"""What a failing command says: one line, with what to do about it."""

from __future__ import annotations

import errno
import os
from typing import TYPE_CHECKING

from ...data import GexlabError
from .little_memory import address_space, out_of_address_space

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["reason_of"]

_MEMORY = (
    "the memory ran out: close other programs, give the container more, or work on fewer sessions "
    "at once (data.start, data.end, fewer files)"
)
#: Errors of libraries that mean the same, by the name of their class.
_MEMORY_NAMES = frozenset({"MemoryError", "ArrowMemoryError", "OutOfMemoryException"})
_THREADS = (
    "the system gives no more threads: its memory or the number of processes allowed ran out: "
    "close other programs, or raise the limits (ulimit -v, ulimit -u, the container's)"
)
#: What libraries say of it.
_NO_THREAD = ("can't start new thread", "launch worker thread", "pthread_create")
_BYTES = (
    "a path or a name holds bytes that are not UTF-8, and neither DuckDB nor Arrow opens or writes "
    "those: rename the file, or the folder that it lies in"
)
#: What Python and DuckDB say of it.
_NO_UTF8 = ("surrogates not allowed", "cannot encode str as UTF-8")
#: Beginnings of the names of variables that change what libraries do.
_OF_LIBRARIES = ("ARROW_", "MKL_", "MPL", "NUMBA_", "OMP_", "OPENBLAS_")
_FULL = frozenset({errno.ENOSPC, errno.EDQUOT})
_CLOSED = frozenset({errno.EACCES, errno.EPERM, errno.EROFS})
_FILES = frozenset({errno.EMFILE, errno.ENFILE})


def reason_of(error: BaseException) -> str:
    """Return why a command failed and what to do, in one line."""
    text = " ".join(str(error).split())
    limit = address_space()
    if any(map(_is_memory, _behind(error))):
        return _MEMORY if limit is None else out_of_address_space(limit)
    if any(words in text for words in _NO_UTF8):
        where = text.partition(": ")[0] if isinstance(error, GexlabError) else ""
        return f"{where}: {_BYTES}" if where else _BYTES
    if isinstance(error, GexlabError):
        return text
    if any(words in text for words in _NO_THREAD):
        return _THREADS
    if isinstance(error, OSError):
        said = _of_the_system(error)
        if said:
            return said
    if limit is not None and isinstance(error, (ImportError, OSError, SystemError, RuntimeError)):
        return out_of_address_space(limit)
    if wrong := _wrong_environment(text):
        return f"{wrong}: mend it or unset it"
    kind = type(error).__name__
    said = f"unexpected {kind}: {text or 'no details'}; run again with --debug to see where"
    of_libraries = [name for name in sorted(os.environ) if name.startswith(_OF_LIBRARIES)]
    return f"{said}, or without {', '.join(of_libraries)}" if of_libraries else said


def _wrong_environment(text: str) -> str:
    """Return what is wrong with variables that libraries stumble over; empty where nothing is."""
    if os.environ.get("NUMBA_DISABLE_JIT", "0") not in ("", "0"):
        return "NUMBA_DISABLE_JIT is set: expected compiled code, which this work is made of"
    if "backend" in text and (value := os.environ.get("MPLBACKEND")):
        return f"MPLBACKEND={value}: expected a backend that Matplotlib has, such as agg"
    for name in ("NUMBA_NUM_THREADS", "OMP_NUM_THREADS"):
        value = os.environ.get(name, "1")
        if not (value.isascii() and value.isdigit() and int(value) > 0):
            return f"{name}={value}: expected a number of threads, 1 or more"
    return ""


def _behind(error: BaseException | None) -> Iterator[BaseException]:
    """Yield an error and those behind it: for want of memory no file is damaged."""
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)


def _is_memory(error: BaseException) -> bool:
    if isinstance(error, OSError) and error.errno == errno.ENOMEM:
        return True
    return any(kind.__name__ in _MEMORY_NAMES for kind in type(error).__mro__)


def _shortened(text: str, most: int = 200) -> str:
    return text if len(text) <= most else f"{text[: most // 2]} ... {text[-most // 2 :]}"


def _of_the_system(error: OSError) -> str:
    """Return what an error of the operating system means; empty where nothing better is known."""
    number, where = error.errno, f"{error.filename}: " if error.filename else ""
    if number in _FULL:
        return f"{where}{error.strerror}: free some, then run the same command again"
    if number == errno.EFBIG:
        return (
            f"{where}{error.strerror}: the file system, or a limit (ulimit -f), allows no larger "
            "file: raise the limit, or work in another folder"
        )
    if number in _CLOSED:
        return (
            f"{where}{error.strerror}: give this user the right to it, or name another file or "
            "folder that it may use"
        )
    if number == errno.ENAMETOOLONG:
        return f"{_shortened(where)}{error.strerror}: choose a shorter name or folder"
    if number in _FILES:
        return f"{error.strerror}: raise the limit (ulimit -n), then run the same command again"
    return ""
