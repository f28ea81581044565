"""Intervals written out sum by sum, as docs/volatility.md describes them: loops and scipy alone."""

from __future__ import annotations

from math import atanh, cos, exp, log, pi, sqrt, tanh

import numpy as np
import numpy.typing as npt
from scipy.stats import t as student

Floats = npt.NDArray[np.float64]
LASTING, DECAY = 0.25, 0.98


def cosine_sum(scores: Floats, j: int) -> float:
    """Return the j-th cosine sum of scores."""
    n = len(scores)
    waves = [cos(pi * j * (t + 0.5) / n) for t in range(n)]
    return sqrt(2.0 / n) * sum(float(s) * w for s, w in zip(scores, waves, strict=True))


def error(scores: Floats, count: int) -> float:
    """Return the standard error of a sum of scores."""
    n = len(scores)
    return sqrt(n * sum(cosine_sum(scores, j) ** 2 for j in range(1, count + 1)) / count)


def quantile(freedom: float, level: float = 0.95) -> float:
    """Return Student's two-sided quantile."""
    return float(student.ppf(0.5 + level / 2.0, freedom))


def covariance(n: int) -> Floats:
    """Return the covariance of errors of which a quarter decays by 2 % a session."""
    lag = np.abs(np.subtract.outer(np.arange(n), np.arange(n)))
    return (1.0 - LASTING) * np.eye(n) + LASTING * DECAY**lag


def sharpe_interval(returns: Floats, count: int, year: int = 252) -> tuple[float, float]:
    """Return the interval of an annual Sharpe ratio."""
    n, mean, sd = len(returns), returns.mean(), returns.std(ddof=1)
    ratio = mean / sd
    z = (returns - mean) / sd
    squares = ratio / 2.0 * (z**2 - np.mean(z**2))
    whole = quantile(count) * error((z - squares) / n, count)
    slow = 2.0 * quantile(4) * error(squares / n, 4)
    reach = sqrt(year) * sqrt(whole**2 + slow**2)
    return sqrt(year) * ratio - reach, sqrt(year) * ratio + reach


def growth_interval(returns: Floats, count: int, year: int = 252) -> tuple[float, float]:
    """Return the interval of the growth a year."""
    logs = np.log1p(returns)
    reach = quantile(count) * error((logs - logs.mean()) / len(logs), count)
    return tuple(exp(year * (logs.mean() + s * reach)) - 1.0 for s in (-1.0, 1.0))  # type: ignore[return-value]


def correlation_interval(x: Floats, y: Floats, count: int) -> tuple[float, float]:
    """Return the interval of the correlation of pairs."""
    n = len(x)
    r = float(np.corrcoef(x, y)[0, 1])
    a, b = (x - x.mean()) / x.std(), (y - y.mean()) / y.std()
    half = (a**2 + b**2) / 2.0
    scores = (a * b - r * half) / (1.0 - r**2) / (1.0 - (1.0 + half) / n)
    reach = quantile(count - 1) * error((scores - scores.mean()) / n, count)
    return tanh(atanh(r) - reach), tanh(atanh(r) + reach)


def group_factor(weights: list[Floats], count: int) -> float:
    """Return the factor on the variance, from the signed weights of groups and a full matrix."""
    n = len(weights[0])
    gamma = covariance(n)
    whole = np.sum(weights, axis=0)
    shown = 0.0
    for j in range(1, count + 1):
        wave = np.array([sqrt(2.0 / n) * cos(pi * j * (t + 0.5) / n) for t in range(n)])
        seen = wave * whole - sum((wave @ w) / w.sum() * w for w in weights)
        shown += float(seen @ gamma @ seen) * n / count
    return max(1.0, float(whole @ gamma @ whole) / shown)


def ratio_interval(variance: Floats, short: Floats, long: Floats) -> tuple[float, float]:
    """Return the interval of the volatility after short over that after long gamma.

    `short` and `long` say in how many labelled windows each session lies; variances are means.
    """
    means = [float(variance @ w / w.sum()) for w in (short, long)]
    weights = [short / short.sum(), -long / long.sum()]
    scores = sum(w * 0.5 * (variance / m - 1.0) for w, m in zip(weights, means, strict=True))
    used = short + long > 0
    factor = group_factor([w[used] for w in weights], 6)
    reach = quantile(5) * error(np.asarray(scores)[used], 6) * sqrt(factor)
    centre = 0.5 * log(means[0] / means[1])
    return exp(centre - reach), exp(centre + reach)


def slope_interval(y: Floats, x: Floats, count: int, freedom: int) -> tuple[float, float]:
    """Return the interval of the slope of y on x and an intercept."""
    n = len(y)
    design = np.column_stack([np.ones(n), x])
    inverse = np.linalg.inv(design.T @ design)
    hat = design @ inverse @ design.T
    slope = inverse @ design.T @ y
    residuals = y - design @ slope
    weight = (inverse @ design.T)[1]
    gamma, shown = covariance(n), 0.0
    for j in range(1, count + 1):
        wave = np.array([sqrt(2.0 / n) * cos(pi * j * (t + 0.5) / n) for t in range(n)])
        seen = (np.eye(n) - hat) @ (wave * weight)
        shown += float(seen @ gamma @ seen) * n / count
    factor = max(1.0, float(weight @ gamma @ weight) / shown)
    reach = error(weight * residuals / (1.0 - np.diag(hat)), count) * sqrt(factor)
    reach *= quantile(freedom)
    return slope[1] - reach, slope[1] + reach
