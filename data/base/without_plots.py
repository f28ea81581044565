"""Importing what draws no picture here without the libraries that it could draw one by."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["without_plots"]

_PLOTS: Final = "matplotlib"
#: Modules of `arch` that take pyplot when they are imported.
_DRAWING: Final = ("arch.unitroot._shared",)


@contextmanager
def without_plots() -> Iterator[None]:
    """Let imports of `arch` pass over matplotlib, which takes longer than all the rest of them.

    Where matplotlib is there already, nothing changes. Plots of `arch` import it when they are
    drawn.

    Yields
    ------
    None
    """
    if _PLOTS in sys.modules:
        yield
        return
    sys.modules[_PLOTS] = None  # type: ignore[assignment]
    try:
        yield
    finally:
        if sys.modules.get(_PLOTS) is None:
            sys.modules.pop(_PLOTS, None)
    for name in _DRAWING:
        module = sys.modules.get(name)
        if module is not None and not hasattr(module, "plt"):
            module.plt = _Later(f"{_PLOTS}.pyplot")  # type: ignore[attr-defined]


class _Later:
    """A module that is imported when something of it is asked for."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __getattr__(self, name: str) -> Any:
        return getattr(import_module(self._name), name)
