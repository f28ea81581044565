"""The one error tree of gexlab.

Every message says what was expected, what was found (with its file, column, value or date) and
what to do about it, in one line, so that the command line can print it as it is.
"""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import date

__all__ = [
    "CalendarError",
    "ConfigError",
    "DefinitionError",
    "EarlyBarsError",
    "EmptyTableError",
    "GexlabError",
    "InputFileError",
    "LakeError",
    "LedgerError",
    "LookAheadError",
    "MissingColumnError",
    "MissingPartError",
    "NoRowsError",
    "NotEnoughDataError",
    "NotRebuiltError",
    "OutdatedRowsError",
    "QueryError",
    "SeveralDefinitionsError",
    "UnknownNameError",
    "WorkersError",
]


#: Known names that a message lists: a lake may hold thousands.
_LISTED: Final = 100


class GexlabError(ValueError):
    """Base of every error that gexlab raises on purpose.

    Errors cross from one process to another: what is sent is the message and the attributes, not
    the arguments that a subclass makes its message from.
    """

    def __reduce__(self) -> tuple[Any, ...]:
        """Return what an equal error is made from elsewhere."""
        return _as_it_was, (type(self), self.args, self.__dict__)


def _as_it_was(
    kind: type[GexlabError], args: tuple[Any, ...], attributes: dict[str, Any]
) -> GexlabError:
    error = kind.__new__(kind, *args)
    error.__dict__.update(attributes)
    return error


class InputFileError(GexlabError):
    """A file that cannot be read as what it was said to be."""


class MissingColumnError(InputFileError):
    """A file without a column that is asked for."""


class NoRowsError(InputFileError):
    """A file without a row that is asked for."""


class ConfigError(GexlabError):
    """A configuration that is not valid, or that contradicts itself."""


class LakeError(GexlabError):
    """A lake that is absent, incomplete, unwritable, or not a lake."""


class NotRebuiltError(LakeError):
    """A lake in which nothing of an underlying has been rebuilt yet."""


class OutdatedRowsError(LakeError):
    """Rebuilt rows that are of other chains, or files, than there are now."""


class MissingPartError(LakeError):
    """A file of rebuilt tables that their record names, and that is not there."""


class LedgerError(GexlabError):
    """A ledger of trials that is absent, or cannot be read or written."""


class CalendarError(GexlabError):
    """A date outside its calendar, or a calendar that does not exist."""


class WorkersError(GexlabError):
    """Workers that were lost, or could not be reached, more often than can be made up for."""


class DefinitionError(GexlabError):
    """Numbers of different definitions were about to be mixed, or a definition is not valid."""


class EmptyTableError(DefinitionError):
    """A definition has rows, but none in the table or of the book asked for."""


class SeveralDefinitionsError(DefinitionError):
    """Rebuilt rows of several definitions fit, and nobody said which are meant."""


class EarlyBarsError(InputFileError):
    """Intraday bars are stamped before they can have been: each knows what comes after it."""

    def __init__(self, message: str, first: date | None = None) -> None:
        super().__init__(message)
        self.first = first


class LookAheadError(GexlabError):
    """An order would have used something that was not yet known."""


class NotEnoughDataError(GexlabError):
    """A statistic asked for on fewer observations than it is defined on."""


class QueryError(GexlabError):
    """A SQL statement that is not allowed, or that the lake cannot answer."""


class UnknownNameError(GexlabError):
    """A name that is not among the known ones; the message lists the nearest.

    Parameters
    ----------
    kind : str
        What the name stands for, e.g. ``"vendor"``.
    name : object
        The name that was given; a file may hold something else than a text.
    known : iterable of str
        The names there are.
    remedy : str
        What else can be done, where choosing a known name is not all.

    Examples
    --------
    >>> str(UnknownNameError("book", "post_expire", ["as_of_close", "post_expiry"]))
    "unknown book 'post_expire': did you mean 'post_expiry'? Known: as_of_close, post_expiry"
    """

    def __init__(self, kind: str, name: object, known: Iterable[str], remedy: str = "") -> None:
        names = sorted(known)
        alike = [known for known in names if known.casefold() == str(name).casefold()]
        near = alike or get_close_matches(str(name), names, n=1)
        hint = f"did you mean {near[0]!r}? " if near else ""
        more = f" and {len(names) - _LISTED} more" if len(names) > _LISTED else ""
        listed = ", ".join(names[:_LISTED]) + more
        super().__init__(f"unknown {kind} {name!r}: {hint}Known: {listed}{remedy and '; '}{remedy}")
