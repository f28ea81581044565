"""From a fitted coefficient to an outcome: the steps that all regression tests share."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from ..statistics.diagnostics.regression import Fit, coefficient_interval
from ..statistics.intervals import in_words
from .protocol import Card, Outcome, ResultTable, Settings, Sign

if TYPE_CHECKING:
    import pandas as pd

    from .evidence import Evidence

__all__ = [
    "coefficient_outcome",
    "detectable",
    "effect_first",
    "halves",
    "needed_t",
    "one_sided",
    "power",
    "score_series",
]

Floats = npt.NDArray[np.float64]


def score_series(values: Floats, sessions: npt.NDArray[np.datetime64]) -> pd.Series[float]:
    """Return scores by session; several rows of one session are averaged by their share."""
    import pandas as pd

    series = pd.Series(values, index=pd.DatetimeIndex(sessions)).dropna()
    if series.index.has_duplicates:
        rows, groups = len(series), series.groupby(level=0).sum()
        return groups * (len(groups) / rows)
    return series


def coefficient_outcome(
    fit: Fit,
    name: str,
    sessions: npt.NDArray[np.datetime64],
    settings: Settings,
    *,
    supported: bool,
    reason: str,
    scale: float = 1.0,
    critical: float = float("nan"),
    tables: tuple[ResultTable, ...] = (),
    p_value: float | None = None,
    p_simulated: float = float("nan"),
    evidence: Evidence | None = None,
    margin: float = float("nan"),
) -> Outcome:
    """Return the outcome of a test whose estimate is one coefficient of a regression.

    Parameters
    ----------
    fit : Fit
    name : str
        The coefficient.
    sessions : ndarray of datetime64
        Session of each row that was given to the regression.
    settings : Settings
    supported, reason
        The verdict and its ground.
    scale : float
        Factor on the coefficient, e.g. 100 where the paper prints it so.
    critical, tables, p_simulated, evidence, margin
        As in `Outcome`.
    p_value : float, optional
        The test's own; default the normal one of t.
    """
    c = fit.coefficient(name)
    several = len(np.unique(sessions)) < len(sessions)
    low, high = coefficient_interval(fit, name, settings.resampling, sessions if several else None)
    return Outcome(
        estimate=scale * c.value,
        std_error=scale * c.std_error,
        t_stat=c.t_stat,
        p_value=c.p_value if p_value is None else p_value,
        n=c.n,
        low=scale * low,
        high=scale * high,
        supported=supported,
        reason=reason,
        p_simulated=p_simulated,
        critical=critical,
        scores=score_series(scale * (c.value + fit.influence(name)), sessions),
        tables=tables,
        evidence=evidence,
        margin=margin,
    )


def halves(used: npt.NDArray[np.bool_]) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_]]:
    """Return masks of the first and the second half of the rows used."""
    place = np.cumsum(used)
    first = place <= place[-1] // 2 if len(place) else used
    return used & first, used & ~first


def one_sided(t_stat: float, sign: Sign) -> float:
    """Return the normal p-value of t in the direction of a claim.

    Examples
    --------
    >>> round(one_sided(-1.6449, "-"), 3), round(one_sided(-1.6449, "+"), 3)
    (0.05, 0.95)
    """
    from scipy.stats import norm

    return float(norm.cdf(t_stat) if sign == "-" else norm.sf(t_stat))


def needed_t(outcome: Outcome, alpha: float) -> float:
    """Return how far t must lie from zero for the reported test to hold: its critical value.

    That of a one-sided test of the level, where the test has a smaller one or none.
    """
    from scipy.stats import norm

    bounds = [abs(b) for b in (outcome.critical, outcome.needed) if np.isfinite(b)]
    return max([float(norm.isf(alpha)), *bounds])


def power(effect: float, outcome: Outcome, alpha: float) -> float:
    """Return the probability that the reported test finds an effect of that size in this sample.

    Of an equivalence test: that it shows "no difference" where there is none.

    Parameters
    ----------
    effect : float
        In the estimate's unit.
    outcome : Outcome
        Its standard error says what a sample of this length tells; `needed_t` what is asked of it.
    alpha : float

    Returns
    -------
    float
        NaN where either is unknown.
    """
    from scipy.stats import norm

    error = outcome.std_error
    if not error > 0.0:
        return float("nan")
    if np.isfinite(outcome.margin):
        inside = outcome.margin / error - float(norm.isf(alpha))
        return max(0.0, float(2.0 * norm.cdf(inside) - 1.0))
    if not np.isfinite(effect):
        return float("nan")
    return float(norm.sf(needed_t(outcome, alpha) - abs(effect - outcome.null) / error))


def detectable(outcome: Outcome, alpha: float) -> float:
    """Return the effect that the reported test finds with probability 0.8; NaN where unknown.

    Of an equivalence test: the margin that it can show then.
    """
    from scipy.stats import norm

    if np.isfinite(outcome.margin):
        value = float(norm.isf(alpha) + norm.isf(0.1)) * outcome.std_error
    else:
        value = (needed_t(outcome, alpha) + float(norm.isf(0.2))) * outcome.std_error
    return value if np.isfinite(value) and value > 0.0 else float("nan")


def effect_first(card: Card, outcome: Outcome) -> str:
    """Return the estimate with its interval and unit, before anything is said of it."""
    interval = in_words(outcome.low, outcome.high, "+.3g")
    return f"{outcome.estimate:+.3g} {interval}, {card.estimate}"
