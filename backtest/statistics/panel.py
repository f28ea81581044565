"""Regressions on panels: effects of names and dates taken out, errors clustered by both."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt
from scipy import stats

from ...data import DefinitionError

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

    from ...data import TradingCalendar

__all__ = ["PanelFit", "panel_fit", "places_on", "without_effects"]

_Floats = npt.NDArray[np.float64]
_Codes = npt.NDArray[np.int64]
_SWEEPS: Final = 10_000
_CLOSE: Final = 1e-12


def places_on(calendar: TradingCalendar, rows: pd.DataFrame) -> _Codes:
    """Return the number of each row's session on a calendar.

    Parameters
    ----------
    calendar : TradingCalendar
    rows : DataFrame
        ``underlying, session``.

    Returns
    -------
    ndarray of int

    Raises
    ------
    DefinitionError
        If a session is none of the calendar: returns between neighbours would be of other days.
    """
    every = np.asarray(calendar.sessions).astype("datetime64[D]")
    days = rows["session"].to_numpy().astype("datetime64[D]")
    place = np.searchsorted(every, days)
    strange = np.flatnonzero(every[np.minimum(place, len(every) - 1)] != days)
    if len(strange):
        name = rows["underlying"].iloc[int(strange[0])]
        raise DefinitionError(
            f"{days[strange[0]]} of {name} is no session of {calendar.name}: name underlyings of "
            "one calendar (--underlying)"
        )
    return place


@dataclass(frozen=True, slots=True)
class PanelFit:
    """Slopes of a panel regression with errors clustered by name and date.

    Attributes
    ----------
    slopes, std_errors, t_stats : ndarray
        One per regressor. An error is NaN where the two-way variance is not positive.
    n, names, dates : int
        Observations and clusters.
    """

    slopes: _Floats
    std_errors: _Floats
    t_stats: _Floats
    n: int
    names: int
    dates: int

    def p_value(self, place: int, sign: int) -> float:
        """Return the one-sided p of a slope in a direction, Student's t with the fewer clusters.

        Parameters
        ----------
        place : int
            Of the regressor.
        sign : {-1, 1}
            Expected direction.
        """
        t = float(self.t_stats[place])
        freedom = min(self.names, self.dates) - 1
        if not np.isfinite(t) or freedom < 1:
            return float("nan")
        return float(stats.t.sf(sign * t, freedom))


def panel_fit(
    y: _Floats,
    x: _Floats,
    names: Sequence[object] | npt.NDArray[np.generic],
    dates: Sequence[object] | npt.NDArray[np.generic],
) -> PanelFit:
    """Return the regression of y on x with effects of every name and date.

    Parameters
    ----------
    y : ndarray
        One value per observation.
    x : ndarray
        Observations by regressors, without a constant.
    names, dates : sequence
        Whose, and when.

    Returns
    -------
    PanelFit
        The variance is that of names plus that of dates less that of their intersection (Cameron,
        Gelbach, Miller 2011), each with its own correction for few clusters; effects count as
        parameters.
    """
    name, date = _codes(names), _codes(dates)
    effects = int(name.max()) + int(date.max()) + 1  # one of them is redundant
    clean = without_effects(np.column_stack([y, x]), name, date)
    target, regressors = clean[:, 0], clean[:, 1:]
    n, k = regressors.shape
    bread = np.linalg.pinv(regressors.T @ regressors)
    slopes = bread @ (regressors.T @ target)
    scores = regressors * (target - regressors @ slopes)[:, None]
    left = n - k - effects
    if left < 1:
        nothing = np.full(k, np.nan)
        return PanelFit(slopes, nothing, nothing, n, int(name.max()) + 1, int(date.max()) + 1)
    both = _codes(name * (int(date.max()) + 1) + date)
    meat = sum(
        sign * _clustered(scores, codes) * (n - 1) / left
        for sign, codes in ((1, name), (1, date), (-1, both))
    )
    variance = np.diag(bread @ meat @ bread)
    errors = np.sqrt(np.where(variance > 0, variance, np.nan))
    return PanelFit(
        slopes, errors, slopes / errors, n, int(name.max()) + 1, int(date.max()) + 1
    )  # fmt: skip


def without_effects(values: _Floats, names: _Codes, dates: _Codes) -> _Floats:
    """Return columns with the means of every name and date taken out, in turn until nothing moves.

    Parameters
    ----------
    values : ndarray
        Observations by columns.
    names, dates : ndarray
        Codes from 0.
    """
    clean = values.astype(np.float64, copy=True)
    size = np.maximum(np.abs(clean).max(axis=0), np.finfo(float).tiny)
    for _ in range(_SWEEPS):
        before = clean.copy()
        for codes in (names, dates):
            count = np.bincount(codes)
            for column in range(clean.shape[1]):
                sums = np.bincount(codes, weights=clean[:, column])
                clean[:, column] -= (sums / count)[codes]
        if (np.abs(clean - before).max(axis=0) <= _CLOSE * size).all():
            break
    return clean


def _codes(values: Sequence[object] | npt.NDArray[np.generic]) -> _Codes:
    _, codes = np.unique(np.asarray(values), return_inverse=True)
    return codes.astype(np.int64)


def _clustered(scores: _Floats, codes: _Codes) -> _Floats:
    """Return the sum over clusters of the outer products of their scores, corrected for few."""
    groups = int(codes.max()) + 1
    sums = np.column_stack([np.bincount(codes, weights=column) for column in scores.T])
    few = groups / (groups - 1) if groups > 1 else np.nan
    return np.asarray(sums.T @ sums * few, dtype=np.float64)
