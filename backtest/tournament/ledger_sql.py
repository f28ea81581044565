"""The queries of a ledger, and how one is asked."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Mapping

__all__ = ["Execute", "sql"]


class Execute(Protocol):
    """Executes a query by its name with what it asks for."""

    def __call__(self, name: str, given: Mapping[str, Any] = ..., /) -> sqlite3.Cursor: ...


@cache
def sql(name: str) -> str:
    """Return the text of one query of the ledger."""
    return files(__package__).joinpath("sql", f"{name}.sql").read_text(encoding="utf-8")
