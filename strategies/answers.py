"""What components answer, held to what they may: users' own are code that nobody else has read."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from difflib import get_close_matches
from numbers import Real
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from ..data import ConfigError, GexlabError
from .component import Component
from .panel import LABELS

__all__ = ["asked", "code_of", "codes_of", "number_of", "numbers_of"]

Floats = npt.NDArray[np.float64]
_CODE: Final = {label: float(code) for code, label in enumerate(LABELS)}


def asked(
    component: Component,
    answer: Callable[..., Any],
    given: Mapping[str, Any],
    *args: Any,
    at: object = None,
) -> Any:
    """Return what a component answers; what goes wrong in it is said with its name.

    Parameters
    ----------
    component : Component
    answer : callable
        Its method.
    given : mapping of str to object
        Inputs by name.
    *args : Any
        What comes before them.
    at : Timestamp, optional
        Session of the decision.

    Raises
    ------
    ConfigError
        Naming the component, the session, and the error.
    """
    try:
        return answer(*args, **given)
    except (GexlabError, MemoryError):
        raise
    except Exception as error:
        where = "" if at is None else f" for session {str(at)[:10]}"
        hint = _hint(component, error)
        raise ConfigError(
            f"{component.kind} {component.name!r} failed{where} with {type(error).__name__} "
            f"({error}){hint}"
        ) from error


def number_of(component: Component, value: Any, at: object) -> float:
    """Return a target or a position as a number; NaN is one."""
    if isinstance(value, str) or value is None or np.ndim(value) != 0:
        found = "nothing" if value is None else repr(value)
        raise ConfigError(
            f"{component.kind} {component.name!r} gave {found} for session {str(at)[:10]}: "
            "expected a number, or NaN where there is none"
        )
    return float(value)


def code_of(component: Component, label: Any) -> float:
    """Return the code of a label."""
    if not isinstance(label, str) or label not in _CODE:
        near = get_close_matches(str(label).lower().strip(), LABELS, 1)
        hint = f" (did you mean {near[0]!r}?)" if near else ""
        raise ConfigError(
            f"{component.kind} {component.name!r} gave the label {label!r}: give one of "
            f"{', '.join(LABELS)}{hint}"
        )
    return _CODE[label]


def numbers_of(component: Component, made: Any, n: int) -> Floats:
    """Return one number a decision, shape (n,), from what a component gave for all of them."""
    values = _in_order(component, made)
    if values.dtype.kind not in "fiub":
        each = values.ravel().tolist()
        if not values.ndim or not all(v is None or v is pd.NA or isinstance(v, Real) for v in each):
            raise ConfigError(
                f"{component.kind} {component.name!r} gave values of type {values.dtype}: expected "
                "numbers, NaN where there is none"
            )
        plain = [float(v) if isinstance(v, Real) else np.nan for v in each]
        values = np.array(plain).reshape(values.shape)
    return _shaped(component, values.astype(np.float64), n)


def codes_of(component: Component, made: Any, usable: npt.NDArray[np.bool_]) -> Floats:
    """Return one code a decision, shape (n,): of codes, or of the labels' names; NaN abstains.

    Where an input is not usable anything may be given.
    """
    values = _in_order(component, made)
    if values.dtype.kind in "OUT" and all(isinstance(v, str) for v in values.ravel()):
        names = dict.fromkeys(values.ravel().tolist())
        codes = {name: code_of(component, name) for name in names}
        values = np.array([codes[v] for v in values.ravel()]).reshape(values.shape)
    if values.dtype.kind == "b":
        raise ConfigError(
            f"filter {component.name!r} gave true and false: expected labels ({', '.join(LABELS)}) "
            "or their codes, as numpy.where(condition, LONG, SHORT) gives them"
        )
    codes_ = numbers_of(component, values, usable.size)
    strange = codes_[usable & ~np.isnan(codes_) & ~np.isin(codes_, list(_CODE.values()))]
    if strange.size:
        known = ", ".join(f"{code:g} {label}" for label, code in _CODE.items())
        raise ConfigError(
            f"filter {component.name!r} gave the code {strange[0]:g}: codes are {known}; a signal "
            "of -1, 0 and 1 is none (gexlab.strategies.codes.by_sign makes labels of it)"
        )
    return np.where(np.isnan(codes_), _CODE["abstain"], codes_)


def _in_order(component: Component, made: Any) -> npt.NDArray[Any]:
    """Return an array; a pandas object of another index than 0, 1, ... may be in another order."""
    if isinstance(made, pd.Series | pd.DataFrame):
        if not made.index.equals(pd.RangeIndex(len(made))):
            raise ConfigError(
                f"{component.kind} {component.name!r} gave a {type(made).__name__} with an index "
                "of its own: decisions are taken by position; give an array (to_numpy()) in the "
                "order of the inputs"
            )
        made = made.to_numpy()
    try:
        return np.asarray(made)
    except ValueError:
        raise ConfigError(
            f"{component.kind} {component.name!r} gave rows of several lengths: expected one value "
            "for each decision"
        ) from None


def _shaped(component: Component, values: Floats, n: int) -> Floats:
    if values.ndim == 0:  # the same for every decision
        return np.full(n, float(values))
    if values.shape != (n,):
        raise ConfigError(
            f"{component.kind} {component.name!r} gave values of shape {values.shape}: expected "
            f"one for each of the {n} decisions"
        )
    return values


def _hint(component: Component, error: Exception) -> str:
    if "read-only" in str(error):
        return ": inputs are shared and cannot be changed in place; take a copy"
    if isinstance(error, AttributeError) and error.obj is component:
        return ": it sees what its inputs() declare and its own parameters, and nothing else"
    return ""
