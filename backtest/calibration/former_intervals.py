"""Widths of percentile intervals by block bootstrap, which intervals were until version 0.2.

Kept for comparison only: nothing that is printed rests on them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from ...data import EXCHANGE_SESSIONS
from ..statistics import realised
from ..statistics.resampling import Resampling, interval, resampled_sums
from ..statistics.volatility_by_regime import HORIZONS

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from .return_kinds import Sample

__all__ = ["former_widths"]

Floats = npt.NDArray[np.float64]


def former_widths(drawn: Sequence[Sample], statistics: Sequence[str]) -> dict[str, list[float]]:
    """Return the width of each statistic's former interval, sample by sample.

    Where several samples are given they share their resamples, as strategies did.
    """
    how = Resampling(replications=400)
    found: dict[str, list[float]] = {}
    for name in statistics:
        columns, statistic = _RECIPES[name.split("_")[0]]
        tables = [columns(sample, name) for sample in drawn]
        sums = np.split(resampled_sums(np.hstack(tables), how), len(tables), axis=1)
        with np.errstate(invalid="ignore", divide="ignore"):
            limits = [interval(statistic(s), how.level) for s in sums]
        found[name] = [high - low for low, high in limits]
    return found


def _of_returns(sample: Sample, name: str) -> Floats:
    r = sample.returns
    return np.column_stack([r, r * r, np.log1p(r), np.ones(len(r))])


def _sharpe(s: Floats) -> Floats:
    mean = s[:, 0] / s[:, 3]
    return np.asarray(
        np.sqrt(EXCHANGE_SESSIONS) * mean / np.sqrt((s[:, 1] - s[:, 3] * mean**2) / (s[:, 3] - 1))
    )


def _growth(s: Floats) -> Floats:
    return np.expm1(EXCHANGE_SESSIONS * s[:, 2] / s[:, 3])


def _two(values: Floats, sample: Sample) -> Floats:
    known = np.isfinite(values)
    x, short = np.where(known, values, 0.0), sample.short
    return np.column_stack([x * short, known & short, x * ~short, known & ~short]).astype(float)


def _ahead(x: Floats, horizon: str) -> Floats:
    first, last = HORIZONS[horizon]
    out = np.full(len(x), np.nan)
    windows = np.lib.stride_tricks.sliding_window_view(x[first:], last - first + 1)
    out[: len(windows)] = windows.mean(axis=-1)
    return out


def _of_variance(sample: Sample, name: str) -> Floats:
    if name == "ratio_parkinson":
        return _two(_ahead(realised.parkinson(sample.logs), "next_1"), sample)
    return _two(_ahead(sample.total**2, name.removeprefix("ratio_")), sample)


def _ratio(s: Floats) -> Floats:
    return np.asarray(np.sqrt(s[:, 0] / s[:, 1] / (s[:, 2] / s[:, 3])))


def _of_difference(sample: Sample, name: str) -> Floats:
    return _two(sample.log_volatility_ahead(int(name.split("_")[1])), sample)


def _difference(s: Floats) -> Floats:
    return np.asarray(s[:, 0] / s[:, 1] - s[:, 2] / s[:, 3])


def _of_pairs(sample: Sample, name: str) -> Floats:
    use = sample.short.copy()
    use[[0, -1]] = False
    a, b = np.where(use, sample.total, 0.0), np.where(use, np.append(sample.total[1:], 0.0), 0.0)
    return np.column_stack([use.astype(float), a, b, a * a, b * b, a * b])


def _correlation(s: Floats) -> Floats:
    n, x, y, xx, yy, xy = s.T
    return np.asarray((xy - x * y / n) / np.sqrt((xx - x * x / n) * (yy - y * y / n)))


def _of_efficiency(sample: Sample, name: str) -> Floats:
    use = sample.short
    share = np.abs(sample.logs.close) / sample.logs.range
    return np.column_stack([np.where(use, share, 0.0), use.astype(float)])


def _mean(s: Floats) -> Floats:
    return np.asarray(s[:, 0] / s[:, 1])


def _of_regression(sample: Sample, name: str) -> Floats:
    level = realised.log_volatility(realised.parkinson(sample.logs))
    trail = realised.har_regressors(level)
    y = np.append(level[1:], np.nan)
    x = np.column_stack([np.ones(len(y)), sample.regressor, trail[:, 0], trail[:, 1]])
    used = np.isfinite(y) & np.isfinite(x).all(axis=1)
    x, y = np.where(used[:, None], x, 0.0), np.where(used, y, 0.0)
    upper = np.triu_indices(4)
    return np.column_stack([x[:, upper[0]] * x[:, upper[1]], x * y[:, None]])


def _coefficient(s: Floats) -> Floats:
    upper = np.triu_indices(4)
    gram = np.empty((len(s), 4, 4))
    gram[:, upper[0], upper[1]] = gram[:, upper[1], upper[0]] = s[:, :10]
    return np.asarray((np.linalg.pinv(gram, hermitian=True) @ s[:, 10:, None])[:, 1, 0])


_RECIPES: dict[str, tuple[Callable[[Sample, str], Floats], Callable[[Floats], Floats]]] = {
    "sharpe": (_of_returns, _sharpe),
    "cagr": (_of_returns, _growth),
    "ratio": (_of_variance, _ratio),
    "autocorrelation": (_of_pairs, _correlation),
    "efficiency": (_of_efficiency, _mean),
    "difference": (_of_difference, _difference),
    "coefficient": (_of_regression, _coefficient),
}
