"""Everything that a configuration may name: components, hypotheses, vendors, worlds."""

from __future__ import annotations

import types
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, fields
from importlib.metadata import EntryPoint, entry_points
from typing import TYPE_CHECKING, Any, Final, Literal, get_args, get_origin, get_type_hints

from ...data import GexlabError, UnknownNameError
from ...strategies import GROUPS, Component, built_in, component_class

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ...strategies import Kind

__all__ = ["KINDS", "Entry", "components"]

#: Kinds in the order of the list; the singular is understood too.
KINDS: Final[Mapping[str, str]] = {
    "filters": "filter",
    "rules": "rule",
    "sizings": "sizing",
    "hypotheses": "hypothesis",
    "vendors": "vendor",
    "worlds": "world",
}
_BUILT_IN: Final = "gexlab"


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing that a configuration or a command may name.

    Attributes
    ----------
    kind : str
        One of `KINDS`.
    name : str
    source : str
        ``gexlab``, or the package and the object that an entry point names.
    does : str
        One sentence.
    parameters : mapping of str to mapping
        By name: ``type`` and ``default``.
    inputs : tuple of str
        Columns of the panel that it reads with its defaults; kinds of data of a hypothesis.
    decides : str or None
        When in a session: ``close``, or at every ``bar``; None for what decides nothing.
    problem : str or None
        Why it cannot be used; None where it can.
    """

    kind: str
    name: str
    source: str
    does: str = ""
    parameters: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    inputs: tuple[str, ...] = ()
    decides: str | None = None
    problem: str | None = None


def components(kind: str | None = None) -> tuple[Entry, ...]:
    """Return what there is of a kind, or of all: built-in, then users' own by entry points.

    Parameters
    ----------
    kind : str, optional
        ``filters``, ``rules``, ``sizings``, ``hypotheses``, ``vendors`` or ``worlds``.

    Returns
    -------
    tuple of Entry

    Raises
    ------
    UnknownNameError
        If there is no such kind.

    Examples
    --------
    >>> next(e for e in components("rules") if e.name == "fade").parameters["lookback"]
    {'type': 'int', 'default': 1}
    """
    plural = {one: many for many, one in KINDS.items()}
    chosen = KINDS if kind is None else (plural.get(kind, kind),)
    for name in chosen:
        if name not in KINDS:
            raise UnknownNameError("kind of component", name, tuple(KINDS))
    return tuple(entry for name in chosen for entry in _entries(name))


def _entries(kind: str) -> Iterator[Entry]:
    if kind in ("filters", "rules", "sizings"):
        return _component_entries(kind)
    makers: dict[str, Callable[[], Iterator[Entry]]] = {
        "hypotheses": _hypotheses,
        "vendors": _vendors,
        "worlds": _worlds,
    }
    return makers[kind]()


def _component_entries(kind: str) -> Iterator[Entry]:
    single: Kind = KINDS[kind]  # type: ignore[assignment]
    for made in built_in(single).values():
        yield _component(kind, made.name, made, _BUILT_IN)
    for point in _own(GROUPS[single], built_in(single)):
        yield _guarded(
            kind,
            point,
            lambda p: _component(kind, p.name, component_class(single, p.name), _source(p)),
        )


def _component(kind: str, name: str, made: type[Component], source: str) -> Entry:
    hints = get_type_hints(made)
    instance = made()
    return Entry(
        kind,
        name,
        source,
        (made.__doc__ or "").strip().partition("\n")[0],
        {
            f.name: {
                "type": _type_name(hints[f.name]),
                "default": _shown(getattr(instance, f.name)),
            }
            for f in fields(made)  # type: ignore[arg-type]
        },
        tuple(dict.fromkeys(_columns_read(instance))),
        made.decides,
    )


def _columns_read(component: Component) -> Iterator[str]:
    for past in component.inputs().values():
        if isinstance(past.of, str):
            yield past.of
        else:
            yield from _columns_read(past.of)


def _hypotheses() -> Iterator[Entry]:
    from ..hypotheses.registry import BUILT_IN, GROUP, hypothesis

    def entry(name: str, source: str) -> Entry:
        card = hypothesis(name).card
        return Entry("hypotheses", name, source, card.claim, inputs=(card.tier,))

    for name in BUILT_IN:
        yield entry(name, _BUILT_IN)
    for point in _own(GROUP, BUILT_IN):
        yield _guarded("hypotheses", point, lambda p: entry(p.name, _source(p)))


def _vendors() -> Iterator[Entry]:
    from ...data import GROUP, VENDORS, vendor

    def entry(name: str, source: str) -> Entry:
        preset = vendor(name)
        return Entry("vendors", name, source, getattr(preset, "title", ""))

    for name in VENDORS:
        yield entry(name, _BUILT_IN)
    for point in _own(GROUP, VENDORS):
        yield _guarded("vendors", point, lambda p: entry(p.name, _source(p)))


def _worlds() -> Iterator[Entry]:
    from ...data import MarketParameters, Mechanism
    from ...data.simulate import worlds

    for name, world in worlds().items():
        market, mechanism = world.visible
        values = {
            f.name: (f.type, getattr(part, f.name))
            for part in (market, mechanism)
            for f in fields(MarketParameters if part is market else Mechanism)
        }
        given = {
            key: {"type": type(values[key][1]).__name__, "default": _shown(values[key][1])}
            for key in world.parameters
            if key in values
        }
        yield Entry("worlds", name, _BUILT_IN, world.title, given)


def _own(group: str, known: object) -> list[EntryPoint]:
    """Return users' entry points of a group, by name; a built-in name cannot be taken."""
    points = {point.name: point for point in entry_points(group=group)}
    return [points[name] for name in sorted(points) if name not in known]  # type: ignore[operator]


def _source(point: EntryPoint) -> str:
    package = "" if point.dist is None else f"{point.dist.name} {point.dist.version}: "
    return f"{package}{point.value}"


def _guarded(kind: str, point: EntryPoint, make: Callable[[EntryPoint], Entry]) -> Entry:
    """Return an entry; one that cannot be loaded is listed with the reason."""
    try:
        return make(point)
    except GexlabError as error:
        return Entry(kind, point.name, _source(point), problem=str(error))
    except Exception as error:  # whatever the code of a stranger raises
        return Entry(
            kind, point.name, _source(point), problem=f"{type(error).__name__}: {error}; mend it"
        )


def _type_name(hint: Any) -> str:
    """Return a parameter's type in words.

    Examples
    --------
    >>> _type_name(float | None), _type_name(tuple[int, ...]), _type_name(Literal["a", "b"])
    ('float or null', 'list of int', 'a or b')
    """
    origin, inner = get_origin(hint), get_args(hint)
    if origin is Literal:
        return " or ".join(str(value) for value in inner)
    if origin is tuple:
        return f"list of {_type_name(inner[0])}"
    if origin is types.UnionType or (inner and origin is not None):
        return " or ".join(_type_name(part) for part in inner)
    if hint is type(None):
        return "null"
    if isinstance(hint, type) and issubclass(hint, Component):
        return str(hint.kind)
    name = getattr(hint, "__name__", str(hint))
    return "text" if name == "str" else name


def _shown(value: Any) -> Any:
    """Return a default as a configuration would say it."""
    if isinstance(value, Component):
        given = {name: _shown(part) for name, part in value.parameters().items()}
        return {"name": value.name, **given}
    if isinstance(value, tuple | list):
        return [_shown(part) for part in value]
    return value
