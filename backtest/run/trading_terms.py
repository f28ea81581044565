"""From a configuration and its inputs to the terms of trading, and to prices at a stated bar."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pandas as pd

from ...data import ConfigError, InputFileError
from ..execution.terms import Terms, lot_named
from .execution_section import FILLS

if TYPE_CHECKING:
    from .config_sections import DataConfig
    from .execution_section import ExecutionConfig, Fill
    from .market import Market

__all__ = ["bars_to_fill", "terms_of"]

Floats = npt.NDArray[np.float64]

#: A rate above this share a year was meant in percent.
_PERCENT = 1.0


def terms_of(execution: ExecutionConfig, data: DataConfig, market: Market) -> Terms:
    """Return the terms of trading of a configuration, by tested session.

    Raises
    ------
    InputFileError
        If a series that they read lacks a session, or cannot be what it is said to be.
    """
    sessions = market.sessions
    days = np.diff(sessions.to_numpy()) / np.timedelta64(1, "D")
    lot = lot_named(execution.lot, data.underlying)
    rates = {
        key: _by_session(getattr(execution, key), key, market, rate=True)
        for key in ("cash_rate", "financing_rate", "borrow_rate")
    }
    return Terms(
        half_spread=_by_session(execution.half_spread, "half_spread", market),
        dividends=_dividends(execution.dividends, market),
        days=np.append(0.0, days.astype(np.float64)),
        lot=lot,
        unit=lot or 1.0,
        stop_loss=_or_none(execution.stop_loss),
        take_profit=_or_none(execution.take_profit),
        max_holding=execution.max_holding or 0,
        max_leverage=execution.max_leverage,
        funded=data.instrument_kind != "future",
        **rates,
    )


def _or_none(value: float | None) -> float:
    return float("nan") if value is None else value


def _by_session(value: float | str, key: str, market: Market, *, rate: bool = False) -> Floats:
    """Return a setting by session; of a series the last value at or before each."""
    sessions = market.sessions
    if not isinstance(value, str):
        return np.full(len(sessions), float(value))
    series = market.series[value]["value"].astype(np.float64).dropna()
    found = series.reindex(sessions, method="ffill" if rate else None)
    values: Floats = np.asarray(found, dtype=np.float64)
    lacking = np.flatnonzero(np.isnan(values))
    if lacking.size:
        raise InputFileError(
            f"series {value!r} has no value for {sessions[int(lacking[0])].date()}, which "
            f"execution.{key} needs: complete it, or start later (data.start)"
        )
    if (rate and np.abs(values).max(initial=0.0) > _PERCENT) or (not rate and (values < 0).any()):
        what = "yearly rates as decimals (0.05 is 5 %)" if rate else "points, none below 0"
        worst = values[int(np.argmax(np.abs(values) if rate else -values))]
        raise InputFileError(
            f"series {value!r} of execution.{key}: expected {what}, found {worst:g}: correct it"
        )
    return values


def _dividends(name: str | None, market: Market) -> Floats:
    """Return dividends by session; one without a bar belongs to the next bar there is."""
    sessions = market.sessions
    found = np.zeros(len(sessions))
    if name is None:
        return found
    series = market.series[name]["value"].astype(np.float64).dropna()
    if (series < 0.0).any():
        day = series.index[int(np.flatnonzero(series.to_numpy() < 0.0)[0])]
        raise InputFileError(
            f"series {name!r} of execution.dividends: expected amounts per share, found "
            f"{series[day]:g} on {day:%Y-%m-%d}: correct it"
        )
    place = sessions.searchsorted(pd.DatetimeIndex(series.index))
    inside = (place < len(sessions)) & np.asarray(series.index >= sessions[0])
    np.add.at(found, place[inside], series.to_numpy()[inside])
    return found


def bars_to_fill(market: Market, fill: Fill) -> tuple[pd.DataFrame, int]:
    """Return the tested bars with the prices of a stated intraday bar, and how many lack it.

    ``at_fill`` is the open of the first intraday bar that starts at or after the stated time;
    ``high_before, low_before, high_after, low_after`` are the ranges around that moment. Where a
    session has no such bar (it closed early, or its bars are missing) its close stands in.

    Raises
    ------
    ConfigError
        If no session has a bar at that time.
    """
    bars = market.bars[market.tested]
    if fill in FILLS:
        return bars, 0
    if market.intraday is None:
        raise ConfigError(
            f"execution.fill = {fill!r} needs intraday bars: name them in data.intraday"
        )
    frame = market.intraday.frame
    local = pd.DatetimeIndex(frame["ts"]).tz_convert(market.calendar.timezone)
    later = (local.hour * 60 + local.minute) >= int(fill[:2]) * 60 + int(fill[3:])
    before, after = (frame[mask].groupby("session") for mask in (~later, later))
    first = after["ts"].min().dt.tz_convert(market.calendar.timezone)
    on_time = first[(first.dt.strftime("%H:%M") == fill)].index
    if not len(on_time):
        raise ConfigError(
            f"execution.fill = {fill!r}: no session has an intraday bar that starts then: name the "
            "start of one (exchange's time)"
        )
    tables = {
        "at_fill": after["open"].first(),
        "high_before": before["high"].max(),
        "low_before": before["low"].min(),
        "high_after": after["high"].max(),
        "low_after": after["low"].min(),
    }
    priced = bars.assign(**{name: table.reindex(bars.index) for name, table in tables.items()})
    lacking = priced["at_fill"].isna()
    for name in ("high", "low"):
        whole = priced[f"{name}_before"].isna() & lacking
        priced[f"{name}_before"] = priced[f"{name}_before"].where(~whole, priced[name])
    priced["at_fill"] = priced["at_fill"].fillna(priced["close"])
    return priced, int(len(bars) - bars.index.isin(on_time).sum())
