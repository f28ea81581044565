"""Strategies by name, and from the keys of a configuration."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import fields, replace
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

from ..data import ConfigError, UnknownNameError
from .component import Component
from .components import make_component
from .filters.sign import Always
from .model import RULED, Strategy
from .rules.returns import Fade, Flat, Follow, Hold

__all__ = [
    "CONTROLS",
    "MAIN",
    "SHORTHAND",
    "STRATEGIES",
    "is_control",
    "make_strategy",
    "strategies_named",
    "strategy",
    "with_controls",
]

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


#: What every strategy is held against.
CONTROLS: dict[str, Strategy] = {s.name: s for s in _BUILT_IN if s.name != MAIN}

#: What a control is called where a configuration gives its name to something else.
_AS_BUILT = "{} (as built in)"


def is_control(candidate: Strategy) -> bool:
    """Return whether a strategy is one of the controls, under its own or its second name.

    Parameters
    ----------
    candidate : Strategy

    Returns
    -------
    bool

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

    Parameters
    ----------
    chosen : sequence of Strategy

    Returns
    -------
    tuple of Strategy

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

    Parameters
    ----------
    name : str

    Returns
    -------
    Strategy

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
        A new name starts from the main strategy and needs at least one setting of its own.
    folder : Path, optional
        What files of users' own components are relative to.
    **settings
        ``filter, long, short, neutral, sizing``: a component, a name, or a table of name and
        parameters. ``on, window, enter, exit, lookback, scale, size``: shorthand for parameters
        of the filter, the rules and the sizing that have them. Beside a rule that decides within
        the session, labels without a rule are flat.

    Returns
    -------
    Strategy

    Raises
    ------
    UnknownNameError
        If a component or parameter is unknown, or the name is a misspelt built-in one.
    ConfigError
        If a parameter has the wrong type, or the exit lies above the entry.
    """
    given = {key: value for key, value in settings.items() if value is not None}
    _require_intended(name, given)
    base = STRATEGIES.get(name, Strategy(name))
    parts: dict[str, Component] = {
        "filter": _part("filter", base.filter, given, folder),
        **{label: _part("rule", base.rule(label), given, folder, label) for label in RULED},
        "sizing": _part("sizing", base.sizing, given, folder),
    }
    if any(parts[label].decides == "bar" for label in RULED):  # what is not named is flat there
        parts |= {label: Flat() for label in RULED if label not in given}
    made = replace(base, name=name, **parts)  # type: ignore[arg-type]
    enter, leave = (getattr(made.filter, k, given.get(k)) for k in ("enter", "exit"))
    if enter is not None and leave is not None and leave > enter:
        raise ConfigError(
            f"strategy {name!r}: exit {leave:g} lies above enter {enter:g}: a label is "
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


@lru_cache(maxsize=256)
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
    """Return built-in strategies by name; all of them, main first, where none is named.

    Parameters
    ----------
    *names : str

    Returns
    -------
    tuple of Strategy

    Raises
    ------
    UnknownNameError
        If a name is no built-in strategy.
    """
    return tuple(strategy(name) for name in names or STRATEGIES)
