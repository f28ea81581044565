"""The project's SQL: one query per file in the room that asks it, read when it is first used."""

from __future__ import annotations

import re
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any
from uuid import uuid4

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["bound_sql", "load_sql"]


@cache
def load_sql(name: str) -> str:
    """Return the text of one query: ``"lake/sort"`` is ``data/lake/sql/sort.sql``.

    Values reach a query as bound parameters, tables as registered views; the text itself is
    never put together from pieces.
    """
    room, _, query = name.partition("/")
    folder = files(__package__.rpartition(".")[0]).joinpath(room, "sql")
    return folder.joinpath(f"{query}.sql").read_text(encoding="utf-8")


def bound_sql(name: str, given: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    """Return a query and its parameters under names of their own.

    DuckDB refuses to join or unite two relations that share the name of a parameter; relations
    that are put together therefore take theirs from here.
    """
    mark = uuid4().hex
    text = re.sub(r"\$([a-z_]+)\b", lambda found: f"{found[0]}_{mark}", load_sql(name))
    return text, {f"{key}_{mark}": value for key, value in given.items()}
