"""Performance metrics: one definition each, for sessions; how many a year is the calendar's.

Inputs are simple returns per session, decimal. Cash earns nothing, so no risk-free rate is
deducted. What is undefined is NaN, never 0; a return, position or spread of at most `NOISE` is
rounding and counts as zero. A return that spans sessions without a bar is no return of one
session: it makes money (total return, growth), but has no place among returns per session (Sharpe
ratio, volatility, hit rate); callers leave it out there. Functions in the plural take many
portfolios, sessions last, and give each the number of the function of one, to the bit.
"""

from __future__ import annotations

from math import nan, sqrt

import numpy as np
import numpy.typing as npt

from ...data import EXCHANGE_SESSIONS, NOISE, real_divisor

__all__ = [
    "cagr",
    "equity_returns",
    "exposure",
    "exposures",
    "growth_a_year",
    "hit_rate",
    "hit_rates",
    "max_drawdown",
    "max_drawdowns",
    "mean",
    "per_session_sharpe",
    "sharpe",
    "sharpe_of_moments",
    "total_return",
    "total_returns",
    "turnover",
    "turnovers",
    "volatility",
]

Floats = npt.NDArray[np.float64]


def equity_returns(equity: Floats, cash: float | None = None) -> Floats:
    """Return the simple return of each session after the first, shape (..., n - 1).

    NaN from the session on which the equity is gone.

    Parameters
    ----------
    equity : ndarray, shape (..., n)
        At each session's close.
    cash : float, optional
        Capital before the first session: the cost of a fill on the first close then belongs to
        the first return. Default: the first equity.

    Examples
    --------
    >>> equity_returns(np.array([100.0, 110.0, 99.0])).round(12)
    array([ 0.1, -0.1])
    >>> equity_returns(np.array([99.0, 108.9, 98.01]), cash=100.0).round(12)
    array([ 0.089, -0.1  ])
    """
    live = np.logical_and.accumulate(equity > 0.0, axis=-1)
    before = equity[..., :-1].copy()
    if cash is not None:
        before[..., :1] = cash
    with np.errstate(divide="ignore", invalid="ignore"):
        change = equity[..., 1:] / before - 1.0
    return np.where(live[..., 1:], change, nan)


def sharpe(returns: Floats, year: int = EXCHANGE_SESSIONS) -> float:
    """Return mean over standard deviation (n - 1) times the root of the sessions a year.

    NaN for fewer than two returns, a missing one, or returns whose spread is rounding.

    Examples
    --------
    Mean 0.01 and standard deviation 0.01: 1 times the root of 252.

    >>> round(sharpe(np.array([0.0, 0.01, 0.02])), 6)
    15.874508
    """
    if len(returns) < 2:
        return nan
    return float(sharpe_of_moments(mean(returns), np.std(returns, ddof=1), year))


def per_session_sharpe(returns: Floats) -> float:
    """Return mean over standard deviation (n - 1) of a session's return; NaN as for `sharpe`."""
    return sharpe(returns, year=1)


def sharpe_of_moments(
    mean: npt.ArrayLike, deviation: npt.ArrayLike, year: int = EXCHANGE_SESSIONS
) -> Floats:
    """Return the annual ratio of means to standard deviations per session; NaN without spread.

    Parameters
    ----------
    mean, deviation : array_like
        Per session, of one shape.
    year : int
        Sessions a year.

    Examples
    --------
    >>> sharpe_of_moments([0.01, 0.01], [0.01, 1e-17]).round(6)
    array([15.874508,       nan])
    """
    m, sd = np.asarray(mean, dtype=np.float64), np.asarray(deviation, dtype=np.float64)
    # equal returns differ by rounding only, which is no risk: that of 1, or of larger means
    one = np.maximum(1.0, np.abs(m))
    return np.asarray(m / one / real_divisor(sd / one) * sqrt(year))


def mean(returns: Floats) -> float:
    """Return the mean return of a session; NaN without any."""
    return float(np.mean(returns)) if len(returns) else nan


def volatility(returns: Floats, year: int = EXCHANGE_SESSIONS) -> float:
    """Return the annualised standard deviation (n - 1); NaN for fewer than two returns."""
    return float(np.std(returns, ddof=1)) * sqrt(year) if len(returns) > 1 else nan


def total_return(returns: Floats) -> float:
    """Return the compound return of all sessions; NaN without any."""
    return float(total_returns(returns))


def total_returns(returns: Floats) -> Floats:
    """Return `total_return` of portfolios, shape (...,), of returns of shape (..., n)."""
    if not returns.shape[-1]:
        return np.full(returns.shape[:-1], nan)
    return np.asarray(np.prod(1.0 + returns, axis=-1) - 1.0)


def cagr(returns: Floats, year: int = EXCHANGE_SESSIONS, sessions: int | None = None) -> float:
    """Return the compound growth a year; NaN without any session.

    Parameters
    ----------
    returns : ndarray, shape (n,)
    year : int
        Sessions a year.
    sessions : int, optional
        Sessions of the calendar that the returns span; by default one each.

    Examples
    --------
    126 sessions that gain 10 % in all grow 21 % a year.

    >>> round(cagr(np.append(np.zeros(125), 0.1)), 12)
    0.21
    """
    if not len(returns):
        return nan
    return growth_a_year(total_return(returns), year, sessions or len(returns))


def growth_a_year(total: float, year: int, sessions: int) -> float:
    """Return the compound growth a year of a total return over some sessions."""
    growth = 1.0 + total
    return growth ** (year / sessions) - 1.0 if growth > 0.0 else nan


def max_drawdown(equity: Floats) -> float:
    """Return the largest loss from a peak, decimal, 0 or negative; NaN for fewer than two.

    Examples
    --------
    >>> max_drawdown(np.array([100.0, 120.0, 90.0, 130.0]))
    -0.25
    """
    return float(max_drawdowns(equity))


def max_drawdowns(equity: Floats) -> Floats:
    """Return `max_drawdown` of portfolios, shape (...,), of equity of shape (..., n)."""
    if equity.shape[-1] < 2:
        return np.full(equity.shape[:-1], nan)
    return np.asarray(np.min(equity / np.maximum.accumulate(equity, axis=-1) - 1.0, axis=-1))


def turnover(traded: Floats, year: int = EXCHANGE_SESSIONS, sessions: int | None = None) -> float:
    """Return the notional traded a year as a multiple of equity.

    Parameters
    ----------
    traded : ndarray, shape (n,)
        Notional traded in each session over the equity at the close before; both sides count.
    year : int
        Sessions a year.
    sessions : int, optional
        Sessions of the calendar from the first to the last; by default `n`.

    Examples
    --------
    Into a position and out of it within 126 sessions: four times the equity a year.

    >>> turnover(np.concatenate([[1.0], np.zeros(124), [1.0]]))
    4.0
    """
    return float(turnovers(traded, year, sessions))


def turnovers(traded: Floats, year: int, sessions: int | None = None) -> Floats:
    """Return `turnover` of portfolios, shape (...,), of amounts of shape (..., n)."""
    n = traded.shape[-1]
    if not n:
        return np.full(traded.shape[:-1], nan)
    return np.asarray(np.sum(traded, axis=-1) * year / (sessions or n))


def exposure(positions: Floats) -> float:
    """Return the mean absolute position; NaN without any session.

    Examples
    --------
    >>> exposure(np.array([1.0, -1.0, 0.0, 0.5]))
    0.625
    """
    return float(exposures(positions))


def exposures(positions: Floats) -> Floats:
    """Return `exposure` of portfolios, shape (...,), of positions of shape (..., n)."""
    if not positions.shape[-1]:
        return np.full(positions.shape[:-1], nan)
    return np.asarray(np.mean(np.abs(positions), axis=-1))


def hit_rate(returns: Floats, held: Floats) -> float:
    """Return the share of sessions with a position whose return is positive.

    Parameters
    ----------
    returns, held : ndarray, shape (n,)
        Return of each session and the position held into it; sessions held flat or without a
        return do not count. What is rounding is no position, and no gain.

    Examples
    --------
    >>> hit_rate(np.array([0.1, -0.1, 0.1, 1e-17]), np.array([1.0, 1.0, 0.0, 1.0]))
    0.3333333333333333
    """
    return float(hit_rates(returns, held))


def hit_rates(returns: Floats, held: Floats) -> Floats:
    """Return `hit_rate` of portfolios, shape (...,), of arrays of shape (..., n)."""
    invested = (np.abs(held) > NOISE) & np.isfinite(returns)
    count = np.count_nonzero(invested, axis=-1)
    hits = np.count_nonzero(invested & (returns > NOISE), axis=-1)
    with np.errstate(invalid="ignore"):
        return np.asarray(np.divide(hits, count))
