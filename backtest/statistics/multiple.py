"""Corrections for the number of things tried."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt

from ...data import NOISE
from .metrics import per_session_sharpe, sharpe_of_moments
from .resampling import Resampling, resampled_sums
from .sharpe_tests import Moments, expected_best, probabilistic_sharpe, sharpe_error

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd

__all__ = [
    "ColumnMoments",
    "benjamini_hochberg",
    "benjamini_yekutieli",
    "column_moments",
    "deflated_sharpe",
    "deflated_sharpes",
    "romano_wolf",
]

Floats = npt.NDArray[np.float64]
#: Columns whose sessions a processor keeps beside itself.
_COLUMNS: Final = 64


def benjamini_hochberg(p_values: npt.ArrayLike) -> Floats:
    """Return adjusted p-values that control the false discovery rate; NaN stays NaN.

    Tests without a p-value do not count as tests.

    Examples
    --------
    >>> benjamini_hochberg([0.01, 0.04, 0.03, float("nan")]).round(3).tolist()
    [0.03, 0.04, 0.04, nan]
    """
    return _adjusted(p_values, "fdr_bh")


def benjamini_yekutieli(p_values: npt.ArrayLike) -> Floats:
    """Return adjusted p-values that control the false discovery rate under any dependence.

    Examples
    --------
    Two tests: the smaller p-value times 2 (1 + 1/2), the larger one times 1 + 1/2.

    >>> benjamini_yekutieli([0.01, 0.04]).round(3).tolist()
    [0.03, 0.06]
    """
    return _adjusted(p_values, "fdr_by")


def _adjusted(p_values: npt.ArrayLike, method: str) -> Floats:
    from statsmodels.stats.multitest import multipletests

    p = np.asarray(p_values, dtype=np.float64)
    known = np.isfinite(p)
    out = np.full(len(p), np.nan)
    if known.any():
        out[known] = multipletests(p[known], method=method)[1]
    return out


def romano_wolf(
    p_values: Mapping[str, float], scores: Mapping[str, pd.Series[float]], how: Resampling
) -> dict[str, float]:
    """Return p-values adjusted for the smallest of many, stepping down.

    Parameters
    ----------
    p_values : mapping of str to float
        One-sided, each test's own; those that are NaN take no part.
    scores : mapping of str to Series
        By session, oriented so that the claim means a positive mean: from them comes how the tests
        depend on each other. Series may cover different sessions. A test without scores counts as
        independent of the others.
    how : Resampling
        Stationary bootstrap of sessions, shared by all tests.

    Returns
    -------
    dict of str to float
        Rejecting those of at most 5 % keeps the probability of any wrong one at 5 %.

    Notes
    -----
    Stepdown of Romano and Wolf (2005) on p-values: the smallest p is held against the smallest of
    resampled ones, the next against the smallest of the tests that are left, and so on. A resampled
    p is the rank of the test's centred statistic among its own resamples.

    Examples
    --------
    Without scores the tests are independent: of two the smaller p becomes about 1 - (1 - p)^2.

    >>> found = romano_wolf({"a": 0.02, "b": 0.5}, {}, Resampling(replications=20_000))
    >>> [round(p, 2) for p in found.values()]
    [0.04, 0.5]
    """
    names = sorted((n for n, p in p_values.items() if np.isfinite(p)), key=lambda n: p_values[n])
    if not names:
        return {}
    drawn = _resampled_p({n: scores[n] for n in names if n in scores}, how)
    rng = np.random.default_rng([how.seed, 1])
    columns = [drawn[name] if name in drawn else rng.random(how.replications) for name in names]
    smallest = np.minimum.accumulate(np.array(columns)[::-1], axis=0)[::-1]
    adjusted, largest = {}, 0.0
    for name, least in zip(names, smallest, strict=True):
        hits = float((least <= p_values[name]).sum())
        largest = max(largest, p_values[name], (1.0 + hits) / (1.0 + how.replications))
        adjusted[name] = min(largest, 1.0)
    return {name: adjusted[name] for name in p_values if name in adjusted}


def _resampled_p(scores: Mapping[str, pd.Series[float]], how: Resampling) -> dict[str, Floats]:
    """Return by test the p-value in each resample of sessions, were its mean zero."""
    import pandas as pd
    from scipy.stats import rankdata

    usable = {
        k: s for k, s in scores.items() if len(s) > 2 and s.std() > NOISE * float(s.abs().max())
    }
    if not usable:
        return {}
    table = pd.DataFrame({name: s - float(s.mean()) for name, s in usable.items()}).sort_index()
    centred = np.nan_to_num(table.to_numpy(dtype=np.float64))
    means = resampled_sums(centred, how)
    draws = len(means)
    return {
        name: (draws + 1.0 - rankdata(means[:, k], method="min")) / draws
        for k, name in enumerate(usable)
    }


def deflated_sharpe(returns: npt.ArrayLike, trials: int, trial_variance: float) -> float:
    """Return the probability that the Sharpe ratio is above what the best of many would show.

    Parameters
    ----------
    returns : array_like, shape (n,)
        Per session; NaN rows are left out.
    trials : int
        Configurations ever evaluated, this one included.
    trial_variance : float
        Variance of the per-session Sharpe ratios of the trials.

    Returns
    -------
    float
        0 ... 1; NaN below three returns or without variation.

    References
    ----------
    Bailey, Lopez de Prado (2014), The Deflated Sharpe Ratio, J. Portfolio Management 40.
    """
    from scipy.stats import kurtosis, skew

    x = np.asarray(returns, dtype=np.float64)
    x = x[np.isfinite(x)]
    sharpe = per_session_sharpe(x)
    if len(x) < 3 or not np.isfinite(sharpe):
        return float("nan")
    shape = Moments(float(skew(x)), float(kurtosis(x, fisher=False)))
    error = sharpe_error(sharpe, len(x) - 1, shape)
    return probabilistic_sharpe(sharpe, expected_best(trials, trial_variance), error)


def deflated_sharpes(returns: Floats, trials: int, trial_variance: float) -> Floats:
    """Return `deflated_sharpe` of every column at once.

    Parameters
    ----------
    returns : ndarray, shape (n, k)
        Per session; NaN where a trial has none.
    trials : int
    trial_variance : float
    """
    from scipy.special import ndtr

    columns = column_moments(returns)
    n, ratio, kurtosis = columns.n, columns.ratio, columns.kurtosis
    with np.errstate(divide="ignore", invalid="ignore"):
        variance = 1.0 - columns.skew * ratio + (kurtosis - 1.0) / 4.0 * ratio**2
        error = np.sqrt(np.where(variance > 0.0, variance, np.nan) / (np.maximum(n, 2) - 1))
    hurdle = expected_best(trials, trial_variance)
    return np.where(n >= 3, ndtr((ratio - hurdle) / error), np.nan)


@dataclass(frozen=True, slots=True, eq=False)
class ColumnMoments:
    """Moments of columns of returns, shape (k,) each.

    Attributes
    ----------
    n : ndarray of int
        Returns that there are.
    ratio : ndarray
        Sharpe ratio per session; NaN where returns do not vary.
    skew, kurtosis : ndarray
        Kurtosis raw: 3 for normal returns.
    """

    n: npt.NDArray[np.int64]
    ratio: Floats
    skew: Floats
    kurtosis: Floats


def column_moments(returns: Floats) -> ColumnMoments:
    """Return the moments of every column at once.

    Parameters
    ----------
    returns : ndarray, shape (n, k)
        Per session; NaN where there is none.
    """
    if not returns.shape[1]:
        return _moments(returns)
    starts = range(0, returns.shape[1], _COLUMNS)
    parts = [_moments(returns[:, first : first + _COLUMNS]) for first in starts]
    return ColumnMoments(
        *(np.concatenate([getattr(part, f.name) for part in parts]) for f in fields(ColumnMoments))
    )


def _moments(returns: Floats) -> ColumnMoments:
    known = np.isfinite(returns)
    n = known.sum(axis=0)
    at_least = np.maximum(n, 2)
    filled = np.where(known, returns, 0.0)
    mean = filled.sum(axis=0) / np.maximum(n, 1)
    centred = np.where(known, returns - mean, 0.0)
    squares = centred * centred
    second = squares.sum(axis=0)
    third = (squares * centred).sum(axis=0)
    fourth = (squares * squares).sum(axis=0)
    ratio = sharpe_of_moments(mean, np.sqrt(second / (at_least - 1)), year=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        skew = third / at_least / (second / at_least) ** 1.5
        kurtosis = fourth / at_least / (second / at_least) ** 2
    return ColumnMoments(n, ratio, skew, kurtosis)
