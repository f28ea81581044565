"""Comparing sessions under short and under long gamma, measure by measure.

Every measure is a ratio of sums over sessions (a mean is the special case of a denominator of
ones).
"""

from __future__ import annotations

from dataclasses import dataclass
from math import nan
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from ...run.results import Estimate
from ..intervals import VARIANCES, Group, ends, lacking, spread_of_groups
from ..resampling import Resampling

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["Diagnostic", "Measure", "compare_groups", "mean_measure"]

Floats = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class Measure:
    """Something measured session by session.

    Attributes
    ----------
    name, unit, meaning : str
    numerator, denominator : ndarray, shape (n,)
        NaN where the session does not count.
    ahead : int
        Sessions that each value spans.
    """

    name: str
    unit: str
    meaning: str
    numerator: Floats
    denominator: Floats
    ahead: int = 1


def mean_measure(
    name: str, unit: str, meaning: str, values: npt.ArrayLike, ahead: int = 1
) -> Measure:
    """Return a measure that is the mean of `values` (NaN: the session does not count)."""
    x = np.asarray(values, dtype=np.float64)
    return Measure(name, unit, meaning, x, np.where(np.isfinite(x), 1.0, np.nan), ahead)


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """One measure under short and long gamma.

    Attributes
    ----------
    name, unit, meaning : str
    short, long : Estimate
        Value and number of sessions; the level of what follows volatility has no interval.
    difference : Estimate
        Short less long, with its interval.
    effect_size : float
        The difference over the standard deviation between sessions of one group (Cohen's d of
        the sessions' linear scores); 0.2 is small, 0.8 large. NaN where undefined.
    """

    name: str
    unit: str
    meaning: str
    short: Estimate
    long: Estimate
    difference: Estimate
    effect_size: float


def compare_groups(
    measures: Sequence[Measure], short: Mask, long: Mask, how: Resampling
) -> tuple[Diagnostic, ...]:
    """Compare two groups of sessions on every measure.

    Parameters
    ----------
    measures : sequence of Measure
        Each over the same n sessions.
    short, long : ndarray of bool, shape (n,)
    how : Resampling
        Its level is the coverage of the intervals.
    """
    return tuple(_compare(m, _columns(m, short, long), how.level) for m in measures)


def _columns(measure: Measure, short: Mask, long: Mask) -> Floats:
    known = np.isfinite(measure.numerator) & np.isfinite(measure.denominator)
    top = np.where(known, measure.numerator, 0.0)
    bottom = np.where(known, measure.denominator, 0.0)
    return np.column_stack([top * short, bottom * short, top * long, bottom * long])


def _compare(measure: Measure, block: Floats, level: float) -> Diagnostic:
    total = block.sum(axis=0)
    with np.errstate(invalid="ignore", divide="ignore"):
        low, high = float(total[0] / total[1]), float(total[2] / total[3])
    counts = int((block[:, 1] > 0).sum()), int((block[:, 3] > 0).sum())
    reason = lacking(counts, measure.ahead)
    limits = (nan, nan)
    if not reason:
        groups = [
            Group(block[:, k + 1], block[:, k] - mean * block[:, k + 1], sign)
            for k, mean, sign in ((0, low, 1.0), (2, high, -1.0))
        ]
        spread = spread_of_groups(groups, VARIANCES, measure.ahead)
        limits = ends(low - high, spread, level)
    return Diagnostic(
        name=measure.name,
        unit=measure.unit,
        meaning=measure.meaning,
        short=Estimate(low, nan, nan, counts[0]),
        long=Estimate(high, nan, nan, counts[1]),
        difference=Estimate(low - high, *limits, sum(counts), reason=reason),
        effect_size=_effect(block, low, high),
    )


def _effect(block: Floats, low: float, high: float) -> float:
    """Return the difference over the pooled standard deviation of the sessions' linear scores."""
    scores = [
        (block[rows, k] - value * block[rows, k + 1]) / block[rows, k + 1].mean()
        for k, value in ((0, low), (2, high))
        if (rows := block[:, k + 1] > 0).any()
    ]
    if len(scores) < 2 or sum(len(s) for s in scores) < 4:
        return float("nan")
    pooled = np.sqrt(sum(float((s**2).sum()) for s in scores) / (sum(len(s) for s in scores) - 2))
    return float((low - high) / pooled) if pooled > 0.0 else float("nan")
