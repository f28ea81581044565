"""What happened within each session of many names: volatility and momentum of hourly returns."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd

from ...data import InputFileError, NoRowsError, encoded_name, load_intraday
from ..statistics.intraday import intraday_grid

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ...data import TradingCalendar

__all__ = ["INTRADAY_COLUMNS", "intraday_panel"]

#: Columns of an intraday panel.
INTRADAY_COLUMNS: Final = ("underlying", "session", "volatility", "momentum")
#: Stands in a path for the underlying.
_NAME: Final = "{underlying}"
#: Minutes of a return: where the published effect is largest.
_MINUTES: Final = 60


def intraday_panel(
    file: str | Path, names: Sequence[str], calendar: TradingCalendar
) -> pd.DataFrame:
    """Return volatility and momentum of the hourly returns of each session of some names.

    Parameters
    ----------
    file : str or Path
        Intraday bars, Parquet or CSV, as for a configuration's ``data.intraday``: one file with a
        column ``underlying``, or a path in which ``{underlying}`` stands for the name (as in the
        lake's folders). Names without a file, or without bars in it, have no rows.
    names : sequence of str
    calendar : TradingCalendar

    Returns
    -------
    DataFrame
        ``underlying, session, volatility`` (root of the sum of squared log returns over 60 minutes,
        from the open on), ``momentum`` (sum of the products of neighbouring ones over the sum of
        squares, undefined where nothing moves). Sessions in which an hour has no bar are left
        out; so are early closes.

    Raises
    ------
    InputFileError
        If none of the names has bars.
    """
    frames = [frame for name in names if (frame := _of_name(file, name, calendar)) is not None]
    if not frames:
        said = ", ".join(names[:3]) + (" ..." if names[3:] else "")
        raise InputFileError(
            f"{file}: no intraday bars of {said}: give a file with a column underlying, or a path "
            f"with {_NAME} in it"
        )
    return pd.concat(frames, ignore_index=True)


def _of_name(file: str | Path, name: str, calendar: TradingCalendar) -> pd.DataFrame | None:
    """Return the rows of a name, None where there are no bars of it."""
    apart = _NAME in str(file)
    path = Path(str(file).replace(_NAME, encoded_name(name)))
    if apart and not path.exists():
        return None
    try:
        where = {} if apart else {"underlying": name}
        bars = load_intraday(path, where=where, calendar=calendar.name).frame
    except NoRowsError:
        return None
    grid = intraday_grid(bars, calendar, _MINUTES)
    returns = grid.returns()
    whole = np.isfinite(returns).all(axis=1)
    whole &= _hours(bars, calendar).reindex(grid.sessions).to_numpy() == returns.shape[1]
    returns = returns[whole]
    squares = (returns**2).sum(axis=1)
    products = (returns[:, 1:] * returns[:, :-1]).sum(axis=1)
    moves = squares > 0
    momentum = np.full(len(returns), np.nan)
    momentum[moves] = products[moves] / squares[moves]
    return pd.DataFrame(
        {
            "underlying": name,
            "session": grid.sessions[whole].astype("datetime64[ns]"),
            "volatility": np.sqrt(squares),
            "momentum": momentum,
        }
    )


def _hours(bars: pd.DataFrame, calendar: TradingCalendar) -> pd.Series[int]:
    """Return in how many whole hours of a session there is a bar, by session."""
    day = bars["session"].to_numpy().astype("datetime64[D]")
    stamp = pd.to_datetime(bars["ts"], utc=True).dt.tz_localize(None).to_numpy()
    where = np.searchsorted(calendar.sessions, day)
    opened, closed = calendar.opens[where], calendar.closes[where]
    hour = (stamp - opened) // np.timedelta64(_MINUTES, "m")
    inside = (hour >= 0) & (hour < (closed - opened) // np.timedelta64(_MINUTES, "m"))
    return pd.Series(hour[inside]).groupby(day[inside]).nunique()
