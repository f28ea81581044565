"""All diagnostics of a dataset in one call."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from ....data import NotEnoughDataError, labels_by_sign
from .. import realised
from ..resampling import Resampling
from .dependence import VarianceRatioResult, daily_variance_ratio
from .groups import Diagnostic, Measure, compare_groups
from .measures import (
    ahead_measures,
    intraday_measures,
    pin_measures,
    session_measures,
    variance_premium,
)
from .regression import Coefficient, coefficient_interval, ols

if TYPE_CHECKING:
    from ...hypotheses.protocol import Dataset

__all__ = ["DiagnosticsResult", "Slope", "diagnose"]

Floats = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Slope:
    """A continuous relation.

    Attributes
    ----------
    name, meaning : str
    coefficient : Coefficient
        HAC.
    low, high : float
        Interval.
    standardised : float
        Effect size: slope times the regressor's standard deviation over that of the outcome.
    """

    name: str
    meaning: str
    coefficient: Coefficient
    low: float
    high: float
    standardised: float


@dataclass(frozen=True, slots=True)
class DiagnosticsResult:
    """What the regime did to prices.

    Attributes
    ----------
    by_regime : tuple of Diagnostic
        Short against long gamma.
    slopes : tuple of Slope
    variance_ratios : tuple of VarianceRatioResult
        Of daily closes over 2, 5 and 10 sessions (Lo-MacKinlay, heteroskedastic), all regimes;
        the longest stretch without a missing bar.
    """

    by_regime: tuple[Diagnostic, ...]
    slopes: tuple[Slope, ...]
    variance_ratios: tuple[VarianceRatioResult, ...]


def diagnose(dataset: Dataset, how: Resampling | None = None) -> DiagnosticsResult:
    """Return every diagnostic that the dataset has the data for.

    Sessions are grouped by the dataset's regime label (the sign of GEX where it has none):
    measures of a session by the label known before it, measures of what follows by its own.

    Parameters
    ----------
    dataset : Dataset
    how : Resampling, optional
        Seed, level and draws of the intervals.

    Returns
    -------
    DiagnosticsResult
        Without the diagnostics whose data the dataset lacks.
    """
    resampling = how or Resampling()
    bars = dataset.bars
    logs = realised.log_bars(*(bars[c].to_numpy() for c in ("open", "high", "low", "close")))
    log_close = np.log(bars["close"].to_numpy(dtype=np.float64))
    label, counted = _labels(dataset), dataset.counted
    before = np.where(counted, np.concatenate([[""], label[:-1]]), "").astype(object)
    label = np.where(counted, label, "").astype(object)
    own = list(session_measures(logs, log_close))
    pin = _pin(dataset)
    if pin is not None:
        own += pin_measures(logs, log_close, pin)
    ahead = list(ahead_measures(logs))
    if dataset.vix is not None:
        implied = np.asarray(dataset.vix.reindex(bars.index).to_numpy(), dtype=np.float64)
        ahead.append(variance_premium(logs, implied, dataset.market.sessions_per_year))
    found = (
        *_compare(ahead, label, resampling),
        *_compare(own, before, resampling),
        *_intraday(dataset, before, resampling),
    )
    return DiagnosticsResult(
        by_regime=found,
        slopes=_slopes(dataset, logs, log_close, pin, resampling),
        variance_ratios=_variance_ratios(log_close[counted]),
    )


def _labels(dataset: Dataset) -> npt.NDArray[np.object_]:
    index = dataset.bars.index
    if dataset.regime is not None:
        return dataset.regime.reindex(index).to_numpy(dtype=object)
    gex = np.asarray(dataset.gex.reindex(index).to_numpy(), dtype=np.float64)
    return labels_by_sign(gex)


def _compare(
    measures: list[Measure], label: npt.NDArray[np.object_], how: Resampling
) -> tuple[Diagnostic, ...]:
    short, long = np.asarray(label == "short"), np.asarray(label == "long")
    return compare_groups(measures, short, long, how)


def _intraday(
    dataset: Dataset, before: npt.NDArray[np.object_], how: Resampling
) -> tuple[Diagnostic, ...]:
    grid = dataset.intraday
    if grid is None:
        return ()
    days = dataset.bars.index.to_numpy().astype("datetime64[D]")
    at = np.minimum(np.searchsorted(days, grid.sessions), len(days) - 1)
    label = np.where(days[at] == grid.sessions, before[at], "").astype(object)
    return _compare(list(intraday_measures(grid)), label, how)


def _pin(dataset: Dataset) -> Floats | None:
    if dataset.table is None or "pin_strike" not in dataset.table:
        return None
    pin = dataset.table["pin_strike"].reindex(dataset.bars.index)
    return np.asarray(pin.to_numpy(), dtype=np.float64)


def _slopes(
    dataset: Dataset,
    logs: realised.LogBars,
    log_close: Floats,
    pin: Floats | None,
    how: Resampling,
) -> tuple[Slope, ...]:
    if pin is None:
        return ()
    volatility = realised.log_volatility(realised.parkinson(logs))
    with np.errstate(invalid="ignore", divide="ignore"):
        distance = np.abs(log_close - np.log(pin))
    distance = np.concatenate([[np.nan], distance[:-1]])
    lagged = np.concatenate([[np.nan], volatility[:-1]])
    try:
        explained = np.where(dataset.counted, volatility, np.nan)
        fit = ols(explained, {"distance": 100.0 * distance, "lagged": lagged})
    except NotEnoughDataError:
        return ()
    c = fit.coefficient("distance")
    low, high = coefficient_interval(fit, "distance", how)
    spread = float(fit.design[:, 1].std() / volatility[fit.used].std())
    return (
        Slope(
            "range_on_pin_distance",
            "log volatility of the session per 1 % of distance to the pin of the previous session",
            c,
            low,
            high,
            c.value * spread,
        ),
    )


def _variance_ratios(log_close: Floats) -> tuple[VarianceRatioResult, ...]:
    breaks = np.flatnonzero(np.isnan(log_close))
    edges = np.concatenate([[-1], breaks, [len(log_close)]])
    longest = int(np.diff(edges).argmax())
    run = log_close[edges[longest] + 1 : edges[longest + 1]]
    return tuple(daily_variance_ratio(run, q) for q in (2, 5, 10) if len(run) > 5 * q)
