"""Texts of strangers (names, paths, values of files) as something that can be shown and stored."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

__all__ = ["encodable", "shown"]

_SURROGATE: Final = re.compile("[\ud800-\udfff]")
#: Whatever may be no plain character: looked at one by one.
_DOUBTFUL: Final = re.compile("[\x00-\x1f\x7f-\xa0\xad\u0600-\u061c\u06dd\u070f\u0890-\u08e2"
                              "\u180e\u1680\u2000-\u200f\u2028-\u202f\u205f-\u206f\u3000"
                              "\ud800-\udfff\ue000-\uf8ff\ufe00-\ufe0f\ufeff\ufff0-\uffff"
                              "\U000110bd-\U0010ffff]")  # fmt: skip
_HIDDEN: Final = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})


def encodable(text: str) -> str:
    r"""Return a text that UTF-8 can say: bytes of a path that it cannot become ``\xNN``.

    Parameters
    ----------
    text : str

    Returns
    -------
    str

    Examples
    --------
    >>> encodable("a\udcffb")
    'a\\xffb'
    """
    return _SURROGATE.sub(lambda found: _escape(found[0]), text)


def shown(text: str, *, keep: str = "") -> str:
    r"""Return a text in which nothing acts on a terminal and nothing is invisible.

    Control, formatting (bidirectional, zero-width) and unassigned characters and lone surrogates
    are written as escapes.

    Parameters
    ----------
    text : str
    keep : str
        Control characters that stay, e.g. ``"\n"``.

    Returns
    -------
    str

    Examples
    --------
    >>> shown("a\x1b[31mb\u202ec\n")
    'a\\x1b[31mb\\u202ec\\n'
    """
    return _DOUBTFUL.sub(lambda found: found[0] if found[0] in keep else _seen(found[0]), text)


def _seen(char: str) -> str:
    return _escape(char) if unicodedata.category(char) in _HIDDEN else char


def _escape(char: str) -> str:
    known = {"\n": r"\n", "\t": r"\t", "\r": r"\r"}
    code = ord(char)
    if char in known:
        return known[char]
    if 0xDC80 <= code <= 0xDCFF:  # a byte of a path that is no UTF-8
        return f"\\x{code - 0xDC00:02x}"
    if code < 0x100:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
