"""Decisions: what a strategy wants to hold after each session, and what it read to want it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pandas as pd

from .evaluation import Evaluation, Outcome
from .kernels import finished, ruled
from .model import RULED
from .panel import LABELS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from .model import Strategy

__all__ = ["Decisions", "TargetSeries", "composed", "decide", "target_series"]

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

_NAMES = np.array(LABELS, dtype=object)


@dataclass(frozen=True, slots=True, eq=False)
class TargetSeries:
    """What one strategy wants after every session of the panel, as arrays of shape (n,).

    Attributes
    ----------
    codes : ndarray of float
        Labels, see `panel.LABELS`.
    position : ndarray of float
        Share of equity wanted; 0 where it is undefined.
    undefined : ndarray of bool
        Flat because a rule or the sizing lacked an input.
    late : ndarray of bool
        The filter's input was published only after the order had to go: treated as missing.
    filter_known_at, rule_known_at : ndarray of int64
        When the inputs of the label, and of the target, became public, nanoseconds since 1970.
    """

    codes: Floats
    position: Floats
    undefined: Flags
    late: Flags
    filter_known_at: Ints
    rule_known_at: Ints


@dataclass(frozen=True, slots=True, eq=False)
class Decisions:
    """Targets of one strategy and the moments at which their inputs were known.

    Attributes
    ----------
    frame : DataFrame
        Indexed by session: ``label`` (of the filter), ``target`` (share of equity wanted),
        ``regime_known_at`` and ``bars_known_at`` (UTC: inputs of the label, and of the target;
        NaT where nothing was read), ``late`` (the filter's input was published only after the
        order had to go: treated as missing), ``undefined`` (flat for want of an input).
    """

    frame: pd.DataFrame

    @property
    def late(self) -> int:
        """Sessions whose regime came too late."""
        return int(self.frame["late"].sum())

    @property
    def undefined(self) -> int:
        """Sessions that are flat for want of bars."""
        return int(self.frame["undefined"].sum())


def target_series(strategy: Strategy, evaluation: Evaluation) -> TargetSeries:
    """Return what a strategy wants; distinct components are evaluated once an `Evaluation`.

    Parameters
    ----------
    strategy : Strategy
    evaluation : Evaluation
        Of the panel, with its deadlines.

    Returns
    -------
    TargetSeries

    Notes
    -----
    A value published after its deadline is treated as missing, for windows too, and counted.
    Where this hits more than half of a column within the test, `late_inputs` names it and the
    engine refuses the strategy.
    """
    return composed(
        evaluation.labels(strategy.filter),
        {name: evaluation.targets(strategy.rule(name)) for name in RULED},
        lambda target: evaluation.positions(strategy.sizing, target),
    )


def composed(
    label: Outcome, rules: Mapping[str, Outcome], size: Callable[[Floats], Outcome]
) -> TargetSeries:
    """Return what a strategy wants, from what its parts say.

    Parameters
    ----------
    label : Outcome
        Of the filter.
    rules : mapping of str to Outcome
        By the label under which each acts.
    size : callable
        From targets to the sizing's outcome.
    """
    values = tuple(rules[name].values for name in RULED)
    moments = tuple(rules[name].known_at for name in RULED)
    target, rule_at = ruled(label.values, values, moments)
    sized = size(target)
    position, undefined, filter_known, rule_known = finished(
        label.values, label.known_at, rule_at, sized.values, sized.known_at
    )
    return TargetSeries(
        codes=label.values,
        position=position,
        undefined=undefined,
        late=label.late,
        filter_known_at=filter_known,
        rule_known_at=rule_known,
    )


def decide(strategy: Strategy, evaluation: Evaluation, sessions: pd.DatetimeIndex) -> Decisions:
    """Decide after each of some sessions what to hold.

    Parameters
    ----------
    strategy : Strategy
    evaluation : Evaluation
        Of the panel, with its deadlines.
    sessions : DatetimeIndex
        Those whose decisions are wanted: sessions with a bar.

    Returns
    -------
    Decisions
        One row per session asked for; usable from its ``*_known_at`` on.
    """
    made = target_series(strategy, evaluation)
    rows = evaluation.panel.sessions.get_indexer(sessions)
    frame = pd.DataFrame(
        {
            "label": _NAMES[made.codes[rows].astype(np.int64)],
            "target": made.position[rows],
            "regime_known_at": _moments(made.filter_known_at[rows]),
            "bars_known_at": _moments(made.rule_known_at[rows]),
            "late": made.late[rows],
            "undefined": made.undefined[rows],
        },
        index=sessions,
    )
    return Decisions(frame)


def _moments(known_at: Ints) -> pd.DatetimeIndex:
    # the smallest integer is NaT
    return pd.DatetimeIndex(known_at.astype("datetime64[ns]"), tz="UTC")
