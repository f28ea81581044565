"""Rejection rates: shares with intervals, critical values, and the rows of a check."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from statistics import NormalDist
from typing import Any, Literal, NamedTuple

import numpy as np
import numpy.typing as npt

from ...data import plain, short_repr
from .resampling import NORMAL_LEVEL

__all__ = [
    "Direction",
    "Interval",
    "RejectionRate",
    "Score",
    "SimulationCheck",
    "critical_value",
    "wilson",
]

Direction = Literal["+", "-", "0"]


class Score(NamedTuple):
    """What a test says about one market.

    Attributes
    ----------
    statistic : float
        Compared with critical values; NaN where the test does not apply to the market.
    p_value : float
        The one that the test reports as its own.
    supported : bool
        Whether the test's own verdict is that the claim holds.
    p_asymptotic : float
        Two-sided, if the statistic were standard normal; NaN where that makes no sense.
    """

    statistic: float
    p_value: float
    supported: bool
    p_asymptotic: float = math.nan


class Interval(NamedTuple):
    """A share and its 95 % interval (Wilson 1927)."""

    share: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class RejectionRate:
    """One test on the markets of one world at one strength.

    Attributes
    ----------
    test, world, calibration : str
    strength : float
        Factor on everything that hedging does.
    effect : float
        Mean over markets of the standard deviation of kappa times the strength's mechanism; 0
        where nothing is hedged.
    direction : {"+", "-", "0"}
        Sign of the statistic under the claim; "0" for either.
    markets, undefined : int
        Markets in which the test gave a number, and others.
    rejected : Interval
        The test as reported: its own p-value at or below the level.
    claimed : Interval
        The same, and the statistic in the claim's direction.
    supported : Interval
        The test's own verdict.
    simulated : Interval
        Statistic beyond the critical value of the null world, in the claim's direction. On the
        null world itself that value comes from other markets: an earlier check's, or else the
        first half, and the share is that of the second half.
    asymptotic : Interval
        Two-sided normal p-value at or below the level, for comparison.
    statistic_mean, statistic_sd : float
        Over markets.
    """

    test: str
    world: str
    calibration: str
    strength: float
    effect: float
    direction: Direction
    markets: int
    undefined: int
    rejected: Interval
    claimed: Interval
    supported: Interval
    simulated: Interval
    asymptotic: Interval
    statistic_mean: float
    statistic_sd: float


@dataclass(frozen=True, slots=True)
class SimulationCheck:
    """Size and power of some tests.

    Attributes
    ----------
    level : float
        Of the tests.
    seeds : int
        Markets per world and strength.
    sessions : int
        Length of each.
    critical : mapping of str to float
        Critical value of each test's statistic from the null world, in the claim's direction
        (absolute where the direction is "0"); NaN where the null world was not run.
    rates : tuple of RejectionRate
        By world, strength and test.
    """

    level: float
    seeds: int
    sessions: int
    critical: Mapping[str, float]
    rates: tuple[RejectionRate, ...]
    __repr__ = short_repr

    def document(self) -> dict[str, Any]:
        """Return everything as plain values; undefined is None.

        Returns
        -------
        dict of str to object
        """
        found: dict[str, Any] = plain(asdict(self))
        return found


def wilson(successes: int, trials: int, level: float = NORMAL_LEVEL) -> Interval:
    """Return a share and its Wilson score interval.

    Parameters
    ----------
    successes, trials : int
    level : float
        Coverage of the interval.

    Returns
    -------
    Interval
        NaN where there were no trials.

    Examples
    --------
    >>> [round(x, 4) for x in wilson(20, 400)]
    [0.05, 0.0326, 0.076]
    """
    if trials == 0:
        return Interval(math.nan, math.nan, math.nan)
    z = NormalDist().inv_cdf((1 + level) / 2)
    share = successes / trials
    scale = 1 + z**2 / trials
    centre = (share + z**2 / (2 * trials)) / scale
    half = z / scale * math.sqrt(share * (1 - share) / trials + z**2 / (4 * trials**2))
    return Interval(share, centre - half, centre + half)


def critical_value(statistics: npt.ArrayLike, direction: Direction, level: float) -> float:
    """Return the value beyond which a share `level` of the statistics lies.

    Parameters
    ----------
    statistics : array_like
        On markets where the claim is false; NaN is left out.
    direction : {"+", "-", "0"}
        The upper quantile, the lower one, or the upper one of the absolute value.
    level : float

    Returns
    -------
    float
        NaN where there is no statistic.

    Examples
    --------
    >>> critical_value(range(101), "-", 0.05)
    5.0
    """
    values = np.asarray(statistics, dtype=np.float64)
    values = values[np.isfinite(values)]
    if values.size == 0:
        return math.nan
    if direction == "-":
        return float(np.quantile(values, level))
    return float(np.quantile(np.abs(values) if direction == "0" else values, 1 - level))
