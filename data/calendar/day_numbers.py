"""Dates as days since 1970-01-01, and back."""

from __future__ import annotations

from datetime import date

__all__ = ["from_days", "to_days"]

_EPOCH_ORDINAL = date(1970, 1, 1).toordinal()


def to_days(day: date) -> int:
    """Return the days from 1970-01-01 to a date.

    Examples
    --------
    >>> to_days(date(1970, 1, 31)), from_days(30)
    (30, datetime.date(1970, 1, 31))
    """
    return day.toordinal() - _EPOCH_ORDINAL


def from_days(days: int) -> date:
    """Return the date that lies `days` after 1970-01-01."""
    return date.fromordinal(days + _EPOCH_ORDINAL)
