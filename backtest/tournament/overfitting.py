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
from itertools import combinations
from typing import Final

import numpy as np
import numpy.typing as npt

from ...data import NOISE, GexlabError, NotEnoughDataError, short_repr
from .studentised import return_matrix

__all__ = ["Overfitting", "overfitting"]

Floats = npt.NDArray[np.float64]
_MOST_BLOCKS: Final = 20
_CELLS: Final = 2_000_000


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
    x = return_matrix(returns, fewest=2 * blocks) - hurdle
    parts = np.array_split(np.arange(len(x)), blocks)
    moves = np.all([x[part].std(axis=0) > NOISE for part in parts], axis=0)
    if moves.sum() < 2:
        raise NotEnoughDataError(
            f"{int(moves.sum())} of {x.shape[1]} trials vary in every one of {blocks} blocks; at "
            "least two are needed: use fewer blocks, or more trials"
        )
    x = x[:, moves]
    first = np.array([x[part].sum(axis=0) for part in parts])
    second = np.array([(x[part] ** 2).sum(axis=0) for part in parts])
    lengths = np.array([len(part) for part in parts], dtype=np.float64)
    inside, outside, rank = _chosen(first, second, lengths)
    logits = np.log(rank / (x.shape[1] + 1.0 - rank))
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
        trials=x.shape[1],
        left_out=int((~moves).sum()),
    )


def _chosen(first: Floats, second: Floats, lengths: Floats) -> tuple[Floats, Floats, Floats]:
    """Return the chosen trial's ratio in-sample and out of sample, and its rank there."""
    halves = _halves(len(lengths))
    found: list[tuple[Floats, Floats, Floats]] = []
    size = max(1, _CELLS // first.shape[1])
    for start in range(0, len(halves), size):
        take = halves[start : start + size]
        one = _ratios(take, first, second, lengths)
        other = _ratios(1.0 - take, first, second, lengths)
        found += [_outside(one, other), _outside(other, one)]
    inside, outside, rank = (np.concatenate(each) for each in zip(*found, strict=True))
    return inside, outside, rank


def _halves(blocks: int) -> Floats:
    """Return one of each pair of complementary halves as zeros and ones: those with block 0."""
    rest = list(combinations(range(1, blocks), blocks // 2 - 1))
    out = np.zeros((len(rest), blocks))
    out[:, 0] = 1.0
    if blocks > 2:
        np.put_along_axis(out, np.array(rest), 1.0, axis=1)
    return out


def _ratios(take: Floats, first: Floats, second: Floats, lengths: Floats) -> Floats:
    """Return Sharpe ratios (n - 1) per period from sums by block, shape (splits, trials)."""
    n = (take @ lengths)[:, None]
    mean = take @ first
    mean /= n
    deviation = take @ second
    deviation -= n * mean**2
    deviation /= n - 1.0
    np.sqrt(deviation, out=deviation)  # in place: the arrays are large, and memory is what it costs
    mean /= deviation
    return np.asarray(mean)


def _outside(one: Floats, other: Floats) -> tuple[Floats, Floats, Floats]:
    """Choose by `one`; return the ratios in both and the mean rank in `other`, from 1."""
    best = one.argmax(axis=1)[:, None]
    there = np.take_along_axis(other, best, axis=1)
    below = (other < there).sum(axis=1)
    equal = (other == there).sum(axis=1)
    rank = below + (equal + 1.0) / 2.0
    return np.take_along_axis(one, best, axis=1)[:, 0], there[:, 0], rank


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
