"""Corrections for the number of things tried."""

from __future__ import annotations

from typing import TYPE_CHECKING

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
    "benjamini_hochberg",
    "benjamini_yekutieli",
    "deflated_sharpe",
    "deflated_sharpes",
    "holm",
    "romano_wolf",
]

Floats = npt.NDArray[np.float64]

_NEVER = "(none)"


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


def holm(p_values: npt.ArrayLike) -> Floats:
    """Return adjusted p-values that control the familywise error under any dependence.

    Examples
    --------
    >>> holm([0.01, 0.04, 0.03]).round(3).tolist()
    [0.03, 0.06, 0.06]
    """
    return _adjusted(p_values, "holm")


def _adjusted(p_values: npt.ArrayLike, method: str) -> Floats:
    from statsmodels.stats.multitest import multipletests

    p = np.asarray(p_values, dtype=np.float64)
    known = np.isfinite(p)
    out = np.full(len(p), np.nan)
    if known.any():
        out[known] = multipletests(p[known], method=method)[1]
    return out


def romano_wolf(
    scores: Mapping[str, pd.Series[float]], how: Resampling, alpha: float = 0.05
) -> frozenset[str]:
    """Return the names whose mean score is above zero, familywise error at most `alpha`.

    Parameters
    ----------
    scores : mapping of str to Series
        By session, oriented so that the claim means a positive mean. Series may cover different
        sessions: outside its own, a series adds nothing to its mean's error.
    how : Resampling
        Stationary bootstrap of sessions, shared by all tests so that their dependence counts.
    alpha : float

    Notes
    -----
    Stepdown of Romano and Wolf (2005), ``arch.bootstrap.StepM``, on means that are studentised
    by their bootstrap errors.
    """
    from arch.bootstrap import StepM

    usable = {
        k: s for k, s in scores.items() if len(s) > 2 and s.std() > NOISE * float(s.abs().max())
    }
    if not usable:
        return frozenset()
    table = _studentised(usable, how)
    step = StepM(
        np.zeros(len(table)),
        -table,
        size=alpha,
        block_size=min(round(how.block), len(table)),
        reps=how.replications,
        bootstrap="stationary",
        studentize=True,
        nested=False,
        seed=how.seed,
    )
    step.compute()
    return frozenset(str(name) for name in step.superior_models) - {_NEVER}


def _studentised(scores: Mapping[str, pd.Series[float]], how: Resampling) -> pd.DataFrame:
    """Return scores on all sessions, each in units of its mean's standard error.

    ``arch`` compares means in their own units, so that without this the widest would decide for
    all. It also fails once every model is superior, so a column that never is stands in.
    """
    import pandas as pd

    table = pd.DataFrame({name: s - float(s.mean()) for name, s in scores.items()}).sort_index()
    lengths = np.array([len(s) for s in scores.values()], dtype=np.float64)
    spread = np.nan_to_num(table.to_numpy(dtype=np.float64)) * (len(table) / lengths)
    errors = (resampled_sums(spread, how) / len(table)).std(axis=0, ddof=1)
    means = np.array([float(s.mean()) for s in scores.values()])
    out = dict(zip(scores, ((spread + means) / errors).T, strict=True))
    out[_NEVER] = np.where(np.arange(len(table)) % 2, -11.0, -9.0)
    return pd.DataFrame(out, index=table.index)


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
        variance = 1.0 - skew * ratio + (kurtosis - 1.0) / 4.0 * ratio**2
        error = np.sqrt(np.where(variance > 0.0, variance, np.nan) / (at_least - 1))
    hurdle = expected_best(trials, trial_variance)
    return np.where(n >= 3, ndtr((ratio - hurdle) / error), np.nan)
