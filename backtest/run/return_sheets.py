"""What a tear sheet says of a backtest's strategies."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pandas as pd

from ...data import trading_calendar
from ..execution.timing import session_rows
from ..statistics.tear_sheet import Sheet, rolling_measures, sheet_of

if TYPE_CHECKING:
    from .results import BacktestResult

__all__ = ["one_session_returns", "return_sheets", "rolling_of"]


def return_sheets(result: BacktestResult) -> dict[str, Sheet]:
    """Return descriptive figures of every strategy's returns, net of costs.

    Parameters
    ----------
    result : BacktestResult

    Returns
    -------
    dict of str to Sheet
        By strategy, in the order of the result.
    """
    single, moves = _single(result), _moves(result)
    found = {}
    for name, strategy in result.strategies.items():
        days = strategy.returns.index
        found[name] = sheet_of(
            strategy.returns,
            strategy.equity,
            moves.reindex(days),
            _on(single, days),
            growth=strategy.metrics.cagr,
            year=result.data.sessions_per_year,
        )
    return found


def one_session_returns(result: BacktestResult) -> pd.Series[float]:
    """Return the main strategy's returns of one session.

    Parameters
    ----------
    result : BacktestResult

    Returns
    -------
    Series of float
        By session, net, decimal; returns over missing bars are left out.
    """
    returns = result.main.returns
    return returns[_on(_single(result), returns.index)]


def rolling_of(result: BacktestResult, window: int) -> pd.DataFrame:
    """Return `rolling_measures` of the main strategy's returns of one session.

    Parameters
    ----------
    result : BacktestResult
    window : int
        Returns.

    Returns
    -------
    DataFrame
        By session; empty where there are fewer returns than the window.
    """
    own = one_session_returns(result)
    moves = _moves(result).reindex(own.index)
    return rolling_measures(own, moves, window, year=result.data.sessions_per_year)


def _moves(result: BacktestResult) -> pd.Series[float]:
    """Return the underlying's returns from close to close."""
    return result.bars["close"].pct_change(fill_method=None)


def _single(result: BacktestResult) -> pd.Series[bool]:
    """Return at which sessions the bar before is that of the session before."""
    days = pd.DatetimeIndex(result.bars.index)
    rows = session_rows(trading_calendar(result.data.calendar), days)
    return pd.Series(np.diff(rows, prepend=rows[:1]) == 1, index=days)


def _on(single: pd.Series[bool], days: pd.Index) -> npt.NDArray[np.bool_]:
    return single.reindex(days, fill_value=False).to_numpy(dtype=bool)
