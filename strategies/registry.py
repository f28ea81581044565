"""Strategies by name, and from the keys of a configuration."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, replace
from pathlib import Path
from typing import Any, Final

from ..data.base.errors import ConfigError, UnknownNameError
from .component import Component
from .components import make_component
from .filters.sign import Always
from .model import RULED, Strategy
from .rules.returns import Fade, Follow, Hold

__all__ = ["MAIN", "SHORTHAND", "STRATEGIES", "make_strategy", "strategies_named", "strategy"]

#: The strategy that the whole question is about.
MAIN = "fade-long-follow-short"

_BUILT_IN = (
    Strategy(MAIN),
    Strategy("follow-long-fade-short", long=Follow(), short=Fade()),
    Strategy("always-fade", Always(), Fade(), Fade(), Fade()),
    Strategy("always-follow", Always(), Follow(), Follow(), Follow()),
    Strategy("buy-and-hold", Always(), Hold(), Hold(), Hold()),
)

#: The main strategy first, then its controls.
STRATEGIES: dict[str, Strategy] = {built_in.name: built_in for built_in in _BUILT_IN}

#: Flat keys of a configuration that are parameters of the filter, of the rules, of the sizing.
SHORTHAND: Final[dict[str, tuple[str, ...]]] = {
    "filter": ("on", "window", "enter", "exit"),
    "rule": ("lookback", "scale"),
    "sizing": ("size",),
}


def strategy(name: str) -> Strategy:
    """Return a built-in strategy.

    Raises
    ------
    UnknownNameError
        If there is none of that name.

    Examples
    --------
    >>> strategy("buy-and-hold").long.name
    'hold'
    """
    if name not in STRATEGIES:
        raise UnknownNameError("strategy", name, STRATEGIES)
    return STRATEGIES[name]


def make_strategy(name: str, folder: Path | None = None, **settings: Any) -> Strategy:
    """Return the built-in strategy of that name, or a new one, with some settings changed.

    Parameters
    ----------
    name : str
        A new name starts from the main strategy.
    folder : Path, optional
        What files of users' own components are relative to.
    **settings
        ``filter, long, short, neutral, sizing``: a component, a name, or a table of name and
        parameters. ``on, window, enter, exit, lookback, scale, size``: shorthand for parameters
        of the filter, the rules and the sizing that have them.

    Raises
    ------
    UnknownNameError
        If a component or parameter is unknown.
    ConfigError
        If a parameter has the wrong type, or the exit lies above the entry.
    """
    base = STRATEGIES.get(name, Strategy(name))
    given = {key: value for key, value in settings.items() if value is not None}
    parts: dict[str, Component] = {
        "filter": _part("filter", base.filter, given, folder),
        **{label: _part("rule", base.rule(label), given, folder, label) for label in RULED},
        "sizing": _part("sizing", base.sizing, given, folder),
    }
    made = replace(base, name=name, **parts)  # type: ignore[arg-type]
    enter, leave = (getattr(made.filter, k, given.get(k)) for k in ("enter", "exit"))
    if enter is not None and leave is not None and leave > enter:
        raise ConfigError(
            f"strategy {name!r}: exit {leave:g} lies above enter {enter:g}: a label is "
            "left at or below where it is entered"
        )
    return made


def _part(
    kind: Any, before: Component, given: Mapping[str, Any], folder: Path | None, key: str = ""
) -> Component:
    setting = given.get(key or kind)
    if isinstance(setting, Component):
        part = setting
    elif setting is None:
        part = before
    else:
        part = make_component(kind, setting, folder)
    known = {f.name for f in fields(part)}  # type: ignore[arg-type]
    changes = {name: given[name] for name in SHORTHAND[kind] if name in given and name in known}
    if isinstance(changes.get("on"), str) and "." not in changes["on"]:
        changes["on"] = f"series.{changes['on']}"
    return replace(part, **changes) if changes else part  # type: ignore[type-var]


def strategies_named(*names: str) -> tuple[Strategy, ...]:
    """Return built-in strategies by name; all of them, main first, where none is named."""
    return tuple(strategy(name) for name in names or STRATEGIES)
