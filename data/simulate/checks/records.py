"""What a check of a world says: theory, measured value, simulation error, verdict."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import Literal

import numpy as np
import numpy.typing as npt

__all__ = ["FALSE_ALARM", "WorldCheck", "WorldsCheck", "check_limit", "error_of_mean", "slope"]

Floats = npt.NDArray[np.float64]

#: Probability that a run of checks on sound worlds fails anywhere.
FALSE_ALARM = 0.01


@dataclass(frozen=True, slots=True)
class WorldCheck:
    """One quantity of a world: what theory says, and what the simulation shows.

    Attributes
    ----------
    world : str
    quantity : str
        In words.
    theory : float
        From a closed form or a table of the specification; with `relation` "<" or ">" a bound;
        NaN where the measured value is only reported.
    measured : float
    error : float
        Standard error of `measured` minus `theory` over simulations; 0 where nothing is random.
    n : int
    unit : str
        What `n` counts: sessions, paths, markets, expirations, rows of the regime table.
    relation : {"=", "<", ">", "reported"}
        How `measured` must stand to `theory`; "reported" holds always.
    tolerance : float
        Distance that is no deviation: rounding of a printed value or of arithmetic.
    """

    world: str
    quantity: str
    theory: float
    measured: float
    error: float
    n: int
    unit: str
    relation: Literal["=", "<", ">", "reported"] = "="
    tolerance: float = 0.0

    @property
    def z(self) -> float:
        """Distance from theory beyond the tolerance, in standard errors.

        Examples
        --------
        >>> WorldCheck("S1", "slope", -1.0, -0.98, 0.01, 100, "sessions").z.__round__(6)
        2.0
        >>> WorldCheck("S1", "net GEX", 0.0, 1e-9, 0.0, 2, "sessions", tolerance=1e-6).z
        0.0
        """
        distance = self.measured - self.theory
        beyond = math.copysign(max(abs(distance) - self.tolerance, 0.0), distance)
        if self.error > 0:
            return beyond / self.error
        if math.isnan(distance):
            return math.nan
        return 0.0 if beyond == 0 else math.copysign(math.inf, beyond)

    @property
    def is_random(self) -> bool:
        """Whether the check can fail by chance."""
        return self.error > 0

    def holds(self, limit: float) -> bool:
        """Return whether theory stands at a limit of `limit` standard errors.

        Parameters
        ----------
        limit : float
            Standard errors.

        Returns
        -------
        bool
        """
        if self.relation == "reported":
            return True
        if self.relation == "=":
            return abs(self.z) <= limit
        return self.z < -limit if self.relation == "<" else self.z > limit


@dataclass(frozen=True, slots=True)
class WorldsCheck:
    """Checks of several worlds, with one limit for all.

    Attributes
    ----------
    checks : tuple of Check
    limit : float
        Standard errors beyond which a check fails.
    false_alarm : float
        Probability that any of the random checks fails although every world is sound.
    seed : int or None
        None where a lake was checked.
    seconds : float
    """

    checks: tuple[WorldCheck, ...]
    limit: float
    false_alarm: float
    seed: int | None
    seconds: float

    @property
    def failed(self) -> tuple[WorldCheck, ...]:
        """The checks that fail."""
        return tuple(check for check in self.checks if not check.holds(self.limit))


def check_limit(checks: Sequence[WorldCheck], false_alarm: float = FALSE_ALARM) -> float:
    """Return the limit, in standard errors, that all random checks share (Bonferroni).

    Examples
    --------
    >>> one = WorldCheck("S1", "slope", 0.0, 0.0, 1.0, 1, "sessions")
    >>> round(check_limit([one], 0.05), 2), round(check_limit([one] * 50, 0.05), 2)
    (1.96, 3.29)
    """
    number = max(sum(check.is_random for check in checks), 1)
    return NormalDist().inv_cdf(1 - false_alarm / (2 * number))


def slope(y: Floats, x: Floats) -> tuple[float, float]:
    """Return the least-squares slope, with an intercept, and its robust (HC0) standard error."""
    x0 = x - x.mean()
    b = float(x0 @ y / (x0 @ x0))
    residual = y - y.mean() - b * x0
    return b, float(np.sqrt(x0**2 @ residual**2) / (x0 @ x0))


def error_of_mean(values: npt.ArrayLike) -> tuple[float, float]:
    """Return the mean of independent values and its standard error."""
    x = np.asarray(values, dtype=np.float64)
    return float(x.mean()), float(x.std(ddof=1) / np.sqrt(x.size))
