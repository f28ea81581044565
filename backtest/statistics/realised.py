"""Realised variance from daily bars.

Everything here returns *variances per session* in decimal squared log return (0.0001 is 1 % a
session); `annualised` turns one into a volatility. A value that cannot be computed is NaN and
stays NaN: nothing is filled in. All numbers of a session are known at its close.

Formulas: Parkinson (1980), Garman and Klass (1980), Rogers and Satchell (1991), Yang and Zhang
(2000), Corsi (2009).
"""

from __future__ import annotations

from dataclasses import dataclass
from math import log
from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt

from ...data import EXCHANGE_SESSIONS, NotEnoughDataError, UnknownNameError, real_difference

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = [
    "ESTIMATORS",
    "SESSIONS_PER_YEAR",
    "DegenerateBars",
    "Estimator",
    "LogBars",
    "annualised",
    "degenerate_bars",
    "estimator",
    "garman_klass",
    "har_regressors",
    "log_bars",
    "log_volatility",
    "mean_estimator",
    "parkinson",
    "rogers_satchell",
    "rolling_variance",
    "sample_variance",
]

Floats = npt.NDArray[np.float64]

SESSIONS_PER_YEAR: Final = EXCHANGE_SESSIONS
_FOUR_LN_2: Final = 4.0 * log(2.0)


@dataclass(frozen=True, slots=True, eq=False)
class LogBars:
    """Daily bars in logs, relative to the open; each array has shape (n,).

    Attributes
    ----------
    overnight : ndarray
        ln(open / previous close); NaN on the first row and after a missing bar.
    high, low, close : ndarray
        ln(high / open) >= 0, ln(low / open) <= 0 and ln(close / open) of a consistent bar.
    """

    overnight: Floats
    high: Floats
    low: Floats
    close: Floats

    @property
    def range(self) -> Floats:
        """Log range ln(high / low)."""
        return self.high - self.low

    @property
    def total(self) -> Floats:
        """Log return from the previous close to the close."""
        return self.overnight + self.close

    def __len__(self) -> int:
        return len(self.close)

    def __getitem__(self, rows: slice | npt.NDArray[np.bool_] | npt.NDArray[np.int64]) -> LogBars:
        return LogBars(self.overnight[rows], self.high[rows], self.low[rows], self.close[rows])


def log_bars(
    open_: npt.ArrayLike, high: npt.ArrayLike, low: npt.ArrayLike, close: npt.ArrayLike
) -> LogBars:
    """Return daily bars in logs.

    Parameters
    ----------
    open_, high, low, close : array_like of float, shape (n,)
        Prices in session order. A missing bar is a row of NaN and must not be left out, or the
        overnight return after it would span several sessions.

    Returns
    -------
    LogBars

    Raises
    ------
    NotEnoughDataError
        If a price is zero or negative, or the arrays differ in length.
    """
    prices = [np.asarray(p, dtype=np.float64) for p in (open_, high, low, close)]
    if len({p.shape for p in prices}) != 1 or prices[0].ndim != 1:
        shapes = ", ".join(str(p.shape) for p in prices)
        raise NotEnoughDataError(f"open, high, low, close must have one length, got {shapes}")
    for name, price in zip(("open", "high", "low", "close"), prices, strict=True):
        if (bad := np.flatnonzero(price <= 0.0)).size:
            raise NotEnoughDataError(
                f"prices must be positive: {name} of row {bad[0]} is {price[bad[0]]}; "
                "make it NaN where the bar is missing"
            )
    o, h, lo, c = (np.log(p) for p in prices)
    overnight = np.full_like(o, np.nan)
    overnight[1:] = o[1:] - c[:-1]
    return LogBars(overnight, h - o, lo - o, c - o)


@dataclass(frozen=True, slots=True)
class DegenerateBars:
    """How many bars an estimator has to treat specially.

    Attributes
    ----------
    missing : int
        Rows without a full bar: NaN in every estimator.
    zero_range : int
        High equals low: variance 0 in a mean, NaN in a log.
    inconsistent : int
        Open or close outside high ... low (a stale open, say).
    negative_garman_klass : int
        Rows whose Garman-Klass value is negative; only inconsistent bars have one. They are
        floored at 0.
    """

    missing: int
    zero_range: int
    inconsistent: int
    negative_garman_klass: int


def degenerate_bars(bars: LogBars) -> DegenerateBars:
    """Count the bars that are missing, without range, inconsistent or floored.

    Parameters
    ----------
    bars : LogBars

    Returns
    -------
    DegenerateBars
    """
    outside = (
        (bars.high < np.maximum(bars.close, 0.0) - 1e-12)
        | (bars.low > np.minimum(bars.close, 0.0) + 1e-12)
    )  # fmt: skip
    return DegenerateBars(
        missing=int(np.isnan(bars.range + bars.close).sum()),
        zero_range=int((bars.range == 0.0).sum()),
        inconsistent=int(outside.sum()),
        negative_garman_klass=int((garman_klass(bars, floor=False) < 0.0).sum()),
    )


def parkinson(bars: LogBars) -> Floats:
    """Return each session's variance from its range: ln(H/L)^2 / (4 ln 2).

    Assumes no drift and no jumps; leaves the overnight move out.

    Parameters
    ----------
    bars : LogBars

    Returns
    -------
    ndarray of float, shape (n,)
        Variance per session; NaN where a price is missing.
    """
    return bars.range**2 / _FOUR_LN_2


def garman_klass(
    bars: LogBars, *, exact: bool = False, overnight: bool = False, floor: bool = True
) -> Floats:
    """Return each session's variance from open, high, low and close.

    Parameters
    ----------
    bars : LogBars
    exact : bool
        The minimum-variance form .511 (u - d)^2 - .019 [c (u + d) - 2 u d] - .383 c^2 instead of
        the simple ln(H/L)^2 / 2 - (2 ln 2 - 1) c^2.
    overnight : bool
        Add the squared overnight return.
    floor : bool
        Make negative values 0 (`degenerate_bars` counts them).

    Returns
    -------
    ndarray of float, shape (n,)
        Variance per session; NaN where a price is missing.
    """
    u, d, c = bars.high, bars.low, bars.close
    if exact:
        value = 0.511 * (u - d) ** 2 - 0.019 * (c * (u + d) - 2.0 * u * d) - 0.383 * c**2
    else:
        value = 0.5 * (u - d) ** 2 - (2.0 * log(2.0) - 1.0) * c**2
    if floor:
        value = np.maximum(value, 0.0)
    return value + bars.overnight**2 if overnight else value


def rogers_satchell(bars: LogBars) -> Floats:
    """Return each session's variance free of drift: u (u - c) + d (d - c).

    Parameters
    ----------
    bars : LogBars

    Returns
    -------
    ndarray of float, shape (n,)
        Variance per session; NaN where a price is missing.
    """
    u, d, c = bars.high, bars.low, bars.close
    return u * (u - c) + d * (d - c)


@dataclass(frozen=True, slots=True)
class Estimator:
    """An estimator as sums over sessions, so that pooling and resampling are additions.

    Attributes
    ----------
    name : str
    moments : callable
        `LogBars` of n sessions to an array of shape (n, k): what each session adds.
    combine : callable
        Sums of those (..., k) and the number of sessions (...) to a variance (...).
    """

    name: str
    moments: Callable[[LogBars], Floats]
    combine: Callable[[Floats, Floats], Floats]


def _mean(sums: Floats, n: Floats) -> Floats:
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(sums[..., 0] / n)


def _sample(total: Floats, squares: Floats, n: Floats) -> Floats:
    """Return the sample variance (n - 1) from sums; NaN below two observations."""
    with np.errstate(invalid="ignore", divide="ignore"):
        value = real_difference(squares - total**2 / n, squares) / (n - 1.0)
    return np.where(n >= 2, value, np.nan)


def _close_to_close(sums: Floats, n: Floats) -> Floats:
    return _sample(sums[..., 0], sums[..., 1], n)


def _yang_zhang(sums: Floats, n: Floats) -> Floats:
    with np.errstate(invalid="ignore", divide="ignore"):
        k = 0.34 / (1.34 + (n + 1.0) / (n - 1.0))
        within = k * _sample(sums[..., 2], sums[..., 3], n) + (1.0 - k) * sums[..., 4] / n
    return _sample(sums[..., 0], sums[..., 1], n) + within


def _yang_zhang_moments(bars: LogBars) -> Floats:
    o, c = bars.overnight, bars.close
    return np.column_stack([o, o**2, c, c**2, rogers_satchell(bars)])


_RANGE_ESTIMATORS: Final[Mapping[str, Estimator]] = {
    "close_to_close": Estimator(
        "close_to_close",
        lambda bars: np.column_stack([bars.total, bars.total**2]),
        _close_to_close,
    ),
    "parkinson": Estimator("parkinson", lambda bars: parkinson(bars)[:, None], _mean),
    "garman_klass": Estimator("garman_klass", lambda bars: garman_klass(bars)[:, None], _mean),
    "rogers_satchell": Estimator(
        "rogers_satchell", lambda bars: rogers_satchell(bars)[:, None], _mean
    ),
    "yang_zhang": Estimator("yang_zhang", _yang_zhang_moments, _yang_zhang),
}

#: Names of the estimators that need daily bars only.
ESTIMATORS: Final = tuple(_RANGE_ESTIMATORS)


def estimator(name: str) -> Estimator:
    """Return an estimator of daily bars by name.

    Raises
    ------
    UnknownNameError
        If there is none of that name.
    """
    try:
        return _RANGE_ESTIMATORS[name]
    except KeyError:
        raise UnknownNameError("estimator", name, ESTIMATORS) from None


def mean_estimator(name: str, variance: npt.ArrayLike) -> Estimator:
    """Return an estimator whose sessions are given: the mean of a column of variances.

    Parameters
    ----------
    name : str
        E.g. ``realised_variance``.
    variance : array_like, shape (n,)
        One variance per row of the bars that it will be used with.
    """
    column = np.asarray(variance, dtype=np.float64)[:, None]
    return Estimator(name, lambda bars: column, _mean)


def sample_variance(name: str, bars: LogBars) -> float:
    """Return the variance per session of a set of sessions; rows with NaN are left out.

    NaN where too few rows remain (2 for close-to-close and Yang-Zhang, else 1).

    Parameters
    ----------
    name : str
        One of `ESTIMATORS`.
    bars : LogBars

    Returns
    -------
    float

    Raises
    ------
    UnknownNameError
        If there is no such estimator.
    """
    chosen = estimator(name)
    moments = chosen.moments(bars)
    moments = moments[~np.isnan(moments).any(axis=1)]
    return float(chosen.combine(moments.sum(axis=0), np.asarray(float(len(moments)))))


def rolling_variance(name: str, bars: LogBars, window: int) -> Floats:
    """Return the variance per session over the last `window` sessions, shape (n,).

    NaN until the window is full and wherever a session in it is missing.

    Parameters
    ----------
    name : str
        One of `ESTIMATORS`.
    bars : LogBars
    window : int
        Sessions.

    Returns
    -------
    ndarray of float, shape (n,)

    Raises
    ------
    NotEnoughDataError
        If the window is shorter than the estimator can use.
    """
    chosen = estimator(name)
    shortest = 2 if name in ("close_to_close", "yang_zhang") else 1
    if window < shortest:
        raise NotEnoughDataError(
            f"{name} needs a window of at least {shortest} sessions, got {window}"
        )
    out = np.full(len(bars), np.nan)
    if len(bars) < window:
        return out
    moments = chosen.moments(bars)
    windows = np.lib.stride_tricks.sliding_window_view(moments, window, axis=0)
    out[window - 1 :] = chosen.combine(windows.sum(axis=-1), np.asarray(float(window)))
    return out


def annualised(variance: npt.ArrayLike, year: int = SESSIONS_PER_YEAR) -> Floats:
    """Return the volatility a year, decimal, of a variance per session; NaN below 0.

    Parameters
    ----------
    variance : array_like of float
        Per session.
    year : int
        Sessions a year.

    Returns
    -------
    ndarray of float
        Of the same shape.
    """
    value = np.asarray(variance, dtype=np.float64)
    with np.errstate(invalid="ignore"):
        return np.sqrt(year * value)


def log_volatility(variance: npt.ArrayLike) -> Floats:
    """Return half the log of a variance; NaN where it is not positive (no range, no trade).

    Parameters
    ----------
    variance : array_like of float

    Returns
    -------
    ndarray of float
        Of the same shape.
    """
    value = np.asarray(variance, dtype=np.float64)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(value > 0.0, 0.5 * np.log(value), np.nan)


def har_regressors(values: npt.ArrayLike, spans: tuple[int, ...] = (1, 5, 22)) -> Floats:
    """Return the trailing means of a heterogeneous autoregression, shape (n, len(spans)).

    Row t holds the means over the last 1, 5 and 22 values up to and including t, so it explains
    t + 1 without looking ahead. Pass logs (`log_volatility`) for the usual form. NaN until a
    span is full or while it contains one.

    Parameters
    ----------
    values : array_like of float, shape (n,)
        One per session.
    spans : tuple of int
        Sessions of each mean.

    Returns
    -------
    ndarray of float, shape (n, len(spans))
    """
    x = np.asarray(values, dtype=np.float64)
    columns = np.full((len(x), len(spans)), np.nan)
    for j, span in enumerate(spans):
        if len(x) >= span:
            windows = np.lib.stride_tricks.sliding_window_view(x, span)
            columns[span - 1 :, j] = windows.mean(axis=-1)
    return columns
