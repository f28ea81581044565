"""The session after which open interest was settled: the lag between a chain and its open interest.

With a lag of one session the open interest in Tuesday's chain was settled after Monday's close.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from .arrow_arrays import NONE, Ints, first_known, integers_of, is_there

if TYPE_CHECKING:
    import numpy.typing as npt

__all__ = ["settled_by_lag", "settled_of_rows"]


def settled_by_lag(sessions: npt.NDArray[np.datetime64], lag: int | None) -> Any:
    """Return for each session the one that its open interest is of.

    Parameters
    ----------
    sessions : ndarray of datetime64[D], shape (n,)
        Of the calendar, ascending.
    lag : int or None
        Sessions in between, ``[timing] oi_lag_sessions``; None: a column says it.

    Returns
    -------
    ndarray of datetime64[D], shape (n,)
        NaT where the calendar does not reach that far back, and everywhere without a lag.
    """
    settled = np.full(len(sessions), np.datetime64("NaT", "D"))
    if lag is not None:
        settled[lag:] = sessions[: len(sessions) - lag]
    return settled


def settled_of_rows(table: Any, by_lag: Ints) -> Any:
    """Return the day that each row's open interest is of: its own column's, else the lag's.

    Parameters
    ----------
    table : pyarrow.Table
    by_lag : ndarray of int64, shape (n,)
        Days since 1970 of each row's session under the lag.

    Returns
    -------
    ndarray of int64, shape (n,)
        `NONE` where a row has no open interest: unknown open interest is of no day.
    """
    if "open_interest" not in table.column_names:
        return np.full(len(table), NONE)
    known = is_there(table.column("open_interest"))
    return np.where(known, first_known(integers_of(table, "oi_asof"), by_lag), NONE)
