"""Statistics of many gamma series on one market at once: what each test would have said of each."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from ...data import compiled

__all__ = ["clark_west_t", "joint_t", "logit_t", "rolling_ranks"]

Floats = npt.NDArray[np.float64]


@compiled(nogil=True)
def _rank_within(x: np.ndarray, window: int, least: int, out: np.ndarray) -> None:
    for c in range(x.shape[1]):
        column = x[:, c].copy()
        for t in range(len(column)):
            start = max(0, t + 1 - window)
            if t + 1 - start < least:
                out[t, c] = np.nan
                continue
            value, below, same = column[t], 0, 0
            for k in range(start, t + 1):
                below += column[k] < value
                same += column[k] == value
            out[t, c] = (below + 0.5 * (same + 1)) / (t + 1 - start)


def rolling_ranks(series: Floats, window: int, least: int) -> Floats:
    """Return the rank of each value within the last `window` ones of its column, 0 ... 1.

    Ties share their mean rank, as ``rolling(window).rank(pct=True)``; NaN before `least` values.

    Parameters
    ----------
    series : ndarray, shape (n, m)
        Without NaN.
    """
    out = np.empty(series.shape)
    _rank_within(np.ascontiguousarray(series, dtype=np.float64), window, least, out)
    return out


def joint_t(y: Floats, base: Floats, first: Floats, second: Floats, hac: int) -> Floats:
    """Return the HAC t of each column of `first` beside the column of `second` of the same place.

    Parameters
    ----------
    y : ndarray, shape (n,)
    base : ndarray, shape (n, k)
        Controls with the intercept; no NaN anywhere.
    first, second : ndarray, shape (n, m)
    hac : int
    """
    q = np.linalg.qr(base)[0]
    y = y - q @ (q.T @ y)
    x, z = (c - q @ (q.T @ c) for c in (first, second))
    with np.errstate(invalid="ignore", divide="ignore"):
        size = (z**2).sum(axis=0)
        x = x - z * ((x * z).sum(axis=0) / size)
        residual = y[:, None] - z * ((z.T @ y) / size)
        squares = (x**2).sum(axis=0)
        slope = (x * residual).sum(axis=0) / squares
        scores = x * (residual - x * slope)
        spread = (scores**2).sum(axis=0)
        for lag in range(1, hac + 1):
            spread += 2 * (1 - lag / (hac + 1)) * (scores[lag:] * scores[:-lag]).sum(axis=0)
        explained = squares <= 1e-12 * (first**2).sum(axis=0)
        return np.where(explained, np.nan, slope * squares / np.sqrt(spread))


def clark_west_t(
    y: Floats, base: Floats, gex: Floats, first_origin: int, refit: int, hac: int
) -> Floats:
    """Return Clark and West's t of each column of `gex` on an expanding window.

    The same forecasts as `diagnostics.ladder.out_of_sample` makes one by one: a model for rows
    i ... i + refit - 1 is fitted on rows 0 ... i - 2.

    Parameters
    ----------
    y : ndarray, shape (n,)
    base : ndarray, shape (n, k)
        Controls with the intercept.
    gex : ndarray, shape (n, m)
    first_origin, refit, hac : int
    """
    n, k = base.shape
    gram, cross, own = np.zeros((k, k)), np.zeros((k, gex.shape[1])), np.zeros(gex.shape[1])
    with_y, own_y = np.zeros(k), np.zeros(gex.shape[1])
    adjusted = np.full((n - first_origin, gex.shape[1]), np.nan)
    fitted = 0
    for origin in range(first_origin, n, refit):
        more, rows = slice(fitted, origin - 1), slice(origin, min(origin + refit, n))
        fitted = origin - 1
        x, g = base[more], gex[more]
        gram += x.T @ x
        cross += x.T @ g
        own += (g**2).sum(axis=0)
        with_y += x.T @ y[more]
        own_y += g.T @ y[more]
        plain, on_base = np.linalg.solve(gram, with_y), np.linalg.solve(gram, cross)
        with np.errstate(invalid="ignore", divide="ignore"):
            slope = (own_y - cross.T @ plain) / (own - (cross * on_base).sum(axis=0))
        without = base[rows] @ plain
        added = (gex[rows] - base[rows] @ on_base) * slope
        e0 = (y[rows] - without)[:, None]
        adjusted[rows.start - first_origin : rows.stop - first_origin] = (
            e0**2 - (e0 - added) ** 2 + added**2
        )
    mean = adjusted.mean(axis=0)
    d = adjusted - mean
    spread = (d**2).sum(axis=0)
    for lag in range(1, hac + 1):
        spread += 2 * (1 - lag / (hac + 1)) * (d[lag:] * d[:-lag]).sum(axis=0)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(mean * len(adjusted) / np.sqrt(spread))


@compiled(nogil=True)
def _newton(event: np.ndarray, x: np.ndarray, b: np.ndarray, p: np.ndarray) -> np.ndarray:
    """Fill the probabilities and return the negative Hessian, the gradient its last row."""
    n, k = x.shape
    out = np.zeros((k + 1, k))
    for t in range(n):
        linear = 0.0
        for i in range(k):
            linear += b[i] * x[t, i]
        p[t] = 1.0 / (1.0 + math.exp(-linear))
        w = p[t] * (1.0 - p[t])
        for i in range(k):
            out[k, i] += (event[t] - p[t]) * x[t, i]
            for j in range(k):
                out[i, j] += w * x[t, i] * x[t, j]
    return out


@compiled(nogil=True)
def _one_logit(event: np.ndarray, x: np.ndarray, hac: int, turns: int) -> float:
    n, k = x.shape
    b, p = np.zeros(k), np.empty(n)
    found = np.nan
    for _ in range(turns):
        both = _newton(event, x, b, p)
        if np.linalg.det(both[:k]) <= 1e-12 or np.abs(b).max() > 50.0:
            return found
        step = np.linalg.solve(both[:k], both[k])
        if np.abs(step).max() < 1e-9:
            scores = (x @ np.linalg.inv(both[:k])[1].copy()) * (event - p)
            spread = (scores**2).sum()
            for lag in range(1, hac + 1):
                spread += 2 * (1 - lag / (hac + 1)) * (scores[lag:] * scores[:-lag]).sum()
            found = b[1] / math.sqrt(spread)
            break
        b += step
    return found


def logit_t(event: Floats, candidates: Floats, controls: Floats, hac: int) -> Floats:
    """Return the HAC t of each candidate in a logit with the controls; NaN where none converges.

    Parameters
    ----------
    event : ndarray, shape (n,)
        0 or 1.
    candidates : ndarray, shape (n, m)
    controls : ndarray, shape (n, k)
        Without the intercept.
    """
    n = len(event)
    out = np.full(candidates.shape[1], np.nan)
    x = np.column_stack([np.ones(n), np.zeros(n), controls])
    for i in range(len(out)):
        x[:, 1] = candidates[:, i]
        if np.ptp(x[:, 1]) > 0.0:
            out[i] = _one_logit(event, x, hac, 60)
    return out
