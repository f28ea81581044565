"""The cache of compiled loops on disk: one that can be trusted, wherever the package runs.

Numba keeps compiled code beside the source or in the user's home. Both can be closed (a service
without a home, a read-only installation), what lies there can be damaged, and Numba's own mark of
freshness covers one file: a loop whose callee in another module changed would run with the old
callee. `dispatcher_of` closes these gaps: another folder is found, damaged code is compiled again,
and the mark covers everything that was compiled into a function.
"""

from __future__ import annotations

import hashlib
import importlib.util
import inspect
import logging
import pickle
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import cache
from types import CodeType
from typing import Any, Final

import numba
import numba.core.caching

from .cache_folder import fall_back
from .digested import read_digested, with_digest
from .machine_code import MachineCode, unpickled

__all__ = ["dispatcher_of", "give_fallback_cache", "has_cached_code"]

# what is not public in Numba has no types worth the name
caching: Any = numba.core.caching

_log = logging.getLogger("gexlab")

#: Raised when the form of the files changes.
_FORM: Final = 3


def dispatcher_of(function: Callable[..., Any], options: dict[str, Any]) -> Any:
    """Return a function as Numba compiles it, with a cache that can be trusted.

    Parameters
    ----------
    function : callable
    options : dict
        Of ``numba.njit``, without ``cache``.
    """
    dispatcher: Any = numba.njit(**options)(function)
    if hasattr(dispatcher, "_cache"):  # not where NUMBA_DISABLE_JIT is set
        dispatcher._cache = _cache_of(function)
    return dispatcher


def has_cached_code(loop: Any) -> bool:
    """Return whether code of a loop lies in the cache, for the sources as they are."""
    kept = getattr(loop, "_cache", None)
    return isinstance(kept, _TrustedCache) and kept.has_code()


def give_fallback_cache(package: str) -> None:
    """Give Numba a folder where it finds none for a package with cached functions of its own."""
    spec = importlib.util.find_spec(package)
    if spec is None or spec.origin is None:
        return  # its import will say so
    for locator in caching.CacheImpl._locator_classes:
        if locator.from_function(give_fallback_cache, spec.origin) is not None:
            return
    fall_back()


def _cache_of(function: Callable[..., Any]) -> Any:
    with suppress(RuntimeError):  # Numba's word for: no writable folder
        return _TrustedCache(function)
    fall_back()  # which says so
    with suppress(RuntimeError):
        return _TrustedCache(function)
    return caching.NullCache()


@cache
def _say_that_it_compiles() -> None:
    _log.info("compiling numerical code for this machine, about a minute; kept for the next run")


class _TrustedCache(caching.FunctionCache):  # type: ignore[misc]
    """Numba's cache, with a digest on every file and a mark of all sources; never a reason to fail.

    What cannot be read as it was written counts as missing, and what cannot be written is not kept.
    """

    _impl_class = MachineCode

    def __init__(self, function: Callable[..., Any]) -> None:
        super().__init__(function)
        plain: Any = self._cache_file
        self._function: Callable[..., Any] | None = function
        self._cache_file: Any = _DigestedFile(
            plain._cache_path, self._impl.filename_base, plain._source_stamp
        )

    def load_overload(self, sig: Any, target_context: Any) -> Any:
        self._complete_mark()
        try:
            # Numba's own would first load all that can be compiled, a quarter of a second
            with self._guard_against_spurious_io_errors():
                found = self._load_overload(sig, target_context)
        except Exception as error:  # whatever damaged code raises: compile again
            _log.debug("cached code of %s is not usable: %s", self._name, error)
            found = None
        if found is None:
            _say_that_it_compiles()
        return found

    def save_overload(self, sig: Any, data: Any) -> None:
        self._complete_mark()
        try:
            super().save_overload(sig, data)
        except (OSError, pickle.PickleError) as error:
            _log.debug("compiled code of %s is not kept: %s", self._name, error)

    def has_code(self) -> bool:
        """Return whether there is code of sources as they are, whatever its types."""
        self._complete_mark()
        return bool(self._cache_file._load_index())

    def _complete_mark(self) -> None:
        """Let the mark cover what the function calls; only at its first call is all of it there."""
        if self._function is not None:
            plain = self._cache_file._source_stamp
            self._cache_file._source_stamp = (plain, _mark(self._function))
            self._function = None


class _DigestedFile(caching.IndexDataCacheFile):  # type: ignore[misc]
    """An index and data files that begin with the SHA-256 of the rest."""

    def __init__(self, path: str, name: str, stamp: Any) -> None:
        super().__init__(path, name, stamp)
        self._version: Any = (numba.__version__, _FORM)

    def _load_index(self) -> Any:
        try:
            version, stamp, overloads = pickle.loads(read_digested(self._index_path))
        except Exception:  # absent, damaged, or of a version that pickles other things
            return {}
        return overloads if (version, stamp) == (self._version, self._source_stamp) else {}

    def _save_index(self, overloads: Any) -> None:
        self._write(self._index_path, (self._version, self._source_stamp, overloads))

    def _load_data(self, name: str) -> Any:
        return unpickled(read_digested(self._data_path(name)))

    def _save_data(self, name: str, data: Any) -> None:
        self._write(self._data_path(name), data)

    def _write(self, path: str, value: Any) -> None:
        body = self._dump(value)
        with self._open_for_write(path) as stream:
            stream.write(with_digest(body))


def _mark(function: Callable[..., Any]) -> str:
    """Return a digest of the code and the constants that are compiled into a function."""
    digest = hashlib.sha256()
    for text in _ingredients(function, set()):
        digest.update(text.encode(errors="surrogatepass") + b"\0")
    return digest.hexdigest()


def _ingredients(function: Any, seen: set[Any]) -> Iterator[str]:
    """Yield the code of a function and of what it calls, and the constants that they read."""
    if function in seen:
        return
    seen.add(function)
    yield from _code(function.__code__)
    for name in sorted(set(_names(function.__code__))):
        value = function.__globals__.get(name)
        inner, options = _written(value)
        if inspect.isfunction(inner):
            yield repr([(option, _in_order(options[option])) for option in sorted(options)])
            yield from _ingredients(inner, seen)
        elif hasattr(value, "tobytes"):
            yield f"{name}={value!r}:{hashlib.sha256(value.tobytes()).hexdigest()}"
        elif isinstance(value, (bool, int, float, str, tuple)):
            yield f"{name}={value!r}"


def _written(value: Any) -> tuple[Any, dict[str, Any]]:
    """Return a function as it is written, and what Numba is told of it.

    A loop that is called by others alone need not be made for that, which takes as long as to load
    one.
    """
    written = getattr(value, "py_func", None)
    if written is None:
        return getattr(value, "_defn", value), {}
    options = getattr(value, "options", None)
    return written, getattr(value, "targetoptions", {}) if options is None else options


def _in_order(value: Any) -> Any:
    """Return a set as a sorted list: its own order is another one in each process."""
    return sorted(value, key=repr) if isinstance(value, (set, frozenset)) else value


def _code(code: CodeType) -> Iterator[str]:
    yield code.co_code.hex()
    yield repr((code.co_names, code.co_varnames, code.co_freevars))
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _code(constant)
        else:
            yield repr(_in_order(constant))


def _names(code: CodeType) -> Iterator[str]:
    yield from code.co_names
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _names(constant)
