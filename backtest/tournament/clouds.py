"""The placebo cloud of every entry: the same rules, sizing and costs under regimes without news."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from ...data import NOISE, short_repr
from ...strategies import RULED
from ..execution.timing import without_idle
from ..grid.columns import Planned, books_of
from .arena import fills_of, legs_of, wanted_by_label
from .placebos import Legs, PlaceboTest, held_against, paths, placebo_labels, ratios

if TYPE_CHECKING:
    from ...strategies import Filter, Strategy
    from .arena import Arena, Entry

__all__ = [
    "Band",
    "Drawer",
    "Drawn",
    "Placebos",
    "band_of",
    "cloud_of",
    "labels_outside",
    "placebos_of",
    "rate_of",
]

Floats = npt.NDArray[np.float64]
Codes = npt.NDArray[np.int8]
_ENDS = (0.05, 0.5, 0.95)


@dataclass(frozen=True, slots=True)
class Drawn:
    """How many placebos are drawn, and from which seed.

    Attributes
    ----------
    draws : int
        At least 200 for a p-value that corrections leave something of.
    seed : int
    """

    draws: int
    seed: int


#: Yields ratios of the placebos of each group of entries, the entries' own in the last row.
Drawer = Callable[[Sequence[tuple[int, tuple[int, ...]]], Drawn], Iterable[Floats]]


@dataclass(frozen=True, slots=True, eq=False)
class Placebos:
    """Placebo tests of the entries, by (arena, place).

    Attributes
    ----------
    test : PlaceboTest
    where : dict of (int, int) to int
        Place of each entry in the test.
    """

    test: PlaceboTest
    where: dict[tuple[int, int], int]
    __repr__ = short_repr


@dataclass(frozen=True, slots=True, eq=False)
class Band:
    """Equity of an entry's placebos by session: 5 %, median and 95 %, shape (3, m)."""

    equity: Floats


def placebos_of(
    arenas: Sequence[Arena], drawn: Drawn, clouds: Drawer, report: Callable[[int, int], None]
) -> Placebos:
    """Hold every entry against its placebos on the sessions of the tests.

    Parameters
    ----------
    arenas : sequence of Arena
    drawn : Drawn
    clouds : callable
        Yields `cloud_of` each group: number of an arena, entries of it with the same filter.
    report : callable
        Told how many filters are done, of how many.
    """
    where: dict[tuple[int, int], int] = {}
    own: list[Floats] = []
    others: list[Floats] = []
    groups = [(i, tuple(places)) for i, arena in enumerate(arenas)
              for places in _by_filter(arena).values()]  # fmt: skip
    report(0, len(groups))
    for done, ((i, places), table) in enumerate(zip(groups, clouds(groups, drawn), strict=True), 1):
        where |= {(i, j): len(where) + column for column, j in enumerate(places)}
        own.append(table[-1])
        others.append(table[:-1])
        report(done, len(groups))
    if not own:
        empty = np.empty(0)
        return Placebos(PlaceboTest(empty, empty, empty, empty, drawn.draws), where)
    test = held_against(np.concatenate(own), np.concatenate(others, axis=1))
    return Placebos(test, where)


def cloud_of(arena: Arena, places: Sequence[int], drawn: Drawn) -> Floats:
    """Return ratios of the placebos of entries with one filter, shape (draws + 1, k).

    The last row are the entries themselves: one computation for both.

    Parameters
    ----------
    arena : Arena
    places : sequence of int
        Numbers of the entries in the arena.
    drawn : Drawn
    """
    made = arena.entries[places[0]].strategy.filter
    labels, legs = labels_outside(arena, made), legs_outside(arena)
    blind = placebo_labels(np.maximum(labels, 0), drawn.draws, drawn.seed)
    blind[:, labels < 0] = -1
    return _table(arena, places, np.concatenate([blind, labels[None, :]]), legs)


def _by_filter(arena: Arena) -> dict[Filter, list[int]]:
    found: dict[Filter, list[int]] = {}
    for j, entry in enumerate(arena.entries):
        if entry.role == "entry":
            found.setdefault(entry.strategy.filter, []).append(j)
    return found


def labels_outside(arena: Arena, made: Filter) -> Codes:
    """Return a filter's codes by session of the fill, from the first test on; -1: no order."""
    codes = arena.ground.evaluation.labels(made).values
    return fills_of(arena.ground, codes[:, None], -1.0)[_first(arena) :, 0].astype(np.int8)


def legs_outside(arena: Arena) -> Legs:
    """Return the legs of the sessions from the first test on; those of no test do not count."""
    legs, first = legs_of(arena.ground), _first(arena)
    counted = legs.counted[first:].copy()
    counted &= np.concatenate([[False], arena.outside])[first:]
    return Legs(legs.before[first:], legs.after[first:], counted)


def _first(arena: Arena) -> int:
    return int(min(fold.test[0] for fold in arena.folds))


def rate_of(entry: Entry, arena: Arena) -> float:
    """Return what a side costs as a share of the notional; fixed amounts at the median price."""
    costs = entry.costs
    price = float(np.median(arena.ground.bars["close"].to_numpy(dtype=np.float64)))
    return (costs.fees_bps + costs.slippage_bps) / 1e4 + costs.fixed_per_share / price


def _table(arena: Arena, places: Sequence[int], labels: Codes, legs: Legs) -> Floats:
    """Return ratios of placebos by entry of one filter, shape (b, k)."""
    out = np.full((len(labels), len(places)), np.nan)
    kinds: dict[tuple[object, ...], list[int]] = {}
    for column, j in enumerate(places):
        s = arena.entries[j].strategy
        kinds.setdefault((s.long, s.short, s.neutral, s.sizing), []).append(column)
    for columns in kinds.values():
        entries = [arena.entries[places[c]] for c in columns]
        for column, entry in zip(columns, entries, strict=True):
            if not entry.plain:
                out[:, column] = _traded_ratios(arena, entry, labels)
        columns = [c for c in columns if arena.entries[places[c]].plain]
        if not columns:
            continue
        entries = [arena.entries[places[c]] for c in columns]
        rates = [rate_of(entry, arena) for entry in entries]
        strategy = entries[0].strategy
        if strategy.sizing.recursive:
            targets = _targets(arena, strategy, labels)
            for b, target in enumerate(targets):
                found = ratios(_sent(labels[b]), target[None, :, None], legs, rates)
                out[b, columns] = found[0, 0]
        else:
            wanted = wanted_by_label(strategy, arena.ground)[_first(arena) :]
            out[:, columns] = ratios(labels, wanted[None], legs, rates)[:, 0, :]
    return out


def _traded(arena: Arena, entry: Entry, labels: Codes) -> Floats:
    """Return net returns of placebos as the engine trades them, shape (b, n), by fill."""
    strategy, first = entry.strategy, _first(arena)
    if strategy.sizing.recursive:
        wanted = _targets(arena, strategy, labels)
    else:
        by_label = wanted_by_label(strategy, arena.ground)[first:]
        wanted = by_label[np.arange(len(by_label))[None, :], np.maximum(labels, 0)]
    orders = np.full((len(arena.days), len(labels)), np.nan)
    orders[first:] = np.where(labels < 0, np.nan, wanted).T
    none = np.zeros(len(labels), dtype=np.int64)
    joined = Planned(without_idle(orders), orders, none, none)
    books = books_of(joined, arena.ground, entry.costs, entry.cash, entry.terms)
    returns: Floats = np.concatenate([np.zeros((len(labels), 1)), books.returns], axis=1)
    return np.nan_to_num(returns[:, first:])


def _traded_ratios(arena: Arena, entry: Entry, labels: Codes) -> Floats:
    """Return Sharpe ratios of placebos under terms that products do not know, shape (b,)."""
    returns = _traded(arena, entry, labels)[:, legs_outside(arena).counted]
    deviation = returns.std(axis=1, ddof=1)
    moves = deviation > NOISE
    found: Floats = np.where(moves, returns.mean(axis=1) / np.where(moves, deviation, 1.0), np.nan)
    return found


def _sent(labels: Codes) -> Codes:
    return np.where(labels < 0, -1, 0).astype(np.int8)[None, :]


def _targets(arena: Arena, strategy: Strategy, labels: Codes) -> Floats:
    """Return what a sizing that remembers makes of each row of labels, shape (b, n), by fill."""
    ground, first = arena.ground, _first(arena)
    schedule, evaluation = ground.schedule, ground.evaluation
    rows = evaluation.panel.sessions.get_indexer(schedule.sessions)
    source = np.flatnonzero(schedule.row >= 0)
    source = source[schedule.row[source] >= first]
    to = schedule.row[source] - first
    rules = [np.zeros(len(evaluation.panel.sessions))]
    rules += [evaluation.targets(strategy.rule(label)).values for label in RULED]
    table = np.column_stack(rules)
    out = np.zeros(labels.shape)
    for b, row in enumerate(labels):
        target = np.zeros(len(table))
        target[rows[source]] = table[rows[source], np.maximum(row[to], 0)]
        sized = np.nan_to_num(evaluation.positions(strategy.sizing, target).values)
        sized[rows[source]] *= row[to] > 0
        out[b, to] = sized[rows[source]]
    return out


def band_of(arena: Arena, j: int, draws: int, seed: int) -> Band:
    """Return the band of an entry's placebo equities from the first test on."""
    entry = arena.entries[j]
    labels, legs = labels_outside(arena, entry.strategy.filter), legs_outside(arena)
    drawn = placebo_labels(np.maximum(labels, 0), draws, seed)
    drawn[:, labels < 0] = -1
    rate = rate_of(entry, arena)
    if not entry.plain:
        returns = _traded(arena, entry, drawn)
    elif entry.strategy.sizing.recursive:
        targets = _targets(arena, entry.strategy, drawn)
        moves = [paths(_sent(row), target[:, None], legs, rate)[0]
                 for row, target in zip(drawn, targets, strict=True)]  # fmt: skip
        returns = np.array(moves)
    else:
        wanted = wanted_by_label(entry.strategy, arena.ground)[_first(arena) :]
        returns = paths(drawn, wanted, legs, rate)
    equity = np.cumprod(1.0 + returns[:, legs.counted], axis=1)
    return Band(np.quantile(equity, _ENDS, axis=0))
