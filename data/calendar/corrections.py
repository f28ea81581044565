"""Calendars with sessions added or dropped, and how their names say so."""

from __future__ import annotations

import re
from datetime import date
from typing import TYPE_CHECKING

from ..base.errors import CalendarError

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["base_calendar", "corrections_in", "united_calendar", "with_corrections"]


def with_corrections(name: str, add: Iterable[date], drop: Iterable[date]) -> str:
    """Return the name of a calendar with sessions added and dropped.

    Examples
    --------
    >>> with_corrections("XBOM", [date(2025, 2, 1)], [date(2024, 11, 20)])
    'XBOM+20250201~20241120'
    """
    base, more, less = corrections_in(name)
    more, less = more | set(add), less | set(drop)
    both = sorted(more & less)
    if both:
        raise CalendarError(f"{both[0]} is both added and dropped: keep one of them")
    return (
        base
        + "".join(f"+{day:%Y%m%d}" for day in sorted(more))
        + "".join(f"~{day:%Y%m%d}" for day in sorted(less))
    )


def united_calendar(names: Iterable[str]) -> str:
    """Return the calendar with the corrections of several of one exchange."""
    ordered = sorted(names)
    united = ordered[0]
    for name in ordered[1:]:
        _, more, less = corrections_in(name)
        united = with_corrections(united, more, less)
    return united


def base_calendar(name: str) -> str:
    """Return the name of a calendar in ``exchange_calendars``, without corrections."""
    return re.split(r"[+~]", name, maxsplit=1)[0]


def corrections_in(name: str) -> tuple[str, set[date], set[date]]:
    """Return a calendar's name without corrections, the sessions added and those dropped.

    Examples
    --------
    >>> corrections_in("XBOM+20250201")
    ('XBOM', {datetime.date(2025, 2, 1)}, set())
    """
    days: dict[str, set[date]] = {"+": set(), "~": set()}
    for sign, digits in re.findall(r"([+~])(\d{8})", name):
        days[sign].add(date.fromisoformat(digits))
    return base_calendar(name), days["+"], days["~"]
