"""Inputs that are public too late for the decisions that they are meant for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from .component import Filter
from .model import RULED

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    import pandas as pd

    from .component import Component
    from .evaluation import Evaluation
    from .model import Strategy

__all__ = ["LateInput", "any_late", "columns_read", "late_inputs"]

#: Share of a column's values within the test that may come too late and count as missing.
_TOLERATED: Final = 0.5


@dataclass(frozen=True, slots=True)
class LateInput:
    """A column of the panel that is public too late in most of the sessions tested.

    Attributes
    ----------
    column : str
        ``regime``, ``series.vix``, ``close``, ...
    late, values : int
        Values within the test that are public only after their decision's deadline, and values
        that there are.
    session : Timestamp
        The first session on which it is late.
    known_at, deadline : datetime64
        When that value was public, and by when it had to be, UTC.
    """

    column: str
    late: int
    values: int
    session: pd.Timestamp
    known_at: np.datetime64
    deadline: np.datetime64

    @property
    def title(self) -> str:
        """What messages call it: ``bars``, ``regime`` or the name of the series."""
        first, _, rest = self.column.partition(".")
        if first in {"open", "high", "low", "close", "volume"}:
            return "bars"
        return rest if first == "series" and rest else first


def columns_read(*components: Component) -> tuple[str, ...]:
    """Return the columns of the panel that components read, those of filters they read included.

    Parameters
    ----------
    *components : Component

    Returns
    -------
    tuple of str
        Sorted, each once.

    Examples
    --------
    >>> from gexlab.strategies import make_strategy
    >>> columns_read(make_strategy("always-fade").long)
    ('close',)
    """
    return tuple(dict.fromkeys(_read(*components)))


def _read(*components: Component) -> Iterator[str]:
    for component in components:
        for past in component.inputs().values():
            if isinstance(past.of, Filter):
                yield from _read(past.of)
            else:
                yield past.of


def late_inputs(
    strategy: Strategy, evaluation: Evaluation, sessions: pd.DatetimeIndex
) -> tuple[LateInput, ...]:
    """Return what a strategy reads that comes too late in most of the sessions tested.

    Parameters
    ----------
    strategy : Strategy
    evaluation : Evaluation
        Of the panel, with its deadlines.
    sessions : DatetimeIndex
        Those tested: what lies before them decides nothing.

    Returns
    -------
    tuple of LateInput
        Empty where none does.
    """
    parts = (strategy.filter, *(strategy.rule(name) for name in RULED), strategy.sizing)
    rows = evaluation.panel.sessions.get_indexer(sessions)
    found = (_late(evaluation, name, rows) for name in columns_read(*parts))
    return tuple(late for late in found if late is not None)


def any_late(
    strategies: Iterable[Strategy], evaluation: Evaluation, sessions: pd.DatetimeIndex
) -> bool:
    """Return whether any of some strategies has late inputs; each column is looked at once.

    Parameters
    ----------
    strategies : iterable of Strategy
    evaluation, sessions
        As for `late_inputs`.

    Returns
    -------
    bool
    """
    parts: dict[Component, None] = {}
    for strategy in strategies:
        found = (strategy.filter, strategy.long, strategy.short, strategy.neutral, strategy.sizing)
        parts |= dict.fromkeys(found)
    rows = evaluation.panel.sessions.get_indexer(sessions)
    return any(_late(evaluation, name, rows) is not None for name in columns_read(*parts))


def _late(evaluation: Evaluation, name: str, rows: np.ndarray) -> LateInput | None:
    column = evaluation.panel.column(name)
    if column.scheduled:
        return None
    there = np.isfinite(column.values[rows])
    late = there & (column.known_at[rows] > evaluation.deadline[rows])
    if not late.any() or late.sum() <= _TOLERATED * there.sum():
        return None
    first = int(rows[int(np.flatnonzero(late)[0])])
    return LateInput(
        name,
        int(late.sum()),
        int(there.sum()),
        evaluation.panel.sessions[first],
        column.known_at[first],
        evaluation.deadline[first],
    )
