"""Is any of many trials better than its benchmark? SPA, Reality Check and stepdown.

All on studentised columns. A p-value is the share of draws whose largest statistic reaches the
one observed.

References
----------
White (2000), A reality check for data snooping, Econometrica 68; Hansen (2005), A test for superior
predictive ability, JBES 23; Romano, Wolf (2005), Stepwise multiple testing as formalized data
snooping, Econometrica 73; Hsu, Hsu, Kuan (2010), J. Empirical Finance 17 (the stepwise SPA).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
import numpy.typing as npt

from ...data import UnknownNameError, short_repr

if TYPE_CHECKING:
    from .studentised import Studentised

__all__ = ["RECENTRINGS", "Recentring", "SuperiorAbility", "recentred_shift", "spa", "step_m"]

Floats = npt.NDArray[np.float64]
Singles = npt.NDArray[np.float32]

Recentring = Literal["lower", "consistent", "upper"]
RECENTRINGS: tuple[Recentring, ...] = ("lower", "consistent", "upper")
_COLUMNS = 512


@dataclass(frozen=True, slots=True, eq=False)
class SuperiorAbility:
    """Hansen's test of superior predictive ability, and White's Reality Check.

    Attributes
    ----------
    statistic : float
        Largest studentised mean, at least 0; NaN where no trial varies.
    p_lower, p_consistent, p_upper : float
        Hansen's three p-values. `p_upper` takes every trial to be as good as the benchmark: that
        is White's Reality Check on studentised columns.
    p_of_trial : ndarray, shape (k,)
        Share of draws whose largest statistic (consistent) reaches the trial's own; NaN for a
        trial without variation.
    trials : int
        Trials that take part.
    """

    statistic: float
    p_lower: float
    p_consistent: float
    p_upper: float
    p_of_trial: Floats
    trials: int
    __repr__ = short_repr


def spa(columns: Studentised) -> SuperiorAbility:
    """Return the SPA test of all trials.

    Parameters
    ----------
    columns : Studentised
        Of returns, or of differences to a benchmark; more is better.
    """
    t = columns.statistic
    part = np.isfinite(t)
    if not part.any():
        nan = float("nan")
        return SuperiorAbility(nan, nan, nan, nan, np.full(len(t), nan), 0)
    best = float(np.max(t[part]))
    largest = {how: _largest(columns, how) for how in RECENTRINGS}
    p = {how: float(np.mean(draws >= best)) for how, draws in largest.items()}
    ordered = np.sort(largest["consistent"])
    reached = (len(ordered) - np.searchsorted(ordered, t, side="left")) / len(ordered)
    return SuperiorAbility(
        statistic=max(best, 0.0),
        p_lower=p["lower"],
        p_consistent=p["consistent"],
        p_upper=p["upper"],
        p_of_trial=np.where(part, reached, np.nan),
        trials=int(part.sum()),
    )


def step_m(columns: Studentised, recentring: Recentring = "consistent") -> Floats:
    """Return stepdown p-values: familywise error at most alpha among those at or below alpha.

    Parameters
    ----------
    columns : Studentised
    recentring : {"lower", "consistent", "upper"}
        ``consistent``: the stepwise SPA test, which hopeless trials do not weaken (what ``arch``
        calls StepM); ``upper``: Romano and Wolf's own.

    Returns
    -------
    ndarray, shape (k,)
        Adjusted p-values; NaN for a trial without variation. All of them may be small: where
        every trial is superior, every trial is selected.

    Notes
    -----
    Trials are taken from the largest statistic down; each is held against the largest draw of
    itself and all that are still to come (Romano and Wolf 2016).
    """
    t = columns.statistic
    order = np.argsort(np.where(np.isfinite(t), -t, np.inf), kind="stable")
    order = order[np.isfinite(t[order])]
    out = np.full(len(t), np.nan)
    if not len(order):
        return out
    shift = recentred_shift(columns, recentring)
    running = np.full(len(columns.draws), -np.inf, dtype=np.float32)
    raw = np.empty(len(order))
    for place in range(len(order) - 1, -1, -1):
        j = order[place]
        np.maximum(running, columns.draws[:, j] + shift[j], out=running)
        raw[place] = np.mean(running >= t[j])
    out[order] = np.maximum.accumulate(raw)
    return out


def recentred_shift(columns: Studentised, how: Recentring) -> Singles:
    """Return what is added to the draws of each trial, which are centred at 0.

    Parameters
    ----------
    columns : Studentised
    how : {"lower", "consistent", "upper"}
        ``upper`` adds nothing; ``lower`` the trial's own statistic where it is negative;
        ``consistent`` that where it is below -sqrt(2 log log n) standard errors.
    """
    if how not in RECENTRINGS:
        raise UnknownNameError("recentring", how, RECENTRINGS)
    t = columns.statistic
    far = np.sqrt(2.0 * np.log(np.log(columns.rows)))
    bound = {
        "upper": np.full(len(t), -np.inf),
        "lower": np.zeros(len(t)),
        "consistent": -far * columns.deviation / columns.unit,
    }[how]
    return np.where(t < bound, t, 0.0).astype(np.float32)


def _largest(columns: Studentised, how: Recentring) -> Singles:
    """Return the largest statistic of each draw."""
    shift = recentred_shift(columns, how)
    largest = np.full(len(columns.draws), -np.inf, dtype=np.float32)
    for start in range(0, len(shift), _COLUMNS):
        part = slice(start, start + _COLUMNS)
        np.maximum(largest, (columns.draws[:, part] + shift[part]).max(axis=1), out=largest)
    return largest
