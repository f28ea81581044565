"""Regimes that know nothing but flip as often: what a filter's label is worth beyond its habits.

A placebo has a filter's own labels in another order: drawn from the filter's own matrix of
transitions, turned around the calendar, or cut into blocks that change places. Draws of one number
use the same random numbers for every filter, so that filters which agree have placebos that do.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt

from ...data import compiled, short_repr

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = [
    "KINDS",
    "Legs",
    "PlaceboTest",
    "held_against",
    "paths",
    "placebo_labels",
    "ratios",
]

Floats = npt.NDArray[np.float64]
Codes = npt.NDArray[np.int8]
Flags = npt.NDArray[np.bool_]

#: By number of the draw, in turn.
KINDS: Final = ("markov", "shift", "shuffle")
STATES: Final = 4
#: A shift by less than this share of the sessions would still know something.
_NEAREST: Final = 0.1
_BLOCKS: Final = 20
_SHORTEST, _LONGEST = 5, 63
#: Upper quantiles and what they are of a standard normal variable.
_QUANTILES: Final = ((0.9, 1.2816), (0.975, 1.96), (0.99, 2.3263))


@dataclass(frozen=True, slots=True, eq=False)
class Legs:
    """What a unit of the position earns in each session, before and after the fill.

    Attributes
    ----------
    before, after : ndarray, shape (n,)
        Simple returns: close to close and 0 where orders fill at closes; close to open and open
        to close where they fill at opens.
    counted : ndarray of bool, shape (n,)
        Sessions whose return counts (those over missing bars do not).
    """

    before: Floats
    after: Floats
    counted: Flags


@dataclass(frozen=True, slots=True, eq=False)
class PlaceboTest:
    """Entries against their placebos.

    Attributes
    ----------
    p_alone : ndarray, shape (k,)
        Share of an entry's own placebos that do as well, the entry itself counted.
    p_corrected : ndarray, shape (k,)
        Share of draws whose best entry, in units of its own cloud, does as well.
    mean, deviation : ndarray, shape (k,)
        Of the cloud's Sharpe ratios, per session. The deviation is at least what the upper tail of
        a normal distribution would need for the cloud's own upper quantiles.
    draws : int
    """

    p_alone: Floats
    p_corrected: Floats
    mean: Floats
    deviation: Floats
    draws: int
    __repr__ = short_repr


def placebo_labels(labels: Codes, draws: int, seed: int) -> Codes:
    """Return random regimes with the habits of one, shape (draws, n).

    Parameters
    ----------
    labels : ndarray of int8, shape (n,)
        Codes 0 ... 3 of `gexlab.strategies.codes`.
    draws : int
        Kinds take turns, see `KINDS`.
    seed : int
        The same for all filters of a tournament.
    """
    n = len(labels)
    out = np.empty((draws, n), dtype=np.int8)
    start, move = _transitions(labels)
    nearest = max(1, round(_NEAREST * n))
    block = int(np.clip(n // _BLOCKS, _SHORTEST, _LONGEST))
    pieces = [np.arange(i, min(i + block, n)) for i in range(0, n, block)]
    for b in range(draws):
        rng = np.random.default_rng([seed, b])
        kind = KINDS[b % len(KINDS)]
        if kind == "markov":
            _chain(rng.random(n), start, move, out[b])
        elif kind == "shift":
            out[b] = np.roll(labels, int(rng.integers(nearest, max(n - nearest, nearest) + 1)))
        else:
            order = rng.permutation(len(pieces))
            out[b] = labels[np.concatenate([pieces[i] for i in order])]
    return out


def _transitions(labels: Codes) -> tuple[Floats, Floats]:
    """Return cumulative shares of labels, and of the labels that follow each."""
    share = np.bincount(labels, minlength=STATES)[:STATES].astype(np.float64)
    counts = np.zeros((STATES, STATES))
    np.add.at(counts, (labels[:-1], labels[1:]), 1.0)
    lost = counts.sum(axis=1) == 0.0  # the last session's own label, seen once
    counts[lost] = share
    move = np.cumsum(counts, axis=1) / counts.sum(axis=1, keepdims=True)
    return np.cumsum(share) / share.sum(), move


@compiled(nogil=True)
def _chain(uniforms: Floats, start: Floats, move: Floats, out: Codes) -> None:
    state = 0
    while state < len(start) - 1 and uniforms[0] >= start[state]:
        state += 1
    out[0] = state
    for t in range(1, len(uniforms)):
        row, following = move[state], 0
        while following < len(row) - 1 and uniforms[t] >= row[following]:
            following += 1
        state = following
        out[t] = state


def ratios(labels: Codes, wanted: Floats, legs: Legs, rates: Sequence[float]) -> Floats:
    """Return Sharpe ratios per session of placebos under rules and costs.

    Parameters
    ----------
    labels : ndarray of int8, shape (b, n)
        By session of the fill; -1 where no order goes out.
    wanted : ndarray, shape (p, n, 4)
        Position that each of p sets of rules wants under each label, by session of the fill.
    legs : Legs
    rates : sequence of float, length c
        Cost of a side as a share of the notional.

    Returns
    -------
    ndarray, shape (b, p, c)
        NaN without variation.
    """
    out = np.empty((len(labels), len(wanted), len(rates)))
    _ratios(
        labels,
        np.ascontiguousarray(wanted),
        legs.before,
        legs.after,
        legs.counted,
        np.asarray(rates, dtype=np.float64),
        out,
    )
    return out


@compiled(nogil=True)
def _ratios(
    labels: Codes,
    wanted: Floats,
    before: Floats,
    after: Floats,
    counted: Flags,
    rates: Floats,
    out: Floats,
) -> None:
    n, costs = labels.shape[1], rates.size
    total, squares = np.empty(costs), np.empty(costs)
    for b in range(labels.shape[0]):
        for p in range(wanted.shape[0]):
            total[:] = 0.0
            squares[:] = 0.0
            held, rows = 0.0, 0
            for t in range(n):
                first = held * before[t]
                held = held * (1.0 + before[t]) / (1.0 + first)
                moved = 0.0
                label = labels[b, t]
                if label >= 0:
                    target = wanted[p, t, label]
                    moved = abs(target - held)
                    held = target
                second = held * after[t]
                held = held * (1.0 + after[t]) / (1.0 + second)
                if counted[t]:
                    rows += 1
                    gross = (1.0 + first) * (1.0 + second)
                    for c in range(costs):
                        net = gross * (1.0 - rates[c] * moved) - 1.0
                        total[c] += net
                        squares[c] += net * net
            for c in range(costs):
                out[b, p, c] = _ratio(total[c], squares[c], rows)


@compiled(nogil=True)
def _ratio(total: float, squares: float, rows: int) -> float:
    if rows < 2:
        return np.nan
    mean = total / rows
    variance = (squares - rows * mean * mean) / (rows - 1)
    if variance <= 1e-24 + 1e-12 * squares / rows:
        return np.nan
    ratio: float = mean / np.sqrt(variance)
    return ratio


def paths(labels: Codes, wanted: Floats, legs: Legs, rate: float) -> Floats:
    """Return net returns of placebos under one set of rules and one cost, shape (b, n).

    Positions times returns less cost times turnover: what `ratios` summarises.
    """
    out = np.empty(labels.shape)
    _paths(labels, np.ascontiguousarray(wanted), legs.before, legs.after, rate, out)
    return out


@compiled(nogil=True)
def _paths(
    labels: Codes, wanted: Floats, before: Floats, after: Floats, rate: float, out: Floats
) -> None:
    for b in range(labels.shape[0]):
        held = 0.0
        for t in range(labels.shape[1]):
            first = held * before[t]
            held = held * (1.0 + before[t]) / (1.0 + first)
            moved = 0.0
            label = labels[b, t]
            if label >= 0:
                target = wanted[t, label]
                moved = abs(target - held)
                held = target
            second = held * after[t]
            held = held * (1.0 + after[t]) / (1.0 + second)
            out[b, t] = (1.0 + first) * (1.0 - rate * moved) * (1.0 + second) - 1.0


def held_against(own: Floats, clouds: Floats) -> PlaceboTest:
    """Hold entries against their placebos.

    Parameters
    ----------
    own : ndarray, shape (k,)
        Statistics of the entries; NaN takes no part.
    clouds : ndarray, shape (b, k)
        Of their placebos, draw by draw.

    Notes
    -----
    Statistics are put in units of their own cloud, so that rules which earn with any regime, such
    as holding, do not decide for all. An entry whose cloud does not vary (a regime that never
    switches) cannot be told from its placebos: its p-value is 1. Regimes that hardly ever switch
    have clouds with few values and long tails: their upper quantiles widen the unit, so that they
    do not decide for all either.
    """
    draws = len(clouds)
    known = np.nan_to_num(clouds, nan=0.0)
    mean, deviation = known.mean(axis=0), _width(known)
    part = np.isfinite(own) & (deviation > 1e-12)
    unit = np.where(part, deviation, 1.0)
    z = np.where(part, (own - mean) / unit, -np.inf)
    scaled = np.where(part, (known - mean) / unit, -np.inf)
    best = scaled.max(axis=1, initial=-np.inf)
    alone = (1.0 + (scaled >= z).sum(axis=0)) / (draws + 1.0)
    corrected = (1.0 + (best[:, None] >= z).sum(axis=0)) / (draws + 1.0)
    return PlaceboTest(
        p_alone=np.where(part, alone, 1.0),
        p_corrected=np.where(part, corrected, 1.0),
        mean=mean,
        deviation=deviation,
        draws=draws,
    )


def _width(clouds: Floats) -> Floats:
    """Return the deviation of each cloud, or what its upper quantiles say where that is more."""
    middle = np.median(clouds, axis=0)
    widths = [clouds.std(axis=0)]
    for share, normal in _QUANTILES:
        widths.append((np.quantile(clouds, share, axis=0) - middle) / normal)
    return np.asarray(np.max(widths, axis=0))
