"""Components: filters, rules and sizings, each a small frozen class that declares what it reads.

A component never sees the panel. It says which columns it reads and how far back (`Past`), and
the framework hands it those values alone, cut to what was public when its decision had to be
made. When a decision was known follows from the declared inputs: a component cannot state it.
"""

from __future__ import annotations

import hashlib
import json
import re
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from functools import cache, lru_cache
from pathlib import Path
from typing import Any, ClassVar, Literal, dataclass_transform

import numpy as np
import numpy.typing as npt

from ..data import ConfigError, GexlabError

__all__ = ["Component", "Filter", "Past", "Rule", "Sizing", "component_id"]

#: Name under which a module loaded from a user's file keeps the digest of its text.
SOURCE_DIGEST = "__gexlab_source__"

Floats = npt.NDArray[np.float64]
Kind = Literal["filter", "rule", "sizing"]


class NotOverriddenError(GexlabError):
    """A component lacks the method for many decisions; its method for one is called instead."""


@dataclass(frozen=True, slots=True)
class Past:
    """What a component reads: the last values of a column, or of another filter.

    Attributes
    ----------
    of : str or Filter
        A column of the panel, or a filter, whose labels are then read as codes.
    window : int or None
        How many rows, today's included; 1 is today's alone. None: everything there was, which
        `label` and `target` receive up to today, and `labels` and `targets` as one array of
        shape (n,) whose row t may be used for decisions from t on only.
    skip_missing : bool
        Whether the window counts values rather than sessions: missing ones are passed over, and
        a decision without today's value is undefined.
    complete : bool
        Whether every value of the window must be there. Where one is missing, a filter abstains
        and a rule has no target; without it only today's must be.
    """

    of: str | Filter
    window: int | None = 1
    skip_missing: bool = False
    complete: bool = True

    def __post_init__(self) -> None:
        if self.window is not None and self.window < 1:
            raise ConfigError(f"window of {self.of}: expected at least 1, found {self.window}")


@dataclass_transform(frozen_default=True, kw_only_default=False)
class Component:
    """What filters, rules and sizings share: a name, parameters, declared inputs.

    A subclass is a frozen dataclass by itself: its annotated fields are its parameters, which
    must have defaults. Two components of one class with equal parameters are equal, and are
    evaluated once.
    """

    kind: ClassVar[Kind]
    #: How a configuration calls it; the class's name in kebab case unless stated.
    name: ClassVar[str]
    #: When it decides: at the session's close, or at the end of each intraday bar.
    decides: ClassVar[Literal["close", "bar"]] = "close"
    #: Whether today's outcome depends on all earlier rows, not only on the declared windows.
    recursive: ClassVar[bool] = False
    #: Smallest and largest value of a parameter, both allowed.
    bounds: ClassVar[Mapping[str, tuple[float, float]]] = {}

    def __post_init__(self) -> None:
        for name, (low, high) in self.bounds.items():
            value = getattr(self, name)
            if value is not None and not low <= value <= high:
                raise ConfigError(
                    f"{name} of {self.kind} {self.name!r}: expected {low:g} to {high:g}, "
                    f"found {value!r}"
                )

    def __init_subclass__(cls, **keywords: Any) -> None:
        super().__init_subclass__(**keywords)
        if "name" not in cls.__dict__:
            cls.name = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "-", cls.__name__).lower()
        dataclass(frozen=True)(cls)

    def inputs(self) -> Mapping[str, Past]:
        """Return what is read, by the name under which the component's method takes it.

        Returns
        -------
        mapping of str to Past
        """
        return {}

    def parameters(self) -> dict[str, Any]:
        """Return every parameter by name.

        Returns
        -------
        dict of str to object
        """
        made: Any = type(self)
        return {name: getattr(self, name) for name in _parameters_of(made)}

    def describe(self) -> str:
        """Return name and parameters in a few words.

        Returns
        -------
        str
        """
        given = ", ".join(f"{name} {value}" for name, value in self.parameters().items())
        return f"{self.name} ({given})" if given else self.name


@cache
def _parameters_of(made: type[Component]) -> tuple[str, ...]:
    return tuple(f.name for f in fields(made))  # type: ignore[arg-type]  # every component is one


class Filter(Component):
    """From what is public to a label: long, short, neutral or abstain.

    Give either `label`, which is called once a decision, or `labels`, which is called once with
    one row a decision. Both receive the declared inputs by name, oldest value first.
    """

    kind: ClassVar[Kind] = "filter"

    def label(self, *args: Any, **inputs: Any) -> str:
        """Return the label of one decision; each input has the shape (window,).

        A method that names a parameter ``previous`` is given the label before.

        Parameters
        ----------
        *args, **inputs : ndarray of float, shape (window,)
            The declared inputs by name, oldest value first.

        Returns
        -------
        {"long", "short", "neutral", "abstain"}

        Raises
        ------
        ConfigError
            If the filter defines neither `label` nor `labels`.
        """
        raise ConfigError(f"filter {self.name!r} defines neither label nor labels: add one")

    def labels(self, *args: Any, **inputs: Any) -> npt.NDArray[Any]:
        """Return codes (see `panel.LABELS`) of all decisions; inputs have the shape (n, window).

        Worth it where thousands of trials are run; `label` is asked for each decision otherwise.
        A method that names a parameter ``common`` is given what the class's static method of that
        name makes of the inputs: made once for all filters that read the same.

        Parameters
        ----------
        *args, **inputs : ndarray of float, shape (n, window)
            The declared inputs by name, oldest value first.

        Returns
        -------
        ndarray, shape (n,)

        Raises
        ------
        NotOverriddenError
            If the filter defines `label` alone.
        """
        raise NotOverriddenError


class Rule(Component):
    """From what is public to a target in -1 ... 1, NaN where there is none."""

    kind: ClassVar[Kind] = "rule"

    def target(self, *args: Any, **inputs: Any) -> float:
        """Return the target of one decision; each input has the shape (window,).

        Parameters
        ----------
        *args, **inputs : ndarray of float, shape (window,)
            The declared inputs by name, oldest value first.

        Returns
        -------
        float
            -1 (fully short) ... 1 (fully long); NaN where there is none.

        Raises
        ------
        ConfigError
            If the rule defines neither `target` nor `targets`.
        """
        raise ConfigError(f"rule {self.name!r} defines neither target nor targets: add one")

    def targets(self, *args: Any, **inputs: Any) -> Floats:
        """Return the targets of all decisions; inputs have the shape (n, window).

        Parameters
        ----------
        *args, **inputs : ndarray of float, shape (n, window)
            The declared inputs by name, oldest value first.

        Returns
        -------
        ndarray of float, shape (n,)
            -1 ... 1; NaN where there is none.

        Raises
        ------
        NotOverriddenError
            If the rule defines `target` alone.
        """
        raise NotOverriddenError


class Sizing(Component):
    """From a target and what is public to a position, a share of equity."""

    kind: ClassVar[Kind] = "sizing"

    def position(self, *args: Any, **inputs: Any) -> float:
        """Return the position of one decision, which has a target; flat without being asked.

        Parameters
        ----------
        *args, **inputs : Any
            The target, and the declared inputs by name, shape (window,).

        Returns
        -------
        float
            Share of equity; NaN is traded as flat.

        Raises
        ------
        ConfigError
            If the sizing defines neither `position` nor `positions`.
        """
        raise ConfigError(f"sizing {self.name!r} defines neither position nor positions: add one")

    def positions(self, *args: Any, **inputs: Any) -> Floats:
        """Return the positions of all decisions; targets of shape (n,), NaN where there is none.

        A decision without a target is flat, whatever is returned for it: a sizing that remembers
        its position starts from 0 after it.

        Parameters
        ----------
        *args, **inputs : Any
            The targets, and the declared inputs by name, shape (n, window).

        Returns
        -------
        ndarray of float, shape (n,)
            Shares of equity; NaN is traded as flat.

        Raises
        ------
        NotOverriddenError
            If the sizing defines `position` alone.
        """
        raise NotOverriddenError


def component_id(component: Component) -> str:
    """Return twelve hexadecimal digits of a component's class and parameters.

    Of users' own the class and the text of its file count, wherever that lies.
    """
    made, values = type(component), component.parameters().values()
    if made.__module__.startswith("gexlab.") and all(map(_tells_itself, values)):
        return _id_of_built_in(made, *values)  # type: ignore[arg-type]  # a class has a hash
    return _id_of(component)


def _id_of(component: Component) -> str:
    return hashlib.sha256(json.dumps(_plain(component), sort_keys=True).encode()).hexdigest()[:12]


@lru_cache(maxsize=8192, typed=True)  # typed: 1 and 1.0 are not one parameter
def _id_of_built_in(made: Callable[..., Component], *values: object) -> str:
    return _id_of(made(*values))


def _tells_itself(value: object) -> bool:
    """Return whether a value equals no other one of its type: 0.0 and -0.0 are equal."""
    return (
        value is None
        or isinstance(value, bool | int | str)
        or (isinstance(value, float) and value != 0.0)
    )


def _code_of(made: type[Component]) -> str:
    """Return what tells a user's own class apart; nothing for built-in ones."""
    if made.__module__.startswith("gexlab."):
        return ""
    module = sys.modules.get(made.__module__)
    digest = getattr(module, SOURCE_DIGEST, None)
    if digest is None:
        try:
            digest = hashlib.sha256(Path(str(module.__file__)).read_bytes()).hexdigest()  # type: ignore[union-attr]
        except (AttributeError, OSError):  # typed in, or compiled: its name has to do
            digest = made.__module__
    return f"{made.__qualname__}@{digest}"


def _plain(value: Any) -> Any:
    if isinstance(value, Component):
        where = _code_of(type(value))
        settings = {name: _plain(v) for name, v in value.parameters().items()}
        return {"component": f"{where}:{value.kind}:{value.name}", **settings}
    if isinstance(value, tuple | list):
        return [_plain(v) for v in value]
    if isinstance(value, float):
        return value.hex()
    return value
