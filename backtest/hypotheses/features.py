"""Series that several hypotheses are built from; row t holds what is known at the close of t.

The only exceptions are named ``next_...``: what is to be explained.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from ...data import EXCHANGE_SESSIONS, NOISE, real_divisor, varies, without_rounding
from ..statistics import realised
from .protocol import Dataset, MissingDataError

if TYPE_CHECKING:
    from ..statistics.intraday import IntradayGrid

__all__ = [
    "Daily",
    "Momentum",
    "Split",
    "daily",
    "daily_with_volatility",
    "gex_before",
    "least_known",
    "momentum",
    "needs",
    "needs_spread",
    "percentile",
    "rows_before",
    "spans",
    "split_sessions",
    "standardised",
    "tercile",
    "trailing_sum",
    "usual_volatility",
]

Floats = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]

WINDOW: Final = EXCHANGE_SESSIONS
_SHORTEST: Final = 20
_FEWEST: Final = 10


def needs(condition: object, what: str) -> None:
    """Refuse a dataset that lacks something.

    Raises
    ------
    MissingDataError
        Where `condition` is false; `what` completes "needs data: ...".
    """
    if not condition:
        raise MissingDataError(what)


def needs_spread(values: npt.ArrayLike, what: str = "GEX") -> None:
    """Refuse a series whose values differ by rounding alone: nothing can be ranked by it.

    Raises
    ------
    MissingDataError
        Where there are values and none differs from another by more than rounding.
    """
    known = np.asarray(values, dtype=np.float64)
    known = known[np.isfinite(known)]
    needs(
        not known.size or varies(known),
        f"{what} that varies: its {known.size} values are the same but for rounding "
        f"({float(known.max(initial=-np.inf)):g}), so that they have no ranks",
    )


@dataclass(frozen=True, slots=True, eq=False)
class Daily:
    """Daily features, each of shape (n,) by the sessions of the bars.

    Attributes
    ----------
    sessions : ndarray of datetime64
    close : ndarray
        Log close.
    ret, next_ret : ndarray
        Log return into session t, and into t + 1.
    log_vol, next_log_vol : ndarray
        Log of Parkinson's volatility of t, and of t + 1.
    har : ndarray, shape (n, 3)
        Trailing means of `log_vol` over 1, 5 and 22 sessions.
    gex, gex_rank : ndarray
        Value, and its centred rank (-0.5 ... 0.5) within the last 252, warmed up. As the
        ``next_...`` ones NaN before the first session that counts.
    log_vix : ndarray
        NaN where there is none.
    vix_rank : ndarray
        Rank of the implied volatility (0 ... 1) within its own last 252 values, whether or not
        their sessions have a bar.
    """

    sessions: npt.NDArray[np.datetime64]
    close: Floats
    ret: Floats
    next_ret: Floats
    log_vol: Floats
    next_log_vol: Floats
    har: Floats
    gex: Floats
    gex_rank: Floats
    log_vix: Floats
    vix_rank: Floats

    def har_columns(self) -> dict[str, Floats]:
        """Return the regressors of the heterogeneous autoregression by name."""
        return dict(zip(("har_day", "har_week", "har_month"), self.har.T, strict=True))

    @property
    def loss(self) -> Floats:
        """Negative part of the return: min(r, 0)."""
        return np.where(np.isnan(self.ret), np.nan, np.minimum(self.ret, 0.0))


def daily(dataset: Dataset) -> Daily:
    """Return the daily features of a dataset."""
    bars = dataset.bars
    logs = realised.log_bars(*(bars[c].to_numpy() for c in ("open", "high", "low", "close")))
    log_close = np.log(bars["close"].to_numpy(dtype=np.float64))
    ret = np.concatenate([[np.nan], np.diff(log_close)])
    log_vol = realised.log_volatility(realised.parkinson(logs))
    gex, counted = dataset.gex.reindex(bars.index), dataset.counted
    vix = np.full(len(bars), np.nan) if dataset.vix is None else _on(dataset.vix, bars.index)
    with np.errstate(invalid="ignore", divide="ignore"):
        log_vix = np.where(vix > 0.0, np.log(vix), np.nan)
    return Daily(
        sessions=bars.index.to_numpy(),
        close=log_close,
        ret=ret,
        next_ret=np.where(counted, _lead(ret), np.nan),
        log_vol=log_vol,
        next_log_vol=np.where(counted, _lead(log_vol), np.nan),
        har=realised.har_regressors(log_vol),
        gex=np.where(counted, np.asarray(gex.to_numpy(), dtype=np.float64), np.nan),
        gex_rank=np.where(counted, _ranks(dataset), np.nan),
        log_vix=log_vix,
        vix_rank=_vix_ranks(dataset),
    )


def daily_with_volatility(dataset: Dataset) -> Daily:
    """Return the daily features of a dataset whose GEX varies and that has an implied volatility.

    Raises
    ------
    MissingDataError
        If it has none, or its GEX is the same throughout.
    """
    needs(
        dataset.vix is not None,
        "a daily implied volatility: series.vix, or chains quoted around 30 days",
    )
    features = daily(dataset)
    needs_spread(features.gex)
    return features


def _volatility(dataset: Dataset) -> pd.Series[float]:
    """Return implied volatility on its own sessions up to the last bar; NaN where not positive."""
    if dataset.vix is None:
        return pd.Series(dtype=np.float64, index=pd.DatetimeIndex([]))
    vix: pd.Series[float] = dataset.vix[dataset.vix.index <= dataset.bars.index[-1]]
    return vix.astype(np.float64).where(vix > 0.0)


def _vix_ranks(dataset: Dataset) -> Floats:
    vix = _volatility(dataset)
    return _on(pd.Series(percentile(vix), index=vix.index), dataset.bars.index)


def usual_volatility(dataset: Dataset) -> Floats:
    """Return the log of the median implied volatility up to each session; NaN below 20 values.

    Of all values there are, whether or not their sessions have a bar.
    """
    vix = _volatility(dataset)
    logs = pd.Series(np.log(vix.to_numpy(dtype=np.float64)), index=vix.index)
    return _on(logs.expanding(min_periods=20).median(), dataset.bars.index)


def _ranks(dataset: Dataset) -> Floats:
    """Return the centred rank of every session's GEX, those before the first counted included."""
    rank = pd.Series(percentile(dataset.warmed) - 0.5, index=dataset.warmed.index)
    return _on(rank, dataset.bars.index)


def _on(series: pd.Series[float], index: pd.Index) -> Floats:
    return np.asarray(series.reindex(index).to_numpy(), dtype=np.float64)


def _lead(x: Floats) -> Floats:
    return np.append(x[1:], np.nan)


def percentile(series: pd.Series[float], window: int = WINDOW) -> Floats:
    """Return the rank of each value within the last `window` known ones, 0 ... 1, itself included.

    Where a sample is shorter than two windows, a rank needs a quarter of the known values (at
    least 20) instead of the whole window. NaN before, where the value is unknown, and where all
    values of the window are the same but for rounding.
    """
    known = series.dropna()
    known = pd.Series(without_rounding(known.to_numpy()), index=known.index)
    windows = known.rolling(window, min_periods=least_known(len(known), window))
    rank = windows.rank(pct=True).where(windows.max() > windows.min())
    return rank.reindex(series.index).to_numpy(dtype=np.float64)


def least_known(known: int, window: int = WINDOW) -> int:
    """Return how many known values a rank needs, itself included, of that many in all.

    Examples
    --------
    >>> least_known(600), least_known(200), least_known(60)
    (252, 50, 20)
    """
    return window if known >= 2 * window else min(window, max(_SHORTEST, known // 4))


def tercile(rank: Floats) -> npt.NDArray[np.int64]:
    """Return 0, 1, 2 for centred percentiles below, between and above a third and two thirds.

    -1 where unknown. A rank of exactly a third or two thirds lies between.
    """
    margin = 1e-9  # ranks are multiples of one over the window: rounding must not decide
    low, high = rank < 1 / 3 - 0.5 - margin, rank > 2 / 3 - 0.5 + margin
    return np.select([np.isnan(rank), low, high], [-1, 0, 2], 1).astype(np.int64)


def standardised(x: npt.ArrayLike) -> Floats:
    """Return x less its mean over its standard deviation; NaN stays, and where x is constant."""
    value = np.asarray(x, dtype=np.float64)
    spread = np.nanstd(value, ddof=1)
    noise = NOISE * float(
        np.nanmax(np.abs(value))
    )  # a spread at the level of rounding counts as zero
    return np.asarray((value - np.nanmean(value)) / real_divisor(spread, noise), dtype=np.float64)


def trailing_sum(x: Floats, window: int) -> Floats:
    """Return the sum over the last `window` values; NaN until there are so many."""
    out = np.full(len(x), np.nan)
    if len(x) >= window:
        out[window - 1 :] = np.lib.stride_tricks.sliding_window_view(x, window).sum(axis=-1)
    return out


@dataclass(frozen=True, slots=True, eq=False)
class Split:
    """Sessions in two groups by the GEX known before them.

    Attributes
    ----------
    low, high : ndarray of bool
    by : str
        ``sign``, or ``tercile`` of the rolling percentile where one sign has too few sessions.
    """

    low: Mask
    high: Mask
    by: str


def split_sessions(gex: Floats, rank: Floats, usable: Mask | None = None) -> Split:
    """Split sessions by the sign of GEX, or by tercile where a sign is too rare.

    Parameters
    ----------
    gex, rank : ndarray, shape (n,)
        Value, and centred percentile, known before each session.
    usable : ndarray of bool, optional
        Sessions that the test can use; a sign needs 10 of them and a twentieth.
    """
    use = np.isfinite(gex) if usable is None else usable & np.isfinite(gex)
    low, high = use & (gex < 0.0), use & (gex >= 0.0)
    least = max(_FEWEST, int(use.sum()) // 20)
    if min(low.sum(), high.sum()) >= least:
        return Split(low, high, "sign")
    third = tercile(rank)
    return Split(use & (third == 0), use & (third == 2), "tercile")


def gex_before(dataset: Dataset, sessions: npt.NDArray[np.datetime64]) -> tuple[Floats, Floats]:
    """Return GEX and centred percentile known before each session: those of the bar before it."""
    before = rows_before(dataset, sessions)
    found = before >= 0
    gex = _on(dataset.warmed, dataset.bars.index)
    known = (np.where(found, x[before], np.nan) for x in (gex, _ranks(dataset)))
    return next(known), next(known)


def rows_before(dataset: Dataset, sessions: npt.NDArray[np.datetime64]) -> npt.NDArray[np.int64]:
    """Return the row of the bar before each session, -1 where there is none.

    A session without a bar has none before it either: the last one there is may be old.
    """
    days = dataset.bars.index.to_numpy().astype("datetime64[D]")
    wanted = sessions.astype("datetime64[D]")
    here = np.minimum(np.searchsorted(days, wanted), len(days) - 1)
    return np.where((days[here] == wanted) & (here > 0), here - 1, -1)


def spans(grid: IntradayGrid) -> tuple[int, ...]:
    """Return the spans in minutes, of 15, 30 and 60, that are at least two steps of the grid."""
    return tuple(m for m in (15, 30, 60) if m % grid.minutes == 0 and m >= 2 * grid.minutes)


@dataclass(frozen=True, slots=True, eq=False)
class Momentum:
    """The last half hour and the rest of the day, full sessions only; shape (s,).

    Attributes
    ----------
    sessions : ndarray of datetime64[D]
    rest, last : ndarray
        Log return from the previous close to half an hour before the close, and from there on.
    gex, rank : ndarray
        Value and centred percentile known before the session.
    next_days : ndarray, shape (s, 3)
        Log returns of the following three sessions, close to close.
    """

    sessions: npt.NDArray[np.datetime64]
    rest: Floats
    last: Floats
    gex: Floats
    rank: Floats
    next_days: Floats


def momentum(dataset: Dataset) -> Momentum:
    """Return last-half-hour momentum of every full session that has a previous close.

    Raises
    ------
    MissingDataError
        Without intraday bars of at most 30 minutes.
    """
    needs(dataset.intraday is not None, "intraday bars of at most 30 minutes (data.intraday)")
    grid = dataset.intraday
    assert grid is not None
    needs(30 % grid.minutes == 0, f"intraday bars that divide 30 minutes, not {grid.minutes}")
    close = grid.log_prices[:, -1]
    half = grid.at(-30)
    bars = dataset.bars
    day_close = np.log(bars["close"].to_numpy(dtype=np.float64))
    days = bars.index.to_numpy().astype("datetime64[D]")
    at = np.searchsorted(days, grid.sessions)
    found = (at > 0) & (days[np.minimum(at, len(days) - 1)] == grid.sessions)
    before = np.where(found, day_close[np.clip(at - 1, 0, len(days) - 1)], np.nan)
    ahead = np.full((len(at), 3), np.nan)
    change = np.diff(day_close)
    for k in range(3):
        inside = found & (at + k < len(change))
        ahead[inside, k] = change[at[inside] + k]
    gex, rank = gex_before(dataset, grid.sessions)
    keep = grid.full & np.isfinite(before)
    return Momentum(
        sessions=grid.sessions[keep],
        rest=(half - before)[keep],
        last=(close - half)[keep],
        gex=gex[keep],
        rank=rank[keep],
        next_days=ahead[keep],
    )
