"""Serial dependence within sessions: autocorrelation and variance ratios by regime.

Returns of different sessions are never put next to each other.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ....data import NOISE, real_divisor
from ..intervals import ends, lacking, spread_of_scores
from ..resampling import Resampling, resampled_sums
from .regression import Fit, ols

__all__ = [
    "RatioByGroup",
    "VarianceRatioResult",
    "autocorrelation_on_gex",
    "daily_variance_ratio",
    "ratio_t",
    "session_sums",
    "variance_ratio_by_group",
]

Floats = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class VarianceRatioResult:
    """A variance ratio of one unbroken series (Lo and MacKinlay 1988, heteroskedastic).

    Attributes
    ----------
    ratio, z_stat, p_value : float
        Above 1: trending; below: reverting. Two-sided p.
    n : int
        Returns.
    """

    ratio: float
    z_stat: float
    p_value: float
    n: int


def daily_variance_ratio(log_prices: Floats, lags: int) -> VarianceRatioResult:
    """Return the variance ratio of an unbroken series of log prices, by ``arch``."""
    from arch.unitroot import VarianceRatio

    test = VarianceRatio(log_prices, lags=lags, robust=True, overlap=True, debiased=True)
    return VarianceRatioResult(
        float(test.vr), float(test.stat), float(test.pvalue), len(log_prices) - 1
    )


@dataclass(frozen=True, slots=True, eq=False)
class RatioByGroup:
    """Within-session variance ratios of two groups of sessions.

    Attributes
    ----------
    low, high, difference : tuple of float
        Value, lower and upper end of the interval; the difference is high less low.
    std_error : float
        Of the difference, by bootstrap of sessions.
    n_low, n_high : int
        Sessions.
    scores : ndarray, shape (sessions,)
        Linear expansion of the difference, session by session.
    """

    low: tuple[float, float, float]
    high: tuple[float, float, float]
    difference: tuple[float, float, float]
    std_error: float
    n_low: int
    n_high: int
    scores: Floats


def _ratio_sums(returns: Floats, q: int) -> Floats:
    """Return each session's sums for a variance ratio: squares of 1 step, of q steps, counts."""
    padded = np.concatenate([np.zeros((len(returns), 1)), returns.cumsum(axis=1)], axis=1)
    long = padded[:, q:] - padded[:, :-q]
    one, known = np.nan_to_num(returns), np.isfinite(returns)
    many = np.isfinite(long)
    return np.column_stack(
        [
            (one**2).sum(axis=1),
            known.sum(axis=1),
            (np.nan_to_num(long) ** 2).sum(axis=1),
            many.sum(axis=1),
        ]
    ).astype(np.float64)


def _ratio(sums: Floats, q: int) -> Floats:
    with np.errstate(invalid="ignore", divide="ignore"):
        one, many = sums[..., 0] / sums[..., 1], sums[..., 2] / sums[..., 3]
        return np.asarray(many / real_divisor(q * one, NOISE**2), dtype=np.float64)


def session_sums(returns: Floats, q: int) -> Floats:
    """Return what each session adds to a variance ratio, scaled to unit variance, shape (s, 4).

    Zeros where the session did not move.
    """
    scale = np.sqrt(np.nanmean(np.where(np.isfinite(returns), returns, np.nan) ** 2, axis=1))
    with np.errstate(invalid="ignore", divide="ignore"):
        sums = _ratio_sums(returns / scale[:, None], q)
    return np.where(np.asarray(scale > NOISE)[:, None], sums, 0.0)


def ratio_t(sums: Floats, low: Mask, high: Mask, q: int) -> float:
    """Return the difference of two groups' variance ratios over its error by linear expansion.

    Parameters
    ----------
    sums : ndarray, shape (s, 4)
        Of `session_sums`.
    low, high : ndarray of bool, shape (s,)
    q : int
        Steps.
    """
    both = np.column_stack([sums * low[:, None], sums * high[:, None]])
    total = both.sum(axis=0)
    at_low, at_high = float(_ratio(total[:4], q)), float(_ratio(total[4:], q))
    scores = _expansion(both[:, 4:], q, at_high) - _expansion(both[:, :4], q, at_low)
    error = float(scores.std(ddof=1)) / np.sqrt(len(scores))
    return (at_high - at_low) / error if error > 0.0 else float("nan")


def variance_ratio_by_group(
    returns: Floats, low: Mask, high: Mask, q: int, how: Resampling
) -> RatioByGroup:
    """Return the variance of q-step returns over q times that of one step, by group.

    Parameters
    ----------
    returns : ndarray, shape (sessions, m)
        Intraday log returns; NaN where there is none. Their mean within a session is taken as
        zero. Each session is first scaled to its group-free unit variance, so that wild sessions
        do not decide alone.
    low, high : ndarray of bool, shape (sessions,)
    q : int
        Steps.
    how : Resampling
        Sessions are resampled in blocks.
    """
    scale = np.sqrt(np.nanmean(np.where(np.isfinite(returns), returns, np.nan) ** 2, axis=1))
    with np.errstate(invalid="ignore", divide="ignore"):
        sums = _ratio_sums(returns / scale[:, None], q)
    moving = np.asarray(scale > NOISE)
    sums = np.where(moving[:, None], sums, 0.0)
    both = np.column_stack([sums * low[:, None], sums * high[:, None]])
    drawn = resampled_sums(both, how)
    draws_low, draws_high = _ratio(drawn[:, :4], q), _ratio(drawn[:, 4:], q)
    total = both.sum(axis=0)
    at_low, at_high = float(_ratio(total[:4], q)), float(_ratio(total[4:], q))
    gap = draws_high - draws_low
    parts = [_expansion(both[:, k : k + 4], q, v) for k, v in ((0, at_low), (4, at_high))]
    sizes = int((low & moving).sum()), int((high & moving).sum())
    value = at_high - at_low
    return RatioByGroup(
        low=(at_low, *_ends(at_low, parts[0], sizes[:1], how.level)),
        high=(at_high, *_ends(at_high, parts[1], sizes[1:], how.level)),
        difference=(value, *_ends(value, parts[1] - parts[0], sizes, how.level)),
        std_error=float(np.nanstd(gap, ddof=1)),
        n_low=sizes[0],
        n_high=sizes[1],
        scores=value + parts[1] - parts[0],
    )


def _ends(
    value: float, scores: Floats, sizes: tuple[int, ...], level: float
) -> tuple[float, float]:
    if lacking(sizes):
        return float("nan"), float("nan")
    used = scores[scores != 0.0][:, None]
    return ends(value, spread_of_scores(used / len(scores))[0], level)


def _expansion(sums: Floats, q: int, value: float) -> Floats:
    """Return session scores whose mean is what a ratio lies off its truth, to first order."""
    mean = sums.mean(axis=0)
    one, many = mean[0] / mean[1], mean[2] / mean[3]
    return np.asarray(
        value
        * (
            (sums[:, 2] - many * sums[:, 3]) / (mean[3] * many)
            - (sums[:, 0] - one * sums[:, 1]) / (mean[1] * one)
        )
    )


def autocorrelation_on_gex(
    returns: Floats, gex: Floats, sessions: npt.NDArray[np.datetime64]
) -> Fit:
    """Regress each intraday return on the one before it, and on that times GEX.

    Parameters
    ----------
    returns : ndarray, shape (sessions, m)
        Log returns over the horizon in question.
    gex : ndarray, shape (sessions,)
        Known before the session, standardised.
    sessions : ndarray of datetime64, shape (sessions,)

    Returns
    -------
    Fit
        ``lagged`` is the autocorrelation at mean GEX, ``interaction`` its change per unit of
        `gex`; clustered by session.
    """
    scale = np.sqrt(np.nanmean(returns**2, axis=1, keepdims=True))
    with np.errstate(invalid="ignore", divide="ignore"):
        r = np.where(scale > 0, returns / scale, np.nan)
    lagged, current = r[:, :-1], r[:, 1:]
    level = np.broadcast_to(gex[:, None], lagged.shape)
    group = np.broadcast_to(np.arange(len(sessions))[:, None], lagged.shape)
    columns = {
        "lagged": lagged.ravel(),
        "interaction": (lagged * level).ravel(),
        "gex": level.ravel(),
    }
    return ols(current.ravel(), columns, clusters=group.ravel())
