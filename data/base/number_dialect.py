"""One dialect of numbers: decimal marks and thousands separators, decided by a whole file."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from .errors import InputFileError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

__all__ = ["Style", "bare_numbers", "style_of"]


@dataclass(frozen=True, slots=True)
class Style:
    """Marks in numbers; spaces, apostrophes and currency signs never count."""

    decimal: str = "."
    thousands: str = ","


_NOISE: Final = re.compile(r"[\s'’$€£¥₹%]|^[A-Z]{3}|[A-Z]{3}$")
#: Digits and marks of other scripts, as the reader of cells takes them.
_WESTERN: Final = str.maketrans(
    "０１２３４５６７８９．，－＋％٠١٢٣٤٥٦٧٨٩٫٬۰۱۲۳۴۵۶۷۸۹",
    "0123456789.,-+%0123456789.,0123456789",
)
#: A comma can only be a decimal mark here ...
_COMMA: Final = re.compile(r"-?(?:\d{1,3}(?:\.\d{3})+,\d+|\d*,(?:\d{1,2}|\d{4,})|0,\d+)$")
#: ... and can only separate thousands here, in groups of three (or, in India, of two).
_POINT: Final = re.compile(
    r"-?(?:\d{1,3}(?:,\d{3})+\.\d+|\d{1,3}(?:,\d{3}){2,}|\d{1,2}(?:,\d{2})+,\d{3}(?:\.\d+)?)$"
)
_POINT_GROUPS: Final = re.compile(r"-?\d{1,3}(?:\.\d{3}){2,}$")
_EITHER: Final = re.compile(r"-?[1-9]\d{0,2},\d{3}$")


_MULTIPLES: Final = {"": 1.0, "K": 1e3, "M": 1e6, "B": 1e9}
_SUFFIXED: Final = re.compile(r"(.*\d)([KMB])$")


def bare_numbers(texts: Sequence[str], points: bool, label: str) -> list[float | None]:
    """Return what texts that are no plain numbers mean, None for those that mean none.

    Parameters
    ----------
    texts : sequence of str
        E.g. ``$4,783.45``, ``1.23M``.
    points, label
        As for `style_of`.
    """
    style = style_of((t for t in set(texts) if re.search(r"\d", t)), points=points, label=label)
    return [_bare(text, style or Style()) for text in texts]


def _bare(text: str, style: Style) -> float | None:
    bare = _NOISE.sub("", text.strip().translate(_WESTERN))
    found = _SUFFIXED.match(bare)
    number, multiple = (found[1], found[2]) if found else (bare, "")
    number = number.replace(style.thousands, "") if style.thousands else number
    try:
        return float(number.replace(style.decimal, ".")) * _MULTIPLES[multiple]
    except ValueError:
        return None


def style_of(odd: Iterable[str], *, points: bool, label: str) -> Style | None:
    """Return how a file writes its numbers, None where nothing in it is out of the ordinary.

    Parameters
    ----------
    odd : iterable of str
        The distinct cells of number columns that are no plain numbers.
    points : bool
        Whether plain numbers among the cells have decimals after a point.
    label : str
        The file, for messages.

    Raises
    ------
    InputFileError
        If a comma can be either mark, or is both.
    """
    cells = (text.strip().translate(_WESTERN) for text in odd)
    said = sorted({_NOISE.sub("", text).strip("()").rstrip("KMB") for text in cells})
    comma = [t for t in said if _COMMA.match(t) or _POINT_GROUPS.match(t)]
    point = [t for t in said if _POINT.match(t)]
    either = [t for t in said if _EITHER.match(t)]
    if comma and (point or points):
        other = point[0] if point else "a number with a decimal point"
        raise InputFileError(
            f"{label}: {comma[0]!r} has a decimal comma and {other} has not: state decimal in the "
            'map (decimal = "," or decimal = ".")'
        )
    if comma:
        return Style(",", ".")
    if either and not point and not points:
        whole = either[0].replace(",", "")
        raise InputFileError(
            f"{label}: {either[0]!r} can be read as {whole} or as {either[0].replace(',', '.')}, "
            'and nothing else in the file decides: state thousands = "," or decimal = "," in the '
            "map"
        )
    return Style() if said else None
