"""What every section of a configuration file holds to: known keys, and values as they are meant."""

from __future__ import annotations

from datetime import date
from typing import Any, Literal, get_args, get_origin

from pydantic import BaseModel, ConfigDict, ValidationInfo, field_validator

__all__ = ["Section"]


class Section(BaseModel):
    """A section: other keys, infinite numbers and values of another kind are errors.

    Notes
    -----
    Left to itself pydantic takes ``true`` for 1, ``"5"`` for 5, 1 for true and a number for a
    date: each is a slip of the pen that a run would not show.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    @field_validator("*", mode="before")
    @classmethod
    def _as_meant(cls, value: Any, info: ValidationInfo) -> Any:
        kinds = _kinds(cls.model_fields[str(info.field_name)].annotation)
        for each in value if isinstance(value, (list, tuple)) else (value,):
            if (problem := _contradiction(each, kinds)) is not None:
                raise ValueError(problem)
        return value


def _kinds(annotation: Any) -> frozenset[type]:
    """Return the classes that values of an annotation may have."""
    if get_origin(annotation) is Literal:
        return frozenset(type(each) for each in get_args(annotation))
    if isinstance(annotation, type) and not get_args(annotation):
        return frozenset([annotation])
    return frozenset().union(*map(_kinds, get_args(annotation)))


def _contradiction(value: object, kinds: frozenset[type]) -> str | None:
    """Return what is wrong with a value that cannot be meant, None where nothing is.

    What holds neither numbers nor flags nor dates is left to pydantic.
    """
    numbers, plain = kinds & {int, float}, kinds - {type(None)}
    if isinstance(value, bool):
        wrong, found = bool not in kinds, f"found {str(value).lower()}"
    elif isinstance(value, str):
        # a text that is no number either is pydantic's to refuse, which names it
        wrong = plain <= {bool, int, float} and (bool in plain or _is_number(value))
        found = f"found the text {value!r}: write it without quotes"
    elif isinstance(value, int | float):
        wrong, found = not numbers, "found a number"
    else:
        return None
    if not wrong or not plain & {bool, int, float, date}:
        return None
    expected = "a number" if numbers else "true or false" if bool in plain else "a date"
    return f"expected {expected}, {found}"


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
