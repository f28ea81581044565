"""What happened to volatility after each regime: today, the next session, the next 5 and 21.

Descriptions, not forecasts: labels and quantiles are taken over the whole sample and never feed
a rule. The label of a session is what was computed from its close; "next" starts after it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt

from ...data import EXCHANGE_SESSIONS, NOISE, REGIMES, real_difference, real_divisor
from ..run.results import Estimate, Ratio, VolatilityCell, VolatilitySummary
from . import realised
from .resampling import Resampling, interval, resampled_sums

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pandas as pd

__all__ = [
    "HORIZONS",
    "autocorrelation_by_regime",
    "next_return_sd_by_quantile",
    "quantile_groups",
    "range_efficiency",
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
    year : int
        Sessions a year.

    Returns
    -------
    VolatilitySummary
        Annualised, decimal. The volatility of a horizon pools the variance of all its sessions
        (the mean under the root), so it is not the mean of volatilities. A session too close to
        the end for a horizon is left out of that horizon only.
    """
    how = resampling or Resampling()
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
        ratio=_ratios(estimators, logs, groups["short"], groups["long"], how),
        range_efficiency={
            label: range_efficiency(logs, mask, how) for label, mask in groups.items()
        },
    )


def _regime_masks(labels: npt.NDArray[np.object_]) -> dict[str, Mask]:
    """Return the sessions of each label: long and short always, others where they occur."""
    masks = {label: np.asarray(labels == label) for label in REGIMES}
    return {k: m for k, m in masks.items() if k in ("long", "short") or m.any()}


def quantile_groups(values: npt.ArrayLike, quantiles: int = 4) -> npt.NDArray[np.int64]:
    """Return the quantile of each value over the whole sample, 0 the lowest; -1 where NaN.

    Edges are linear-interpolation quantiles and belong to the group below, like ``pandas.qcut``.
    """
    x = np.asarray(values, dtype=np.float64)
    known = np.isfinite(x)
    out = np.full(len(x), -1, dtype=np.int64)
    if known.any():
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
    how: Resampling,
) -> dict[str, dict[str, Ratio]]:
    """Return volatility in short over long gamma, all from one set of resamples."""
    blocks: list[Floats] = []
    rows: list[tuple[int, int]] = []
    for e in estimators:
        moments = e.moments(logs)
        for horizon in HORIZONS:
            sums, count = _horizon(moments, horizon)
            both = np.column_stack([sums, count])
            blocks += [both * short[:, None], both * long[:, None]]
            rows.append((_rows(count[short]), _rows(count[long])))
    widths = np.cumsum([b.shape[1] for b in blocks])[:-1]
    everything = np.column_stack(blocks)
    drawn = np.split(resampled_sums(everything, how), widths, axis=1)
    whole = np.split(everything.sum(axis=0), widths)
    out: dict[str, dict[str, Ratio]] = {e.name: {} for e in estimators}
    for i, (e, horizon) in enumerate((e, h) for e in estimators for h in HORIZONS):
        ratio = _ratio(e, whole[2 * i], whole[2 * i + 1])
        low, high = interval(_ratio(e, drawn[2 * i], drawn[2 * i + 1]), how.level)
        out[e.name][horizon] = Ratio(float(ratio), low, high, sum(rows[i]), *rows[i])
    return out


def _ratio(estimator: realised.Estimator, above: Floats, below: Floats) -> Floats:
    """Return the ratio of volatilities from sums whose last column is the count."""
    variances = [estimator.combine(x[..., :-1], x[..., -1]) for x in (above, below)]
    return np.sqrt(variances[0] / real_divisor(variances[1], NOISE**2))


def range_efficiency(logs: realised.LogBars, mask: Mask, how: Resampling) -> Estimate:
    """Return the mean of abs(ln C/O) / ln(H/L) over sessions: 1 is a straight line.

    Sessions without a range have none and do not count.
    """
    with np.errstate(invalid="ignore", divide="ignore"):
        efficiency = np.abs(logs.close) / real_divisor(logs.range)
    counts = (mask & np.isfinite(efficiency)).astype(np.float64)
    columns = np.column_stack([np.where(counts > 0, efficiency, 0.0), counts])
    with np.errstate(invalid="ignore", divide="ignore"):
        total = columns.sum(axis=0)
        drawn = resampled_sums(columns, how)
        low, high = interval(drawn[:, 0] / drawn[:, 1], how.level)
        return Estimate(float(total[0] / total[1]), low, high, int(total[1]))


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

    Returns
    -------
    dict of str to Estimate
        One per label that occurs, with its interval and n; NaN below the least sample.
    """
    how = resampling or Resampling()
    log_close = np.log(close.to_numpy(dtype=np.float64))
    change = np.diff(log_close)
    into = np.concatenate([[np.nan], change])
    out = np.concatenate([change, [np.nan]])
    masks = _regime_masks(regime.reindex(close.index).to_numpy(dtype=object))
    return {label: _correlation(into, out, mask, how) for label, mask in masks.items()}


def _correlation(x: Floats, y: Floats, mask: Mask, how: Resampling) -> Estimate:
    use = mask & np.isfinite(x) & np.isfinite(y)
    a, b = np.where(use, x, 0.0), np.where(use, y, 0.0)
    columns = np.column_stack([use.astype(np.float64), a, b, a * a, b * b, a * b])
    low, high = interval(_from_sums(resampled_sums(columns, how)), how.level)
    return Estimate(float(_from_sums(columns.sum(axis=0))), low, high, int(use.sum()))


def _from_sums(s: Floats) -> Floats:
    """Return the correlation from sums of 1, x, y, xx, yy, xy; NaN below three pairs."""
    n, x, y, xx, yy, xy = np.moveaxis(s, -1, 0)
    with np.errstate(invalid="ignore", divide="ignore"):
        spread = real_difference(xx - x * x / n, xx) * real_difference(yy - y * y / n, yy)
        value = (xy - x * y / n) / np.sqrt(real_divisor(spread, NOISE**4))
    return np.where(n >= 3, value, np.nan)


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
