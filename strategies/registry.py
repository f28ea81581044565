"""Strategies, filters and rules by name."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ..data.base.errors import ConfigError, UnknownNameError
from .filters import FILTERS
from .model import Strategy
from .rules import RULES

if TYPE_CHECKING:
    from .filters import Filter
    from .rules import Rule

__all__ = [
    "MAIN",
    "STRATEGIES",
    "filter_named",
    "make_strategy",
    "rule_named",
    "strategies_named",
    "strategy",
]

#: The strategy that the whole question is about.
MAIN = "fade-long-follow-short"

_BUILT_IN = (
    Strategy(MAIN, filter="sign", long="fade", short="follow", neutral="flat"),
    Strategy("follow-long-fade-short", filter="sign", long="follow", short="fade", neutral="flat"),
    Strategy("always-fade", filter="always", long="fade", short="fade", neutral="fade"),
    Strategy("always-follow", filter="always", long="follow", short="follow", neutral="follow"),
    Strategy("buy-and-hold", filter="always", long="hold", short="hold", neutral="hold"),
)

#: The main strategy first, then its controls.
STRATEGIES: dict[str, Strategy] = {built_in.name: built_in for built_in in _BUILT_IN}


def strategy(name: str) -> Strategy:
    """Return a built-in strategy.

    Raises
    ------
    UnknownNameError
        If there is none of that name.

    Examples
    --------
    >>> strategy("buy-and-hold").long
    'hold'
    """
    if name not in STRATEGIES:
        raise UnknownNameError("strategy", name, STRATEGIES)
    return STRATEGIES[name]


def filter_named(name: str) -> Filter:
    """Return a filter.

    Raises
    ------
    UnknownNameError
        If there is none of that name.
    """
    if name not in FILTERS:
        raise UnknownNameError("filter", name, FILTERS)
    return FILTERS[name]


def rule_named(name: str) -> Rule:
    """Return a rule.

    Raises
    ------
    UnknownNameError
        If there is none of that name.
    """
    if name not in RULES:
        raise UnknownNameError("rule", name, RULES)
    return RULES[name]


def make_strategy(name: str, **changes: Any) -> Strategy:
    """Return the built-in strategy of that name, or a new one, with some fields changed.

    Parameters
    ----------
    name : str
        A new name starts from the main strategy's fields.
    **changes
        Fields of `Strategy`.

    Raises
    ------
    UnknownNameError
        If a filter or rule is unknown.
    ConfigError
        If the exit percentile lies above the entry.
    """
    made = replace(STRATEGIES.get(name, Strategy(name)), **changes)
    filter_named(made.filter)
    for rule in (made.long, made.short, made.neutral):
        rule_named(rule)
    if made.exit > made.enter:
        raise ConfigError(
            f"strategy {name!r}: exit {made.exit:g} lies above enter {made.enter:g}: a label is "
            "left at or below where it is entered"
        )
    return made


def strategies_named(*names: str) -> tuple[Strategy, ...]:
    """Return built-in strategies by name; all of them, main first, where none is named."""
    return tuple(strategy(name) for name in names or STRATEGIES)
