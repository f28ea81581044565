"""Filters: from a table of regime values to one label per session.

A filter reads, for the label of session t, rows dated t or earlier, and nothing else. The label
is known when the last row that it read is known. A session without a usable value abstains.

The table has one row per session, in order: ``value`` (float, NaN where undefined), ``known_at``
(UTC) and, where a rebuild has classified it, ``regime``.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from ..data.exposure.labels import labels_by_sign

if TYPE_CHECKING:
    from .model import Strategy

__all__ = ["FILTERS", "Filter", "always", "percentile", "percentile_rank", "sign", "tercile"]

Labels = npt.NDArray[np.str_]
# ranks are fractions of a window; 1 - 0.8 as a double is less than the rank 0.2
_ROUNDING: Final = 1e-12

Filter = Callable[[pd.DataFrame, "Strategy"], pd.DataFrame]


def sign(table: pd.DataFrame, strategy: Strategy) -> pd.DataFrame:
    """Label by the table's own regime, or by the sign of the value where it has none.

    A value of exactly 0 is neutral; a missing one abstains.
    """
    if "regime" in table:
        labels = table["regime"].to_numpy(dtype=object)
    else:
        labels = labels_by_sign(table["value"].to_numpy(dtype=float))
    return _labelled(table, labels, table["known_at"])


def tercile(table: pd.DataFrame, strategy: Strategy) -> pd.DataFrame:
    """Label by the tercile of the value among the last `window` values, itself included.

    Upper third long, lower third short, middle neutral; fewer than `window` values abstain.
    """
    rank = percentile_rank(_usable(table), strategy.window)
    cases: list[Any] = [np.isnan(rank), rank > 2 / 3, rank <= 1 / 3]
    labels = np.select(cases, ["abstain", "long", "short"], "neutral")
    return _labelled(table, labels, _known_of_all(table))


def percentile(table: pd.DataFrame, strategy: Strategy) -> pd.DataFrame:
    """Label by the percentile among the last `window` values, with a band against flutter.

    Long from the session on which the percentile reaches `enter` until it falls below `exit`;
    short, mirrored, from 1 - `enter` until it rises above 1 - `exit`; neutral otherwise. Fewer
    than `window` values, or a missing one, abstain and end what was entered.
    """
    rank = percentile_rank(_usable(table), strategy.window)
    labels = np.empty(len(rank), dtype="U7")
    state = "neutral"
    for i, p in enumerate(rank):
        state = _next_state(state, p, strategy.enter, strategy.exit)
        labels[i] = "abstain" if np.isnan(p) else state
    return _labelled(table, labels, _known_of_all(table))


def always(table: pd.DataFrame, strategy: Strategy) -> pd.DataFrame:
    """Label every session long without reading anything: for rules that ignore the regime."""
    never = pd.Series(pd.NaT, index=table.index, dtype="datetime64[ns, UTC]")
    return _labelled(table, np.full(len(table), "long"), never)


def percentile_rank(values: npt.NDArray[np.float64], window: int) -> npt.NDArray[np.float64]:
    """Return each value's rank among the last `window` values, itself included.

    Parameters
    ----------
    values : ndarray of float, shape (n,)
        NaN is skipped: the window counts values, not sessions.
    window : int

    Returns
    -------
    ndarray of float, shape (n,)
        In (0, 1]; ties share their mean rank; NaN where the value or the window is incomplete.

    Examples
    --------
    >>> percentile_rank(np.array([3.0, 1.0, 2.0, np.nan, 9.0]), 3)
    array([       nan,        nan, 0.66666667,        nan, 1.        ])
    """
    series = pd.Series(values).dropna()
    ranks = series.rolling(window).rank(pct=True)
    return ranks.reindex(range(len(values))).to_numpy(dtype=float)


def _usable(table: pd.DataFrame) -> npt.NDArray[np.float64]:
    """Return the values, NaN where the table's own quality gate says abstain."""
    value = table["value"].to_numpy(dtype=float, copy=True)
    if "regime" in table:
        value[table["regime"].to_numpy() == "abstain"] = np.nan
    return value


def _next_state(state: str, rank: float, enter: float, leave: float) -> str:
    above, below = rank + _ROUNDING, 1.0 - rank + _ROUNDING
    if above >= enter:
        return "long"
    if below >= enter:
        return "short"
    kept = (state == "long" and above >= leave) or (state == "short" and below >= leave)
    return state if kept else "neutral"


def _known_of_all(table: pd.DataFrame) -> pd.Series[pd.Timestamp]:
    """Return when the latest of all usable rows up to each one was known."""
    known = table["known_at"].to_numpy(dtype="datetime64[ns]").astype(np.int64)
    usable = ~np.isnan(_usable(table))
    latest = np.maximum.accumulate(np.where(usable, known, np.iinfo(np.int64).min))
    moments = np.where(usable, latest, known).astype("datetime64[ns]")
    return pd.Series(pd.DatetimeIndex(moments, tz="UTC"), index=table.index)


def _labelled(
    table: pd.DataFrame, labels: npt.NDArray[Any], known_at: pd.Series[pd.Timestamp]
) -> pd.DataFrame:
    return pd.DataFrame({"label": labels.astype(object), "known_at": known_at}, index=table.index)


FILTERS: dict[str, Filter] = {
    "always": always,
    "percentile": percentile,
    "sign": sign,
    "tercile": tercile,
}
