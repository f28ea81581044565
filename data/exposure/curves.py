"""Zero rates by day and maturity: what was known on a session, and never later."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from ..errors import InputFileError

__all__ = ["CurveDay", "RateCurve", "curve_of"]

Floats: TypeAlias = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class CurveDay:
    """The curve of one session.

    Attributes
    ----------
    session : date
    days : ndarray, shape (n,)
        Calendar days to maturity, ascending; one node of 0 days for a flat curve.
    rate : ndarray, shape (n,)
        Continuous zero rates, decimal per year.
    """

    session: date
    days: Floats
    rate: Floats


@dataclass(frozen=True, slots=True, eq=False)
class RateCurve:
    """Curves by session, ascending.

    Attributes
    ----------
    name : str
        Where they come from, for messages.
    curves : tuple of CurveDay
    """

    name: str
    curves: tuple[CurveDay, ...]

    def as_of(self, session: date) -> CurveDay:
        """Return the curve of a session, or of the last one before it that has one.

        Raises
        ------
        InputFileError
            If the first curve is later than the session: a rate from the future is never used.
        """
        i = bisect_right(self.curves, session, key=lambda curve: curve.session) - 1
        if i < 0:
            raise InputFileError(
                f"{self.name}: expected a rate for {session} or before, found none before "
                f"{self.curves[0].session}: add earlier sessions, or rebuild later ones only"
            )
        return self.curves[i]

    def rates(self, session: date, days: Floats) -> Floats:
        """Return the rates of a session at some maturities: linear in days, flat at both ends.

        Parameters
        ----------
        session : date
        days : ndarray
            Calendar days to maturity, fractions included.

        Examples
        --------
        >>> curve = curve_of("example", [(date(2024, 1, 2), 30.0, 0.05),
        ...                              (date(2024, 1, 2), 90.0, 0.06)])
        >>> curve.rates(date(2024, 1, 5), np.array([1.0, 45.0, 400.0])).round(10).tolist()
        [0.05, 0.0525, 0.06]
        """
        curve = self.as_of(session)
        return np.asarray(np.interp(days, curve.days, curve.rate), np.float64)

    def mark(self, session: date) -> str:
        """Return a text that changes whenever the rates of a session change."""
        curve = self.as_of(session)
        pairs = zip(curve.days.tolist(), curve.rate.tolist(), strict=True)
        return ";".join(f"{d!r}:{r!r}" for d, r in pairs)


def curve_of(name: str, rows: Sequence[tuple[date, float, float]]) -> RateCurve:
    """Return the curves made of rows of session, days and rate, in any order.

    Raises
    ------
    InputFileError
        If two rows share session and days.
    """
    ordered = sorted(rows)
    by_session: dict[date, list[tuple[float, float]]] = {}
    for session, days, rate in ordered:
        nodes = by_session.setdefault(session, [])
        if nodes and nodes[-1][0] == days:
            raise InputFileError(
                f"{name}: expected one rate per session and days, found two for {session} and "
                f"{days:g} days: keep one"
            )
        nodes.append((days, rate))
    curves = [
        CurveDay(session, np.array([d for d, _ in nodes]), np.array([r for _, r in nodes]))
        for session, nodes in by_session.items()
    ]
    return RateCurve(name, tuple(curves))
