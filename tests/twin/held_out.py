"""Markets without dealers that took no part in building the tests: written from their papers.

Nothing here is imported from the product but what a test is handed (`Dataset`). Prices, ranges,
implied volatility, books, gamma and flips have code of their own.

- ``gjr-t``: Glosten, Jagannathan, Runkle (1993), alpha 0, leverage .28, beta .83, Student's t with
  6 degrees of freedom; customers sell calls and buy puts for fixed amounts.
- ``egarch``: Nelson (1991), ln h' = w + b (ln h - w) + theta z + g (abs(z) - E abs(z)); customers
  sell more calls in calm and buy more puts in fear.
- ``sv-leverage``: Taylor (1986) with the leverage of Harvey and Shephard (1996); customers follow
  the trend.
- ``switching``: Hamilton (1989) with three states; customers trade fixed contracts and roll.
- ``rough``: Gatheral, Jaisson, Rosenbaum (2018), log volatility a fractional Ornstein-Uhlenbeck
  process with Hurst exponent .10; customers sell puts' protection back after losses.
- ``heston-jumps``: Bates (1996), square-root variance with negative jumps; customers sell calls
  near the money, buy puts far below, at fixed amounts.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numba
import numpy as np
import numpy.typing as npt
import pandas as pd

__all__ = [
    "GENERATORS",
    "GRID",
    "START",
    "WARM",
    "WEEKS",
    "Drawn",
    "Rules",
    "draw",
    "implied_volatility",
    "profile",
    "sizes",
]

Floats = npt.NDArray[np.float64]

STEPS = 79  # of a session, whose largest and smallest give high and low
WEEKS = 13
START = 4_000.0
GRID = 25.0  # points between strikes
WARM = 130


@dataclass(frozen=True)
class Rules:
    """How customers trade.

    Attributes
    ----------
    amounts : bool
        Fixed amounts instead of fixed contracts.
    calm : float
        Calls are multiplied by exp(-calm x), x the log of volatility over its mean so far.
    fear : float
        Puts likewise by exp(fear x).
    trend : float
        Calls by exp(trend y), puts by exp(-trend y), y the 20-session return over its deviation.
    calls, puts : tuple of float
        Distances from the spot at which they trade, in equal parts.
    front : float
        Weight of each week's expiration relative to the one before it.
    rolled : float
        Share of expired positions opened again.
    closed : float
        Share closed a session.
    call_share : float
    """

    amounts: bool = True
    calm: float = 0.0
    fear: float = 0.0
    trend: float = 0.0
    calls: tuple[float, ...] = (0.0, 0.01, 0.02, 0.03, 0.04, 0.05)
    puts: tuple[float, ...] = (0.0, 0.01, 0.02, 0.03, 0.04, 0.06, 0.08, 0.10)
    front: float = 0.9
    rolled: float = 0.0
    closed: float = 0.03
    call_share: float = 0.5


@dataclass(frozen=True)
class Drawn:
    """One market: bars, implied volatility in percent, gamma of calls and puts, the flip."""

    bars: pd.DataFrame
    vix: pd.Series[Any]
    call: pd.Series[Any]
    put: pd.Series[Any]
    flip: pd.Series[Any]


def _gjr_t(n: int, rng: np.random.Generator) -> tuple[Floats, Floats]:
    nu, leverage, beta = 6.0, 0.28, 0.83
    z = rng.standard_t(nu, n) * math.sqrt((nu - 2.0) / nu)
    usual = 1.2e-4
    omega = usual * (1.0 - 0.5 * leverage - beta)
    h, sigma = usual, np.empty(n)
    for t in range(n):
        sigma[t] = math.sqrt(h)
        e = sigma[t] * z[t]
        h = min(omega + leverage * (e < 0.0) * e * e + beta * h, 0.01)
    return 3e-4 + sigma * z, sigma


def _egarch(n: int, rng: np.random.Generator) -> tuple[Floats, Floats]:
    level, memory, theta, size = math.log(0.9e-4), 0.97, -0.14, 0.14
    z = rng.standard_normal(n)
    x, sigma = 0.0, np.empty(n)
    for t in range(n):
        sigma[t] = math.exp(0.5 * (level + x))
        x = memory * x + theta * z[t] + size * (abs(z[t]) - math.sqrt(2.0 / math.pi))
    return 3e-4 + sigma * z, sigma


def _sv(n: int, rng: np.random.Generator) -> tuple[Floats, Floats]:
    memory, spread, rho = 0.97, 0.22, -0.7
    z, u = rng.standard_normal((2, n))
    x, sigma = 0.0, np.empty(n)
    for t in range(n):
        sigma[t] = 0.0085 * math.exp(0.5 * x)
        x = memory * x + spread * (rho * z[t] + math.sqrt(1.0 - rho * rho) * u[t])
    return 3e-4 + sigma * z, sigma


def _switching(n: int, rng: np.random.Generator) -> tuple[Floats, Floats]:
    levels, drift = (0.0055, 0.0105, 0.023), (7e-4, 0.0, -1.5e-3)
    stay = np.array([[0.975, 0.023, 0.002], [0.02, 0.96, 0.02], [0.0, 0.06, 0.94]])
    z, u = rng.standard_normal(n), rng.random(n)
    state, sigma, mean = 0, np.empty(n), np.empty(n)
    for t in range(n):
        sigma[t], mean[t] = levels[state], drift[state]
        state = int(np.searchsorted(stay[state].cumsum(), u[t]).clip(0, 2))
    return mean + sigma * z, sigma


def _rough(n: int, rng: np.random.Generator) -> tuple[Floats, Floats]:
    hurst, back = 0.10, 500
    z, u = rng.standard_normal((2, n + back))
    shock = -0.6 * z + 0.8 * u  # volatility's own, tied to the return's
    lags = np.arange(1, back + 1, dtype=np.float64)
    # moving average of Mandelbrot and Van Ness, damped so that it stays around its mean
    weight = ((lags) ** (hurst - 0.5)) * np.exp(-lags / 120.0)
    x = np.convolve(shock, weight, mode="full")[: n + back]
    x = 0.33 * x / math.sqrt(float((weight**2).sum()))
    sigma = 0.0085 * np.exp(np.concatenate([[0.0], x[:-1]]))[back:]
    return 3e-4 + sigma * z[back:], sigma


def _bates(n: int, rng: np.random.Generator) -> tuple[Floats, Floats]:
    back, usual, swing, rho = 0.03, 0.9e-4, 1.5e-3, -0.75
    z, u = rng.standard_normal((2, n))
    jumps = (rng.random(n) < 0.006) * (-0.02 + 0.012 * rng.standard_normal(n))
    v, sigma = usual, np.empty(n)
    for t in range(n):
        sigma[t] = math.sqrt(v)
        w = rho * z[t] + math.sqrt(1.0 - rho * rho) * u[t]
        v = max(v + back * (usual - v) + swing * math.sqrt(v) * w + 0.4 * jumps[t] ** 2, 1e-6)
    return 4e-4 + sigma * z + jumps, sigma


@numba.njit(cache=True)
def profile(
    spot: float, sigma: float, first: float, years: np.ndarray, calls: np.ndarray, puts: np.ndarray
) -> tuple[float, float]:
    """Dollar gamma of calls and puts at a spot."""
    c = q = 0.0
    for w in range(len(years)):
        v = sigma * math.sqrt(years[w])
        lowest = max(0, int((spot * math.exp(-4.0 * v) - first) / GRID))
        highest = min(calls.shape[1] - 1, int((spot * math.exp(4.0 * v) - first) / GRID) + 1)
        for k in range(lowest, highest + 1):
            if calls[w, k] == 0.0 and puts[w, k] == 0.0:
                continue
            d = math.log(spot / (first + GRID * k)) / v + 0.5 * v
            gamma = math.exp(-0.5 * d * d) / (math.sqrt(2.0 * math.pi) * spot * v)
            c += calls[w, k] * gamma * spot * spot
            q += puts[w, k] * gamma * spot * spot
    return c, q


@numba.njit(cache=True)
def _nearest_flip(
    here: float,
    spot: float,
    sigma: float,
    first: float,
    years: np.ndarray,
    calls: np.ndarray,
    puts: np.ndarray,
) -> float:
    """Price nearest to the spot, in steps of half a percent of its log, where net gamma is zero."""
    below, above = here, here
    nearest, found = np.inf, np.nan
    for step in range(1, 25):
        for side in (-1.0, 1.0):
            c, q = profile(spot * math.exp(side * 0.005 * step), sigma, first, years, calls, puts)
            before = below if side < 0.0 else above
            if (c - q) * before < 0.0:
                u = 0.005 * (step - 1 + before / (before - (c - q)))
                if u < nearest:
                    nearest, found = u, spot * math.exp(side * u)
            if side < 0.0:
                below = c - q
            else:
                above = c - q
        if nearest < np.inf:
            break
    return found


@numba.njit(cache=True)
def _walk(
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
    out: np.ndarray,
) -> None:
    first = GRID * math.floor(close.min() * 0.7 / GRID)
    strikes = int((close.max() * 1.3 - first) / GRID) + 2
    calls, puts = np.zeros((WEEKS, strikes)), np.zeros((WEEKS, strikes))
    weight = front ** np.arange(WEEKS)
    weight /= weight.sum()
    more_calls = more_puts = 0.0
    for t in range(len(close)):
        calls *= 1.0 - closed
        puts *= 1.0 - closed
        spot = close[t]
        for w in range(WEEKS):
            for d in call_at:
                k = round((spot * (1.0 + d) - first) / GRID)
                calls[w, k] += weight[w] * (call_size[t] + more_calls) / len(call_at)
            for d in put_at:
                k = round((spot * (1.0 - d) - first) / GRID)
                puts[w, k] += weight[w] * (put_size[t] + more_puts) / len(put_at)
        more_calls = more_puts = 0.0
        if friday[t]:
            more_calls, more_puts = rolled * calls[0].sum(), rolled * puts[0].sum()
            calls[:-1], puts[:-1] = calls[1:].copy(), puts[1:].copy()
            calls[-1], puts[-1] = 0.0, 0.0
        left = 5.0 if friday[t] else days_left[t]
        years = (left + 5.0 * np.arange(WEEKS)) / 252.0
        c, q = profile(spot, implied[t], first, years, calls, puts)
        out[t, 0], out[t, 1] = c, q
        out[t, 2] = _nearest_flip(c - q, spot, implied[t], first, years, calls, puts)


def _ranges(ret: Floats, sigma: Floats, rng: np.random.Generator) -> tuple[Floats, Floats]:
    """Log high and low over the close before, of a bridge of 79 steps to each session's return."""
    steps = rng.standard_normal((len(ret), STEPS)) * (sigma / math.sqrt(STEPS))[:, None]
    path = steps.cumsum(axis=1)
    share = np.arange(1, STEPS + 1) / STEPS
    path += (ret - path[:, -1])[:, None] * share
    return np.maximum(path.max(axis=1), 0.0), np.minimum(path.min(axis=1), 0.0)


#: Name to returns and customers.
GENERATORS: dict[str, tuple[Callable[[int, np.random.Generator], tuple[Floats, Floats]], Rules]] = {
    "gjr-t": (_gjr_t, Rules()),
    "egarch": (_egarch, Rules(calm=1.5, fear=1.0)),
    "sv-leverage": (_sv, Rules(amounts=False, trend=0.4, call_share=0.55)),
    "switching": (_switching, Rules(amounts=False, rolled=0.5, front=0.75)),
    "rough": (_rough, Rules(fear=-0.6, call_share=0.45)),
    "heston-jumps": (_bates, Rules(calls=(0.0, 0.005, 0.01, 0.02), puts=(0.03, 0.05, 0.08, 0.11))),
}


def implied_volatility(sigma: Floats, rng: np.random.Generator) -> Floats:
    """Return what options imply at each close: the next sessions' volatility and its mean."""
    ahead = np.append(sigma[1:], sigma[-1])
    slow = pd.Series(ahead**2).ewm(span=10).mean().to_numpy()
    implied = 1.15 * np.sqrt(252.0 * (0.6 * slow + 0.4 * float(np.mean(sigma**2)))) + 0.015
    noise: Floats = np.exp(0.04 * rng.standard_normal(len(sigma)))
    return implied * noise


def sizes(rules: Rules, close: Floats, ret: Floats, implied: Floats) -> tuple[Floats, Floats]:
    """Return what customers trade a session in calls and in puts."""
    logs = np.log(implied)
    calm = logs - np.concatenate([[logs[0]], pd.Series(logs).expanding().mean().to_numpy()[:-1]])
    trend = pd.Series(ret).rolling(20, min_periods=1).sum().to_numpy()
    trend = np.clip(trend / (implied / math.sqrt(252.0) * math.sqrt(20.0)), -3.0, 3.0)
    size = START / close if rules.amounts else np.ones(len(close))
    return (
        rules.call_share * size * np.exp(-rules.calm * calm + rules.trend * trend),
        (1.0 - rules.call_share) * size * np.exp(rules.fear * calm - rules.trend * trend),
    )


def draw(name: str, seed: int, sessions: int = 1_500) -> Drawn:
    """Return one market of a generator."""
    make, rules = GENERATORS[name]
    rng = np.random.default_rng([seed, 314_159, list(GENERATORS).index(name)])
    n = sessions + WARM
    ret, sigma = make(n, rng)
    high, low = _ranges(ret, sigma, rng)
    close = START * np.exp(ret.cumsum())
    before = np.concatenate([[START], close[:-1]])
    days = pd.bdate_range("2018-06-04", periods=n)  # the change of 2021-11 falls inside
    implied = implied_volatility(sigma, rng)
    out = np.empty((n, 3))
    _walk(
        close,
        implied,
        np.asarray(days.dayofweek == 4),
        np.asarray(4.0 - days.dayofweek, dtype=np.float64),
        *sizes(rules, close, ret, implied),
        np.array(rules.calls),
        np.array(rules.puts),
        rules.front,
        rules.rolled,
        rules.closed,
        out,
    )
    index = pd.DatetimeIndex(days[WARM:], name="session")
    keep = slice(WARM, None)
    bars = pd.DataFrame(
        {
            "open": before[keep],
            "high": (before * np.exp(high))[keep],
            "low": (before * np.exp(low))[keep],
            "close": close[keep],
        },
        index=index,
    )
    series = [pd.Series(out[keep, i], index=index) for i in range(3)]
    return Drawn(bars, pd.Series(100.0 * implied[keep], index=index), *series)
