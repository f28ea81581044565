"""Decisions: what a strategy wants to hold after each session, and what it read to want it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pandas as pd

from .registry import filter_named, rule_named

if TYPE_CHECKING:
    from .model import Strategy

__all__ = ["Decisions", "decide"]


@dataclass(frozen=True, slots=True, eq=False)
class Decisions:
    """Targets of one strategy and the moments at which their inputs were known.

    Attributes
    ----------
    frame : DataFrame
        Indexed by session: ``label`` (of the filter), ``target`` (share of equity wanted),
        ``regime_known_at`` and ``bars_known_at`` (UTC; NaT where that input was not read),
        ``late`` (the regime was published only after the order had to go: treated as missing),
        ``undefined`` (flat because a rule had too few bars).
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


def decide(
    strategy: Strategy,
    table: pd.DataFrame,
    closes: pd.Series[float],
    bars_known_at: pd.Series[pd.Timestamp],
    deadline: pd.Series[pd.Timestamp],
) -> Decisions:
    """Decide after each session what to hold.

    Parameters
    ----------
    strategy : Strategy
    table : DataFrame
        Regime values by session: ``value``, ``known_at``, optionally ``regime``; may begin
        earlier than the bars, so that filters are warmed up, and lack sessions: those abstain.
    closes : Series of float
        Close of each session, in order.
    bars_known_at : Series
        When each session's bar is known: its close, UTC.
    deadline : Series
        By when a decision's inputs must be known, UTC, per session of `closes`; NaT where no
        order can follow.

    Returns
    -------
    Decisions

    Notes
    -----
    A regime row published after its deadline is treated as missing, for filters' windows too,
    and counted. Where this would hit more than half of the rows, the configuration itself is
    impossible: then nothing is hidden, and the engine refuses the first such order by name.
    """
    limit = deadline.reindex(table.index)
    overdue = (table["known_at"] > limit).to_numpy()
    systematic = bool(overdue.mean() > 0.5) if len(table) else False
    reads_regime = strategy.filter != "always"
    seen = table if systematic else _without(table, overdue)
    labels = filter_named(strategy.filter)(seen, strategy)
    label, known = _on_bars(strategy, labels, closes)
    target, reads_bars = _targets(strategy, label, closes)
    undefined = np.isnan(target)
    flat = np.where(undefined, 0.0, target)
    frame = pd.DataFrame({"label": label, "target": flat}, index=closes.index)
    frame["regime_known_at"] = known.where(label != "abstain")
    frame["bars_known_at"] = bars_known_at.where(reads_bars)
    hidden = overdue & reads_regime & (not systematic)
    frame["late"] = pd.Series(hidden, index=table.index).reindex(closes.index, fill_value=False)
    frame["undefined"] = undefined
    return Decisions(frame)


def _without(table: pd.DataFrame, rows: npt.NDArray[np.bool_]) -> pd.DataFrame:
    """Return the table with some rows emptied, as if they had never been published."""
    emptied = table.copy()
    emptied.loc[rows, "value"] = np.nan
    if "regime" in emptied:
        emptied.loc[rows, "regime"] = "abstain"
    return emptied


def _on_bars(
    strategy: Strategy, labels: pd.DataFrame, closes: pd.Series[float]
) -> tuple[npt.NDArray[np.object_], pd.Series[pd.Timestamp]]:
    """Align labels with the bars; a session without a row abstains."""
    aligned = labels.reindex(closes.index)
    missing = "long" if strategy.filter == "always" else "abstain"
    label = aligned["label"].astype(object).where(aligned["label"].notna(), missing)
    return label.to_numpy(dtype=object), aligned["known_at"]


def _targets(
    strategy: Strategy, label: npt.NDArray[np.object_], closes: pd.Series[float]
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.bool_]]:
    prices: npt.NDArray[np.float64] = np.asarray(closes, dtype=np.float64)
    target = np.zeros(len(prices))
    reads_bars = np.zeros(len(prices), dtype=bool)
    for name in ("long", "short", "neutral"):
        rule = rule_named(strategy.rule(name))
        here = label == name
        target[here] = strategy.size * rule.target(prices, strategy)[here]
        reads_bars[here] = rule.reads_bars
    return target, reads_bars
