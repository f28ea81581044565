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

__all__ = ["book_named", "definition_from", "session_named"]


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
