"""Zero rates by day and maturity: what was public when a chain was, and never later."""

from __future__ import annotations

import hashlib
from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Final, NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

from ..base.errors import InputFileError
from ..calendar.day_numbers import to_days

__all__ = ["CurveDay", "CurveRow", "RateCurve", "curve_of"]

Floats: TypeAlias = npt.NDArray[np.float64]

#: Publication time unknown: usable from the following session.
_NOT_STATED: Final = -1


class CurveRow(NamedTuple):
    """One node of a curve: calendar days to maturity, and the continuous zero rate, decimal."""

    session: date
    days: float
    rate: float
    known_us: int = _NOT_STATED


@dataclass(frozen=True, slots=True, eq=False)
class CurveDay:
    """The curve of one session.

    Attributes
    ----------
    session : date
    known_us : int
        Moment from which all of it was public, microseconds since 1970, UTC; -1: not stated.
    days : ndarray, shape (n,)
        Calendar days to maturity, ascending; one node of 0 days for a flat curve.
    rate : ndarray, shape (n,)
        Continuous zero rates, decimal per year.
    """

    session: date
    known_us: int
    days: Floats
    rate: Floats

    def usable(self, session: date, known_us: int) -> bool:
        """Return whether this curve was public with the chain of a session.

        Where the file states no publication, a curve counts for the sessions after its own only.
        """
        if self.known_us == _NOT_STATED:
            return self.session < session
        return self.session <= session and self.known_us <= known_us


@dataclass(frozen=True, slots=True, eq=False)
class RateCurve:
    """Curves by session, ascending.

    Attributes
    ----------
    name : str
        Where they come from, for messages.
    curves : tuple of CurveDay
    digest : str
        Sixteen hexadecimal digits of the numbers, wherever and however they are stored.
    """

    name: str
    curves: tuple[CurveDay, ...]
    digest: str

    def as_of(self, session: date, known_us: int) -> CurveDay:
        """Return the latest curve that was public with the chain of a session.

        Parameters
        ----------
        session : date
        known_us : int
            Moment from which the chain was public, microseconds since 1970, UTC.

        Raises
        ------
        InputFileError
            If there is none: a rate from the future is never used.
        """
        last = bisect_right(self.curves, session, key=lambda curve: curve.session)
        for curve in reversed(self.curves[:last]):
            if curve.usable(session, known_us):
                return curve
        raise InputFileError(
            f"{self.name}: expected a rate that was public with the chain of {session}, found none "
            f"(the first is of {self.curves[0].session}): add earlier rates"
        )

    def mark(self, session: date) -> str:
        """Return a text that changes whenever the rates that a session's chain may use do.

        Its chain is public after the session's open: of the curves up to the first one that was
        public by the midnight before the previous day, one is used.
        """
        surely_us = round((to_days(session) - 1) * 86_400e6)
        digest = hashlib.sha256()
        last = bisect_right(self.curves, session, key=lambda curve: curve.session)
        for curve in reversed(self.curves[:last]):
            if curve.known_us == _NOT_STATED and curve.session == session:
                continue  # counts for later sessions only
            digest.update(_bytes_of(curve))
            if curve.known_us <= surely_us:
                break
        return digest.hexdigest()[:16]

    def rates(self, session: date, known_us: int, days: Floats) -> Floats:
        """Return the rates for a session's chain: linear in days, flat beyond both ends.

        Parameters
        ----------
        session : date
        known_us : int
            As for `as_of`.
        days : ndarray
            Calendar days to maturity, fractions included.

        Examples
        --------
        >>> curve = curve_of("example", [CurveRow(date(2024, 1, 2), 30.0, 0.05),
        ...                              CurveRow(date(2024, 1, 2), 90.0, 0.06)])
        >>> curve.rates(date(2024, 1, 5), 0, np.array([1.0, 45.0, 400.0])).round(10).tolist()
        [0.05, 0.0525, 0.06]
        """
        curve = self.as_of(session, known_us)
        return np.asarray(np.interp(days, curve.days, curve.rate), np.float64)


def curve_of(name: str, rows: Iterable[CurveRow]) -> RateCurve:
    """Return the curves made of rows in any order.

    A session's curve is public once the last of its rows is.

    Raises
    ------
    InputFileError
        If there are no rows, or two of them share session and days.
    """
    ordered = sorted(CurveRow(*row) for row in rows)
    if not ordered:
        raise InputFileError(f"{name}: expected at least one rate, found none: add rows")
    by_session: dict[date, list[CurveRow]] = {}
    for row in ordered:
        nodes = by_session.setdefault(row.session, [])
        if nodes and nodes[-1].days == row.days:
            raise InputFileError(
                f"{name}: expected one rate per session and days, found two for {row.session} and "
                f"{row.days:g} days: keep one"
            )
        nodes.append(row)
    curves = [_curve_day(session, nodes) for session, nodes in by_session.items()]
    return RateCurve(name, tuple(curves), _digest(curves))


def _curve_day(session: date, nodes: list[CurveRow]) -> CurveDay:
    # adding zero turns -0.0 into 0.0: equal numbers have equal digits
    return CurveDay(
        session,
        max(node.known_us for node in nodes),
        np.array([node.days for node in nodes]) + 0.0,
        np.array([node.rate for node in nodes]) + 0.0,
    )


def _digest(curves: list[CurveDay]) -> str:
    digest = hashlib.sha256()
    for curve in curves:
        digest.update(_bytes_of(curve))
    return digest.hexdigest()[:16]


def _bytes_of(curve: CurveDay) -> bytes:
    head = f"{curve.session}|{curve.known_us}|{curve.days.size}|".encode()
    return head + curve.days.astype("<f8").tobytes() + curve.rate.astype("<f8").tobytes()
