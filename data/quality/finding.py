"""What a finding is: where it was found, how grave it is, what it concerns."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from datetime import date

__all__ = ["Finding", "Severity"]

Severity = Literal["error", "warning", "info"]


@dataclass(frozen=True, slots=True)
class Finding:
    """Something about a session's chain that a reader of its numbers should know.

    Attributes
    ----------
    session : date or None
        The session; None where the finding is about the underlying as a whole.
    check : str
        A name of `CHECKS`.
    severity : {"error", "warning", "info"}
        ``error``: the session does not show that session's market (the regime gate, or no session
        at all). ``warning``: numbers may be off. ``info``: expected with some vendors.
    count : int
        How many rows, contracts, expiries or sessions it concerns (the check says which).
    open_interest : float
        Contracts of open interest it touches; NaN where that has no meaning or is unknown.
    detail : str
        The measured value and its limit, in words.
    field : str
        The price or value that is wrong, e.g. ``low``; empty where the finding is about no field.
    """

    session: date | None
    check: str
    severity: Severity
    count: int
    open_interest: float
    detail: str
    field: str = ""
