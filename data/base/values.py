"""Values that are made dozens of times a session: frozen for whoever reads or checks the code."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TypeVar, dataclass_transform

__all__ = ["value"]

T = TypeVar("T")


@dataclass_transform(frozen_default=True, field_specifiers=(field,))
def value(cls: type[T]) -> type[T]:
    """Make a class a slotted dataclass that nobody may assign to, as mypy checks.

    A frozen dataclass refuses assignments at run time, its own first ones included: it sets each
    field by a call, and takes two to three times as long to make. Of an evaluation of a small
    session that was a tenth. Elsewhere ``dataclass(frozen=True, slots=True)`` stays the rule.

    Parameters
    ----------
    cls : type

    Returns
    -------
    type
        With equality and hash by its fields.

    Examples
    --------
    >>> @value
    ... class Point:
    ...     x: float
    ...     y: float = 0.0
    >>> Point(1.0) == Point(1.0, 0.0), Point(2.0)
    (True, Point(x=2.0, y=0.0))
    """
    return dataclass(slots=True, unsafe_hash=True)(cls)
