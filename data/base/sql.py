"""The project's SQL: one query per file in ``data/sql``, read when it is first used."""

from __future__ import annotations

from functools import cache
from importlib.resources import files

__all__ = ["load_sql"]


@cache
def load_sql(name: str) -> str:
    """Return the text of ``data/sql/<name>.sql``.

    Values reach a query as bound parameters, tables as registered views; the text itself is
    never put together from pieces.
    """
    return files(__package__).joinpath("sql", f"{name}.sql").read_text(encoding="utf-8")
