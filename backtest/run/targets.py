"""Tomorrow's orders: what each strategy wants to hold from its next fill on, and why."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from ...strategies import LABELS, RULED, decide, is_control, late_inputs
from ..execution.ledger_rows import columns_of
from ..execution.timing import fill_moments, make_schedule, session_rows, without_dust
from .backtest import strategies_asked_for, strategies_of
from .panel import evaluation_of

if TYPE_CHECKING:
    from ...strategies import Evaluation, Strategy
    from .config import Config
    from .market import Market

__all__ = ["Target", "TargetInput", "next_targets"]


@dataclass(frozen=True, slots=True)
class TargetInput:
    """The latest value of a column that a strategy reads.

    Attributes
    ----------
    column : str
    value : float or str
        A label in words; NaN where it is missing.
    known_at : datetime or None
        When it was public, UTC; None of what was known long before, or is missing.
    """

    column: str
    value: float | str
    known_at: datetime | None


@dataclass(frozen=True, slots=True)
class Target:
    """What one strategy wants to hold from its next fill on.

    Attributes
    ----------
    strategy, role : str
        Role: ``main``, ``custom`` or ``control``.
    session : date
        The session after which it was decided: the last one with a bar.
    label : str
        Of its filter: ``long``, ``short``, ``neutral`` or ``abstain``.
    target : float
        Share of equity; negative is short. NaN where there is no order, which `abstains` explains.
    before : float
        The target decided a session earlier; NaN where there was none.
    fill : str
        ``next_open``, ``next_close`` or ``HH:MM`` of the next session.
    fill_at, valid_until : datetime
        When it fills, and when the following decision takes its place; UTC.
    abstains : str
        Why there is no order; empty where there is one.
    inputs : tuple of TargetInput
        What it reads, as of the session.
    """

    strategy: str
    role: str
    session: date
    label: str
    target: float
    before: float
    fill: str
    fill_at: datetime
    valid_until: datetime
    abstains: str
    inputs: tuple[TargetInput, ...]


def next_targets(config: Config, market: Market) -> tuple[Target, ...]:
    """Return the target of every strategy for its next fill, controls included.

    Parameters
    ----------
    config : Config
    market : Market
        The configuration's inputs.

    Returns
    -------
    tuple of Target
        In the order of the strategies. By the same components, deadlines and values as in the
        backtest, so that it is the target that the backtest fills once the next bar is there.
    """
    fill = config.fill
    every = make_schedule(market.calendar, pd.DatetimeIndex(market.bars.index), fill)
    evaluation = evaluation_of(market, every)
    asked = strategies_asked_for(config)
    found = []
    for strategy in strategies_of(config):
        role = _role(strategy, asked)
        found.append(_target(strategy, role, config, market, evaluation))
    return tuple(found)


def _role(strategy: Strategy, asked: tuple[Strategy, ...]) -> str:
    if strategy is asked[0] or strategy.name == asked[0].name:
        return "main"
    return "control" if is_control(strategy) else "custom"


def _target(
    strategy: Strategy, role: str, config: Config, market: Market, evaluation: Evaluation
) -> Target:
    sessions = market.sessions
    fill, last = config.fill, sessions[-1]
    moments = fill_moments(market.calendar, fill)
    row = int(session_rows(market.calendar, sessions[-1:])[0])
    label, target, before = "abstain", float("nan"), float("nan")
    why = _cannot_act(strategy, config, market, evaluation)
    if not why:
        frame = decide(strategy, evaluation, sessions[-2:]).frame
        decided = frame.iloc[-1]
        label = str(decided["label"])
        target, before = (float(v) for v in without_dust(frame["target"].to_numpy(float))[[-1, 0]])
        why = _why(strategy, decided, market)
        if why:
            target = float("nan")
    return Target(
        strategy=strategy.name,
        role=role,
        session=last.date(),
        label=label,
        target=target,
        before=before if len(sessions) > 1 else float("nan"),
        fill=fill,
        fill_at=_moment(moments[row + 1]),
        valid_until=_moment(moments[row + 2]),
        abstains=why,
        inputs=() if strategy.intraday else tuple(_inputs(strategy, evaluation, last)),
    )


def _cannot_act(strategy: Strategy, config: Config, market: Market, evaluation: Evaluation) -> str:
    """Return why a strategy has no order for the next fill, whatever its inputs say."""
    newest = pd.Timestamp(market.regime.table.index[-1])
    if strategy.intraday:
        return "decides within the session, so nothing is known before it opens"
    if config.fill == "same_close":
        return "fills at the close that it decides on: its order was due before the night"
    if newest > market.sessions[-1]:
        return f"the bar of {newest.date()} is missing, without which nothing can be decided"
    if late_inputs(strategy, evaluation, market.sessions):
        return "what it reads is public too late for its fill in most sessions"
    return ""


def _why(strategy: Strategy, decided: pd.Series[Any], market: Market) -> str:
    """Return why a decision is no order; empty where it is one."""
    if decided["late"]:
        return "what its label rests on is public only after the fill"
    if decided["label"] == LABELS[0]:
        table = market.regime.table
        if str(table["regime"].iloc[-1]) == LABELS[0]:
            return "the session has no regime: the quality gate failed"
        return f"its filter ({strategy.filter.describe()}) has no label for this session"
    return "an input of its rule or sizing is missing" if decided["undefined"] else ""


def _inputs(strategy: Strategy, evaluation: Evaluation, session: pd.Timestamp) -> list[TargetInput]:
    panel = evaluation.panel
    parts = (strategy.filter, *map(strategy.rule, RULED), strategy.sizing)
    names = sorted({str(past.of) for part in parts for past in columns_of(part)})
    row = int(panel.sessions.get_indexer(pd.DatetimeIndex([session]))[0])
    found = []
    for name in names:
        column = panel.column(name)
        if column.values.ndim > 1:  # one value a bar
            continue
        value, known = float(column.values[row]), column.known_at[row]
        unknown = column.scheduled or bool(np.isnat(known)) or not np.isfinite(value)
        word = column.unit == "label" and np.isfinite(value)
        said = LABELS[int(value)] if word else value
        found.append(TargetInput(name, said, None if unknown else _moment(known)))
    return found


def _moment(value: np.datetime64) -> datetime:
    return pd.Timestamp(value, tz="UTC").to_pydatetime()
