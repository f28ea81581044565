"""What a tear sheet says of returns: calendar, drawdowns, tails and rolling figures, all net.

Inputs are those of `metrics`: simple returns per session, decimal; the undefined is NaN. Nothing
here has an interval, so that nothing here is evidence: it describes what happened.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import nan, sqrt
from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from ...data import EXCHANGE_SESSIONS, NOISE, real_divisor
from .metrics import max_drawdown, sharpe_of_moments, total_return

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = [
    "TAIL",
    "Sheet",
    "drawdowns",
    "monthly_returns",
    "rolling_measures",
    "sheet_of",
    "yearly_returns",
]

Floats = npt.NDArray[np.float64]

#: Share of sessions in a tail.
TAIL: Final = 0.05


@dataclass(frozen=True, slots=True)
class Sheet:
    """Descriptive figures of one portfolio's returns; each is NaN where it is undefined.

    Attributes
    ----------
    sortino : float
        Mean over the root of the mean squared loss, annual.
    calmar : float
        Compound growth a year over the deepest drawdown.
    recovery : float
        Total return over the deepest drawdown.
    omega : float
        Sum of gains over sum of losses of sessions.
    payoff : float
        Mean gain over mean loss of sessions.
    skew, kurtosis : float
        Third and fourth standardised moment (n in the denominator), the latter less 3.
    value_at_risk, shortfall : float
        The 5 % quantile of returns, interpolated, and the mean of those at or below it.
    tail_ratio : float
        The 95 % quantile over the size of the 5 % quantile.
    best, worst : float
        Of a session.
    ulcer : float
        Root of the mean squared drawdown.
    longest : float
        Sessions with a bar from a peak until it was reached again, or until the last one.
    beta, correlation : float
        To the underlying's returns from close to close in the same sessions.
    best_month, worst_month : float
        Compound return of a calendar month, the first and last as far as they go.
    positive_months : float
        Share of calendar months that gained.
    months : int
    """

    sortino: float
    calmar: float
    recovery: float
    omega: float
    payoff: float
    skew: float
    kurtosis: float
    value_at_risk: float
    shortfall: float
    tail_ratio: float
    best: float
    worst: float
    ulcer: float
    longest: float
    beta: float
    correlation: float
    best_month: float
    worst_month: float
    positive_months: float
    months: int


def sheet_of(
    returns: pd.Series[float],
    equity: pd.Series[float],
    underlying: pd.Series[float],
    single: npt.NDArray[np.bool_],
    *,
    growth: float,
    year: int = EXCHANGE_SESSIONS,
) -> Sheet:
    """Return the descriptive figures of a portfolio.

    Parameters
    ----------
    returns : Series of float, shape (n - 1,)
        By session.
    equity : Series of float, shape (n,)
        At each close.
    underlying : Series of float, shape (n - 1,)
        Of the underlying, in the sessions of `returns`.
    single : ndarray of bool, shape (n - 1,)
        Which returns are of one session; the others count in months, growth and drawdowns alone.
    growth : float
        Compound growth a year.
    year : int
        Sessions a year.
    """
    every, money = np.asarray(returns, dtype=np.float64), np.asarray(equity, dtype=np.float64)
    one = every[single]
    deepest = abs(max_drawdown(money))
    low, high = _quantile(one, TAIL), _quantile(one, 1.0 - TAIL)
    gains, losses = one[one > NOISE], one[one < -NOISE]
    skew, kurtosis = _shape(one)
    fall = money / np.maximum.accumulate(money) - 1.0
    beta, correlation = _together(one, np.asarray(underlying, dtype=np.float64)[single])
    months = np.asarray(monthly_returns(returns), dtype=np.float64)
    known = bool(len(months)) and bool(np.isfinite(months).all())
    whole = bool(np.isfinite(one).all())
    return Sheet(
        sortino=_ratio(_of(one, np.mean), _downside(one)) * sqrt(year),
        calmar=_ratio(growth, deepest),
        recovery=_ratio(total_return(every), deepest),
        omega=_ratio(float(gains.sum()), -float(losses.sum())) if whole else nan,
        payoff=_ratio(_of(gains, np.mean), -_of(losses, np.mean)) if whole else nan,
        skew=skew,
        kurtosis=kurtosis,
        value_at_risk=low,
        shortfall=_of(one[one <= low], np.mean),
        tail_ratio=_ratio(high, abs(low)),
        best=_of(one, np.max),
        worst=_of(one, np.min),
        ulcer=sqrt(float(np.mean(fall**2))) if len(fall) > 1 else nan,
        longest=_longest(money),
        beta=beta,
        correlation=correlation,
        best_month=float(months.max()) if known else nan,
        worst_month=float(months.min()) if known else nan,
        positive_months=float(np.mean(months > NOISE)) if known else nan,
        months=len(months),
    )


def _of(values: Floats, measure: Callable[[Floats], np.floating]) -> float:
    return float(measure(values)) if len(values) else nan


def _ratio(above: float, below: float) -> float:
    return float(above / real_divisor(below))


def _quantile(values: Floats, share: float) -> float:
    return float(np.quantile(values, share)) if len(values) else nan


def _downside(values: Floats) -> float:
    return sqrt(float(np.mean(np.minimum(values, 0.0) ** 2))) if len(values) else nan


def _shape(values: Floats) -> tuple[float, float]:
    """Return skew and excess kurtosis; NaN for fewer than two returns or without spread."""
    from scipy.stats import kurtosis, skew

    if len(values) < 2 or not np.std(values) > NOISE:
        return nan, nan
    return float(skew(values)), float(kurtosis(values))


def _together(own: Floats, other: Floats) -> tuple[float, float]:
    """Return beta and correlation; NaN where either does not vary."""
    both = np.isfinite(other)
    x, y = other[both], own[both]
    if len(x) < 2 or not np.std(x) > NOISE:
        return nan, nan
    covariance = float(np.mean((x - x.mean()) * (y - y.mean())))
    return covariance / float(np.var(x)), _ratio(covariance, float(np.std(x) * np.std(y)))


def _longest(money: Floats) -> float:
    """Return the most bars between a peak and its return, or the last bar."""
    if len(money) < 2:
        return nan
    under = money / np.maximum.accumulate(money) - 1.0 < -NOISE
    at_peak = np.flatnonzero(~under)
    steps = np.diff(np.append(at_peak, len(money) - 1 + int(not under[-1])))
    # bars next to each other are no drawdown
    return float(max(steps[steps > 1].max(initial=0), 1 if under[-1] else 0))


def monthly_returns(returns: pd.Series[float]) -> pd.Series[float]:
    """Return the compound return of each calendar month that has a return.

    Parameters
    ----------
    returns : Series of float
        By session; one over missing bars belongs to the month in which it ends.

    Returns
    -------
    Series of float
        By month (period); NaN where the equity was gone.

    Examples
    --------
    >>> days = pd.to_datetime(["2026-01-30", "2026-02-02", "2026-02-03"])
    >>> monthly_returns(pd.Series([0.1, 0.1, -0.5], days)).round(12).tolist()
    [0.1, -0.45]
    """
    return _compounded(returns, "M")


def yearly_returns(returns: pd.Series[float]) -> pd.Series[float]:
    """Return the compound return of each calendar year that has a return.

    Parameters
    ----------
    returns : Series of float
        As for `monthly_returns`.

    Returns
    -------
    Series of float
        By year (period); NaN where the equity was gone.
    """
    return _compounded(returns, "Y")


def _compounded(returns: pd.Series[float], period: str) -> pd.Series[float]:
    periods = pd.DatetimeIndex(returns.index).to_period(period)
    number = np.asarray(periods.asi8)
    starts = np.flatnonzero(np.diff(number, prepend=number[:1] - 1))
    grown = 1.0 + np.asarray(returns, dtype=np.float64)
    products = np.multiply.reduceat(grown, starts) if len(starts) else grown
    return pd.Series(products - 1.0, index=periods[starts])


def drawdowns(equity: pd.Series[float]) -> pd.DataFrame:
    """Return every drawdown, the deepest first.

    Parameters
    ----------
    equity : Series of float
        At each session's close.

    Returns
    -------
    DataFrame
        ``peak`` (last session at it), ``trough``, ``recovered`` (first session at the peak again;
        NaT where it has not come), ``depth`` (decimal, negative), ``sessions`` (bars from peak to
        recovery, or to the last one). Equal depths in order of time.

    Examples
    --------
    >>> days = pd.date_range("2026-01-05", periods=5)
    >>> drawdowns(pd.Series([100.0, 80.0, 90.0, 110.0, 99.0], days))[["depth", "sessions"]]
       depth  sessions
    0   -0.2         3
    1   -0.1         1
    """
    days, money = pd.DatetimeIndex(equity.index), np.asarray(equity, dtype=np.float64)
    fall = money / np.maximum.accumulate(money) - 1.0
    edges = np.diff((fall < -NOISE).astype(int), prepend=0, append=0)
    starts, ends = np.flatnonzero(edges == 1), np.flatnonzero(edges == -1)
    found = []
    for first, after in zip(starts.tolist(), ends.tolist(), strict=True):
        lowest = first + int(np.argmin(fall[first:after]))
        over = after < len(money)
        found.append(
            {
                "peak": days[first - 1],
                "trough": days[lowest],
                "recovered": days[after] if over else pd.NaT,
                "depth": float(fall[lowest]),
                "sessions": min(after, len(money) - 1) - (first - 1),
            }
        )
    table = pd.DataFrame(found, columns=["peak", "trough", "recovered", "depth", "sessions"])
    return table.sort_values("depth", kind="stable", ignore_index=True)


def rolling_measures(
    returns: pd.Series[float],
    underlying: pd.Series[float],
    window: int,
    *,
    year: int = EXCHANGE_SESSIONS,
) -> pd.DataFrame:
    """Return Sharpe ratio, Sortino ratio, volatility and beta of the last `window` returns.

    Parameters
    ----------
    returns, underlying : Series of float
        Of one session each, on the same sessions.
    window : int
        At least 2.
    year : int
        Sessions a year.

    Returns
    -------
    DataFrame
        By session, from the first with a whole window: ``sharpe, sortino, volatility, beta``.
    """
    columns = ["sharpe", "sortino", "volatility", "beta"]
    if len(returns) < window:
        return pd.DataFrame(columns=columns, index=returns.index[:0], dtype=float)
    view = np.lib.stride_tricks.sliding_window_view
    own = view(np.asarray(returns, dtype=np.float64), window)
    other = view(np.asarray(underlying, dtype=np.float64), window)
    average, deviation = own.mean(axis=1), own.std(axis=1, ddof=1)
    downside = np.sqrt(np.mean(np.minimum(own, 0.0) ** 2, axis=1))
    centred = other - other.mean(axis=1, keepdims=True)
    covariance = np.mean(centred * (own - average[:, None]), axis=1)
    values = (
        sharpe_of_moments(average, deviation, year),
        average / real_divisor(downside) * sqrt(year),
        deviation * sqrt(year),
        covariance / np.where(other.std(axis=1) > NOISE, other.var(axis=1), nan),
    )
    index = returns.index[window - 1 :]
    return pd.DataFrame(dict(zip(columns, values, strict=True)), index=index)
