"""Views that SQL is asked of: the files behind each, of the rows that count."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from ..base.errors import DefinitionError, NotRebuiltError, SeveralDefinitionsError
from ..lake.derived_records import rebuilt_underlyings
from ..lake.derived_tables import TABLES, DerivedStore, Piece
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
        Name to its sources, each with ``files``, ``sessions`` (ISO dates; None: all) and, for
        rebuilt tables, ``groups``: of each file the row groups that are meant, None for all.
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
    pieces = [piece for store in stores for piece in store.pieces(table)]
    if not pieces:
        raise NotRebuiltError(f"{lake.root}: no rows of {table}: {_remedy(lake)}")
    whole = [piece for piece in pieces if piece.whole]
    cut = [piece for piece in pieces if not piece.whole]  # some sessions do not count, or no longer
    return [
        *([_source(whole, None)] if whole else []),
        *(_source([piece], [str(day) for day in piece.sessions]) for piece in cut),
    ]


def _source(pieces: list[Piece], sessions: list[str] | None) -> dict[str, Any]:
    return {
        "files": [piece.path for piece in pieces],
        "groups": [piece.groups for piece in pieces],
        "sessions": sessions,
    }


def _remedy(lake: Lake) -> str:
    """Return what to do where nothing has been rebuilt; the past cannot be rebuilt."""
    if lake.version is None:
        return "run gexlab rebuild first"
    return f"nothing was rebuilt at version {lake.version}; name a later one (gexlab versions)"
