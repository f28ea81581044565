"""What is measured of each session: daily bars, intraday bars, implied volatility, pins.

Row t is session t throughout. Measures of the session itself are to be compared by the label
known before it; those that look ahead (``next_...``, the premium) by the label at its close.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from ....data import EXCHANGE_SESSIONS, NOISE, real_divisor
from .. import intraday, realised
from .groups import Measure, mean_measure

__all__ = [
    "BREAKOUT_WINDOW",
    "ahead_measures",
    "failed_breakouts",
    "intraday_measures",
    "pin_measures",
    "session_measures",
    "variance_premium",
]

Floats = npt.NDArray[np.float64]

BREAKOUT_WINDOW = 20
_HORIZONS = (1, 5, 15, 30, 60)


def session_measures(bars: realised.LogBars, log_close: Floats) -> tuple[Measure, ...]:
    """Return what a session's own bar says: volatility, tails, path and breakouts."""
    total = bars.total
    wild = np.abs(total) > 2.0 * _trailing_sd(total)
    known = np.isfinite(total) & np.isfinite(_trailing_sd(total))
    loss = total < -2.0 * _trailing_sd(total)
    with np.errstate(invalid="ignore", divide="ignore"):
        span = real_divisor(bars.range)
        efficiency = np.abs(bars.close) / span
        location = np.abs(2.0 * (bars.close - bars.low) / span - 1.0)
    attempts, failures = failed_breakouts(bars, log_close)
    return (
        mean_measure(
            "today", "log", "log of Parkinson's volatility of the session",
            realised.log_volatility(realised.parkinson(bars)),
        ),
        mean_measure("absolute_return", "%", "absolute close-to-close return", 100 * np.abs(total)),
        mean_measure(
            "wild_sessions", "share", "moves beyond two trailing standard deviations",
            np.where(known, wild, np.nan),
        ),
        mean_measure(
            "sudden_losses", "share", "losses beyond two trailing standard deviations",
            np.where(known, loss, np.nan),
        ),
        mean_measure("efficiency", "0 ... 1", "abs(close - open) over high - low", efficiency),
        mean_measure(
            "close_location", "0 ... 1", "distance of the close from the middle of the range",
            location,
        ),
        Measure(
            "failed_breakouts", "share",
            f"closes back inside after passing the extreme of {BREAKOUT_WINDOW} sessions",
            failures, np.where(attempts > 0, attempts, np.nan),
        ),
    )  # fmt: skip


def _trailing_sd(returns: Floats, window: int = 63) -> Floats:
    """Return the standard deviation of the `window` returns before each session."""
    out = np.full(len(returns), np.nan)
    if len(returns) > window:
        views = np.lib.stride_tricks.sliding_window_view(returns[:-1], window)
        out[window:] = views.std(axis=-1, ddof=1)
    return out


def failed_breakouts(bars: realised.LogBars, log_close: Floats) -> tuple[Floats, Floats]:
    """Return breakouts of the last 20 sessions' range, and those that closed back inside it.

    Shape (n,) each; a session may break out on both sides. NaN until there are 20 sessions.
    """
    opened = log_close - bars.close
    high, low = opened + bars.high, opened + bars.low
    n, window = len(log_close), BREAKOUT_WINDOW
    attempts, failures = np.full(n, np.nan), np.full(n, np.nan)
    if n <= window:
        return attempts, failures
    top = np.lib.stride_tricks.sliding_window_view(high[:-1], window).max(axis=-1)
    bottom = np.lib.stride_tricks.sliding_window_view(low[:-1], window).min(axis=-1)
    up, down = high[window:] > top, low[window:] < bottom
    close = log_close[window:]
    known = np.isfinite(top + bottom + close)
    attempts[window:] = np.where(known, up.astype(float) + down, np.nan)
    failed = (up & (close < top)).astype(float) + (down & (close > bottom))
    failures[window:] = np.where(known, failed, np.nan)
    return attempts, failures


def ahead_measures(bars: realised.LogBars) -> tuple[Measure, ...]:
    """Return log volatility of the next session, the next 5 and the next 21."""
    variance = realised.parkinson(bars)
    return tuple(
        mean_measure(
            f"next_{k}", "log", f"log of Parkinson's volatility of the next {ahead}",
            realised.log_volatility(_mean_ahead(variance, k)),
            k,
        )
        for k, ahead in ((1, "session"), (5, "5 sessions"), (21, "21 sessions"))
    )  # fmt: skip


def _mean_ahead(x: Floats, sessions: int) -> Floats:
    out = np.full(len(x), np.nan)
    if len(x) > sessions:
        out[:-sessions] = np.lib.stride_tricks.sliding_window_view(x[1:], sessions).mean(axis=-1)
    return out


def variance_premium(
    bars: realised.LogBars, implied: Floats, year: int = EXCHANGE_SESSIONS
) -> Measure:
    """Return implied less subsequently realised volatility over 21 sessions.

    Parameters
    ----------
    bars : LogBars
    implied : ndarray, shape (n,)
        Volatility index at the close, percent a year.
    year : int
        Sessions a year.
    """
    after = 100.0 * realised.annualised(_mean_ahead(bars.total**2, 21), year)
    return mean_measure(
        "variance_premium", "vol points",
        "implied volatility index less realised volatility of the next 21 sessions",
        implied - after, 21,
    )  # fmt: skip


def intraday_measures(grid: intraday.IntradayGrid) -> tuple[Measure, ...]:
    """Return what intraday bars say of their sessions; shape (sessions of the grid,)."""
    r = grid.returns()
    rv = intraday.realised_variance(r)
    test = intraday.jump_test(r)
    with np.errstate(invalid="ignore", divide="ignore"):
        biggest = np.where(np.isfinite(rv), np.nanmax(np.abs(np.nan_to_num(r)), axis=1), np.nan)
        pocket = biggest / np.sqrt(rv)
    found = [
        mean_measure("realised", "log", "log of realised volatility", realised.log_volatility(rv)),
        mean_measure("jump_share", "share", "share of the variance due to jumps", test.jump_share),
        mean_measure(
            "jump_sessions", "share", "sessions with a jump at 5 %",
            np.where(np.isfinite(test.p_value), test.p_value < 0.05, np.nan),
        ),
        mean_measure(
            "air_pocket", "ratio", f"largest {grid.minutes}-minute move over realised volatility",
            pocket,
        ),
    ]  # fmt: skip
    found += [
        _autocorrelation(grid, h)
        for h in _HORIZONS
        if h % grid.minutes == 0 and grid.length >= 3 * h
    ]
    return tuple(found)


def _autocorrelation(grid: intraday.IntradayGrid, minutes: int) -> Measure:
    """Return sums whose ratio is the autocorrelation of returns within sessions, mean zero."""
    r = grid.returns(minutes)
    pairs = r[:, 1:] * r[:, :-1]
    squares = (r[:, 1:] ** 2 + r[:, :-1] ** 2) / 2.0
    both = np.isfinite(pairs)
    scale = np.nansum(np.where(both, squares, 0.0), axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        ratio = np.nansum(np.where(both, pairs, 0.0), axis=1) / real_divisor(scale, NOISE**2)
    # each session counts alike: a wild one must not decide for all
    return mean_measure(
        f"autocorrelation_{minutes}", "", f"of {minutes}-minute returns within the session", ratio
    )


def pin_measures(
    bars: realised.LogBars, log_close: Floats, pin_strike: Floats
) -> tuple[Measure, ...]:
    """Return how a session behaves near the pin strike of the previous session.

    Parameters
    ----------
    bars : LogBars
    log_close : ndarray, shape (n,)
    pin_strike : ndarray, shape (n,)
        Known at each close; NaN where there is none.
    """
    before = np.concatenate([[np.nan], np.log(pin_strike[:-1])])
    start = np.concatenate([[np.nan], log_close[:-1]])
    far, now = np.abs(start - before), np.abs(log_close - before)
    near = far <= np.nanmedian(far) if np.isfinite(far).any() else np.zeros(len(far), bool)
    volatility = realised.log_volatility(realised.parkinson(bars))
    return (
        mean_measure("pin_approach", "%", "how much nearer to the pin the close is than the one "
                     "before", 100.0 * (far - now)),
        mean_measure("near_pin_range", "log", "log volatility of sessions that start near the pin",
                     np.where(near & np.isfinite(far), volatility, np.nan)),
        mean_measure("far_pin_range", "log", "log volatility of sessions that start far from the "
                     "pin", np.where(~near & np.isfinite(far), volatility, np.nan)),
    )  # fmt: skip
