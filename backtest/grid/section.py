"""The section ``[grid]`` of a configuration: what spans the product, checked where it is read."""

from __future__ import annotations

from dataclasses import replace
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal, get_args, get_origin

from pydantic import AfterValidator, ValidationInfo

from ...data import ConfigError, UnknownNameError
from ...strategies import (
    RULED,
    Component,
    Strategy,
    component_class,
    make_component,
    make_strategy,
    parameter_types,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from ...strategies import Kind

__all__ = ["GridSection", "combinations", "covering", "section_keys", "strategies_in"]

_STRATEGY: Final = ("filters", "rules", "sizings")
_MARKET: Final = ("eras", "underlyings")
_RULE_KEYS: Final = (*RULED, "lookback", "scale")
#: What a trial is called; its parameters say what it is.
_NAME: Final = "trial"


def section_keys() -> dict[str, tuple[str, ...]]:
    """Return the keys of ``[grid]`` by what they belong to."""
    from ..run.config_sections import RegimeConfig
    from ..run.execution_section import ExecutionConfig

    return {
        "strategy": _STRATEGY,
        "market": _MARKET,
        "execution": tuple(ExecutionConfig.model_fields),
        "regime": tuple(name for name in RegimeConfig.model_fields if name != "series"),
    }


def _checked(section: dict[str, Any], info: ValidationInfo) -> dict[str, Any]:
    if "long_short" in section:
        raise ConfigError(
            "grid.long_short: long-short portfolios of many names have no bars, filters and rules: "
            "gexlab grid alone evaluates them, from a configuration of a universe"
        )
    known = tuple(name for names in section_keys().values() for name in names)
    for key in section:
        if key not in known:
            raise UnknownNameError("key", key, known)
    if section:
        folder = (info.context or {}).get("folder", Path())
        for part in _parts(section, folder):
            list(part)
    return section


#: A mapping whose keys and components are known to exist.
GridSection = Annotated[dict[str, Any], AfterValidator(_checked)]


def strategies_in(section: Mapping[str, Any], folder: Path) -> tuple[Strategy, ...]:
    """Return every combination of filters, rules and sizings; what is not named is the main one's.

    Raises
    ------
    UnknownNameError, ConfigError
        If a component or one of its parameters is not known.
    """
    filters, rules, sizings = (tuple(part) for part in _parts(section, folder))
    return tuple(
        Strategy(_NAME, f.filter, r.long, r.short, r.neutral, s.sizing)
        for f, r, s in product(filters, rules, sizings)
    )


def covering(section: Mapping[str, Any], folder: Path) -> tuple[Strategy, ...]:
    """Return as few strategies as hold every distinct filter, rule and sizing at least once."""
    filters, rules, sizings = (list(dict.fromkeys(part)) for part in _parts(section, folder))
    most = max(len(filters), len(rules), len(sizings))
    found = []
    for i in range(most):
        f, r, s = (part[i % len(part)] for part in (filters, rules, sizings))
        made = Strategy(_NAME, f.filter, r.long, r.short, r.neutral, s.sizing)
        found.append(replace(made, name=made.describe()))
    return tuple(found)


def _parts(section: Mapping[str, Any], folder: Path) -> tuple[Iterator[Strategy], ...]:
    """Return strategies of which only the filter, the rules, the sizing counts."""
    return (
        (  # rules that go with a filter of the close and with one of bars
            make_strategy(_NAME, filter=made, long="flat", short="flat")
            for made in _made("filter", section, "filters", folder)
        ),
        _rule_sets(section.get("rules", [{}]), folder),
        (make_strategy(_NAME, sizing=made) for made in _made("sizing", section, "sizings", folder)),
    )


def _made(kind: Kind, section: Mapping[str, Any], key: str, folder: Path) -> Iterator[Component]:
    base = Strategy(_NAME)
    if key not in section:
        yield base.filter if kind == "filter" else base.sizing
        return
    for setting in _listed(key, section[key]):
        for single in _settings(kind, setting, folder):
            yield make_component(kind, single, folder)


def _rule_sets(given: Any, folder: Path) -> Iterator[Strategy]:
    for table in _listed("rules", given):
        if not isinstance(table, dict):
            raise ConfigError(
                f'rules: expected tables such as {{ long = "fade", short = "follow" }}, found '
                f"{table!r}"
            )
        choices = {}
        for key, value in table.items():
            if key not in _RULE_KEYS:
                raise UnknownNameError("key of rules", key, _RULE_KEYS)
            choices[key] = (
                [made for item in _as_list(value) for made in _settings("rule", item, folder)]
                if key in RULED
                else _as_list(value)
            )
        for chosen in combinations(choices):
            rules = {
                key: make_component("rule", value, folder) if key in RULED else value
                for key, value in chosen.items()
            }
            yield make_strategy(_NAME, folder, **rules) if rules else Strategy(_NAME)


def combinations(choices: Mapping[str, Sequence[Any]]) -> Iterator[dict[str, Any]]:
    """Yield every combination, the last key varying fastest.

    Examples
    --------
    >>> list(combinations({"fees": [0, 1], "fill": ["next_open"]}))
    [{'fees': 0, 'fill': 'next_open'}, {'fees': 1, 'fill': 'next_open'}]
    """
    for values in product(*choices.values()):
        yield dict(zip(choices, values, strict=True))


def _settings(kind: Kind, setting: Any, folder: Path) -> Iterator[Any]:
    """Yield the settings of one component that a table with lists stands for."""
    if not isinstance(setting, dict):
        yield setting
        return
    name_key = "name" if "name" in setting else kind
    for name in _as_list(setting.get(name_key)):
        if not isinstance(name, str):
            yield setting  # whose maker says what is missing
            continue
        types = parameter_types(component_class(kind, name, folder))
        choices = {
            key: [name] if key == name_key else list(_choices(types.get(key), value, folder))
            for key, value in setting.items()
        }
        yield from combinations(choices)


def _choices(hint: Any, value: Any, folder: Path) -> Iterator[Any]:
    """Yield the values of one parameter; a list stands for several, unless it is one value."""
    origin, inner = get_origin(hint), get_args(hint)
    if isinstance(hint, type) and issubclass(hint, Component):
        for item in _as_list(value):
            yield from _settings(hint.kind, item, folder)
    elif origin is tuple and isinstance(value, list):
        if value and all(isinstance(item, list) for item in value):
            for item in value:
                yield from _choices(hint, item, folder)
        else:
            parts = [list(_choices(inner[0], item, folder)) for item in value]
            yield from (list(chosen) for chosen in product(*parts))
    elif origin is not None and origin not in (tuple, Literal) and inner:
        kinds = [part for part in inner if part is not type(None)]
        yield from _choices(kinds[0], value, folder)
    else:
        yield from _as_list(value)


def _as_list(value: Any) -> list[Any]:
    return list(value) if isinstance(value, list | tuple) else [value]


def _listed(key: str, value: Any) -> list[Any]:
    found = _as_list(value)
    if not found:
        raise ConfigError(f"{key}: expected at least one, found an empty list: leave it out")
    return found
