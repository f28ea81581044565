"""Loops that are compiled when they are first called; until then nothing of Numba is loaded.

Importing Numba takes longer than many a command needs in all. A loop that is decorated with
`compiled` stands for itself until it is called, by Python or by another loop that is being
compiled.
"""

from __future__ import annotations

import functools
import gc
import inspect
import sys
import threading
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from importlib import import_module
from typing import Any, TypeVar, cast

from .cache_folder import folder_asked_for

__all__ = [
    "compiled",
    "found_when_called",
    "interpret_but",
    "is_cached",
    "numba_loaded",
    "use_fallback_cache",
]

F = TypeVar("F", bound=Callable[..., Any])

_building = threading.RLock()


def compiled(**options: Any) -> Callable[[F], F]:
    """Return a decorator like ``numba.njit(cache=True, ...)`` with a cache that can be trusted.

    Parameters
    ----------
    **options
        Of ``numba.njit``, without ``cache``.

    Returns
    -------
    callable

    Raises
    ------
    ConfigError
        If the folder that ``GEXLAB_CACHE_DIR`` names cannot be written to.
    """
    folder_asked_for()

    def decorate(function: F) -> F:
        def make() -> Any:
            return numba_loaded().dispatcher_of(function, options)

        loop = _Loop(make, py_func=function, options=options)
        return cast("F", functools.update_wrapper(loop, function))

    return decorate


def found_when_called(module: str, name: str) -> Any:
    """Return a stand-in for a loop of a module that is imported when the loop is first needed.

    Parameters
    ----------
    module, name : str
        Where the loop is.

    Returns
    -------
    callable
        Python and other loops call it as they would the loop.
    """
    return _Loop(lambda: getattr(import_module(module), name))


def use_fallback_cache(package: str) -> None:
    """Give Numba a folder where it finds none for a package with cached functions of its own.

    Where Numba finds one by itself nothing changes. To be called before the package is imported.

    Parameters
    ----------
    package : str
        Import name, e.g. ``"vectorbt"``.

    Raises
    ------
    ConfigError
        If the folder that ``GEXLAB_CACHE_DIR`` names cannot be written to.
    """
    folder_asked_for()
    numba_loaded().give_fallback_cache(package)


def interpret_but(modules: Collection[str]) -> None:
    """Let Python call the loops of all imported modules as they are written, but for some modules.

    Those are compiled when they are called, with whatever they call themselves. For processes that
    do nothing but compile.

    Parameters
    ----------
    modules : collection of str
        Full names.
    """
    for name, module in list(sys.modules.items()):
        for loop in list(vars(module).values()):
            if isinstance(loop, _Loop) and vars(loop).get("__module__") == name:
                loop.interpret(name not in modules)


def is_cached(loop: Callable[..., Any]) -> bool:
    """Return whether code of a loop lies in the cache, for the sources as they are."""
    return bool(numba_loaded().has_cached_code(loop))


@functools.cache
def numba_loaded() -> Any:
    """Return the module that compiles; with it, Numba is imported."""
    with _nothing_collected(), _unless_imported("coverage"):
        return import_module(".compiled_cache", __package__)


@contextmanager
def _nothing_collected() -> Iterator[None]:
    """Look for no garbage: an import makes none, and looking took a fifth of Numba's."""
    collects = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collects:
            gc.enable()


@contextmanager
def _unless_imported(name: str) -> Iterator[None]:
    """Let a package count as absent that nobody has imported.

    Numba imports `coverage` where it is installed, a fifth of its own time again: it serves
    those alone who measure what tests reach, and they have imported it before anything else.
    """
    absent = name not in sys.modules
    if absent:
        sys.modules[name] = cast("Any", None)
    try:
        yield
    finally:
        if absent:
            del sys.modules[name]


class _Loop:
    """A loop that is made when it is first called or asked for anything but what is known."""

    def __init__(self, make: Callable[[], Any], **known: Any) -> None:
        vars(self).update(known)
        self._make = make
        self._made: Any = None
        self._called: Any = None

    def __call__(self, *arguments: Any) -> Any:  # of names, Numba makes a tuple once more
        return (self._called or self._ready())(*arguments)

    def interpret(self, yes: bool) -> None:
        """Let Python call the function as it is written, or the compiled one."""
        self._called = vars(self)["__wrapped__"] if yes else self._made

    def __getattr__(self, name: str) -> Any:
        # Numba asks for `_numba_type_`, `targetoptions`, `py_func` where a loop calls another
        if name.startswith("__") or name in ("_make", "_made", "_called"):
            raise AttributeError(name)
        made = self._ready()
        if name == "_numba_type_" and inspect.isfunction(made):  # NUMBA_DISABLE_JIT
            raise AttributeError(name)
        return getattr(made, name)

    def _ready(self) -> Any:
        if self._made is None:
            with _building:
                if self._made is None:
                    self._made = self._make()
                    self._called = self._called or self._made
        return self._made
