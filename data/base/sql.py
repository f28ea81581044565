"""The project's SQL: one query per file in the room that asks it, read when it is first used."""

from __future__ import annotations

from functools import cache
from importlib.resources import files

__all__ = ["load_sql"]


@cache
def load_sql(name: str) -> str:
    """Return the text of one query: ``"lake/sort"`` is ``data/lake/sql/sort.sql``.

    Values reach a query as bound parameters, tables as registered views; the text itself is
    never put together from pieces.
    """
    room, _, query = name.partition("/")
    folder = files(__package__.rpartition(".")[0]).joinpath(room, "sql")
    return folder.joinpath(f"{query}.sql").read_text(encoding="utf-8")
