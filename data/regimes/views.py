"""Views that SQL is asked of: the files behind each, of the rows that count."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from ..base.errors import DefinitionError, NotRebuiltError, SeveralDefinitionsError
from ..lake.derived_parts import Part
from ..lake.derived_records import rebuilt_underlyings
from ..lake.derived_tables import TABLES, DerivedStore
from .outdated_rows import require_current
from .store_choice import find_stores

if TYPE_CHECKING:
    from ..lake.lake import Lake
    from .store_choice import DefinitionChoice

__all__ = ["views_named"]


def views_named(
    lake: Lake, sql: str, definition: DefinitionChoice
) -> dict[str, list[dict[str, Any]]]:
    """Return the files behind each view that a statement may name.

    Parameters
    ----------
    lake : Lake
    sql : str
        The statement.
    definition : Definition, str or Path, optional
        Whose rows the views of rebuilt tables hold.

    Returns
    -------
    dict of str to list of dict
        Name to its sources, each with ``files`` and ``sessions`` (ISO dates; None: all).
    """
    words = set(re.findall(r"\w+", sql.lower()))
    named = lake.underlyings() if "chains" in words else []
    files = [str(file) for name in named for file in lake.chain_files(name)]
    tables = {"chains": [{"files": files, "sessions": None}]} if files else {}
    for name in TABLES:
        if name in words:
            tables[name] = _rebuilt(lake, name, definition)
    return tables


def _rebuilt(lake: Lake, table: str, definition: DefinitionChoice) -> list[dict[str, Any]]:
    """Return the files of a rebuilt table, of all underlyings that have it."""
    stores: list[DerivedStore] = []
    held = set(lake.underlyings())
    for underlying in (name for name in rebuilt_underlyings(lake) if name in held):
        try:
            own = find_stores(lake, underlying, definition=definition)
            require_current(lake, underlying, own)
            stores += own
        except SeveralDefinitionsError:
            raise
        except (NotRebuiltError, DefinitionError):
            continue  # nothing is rebuilt, or nothing by that definition: it has no rows
    whole: list[str] = []
    cut: list[dict[str, Any]] = []
    for store in stores:
        names = {
            str(store.file(table, part))
            for part in store.parts
            if table in part.tables and Part.of(part.book, part.sessions, ()).name == part.name
        }
        for path, days in store.files(table).items():
            if path in names:
                whole.append(path)
            else:  # some of its sessions do not count, or no longer
                cut.append({"files": [path], "sessions": [str(day) for day in days]})
    if not whole and not cut:
        raise NotRebuiltError(f"{lake.root}: no rows of {table}: {_remedy(lake)}")
    return [*([{"files": whole, "sessions": None}] if whole else []), *cut]


def _remedy(lake: Lake) -> str:
    """Return what to do where nothing has been rebuilt; the past cannot be rebuilt."""
    if lake.version is None:
        return "run gexlab rebuild first"
    return f"nothing was rebuilt at version {lake.version}; name a later one (gexlab versions)"
