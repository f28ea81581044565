"""When a decision is filled, and the refusal of one that knew too much.

The decision after session t fills at the open or close of the next bar, or at the close of t
itself. Its inputs must have been public by then: at the moment of the fill for the next bar,
strictly before it for the same close, because the close that is being traded is not yet known
while the order goes out.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pandas as pd

from ...data import LookAheadError, compiled

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ...data import TradingCalendar
    from ...strategies import Decisions, LateInput

__all__ = [
    "SMALLEST_POSITION",
    "OrderPlan",
    "Schedule",
    "earns_own_session",
    "fill_moments",
    "knows_enough",
    "make_schedule",
    "plan_orders",
    "require_in_time",
    "require_known",
    "session_rows",
    "without_dust",
    "without_idle",
]

# share of equity below which a target is flat: what a simulated fill cannot tell from a closing
SMALLEST_POSITION = 1e-9

#: ``next_open``, ``next_close``, ``same_close``, or ``HH:MM`` of the next session.
Fill = str
Moments = npt.NDArray[np.datetime64]
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Schedule:
    """Where and when the decision after each bar fills.

    Attributes
    ----------
    sessions : DatetimeIndex, shape (n,)
        Sessions with a bar, ascending.
    row : ndarray of int, shape (n,)
        Bar at which the decision after bar i fills; -1 where there is none.
    fill_ts : ndarray of datetime64[ns], shape (n,)
        Moment of that fill, UTC; NaT where there is none.
    due : ndarray of datetime64[ns], shape (n,)
        Moment at which it would fill if no bar were missing, UTC: when the order must be out.
    known_at : ndarray of datetime64[ns], shape (n,)
        Close of each bar, UTC: when the whole bar is known.
    fill : str
        ``next_open``, ``next_close``, ``same_close``, or ``HH:MM``: an intraday bar.
    """

    sessions: pd.DatetimeIndex
    row: npt.NDArray[np.int64]
    fill_ts: Moments
    due: Moments
    known_at: Moments
    fill: Fill

    @property
    def strict(self) -> bool:
        """Whether inputs must be known before the fill, not only by then."""
        return self.fill == "same_close"

    @property
    def deadline(self) -> pd.Series[pd.Timestamp]:
        """Last moment at which an input may become known, UTC, by session of the decision."""
        last = self.due - np.timedelta64(1, "ns") if self.strict else self.due
        return pd.Series(pd.DatetimeIndex(last, tz="UTC"), index=self.sessions)

    @property
    def bars_known_at(self) -> pd.Series[pd.Timestamp]:
        """`known_at` by session."""
        return pd.Series(pd.DatetimeIndex(self.known_at, tz="UTC"), index=self.sessions)


@dataclass(frozen=True, slots=True, eq=False)
class OrderPlan:
    """Orders of one strategy, by the bar at which they fill.

    Attributes
    ----------
    name : str
    target : ndarray of float, shape (n,)
        Share of equity wanted from the fill on; NaN where no order goes out.
    decided : ndarray of int, shape (n,)
        Bar after which the order was decided; -1 where there is none.
    label : ndarray of str, shape (n,)
        Label that it was decided under; ``""`` where there is none.
    inputs : mapping of str to ndarray of datetime64[ns], shape (n,)
        When each input became known, UTC; NaT where it was not read.
    idle : ndarray of float, shape (n,), optional
        Targets before orders that change nothing were left out; `target` unless given.
    """

    name: str
    target: Floats
    decided: npt.NDArray[np.int64]
    label: npt.NDArray[np.str_]
    inputs: Mapping[str, Moments]
    idle: Floats | None = None

    @property
    def wanted(self) -> Floats:
        """Targets of all decisions, those included that change nothing where nothing accrues."""
        return self.target if self.idle is None else self.idle

    @property
    def decision_ts(self) -> Moments:
        """When the last input of each order became known, UTC; NaT where nothing was read."""
        stacked = np.stack(list(self.inputs.values()))
        # NaT is the smallest integer, so any moment beats it
        latest: Moments = stacked.astype(np.int64).max(axis=0).astype("datetime64[ns]")
        return latest


def session_rows(calendar: TradingCalendar, sessions: pd.DatetimeIndex) -> npt.NDArray[np.int64]:
    """Return the position of each session in the calendar, shape (n,)."""
    days = sessions.to_numpy().astype("datetime64[D]")
    return np.searchsorted(calendar.sessions, days)


def make_schedule(calendar: TradingCalendar, sessions: pd.DatetimeIndex, fill: Fill) -> Schedule:
    """Return where and when the decision after each bar fills.

    Parameters
    ----------
    calendar : TradingCalendar
    sessions : DatetimeIndex, shape (n,)
        Sessions with a bar, ascending. Where a session has none, the next bar there is fills.
    fill : {"next_open", "next_close", "same_close"} or str
        ``HH:MM``, exchange's time: the intraday bar of the next session that starts then, or the
        session's close where that comes first.
    """
    rows = session_rows(calendar, sessions)
    closes = calendar.closes[rows]
    if fill == "same_close":
        here = np.arange(len(rows), dtype=np.int64)
        return Schedule(sessions, here, closes, closes, closes, fill)
    clock = fill_moments(calendar, fill)
    following = np.append(np.arange(1, len(rows)), -1)[: len(rows)].astype(np.int64)
    moment = np.append(clock[rows][1:], np.datetime64("NaT", "ns"))[: len(rows)]
    return Schedule(sessions, following, moment, clock[rows + 1], closes, fill)


def fill_moments(calendar: TradingCalendar, fill: Fill) -> Moments:
    """Return when orders fill in each session of the calendar, UTC."""
    if fill in ("next_open", "next_close"):
        return calendar.opens if fill == "next_open" else calendar.closes
    days = pd.DatetimeIndex(calendar.sessions.astype("datetime64[ns]"))
    local = (days + pd.Timedelta(f"{fill}:00")).tz_localize(
        calendar.timezone, ambiguous=True, nonexistent="shift_forward"
    )
    moments = local.tz_convert("UTC").tz_localize(None).to_numpy().astype("datetime64[ns]")
    clipped: Moments = np.minimum(np.maximum(moments, calendar.opens), calendar.closes)
    return clipped


def earns_own_session(fill: Fill) -> bool:
    """Return whether the session of a fill is earned by the position after it: not at closes."""
    return fill not in ("next_close", "same_close")


def plan_orders(name: str, decisions: Decisions, schedule: Schedule) -> OrderPlan:
    """Move each decision to the bar at which it fills.

    An order that cannot change anything is not sent: the target equals the one before and is
    flat, or fully long, where a portfolio without borrowing neither grows nor shrinks. A target
    smaller than `SMALLEST_POSITION` is flat.
    """
    frame = decisions.frame
    n = len(frame)
    sent = schedule.row >= 0
    to, source = schedule.row[sent], np.flatnonzero(sent)
    target = np.full(n, np.nan)
    decided = np.full(n, -1, dtype=np.int64)
    label = np.full(n, "", dtype="U7")
    target[to] = without_dust(frame["target"].to_numpy(dtype=float)[source])
    decided[to] = source
    label[to] = frame["label"].to_numpy(dtype="U7")[source]
    inputs = {}
    for column, title in (("regime_known_at", "regime"), ("bars_known_at", "bars")):
        moments = frame[column].dt.tz_convert(None).to_numpy().astype("datetime64[ns]")
        inputs[title] = np.full(n, np.datetime64("NaT", "ns"))
        inputs[title][to] = moments[source]
    return OrderPlan(name, without_idle(target), decided, label, inputs, target)


def without_dust(target: Floats) -> Floats:
    """Return targets with those smaller than `SMALLEST_POSITION` as 0; NaN stays NaN."""
    clean = np.array(target, dtype=np.float64, order="C")
    _leave_out_dust(clean.reshape(-1))
    return clean


@compiled(nogil=True)
def _leave_out_dust(target: Floats) -> None:
    for i in range(target.size):
        if abs(target[i]) < SMALLEST_POSITION:
            target[i] = 0.0


def without_idle(target: Floats) -> Floats:
    """Return targets, shape (n,) or (n, portfolios), with orders that change nothing left out."""
    sent = np.array(target, dtype=np.float64, order="C")
    _leave_out_idle(sent.reshape(len(target), -1))
    return sent


@compiled(nogil=True)
def _leave_out_idle(target: Floats) -> None:
    """Set orders that repeat a target of 0 or 1 to NaN."""
    before = np.zeros(target.shape[1])
    for t in range(target.shape[0]):
        for column in range(target.shape[1]):
            wanted = target[t, column]
            if np.isnan(wanted):
                continue
            if wanted == before[column] and (wanted == 0.0 or wanted == 1.0):
                target[t, column] = np.nan
            before[column] = wanted


def require_in_time(name: str, late: Sequence[LateInput], schedule: Schedule) -> None:
    """Refuse a strategy that reads what is public too late in most of the sessions tested.

    Such values count as missing, so that it would be flat without having been asked to.

    Raises
    ------
    LookAheadError
        Naming the strategy, the input, how many of its values come too late, the first of them,
        and what to do.
    """
    if not late:
        return
    first = late[0]
    others = "".join(f", {each.title}" for each in late[1:] if each.title != first.title)
    raise LookAheadError(
        f"strategy {name!r}: {first.title}{others} public too late for the fill in {first.late} of "
        f"{first.values} sessions tested: the order decided for session {first.session.date()} "
        f"reads {first.title} known at {_minute(first.known_at)} UTC, but fills ({schedule.fill}) "
        f"and needs it {_by(first.deadline, schedule)} UTC: {_remedy(schedule.fill)}"
    )


def _by(deadline: np.datetime64, schedule: Schedule) -> str:
    if schedule.strict:  # the deadline is the last moment before the fill
        return f"before {_minute(deadline + np.timedelta64(1, 'ns'))}"
    return f"by {_minute(deadline)}"


def _minute(moment: np.datetime64) -> str:
    return f"{pd.Timestamp(moment):%Y-%m-%d %H:%M}"


_REMEDY = {
    "same_close": 'fill at the next bar (execution.fill = "next_close")',
    "next_open": 'fill later (execution.fill = "next_close"), or use an input published earlier',
    "next_close": "use an input that is published earlier, or date its values when they are public",
}


def _remedy(fill: Fill) -> str:
    return _REMEDY.get(fill, "fill at a later bar, or at the next close")


def require_known(plan: OrderPlan, schedule: Schedule) -> None:
    """Refuse a plan with an order whose inputs were not yet known.

    Raises
    ------
    LookAheadError
        Naming the strategy, the session, the input, when it became known and when it was used.
    """
    used = _used(plan, schedule)
    for title, early in _early(plan, used, strict=schedule.strict).items():
        if early.any():
            row = int(np.flatnonzero(early)[0])
            raise LookAheadError(_refusal(plan, schedule, title, row, used[row]))


def knows_enough(plan: OrderPlan, schedule: Schedule) -> bool:
    """Return whether every input of every order is known when the order goes out."""
    early = _early(plan, _used(plan, schedule), strict=schedule.strict)
    return not any(rows.any() for rows in early.values())


def _used(plan: OrderPlan, schedule: Schedule) -> Moments:
    """Return when the inputs of each order must be known; NaT where there is no order."""
    decided = plan.decided >= 0
    used: Moments = np.full(len(plan.target), np.datetime64("NaT", "ns"))
    used[decided] = schedule.due[plan.decided[decided]]
    return used


def _early(plan: OrderPlan, used: Moments, *, strict: bool) -> dict[str, npt.NDArray[np.bool_]]:
    """Return by input which orders use it before it is known."""
    return {
        title: known_at >= used if strict else known_at > used
        for title, known_at in plan.inputs.items()
    }


def _refusal(plan: OrderPlan, schedule: Schedule, title: str, row: int, used: np.datetime64) -> str:
    session = schedule.sessions[int(plan.decided[row])].date()
    known = pd.Timestamp(plan.inputs[title][row])
    later = _remedy(schedule.fill)
    order = "before" if schedule.strict else "by"
    return (
        f"strategy {plan.name!r}: the order decided for session {session} reads {title} known at "
        f"{known:%Y-%m-%d %H:%M} UTC, but fills ({schedule.fill}) at "
        f"{pd.Timestamp(used):%Y-%m-%d %H:%M} UTC and needs it {order} then: {later}"
    )
