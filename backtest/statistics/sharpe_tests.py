"""Tests of a Sharpe ratio from its moments: probabilistic, deflated, shortest track record, FDR.

Every ratio is per period (mean over standard deviation of one session's or month's return), every
kurtosis is raw (3 for a normal variable). An annual ratio with counts of sessions is the
commonest error with these formulas: divide it by the root of the periods a year first.

References
----------
Bailey, Lopez de Prado (2012), The Sharpe ratio efficient frontier, J. Risk 15; (2014), The
deflated Sharpe ratio, J. Portfolio Management 40. Lopez de Prado, Lipton, Zoonekynd (2025), How to
use the Sharpe ratio.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache

from ...data import GexlabError

__all__ = [
    "Moments",
    "expected_best",
    "false_discovery_rate",
    "minimum_track_record",
    "observed_false_discovery_rate",
    "power",
    "probabilistic_sharpe",
    "sharpe_error",
    "spread_of_best",
]


@dataclass(frozen=True, slots=True)
class Moments:
    """Shape of the returns behind a Sharpe ratio.

    Attributes
    ----------
    skew : float
    kurtosis : float
        Raw: 3 for normal returns.
    autocorrelation : float
        First-order, of an autoregression of order one.
    """

    skew: float = 0.0
    kurtosis: float = 3.0
    autocorrelation: float = 0.0


NORMAL = Moments()


def sharpe_error(sharpe: float, periods: float, shape: Moments = NORMAL) -> float:
    """Return the standard error of a Sharpe ratio whose true value is `sharpe`, times root of n.

    Parameters
    ----------
    sharpe : float
        Per period.
    periods : float
        What the variance is divided by: observations, or one less where the paper says so.
    shape : Moments

    Examples
    --------
    24 months, skew -2.448 and kurtosis 10.164, ratio .036 / .079: .329.

    >>> round(sharpe_error(0.036 / 0.079, 24, Moments(-2.448, 10.164)), 3)
    0.329
    """
    if not periods > 0:
        return math.nan
    rho = shape.autocorrelation
    if not -1.0 < rho < 1.0:
        raise GexlabError(f"expected an autocorrelation between -1 and 1, found {rho}")
    first, second = rho / (1.0 - rho), rho**2 / (1.0 - rho**2)
    variance = (
        (1.0 + 2.0 * first)
        - (1.0 + first + second) * shape.skew * sharpe
        + (1.0 + 2.0 * second) * (shape.kurtosis - 1.0) / 4.0 * sharpe**2
    )
    # kurtosis is at least 1 + skew squared, so that only impossible moments give less than 0
    return math.sqrt(variance / periods) if variance > 0.0 else math.nan


def probabilistic_sharpe(
    sharpe: float, hurdle: float, error: float, *, spread: float = 1.0
) -> float:
    """Return the probability that the true ratio is above `hurdle`.

    Parameters
    ----------
    sharpe, hurdle : float
        Per period.
    error : float
        `sharpe_error`: at the ratio itself with n - 1 (2012), or at the hurdle with n (2025).
    spread : float
        Factor on the error: `spread_of_best` where the hurdle is the best of many (2025).

    Examples
    --------
    >>> error = sharpe_error(0.458, 23, Moments(-2.448, 10.164))
    >>> round(probabilistic_sharpe(0.458, 0.0, error), 3)
    0.913
    """
    return _normal_cdf((sharpe - hurdle) / (error * spread)) if error > 0.0 else math.nan


def expected_best(trials: float, variance: float) -> float:
    """Return the Sharpe ratio that the best of `trials` without skill is expected to show.

    Parameters
    ----------
    trials : float
        Independent ones; need not be whole (`effective_trials`).
    variance : float
        Of the trials' ratios, per period.

    Examples
    --------
    100 trials whose annual ratios have the variance 1/2, 250 periods a year: .1132 (2014, p. 10).

    >>> round(expected_best(100, 0.5 / 250), 4)
    0.1132
    """
    if not trials > 1.0:
        return 0.0
    g = 0.5772156649015329
    best = (1 - g) * _normal_ppf(1 - 1 / trials) + g * _normal_ppf(1 - 1 / (trials * math.e))
    return math.sqrt(variance) * max(best, 0.0)  # it is below 0 only under two trials


@cache
def spread_of_best(trials: int) -> float:
    """Return the standard deviation of the largest of `trials` standard normal variables.

    Examples
    --------
    >>> round(spread_of_best(10), 4)
    0.5868
    """
    import numpy as np
    from scipy.special import log_ndtr

    z = np.linspace(-10.0, 12.0, 20_001)
    log_density = -0.5 * z**2 - 0.5 * math.log(2.0 * math.pi)
    weight = trials * np.exp((trials - 1) * log_ndtr(z) + log_density)
    step = z[1] - z[0]
    mean = float(np.sum(z * weight) * step)
    return math.sqrt(float(np.sum((z - mean) ** 2 * weight) * step))


def minimum_track_record(
    sharpe: float,
    hurdle: float,
    alpha: float = 0.05,
    *,
    shape: Moments = NORMAL,
    at: float | None = None,
) -> float:
    """Return how many periods it takes until `sharpe` is above `hurdle` at level `alpha`.

    Parameters
    ----------
    sharpe, hurdle : float
        Per period.
    alpha : float
    shape : Moments
    at : float, optional
        Ratio at which the variance is taken and the count starts from 0 (the hurdle: 2025);
        default the observed one, and one period more (2012).

    Returns
    -------
    float
        Infinite where the ratio is not above the hurdle.

    Examples
    --------
    Annual 2 against 1, daily: 2.73 years.

    >>> round(minimum_track_record(2 / 252**0.5, 1 / 252**0.5) / 252, 2)
    2.73
    """
    if not sharpe > hurdle:
        return math.nan if math.isnan(sharpe) or math.isnan(hurdle) else math.inf
    error = sharpe_error(sharpe if at is None else at, 1.0, shape)
    needed = (error * _normal_ppf(1.0 - alpha) / (sharpe - hurdle)) ** 2
    return needed + (1.0 if at is None else 0.0)


def power(
    hurdle: float, true: float, periods: float, alpha: float = 0.05, *, shape: Moments = NORMAL
) -> float:
    """Return the probability that a true ratio is found above `hurdle` at level `alpha`.

    Examples
    --------
    >>> round(1 - power(0.0, 0.5, 24, shape=Moments(-2.448, 10.164)), 3)
    0.315
    """
    critical = hurdle + _normal_ppf(1.0 - alpha) * sharpe_error(hurdle, periods, shape)
    return _normal_cdf((true - critical) / sharpe_error(true, periods, shape))


def false_discovery_rate(prior: float, alpha: float, missed: float) -> float:
    """Return the probability that a rejection is false, before the ratio has been seen.

    Parameters
    ----------
    prior : float
        Share of strategies with skill.
    alpha : float
        Level of the test.
    missed : float
        1 - `power`.

    Examples
    --------
    >>> round(false_discovery_rate(0.05, 0.05, 0.315), 3)
    0.581
    """
    false, true = alpha * (1.0 - prior), (1.0 - missed) * prior
    return false / (false + true) if false + true > 0.0 else math.nan


def observed_false_discovery_rate(
    sharpe: float,
    periods: float,
    prior: float,
    *,
    hurdle: float = 0.0,
    true: float,
    shape: Moments = NORMAL,
) -> float:
    """Return the probability that a strategy whose ratio is at least `sharpe` has no skill.

    Parameters
    ----------
    sharpe, hurdle, true : float
        Per period: observed, without skill, and with it.
    periods, prior : float
        Observations; share of strategies with skill.
    shape : Moments
    """
    without = _normal_cdf((hurdle - sharpe) / sharpe_error(hurdle, periods, shape))
    with_skill = _normal_cdf((true - sharpe) / sharpe_error(true, periods, shape))
    return false_discovery_rate(prior, without, 1.0 - with_skill)


def _normal_cdf(z: float) -> float:
    return 0.5 * math.erfc(-z / math.sqrt(2.0))


def _normal_ppf(p: float) -> float:
    from scipy.special import ndtri

    return float(ndtri(p))
