"""What a Sharpe ratio says of skill: sessions that it takes, and how often none is behind it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from ...data import short_repr
from ..statistics.multiple import column_moments
from ..statistics.sharpe_tests import (
    Moments,
    minimum_track_record,
    observed_false_discovery_rate,
)

__all__ = ["SKILLED_SHARE", "SKILLED_SHARPE", "Skill", "skill_of"]

Floats = npt.NDArray[np.float64]

#: What false discoveries are counted against: one trial in twenty has an annual ratio of 1.
SKILLED_SHARE: Final = 0.05
SKILLED_SHARPE: Final = 1.0
_FEWEST: Final = 3


@dataclass(frozen=True, slots=True, eq=False)
class Skill:
    """What the ratios of trials say of skill, shape (k,) each.

    Attributes
    ----------
    track_record : ndarray
        Sessions until a ratio like this one is above zero at 5 %, one-sided, with its skew and
        kurtosis (Bailey and Lopez de Prado 2012); NaN where it is not above zero.
    false_discovery : ndarray
        Probability that a trial whose ratio is at least this one has no skill, if `SKILLED_SHARE`
        of them have a true annual ratio of `SKILLED_SHARPE` (Lopez de Prado, Lipton, Zoonekynd
        2025); NaN where undefined.
    """

    track_record: Floats
    false_discovery: Floats
    __repr__ = short_repr


def skill_of(returns: Floats, year: int) -> Skill:
    """Return what trials' returns say of skill.

    Parameters
    ----------
    returns : ndarray, shape (n, k)
        Per session; NaN where a trial has none.
    year : int
        Sessions a year.
    """
    columns = column_moments(returns)
    track_record, false_discovery = np.full((2, returns.shape[1]), np.nan)
    for j, n in enumerate(columns.n.tolist()):
        ratio = float(columns.ratio[j])
        if n < _FEWEST or not math.isfinite(ratio):
            continue
        shape = Moments(float(columns.skew[j]), float(columns.kurtosis[j]))
        if ratio > 0.0:
            track_record[j] = minimum_track_record(ratio, 0.0, shape=shape)
        true = SKILLED_SHARPE / math.sqrt(year)
        false_discovery[j] = observed_false_discovery_rate(
            ratio, n, SKILLED_SHARE, true=true, shape=shape
        )
    return Skill(track_record, false_discovery)
