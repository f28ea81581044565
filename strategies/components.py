"""Components by name: built-in ones, installed packages' and files' own; made from settings."""

from __future__ import annotations

import hashlib
import importlib.util
import sys
from collections.abc import Mapping
from dataclasses import MISSING, fields, replace
from functools import cache, lru_cache
from importlib import import_module
from importlib.metadata import entry_points
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any, Final, Literal, get_args, get_origin, get_type_hints

from ..data import ConfigError, UnknownNameError
from .component import SOURCE_DIGEST, Component, Filter, Kind, Rule, Sizing

__all__ = [
    "GROUPS",
    "built_in",
    "component_class",
    "component_names",
    "is_own",
    "make_component",
    "parameter_types",
    "reloaded",
]

if TYPE_CHECKING:
    from .model import Strategy

BASES: Final[dict[Kind, type[Component]]] = {"filter": Filter, "rule": Rule, "sizing": Sizing}
#: Attribute of a module from a file that holds its text.
_TEXT: Final = "__gexlab_text__"
#: Entry points under which installed packages offer their own.
GROUPS: Final[dict[Kind, str]] = {kind: f"gexlab.{kind}s" for kind in BASES}
_MODULES: Final[dict[Kind, tuple[str, ...]]] = {
    "filter": ("calendar", "combine", "levels", "placebo", "price", "ranks", "recheck", "sign"),
    "rule": ("intraday", "levels", "returns"),
    "sizing": ("basic",),
}


@cache
def built_in(kind: Kind) -> Mapping[str, type[Component]]:
    """Return the built-in components of a kind by name, in alphabetical order.

    Parameters
    ----------
    kind : {"filter", "rule", "sizing"}

    Returns
    -------
    mapping of str to type
    """
    found = {}
    for name in _MODULES[kind]:
        module = import_module(f".{kind}s.{name}", __package__)
        for exported in module.__all__:
            thing = getattr(module, exported)
            if isinstance(thing, type) and issubclass(thing, BASES[kind]):
                found[thing.name] = thing
    return dict(sorted(found.items()))


def component_names(kind: Kind) -> tuple[str, ...]:
    """Return every name of a kind: built-in ones, then installed packages' own.

    Parameters
    ----------
    kind : {"filter", "rule", "sizing"}

    Returns
    -------
    tuple of str
    """
    own = {point.name for point in entry_points(group=GROUPS[kind])}
    return (*built_in(kind), *sorted(own - set(built_in(kind))))


def component_class(kind: Kind, name: str, folder: Path | None = None) -> type[Component]:
    """Return the class of a component.

    Parameters
    ----------
    kind : {"filter", "rule", "sizing"}
    name : str
        A built-in name, an entry point's, ``module:Class``, or ``file.py:Class``.
    folder : Path, optional
        What a file's path is relative to.

    Returns
    -------
    type

    Raises
    ------
    UnknownNameError
        If there is none of that name, with the nearest one.
    ConfigError
        If a user's own cannot be loaded, or is no component of that kind.
    """
    if name in built_in(kind):
        return built_in(kind)[name]
    if ":" in name:
        return _checked(kind, name, _loaded(name, folder))
    for point in entry_points(group=GROUPS[kind]):
        if point.name == name:
            try:
                return _checked(kind, point.value, point.load())
            except (ImportError, AttributeError) as error:
                raise ConfigError(
                    f"{kind} {name!r} of the installed package {point.value!r} cannot be loaded: "
                    f"{error}; mend or remove it"
                ) from error
    raise UnknownNameError(kind, name, component_names(kind))


def _loaded(name: str, folder: Path | None) -> Any:
    place, _, attribute = name.rpartition(":")
    try:
        if place.endswith(".py"):
            module = _module_of((folder or Path()) / place)
        else:
            module = import_module(place)
    except Exception as error:
        raise ConfigError(
            f"{name!r} cannot be loaded: {type(error).__name__}: {error}; mend {place}"
        ) from error
    if not hasattr(module, attribute):
        raise ConfigError(f"{place} has no {attribute!r}: correct the name after the colon")
    return getattr(module, attribute)


def _module_of(path: Path) -> Any:
    file = path.resolve()
    if not file.is_file():
        raise FileNotFoundError(f"no such file: {path}")
    text = file.read_bytes()
    # by what it says: the same file is the same module in every process, another text another one
    digest = hashlib.sha256(text).hexdigest()
    name = f"gexlab_user_{file.stem}_{digest[:16]}"
    known = sys.modules.get(name)
    if known is not None and known.__file__ == str(file):  # elsewhere it may read other files
        return known
    specification = importlib.util.spec_from_file_location(name, file)
    assert specification is not None
    assert specification.loader is not None
    module = importlib.util.module_from_spec(specification)
    setattr(module, SOURCE_DIGEST, digest)
    setattr(module, _TEXT, text)
    sys.modules[name] = module
    try:
        # not by way of cached bytecode, which takes an edit of the same second for the same file
        exec(compile(text, str(file), "exec"), module.__dict__)
    except BaseException:
        del sys.modules[name]
        raise
    return module


def is_own(strategy: Strategy) -> bool:
    """Return whether any part of a strategy is a user's own component.

    Parameters
    ----------
    strategy : Strategy

    Returns
    -------
    bool
    """
    parts = (strategy.filter, strategy.long, strategy.short, strategy.neutral, strategy.sizing)
    return any(_holds_own(part) for part in parts)


def _holds_own(value: Any) -> bool:
    if isinstance(value, Component):
        built = type(value).__module__.startswith("gexlab.")
        return not built or any(_holds_own(v) for v in value.parameters().values())
    return isinstance(value, tuple) and any(_holds_own(part) for part in value)


def reloaded(component: Component) -> Component | None:
    """Return a user's own component from a fresh run of its module; None of a built-in one.

    Nothing that earlier calls left in the module, or in the class, is there. Components that are
    parameters of another are made anew too.

    Parameters
    ----------
    component : Component

    Returns
    -------
    Component or None
    """
    values = {name: _reloaded_value(v) for name, v in component.parameters().items()}
    module = sys.modules.get(type(component).__module__)
    file = getattr(module, "__file__", None)
    if module is None or file is None or module.__name__.startswith("gexlab."):
        changed = {n: new for n, (new, differs) in values.items() if differs}
        return replace(component, **changed) if changed else None  # type: ignore[type-var]
    copy = ModuleType(f"{module.__name__}_afresh")
    copy.__dict__.update(__file__=file, __package__=module.__package__)
    sys.modules[copy.__name__] = copy
    try:
        # the text that was loaded: the file may have been edited since
        text = getattr(module, _TEXT, None) or Path(file).read_bytes()
        exec(compile(text, file, "exec"), copy.__dict__)
        made = getattr(copy, type(component).__name__)
        fresh: Component = made(**{name: new for name, (new, _) in values.items()})
    finally:
        del sys.modules[copy.__name__]
    return fresh


def _reloaded_value(value: Any) -> tuple[Any, bool]:
    """Return a parameter whose components are made anew, and whether there were any."""
    if isinstance(value, Component):
        new = reloaded(value)
        return (value, False) if new is None else (new, True)
    if isinstance(value, tuple):
        parts = [_reloaded_value(part) for part in value]
        return tuple(new for new, _ in parts), any(differs for _, differs in parts)
    return value, False


def _checked(kind: Kind, name: str, thing: Any) -> type[Component]:
    if isinstance(thing, type) and issubclass(thing, BASES[kind]):
        return thing
    raise ConfigError(
        f"{name!r} is no {kind}: expected a subclass of gexlab.strategies.{BASES[kind].__name__}, "
        f"found {getattr(thing, '__name__', type(thing).__name__)}"
    )


def parameter_types(made: type[Component]) -> dict[str, Any]:
    """Return the declared type of each parameter of a component.

    Parameters
    ----------
    made : type
        A component's class.

    Returns
    -------
    dict of str to type
    """
    hints = _hints(made)  # type: ignore[arg-type]  # a class has a hash
    return {f.name: hints[f.name] for f in fields(made)}  # type: ignore[arg-type]


@lru_cache(maxsize=256)
def _hints(made: type[Component]) -> dict[str, Any]:
    """Return the types that a class declares: looked up once, however often it is made."""
    return get_type_hints(made)


def make_component(
    kind: Kind, setting: str | Mapping[str, Any], folder: Path | None = None
) -> Component:
    """Return a component from a configuration's setting.

    Parameters
    ----------
    kind : {"filter", "rule", "sizing"}
    setting : str or mapping
        A name, or a table with ``name`` (or the kind as the key: ``rule = "fade"``) and
        parameters. Parameters that are filters themselves are given likewise.
    folder : Path, optional
        What files of users' own components are relative to.

    Returns
    -------
    Component

    Raises
    ------
    UnknownNameError, ConfigError
    """
    given = {"name": setting} if isinstance(setting, str) else dict(setting)
    name = given.pop("name", None) or given.pop(kind, None)
    if not isinstance(name, str):
        raise ConfigError(f"{kind} {setting!r} has no name: add name = ... to it")
    made = component_class(kind, name, folder)
    hints = _hints(made)  # type: ignore[arg-type]  # a class has a hash
    known = {f.name: f for f in fields(made)}  # type: ignore[arg-type]
    for f in known.values():
        if f.default is MISSING and f.default_factory is MISSING:
            raise ConfigError(f"parameter {f.name!r} of {kind} {name!r} has no default: give one")
    values = {}
    for key, value in given.items():
        if key not in known:
            raise UnknownNameError(f"parameter of {kind} {name!r}", key, tuple(known))
        values[key] = _typed(f"{key} of {kind} {name!r}", value, hints[key], folder)
    return made(**values)


def _typed(what: str, value: Any, hint: Any, folder: Path | None) -> Any:
    """Return a parameter's value in its declared type, or say what was expected."""
    origin, inner = get_origin(hint), get_args(hint)
    if isinstance(hint, type) and issubclass(hint, Component):
        return make_component(hint.kind, value, folder)
    if origin is tuple:
        if not isinstance(value, list | tuple):
            raise ConfigError(f"{what}: expected a list, found {value!r}")
        return tuple(_typed(what, item, inner[0], folder) for item in value)
    if origin is Literal:
        if value not in inner:
            raise UnknownNameError(what, str(value), tuple(str(i) for i in inner))
        return value
    if inner and origin is not None:  # a union, say float | None
        kinds = [i for i in inner if i is not type(None)]
        return None if value is None else _typed(what, value, kinds[0], folder)
    if hint is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if (
        isinstance(hint, type)
        and (not isinstance(value, hint) or isinstance(value, bool))
        and (hint is not bool or not isinstance(value, bool))
    ):
        raise ConfigError(f"{what}: expected {hint.__name__}, found {value!r}")
    return value
