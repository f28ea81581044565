"""Kill conditions as data: what must hold of a test's numbers for its claim to be supported."""

from __future__ import annotations

import operator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

__all__ = ["CRITICAL_T", "Relation", "Requirement", "holds", "kill_condition"]

Relation = Literal["<", "<=", ">", ">="]
#: Absolute t that a two-sided test at 5 % needs, as papers round it.
CRITICAL_T: Final = 1.96

_COMPARE: Final[Mapping[str, Callable[[float, float], bool]]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


@dataclass(frozen=True, slots=True)
class Requirement:
    """One thing that must hold; a claim needs all of its requirements.

    Attributes
    ----------
    measure : str
        Name of the number that is looked at.
    relation : {"<", "<=", ">", ">="}
    bound : float or str
        What it is held against: a number, or the name of another number of the test.
    otherwise : str
        In words, what is the case where it does not hold: the kill condition.

    Examples
    --------
    >>> Requirement("t", "<", -1.96, "t of at least -1.96").holds({"t": -1.96})
    False
    >>> Requirement("t", "<", "critical", "t not below").holds({"t": -3.0, "critical": -2.5})
    True
    """

    measure: str
    relation: Relation
    bound: float | str
    otherwise: str

    def holds(self, found: Mapping[str, float]) -> bool:
        """Return whether it holds of a test's numbers; a number that is NaN meets nothing."""
        bound = found[self.bound] if isinstance(self.bound, str) else self.bound
        return bool(_COMPARE[self.relation](found[self.measure], bound))


def holds(requirements: Sequence[Requirement], found: Mapping[str, float]) -> bool:
    """Return whether every requirement holds; without any, nothing is supported."""
    return bool(requirements) and all(r.holds(found) for r in requirements)


def kill_condition(requirements: Sequence[Requirement]) -> str:
    """Return in words when a claim must be called not supported."""
    return "; or ".join(r.otherwise for r in requirements)
