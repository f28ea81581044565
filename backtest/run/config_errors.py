"""What is wrong with a configuration, in one line that says what would be right."""

from __future__ import annotations

import re
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any, get_args

from pydantic import BaseModel

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pydantic_core import ErrorDetails

__all__ = ["first_problem"]


_STATED = "the regime alone states what is computed: write [regime] definition = "
#: Keys that there were, and what to write instead.
_MOVED = {
    "nightly.rate": _STATED + "{ rate = 0.045 }",
    "nightly.dividend_yield": _STATED + "{ dividend_yield = 0.013 }",
    "nightly.definition": _STATED + '"FILE.toml"',
    "regime.definition_id": _STATED + '"default", a name, a .toml file or a table',
}


#: Whose values are never repeated.
_MAY_HOLD_SECRETS = ("nightly.webhook", "nightly.mail")


def first_problem(errors: Sequence[ErrorDetails], root: type[BaseModel]) -> str:
    """Return the problem to mend first.

    Parameters
    ----------
    errors : sequence of ErrorDetails
        What pydantic found, at least one.
    root : type of BaseModel
        The model of the whole document.
    """
    # a misspelt key explains the missing one beside it, so it is reported first
    ordered = sorted(errors, key=lambda e: e["type"] != "extra_forbidden")
    return _message(ordered[0], root)


def _message(error: ErrorDetails, root: type[BaseModel]) -> str:
    place = error["loc"]
    key = _dotted(place)
    kind = error["type"]
    if key in _MOVED:
        return f"unknown key {key!r}: {_MOVED[key]}"
    if kind == "extra_forbidden":
        return f"unknown key {key!r}: {_hint(str(place[-1]), _keys_at(place[:-1], root))}"
    if kind == "missing":
        return f"key {key!r} is missing: add it"
    reason = error["msg"].removeprefix("Value error, ")
    if key.startswith(_MAY_HOLD_SECRETS) and kind != "value_error":
        return f"{key}: {_without_value(kind, reason)}"
    if kind == "value_error":
        return f"{key}: {reason}" if key else reason
    if kind in {"model_type", "model_attributes_type", "dict_type"}:
        return f"{key} = {error['input']!r}: expected a table of keys, e.g. [{key}]"
    if kind == "tuple_type":
        return f"{key}: expected a list: write [[{key}]] for each table, or [...] for values"
    expected = reason.removeprefix("Input should be ").replace("Input should", "should")
    said = f"{key} = {error['input']!r}: expected {expected[:1].lower()}{expected[1:]}"
    if kind == "literal_error":
        known = re.findall(r"'([^']*)'", reason)
        return f"{said}; {_hint(str(error['input']), known)}"
    return f"{said}; correct it"


def _without_value(kind: str, reason: str) -> str:
    if kind in {"model_type", "model_attributes_type"}:
        return "expected a table of keys (docs/configuration.md lists them)"
    return f"{reason[:1].lower()}{reason[1:]}; correct it"


def _dotted(place: Sequence[str | int]) -> str:
    parts = [f"[{part}]" if isinstance(part, int) else f".{part}" for part in place]
    return "".join(parts).removeprefix(".")


def _hint(name: str, known: Sequence[str]) -> str:
    near = get_close_matches(name, known, n=1, cutoff=0.5)
    return f"did you mean {near[0]!r}?" if near else f"known are {', '.join(sorted(known))}"


def _keys_at(place: Sequence[str | int], root: type[BaseModel]) -> list[str]:
    """Return the keys that the section at `place` may have."""
    model = root
    for part in place:
        if isinstance(part, str) and part in model.model_fields:
            model = _section_of(model.model_fields[part].annotation) or model
    return list(model.model_fields)


def _section_of(annotation: Any) -> type[BaseModel] | None:
    """Return the section class inside an annotation such as ``tuple[X, ...]`` or ``X | None``."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    found = (_section_of(inner) for inner in get_args(annotation))
    return next((section for section in found if section is not None), None)
