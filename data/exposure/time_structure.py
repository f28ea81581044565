"""How a book is spread over expirations, and what becomes of it as they pass.

Everything here is the morning's knowledge: spot and volatilities stay, nothing trades, and only
time goes on.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from ..base.schema import Regime
from ..calendar.day_numbers import from_days
from ..calendar.trading import TradingCalendar
from .definition import Definition
from .evaluation import BookResult, PreparedChain, SessionContext
from .repricing import reprice

__all__ = [
    "BookState",
    "ExpiryExposure",
    "RollOff",
    "TimeStructure",
    "book_after",
    "decay",
    "expiry_exposures",
    "roll_off",
    "time_structure_of",
    "zero_dte_book",
]

Floats: TypeAlias = npt.NDArray[np.float64]
Ints: TypeAlias = npt.NDArray[np.int64]
Flags: TypeAlias = npt.NDArray[np.bool_]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class ExpiryExposure:
    """What one expiration and settlement contributes to a book.

    Attributes
    ----------
    expiry : date
        As listed.
    settlement : {"AM", "PM"}
    dies : date
        Session on which the contracts stop existing.
    monthly : bool
    time : float
        Years from the valuation, after the floor.
    net_gex, gross_gex : float
        Dollars per 1 %.
    net_dex, net_vex, net_cex : float
        Dollars; dollars per volatility point; dollars per day.
    """

    expiry: date
    settlement: str
    dies: date
    monthly: bool
    time: float
    net_gex: float
    gross_gex: float
    net_dex: float
    net_vex: float
    net_cex: float


@dataclass(frozen=True, slots=True)
class BookState:
    """A book, or a part of it, at one moment and an unmoved spot.

    Attributes
    ----------
    moment : datetime
        UTC.
    net_gex, gross_gex, net_to_gross : float
        Dollars per 1 %; net and the ratio are NaN where nothing is live.
    regime : {"long", "short", "neutral", "abstain"}
        By the definition's band; ``abstain`` where nothing is live.
    flip : float
        Root of the profile nearest to spot, points; NaN without any.
    """

    moment: datetime
    net_gex: float
    gross_gex: float
    net_to_gross: float
    regime: Regime
    flip: float


@dataclass(frozen=True, slots=True)
class RollOff:
    """Gamma of today's book that stops existing on one session.

    Attributes
    ----------
    session : date
    net_gex, gross_gex : float
        As valued today, dollars per 1 %.
    share : float
        Of the book's gross.
    monthly : bool
        Whether a monthly expiration is among what dies.
    """

    session: date
    net_gex: float
    gross_gex: float
    share: float
    monthly: bool


@dataclass(frozen=True, slots=True)
class TimeStructure:
    """A session's book over time.

    Attributes
    ----------
    today : BookState
        The whole book at its own valuation.
    by_expiry : tuple of ExpiryExposure
        In order; those without gross gamma are left out.
    zero_dte : BookState
        What dies in the valuation session, alone.
    after_next_expiration, after_next_monthly : BookState or None
        The book once the earliest expiration, or the earliest monthly one, has passed; valued at
        that moment. None where the book has no such expiration.
    roll_off : tuple of RollOff
        By the session on which it dies.
    decay : tuple of BookState
        Today's book over the sessions that follow.
    """

    today: BookState
    by_expiry: tuple[ExpiryExposure, ...]
    zero_dte: BookState
    after_next_expiration: BookState | None
    after_next_monthly: BookState | None
    roll_off: tuple[RollOff, ...]
    decay: tuple[BookState, ...]


def expiry_exposures(
    prepared: PreparedChain, result: BookResult, context: SessionContext
) -> tuple[ExpiryExposure, ...]:
    """Return the exposures of a book by expiry and settlement."""
    book, groups = result.book, prepared.groups
    return tuple(
        ExpiryExposure(
            from_days(int(groups.expiry[g])),
            "AM" if groups.morning[g] else "PM",
            from_days(int(context.dies[g])),
            bool(context.monthly[g]),
            float(book.time[g]),
            *result.exposure.by_group[:, g].tolist(),
        )
        for g in np.flatnonzero(_present(result))
    )


def _present(result: BookResult) -> Flags:
    """Return the expiry groups that are live and carry gamma."""
    return result.book.live & (result.gross_by_expiry > 0.0)


def _states(
    prepared: PreparedChain,
    definition: Definition,
    moments_us: Ints,
    groups: Flags | None = None,
) -> tuple[BookState, ...]:
    spots = np.full(moments_us.size, prepared.chain.spot)
    found = reprice(prepared, definition, moments_us, spots, groups=groups)
    regimes = found.regimes(definition.band, degraded=False)
    return tuple(
        BookState(
            _EPOCH + timedelta(microseconds=int(moments_us[i])),
            float(found.net_gex[i]),
            float(found.gross_gex[i]),
            float(found.net_to_gross[i]),
            regimes[i],
            float(found.flip[i]),
        )
        for i in range(moments_us.size)
    )


def zero_dte_book(
    prepared: PreparedChain, result: BookResult, context: SessionContext, definition: Definition
) -> BookState:
    """Return the part of a book that dies in the session of its valuation."""
    today = context.dies == context.valuation_days[result.name]
    moment = np.array([result.book.valuation_us])
    return _states(prepared, definition, moment, today)[0]


def book_after(
    prepared: PreparedChain,
    result: BookResult,
    context: SessionContext,
    definition: Definition,
    *,
    monthly: bool = False,
) -> BookState | None:
    """Return the book once its next expiration has passed, at the same spot and volatilities.

    Parameters
    ----------
    prepared, result, context, definition
        As evaluated.
    monthly : bool
        The earliest monthly expiration instead of the earliest one.

    Returns
    -------
    BookState or None
        Valued at the moment at which the last contracts of that expiration's session die: AM and
        PM series are both gone. None where the book has no such expiration.
    """
    dies = context.dies
    candidates = _present(result)
    if monthly:
        candidates &= context.monthly
    if not candidates.any():
        return None
    gone = dies == dies[candidates].min()
    moment = prepared.groups.expiry_us[gone].max()
    return _states(prepared, definition, np.array([moment]))[0]


def roll_off(
    prepared: PreparedChain, result: BookResult, context: SessionContext
) -> tuple[RollOff, ...]:
    """Return the gamma of a book by the session on which it stops existing.

    The shares add up to 1; empty for an empty book.
    """
    net, gross = result.exposure.by_group[:2]
    dies, monthly, present = context.dies, context.monthly, _present(result)
    total = float(gross.sum())
    found = []
    for day in np.unique(dies[present]).tolist():
        at = present & (dies == day)
        here = float(gross[at].sum())
        found.append(
            RollOff(
                from_days(day),
                float(net[at].sum()),
                here,
                here / total,
                bool(monthly[at].any()),
            )
        )
    return tuple(found)


def decay(
    prepared: PreparedChain,
    result: BookResult,
    context: SessionContext,
    definition: Definition,
    calendar: TradingCalendar,
    sessions: int = 20,
) -> tuple[BookState, ...]:
    """Return today's book over the next sessions if nothing trades and nothing moves.

    Parameters
    ----------
    prepared, result, context, definition
        As evaluated.
    calendar : TradingCalendar
    sessions : int
        How many sessions after the valuation's.

    Returns
    -------
    tuple of BookState
        One per session: at its open for ``post_expiry``, at its close for ``as_of_close``, early
        closes included.
    """
    day = from_days(context.valuation_days[result.name])
    moment_of = calendar.open_of if result.name == "post_expiry" else calendar.close_of
    days = [calendar.shift(day, k) for k in range(1, sessions + 1)]
    moments = [round(moment_of(d).timestamp() * 1e6) for d in days]
    return _states(prepared, definition, np.array(moments, np.int64))


def time_structure_of(
    prepared: PreparedChain,
    result: BookResult,
    context: SessionContext,
    definition: Definition,
    calendar: TradingCalendar,
    sessions: int = 20,
) -> TimeStructure:
    """Return everything above for one book."""
    evaluated = (prepared, result, context)
    return TimeStructure(
        today=_states(prepared, definition, np.array([result.book.valuation_us]))[0],
        by_expiry=expiry_exposures(*evaluated),
        zero_dte=zero_dte_book(*evaluated, definition),
        after_next_expiration=book_after(*evaluated, definition),
        after_next_monthly=book_after(*evaluated, definition, monthly=True),
        roll_off=roll_off(*evaluated),
        decay=decay(*evaluated, definition, calendar, sessions),
    )
