"""Haircut Sharpe ratios: what is left of one after the tests that were made with it.

References
----------
Harvey, Liu (2015), Backtesting, J. Portfolio Management 42; Harvey, Liu, Zhu (2016), ... and the
cross-section of expected returns, RFS 29, for the distribution of the other tests' statistics.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from ...data import GexlabError

__all__ = ["Adjusted", "Haircut", "haircut_sharpe", "other_statistics"]

Floats = npt.NDArray[np.float64]
_MONTHS: Final = 12
#: Harvey, Liu and Zhu's estimates by correlation of tests: share without an effect, and mean
#: monthly return of the others (exponential).
_CORRELATIONS: Final = (0.0, 0.2, 0.4, 0.6, 0.8)
_NULL_SHARES: Final = (0.39660, 0.44589, 0.48604, 0.59902, 0.83901)
_MEANS: Final = (0.0054995, 0.0055508, 0.0055413, 0.0055512, 0.0055956)
#: Months and monthly volatility of the strategies that they simulate.
_LENGTH: Final = 240
_VOLATILITY: Final = 0.15 / math.sqrt(12.0)


@dataclass(frozen=True, slots=True)
class Adjusted:
    """One correction of a Sharpe ratio.

    Attributes
    ----------
    p_value : float
    sharpe : float
        Annual ratio that one test alone with this p-value would have shown.
    haircut : float
        Share of the ratio that is cut off.
    """

    p_value: float
    sharpe: float
    haircut: float


@dataclass(frozen=True, slots=True)
class Haircut:
    """A Sharpe ratio after correction for the number of tests.

    Attributes
    ----------
    sharpe : float
        Annual, after correction for autocorrelation.
    p_value : float
        Two-sided, of one test alone.
    bonferroni, holm, bhy, mean : Adjusted
        `bhy`: Benjamini, Hochberg and Yekutieli; `mean`: of the three p-values.
    """

    sharpe: float
    p_value: float
    bonferroni: Adjusted
    holm: Adjusted
    bhy: Adjusted
    mean: Adjusted


def haircut_sharpe(
    sharpe: float,
    observations: int,
    tests: int,
    *,
    year: int = _MONTHS,
    autocorrelation: float = 0.0,
    correlation: float = 0.4,
    draws: int = 2_000,
    seed: int = 7,
) -> Haircut:
    """Return an annual Sharpe ratio after the corrections of Harvey and Liu.

    Parameters
    ----------
    sharpe : float
        Annual.
    observations : int
        Periods of the track record.
    tests : int
        Others that were made, as for the ledger's count less one.
    year : int
        Periods a year: 12 for months, 252 for sessions.
    autocorrelation : float
        First-order, of a period's return; the annual ratio is taken to ignore it.
    correlation : float
        Between tests, 0 ... 0.8.
    draws, seed : int
        Of the simulated other tests, from which Holm and BHY take their ranks.

    Examples
    --------
    >>> round(haircut_sharpe(1.0, 120, 100, autocorrelation=0.1).bonferroni.p_value, 3)
    0.465
    """
    from scipy.stats import t as student

    if tests < 1 or observations < 3:
        raise GexlabError(
            f"expected at least one test and three observations, found {tests} and {observations}"
        )
    annual = sharpe * _annual_factor(autocorrelation, year)
    statistic = annual / math.sqrt(year) * math.sqrt(observations)
    p = 2.0 * float(student.sf(abs(statistic), observations - 1))
    others = other_statistics(tests, draws, correlation, seed)
    by_holm, by_bhy = _ranked(p, others)
    values = (min(tests * p, 1.0), by_holm, by_bhy)

    def adjusted(value: float) -> Adjusted:
        t = float(student.isf(min(value, 1.0) / 2.0, observations - 1))
        ratio = math.copysign(t / math.sqrt(observations) * math.sqrt(year), annual)
        return Adjusted(value, ratio, 1.0 - ratio / annual if annual else math.nan)

    return Haircut(
        sharpe=annual,
        p_value=p,
        bonferroni=adjusted(values[0]),
        holm=adjusted(values[1]),
        bhy=adjusted(values[2]),
        mean=adjusted(sum(values) / 3.0),
    )


def other_statistics(tests: int, draws: int, correlation: float, seed: int) -> Floats:
    """Return simulated absolute t statistics of other tests, shape (draws, tests).

    The model of Harvey, Liu and Zhu: a share of the strategies has no effect, the others a mean
    drawn from an exponential; shocks are equally correlated. Between the correlations that they
    print, the parameters are interpolated.

    Raises
    ------
    GexlabError
        If the correlation is beyond those for which the parameters were estimated.
    """
    if not _CORRELATIONS[0] <= correlation <= _CORRELATIONS[-1]:
        raise GexlabError(f"expected a correlation of tests from 0 to 0.8, found {correlation}")
    null = float(np.interp(correlation, _CORRELATIONS, _NULL_SHARES))
    mean = float(np.interp(correlation, _CORRELATIONS, _MEANS))
    rng = np.random.default_rng(seed)
    error = _VOLATILITY / math.sqrt(_LENGTH)
    shared = rng.standard_normal((draws, 1)) * math.sqrt(correlation)
    shocks = shared + rng.standard_normal((draws, tests)) * math.sqrt(1.0 - correlation)
    effects = rng.exponential(mean, (draws, tests)) * (rng.random((draws, tests)) > null)
    return np.abs(effects / error + shocks)


def _annual_factor(autocorrelation: float, year: int) -> float:
    """Return by how much autocorrelation changes the annual ratio (Lo 2002)."""
    rho = autocorrelation
    if not -1.0 < rho < 1.0:
        raise GexlabError(f"expected an autocorrelation between -1 and 1, found {rho}")
    inner = 1.0 + 2.0 * rho / (1.0 - rho) * (1.0 - (1.0 - rho**year) / (year * (1.0 - rho)))
    return 1.0 / math.sqrt(inner) if inner > 0.0 else math.nan


def _ranked(p: float, others: Floats) -> tuple[float, float]:
    """Return the median over draws of the p-value adjusted among the others: Holm and BHY."""
    from scipy.special import ndtr

    draws, tests = others.shape
    family = np.sort(np.column_stack([2.0 * ndtr(-others), np.full(draws, p)]), axis=1)
    size = tests + 1
    rank = np.arange(1, size + 1)
    to_holm = np.where(family <= p, (size + 1 - rank) * family, 0.0).max(axis=1)
    harmonic = np.sum(1.0 / rank)
    to_bhy = np.where(family >= p, size * harmonic / rank * family, np.inf).min(axis=1)
    return float(np.median(np.minimum(to_holm, 1.0))), float(np.median(np.minimum(to_bhy, 1.0)))
