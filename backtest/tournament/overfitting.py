"""Probability of backtest overfitting by combinatorially symmetric cross-validation.

The sessions are cut into blocks; half of them, in every way there is, choose the trial with the
best Sharpe ratio, and the other half says where that one ranks.

References
----------
Bailey, Borwein, Lopez de Prado, Zhu (2017), The probability of backtest overfitting, J.
Computational Finance 20.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations, pairwise
from typing import Final

import numpy as np
import numpy.typing as npt

from ...data import NOISE, GexlabError, NotEnoughDataError, compiled, short_repr
from .studentised import column_parts, return_matrix

__all__ = ["Overfitting", "overfitting"]

Floats = npt.NDArray[np.float64]
_MOST_BLOCKS: Final = 20


@dataclass(frozen=True, slots=True, eq=False)
class Overfitting:
    """What choosing the best trial in-sample is worth out of sample.

    Attributes
    ----------
    pbo : float
        Share of splits in which the chosen trial ranks in the lower half of the others' half.
    slope, intercept, adjusted_r2 : float
        Of the regression of the chosen trial's Sharpe ratio out of sample on that in-sample, over
        splits. A slope near -1 is what pure noise shows: what one half has, the other lacks.
    p_loss : float
        Share of splits in which the chosen trial loses out of sample.
    logits : ndarray, shape (splits,)
        Of the relative rank: rank / (trials + 1), so that it is finite.
    splits, blocks, trials, left_out : int
        `left_out`: trials without variation in a block, which have no Sharpe ratio there.
    """

    pbo: float
    slope: float
    intercept: float
    adjusted_r2: float
    p_loss: float
    logits: Floats
    splits: int
    blocks: int
    trials: int
    left_out: int
    __repr__ = short_repr


def overfitting(returns: npt.ArrayLike, blocks: int = 16, hurdle: float = 0.0) -> Overfitting:
    """Return the probability of backtest overfitting of a set of trials.

    Parameters
    ----------
    returns : array_like, shape (n, k)
        Periods by trials, every trial that was evaluated.
    blocks : int
        Even; 16 make 12,870 splits. Blocks differ by one period at most.
    hurdle : float
        Per period, taken off every return.

    Raises
    ------
    GexlabError
        If `blocks` is odd or out of range, or a return is missing.
    NotEnoughDataError
        If there are fewer than two trials that vary, or two periods a block.
    """
    if blocks % 2 or not 2 <= blocks <= _MOST_BLOCKS:
        raise GexlabError(f"expected an even number of blocks from 2 to {_MOST_BLOCKS}: {blocks}")
    x = return_matrix(returns, fewest=2 * blocks)
    first, second, lengths, moves = _sums(x, blocks, hurdle)
    trials = int(moves.sum())
    if trials < 2:
        raise NotEnoughDataError(
            f"{trials} of {x.shape[1]} trials vary in every one of {blocks} blocks; at "
            "least two are needed: use fewer blocks, or more trials"
        )
    inside, outside, rank = _chosen(first[:, moves], second[:, moves], lengths)
    logits = np.log(rank / (trials + 1.0 - rank))
    slope, intercept, fit = _regression(inside, outside)
    return Overfitting(
        pbo=float(np.mean(logits <= 0.0)),
        slope=slope,
        intercept=intercept,
        adjusted_r2=fit,
        p_loss=float(np.mean(outside < 0.0)),
        logits=logits,
        splits=len(logits),
        blocks=blocks,
        trials=trials,
        left_out=int((~moves).sum()),
    )


def _sums(
    x: Floats, blocks: int, hurdle: float
) -> tuple[Floats, Floats, Floats, npt.NDArray[np.bool_]]:
    """Return sums of returns and of squares by block, lengths, and which trials always vary."""
    rows, k = x.shape
    lengths = np.array([len(part) for part in np.array_split(np.arange(rows), blocks)])
    edges = np.concatenate([[0], np.cumsum(lengths)])
    first, second = np.empty((blocks, k)), np.empty((blocks, k))
    moves = np.ones(k, dtype=bool)
    for columns in column_parts(k):
        for block, (start, end) in enumerate(pairwise(edges)):
            part = x[start:end, columns] - hurdle
            moves[columns] &= part.std(axis=0) > NOISE
            first[block, columns] = part.sum(axis=0)
            second[block, columns] = (part**2).sum(axis=0)
    return first, second, lengths.astype(np.float64), moves


def _chosen(first: Floats, second: Floats, lengths: Floats) -> tuple[Floats, Floats, Floats]:
    """Return the chosen trial's ratio in-sample and out of sample, and its rank there.

    One of each pair of complementary halves holds block 0: what the other holds is what is left.
    """
    blocks = len(lengths)
    rest = list(combinations(range(1, blocks), blocks // 2 - 1))
    halves = np.zeros((len(rest), blocks // 2), dtype=np.int64)
    if blocks > 2:
        halves[:, 1:] = rest
    out = np.empty((3, 2 * len(halves)))
    _judge(halves, first, second, lengths, out)
    return out[0], out[1], out[2]


@compiled(nogil=True, error_model="numpy")
def _judge(
    halves: npt.NDArray[np.int64], first: Floats, second: Floats, lengths: Floats, out: Floats
) -> None:
    """Put ratio in-sample, ratio out of sample and rank there of both choices of each split.

    Trials are ordered by what rises with their Sharpe ratio and needs no root: the squared sum over
    the sum of squares, with the sum's sign. Neighbouring halves share their first blocks, whose
    sums are not added up again.
    """
    size, trials = halves.shape[1], first.shape[1]
    total, squares = np.zeros(trials), np.zeros(trials)
    for block in range(len(first)):
        total += first[block]
        squares += second[block]
    whole = lengths.sum()
    summed, squared, length = np.zeros((size, trials)), np.zeros((size, trials)), np.zeros(size)
    one, other = np.empty(trials), np.empty(trials)
    for split in range(len(halves)):
        level = 0
        while split and halves[split, level] == halves[split - 1, level]:
            level += 1
        for depth in range(level, size):
            block = halves[split, depth]
            length[depth] = lengths[block]
            summed[depth] = first[block]
            squared[depth] = second[block]
            if depth:
                length[depth] += length[depth - 1]
                summed[depth] += summed[depth - 1]
                squared[depth] += squared[depth - 1]
        a, b, n = summed[size - 1], squared[size - 1], length[size - 1]
        for j in range(trials):
            left = total[j] - a[j]
            one[j] = a[j] * abs(a[j]) / b[j]
            other[j] = left * abs(left) / (squares[j] - b[j])
        for way in range(2):
            order, judge = (one, other) if way == 0 else (other, one)
            best = 0
            for j in range(1, trials):
                if order[j] > order[best]:
                    best = j
            here = _ratio(a[best], b[best], n)
            there = _ratio(total[best] - a[best], squares[best] - b[best], whole - n)
            place = 2 * split + way
            out[0, place], out[1, place] = (here, there) if way == 0 else (there, here)
            out[2, place] = _rank(judge, best)


@compiled(nogil=True)
def _ratio(total: float, squares: float, n: float) -> float:
    """Return a Sharpe ratio (n - 1) per period from the sums of n returns and of their squares."""
    mean = total / n
    ratio: float = mean / np.sqrt((squares - n * mean * mean) / (n - 1.0))
    return ratio


@compiled(nogil=True)
def _rank(values: Floats, which: int) -> float:
    """Return the mean rank, from 1, of one of some values."""
    own = values[which]
    below, equal = 0, 0
    for j in range(len(values)):
        below += values[j] < own
        equal += values[j] == own
    rank: float = below + (equal + 1.0) / 2.0
    return rank


def _regression(x: Floats, y: Floats) -> tuple[float, float, float]:
    """Return slope, intercept and adjusted R² of y on x; NaN where x does not vary."""
    nan = float("nan")
    if len(x) < 3 or np.std(x) <= NOISE:
        return nan, nan, nan
    dx, dy = x - x.mean(), y - y.mean()
    slope = float(dx @ dy / (dx @ dx))
    total = float(dy @ dy)
    r2 = 1.0 - float(np.sum((dy - slope * dx) ** 2)) / total if total > 0.0 else nan
    adjusted = 1.0 - (1.0 - r2) * (len(x) - 1) / (len(x) - 2)
    return slope, float(y.mean() - slope * x.mean()), adjusted
