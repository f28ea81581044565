"""Performance metrics: one definition each, for sessions, with 252 of them to the year.

Inputs are simple returns per session, decimal. Cash earns nothing, so no risk-free rate is
deducted. What is undefined is NaN, never 0.
"""

from __future__ import annotations

from math import nan, sqrt

import numpy as np
import numpy.typing as npt

from .realised import SESSIONS_PER_YEAR

__all__ = [
    "cagr",
    "equity_returns",
    "exposure",
    "hit_rate",
    "max_drawdown",
    "sharpe",
    "total_return",
    "turnover",
    "volatility",
]

Floats = npt.NDArray[np.float64]


def equity_returns(equity: Floats) -> Floats:
    """Return the simple return of each session after the first, shape (n - 1,).

    NaN from the session on which the equity is gone.

    Examples
    --------
    >>> equity_returns(np.array([100.0, 110.0, 99.0])).round(12)
    array([ 0.1, -0.1])
    """
    alive = np.logical_and.accumulate(equity > 0.0)
    with np.errstate(divide="ignore", invalid="ignore"):
        change = equity[1:] / equity[:-1] - 1.0
    return np.where(alive[1:], change, nan)


def sharpe(returns: Floats) -> float:
    """Return mean over standard deviation (n - 1) times the root of 252.

    NaN for fewer than two returns, a missing one, or returns without any spread.

    Examples
    --------
    Mean 0.01 and standard deviation 0.01: 1 times sqrt(252).

    >>> round(sharpe(np.array([0.0, 0.01, 0.02])), 6)
    15.874508
    """
    if len(returns) < 2:
        return nan
    mean, sd = float(np.mean(returns)), float(np.std(returns, ddof=1))
    # equal returns differ by rounding only, which is no risk
    return mean / sd * sqrt(SESSIONS_PER_YEAR) if sd > 1e-12 * abs(mean) else nan


def volatility(returns: Floats) -> float:
    """Return the annualised standard deviation (n - 1); NaN for fewer than two returns."""
    return float(np.std(returns, ddof=1)) * sqrt(SESSIONS_PER_YEAR) if len(returns) > 1 else nan


def total_return(returns: Floats) -> float:
    """Return the compound return of all sessions; NaN without any."""
    return float(np.prod(1.0 + returns) - 1.0) if len(returns) else nan


def cagr(returns: Floats) -> float:
    """Return the compound growth a year of 252 sessions; NaN without any session.

    Examples
    --------
    126 sessions that gain 10 % in all grow 21 % a year.

    >>> round(cagr(np.append(np.zeros(125), 0.1)), 12)
    0.21
    """
    if not len(returns):
        return nan
    growth = 1.0 + total_return(returns)
    return growth ** (SESSIONS_PER_YEAR / len(returns)) - 1.0 if growth > 0.0 else nan


def max_drawdown(equity: Floats) -> float:
    """Return the largest loss from a peak, decimal, 0 or negative; NaN for fewer than two.

    Examples
    --------
    >>> max_drawdown(np.array([100.0, 120.0, 90.0, 130.0]))
    -0.25
    """
    if len(equity) < 2:
        return nan
    return float(np.min(equity / np.maximum.accumulate(equity) - 1.0))


def turnover(traded: Floats) -> float:
    """Return the notional traded a year as a multiple of equity.

    Parameters
    ----------
    traded : ndarray, shape (n,)
        Notional traded in each session over the equity at the close before; both sides count.

    Examples
    --------
    Into a position and out of it within 126 sessions: four times the equity a year.

    >>> turnover(np.concatenate([[1.0], np.zeros(124), [1.0]]))
    4.0
    """
    return float(np.mean(traded)) * SESSIONS_PER_YEAR if len(traded) else nan


def exposure(positions: Floats) -> float:
    """Return the mean absolute position; NaN without any session.

    Examples
    --------
    >>> exposure(np.array([1.0, -1.0, 0.0, 0.5]))
    0.625
    """
    return float(np.mean(np.abs(positions))) if len(positions) else nan


def hit_rate(returns: Floats, held: Floats) -> float:
    """Return the share of sessions with a position whose return is positive.

    Parameters
    ----------
    returns, held : ndarray, shape (n,)
        Return of each session and the position held into it; sessions held flat do not count.

    Examples
    --------
    >>> hit_rate(np.array([0.1, -0.1, 0.1, 0.0]), np.array([1.0, 1.0, 0.0, 1.0]))
    0.3333333333333333
    """
    invested = held != 0.0
    return float(np.mean(returns[invested] > 0.0)) if invested.any() else nan
