"""The morning's regime frozen, against the same book re-checked at every bar."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from ..statistics.diagnostics.regression import Fit, ols
from ..statistics.intraday import IntradayGrid
from .features import needs
from .kill_conditions import CRITICAL_T, Requirement, holds, kill_condition
from .outcomes import coefficient_outcome, one_sided
from .protocol import Card, Dataset, Hypothesis, Outcome, ResultTable, Settings

__all__ = ["HYPOTHESIS", "fit_head_to_head"]

Floats = npt.NDArray[np.float64]

_REQUIRES = (
    Requirement(
        "t",
        "<",
        -CRITICAL_T,
        f"t of the re-checked regime of at least -{CRITICAL_T} beside the frozen one",
    ),
)

_CARD = Card(
    name="screenshot-vs-dynamic",
    claim="The regime re-checked as spot and time move says more about the next half hour than "
    "the morning's one.",
    source="this project: one screenshot is one estimate at one instant",
    how_read="own computation",
    specification="absolute return of the next half hour, relative to that time of day, on "
    "net/gross of the re-checked book and of the frozen one, with the last half hour's absolute "
    "return and the loss since the open; clustered by session",
    tier="M+C",
    expected_sign="-",
    kill=kill_condition(_REQUIRES),
    estimate="change of the relative move per standard deviation of net/gross re-checked",
    effect=-0.1,
    requires=_REQUIRES,
)
_FEWEST = 20
_STEP = 30


def fit_head_to_head(grid: IntradayGrid, frozen: Floats, dynamic: Floats) -> Fit:
    """Return the regression; ``dynamic`` and ``frozen`` are per standard deviation.

    Parameters
    ----------
    grid : IntradayGrid
    frozen, dynamic : ndarray, shape (sessions, columns of the grid)
        Known at that column's moment; NaN where there is no book.
    """
    step = _STEP // grid.minutes
    moments = np.arange(step, grid.log_prices.shape[1] - step, step)
    prices = grid.log_prices
    ahead = np.abs(prices[:, moments + step] - prices[:, moments])
    behind = np.abs(prices[:, moments] - prices[:, moments - step])
    loss = np.minimum(prices[:, moments] - prices[:, :1], 0.0)
    usual = np.nanmean(ahead, axis=0)
    clusters = np.broadcast_to(np.arange(len(prices))[:, None], ahead.shape)
    columns = {
        "dynamic": _units(dynamic[:, moments]),
        "frozen": _units(frozen[:, moments]),
        "behind": (behind / np.nanmean(behind, axis=0)).ravel(),
        "loss": _units(loss),
    }
    return ols((ahead / usual).ravel(), columns, clusters=clusters.ravel())


def _units(x: Floats) -> Floats:
    flat = x.ravel()
    return np.asarray((flat - np.nanmean(flat)) / np.nanstd(flat), dtype=np.float64)


def _run(dataset: Dataset, settings: Settings) -> Outcome:
    grid = dataset.intraday
    needs(grid is not None, "intraday bars of at most 30 minutes (data.intraday)")
    needs(
        dataset.frozen is not None and dataset.dynamic is not None,
        f"a re-checked regime: {dataset.unchecked}"
        if dataset.unchecked
        else "chains (regime.source = lake) of the sessions before the intraday bars",
    )
    assert grid is not None
    assert dataset.frozen is not None
    assert dataset.dynamic is not None
    needs(30 % grid.minutes == 0, f"intraday bars that divide 30 minutes, not {grid.minutes}")
    known = np.isfinite(dataset.dynamic).any(axis=1) & np.isfinite(dataset.frozen).any(axis=1)
    count = int(known.sum())
    needs(count >= _FEWEST, f"at least {_FEWEST} sessions with a re-checked regime, found {count}")
    fit = fit_head_to_head(grid, dataset.frozen, dataset.dynamic)
    c, frozen = fit.coefficient("dynamic"), fit.coefficient("frozen")
    differ = _disagreement(dataset.frozen, dataset.dynamic)
    sessions = np.repeat(grid.sessions, len(fit.used) // len(grid.sessions))
    return coefficient_outcome(
        fit,
        "dynamic",
        sessions,
        settings,
        supported=holds(_REQUIRES, {"t": c.t_stat}),
        reason=(
            f"re-checked {c.value:+.3f} (t {c.t_stat:.2f}), frozen {frozen.value:+.3f} "
            f"(t {frozen.t_stat:.2f}); signs differ at {100 * differ:.1f} % of the bars, "
            f"{count} sessions"
        ),
        critical=-CRITICAL_T,
        p_value=one_sided(c.t_stat, "-"),
        tables=(
            ResultTable(
                "Relative move of the next half hour",
                ("regressor", "b", "t", "n"),
                tuple(
                    (n, k.value, k.t_stat, k.n)
                    for n, k in ((n, fit.coefficient(n)) for n in fit.names)
                ),
                "Per standard deviation of net/gross; clustered by session.",
            ),
        ),
    )


def _disagreement(frozen: Floats, dynamic: Floats) -> float:
    both = np.isfinite(frozen) & np.isfinite(dynamic)
    return float((np.sign(frozen[both]) != np.sign(dynamic[both])).mean())


HYPOTHESIS = Hypothesis(_CARD, _run)
