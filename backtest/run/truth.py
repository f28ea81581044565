"""Truth next to estimate: what a simulated market is, and what the pipeline says of it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import nan
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pandas as pd

from ...data import (
    BOOKS,
    Truth,
    load_intraday,
    read_bars,
    read_truth,
    rebuilt_rows,
    regimes,
    trading_calendar,
)
from ..statistics.intraday import intraday_grid, realised_variance

if TYPE_CHECKING:
    from datetime import date
    from pathlib import Path

    from ...data import DefinitionChoice
    from ..statistics.intraday import IntradayGrid
    from .market import Market

__all__ = ["Quantity", "compare_with_truth"]

Floats = npt.NDArray[np.float64]

_LAST_HALF_HOUR = -30
_BEFORE_RETURN = 100.0


@dataclass(frozen=True, slots=True)
class Quantity:
    """One quantity of a simulated market: its true value and its estimate.

    Attributes
    ----------
    name : str
    truth, estimate : float
    low, high : float
        95 % interval of the estimate; NaN where the quantity is computed, not estimated.
    n : int
        Sessions that it rests on.
    """

    name: str
    truth: float
    estimate: float
    low: float
    high: float
    n: int

    @property
    def covered(self) -> bool | None:
        """Whether the interval holds the truth; None where there is no interval."""
        if np.isnan(self.low) or np.isnan(self.high):
            return None
        return self.low <= self.truth <= self.high


def compare_with_truth(
    lake: str | Path,
    *,
    dealer_model: str = "naive",
    definition_id: DefinitionChoice = None,
    market: Market | None = None,
    start: date | None = None,
    end: date | None = None,
) -> tuple[Quantity, ...]:
    """Return the quantities whose truth a simulated lake knows, each with its estimate.

    Parameters
    ----------
    lake : str or Path
        Folder of a simulated market that has been rebuilt.
    dealer_model, definition_id
        As in `gexlab.data.regimes`.
    market : Market, optional
        Whose regime is compared, instead of dealer model and definition (both of its books are
        brought up to date), and whose bars are used where they are the lake's.
    start, end : date, optional
        First and last session compared.

    Returns
    -------
    tuple of Quantity
        Net gamma and flip against the dealers' true positions (both books), then the slopes
        that the world's mechanism implies: of log volatility on ln(1 + kappa), and of the last
        half hour on kappa times the rest of the day. kappa is taken from the *rebuilt* net
        gamma of the previous session and the market's known impact.

    Raises
    ------
    InputFileError, LakeError
        If the market is not simulated, or has not been rebuilt.
    """
    truth = read_truth(lake)
    if market is None:
        found = regimes(
            lake, truth.underlying, dealer_model=dealer_model, definition_id=definition_id
        )
    else:
        rows = market.regime.rows
        if set(rows.spec.books) != set(BOOKS):
            rows = rebuilt_rows(rows.lake, replace(rows.spec, books=BOOKS))
        found = pd.concat([rows.table("regimes", book) for book in BOOKS])
        found = found.sort_values(["session", "book"], ignore_index=True)
    if start is not None:
        found = found[found["session"] >= pd.Timestamp(start)]
    if end is not None:
        found = found[found["session"] <= pd.Timestamp(end)]
    merged = found.merge(truth.table, on=["session", "book"], suffixes=("", "_true"))
    quantities = [*_last_session(merged), *_recovered(merged), _negative_share(truth, found)]
    return tuple(quantities + _slopes(truth, found, market))


def _recovered(merged: pd.DataFrame) -> list[Quantity]:
    """Return how exactly net gamma and flip are recovered, over sessions and books."""
    error = (merged["net_gex"] - merged["net_gex_true"]).abs() / merged["gross_gex"]
    same = np.sign(merged["net_gex"]) == np.sign(merged["net_gex_true"])
    both = merged[merged["flip"].notna() & merged["flip_true"].notna()]
    away = (both["flip"] / both["flip_true"] - 1.0).abs()
    either = merged["flip"].notna() == merged["flip_true"].notna()
    n = len(merged)
    return [
        _exact("net GEX: largest error, share of gross", 0.0, error.max(), n),
        _exact("net GEX: share with the true sign", 1.0, same.mean(), n),
        _exact("flip: largest relative error", 0.0, away.max(), len(both)),
        _exact("flip: share found where there is one", 1.0, either.mean(), n),
    ]


def _last_session(merged: pd.DataFrame) -> list[Quantity]:
    """Return what dealers carry into the session after the last one, in figures."""
    book = merged[merged["book"] == "post_expiry"].sort_values("session")
    if book.empty:
        return []
    last = book.iloc[-1]
    net = _exact(
        "net GEX of the last session, bn per 1 %",
        last["net_gex_true"] / 1e9,
        last["net_gex"] / 1e9,
        1,
    )
    return [net, _exact("flip of the last session, points", last["flip_true"], last["flip"], 1)]


def _exact(name: str, truth: float, value: float, n: int) -> Quantity:
    return Quantity(name, truth, float(value), nan, nan, n)


def _negative_share(truth: Truth, found: pd.DataFrame) -> Quantity:
    """Return the share of sessions that begin with dealers short gamma."""
    # the last session's book governs a session that is not in the market any more
    before = found[found["book"] == "post_expiry"]["net_gex"].iloc[:-1]
    share = float((before < 0.0).mean()) if len(before) else nan
    name = "sessions with dealers short gamma, share"
    return _exact(name, truth.effects.get("negative_share", nan), share, len(before))


def _slopes(truth: Truth, found: pd.DataFrame, market: Market | None) -> list[Quantity]:
    """Return the mechanism's slopes, estimated from bars and the rebuilt net gamma."""
    if not truth.intraday.is_file():
        return []
    calendar = trading_calendar()
    bars = None if market is None else market.intraday_of(truth.intraday)
    if bars is None:
        bars = load_intraday(truth.intraday, calendar=calendar.name)
    if not bars.minutes > 0.0 or -_LAST_HALF_HOUR % bars.minutes:
        return []
    grid = intraday_grid(bars.frame, calendar, max(5, round(bars.minutes)))
    kappa = _kappa_before(truth, found, grid.sessions)
    rows = []
    slope = truth.effects.get("slope_ln_sd_on_ln_1_plus_kappa")
    if slope is not None:
        rows.append(_volatility_slope(slope, grid, kappa))
    slope = truth.effects.get("slope_last_half_hour_per_kappa")
    if slope is not None:
        daily = None if market is None else market.bars_of(truth.bars)
        close = (read_bars(truth.bars) if daily is None else daily)["close"]
        rows.append(_close_slope(slope, grid, kappa, np.log(close)))
    return rows


def _kappa_before(
    truth: Truth, found: pd.DataFrame, sessions: npt.NDArray[np.datetime64]
) -> Floats:
    """Return kappa of each session, known since the evening before; NaN for the first."""
    book = found[found["book"] == "post_expiry"].set_index("session")["net_gex"]
    before = book.shift(1).reindex(pd.DatetimeIndex(sessions.astype("datetime64[ns]")))
    kappa: Floats = _BEFORE_RETURN * truth.impact * before.to_numpy(np.float64)
    return kappa


def _volatility_slope(slope: float, grid: IntradayGrid, kappa: Floats) -> Quantity:
    """Return the slope of log volatility, last half hour left out, on ln(1 + kappa)."""
    columns = (grid.length + _LAST_HALF_HOUR) // grid.minutes + 1
    returns = np.diff(grid.log_prices[:, :columns], axis=1)
    log_sd = 0.5 * np.log(realised_variance(returns))
    name = "slope of log volatility on ln(1 + kappa)"
    return _regression(name, slope, log_sd, np.log1p(kappa))


def _close_slope(
    slope: float, grid: IntradayGrid, kappa: Floats, close: pd.Series[float]
) -> Quantity:
    """Return the slope of the last half hour (of log closes) on kappa × the rest of the day."""
    days = pd.DatetimeIndex(grid.sessions.astype("datetime64[ns]"))
    previous = close.shift(1).reindex(days).to_numpy(np.float64)
    before = grid.at(_LAST_HALF_HOUR)
    rest, last = before - previous, grid.at(grid.length) - before
    name = "slope of the last half hour on kappa × the rest of the day"
    return _regression(name, slope, last, kappa * rest)


def _regression(name: str, truth: float, y: Floats, x: Floats) -> Quantity:
    """Return an ordinary least-squares slope with a heteroskedasticity-robust interval."""
    from statsmodels.regression.linear_model import OLS
    from statsmodels.tools import add_constant

    use = np.isfinite(x) & np.isfinite(y)
    n = int(use.sum())
    if n < 30:
        return Quantity(name, truth, nan, nan, nan, n)
    fit = OLS(y[use], add_constant(x[use])).fit(cov_type="HC3")
    low, high = fit.conf_int()[1]
    return Quantity(name, truth, float(fit.params[1]), float(low), float(high), n)
