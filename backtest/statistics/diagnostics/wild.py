"""p-values by the wild bootstrap, for slopes whose t is not normal in samples of usual length.

The normal p of a Newey-West t counts on many rows of similar weight. The slope on a day's return
times gamma has its weight on a few hundred wild sessions, next to each other: t is too large too
often. Here the regression is fitted without the regressors in question, the signs of its residuals
are drawn anew, and the statistic is held against those of such samples, which have no effect but
the same regressors and the same wild sessions. Neither ``statsmodels`` nor ``arch`` offers this.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..resampling import Resampling
    from .regression import Fit

__all__ = ["wild_p"]

Floats = npt.NDArray[np.float64]
Index = npt.NDArray[np.intp]
_CHUNK = 250
_MOST_LEVERAGE = 0.999  # of a row that a regression fits almost alone


def wild_p(
    fit: Fit,
    names: str | tuple[str, ...],
    how: Resampling,
    groups: npt.ArrayLike | None = None,
    side: Literal["both", "lower", "upper"] = "both",
) -> float:
    """Return the p-value of coefficients being zero: of either sign for one, joint for several.

    Rademacher signs, one for each row (or group), on the residuals of the regression without the
    coefficients, scaled by their leverage; t (or Wald's statistic) with HC3 errors, or clustered by
    group.

    Parameters
    ----------
    fit : Fit
        Of whatever errors: those are not used.
    names : str or tuple of str
        Coefficients.
    how : Resampling
        Seed and replications; the smallest p is one over these plus one.
    groups : array_like, shape (rows given,), optional
        Group of each row given to the regression: rows of a group change sign together.
    side : {"both", "lower", "upper"}
        Whether one coefficient below, or above, zero speaks for the claim.

    Returns
    -------
    float
        NaN where the other regressors explain one of them in full.

    References
    ----------
    MacKinnon (2013), Thirty years of heteroskedasticity-robust inference; Davidson and Flachaire
    (2008), J. Econometrics 146, 162-169; with groups Cameron, Gelbach and Miller (2008), Review of
    Economics and Statistics 90, 414-427.
    """
    at = [fit.position(name) for name in ((names,) if isinstance(names, str) else names)]
    others = np.linalg.qr(np.delete(fit.design, at, axis=1))[0]
    every = np.linalg.qr(fit.design)[0]
    tested = _without(fit.design[:, at], others)
    if ((tested**2).sum(axis=0) <= 1e-12 * (fit.design[:, at] ** 2).sum(axis=0)).any():
        return float("nan")
    index = None
    if groups is not None:
        index = np.unique(np.asarray(groups)[fit.used], return_inverse=True)[1].ravel()
    restricted = _without(fit.design @ fit.params + fit.residuals, others)
    found = _statistic(tested, restricted[:, None], every, index, side)[0]
    beyond = 0
    for drawn in _samples(restricted / (1.0 - _leverage(others)), index, how):
        # signs that repeat the sample, or mirror it, tie with it but for rounding
        statistic = _statistic(tested, drawn, every, index, side)
        beyond += int((statistic >= found - 1e-9 * abs(found)).sum())
    return (1.0 + beyond) / (1.0 + how.replications)


def _statistic(tested: Floats, y: Floats, every: Floats, index: Index | None, side: str) -> Floats:
    """Return what speaks for the claim where it is large: Wald's statistic, or t to one side."""
    wald = _wald(tested, y, every, index)
    if side == "both":
        return wald
    towards = np.sign(tested[:, 0] @ y) * (1.0 if side == "upper" else -1.0)
    return np.asarray(towards * np.sqrt(wald), dtype=np.float64)


def _samples(residuals: Floats, index: Index | None, how: Resampling) -> Iterator[Floats]:
    rng = np.random.default_rng(how.seed)
    count = len(residuals) if index is None else int(index.max()) + 1
    for start in range(0, how.replications, _CHUNK):
        size = min(_CHUNK, how.replications - start)
        signs = 2.0 * rng.integers(0, 2, (count, size)) - 1.0
        yield residuals[:, None] * (signs if index is None else signs[index])


def _without(x: Floats, basis: Floats) -> Floats:
    """Return what an orthonormal basis does not explain."""
    return np.asarray(x - basis @ (basis.T @ x), dtype=np.float64)


def _leverage(basis: Floats) -> Floats:
    return np.asarray(np.minimum((basis**2).sum(axis=1), _MOST_LEVERAGE), dtype=np.float64)


def _wald(tested: Floats, y: Floats, every: Floats, index: Index | None) -> Floats:
    """Return the statistic in each column of y; the other regressors are taken out already."""
    residuals = _without(y, every)
    pairs = np.triu_indices(tested.shape[1])
    if index is None:
        weights = (residuals / (1.0 - _leverage(every))[:, None]) ** 2
        sums = (tested[:, pairs[0]] * tested[:, pairs[1]]).T @ weights
    else:
        scores = _by_group(tested, residuals, index)
        sums = (scores[pairs[0]] * scores[pairs[1]]).sum(axis=1)
    spread = np.empty((y.shape[1], tested.shape[1], tested.shape[1]))
    spread[:, pairs[0], pairs[1]] = spread[:, pairs[1], pairs[0]] = sums.T
    push = (tested.T @ y).T[:, :, None]
    return np.asarray((push.mT @ np.linalg.pinv(spread, hermitian=True) @ push)[:, 0, 0])


def _by_group(tested: Floats, residuals: Floats, index: Index) -> Floats:
    """Return sums of scores, shape (coefficients, groups, columns)."""
    order = np.argsort(index, kind="stable")
    starts = np.flatnonzero(np.diff(index[order], prepend=-1))
    parts = [np.add.reduceat((x[:, None] * residuals)[order], starts, axis=0) for x in tested.T]
    return np.array(parts)
