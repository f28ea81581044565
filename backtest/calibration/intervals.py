"""How often printed intervals hold the truth, on returns whose truth is known.

Four kinds of returns, and a fifth that is harsher than any market; two regimes that come in spells
and have nothing to do with them. Every statistic is computed by the function that reports print it
with; beside its width stands that of percentile intervals by block bootstrap, as printed before.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from ...data import EXCHANGE_SESSIONS, NotEnoughDataError, Progress, silent
from ..statistics import realised
from ..statistics.diagnostics.groups import compare_groups, mean_measure
from ..statistics.diagnostics.regression import coefficient_interval, ols
from ..statistics.rejection import wilson
from ..statistics.resampling import NORMAL_LEVEL, Resampling
from ..statistics.sharpe_intervals import return_intervals
from ..statistics.volatility_by_regime import (
    correlation,
    range_efficiency,
    volatility_ratio,
)
from .former_intervals import former_widths
from .return_kinds import KINDS, Sample, kind_named, samples

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

__all__ = ["LENGTHS", "STATISTICS", "Coverage", "CoverageCell", "interval_coverage"]

Floats = npt.NDArray[np.float64]

#: Sessions of the samples.
LENGTHS: Final = (60, 126, EXCHANGE_SESSIONS, 3 * EXCHANGE_SESSIONS)
#: Coverage that an interval of nominal 95 % must reach, allowing for the number of samples.
REQUIRED: Final = 0.93
#: Samples of which the former width is computed too.
_FORMER: Final = 100
_CHUNK: Final = 50

#: Statistic to what it is, as it is printed where.
STATISTICS: Final = {
    "sharpe": "Sharpe ratio of a strategy, true value 1 a year",
    "cagr": "compound growth of a strategy",
    "ratio_today": "volatility in short over long gamma, close to close, the session itself",
    "ratio_next_1": "the same, the next session",
    "ratio_next_5": "the same, the next 5 sessions",
    "ratio_next_21": "the same, the next 21 sessions",
    "ratio_parkinson": "the same, the next session, of highs and lows",
    "autocorrelation": "lag-1 autocorrelation of the sessions of one regime",
    "efficiency": "range efficiency of the sessions of one regime",
    "difference_1": "difference of log volatility by regime, the next session",
    "difference_21": "the same, the next 21 sessions",
    "coefficient": "coefficient of a persistent regressor, of log volatility on its past and it",
}


class CoverageCell(NamedTuple):
    """One statistic on one kind of returns of one length.

    Attributes
    ----------
    statistic, kind : str
    n : int
        Sessions.
    samples, printed, covered : int
        Drawn; with an interval; with an interval that holds the truth.
    width, former_width : float
        Medians, of those printed; NaN where none is.
    """

    statistic: str
    kind: str
    n: int
    samples: int
    printed: int
    covered: int
    width: float
    former_width: float

    @property
    def coverage(self) -> tuple[float, float, float]:
        """Share of the printed ones that cover, with its Wilson interval."""
        return wilson(self.covered, self.printed)

    @property
    def sound(self) -> bool:
        """Whether the interval of the share reaches 93 %; a cell that prints none is sound."""
        return self.printed == 0 or self.coverage[2] >= REQUIRED


@dataclass(frozen=True, slots=True)
class Coverage:
    """The cells of a coverage table.

    Attributes
    ----------
    cells : tuple of CoverageCell
    samples : int
        Of each kind and length.
    first_seed : int
    """

    cells: tuple[CoverageCell, ...]
    samples: int
    first_seed: int

    @property
    def level(self) -> float:
        """Nominal coverage."""
        return NORMAL_LEVEL

    @property
    def required(self) -> float:
        """Coverage that the Wilson interval of a cell must reach."""
        return REQUIRED

    @property
    def kinds(self) -> dict[str, str]:
        """Kinds of returns, with what they are."""
        return {name: KINDS[name].meaning for name in dict.fromkeys(c.kind for c in self.cells)}

    @property
    def statistics(self) -> dict[str, str]:
        """Statistics, with what they are."""
        return {name: STATISTICS[name] for name in dict.fromkeys(c.statistic for c in self.cells)}

    def document(self) -> dict[str, Any]:
        """Return everything as plain values.

        Returns
        -------
        dict
            As ``gexlab calibrate intervals --json`` prints it.
        """
        return {
            "samples": self.samples,
            "first_seed": self.first_seed,
            "level": self.level,
            "required": self.required,
            "cells": [
                cell._asdict() | {"coverage": list(cell.coverage), "sound": cell.sound}
                for cell in self.cells
            ],
        }


def interval_coverage(
    *,
    samples: int = 1_000,
    lengths: Sequence[int] = LENGTHS,
    kinds: Sequence[str] = tuple(KINDS),
    statistics: Sequence[str] = tuple(STATISTICS),
    first_seed: int = 0,
    progress: Progress = silent,
) -> Coverage:
    """Measure how often nominal 95 % intervals cover.

    Parameters
    ----------
    samples : int
        Of each kind and length.
    lengths : sequence of int
        Sessions.
    kinds, statistics : sequence of str
        Of `KINDS` and `STATISTICS`.
    first_seed : int
    progress : Progress

    Returns
    -------
    Coverage
        A cell for each kind, length and statistic.

    Raises
    ------
    NotEnoughDataError
        If there are fewer than two samples.
    """
    if samples < 2:
        raise NotEnoughDataError(f"coverage needs at least 2 samples, got {samples}")
    found: list[CoverageCell] = []
    plan = [(kind, n) for kind in kinds for n in lengths]
    for done, (kind, n) in enumerate(plan):
        found += _cells(kind, n, samples, statistics, first_seed)
        progress(done + 1, len(plan), f"{kind}, {n} sessions")
    order = {name: i for i, name in enumerate(statistics)}
    return Coverage(tuple(sorted(found, key=lambda c: order[c.statistic])), samples, first_seed)


def _cells(
    kind: str, n: int, wanted: int, statistics: Sequence[str], first_seed: int
) -> Iterator[CoverageCell]:
    limits: dict[str, list[tuple[float, float]]] = {name: [] for name in statistics}
    former: dict[str, list[float]] = {name: [] for name in statistics}
    for first in range(0, wanted, _CHUNK):
        count = min(_CHUNK, wanted - first)
        drawn = samples(kind_named(kind), n, count, (first_seed, n, first))
        for sample in drawn:
            for name, ends in intervals_of(sample, statistics).items():
                limits[name].append(ends)
        if first < _FORMER:
            for name, widths in former_widths(drawn, statistics).items():
                former[name] += widths
    for name in statistics:
        found = np.array(limits[name])
        shown = np.asarray(np.isfinite(found).all(axis=1))
        truth = kind_named(kind).truth(name)
        inside = shown & (found[:, 0] <= truth) & (truth <= found[:, 1])
        old = np.array(former[name])[shown[: len(former[name])]]
        yield CoverageCell(
            name,
            kind,
            n,
            wanted,
            int(shown.sum()),
            int(inside.sum()),
            _median(found[shown, 1] - found[shown, 0]),
            _median(old[np.isfinite(old)]),
        )


def _median(values: Floats) -> float:
    return float(np.median(values)) if values.size else float("nan")


def intervals_of(sample: Sample, statistics: Sequence[str]) -> dict[str, tuple[float, float]]:
    """Return the intervals of a sample as reports print them; NaN where they print none."""
    found: dict[str, tuple[float, float]] = {}
    for name in statistics:
        recipe = next(r for start, r in _RECIPES.items() if name.startswith(start))
        found[name] = recipe(sample, name)
    return found


def _of_returns(sample: Sample, name: str) -> tuple[float, float]:
    found = return_intervals(sample.returns[:, None], _HOW)[0]
    return found.sharpe if name == "sharpe" else found.cagr


def _of_ratio(sample: Sample, name: str) -> tuple[float, float]:
    ranges = name == "ratio_parkinson"
    e = realised.estimator("parkinson" if ranges else "close_to_close")
    horizon = "next_1" if ranges else name.removeprefix("ratio_")
    short = sample.short
    r = volatility_ratio(e, e.moments(sample.logs), short, ~short, horizon, _HOW.level)
    return r.low, r.high


def _of_pairs(sample: Sample, name: str) -> tuple[float, float]:
    following = np.append(sample.total[1:], np.nan)
    found = correlation(sample.total, following, sample.short, _HOW.level)
    return found.low, found.high


def _of_efficiency(sample: Sample, name: str) -> tuple[float, float]:
    found = range_efficiency(sample.logs, sample.short, _HOW.level)
    return found.low, found.high


def _of_difference(sample: Sample, name: str) -> tuple[float, float]:
    ahead = int(name.rpartition("_")[2])
    measure = mean_measure(name, "log", "", sample.log_volatility_ahead(ahead), ahead)
    found = compare_groups([measure], sample.short, ~sample.short, _HOW)[0].difference
    return found.low, found.high


def _of_regression(sample: Sample, name: str) -> tuple[float, float]:
    level = realised.log_volatility(realised.parkinson(sample.logs))
    trail = realised.har_regressors(level)
    columns = {"gex": sample.regressor, "day": trail[:, 0], "week": trail[:, 1]}
    fit = ols(np.append(level[1:], np.nan), columns)
    return coefficient_interval(fit, "gex", _HOW)


_HOW: Final = Resampling()
_RECIPES: Final[dict[str, Callable[[Sample, str], tuple[float, float]]]] = {
    "sharpe": _of_returns,
    "cagr": _of_returns,
    "ratio": _of_ratio,
    "autocorrelation": _of_pairs,
    "efficiency": _of_efficiency,
    "difference": _of_difference,
    "coefficient": _of_regression,
}
