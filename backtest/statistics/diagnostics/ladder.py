"""Ablation ladder: what GEX adds to forecasts of volatility, rung by rung.

Rungs: HAR; plus the log of VIX; plus signed returns; plus the state of VIX. On each, the
regression with and without GEX is compared in sample and out of sample. The two models are
nested, so that Clark-West is the test of the right size; Diebold-Mariano is shown beside it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt

from ....data import NotEnoughDataError
from .regression import Coefficient, Fit, mean_test, ols

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["RUNGS", "OutOfSample", "Rung", "ladder", "out_of_sample"]

Floats = npt.NDArray[np.float64]

RUNGS: Final = ("HAR", "+ ln IVX", "+ returns", "+ IVX state")
_HAC: Final = 10


@dataclass(frozen=True, slots=True, eq=False)
class OutOfSample:
    """Forecast comparison on an expanding window; a positive gain is in favour of GEX.

    Attributes
    ----------
    gain : float
        1 - MSE with / MSE without.
    first_half, second_half : float
        The same over half of the forecasts each.
    qlike_gain : float
        1 - mean QLIKE with / without, of variances.
    diebold_mariano, clark_west : Coefficient
        Of the squared errors of the log; t over HAC(10).
    clark_west_terms : ndarray, shape (forecasts,)
        What the Clark-West statistic averages.
    squared_without, squared_with : ndarray, shape (forecasts,)
        Squared errors of the log.
    rows : ndarray of int, shape (forecasts,)
        Row forecast, among the complete ones.
    """

    gain: float
    first_half: float
    second_half: float
    qlike_gain: float
    diebold_mariano: Coefficient
    clark_west: Coefficient
    clark_west_terms: Floats
    squared_without: Floats
    squared_with: Floats
    rows: npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Rung:
    """One rung of the ladder.

    Attributes
    ----------
    name : str
    rows : ndarray of bool
        Rows given that are complete on the last rung; all fits are on these.
    without, with_gex : Fit
        In sample, HAC(10).
    gex : Coefficient
    standardised : float
        Coefficient of GEX times its standard deviation over that of y.
    out_of_sample : OutOfSample or None
        None where the sample is too short for it.
    """

    name: str
    rows: npt.NDArray[np.bool_]
    without: Fit
    with_gex: Fit
    gex: Coefficient
    standardised: float
    out_of_sample: OutOfSample | None


def ladder(
    y: Floats,
    blocks: Sequence[Mapping[str, Floats]],
    gex: Floats,
    *,
    first_origin: int = 1_000,
    refit: int = 21,
    rungs: Sequence[str] = RUNGS,
) -> tuple[Rung, ...]:
    """Climb the ladder.

    Parameters
    ----------
    y : ndarray, shape (n,)
        Log volatility of the next session.
    blocks : sequence of mapping
        Columns that each rung adds, lowest first.
    gex : ndarray, shape (n,)
        What is tested on every rung.
    first_origin : int
        Complete rows before the first forecast.
    refit : int
        Rows between refits.
    rungs : sequence of str
        Names.

    Returns
    -------
    tuple of Rung
        All on the same rows: those complete on the last rung.
    """
    every: dict[str, Floats] = {}
    for block in blocks:
        every.update(block)
    rows = np.isfinite(y) & np.isfinite(gex)
    for column in every.values():
        rows &= np.isfinite(column)
    base: dict[str, Floats] = {}
    out: list[Rung] = []
    for name, block in zip(rungs, blocks, strict=True):
        base.update({k: v[rows] for k, v in block.items()})
        out.append(_rung(name, rows, y[rows], dict(base), gex[rows], first_origin, refit))
    return tuple(out)


def _rung(
    name: str,
    rows: npt.NDArray[np.bool_],
    y: Floats,
    base: dict[str, Floats],
    gex: Floats,
    first_origin: int,
    refit: int,
) -> Rung:
    without = ols(y, base, hac=_HAC)
    full = ols(y, {**base, "gex": gex}, hac=_HAC)
    coefficient = full.coefficient("gex")
    forecasts = None
    if len(y) >= first_origin + 2 * refit:
        forecasts = out_of_sample(y, base, {**base, "gex": gex}, first_origin, refit)
    return Rung(
        name=name,
        rows=rows,
        without=without,
        with_gex=full,
        gex=coefficient,
        standardised=coefficient.value * float(gex.std(ddof=1) / y.std(ddof=1)),
        out_of_sample=forecasts,
    )


def out_of_sample(
    y: Floats,
    without: Mapping[str, Floats],
    with_gex: Mapping[str, Floats],
    first_origin: int = 1_000,
    refit: int = 21,
) -> OutOfSample:
    """Compare two nested models on an expanding window.

    A model for rows i ... i + refit - 1 is fitted on rows 0 ... i - 2: the outcome of row i - 1
    is not yet known at its origin.

    Raises
    ------
    NotEnoughDataError
        If there is no row to forecast.
    """
    if len(y) <= first_origin:
        raise NotEnoughDataError(
            f"the first forecast needs {first_origin} rows before it, got {len(y)}"
        )
    p0, h0 = _expanding(y, without, first_origin, refit)
    p1, h1 = _expanding(y, with_gex, first_origin, refit)
    actual = y[first_origin:]
    e0, e1 = (actual - p0) ** 2, (actual - p1) ** 2
    adjusted = e0 - (e1 - (p0 - p1) ** 2)
    half = len(actual) // 2
    q0, q1 = (_qlike(np.exp(2.0 * actual), h) for h in (h0, h1))
    return OutOfSample(
        gain=_gain(e0, e1),
        first_half=_gain(e0[:half], e1[:half]),
        second_half=_gain(e0[half:], e1[half:]),
        qlike_gain=_gain(q0, q1),
        diebold_mariano=mean_test(e0 - e1, _HAC),
        clark_west=mean_test(adjusted, _HAC),
        clark_west_terms=adjusted,
        squared_without=e0,
        squared_with=e1,
        rows=np.arange(first_origin, len(y)),
    )


def _gain(without: Floats, with_gex: Floats) -> float:
    return 1.0 - float(with_gex.mean() / without.mean())


def _qlike(realised: Floats, forecast: Floats) -> Floats:
    ratio = realised / forecast
    return np.asarray(ratio - np.log(ratio) - 1.0, dtype=np.float64)


def _expanding(
    y: Floats, columns: Mapping[str, Floats], first_origin: int, refit: int
) -> tuple[Floats, Floats]:
    """Return forecasts of y, and of the variance exp(2 y), for every row from the first origin.

    The variance carries the mean of exp(2 e) over the training residuals, since the exponential
    of a mean is not the mean of an exponential.
    """
    x = np.column_stack([np.ones(len(y)), *columns.values()])
    gram, cross, fitted = np.zeros((x.shape[1],) * 2), np.zeros(x.shape[1]), 0
    log_forecast, variance = np.empty(len(y)), np.empty(len(y))
    for origin in range(first_origin, len(y), refit):
        known, more = slice(0, origin - 1), slice(fitted, origin - 1)
        gram, cross, fitted = gram + x[more].T @ x[more], cross + x[more].T @ y[more], origin - 1
        params = _solved(gram, cross)
        rows = slice(origin, min(origin + refit, len(y)))
        log_forecast[rows] = x[rows] @ params
        smear = np.exp(2.0 * (y[known] - x[known] @ params)).mean()
        variance[rows] = np.exp(2.0 * log_forecast[rows]) * smear
    return log_forecast[first_origin:], variance[first_origin:]


def _solved(gram: Floats, cross: Floats) -> Floats:
    """Return the least squares of a sample's cross products, the shortest where many fit."""
    try:
        return np.asarray(np.linalg.solve(gram, cross), dtype=np.float64)
    except np.linalg.LinAlgError:
        return np.asarray(np.linalg.pinv(gram) @ cross, dtype=np.float64)
