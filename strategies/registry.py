"""Strategies, filters and rules by name."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ..data.base.errors import ConfigError, UnknownNameError
from .filters import FILTERS
from .model import Strategy
from .rules import RULES

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from .filters import Filter
    from .rules import Rule

__all__ = [
    "CONTROLS",
    "MAIN",
    "STRATEGIES",
    "filter_named",
    "is_control",
    "make_strategy",
    "rule_named",
    "strategies_named",
    "strategy",
    "with_controls",
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


#: What every strategy is held against.
CONTROLS: dict[str, Strategy] = {s.name: s for s in _BUILT_IN if s.name != MAIN}

#: What a control is called where a configuration gives its name to something else.
_AS_BUILT = "{} (as built in)"


def is_control(candidate: Strategy) -> bool:
    """Return whether a strategy is one of the controls, under its own or its second name.

    Examples
    --------
    >>> is_control(CONTROLS["buy-and-hold"]), is_control(make_strategy("buy-and-hold", size=0.5))
    (True, False)
    """
    return any(candidate in (c, _as_built(c)) for c in CONTROLS.values())


def _as_built(control: Strategy) -> Strategy:
    return replace(control, name=_AS_BUILT.format(control.name))


def with_controls(chosen: Sequence[Strategy]) -> tuple[Strategy, ...]:
    """Return strategies followed by every control that is not among them.

    A control whose name the strategies give to something else runs under a second name.

    Examples
    --------
    >>> [s.name for s in with_controls([make_strategy("always-fade", lookback=5)])][1:3]
    ['follow-long-fade-short', 'always-fade (as built in)']
    """
    names = {s.name for s in chosen}
    lacking = [c for c in CONTROLS.values() if c not in chosen]
    return (*chosen, *(_as_built(c) if c.name in names else c for c in lacking))


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
        A new name starts from the main strategy's fields and needs at least one of its own.
    **changes
        Fields of `Strategy`.

    Raises
    ------
    UnknownNameError
        If a filter or rule is unknown, or the name is a misspelt built-in one.
    ConfigError
        If the exit percentile lies above the entry.
    """
    _require_intended(name, changes)
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


#: Letters by which a new name may come near a built-in one before it counts as misspelt.
_TYPO = 2

#: What may follow a built-in name in the name of a variant: ``always-fade-5``.
_VARIANT = re.compile(r"[-_ .]?\d+[a-z]?$")


def _require_intended(name: str, changes: Mapping[str, object]) -> None:
    """Refuse a new name that nearly is a built-in one, or that comes with nothing of its own.

    Either would run the main strategy under another name.
    """
    if name in STRATEGIES:
        return
    plain = name.casefold()
    stem = _VARIANT.sub("", plain)
    variant = stem != plain and stem in STRATEGIES
    misspelt = not variant and any(_distance(stem, known) <= _TYPO for known in STRATEGIES)
    if misspelt or not changes:
        remedy = "or give a strategy of your own another name and its filter or rules"
        raise UnknownNameError("strategy", name, STRATEGIES, remedy)


def _distance(a: str, b: str) -> int:
    """Return how many letters must be changed, added or left out to turn one into the other.

    Examples
    --------
    >>> _distance("buy-and-hald", "buy-and-hold"), _distance("buy_hold", "buy-and-hold")
    (1, 5)
    """
    row = list(range(len(b) + 1))
    for i, letter in enumerate(a, 1):
        above, row = row, [i]
        for j, other in enumerate(b, 1):
            row.append(min(above[j] + 1, row[-1] + 1, above[j - 1] + (letter != other)))
    return row[-1]


def strategies_named(*names: str) -> tuple[Strategy, ...]:
    """Return built-in strategies by name; all of them, main first, where none is named."""
    return tuple(strategy(name) for name in names or STRATEGIES)
