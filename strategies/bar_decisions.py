"""Decisions within the session: one row an intraday bar, on what was public at its end."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from .decisions import TargetSeries, composed
from .evaluation import Evaluation, Outcome
from .panel import LABELS

if TYPE_CHECKING:
    from .component import Filter
    from .model import Strategy

__all__ = ["BarRows", "bar_target_series"]

Ints = npt.NDArray[np.int64]
_NEVER = np.iinfo(np.int64).min
_ABSTAIN = float(LABELS.index("abstain"))


@dataclass(frozen=True, slots=True, eq=False)
class BarRows:
    """What decisions within the session are evaluated on.

    Attributes
    ----------
    bars : Evaluation
        One row a bar: ``bar.*``, and ``day.*`` for what was known of the previous session.
    daily : Evaluation
        One row a session: what components that decide at the close say.
    day : ndarray of int, shape (n,)
        Row of `daily` behind each bar: that of the previous session with a bar; -1 for none.
    """

    bars: Evaluation
    daily: Evaluation
    day: Ints


def bar_target_series(strategy: Strategy, rows: BarRows) -> TargetSeries:
    """Return what a strategy wants after every bar.

    A filter that decides at the close gives its label of the previous session to all bars of the
    next, from the moment at which it was public; a sizing likewise.

    Parameters
    ----------
    strategy : Strategy
    rows : BarRows
        Bars, and the session that each belongs to.

    Returns
    -------
    TargetSeries
        One row a bar.
    """
    label = _labels(strategy.filter, rows)
    return composed(
        label,
        {name: rows.bars.targets(strategy.rule(name)) for name in LABELS[1:]},
        lambda target: _in_time(
            rows.daily.positions(strategy.sizing, target, rows.day), rows, np.nan
        ),
    )


def _labels(component: Filter, rows: BarRows) -> Outcome:
    if component.decides == "bar":
        return rows.bars.labels(component)
    whole = rows.daily.labels(component)
    none = rows.day < 0
    taken = Outcome(
        np.where(none, _ABSTAIN, whole.values[rows.day]),
        np.where(none, _NEVER, whole.known_at[rows.day]),
        np.where(none, False, whole.late[rows.day]),
    )
    return _in_time(taken, rows, _ABSTAIN)


def _in_time(outcome: Outcome, rows: BarRows, otherwise: float) -> Outcome:
    """Return an outcome with what was not yet public at a bar's deadline taken out."""
    deadline = rows.bars.deadline.astype("datetime64[ns]").astype(np.int64)
    late = (outcome.known_at > deadline) & (deadline != _NEVER)
    return Outcome(
        np.where(late, otherwise, outcome.values),
        np.where(late, _NEVER, outcome.known_at),
        outcome.late | late,
    )
