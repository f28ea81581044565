"""What a grid found."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from ...data import short_repr
from ..statistics.resampling import NORMAL_LEVEL

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .long_short import LongShortResult

__all__ = ["Best", "GridResult"]


@dataclass(frozen=True, slots=True)
class Best:
    """The trial with the highest Sharpe ratio; None and NaN where none has one."""

    trial_id: str | None
    sharpe: float


@dataclass(frozen=True, slots=True, eq=False)
class GridResult:
    """What a grid found.

    Attributes
    ----------
    table : DataFrame
        One row per trial: ``trial_id``, every parameter, the metrics of a backtest with their
        intervals, ``late`` and ``undefined`` sessions, and ``computed_from``. Plain index.
    parameters : tuple of str
        Columns that are parameters.
    trials, computed, reused : int
        Distinct trials, and how many of them were computed now, or known from before.
    duplicates : int
        Combinations that say the same as another one; each trial is listed once.
    seconds : float
    best : Best
    best_by_luck : float
        Expected highest annual Sharpe ratio of as many independent trials that know nothing.
    simulated : bool
    underlyings : tuple of str
    unrecorded : int
        Trials that could not be recorded in the ledger: later counts lack them.
    out : Path or None
        Where it was written.
    level : float
        Coverage of the intervals.
    portfolios : LongShortResult or None
        Of a universe: its returns, the book of all trials, what was left out.
    failed : mapping of str to str
        Of a universe: names that are not in it, with the reason.
    """

    table: pd.DataFrame
    parameters: tuple[str, ...]
    trials: int
    computed: int
    reused: int
    duplicates: int
    seconds: float
    best: Best
    best_by_luck: float
    simulated: bool
    underlyings: tuple[str, ...]
    unrecorded: int = 0
    out: Path | None = None
    level: float = NORMAL_LEVEL
    portfolios: LongShortResult | None = None
    failed: Mapping[str, str] = field(default_factory=dict)
    __repr__ = short_repr
