"""How alike a book made by rules and the real series are, by moments blind to what comes after."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from .returns import Simulated

__all__ = [
    "MOMENTS",
    "SCALES",
    "Surroundings",
    "distances",
    "distances_with",
    "market_moments",
    "moments",
]

Floats = npt.NDArray[np.float64]

#: Name and the difference that counts as one unit of distance.
_SCALED: Final = (
    ("share negative", 0.10),
    ("autocorrelation 1", 0.10),
    ("autocorrelation 5", 0.10),
    ("autocorrelation 21", 0.15),
    ("correlation of changes with returns", 0.10),
    ("correlation with log volatility", 0.10),
    ("correlation of changes with those of log volatility", 0.10),
    ("correlation with the return of 2 sessions", 0.10),
    ("correlation with the return of 5 sessions", 0.10),
    ("correlation with the return of 10 sessions", 0.10),
    ("correlation with the return of 20 sessions", 0.10),
    ("correlation with the return of 60 sessions", 0.15),
    ("change in the first session of a week, in standard deviations", 0.20),
    ("change after a monthly expiration, in standard deviations", 0.40),
    ("gross: correlation with net", 0.15),
    ("gross: autocorrelation 5", 0.15),
    ("gross: correlation with log volatility", 0.10),
    ("gross: correlation with the return of 5 sessions", 0.10),
    ("gross: correlation with the return of 20 sessions", 0.10),
)
MOMENTS: Final = tuple(name for name, _ in _SCALED)
_TRENDS: Final = (2, 5, 10, 20, 60)
SCALES: Final = np.array([scale for _, scale in _SCALED])


@dataclass(frozen=True, slots=True, eq=False)
class Surroundings:
    """What moments relate a series to, on the rows that have it; each of shape (n,).

    Attributes
    ----------
    log_close, log_volatility : ndarray
    week : ndarray of int
        Number of the week.
    after_monthly : ndarray of bool
        First session of the week after a monthly expiration.
    """

    log_close: Floats
    log_volatility: Floats
    week: npt.NDArray[np.int64]
    after_monthly: npt.NDArray[np.bool_]


def moments(series: Floats, around: Surroundings, gross: Floats | None = None) -> Floats:
    """Return the moments of series that share their rows, shape (len(MOMENTS), m).

    All but the share of negative values are of ranks over the sample, so that a scale, and a few
    large values, do not matter.

    Parameters
    ----------
    series : ndarray, shape (n, m)
        Without NaN.
    around : Surroundings
    gross : ndarray, shape (n, m), optional
        Gamma of calls and puts together, where both are known; its moments are NaN without.
    """
    ranks = _ranks(series)
    change = np.diff(ranks, axis=0)
    ret, vol = np.diff(around.log_close), around.log_volatility
    trends = [_trend(around.log_close, back) for back in _TRENDS]
    new_week = np.diff(around.week) != 0
    spread = change.std(axis=0)
    with np.errstate(invalid="ignore", divide="ignore"):
        net = np.vstack(
            [
                (series < 0.0).mean(axis=0),
                _autocorrelation(ranks, 1),
                _autocorrelation(ranks, 5),
                _autocorrelation(ranks, 21),
                _correlation(change, ret),
                _correlation(ranks, vol),
                _correlation(change, np.diff(vol)),
                *(_correlation(ranks, trend) for trend in trends),
                _excess(change, new_week) / spread,
                _excess(change, around.after_monthly[1:]) / spread,
            ]
        )
        both = np.full((len(MOMENTS) - len(net), series.shape[1]), np.nan)
        if gross is not None:
            both[:] = _of_gross(_ranks(gross), ranks, vol, trends)
    return np.vstack([net, both])


#: What markets are held against each other by, and the difference that counts as one unit.
_MARKET_SCALED: Final = (
    ("spread of log volatility", 0.10),
    ("its autocorrelation 1", 0.10),
    ("its autocorrelation 5", 0.10),
    ("its autocorrelation 22", 0.15),
    ("correlation of returns with the next session's", 0.10),
    ("correlation of log implied volatility with the next session's", 0.10),
)
_ALL_SCALES: Final = np.concatenate([SCALES, [scale for _, scale in _MARKET_SCALED]])


def market_moments(market: Simulated) -> Floats:
    """Return the moments of a market's returns and volatility; NaN where it lacks something."""
    x, ahead = market.log_vol, np.append(market.log_vol[1:], np.nan)
    return np.array(
        [
            float(np.nanstd(x)),
            _pair(x[1:], x[:-1]),
            _pair(x[5:], x[:-5]),
            _pair(x[22:], x[:-22]),
            _pair(market.ret, ahead),
            _pair(market.log_vix, ahead),
        ]
    )


def _pair(x: Floats, y: Floats) -> float:
    both = np.isfinite(x) & np.isfinite(y)
    if both.sum() < 30 or np.ptp(x[both]) == 0.0 or np.ptp(y[both]) == 0.0:
        return float("nan")
    return float(np.corrcoef(x[both], y[both])[0, 1])


def distances_with(found: Floats, real: Floats) -> Floats:
    """Return `distances` of a book's moments and its market's together."""
    return _distances(found, real, _ALL_SCALES)


def distances(found: Floats, real: Floats) -> Floats:
    """Return the root mean square distance of moments, in units of `SCALES`, shape (m,).

    Moments that the real series does not have count nothing; a series without one of the others
    is infinitely far.
    """
    return _distances(found, real, SCALES)


def _distances(found: Floats, real: Floats, scales: Floats) -> Floats:
    known = np.isfinite(real)
    z = (found[known] - real[known, None]) / scales[known, None]
    out = np.sqrt((z**2).mean(axis=0)) if known.any() else np.zeros(found.shape[1])
    return np.where(np.isfinite(out), out, np.inf)


def _ranks(series: Floats) -> Floats:
    n = len(series)
    order = np.argsort(series, axis=0, kind="stable")
    out = np.empty(series.shape)
    np.put_along_axis(out, order, np.arange(n, dtype=np.float64)[:, None] / n, axis=0)
    return out


def _autocorrelation(x: Floats, lag: int) -> Floats:
    if len(x) <= lag + 2:
        return np.full(x.shape[1], np.nan)
    d = x - x.mean(axis=0)
    return np.asarray((d[lag:] * d[:-lag]).sum(axis=0) / (d**2).sum(axis=0))


def _correlation(x: Floats, y: Floats) -> Floats:
    dx, dy = x - x.mean(axis=0), y - y.mean()
    return np.asarray(dy @ dx / np.sqrt((dx**2).sum(axis=0) * (dy @ dy)))


def _of_gross(gross: Floats, net: Floats, vol: Floats, trends: list[Floats]) -> Floats:
    a, b = gross - gross.mean(axis=0), net - net.mean(axis=0)
    return np.vstack(
        [
            (a * b).sum(axis=0) / np.sqrt((a**2).sum(axis=0) * (b**2).sum(axis=0)),
            _autocorrelation(gross, 5),
            _correlation(gross, vol),
            _correlation(gross, trends[_TRENDS.index(5)]),
            _correlation(gross, trends[_TRENDS.index(20)]),
        ]
    )


def _trend(log_close: Floats, back: int) -> Floats:
    start = np.maximum(np.arange(len(log_close)) - back, 0)
    return log_close - log_close[start]


def _excess(change: Floats, rows: npt.NDArray[np.bool_]) -> Floats:
    if rows.sum() < 5 or (~rows).sum() < 5:
        return np.full(change.shape[1], np.nan)
    return np.asarray(change[rows].mean(axis=0) - change[~rows].mean(axis=0))
