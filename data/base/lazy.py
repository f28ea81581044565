"""Lazy doors: a package offers what its stub lists, and imports a module when it is first asked.

The stub (``__init__.pyi``) is the one list: type checkers, completion and `help` read it, and so
does the running package. Each line is ``from .room.module import name as name``.
"""

from __future__ import annotations

import re
import sys
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["lazy_door"]

_OFFER: Final = re.compile(r"^from \.(\S+) import (\w+) as \2$", re.MULTILINE)


class _Door(ModuleType):
    """A package whose functions may bear the names of its rooms.

    Importing a room binds it to its package, so that ``gexlab.data.ingest``, the function, would
    become the room of that name as soon as anything in it was imported. What a door offers stays
    what it is; ``from gexlab.data.ingest import files`` reaches the room all the same.
    """

    _offered: dict[str, str]

    def __setattr__(self, name: str, value: Any) -> None:
        if not (isinstance(value, ModuleType) and name in self._offered):
            super().__setattr__(name, value)


def lazy_door(
    package: str, file: str
) -> tuple[Callable[[str], Any], Callable[[], list[str]], list[str]]:
    """Return ``__getattr__``, ``__dir__`` and ``__all__`` of a package with a stub (PEP 562).

    Parameters
    ----------
    package, file : str
        The package's ``__name__`` and ``__file__``.
    """
    stub = Path(file).with_suffix(".pyi").read_text(encoding="utf-8")
    offered = {name: module for module, name in _OFFER.findall(stub)}
    door = sys.modules[package]
    door.__dict__["_offered"] = offered
    door.__class__ = _Door

    def __getattr__(name: str) -> Any:
        if name not in offered:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        return getattr(import_module(f"{package}.{offered[name]}"), name)

    names = sorted(offered)
    return __getattr__, lambda: names, names
