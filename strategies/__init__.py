"""Filters, rules and sizing: from a regime table to target positions.

Names below are imported when they are first used.
"""

from ..data._lazy import lazy_door

_EXPORTS: dict[str, str] = {}

__all__ = sorted(_EXPORTS)

__getattr__ = lazy_door(__name__, _EXPORTS)
