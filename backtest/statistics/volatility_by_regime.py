"""What happened to volatility after each regime: today, the next session, the next 5 and 21.

Descriptions, not forecasts: labels and quantiles are taken over the whole sample and never feed
a rule. The label of a session is what was computed from its close; "next" starts after it.
"""

from __future__ import annotations

from math import nan
from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt

from ...data import (
    EXCHANGE_SESSIONS,
    NOISE,
    REGIMES,
    real_difference,
    real_divisor,
    varies,
    without_rounding,
)
from ..run.results import Estimate, Ratio, VolatilityCell, VolatilitySummary
from . import realised
from .intervals import (
    CORRELATIONS,
    VARIANCES,
    Group,
    ends,
    lacking,
    spread_of_groups,
    spread_of_scores,
)
from .resampling import Resampling

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pandas as pd

__all__ = [
    "HORIZONS",
    "autocorrelation_by_regime",
    "correlation",
    "next_return_sd_by_quantile",
    "quantile_groups",
    "range_efficiency",
    "volatility_ratio",
    "volatility_summary",
]

Floats = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]

#: First and last session of each horizon, counted from the labelled one.
HORIZONS: Final[Mapping[str, tuple[int, int]]] = {
    "today": (0, 0),
    "next_1": (1, 1),
    "next_5": (1, 5),
    "next_21": (1, 21),
}


def volatility_summary(
    bars: pd.DataFrame,
    regime: pd.Series[str],
    value: pd.Series[float],
    *,
    intraday_variance: pd.Series[float] | None = None,
    quantiles: int = 4,
    resampling: Resampling | None = None,
    year: int = EXCHANGE_SESSIONS,
) -> VolatilitySummary:
    """Return realised volatility by regime and by quantile of the regime's value.

    Parameters
    ----------
    bars : DataFrame
        Daily ``open, high, low, close`` by session, a missing bar as a row of NaN.
    regime : Series of str
        Label by session; sessions of `bars` without one belong to no regime.
    value : Series of float
        The regime's value (net GEX) by session.
    intraday_variance : Series of float, optional
        Realised variance by session, from intraday bars: adds ``realised_variance``.
    quantiles : int
    resampling : Resampling, optional
        Its level is the coverage of the intervals.
    year : int
        Sessions a year.

    Returns
    -------
    VolatilitySummary
        Annualised, decimal. The volatility of a horizon pools the variance of all its sessions
        (the mean under the root), so it is not the mean of volatilities. A session too close to
        the end for a horizon is left out of that horizon only.
    """
    level = (resampling or Resampling()).level
    logs = realised.log_bars(*(bars[c].to_numpy() for c in ("open", "high", "low", "close")))
    groups = _regime_masks(regime.reindex(bars.index).to_numpy(dtype=object))
    numbers = value.reindex(bars.index).to_numpy(dtype=np.float64)
    cut = quantile_groups(numbers, quantiles)
    estimators = [realised.estimator(name) for name in realised.ESTIMATORS]
    if intraday_variance is not None:
        column = intraday_variance.reindex(bars.index).to_numpy(dtype=np.float64)
        estimators.append(realised.mean_estimator("realised_variance", column))
    return VolatilitySummary(
        by_regime={
            e.name: {label: _cell(e, logs, mask, year) for label, mask in groups.items()}
            for e in estimators
        },
        by_quantile={
            e.name: tuple(_cell(e, logs, cut == q, year) for q in range(quantiles))
            for e in estimators
        },
        ratio=_ratios(estimators, logs, groups["short"], groups["long"], level),
        range_efficiency={
            label: range_efficiency(logs, mask, level) for label, mask in groups.items()
        },
    )


def _regime_masks(labels: npt.NDArray[np.object_]) -> dict[str, Mask]:
    """Return the sessions of each label: long and short always, others where they occur."""
    masks = {label: np.asarray(labels == label) for label in REGIMES}
    return {k: m for k, m in masks.items() if k in ("long", "short") or m.any()}


def quantile_groups(values: npt.ArrayLike, quantiles: int = 4) -> npt.NDArray[np.int64]:
    """Return the quantile of each value over the whole sample, 0 the lowest; -1 where NaN.

    Edges are linear-interpolation quantiles and belong to the group below, like ``pandas.qcut``.
    Values that are the same but for rounding belong to no group.
    """
    x = without_rounding(values)
    known = np.isfinite(x)
    out = np.full(len(x), -1, dtype=np.int64)
    if varies(x):
        edges = np.quantile(x[known], np.arange(1, quantiles) / quantiles)
        out[known] = np.searchsorted(edges, x[known], side="left")
    return out


def _horizon(moments: Floats, horizon: str) -> tuple[Floats, Floats]:
    """Return each session's sums over its horizon (n, k) and the sessions in it; NaN, 0 beyond."""
    first, last = HORIZONS[horizon]
    length = last - first + 1
    sums = np.full_like(moments, np.nan)
    usable = len(moments) - last
    if usable > 0:
        windows = np.lib.stride_tricks.sliding_window_view(moments[first:], length, axis=0)
        sums[:usable] = windows.sum(axis=-1)
    known = np.asarray(np.isfinite(sums).all(axis=1))
    return np.where(known[:, None], sums, 0.0), np.where(known, float(length), 0.0)


def _cell(
    estimator: realised.Estimator, logs: realised.LogBars, mask: Mask, year: int
) -> VolatilityCell:
    moments = estimator.moments(logs)

    values: dict[str, float] = {}
    rows: dict[str, int] = {}
    for horizon in HORIZONS:
        sums, count = _horizon(moments, horizon)
        variance = estimator.combine(sums[mask].sum(axis=0), count[mask].sum())
        values[horizon] = float(realised.annualised(variance, year))
        rows["n" if horizon == "today" else f"n_{horizon}"] = _rows(count[mask])
    return VolatilityCell(**values, **rows)  # type: ignore[arg-type]


def _rows(counts: Floats) -> int:
    """Return how many sessions have a horizon at all."""
    return int(np.count_nonzero(counts))


def _ratios(
    estimators: Sequence[realised.Estimator],
    logs: realised.LogBars,
    short: Mask,
    long: Mask,
    level: float,
) -> dict[str, dict[str, Ratio]]:
    """Return volatility in short over long gamma."""
    out: dict[str, dict[str, Ratio]] = {}
    for e in estimators:
        moments = e.moments(logs)
        out[e.name] = {h: volatility_ratio(e, moments, short, long, h, level) for h in HORIZONS}
    return out


def volatility_ratio(
    estimator: realised.Estimator,
    moments: Floats,
    short: Mask,
    long: Mask,
    horizon: str,
    level: float,
) -> Ratio:
    """Return the ratio of an estimator's volatilities with its interval.

    A window's variance is shared out to the sessions in it, so that windows which overlap do not
    count a session's surprise as several.

    Parameters
    ----------
    estimator : Estimator
    moments : ndarray, shape (n, k)
        The estimator's, of each session.
    short, long : ndarray of bool, shape (n,)
        Sessions labelled so.
    horizon : str
        Of `HORIZONS`.
    level : float
        Coverage.
    """
    sums, count = _horizon(moments, horizon)
    rows = [_rows(count[mask]) for mask in (short, long)]
    totals = [(sums[mask].sum(axis=0), float(count[mask].sum())) for mask in (short, long)]
    variances = [estimator.combine(total, np.asarray(n)) for total, n in totals]
    value = float(np.sqrt(variances[0] / real_divisor(variances[1], NOISE**2)))
    reason = lacking(rows, HORIZONS[horizon][1])
    if reason or not value > 0.0:
        return Ratio(value, nan, nan, sum(rows), *rows, reason=reason)
    groups = [
        Group(covered, 0.5 * _log_scores(estimator, moments, total, n), sign)
        for (total, n), mask, sign in zip(totals, (short, long), (1.0, -1.0), strict=True)
        for covered in [_covered(mask & (count > 0), horizon)]
    ]
    return Ratio(
        value, *ends(value, spread_of_groups(groups, VARIANCES), level, "log"), sum(rows), *rows
    )


def _covered(labelled: Mask, horizon: str) -> Floats:
    """Return in how many labelled windows each session lies."""
    first, last = HORIZONS[horizon]
    out = np.zeros(len(labelled))
    for ahead in range(first, last + 1):
        out[ahead:] += labelled[: len(labelled) - ahead]
    return out


def _log_scores(estimator: realised.Estimator, moments: Floats, total: Floats, n: float) -> Floats:
    """Return what the logarithm of a variance gains, to first order, as a session's weight grows.

    Relative to the weight of all: the scores' weighted mean is 0.
    """
    known = np.nan_to_num(moments)
    steps = 1e-5 * np.append(np.abs(total) + n * known.std(axis=0), n)
    slopes = np.empty(len(steps))
    for k, step in enumerate(steps):
        moved = np.append(total, n) + np.outer([step, -step], np.arange(len(steps)) == k)
        above, below = np.log(estimator.combine(moved[:, :-1], moved[:, -1]))
        slopes[k] = (above - below) / (2.0 * step) if step > 0.0 else 0.0
    return np.asarray(n * (known @ slopes[:-1] + slopes[-1]), dtype=np.float64)


def range_efficiency(logs: realised.LogBars, mask: Mask, level: float) -> Estimate:
    """Return the mean of abs(ln C/O) / ln(H/L) over sessions: 1 is a straight line.

    Sessions without a range have none and do not count.
    """
    with np.errstate(invalid="ignore", divide="ignore"):
        efficiency = np.abs(logs.close) / real_divisor(logs.range)
    return _mean(efficiency, mask & np.isfinite(efficiency), level)


def _mean(values: Floats, use: Mask, level: float) -> Estimate:
    n = int(use.sum())
    value = float(values[use].mean()) if n else nan
    if reason := lacking([n]):
        return Estimate(value, nan, nan, n, reason=reason)
    spread = spread_of_scores((values[use] - value)[:, None] / n)[0]
    return Estimate(value, *ends(value, spread, level), n)


def autocorrelation_by_regime(
    close: pd.Series[float], regime: pd.Series[str], *, resampling: Resampling | None = None
) -> dict[str, Estimate]:
    """Return the correlation of the return into and out of each session, by its label.

    Parameters
    ----------
    close : Series of float
        By session; NaN where a bar is missing (no return reaches across it).
    regime : Series of str
        Label of session t pairs the log return from t - 1 to t with the one from t to t + 1.
    resampling : Resampling, optional
        Its level is the coverage of the intervals.

    Returns
    -------
    dict of str to Estimate
        One per label that occurs, with its interval and n; NaN below the least sample.
    """
    level = (resampling or Resampling()).level
    log_close = np.log(close.to_numpy(dtype=np.float64))
    change = np.diff(log_close)
    into = np.concatenate([[np.nan], change])
    out = np.concatenate([change, [np.nan]])
    masks = _regime_masks(regime.reindex(close.index).to_numpy(dtype=object))
    return {label: correlation(into, out, mask, level) for label, mask in masks.items()}


def correlation(x: Floats, y: Floats, mask: Mask, level: float) -> Estimate:
    """Return the correlation of pairs, its interval symmetric in the inverse hyperbolic tangent."""
    use = mask & np.isfinite(x) & np.isfinite(y)
    n = int(use.sum())
    value = _coefficient(x[use], y[use])
    if (reason := lacking([n])) or not abs(value) < 1.0:
        return Estimate(value, nan, nan, n, reason=reason)
    a, b = ((v[use] - v[use].mean()) / v[use].std() for v in (x, y))
    scores = (a * b - value * (a * a + b * b) / 2.0) / (1.0 - value**2)
    # a wild pair draws the correlation towards itself, as a row of a regression its fit
    scores /= 1.0 - np.minimum((1.0 + (a * a + b * b) / 2.0) / n, 0.9)
    scores -= scores.mean()
    spread = spread_of_scores(scores[:, None] / n, CORRELATIONS)[0]
    return Estimate(value, *ends(value, spread, level, "fisher"), n)


def _coefficient(x: Floats, y: Floats) -> float:
    """Return the correlation of pairs; NaN below three of them."""
    n = len(x)
    if n < 3:
        return nan
    xx, yy = float(x @ x), float(y @ y)
    spread = real_difference(xx - x.sum() ** 2 / n, xx) * real_difference(yy - y.sum() ** 2 / n, yy)
    return float((x @ y - x.sum() * y.sum() / n) / np.sqrt(real_divisor(spread, NOISE**4)))


def next_return_sd_by_quantile(
    close: pd.Series[float], value: pd.Series[float], quantiles: int = 4
) -> tuple[float, ...]:
    """Return the standard deviation (%) of the next log return by quantile of the value.

    Quantiles are those of the sessions that have both a value and a next return; the next
    return of the last session lies outside the sample and is unknown.

    Parameters
    ----------
    close, value : Series of float
        By session.
    quantiles : int

    Returns
    -------
    tuple of float
        Lowest quantile first; daily, percent, with n - 1; NaN below two sessions.
    """
    following = np.append(np.diff(np.log(close.to_numpy(dtype=np.float64))), np.nan)
    numbers = value.reindex(close.index).to_numpy(dtype=np.float64)
    group = quantile_groups(np.where(np.isfinite(following), numbers, np.nan), quantiles)
    chosen = [following[group == q] for q in range(quantiles)]
    return tuple(100.0 * float(x.std(ddof=1)) if len(x) > 1 else float("nan") for x in chosen)
