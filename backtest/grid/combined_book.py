"""One book over several underlyings and strategies: shared capital, weights, how they move."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal, get_args

import numpy as np
import numpy.typing as npt
import pandas as pd

from ...data import EXCHANGE_SESSIONS, NotEnoughDataError, UnknownNameError, short_repr
from ..statistics.metrics import cagr, max_drawdown, sharpe, volatility
from ..statistics.resampling import NORMAL_LEVEL, Resampling
from ..statistics.sharpe_intervals import return_intervals

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["BookWeights", "CombinedBook", "book_metrics", "combined_book"]

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
#: How a book divides its capital.
BookWeights = Literal["equal", "inverse_volatility"]

#: Sessions of a past volatility, and the fewest of them.
_WINDOW: Final = 63
_FEWEST: Final = 21


@dataclass(frozen=True, slots=True)
class CombinedBook:
    """Several strategies that share one capital.

    Attributes
    ----------
    returns : Series
        Of the book, simple, by session.
    weights : DataFrame
        Share of the capital of each component, session by session, set before the session began.
    correlation : DataFrame
        Of the components' returns, over the sessions that two of them share; NaN without any.
    contribution : Series
        Sum of weight times return of each component.
    metrics : dict of str to float
        ``sharpe, sharpe_low, sharpe_high, cagr, volatility, max_drawdown, n``, and
        ``mean_correlation`` over pairs.
    """

    returns: pd.Series[float]
    weights: pd.DataFrame
    correlation: pd.DataFrame
    contribution: pd.Series[float]
    metrics: Mapping[str, float]
    __repr__ = short_repr


def combined_book(
    returns: pd.DataFrame,
    weights: BookWeights | Mapping[str, float] = "equal",
    *,
    year: int = EXCHANGE_SESSIONS,
    level: float = NORMAL_LEVEL,
    single: Flags | None = None,
    sessions: int | None = None,
) -> CombinedBook:
    """Return one book over several components, of any underlyings and strategies.

    The capital is divided anew before each session; moving it between components costs nothing
    beyond their own costs. A component without a return in a session holds its share in cash.

    Parameters
    ----------
    returns : DataFrame
        Simple returns net of costs, sessions (ascending) by components; NaN where there is none.
    weights : {"equal", "inverse_volatility"} or mapping of str to float
        Inverse volatility is that of the 63 returns before the session, where there are 21; else
        the share is that of equal weights. Given shares stay as they are; what they lack to 1 is
        cash.
    year : int
        Sessions a year.
    level : float
        Coverage of the interval.
    single : ndarray of bool, optional
        Which rows are returns of one session of all components: the others count in growth, and
        not in Sharpe ratio, volatility and correlation. Default: all.
    sessions : int, optional
        Sessions that the rows span; by default one each.

    Returns
    -------
    CombinedBook

    Raises
    ------
    NotEnoughDataError
        If there is no component, or no session.
    UnknownNameError
        If a weight is of no component, or the weights' name is not known.
    """
    if returns.empty:
        raise NotEnoughDataError("returns of at least one component")
    shares = _shares(returns, weights)
    own = returns.to_numpy("float64")
    earned = shares * np.nan_to_num(own)
    total = earned.sum(axis=1)
    alike = returns if single is None else returns[single]
    pairs = alike.corr(min_periods=_FEWEST)
    off = pairs.to_numpy()[np.triu_indices(len(pairs), 1)]
    metrics = book_metrics(total, year, level, single=single, sessions=sessions)
    metrics["mean_correlation"] = float(np.nanmean(off)) if np.isfinite(off).any() else np.nan
    return CombinedBook(
        pd.Series(total, returns.index, name="return"),
        pd.DataFrame(shares, returns.index, returns.columns),
        pairs,
        pd.Series(earned.sum(axis=0), returns.columns, name="contribution"),
        metrics,
    )


def _shares(returns: pd.DataFrame, weights: BookWeights | Mapping[str, float]) -> Floats:
    names = [str(name) for name in returns.columns]
    equal = np.full(returns.shape, 1.0 / len(names))
    if not isinstance(weights, str):
        for name in weights:
            if name not in names:
                raise UnknownNameError("component", name, names)
        return np.tile([float(weights.get(name, 0.0)) for name in names], (len(returns), 1))
    if weights not in get_args(BookWeights):
        raise UnknownNameError("weights", weights, get_args(BookWeights))
    if weights == "equal":
        return equal
    past = returns.rolling(_WINDOW, min_periods=_FEWEST).std(ddof=1).shift(1).to_numpy()
    known = np.isfinite(past) & (past > 0)
    inverse = np.where(known, 1.0 / np.where(known, past, 1.0), 0.0)
    # components without a volatility keep their equal share, the others divide the rest
    rest = known.sum(axis=1, keepdims=True) / len(names)
    total = inverse.sum(axis=1, keepdims=True)
    return np.where(known, rest * inverse / np.where(total > 0, total, 1.0), equal)


def book_metrics(
    returns: Floats,
    year: int,
    level: float,
    *,
    single: Flags | None = None,
    sessions: int | None = None,
) -> dict[str, float]:
    """Return the metrics of one series of returns, with the interval of its Sharpe ratio.

    Parameters
    ----------
    returns : ndarray, shape (n,)
        Simple, net of costs.
    year : int
    level : float
        Coverage.
    single, sessions : optional
        As for `combined_book`.
    """
    own = returns if single is None else returns[single]
    [ends] = return_intervals(own[:, None], Resampling(level=level), year=year)
    equity = np.concatenate([[1.0], np.cumprod(1.0 + returns)])
    return {
        "sharpe": sharpe(own, year),
        "sharpe_low": ends.sharpe[0],
        "sharpe_high": ends.sharpe[1],
        "cagr": cagr(returns, year, sessions),
        "volatility": volatility(own, year),
        "max_drawdown": max_drawdown(equity),
        "n": float(len(own)),
    }
