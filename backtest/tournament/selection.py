"""Choosing through time: the best of the training in each fold, judged on what came after.

What is chosen on are the returns that are there. Only the stitched path, which changes its
strategy where the choice changes and pays for it, is simulated, once.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from ...data import NOISE, short_repr
from ..execution.timing import without_idle
from ..grid.columns import Planned, books_of, planned
from ..statistics import metrics
from .folds import backtest_paths

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from .arena import Arena, Entry
    from .folds import Fold

__all__ = ["Choice", "Selection", "combinatorial_ratios", "selected"]

Floats = npt.NDArray[np.float64]
_NONE = -1


@dataclass(frozen=True, slots=True)
class Choice:
    """What one fold chose.

    Attributes
    ----------
    first, last : date
        Sessions of the test.
    trial_id : str or None
        None where no trial had a Sharpe ratio in the training.
    inside, outside : float
        Annual Sharpe ratio of the chosen trial in the training, and in the test.
    trained : int
        Sessions of the training.
    """

    first: date
    last: date
    trial_id: str | None
    inside: float
    outside: float
    trained: int


@dataclass(frozen=True, slots=True, eq=False)
class Selection:
    """The path of a procedure that chooses among the entries with equal costs.

    Attributes
    ----------
    title : str
        Market, fill and costs.
    choices : tuple of Choice
    sharpe : float
        Annual, of the stitched path with its switches paid for, on the tests.
    equity : ndarray, shape (m,)
        Of that path at the close of each session of `days`.
    days : ndarray of datetime64[D], shape (m,)
    kept : float
        Share of folds that choose what the fold before chose; NaN with one fold.
    distinct : int
        Trials that were chosen at all.
    rank_correlation : float
        Mean Spearman correlation, over folds, of the trials' ratios in training and test.
    paths : tuple of float
        Sharpe ratios of combinatorial paths, where they were asked for.
    """

    title: str
    choices: tuple[Choice, ...]
    sharpe: float
    equity: Floats
    days: npt.NDArray[np.datetime64]
    kept: float
    distinct: int
    rank_correlation: float
    paths: tuple[float, ...] = ()
    __repr__ = short_repr


def selected(
    arena: Arena,
    returns: Floats,
    members: Sequence[int],
    title: str,
    *,
    combinatorial: tuple[tuple[Fold, ...], int, int] | None = None,
) -> Selection:
    """Choose among some trials through time and simulate the path.

    Parameters
    ----------
    arena : Arena
    returns : ndarray, shape (n - 1, k)
        Of all its trials.
    members : sequence of int
        Trials to choose among: entries of one cost.
    title : str
    combinatorial : tuple of (folds, groups, tested), optional
    """
    mine = returns[:, list(members)]
    entries = [arena.entries[i] for i in members]
    year, counted = arena.ground.clock.year, arena.ground.clock.spans == 1
    chosen, choices, ranks = [], [], []
    for fold in arena.folds:
        inside = _ratios(mine, fold.train, counted)
        outside = _ratios(mine, fold.test, counted)
        best = _best(inside)
        chosen.append(best)
        ranks.append(_rank_correlation(inside, outside))
        scale = np.sqrt(year)
        choices.append(
            Choice(
                first=arena.days[fold.test[0]].item(),
                last=arena.days[fold.test[-1]].item(),
                trial_id=None if best == _NONE else entries[best].trial_id,
                inside=float("nan") if best == _NONE else float(inside[best] * scale),
                outside=float("nan") if best == _NONE else float(outside[best] * scale),
                trained=len(fold.train),
            )
        )
    picks = np.full(len(arena.days), _NONE)
    for fold, best in zip(arena.folds, chosen, strict=True):
        picks[fold.test] = best
    path, equity = _stitched(arena, entries, picks[:, None])
    first = int(arena.folds[0].test[0])
    same = [a == b for a, b in pairwise(chosen)]
    found = Selection(
        title=title,
        choices=tuple(choices),
        sharpe=metrics.sharpe(path[arena.outside, 0], year),
        equity=equity[first:, 0],
        days=arena.days[first:],
        kept=float(np.mean(same)) if same else float("nan"),
        distinct=len({c for c in chosen if c != _NONE}),
        rank_correlation=_mean(ranks),
    )
    if combinatorial is None:
        return found
    return replace(found, paths=combinatorial_ratios(arena, mine, entries, *combinatorial))


def combinatorial_ratios(
    arena: Arena,
    returns: Floats,
    entries: Sequence[Entry],
    folds: tuple[Fold, ...],
    groups: int,
    tested: int,
) -> tuple[float, ...]:
    """Return the Sharpe ratio of each path that combinatorial folds make, switches paid for."""
    counted = arena.ground.clock.spans == 1
    picks = [_best(_ratios(returns, fold.train, counted)) for fold in folds]
    edges = np.linspace(0, len(arena.days), groups + 1).round().astype(np.int64)
    by_path = backtest_paths(groups, tested)
    table = np.full((len(arena.days), len(by_path)), _NONE)
    for p, used in enumerate(by_path):
        for group, fold in enumerate(used):
            table[edges[group] : edges[group + 1], p] = picks[fold]
    path, _ = _stitched(arena, entries, table)
    year = arena.ground.clock.year
    return tuple(metrics.sharpe(path[counted, p], year) for p in range(path.shape[1]))


def _stitched(
    arena: Arena, entries: Sequence[Entry], picks: npt.NDArray[np.int64]
) -> tuple[Floats, Floats]:
    """Simulate paths that follow one trial after another, shape (n, paths); -1 is flat.

    A pick stands at the session whose decision it makes; its order fills later.
    """
    used = sorted({int(i) for i in np.unique(picks) if i != _NONE})
    ground = arena.ground
    orders: Floats = np.zeros(picks.shape)
    if used:
        wanted = planned([entries[i].strategy for i in used], ground).wanted
        filled = np.full(picks.shape, _NONE)
        source = np.flatnonzero(ground.schedule.row >= 0)
        filled[ground.schedule.row[source]] = picks[source]
        for place, i in enumerate(used):
            orders = np.where(filled == i, wanted[:, [place]], orders)
    none = np.zeros(picks.shape[1], dtype=np.int64)
    joined = Planned(without_idle(orders), orders, none, none)
    one = entries[0]
    books = books_of(joined, ground, one.costs, one.cash, one.terms)
    return np.nan_to_num(books.returns.T), books.equity.T


def _ratios(
    returns: Floats, places: npt.NDArray[np.int64], counted: npt.NDArray[np.bool_]
) -> Floats:
    """Return Sharpe ratios per session of the returns of some sessions; NaN without variation."""
    rows = places[places > 0] - 1
    rows = rows[counted[rows]]
    if len(rows) < 2:
        return np.full(returns.shape[1], np.nan)
    x = returns[rows]
    deviation = x.std(axis=0, ddof=1)
    moves = deviation > NOISE
    return np.where(moves, x.mean(axis=0) / np.where(moves, deviation, 1.0), np.nan)


def _best(ratios: Floats) -> int:
    return int(np.nanargmax(ratios)) if np.isfinite(ratios).any() else _NONE


def _rank_correlation(a: Floats, b: Floats) -> float:
    from scipy.stats import rankdata

    both = np.isfinite(a) & np.isfinite(b)
    if both.sum() < 3:
        return float("nan")
    x, y = rankdata(a[both]), rankdata(b[both])
    if x.std() <= NOISE or y.std() <= NOISE:
        return float("nan")
    return float(np.corrcoef(x, y)[0, 1])


def _mean(values: Sequence[float]) -> float:
    known = [v for v in values if np.isfinite(v)]
    return float(np.mean(known)) if known else float("nan")
