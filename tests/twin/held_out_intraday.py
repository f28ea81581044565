"""Markets of `held_out` with five-minute bars and what their chains would say at each of them.

Prices within the session know nothing of any book: a gap and 78 steps, U-shaped, with volatility
that wanders and rises after losses, tied to the return that the generator drew. The evening's book
is repriced at each bar of the next session by the same Black formula, beside the value of the
evening.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import held_out
import numba
import numpy as np
import numpy.typing as npt
import pandas as pd

__all__ = ["BARS", "FIRST", "DrawnBars", "draw_bars"]

Floats = npt.NDArray[np.float64]

BARS = 78
#: So that 250 sessions after the filling have the new expirations of 2022 in their middle.
FIRST = "2021-06-02"
_GAP = 0.2  # share of a session's variance before the open
_KAPPA = 0.6  # agreement of the second vendor's signs beyond chance


@dataclass(frozen=True)
class DrawnBars:
    """One market with bars within the session.

    `log_prices` are the open's and 78 closes' (s, 79); `frozen` and `dynamic` net over gross gamma
    of the evening's book as it was, and at each of these prices; `pin`, `pin_strength` and
    `pin_gamma` the strike near the close with the most gamma, its share of all, and that signed.
    """

    bars: pd.DataFrame
    vix: pd.Series[Any]
    call: pd.Series[Any]
    put: pd.Series[Any]
    pin: pd.DataFrame
    other: pd.Series[Any]
    funds: pd.Series[Any]
    log_prices: Floats
    frozen: Floats
    dynamic: Floats


@numba.njit(cache=True)
def _pin(
    spot: float, sigma: float, first: float, years: np.ndarray, calls: np.ndarray, puts: np.ndarray
) -> tuple[float, float, float]:
    """Strike within 2 % with the largest absolute net gamma, that over gross, and with its sign."""
    gross = largest = signed = 0.0
    strike = np.nan
    for k in range(calls.shape[1]):
        level = first + held_out_grid * k
        if abs(level / spot - 1.0) > 0.15:
            continue
        net = 0.0
        for w in range(len(years)):
            v = sigma * math.sqrt(years[w])
            d = math.log(spot / level) / v + 0.5 * v
            gamma = math.exp(-0.5 * d * d) / v
            net += gamma * (calls[w, k] - puts[w, k])
            gross += gamma * (calls[w, k] + puts[w, k])
        if abs(level / spot - 1.0) <= 0.02 and abs(net) > largest:
            strike, largest, signed = level, abs(net), net
    return strike, largest / gross, signed / gross


held_out_grid = held_out.GRID
_profile = held_out.profile
_weeks = held_out.WEEKS


@numba.njit(cache=True)
def _walk(
    prices: np.ndarray,
    close: np.ndarray,
    implied: np.ndarray,
    friday: np.ndarray,
    days_left: np.ndarray,
    call_size: np.ndarray,
    put_size: np.ndarray,
    call_at: np.ndarray,
    put_at: np.ndarray,
    front: float,
    rolled: float,
    closed: float,
    evening: np.ndarray,
    frozen: np.ndarray,
    dynamic: np.ndarray,
) -> None:
    first = held_out_grid * math.floor(close.min() * 0.7 / held_out_grid)
    strikes = int((close.max() * 1.3 - first) / held_out_grid) + 2
    calls, puts = np.zeros((_weeks, strikes)), np.zeros((_weeks, strikes))
    weight = front ** np.arange(_weeks)
    weight /= weight.sum()
    more_calls = more_puts = before = left = 0.0
    for t in range(len(close)):
        for j in range(prices.shape[1] if t else 0):
            gone = j / prices.shape[1]
            years = (max(left - gone, 0.1) + 5.0 * np.arange(_weeks)) / 252.0
            c, q = _profile(prices[t, j], implied[t - 1], first, years, calls, puts)
            frozen[t, j], dynamic[t, j] = before, (c - q) / (c + q)
        calls *= 1.0 - closed
        puts *= 1.0 - closed
        spot = close[t]
        for w in range(_weeks):
            for d in call_at:
                k = round((spot * (1.0 + d) - first) / held_out_grid)
                calls[w, k] += weight[w] * (call_size[t] + more_calls) / len(call_at)
            for d in put_at:
                k = round((spot * (1.0 - d) - first) / held_out_grid)
                puts[w, k] += weight[w] * (put_size[t] + more_puts) / len(put_at)
        more_calls = more_puts = 0.0
        if friday[t]:
            more_calls, more_puts = rolled * calls[0].sum(), rolled * puts[0].sum()
            calls[:-1], puts[:-1] = calls[1:].copy(), puts[1:].copy()
            calls[-1], puts[-1] = 0.0, 0.0
        left = 5.0 if friday[t] else days_left[t]
        years = (left + 5.0 * np.arange(_weeks)) / 252.0
        c, q = _profile(spot, implied[t], first, years, calls, puts)
        evening[t, 0], evening[t, 1] = c, q
        evening[t, 2:] = _pin(spot, implied[t], first, years, calls, puts)
        before = (c - q) / (c + q)


def _paths(ret: Floats, sigma: Floats, rng: np.random.Generator) -> Floats:
    """Return log prices over the close before, at the open and 78 bars' ends, shape (n, 79)."""
    place = (np.arange(BARS) + 0.5) / BARS
    usual = 1.0 + 3.0 * (2.0 * place - 1.0) ** 2
    share = np.concatenate([[_GAP], (1.0 - _GAP) * usual / usual.sum()])
    z, u = rng.standard_normal((2, len(ret), BARS + 1))
    log_size = np.zeros((len(ret), BARS + 1))
    for j in range(BARS):
        shock = 0.05 * (-0.6 * z[:, j] + 0.8 * u[:, j])
        log_size[:, j + 1] = 0.98 * log_size[:, j] + shock
    spread = sigma[:, None] * np.sqrt(share) * np.exp(log_size)
    path = (spread * z).cumsum(axis=1)
    own = (spread**2).cumsum(axis=1)
    bridged: Floats = path + (ret - path[:, -1])[:, None] * own / own[:, -1:]
    return bridged


def _second_vendor(gex: Floats, rng: np.random.Generator) -> Floats:
    """Return gamma whose signs agree with others' just as far as the claim does not allow."""
    negative = float((gex < 0.0).mean())
    wrong = np.linspace(0.0, 0.5, 2_001)
    theirs = negative * (1.0 - wrong) + (1.0 - negative) * wrong
    chance = negative * theirs + (1.0 - negative) * (1.0 - theirs)
    agreed = (1.0 - wrong - chance) / np.maximum(1.0 - chance, 1e-12)
    share = float(np.interp(-_KAPPA, -agreed, wrong))
    # spells of three sessions on average, so that neither vendor errs session by session
    flipped, state = np.empty(len(gex), dtype=np.bool_), rng.random() < share
    for t in range(len(gex)):
        if rng.random() < 1.0 / 3.0:
            state = rng.random() < share
        flipped[t] = state
    return np.where(flipped, -gex, gex)


def draw_bars(name: str, seed: int, sessions: int = 250) -> DrawnBars:
    """Return one market of a generator with its bars within the session."""
    make, rules = held_out.GENERATORS[name]
    rng = np.random.default_rng([seed, 271_828, list(held_out.GENERATORS).index(name)])
    n = sessions + held_out.WARM
    ret, sigma = make(n, rng)
    close = held_out.START * np.exp(ret.cumsum())
    before = np.concatenate([[held_out.START], close[:-1]])
    path = _paths(ret, sigma, rng)
    prices = before[:, None] * np.exp(path)
    days = pd.bdate_range(FIRST, periods=n)
    implied = held_out.implied_volatility(sigma, rng)
    evening = np.empty((n, 5))
    frozen, dynamic = np.full(prices.shape, np.nan), np.full(prices.shape, np.nan)
    _walk(
        prices,
        close,
        implied,
        np.asarray(days.dayofweek == 4),
        np.asarray(4.0 - days.dayofweek, dtype=np.float64),
        *held_out.sizes(rules, close, ret, implied),
        np.array(rules.calls),
        np.array(rules.puts),
        rules.front,
        rules.rolled,
        rules.closed,
        evening,
        frozen,
        dynamic,
    )
    # funds' assets follow the market and flows of their own, twice and thrice levered alike
    flows = pd.Series(rng.standard_normal(n) * 0.05).ewm(alpha=0.05).mean().to_numpy()
    funds = np.exp(2.0 * ret.cumsum() + flows.cumsum() * 0.2)
    keep = slice(held_out.WARM, None)
    index = pd.DatetimeIndex(days[keep], name="session")
    bars = pd.DataFrame(
        {
            "open": prices[keep, 0],
            "high": prices[keep].max(axis=1),
            "low": prices[keep].min(axis=1),
            "close": close[keep],
        },
        index=index,
    )
    gex = evening[keep, 0] - evening[keep, 1]
    pin = pd.DataFrame(
        evening[keep, 2:], index=index, columns=["pin_strike", "pin_strength", "pin_gamma"]
    )
    return DrawnBars(
        bars=bars,
        vix=pd.Series(100.0 * implied[keep], index=index),
        call=pd.Series(evening[keep, 0], index=index),
        put=pd.Series(evening[keep, 1], index=index),
        pin=pin,
        other=pd.Series(_second_vendor(gex, rng), index=index),
        funds=pd.Series(funds[keep], index=index),
        log_prices=np.log(prices[keep]),
        frozen=frozen[keep],
        dynamic=dynamic[keep],
    )
