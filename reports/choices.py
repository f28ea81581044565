"""From words on the command line to the values that functions take."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..data.errors import CalendarError, UnknownNameError
from ..data.schema import BOOKS, Book

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..data.definitions import Definition
    from .session_picture import SessionPicture

__all__ = [
    "book_named",
    "definition_from",
    "definition_named",
    "inspected",
    "is_simulated",
    "session_named",
]


def book_named(name: str) -> Book:
    """Return the book of that name.

    Raises
    ------
    UnknownNameError
        If there is none.
    """
    for book in BOOKS:
        if book == name:
            return book
    raise UnknownNameError("book", name, BOOKS)


def session_named(text: str) -> date:
    """Return a session from YYYY-MM-DD.

    Raises
    ------
    CalendarError
        If the text is no date.

    Examples
    --------
    >>> session_named("2026-07-01")
    datetime.date(2026, 7, 1)
    """
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise CalendarError(f"session {text!r} is no date: write it as YYYY-MM-DD") from error


def definition_from(name: str | None, changes: Mapping[str, Any]) -> Definition:
    """Return a definition by name or from a file, with single settings changed.

    Parameters
    ----------
    name : str or None
        Path of a TOML file; None: the default definition.
    changes : mapping
        Field of `Definition` to its value; None leaves the field as it is.
    """
    from ..data.definitions import DEFAULT, load_definition

    base = DEFAULT if name is None else load_definition(Path(name))
    return replace(base, **{key: value for key, value in changes.items() if value is not None})


def definition_named(lake: Path, underlying: str, name: str | None) -> Definition | None:
    """Return a definition from a file, or one that was rebuilt from its id.

    Parameters
    ----------
    lake, underlying
        Where ids are looked up.
    name : str or None
        Path of a TOML file, or an id; None gives None.
    """
    if name is None:
        return None
    if name.endswith(".toml"):
        return definition_from(name, {})
    from ..data.definitions import Definition
    from ..data.derived import find_stores

    stored = find_stores(lake, underlying, definition_id=name)[0].definition
    return Definition(**{key: value for key, value in stored.items() if key != "generation"})


def inspected(
    lake: Path,
    underlying: str,
    session: str,
    book: str,
    dealer: str | None,
    definition: str | None,
) -> tuple[SessionPicture, bool]:
    """Return what is drawn of a session, and whether its market is simulated."""
    from ..data.inspection import explain
    from .session_picture import picture_of

    explanation = explain(
        lake,
        underlying,
        session_named(session),
        book=book_named(book),
        definition=definition_named(lake, underlying, definition),
        dealer=dealer,
        most=_ALL,
    )
    return picture_of(explanation), is_simulated(lake)


def is_simulated(lake: Path) -> bool:
    """Return whether a lake holds a simulated market: it then lies beside its truth."""
    return (lake / "truth.json").is_file()


_ALL = 1_000_000
