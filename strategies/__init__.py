"""Filters, rules and sizing: from a regime table to target positions.

Names below are imported when they are first used.
"""

from ..data._lazy import lazy_door

_EXPORTS = {
    "CONTROLS": "registry",
    "Decisions": "deciding",
    "FILTERS": "filters",
    "MAIN": "registry",
    "RULES": "rules",
    "STRATEGIES": "registry",
    "Strategy": "model",
    "decide": "deciding",
    "filter_named": "registry",
    "make_strategy": "registry",
    "rule_named": "registry",
    "strategies_named": "registry",
    "strategy": "registry",
    "with_controls": "registry",
}

__all__ = sorted(_EXPORTS)

__getattr__ = lazy_door(__name__, _EXPORTS)
