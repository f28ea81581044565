"""Comparing sessions under short and under long gamma, measure by measure.

Every measure is a ratio of sums over sessions (a mean is the special case of a denominator of
ones), so that all of them share one set of block resamples.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from ...run.results import Estimate
from ..resampling import Resampling, interval, resampled_sums

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
    """

    name: str
    unit: str
    meaning: str
    numerator: Floats
    denominator: Floats


def mean_measure(name: str, unit: str, meaning: str, values: npt.ArrayLike) -> Measure:
    """Return a measure that is the mean of `values` (NaN: the session does not count)."""
    x = np.asarray(values, dtype=np.float64)
    return Measure(name, unit, meaning, x, np.where(np.isfinite(x), 1.0, np.nan))


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """One measure under short and long gamma.

    Attributes
    ----------
    name, unit, meaning : str
    short, long : Estimate
        Value with its block-bootstrap interval and number of sessions.
    difference : Estimate
        Short less long.
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
        Sessions are resampled in blocks, whole.
    """
    if not measures:
        return ()
    blocks = [_columns(m, short, long) for m in measures]
    drawn = resampled_sums(np.column_stack(blocks), how)
    return tuple(
        _compare(m, block, drawn[:, 4 * i : 4 * i + 4], how.level)
        for i, (m, block) in enumerate(zip(measures, blocks, strict=True))
    )


def _columns(measure: Measure, short: Mask, long: Mask) -> Floats:
    known = np.isfinite(measure.numerator) & np.isfinite(measure.denominator)
    top = np.where(known, measure.numerator, 0.0)
    bottom = np.where(known, measure.denominator, 0.0)
    return np.column_stack([top * short, bottom * short, top * long, bottom * long])


def _ratio(sums: Floats) -> tuple[Floats, Floats]:
    with np.errstate(invalid="ignore", divide="ignore"):
        return sums[..., 0] / sums[..., 1], sums[..., 2] / sums[..., 3]


def _compare(measure: Measure, block: Floats, drawn: Floats, level: float) -> Diagnostic:
    total = block.sum(axis=0)
    low, high = (float(v) for v in _ratio(total))
    draws_low, draws_high = _ratio(drawn)
    counts = int((block[:, 1] > 0).sum()), int((block[:, 3] > 0).sum())
    return Diagnostic(
        name=measure.name,
        unit=measure.unit,
        meaning=measure.meaning,
        short=Estimate(low, *interval(draws_low, level), counts[0]),
        long=Estimate(high, *interval(draws_high, level), counts[1]),
        difference=Estimate(low - high, *interval(draws_low - draws_high, level), sum(counts)),
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
