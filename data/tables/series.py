"""Named daily series from users' files, each value with the moment from which it may be used."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pandas as pd

from ..base.errors import InputFileError
from ..calendar.market_defaults import DEFAULT_CALENDAR
from ..calendar.trading import TradingCalendar, exchange_timezone, trading_calendar
from ..calendar.wall_clocks import moments_of
from .cells import days, numbers
from .clock import on_sessions
from .reader import Scalar, read_table

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["SeriesSet", "load_series", "publication", "read_series"]

_COLUMNS: dict[str, tuple[str, ...]] = {"session": ("session", "date", "day"), "value": ("value",)}


@dataclass(frozen=True, slots=True, eq=False)
class SeriesSet:
    """A series and what was left out of it.

    Attributes
    ----------
    frame : DataFrame
        Columns ``session`` (datetime64[ns]), ``value`` (float, NaN where the file has none),
        ``known_at`` (UTC); sorted by session, plain index.
    not_sessions : int
        Rows dated on a day that is no session: left out.
    left_out : tuple of datetime64
        Their days.
    """

    frame: pd.DataFrame
    not_sessions: int
    left_out: tuple[np.datetime64, ...] = ()


def read_series(
    path: str | Path,
    columns: Mapping[str, str] | None = None,
    known: str = "next_open",
    calendar: str = DEFAULT_CALENDAR,
    *,
    where: Mapping[str, Scalar] | None = None,
) -> pd.DataFrame:
    """Return a series as a frame of session, value and known_at: the frame of `load_series`.

    Parameters
    ----------
    path : str or Path
        Parquet, or CSV with a header.
    columns : mapping of str to str, optional
        As in `load_series`.
    known : {"close", "next_open"} or ``HH:MM``
        When the value dated t is public.
    calendar : str
        Exchange calendar.
    where : mapping of str to scalar, optional
        Rows to take: column to value.

    Returns
    -------
    DataFrame
        ``session, value, known_at`` (UTC), ascending; missing values are NaN.

    Raises
    ------
    InputFileError, MissingColumnError, CalendarError
        As `load_series`.
    """
    return load_series(path, columns, known, calendar, where=where).frame


def load_series(
    path: str | Path,
    columns: Mapping[str, str] | None = None,
    known: str = "next_open",
    calendar: str = DEFAULT_CALENDAR,
    *,
    where: Mapping[str, Scalar] | None = None,
) -> SeriesSet:
    """Read a series and count what was left out.

    Parameters
    ----------
    path : str or Path
        Parquet, or CSV with a header.
    columns : mapping of str to str, optional
        ``session`` and ``value`` to the file's columns.
    known : str
        When the value dated t is public: ``close`` of t, ``next_open``, or ``HH:MM`` by the
        exchange's clock of the next session.
    calendar : str
        An ``exchange_calendars`` name.
    where : mapping, optional
        Column of the file to the value of the rows to keep.

    Returns
    -------
    SeriesSet

    Raises
    ------
    InputFileError
        If a column is missing, a cell is no number or date, or a date appears twice.
    """
    file = Path(path)
    mapped = dict(columns or {})
    strange = sorted(set(mapped) - set(_COLUMNS))
    if strange:
        raise InputFileError(f"{file}: column map names {strange[0]!r}, not session or value")
    wanted: dict[str, Sequence[str]] = {
        name: [mapped[name]] if name in mapped else _COLUMNS[name] for name in _COLUMNS
    }
    frame = read_table(file, wanted, where=where)
    session = days(file, frame, "session", exchange_timezone(calendar))
    table = pd.DataFrame({"session": session, "value": numbers(file, frame, "value")})
    table = table.sort_values("session", ignore_index=True)
    twice = table["session"][table["session"].duplicated()]
    if len(twice):
        raise InputFileError(
            f"{file}: two values of {twice.iloc[0].date()}: keep one, or select rows (where)"
        )
    trading = trading_calendar(calendar)
    dated = table["session"].to_numpy().astype("datetime64[D]")
    inside = on_sessions(file, dated, trading)
    table = table[inside].reset_index(drop=True)
    if table.empty:
        raise InputFileError(f"{file}: none of its dates is a session of {calendar}")
    moments = publication(trading, table["session"].to_numpy(), known)
    table["known_at"] = pd.DatetimeIndex(moments, tz="UTC")
    return SeriesSet(table, int((~inside).sum()), tuple(dated[~inside]))


def publication(
    calendar: TradingCalendar, sessions: npt.NDArray[np.datetime64], known: str
) -> npt.NDArray[np.datetime64]:
    """Return when the values dated `sessions` become public.

    Parameters
    ----------
    calendar : TradingCalendar
    sessions : ndarray of datetime64, shape (n,)
        Sessions of that calendar.
    known : str
        ``close``, ``next_open``, or ``HH:MM`` of the next session by the exchange's clock.

    Returns
    -------
    ndarray of datetime64[ns], shape (n,)
        UTC.
    """
    rows = np.searchsorted(calendar.sessions, sessions.astype("datetime64[D]"))
    if known == "close":
        return calendar.closes[rows]
    if known == "next_open":
        return calendar.opens[rows + 1]
    return moments_of(calendar.sessions[rows + 1], known, calendar.timezone)
