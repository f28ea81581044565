"""Names of underlyings: which are usable, which folder holds them, and which of many are meant.

A folder's name has capitals, digits and ``^ $ . _ -`` as they are; everything else, small letters
included, is percent-encoded. Two names that differ in case alone thus lie in two folders also where
the file system does not tell them apart, and a slash never leads elsewhere.
"""

from __future__ import annotations

import re
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Final
from urllib.parse import unquote

from ..base.errors import LakeError, UnknownNameError

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = [
    "PREFIX",
    "check_underlying",
    "chosen",
    "encoded_name",
    "folder_of",
    "is_several",
    "is_underlying",
    "name_in",
    "split_choice",
]

PREFIX: Final = "underlying="
_PLAIN: Final = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789^$._-")
_UNDERLYING: Final = re.compile(r"[\w^$](?:[\w^$./ &+:=!#@()~'-]{0,30}[\w^$./&+:=!#@()~'-])?")
_WILD: Final = re.compile(r"[*?\[]")


def check_underlying(name: str) -> str:
    """Return the name of an underlying.

    Raises
    ------
    LakeError
        If it is not one: empty, too long, with other signs or a space at its ends.
    """
    if not is_underlying(name):
        raise LakeError(
            f"underlying {name!r} is not a usable name: use up to 32 letters, digits and any of "
            "^ $ . _ - / & + : = ! # @ ( ) ~ ' or a space within, e.g. SPX or BRK/B"
        )
    return name


def is_underlying(name: str) -> bool:
    """Return whether a text can be the name of an underlying.

    Examples
    --------
    >>> is_underlying("BRK B"), is_underlying("A,B"), is_underlying("..")
    (True, False, False)
    """
    return _UNDERLYING.fullmatch(name) is not None


def folder_of(underlying: str) -> str:
    """Return the name of the folder of an underlying.

    Examples
    --------
    >>> folder_of("SPX"), folder_of("BRK/B"), folder_of("Abt")
    ('underlying=SPX', 'underlying=BRK%2FB', 'underlying=A%62%74')
    """
    return PREFIX + encoded_name(underlying)


def encoded_name(underlying: str) -> str:
    """Return the name of an underlying as part of a path, safe on every file system.

    Parameters
    ----------
    underlying : str

    Returns
    -------
    str

    Examples
    --------
    >>> encoded_name("BRK/B"), encoded_name("spy")
    ('BRK%2FB', '%73%70%79')
    """
    signs = [
        sign if sign in _PLAIN else "".join(f"%{byte:02X}" for byte in sign.encode())
        for sign in underlying
    ]
    if signs and signs[-1] == ".":  # Windows drops a dot at the end
        signs[-1] = "%2E"
    return "".join(signs)


def name_in(folder: str) -> str:
    """Return the underlying that a folder of that name holds.

    Examples
    --------
    >>> name_in("underlying=BRK%2FB"), name_in(folder_of("Abt"))
    ('BRK/B', 'Abt')
    """
    return unquote(folder.removeprefix(PREFIX))


def is_several(text: str) -> bool:
    """Return whether a text stands for several underlyings: a pattern, or names with commas.

    Parameters
    ----------
    text : str

    Returns
    -------
    bool

    Examples
    --------
    >>> is_several("*"), is_several("MU,SMH"), is_several("BRK/B")
    (True, True, False)
    """
    return "," in text or _WILD.search(text) is not None


def split_choice(text: str) -> tuple[list[str], list[str]]:
    """Return the names and the patterns of a text with commas.

    Raises
    ------
    LakeError
        If a name is not usable.

    Examples
    --------
    >>> split_choice("MU, A*,SMH")
    (['MU', 'SMH'], ['A*'])
    """
    words = [word.strip() for word in text.split(",") if word.strip()]
    patterns = [word for word in words if _WILD.search(word)]
    names = [check_underlying(word) for word in words if not _WILD.search(word)]
    if not words:
        raise LakeError(f"underlying {text!r} names nothing: write names with commas, or '*'")
    return list(dict.fromkeys(names)), list(dict.fromkeys(patterns))


def chosen(text: str, held: Iterable[str], where: str = "the lake") -> list[str]:
    """Return the underlyings among `held` that a text stands for, sorted; capitals matter.

    Parameters
    ----------
    text : str
        A name, names with commas, or patterns with ``*``, ``?`` and ``[...]``.
    held : iterable of str
    where : str
        What holds them, for the message.

    Returns
    -------
    list of str

    Raises
    ------
    UnknownNameError
        If a name is not held.
    LakeError
        If a pattern fits none.

    Examples
    --------
    >>> chosen("A*,SMH", ["ABT", "Abt", "MU", "SMH"])
    ['ABT', 'Abt', 'SMH']
    """
    known = sorted(held)
    names, patterns = split_choice(text)
    found = set()
    for name in names:
        if name not in known:
            raise UnknownNameError("underlying", name, known)
        found.add(name)
    for pattern in patterns:
        fitting = [name for name in known if fnmatchcase(name, pattern)]
        if not fitting:
            some = ", ".join(known[:20]) or "nothing"
            more = f" and {len(known) - 20} more" if len(known) > 20 else ""
            raise LakeError(
                f"no underlying in {where} fits {pattern!r}: it holds {some}{more}; capitals matter"
            )
        found.update(fitting)
    return sorted(found)
