"""Least squares with honest standard errors, by ``statsmodels``, and their intervals."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from ....data import NOISE, NotEnoughDataError, UnknownNameError, varies
from ..intervals import (
    COEFFICIENTS,
    Spread,
    cosines,
    ends,
    expected,
    lacking,
    spread_of_scores,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..resampling import Resampling

__all__ = [
    "Coefficient",
    "Fit",
    "WaldTest",
    "coefficient_interval",
    "hac_lags",
    "mean_test",
    "ols",
    "t_stats",
    "wald",
]

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Coefficient:
    """One coefficient; the p-value is two-sided and asymptotic (normal).

    Attributes
    ----------
    value, std_error, t_stat, p_value : float
    n : int
        Rows of the regression.
    """

    value: float
    std_error: float
    t_stat: float
    p_value: float
    n: int


@dataclass(frozen=True, slots=True, eq=False)
class Fit:
    """A fitted regression.

    Attributes
    ----------
    names : tuple of str
        Of the coefficients, ``intercept`` first where there is one.
    params, std_errors : ndarray, shape (k,)
    covariance : ndarray, shape (k, k)
        HAC, clustered or heteroskedastic, as asked for.
    r2 : float
        NaN where y does not vary.
    used : ndarray of bool, shape (rows given,)
        Rows without NaN, which alone were used.
    design : ndarray, shape (n, k)
    residuals : ndarray, shape (n,)
    """

    names: tuple[str, ...]
    params: Floats
    std_errors: Floats
    covariance: Floats
    r2: float
    used: npt.NDArray[np.bool_]
    design: Floats
    residuals: Floats

    @property
    def n(self) -> int:
        """Rows used."""
        return len(self.residuals)

    def position(self, name: str) -> int:
        """Return the place of a coefficient.

        Raises
        ------
        UnknownNameError
            If there is none of that name.
        """
        if name not in self.names:
            raise UnknownNameError("coefficient", name, self.names)
        return self.names.index(name)

    def coefficient(self, name: str) -> Coefficient:
        """Return one coefficient with its standard error, t and two-sided p-value."""
        i = self.position(name)
        return _coefficient(float(self.params[i]), float(self.std_errors[i]), self.n)

    def influence(self, name: str) -> Floats:
        """Return what each row given adds to a coefficient, shape (rows given,).

        Mean zero over the rows used, NaN on the others: estimate minus truth is, to first order,
        the mean of these.
        """
        i = self.position(name)
        weight = np.linalg.pinv(self.design.T @ self.design)[i] * self.n
        out = np.full(len(self.used), np.nan)
        out[self.used] = (self.design @ weight) * self.residuals
        return out


def _coefficient(value: float, error: float, n: int) -> Coefficient:
    from scipy.stats import norm

    # an error made of rounding alone is no error
    t = value / error if error > NOISE * abs(value) else float("nan")
    return Coefficient(value, error, t, float(2.0 * norm.sf(abs(t))), n)


def hac_lags(n: int) -> int:
    """Return the Newey-West lag length 4 (n/100)^(2/9), rounded down, at least 1."""
    return max(1, int(4.0 * (n / 100.0) ** (2.0 / 9.0)))


def ols(
    y: npt.ArrayLike,
    columns: Mapping[str, npt.ArrayLike],
    *,
    hac: int | None = None,
    clusters: npt.ArrayLike | None = None,
    intercept: bool = True,
) -> Fit:
    """Fit y on columns by least squares.

    Parameters
    ----------
    y : array_like, shape (n,)
    columns : mapping of str to array_like, shape (n,)
        Rows with a NaN anywhere are left out.
    hac : int, optional
        Newey-West lags; default by `hac_lags`. Rows must be in time order.
    clusters : array_like, shape (n,), optional
        Group of each row: standard errors clustered by it instead.
    intercept : bool

    Raises
    ------
    NotEnoughDataError
        If fewer than two rows per coefficient remain, or a column does not vary.
    """
    # not statsmodels.api, which loads every model there is
    from statsmodels.regression.linear_model import OLS

    names = (*(("intercept",) if intercept else ()), *columns)
    target = np.asarray(y, dtype=np.float64)
    data = [np.asarray(c, dtype=np.float64) for c in columns.values()]
    x = np.column_stack(([np.ones(len(target))] if intercept else []) + data)
    used = np.asarray(np.isfinite(target) & np.isfinite(x).all(axis=1))
    _require(x[used], names)
    model = OLS(target[used], x[used])
    if clusters is None:
        lags = hac_lags(int(used.sum())) if hac is None else hac
        fit = model.fit(cov_type="HAC", cov_kwds={"maxlags": lags})
    else:
        groups = np.unique(np.asarray(clusters)[used], return_inverse=True)[1]
        fit = model.fit(cov_type="cluster", cov_kwds={"groups": groups})
    covariance = np.asarray(fit.cov_params(), dtype=np.float64)
    with np.errstate(invalid="ignore", divide="ignore"):
        r2 = float(fit.rsquared)
    return Fit(
        names=names,
        params=np.asarray(fit.params, dtype=np.float64),
        std_errors=np.sqrt(np.maximum(np.diag(covariance), 0.0)),
        covariance=covariance,
        r2=r2,
        used=used,
        design=x[used],
        residuals=np.asarray(fit.resid, dtype=np.float64),
    )


def t_stats(
    y: npt.ArrayLike, controls: Mapping[str, npt.ArrayLike], candidates: Floats, hac: int
) -> Floats:
    """Return the t of each candidate when it alone joins the controls, shape (m,).

    The same numbers as `ols` one by one, by partialling the controls out once for all candidates
    that share their rows (Frisch-Waugh-Lovell): for the hundreds of placebos of one test.

    Parameters
    ----------
    y : array_like, shape (n,)
    controls : mapping of str to array_like, shape (n,)
    candidates : ndarray, shape (n, m)
        Rows with NaN in a candidate are left out for that candidate.
    hac : int
        Newey-West lags.
    """
    target = np.asarray(y, dtype=np.float64)
    base = np.column_stack([np.ones(len(target)), *(np.asarray(c) for c in controls.values())])
    complete = np.isfinite(target) & np.isfinite(base).all(axis=1)
    masks = np.isfinite(candidates) & complete[:, None]
    alike = bool((masks == masks[:, :1]).all())  # as mostly: no need to sort them
    groups = (
        np.zeros(masks.shape[1], dtype=np.int64)
        if alike
        else np.unique(masks, axis=1, return_inverse=True)[1].ravel()
    )
    out = np.full(candidates.shape[1], np.nan)
    for group in np.unique(groups):
        members = np.flatnonzero(groups == group)
        rows = masks[:, members[0]]
        if rows.sum() > 2 * (base.shape[1] + 1):
            chosen = candidates[np.ix_(rows, members)]
            out[members] = _partial_t(target[rows], base[rows], chosen, hac)
    return out


def _partial_t(y: Floats, base: Floats, x: Floats, hac: int) -> Floats:
    q = np.linalg.qr(base)[0]
    y, z = y - q @ (q.T @ y), x - q @ (q.T @ x)
    squares = (z**2).sum(axis=0)
    with np.errstate(invalid="ignore", divide="ignore"):
        slope = z.T @ y / squares
        scores = z * (y[:, None] - z * slope)
        spread = (scores**2).sum(axis=0)
        for lag in range(1, hac + 1):
            spread += 2 * (1 - lag / (hac + 1)) * (scores[lag:] * scores[:-lag]).sum(axis=0)
        # what the controls explain in full leaves rounding only
        explained = squares <= 1e-12 * (x**2).sum(axis=0)
        return np.where(explained, np.nan, slope * squares / np.sqrt(spread))


def mean_test(x: npt.ArrayLike, hac: int) -> Coefficient:
    """Return the mean of a series with its Newey-West t; NaN rows are left out."""
    value = np.asarray(x, dtype=np.float64)
    fit = ols(value, {"mean": np.ones(len(value))}, hac=hac, intercept=False)
    return fit.coefficient("mean")


def _require(x: Floats, names: tuple[str, ...]) -> None:
    if len(x) < 2 * len(names) + 2:
        raise NotEnoughDataError(
            f"a regression on {', '.join(names)} needs at least {2 * len(names) + 2} complete "
            f"rows, got {len(x)}: give a longer sample"
        )
    for i, name in enumerate(names):
        if names[0] == "intercept" and i and not varies(x[:, i]):
            raise NotEnoughDataError(
                f"column {name!r} has the same value in all {len(x)} rows: nothing to compare"
            )


@dataclass(frozen=True, slots=True)
class WaldTest:
    """A joint test that several coefficients are zero (chi-squared)."""

    statistic: float
    p_value: float
    restrictions: int


def wald(fit: Fit, names: tuple[str, ...]) -> WaldTest:
    """Test that the named coefficients are all zero, with the fit's own covariance."""
    from scipy.stats import chi2

    at = [fit.position(name) for name in names]
    value = fit.params[at]
    statistic = float(value @ np.linalg.solve(fit.covariance[np.ix_(at, at)], value))
    return WaldTest(statistic, float(chi2.sf(statistic, len(at))), len(at))


def coefficient_interval(
    fit: Fit, name: str, how: Resampling, groups: npt.ArrayLike | None = None
) -> tuple[float, float]:
    """Return the interval of a coefficient, of what each row or group adds to it.

    Parameters
    ----------
    fit : Fit
    name : str
    how : Resampling
        Its level is the coverage.
    groups : array_like, shape (rows given,), optional
        Group of each row, in time order (sessions, say), where several rows are one observation.
    """
    i = fit.position(name)
    used = fit.used
    index = np.arange(int(used.sum()))
    if groups is not None:
        index = np.unique(np.asarray(groups)[used], return_inverse=True)[1]
    n = int(index.max()) + 1
    if lacking([n]):
        return float("nan"), float("nan")
    weight = fit.design @ np.linalg.pinv(fit.design.T @ fit.design)[i]
    basis = np.linalg.qr(fit.design)[0]
    # what draws the fit towards itself leaves less of its error (MacKinnon, White 1985)
    drawn = np.minimum(_by_group(index, (basis**2).sum(axis=1)), _MOST_DRAWN)
    scores = _by_group(index, weight * fit.residuals) / (1.0 - drawn)
    spread = spread_of_scores(scores[:, None], COEFFICIENTS)[0]
    factor = np.sqrt(_shrinkage(weight, basis, index))
    return ends(float(fit.params[i]), Spread(spread.error * factor, spread.freedom), how.level)


#: Leverage that counts as all: such a residual says nothing.
_MOST_DRAWN = 0.9


def _by_group(index: npt.NDArray[np.int64], values: Floats) -> Floats:
    return np.bincount(index, weights=values).astype(np.float64)


def _shrinkage(weight: Floats, basis: Floats, index: npt.NDArray[np.int64]) -> float:
    """Return by what factor cosine sums of residuals understate a coefficient's variance.

    For errors of a stated memory, the same in all rows of a group: what the sums show of the
    residuals is what the regressors do not take up.
    """
    n = int(index.max()) + 1
    slow = cosines(n, COEFFICIENTS.cosines(n))[index] * weight[:, None]
    left = slow - basis @ (basis.T @ slow)
    grouped = np.column_stack([_by_group(index, column) for column in left.T])
    shown = float(expected(grouped, COEFFICIENTS).mean() * n)
    whole = _by_group(index, weight)[:, None]
    return max(1.0, float(expected(whole, COEFFICIENTS)[0]) / shown) if shown > 0.0 else 1.0
