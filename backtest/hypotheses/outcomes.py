"""From a fitted coefficient to an outcome: the steps that all regression tests share."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from ..statistics.diagnostics.regression import Fit, coefficient_interval
from .protocol import Outcome, ResultTable, Settings

if TYPE_CHECKING:
    import pandas as pd

    from .evidence import Evidence

__all__ = ["coefficient_outcome", "detectable", "halves", "power", "score_series"]

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
    critical, tables, p_simulated, evidence
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
    )


def halves(used: npt.NDArray[np.bool_]) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_]]:
    """Return masks of the first and the second half of the rows used."""
    place = np.cumsum(used)
    first = place <= place[-1] // 2 if len(place) else used
    return used & first, used & ~first


def power(effect: float, std_error: float, alpha: float) -> float:
    """Return the probability that a two-sided test of that level finds an effect of that size.

    NaN where either is unknown.

    Examples
    --------
    >>> round(power(2.8, 1.0, 0.05), 2)
    0.8
    """
    from scipy.stats import norm

    if not (np.isfinite(effect) and std_error > 0.0):
        return float("nan")
    bound = norm.isf(alpha / 2.0)
    ratio = abs(effect) / std_error
    return float(norm.sf(bound - ratio) + norm.cdf(-bound - ratio))


def detectable(std_error: float, alpha: float) -> float:
    """Return the effect that the test would find with probability 0.8; NaN where unknown."""
    from scipy.stats import norm

    value = float((norm.isf(alpha / 2.0) + norm.isf(0.2)) * std_error)
    return value if np.isfinite(value) and value > 0.0 else float("nan")
