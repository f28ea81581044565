"""Which code computes results here: our own, and the libraries that they depend on."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from functools import cache
from importlib import resources
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from importlib.resources.abc import Traversable

__all__ = ["code_digest", "versions_here"]

_PACKAGES: Final = ("data", "strategies", "backtest")
#: What a result depends on besides our own code.
_LIBRARIES: Final = ("numpy", "pandas", "scipy", "duckdb", "pyarrow", "numba", "vectorbt")


@cache
def code_digest() -> str:
    """Return a digest of the code that computes results.

    Returns
    -------
    str
        Hexadecimal; the same wherever the same files are installed.
    """
    digest = hashlib.sha256()
    for name in _PACKAGES:
        for path, text in _sources(resources.files(f"gexlab.{name}"), name):
            digest.update(path.encode() + b"\0" + text)
    return digest.hexdigest()


def _sources(folder: Traversable, path: str) -> Iterator[tuple[str, bytes]]:
    for entry in sorted(folder.iterdir(), key=lambda e: e.name):
        inner = f"{path}/{entry.name}"
        if entry.is_dir():
            yield from _sources(entry, inner)
        elif entry.name.endswith((".py", ".sql")):
            yield inner, entry.read_bytes()


def versions_here() -> dict[str, str]:
    """Return what a result of this process depends on.

    Returns
    -------
    dict of str to str
        Versions by name; of our own code the beginning of its digest.
    """
    return {"gexlab's code": code_digest()[:12]} | {name: _version(name) for name in _LIBRARIES}


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "none"
