"""Numbers as words: units, signs, and a dash for what is undefined.

Every function takes None, NaN or a number and returns text; undefined is always `DASH`.
"""

from __future__ import annotations

import math
from datetime import date, datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = [
    "DASH",
    "MINUS",
    "count",
    "day",
    "fixed",
    "in_unit",
    "interval",
    "interval_heading",
    "is_defined",
    "joined",
    "level",
    "moment",
    "money",
    "percent",
    "plural",
    "signed",
]

DASH = "–"
MINUS = "\N{MINUS SIGN}"
_SCALES = ((1e12, "tn"), (1e9, "bn"), (1e6, "mm"), (1e3, "k"))


def is_defined(value: object) -> bool:
    """Return whether `value` is something other than None, NaN, NaT or an infinity."""
    if value is None or value != value:
        return False
    return not (isinstance(value, float) and math.isinf(value))


def fixed(value: float | None, digits: int = 2) -> str:
    """Return a number with a fixed number of decimals and thousands set apart.

    Examples
    --------
    >>> fixed(-1234.5, 1), fixed(float("nan"))
    ('−1,234.5', '–')
    """
    if value is None or not is_defined(float(value)):
        return DASH
    text = f"{float(value):,.{digits}f}"
    if float(text.replace(",", "")) == 0:
        text = text.lstrip("-")
    return text.replace("-", MINUS)


def signed(value: float | None, digits: int = 2) -> str:
    """Return a number that shows its plus as well as its minus.

    Examples
    --------
    >>> signed(0.126), signed(-0.126), signed(0.0)
    ('+0.13', '−0.13', '0.00')
    """
    text = fixed(value, digits)
    positive = value is not None and is_defined(float(value)) and float(value) > 0
    return f"+{text}" if positive and any(c in "123456789" for c in text) else text


def percent(value: float | None, digits: int = 1, *, sign: bool = False) -> str:
    """Return a decimal as percent.

    Examples
    --------
    >>> percent(0.1834), percent(None)
    ('18.3 %', '–')
    """
    if value is None or not is_defined(float(value)):
        return DASH
    number = signed(value * 100, digits) if sign else fixed(value * 100, digits)
    return f"{number} %"


def money(value: float | None, digits: int = 2, *, sign: str) -> str:
    """Return an amount in the unit that suits its size, `sign` (the currency's) before it.

    Examples
    --------
    >>> money(-4.13e9, sign="$"), money(12.0, sign="₹"), money(-1e-9, sign="$")
    ('−$4.13 bn', '₹12.00', '$0.00')
    """
    if value is None or not is_defined(float(value)):
        return DASH
    size = abs(float(value))
    scale, name = next(((s, n) for s, n in _SCALES if size >= s), (1.0, ""))
    text = f"{sign}{size / scale:,.{digits}f}" + (f" {name}" if name else "")
    return MINUS + text if value < 0 and any(c in "123456789" for c in text) else text


def in_unit(value: float | None, unit: str, *, sign: str) -> str:
    """Return an exposure in one of the units of `gexlab.data.to_unit`.

    Examples
    --------
    >>> in_unit(-4e6, "per_point", sign="$"), in_unit(1234.5, "shares_per_point", sign="$")
    ('−$4.00 mm', '1,234')
    >>> in_unit(0.0123, "share_of_adv", sign="$")
    '1.23 %'
    """
    if unit == "share_of_adv":
        return percent(value, 2)
    return count(value) if unit == "shares_per_point" else money(value, sign=sign)


def level(value: float | None) -> str:
    """Return a price level with as many decimals as its size deserves.

    Examples
    --------
    >>> level(4005.94), level(41.237), level(None)
    ('4,005.9', '41.24', '–')
    """
    if value is None or not is_defined(float(value)):
        return DASH
    return fixed(value, 1 if abs(float(value)) >= 1000 else 2)


def count(value: float | None) -> str:
    """Return a whole number with thousands set apart.

    Examples
    --------
    >>> count(1108899)
    '1,108,899'
    """
    return fixed(value, 0)


def plural(number: int, one: str, many: str | None = None) -> str:
    """Return a count with its noun.

    Examples
    --------
    >>> plural(1, "session"), plural(1200, "session"), plural(2, "entry", "entries")
    ('1 session', '1,200 sessions', '2 entries')
    """
    return f"{count(number)} {one if number == 1 else many or one + 's'}"


def interval(low: float | None, high: float | None, digits: int = 2) -> str:
    """Return an interval in square brackets, or a dash where either end is undefined.

    Examples
    --------
    >>> interval(-0.5, 0.25), interval(float("nan"), 1.0)
    ('[−0.50, 0.25]', '–')
    """
    ends = fixed(low, digits), fixed(high, digits)
    return DASH if DASH in ends else f"[{ends[0]}, {ends[1]}]"


def interval_heading(level: float) -> str:
    """Return the heading of a column of intervals of some coverage.

    Examples
    --------
    >>> interval_heading(0.8), interval_heading(0.975)
    ('80 % interval', '97.5 % interval')
    """
    return f"{100.0 * level:.6g} % interval"


def day(value: object) -> str:
    """Return a session as YYYY-MM-DD."""
    if value is None or value != value:
        return DASH
    if isinstance(value, (date, datetime)):
        return f"{value:%Y-%m-%d}"
    return str(value)[:10]


def moment(value: object) -> str:
    """Return a time stamp to the minute, with its offset spelt as UTC.

    Examples
    --------
    >>> from datetime import timezone
    >>> moment(datetime(2026, 7, 1, 20, 0, tzinfo=timezone.utc))
    '2026-07-01 20:00 UTC'
    """
    if value is None or value != value or not isinstance(value, datetime):
        return DASH
    zone = " UTC" if value.utcoffset() is not None and not value.utcoffset() else ""
    return f"{value:%Y-%m-%d %H:%M}{zone}"


def joined(words: Iterable[str], last: str = "and") -> str:
    """Return words as a list in a sentence.

    Examples
    --------
    >>> joined(["fade", "follow", "flat"])
    'fade, follow and flat'
    """
    items = list(words)
    if len(items) < 2:
        return "".join(items)
    return f"{', '.join(items[:-1])} {last} {items[-1]}"
