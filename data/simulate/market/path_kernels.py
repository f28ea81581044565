"""Compiled walk of a market through its sessions, with a book of options on a grid of strikes.

The book is the one of the null world's specification: strikes 1 % apart in logs, one expiration 21
sessions ahead, a flat volatility. It is what calibration runs use, where hundreds of markets are
needed and no chain is.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from ...base.compiling import compiled
from ...calendar.market_defaults import EXCHANGE_SESSIONS
from .session_kernels import echoed_demand, pinned_bars, session_bars, side_of

__all__ = ["EFFECTS", "GAMMAS", "PathNumbers", "walk"]

#: Columns of the effects that `walk` fills.
EFFECTS = (
    "kappa",
    "fundamental_sd",
    "volatility_multiplier",
    "bar_memory",
    "close_slope",
    "close_push",
    "given_back",
    "pin_strike",
    "pin_beta",
    "pin_distance",
    "naive_share",
    "unseen",
    "reversion",
)
#: Columns of the gammas that `walk` fills.
GAMMAS = ("net_gex", "gross_gex", "true_net_gex", "flip", "iv")

# Cells of the state that a market carries from session to session
_LEVEL, _VARIANCE, _SEEN, _DEMAND, _UNSEEN, _NET, _RATIO, _GIVE_BACK, _LAST = range(9)
_STATES = 9
_CELLS = 2048
_SPACING = 0.01
_FARTHEST = 9.0  # log points from the start: beyond, the book's cells would end
_REACH = 40  # cells: strikes within 40 %
_YEARS = 21.0 / EXCHANGE_SESSIONS
_PER_CONTRACT = 100.0 * 0.01  # multiplier, and per 1 %


class PathNumbers(NamedTuple):
    """The parameters of `Market` and `Mechanism` as the kernel takes them; units as there."""

    log_spot: float
    is_gjr: bool
    variance: float
    drift: float
    overnight_share: float
    omega: float
    alpha: float
    leverage: float
    beta: float
    iv_ratio: float
    iv_premium: float
    iv_memory: float
    contracts: float
    call_logit: float
    demand_swing: float
    demand_memory: float
    decay: float
    impact: float
    damping: float
    lag: float
    close_share: float
    rebalancing: float
    permanent: float
    pin: float
    pin_spacing: float
    reversed_from: int
    reliability: float
    noise_sd: float
    transient: float
    echo: float


@compiled()
def walk(
    numbers: PathNumbers,
    shocks: np.ndarray,
    uniforms: np.ndarray,
    customers: np.ndarray,
    pins: np.ndarray,
    pin_days: np.ndarray,
    given_kappa: np.ndarray,
    close_bars: int,
    with_flip: bool,
    bars: np.ndarray,
    effects: np.ndarray,
    gammas: np.ndarray,
) -> int:
    """Fill a market's sessions.

    Parameters
    ----------
    numbers : PathNumbers
    shocks : ndarray, shape (n, m + 1)
        Standard normal: overnight, then one per bar.
    uniforms : ndarray, shape (n, m, 2)
        In (0, 1].
    customers : ndarray, shape (n, 2)
        Standard normal: demand, and the unseen position.
    pins : ndarray, shape (n, p)
        Standard normal, for sessions that pin; p = 0 where none does.
    pin_days : ndarray of bool, shape (n,)
        Sessions on which contracts expire and pin.
    given_kappa : ndarray, shape (n,)
        Where finite it takes the place of impact times the book's gamma.
    close_bars : int
        Bars in the last half hour.
    with_flip : bool
        Whether to look for the flip (the slow part).
    bars : ndarray, shape (n, m, 4)
        Receives log open, high, low, close.
    effects : ndarray, shape (n, len(EFFECTS))
    gammas : ndarray, shape (n, len(GAMMAS))
        Receives what the book is at each close, contracts traded in the session included.

    Returns
    -------
    int
        Sessions filled: fewer than n where the next one is ill posed or ends off the book.
    """
    calls = np.zeros(_CELLS)
    puts = np.zeros(_CELLS)
    origin = round(numbers.log_spot / _SPACING) - _CELLS // 2
    state = np.zeros(_STATES)
    state[_LEVEL] = numbers.log_spot
    state[_VARIANCE] = state[_SEEN] = numbers.variance
    for t in range(shocks.shape[0]):
        kappa = numbers.impact * 100.0 * state[_NET]
        if math.isfinite(given_kappa[t]):
            kappa = given_kappa[t]
        if _ill_posed(numbers, kappa):
            effects[t, 0] = kappa
            return t
        sign = -1.0 if t >= numbers.reversed_from else 1.0
        _expect(numbers, kappa, sign, state, effects[t])
        push = _session(
            numbers,
            state,
            shocks[t],
            uniforms[t],
            pins[t],
            pin_days[t],
            close_bars,
            effects[t],
            bars[t],
        )
        _advance(numbers, state, bars[t, -1, 3], push, shocks[t])
        # before the book is touched: one session can jump over all the cells that are left
        if not abs(state[_LEVEL] - numbers.log_spot) <= _FARTHEST:
            return t
        demand = state[_DEMAND] + echoed_demand(numbers.echo, _quoted(numbers, state[_SEEN]))
        trade_on_grid(numbers, calls, puts, state[_LEVEL], origin, demand)
        _measure(numbers, calls, puts, origin, sign, state, with_flip, gammas[t])
        _advance_customers(numbers, state, customers[t])
    return len(shocks)


@compiled()
def _advance(
    numbers: PathNumbers, state: np.ndarray, close: float, push: float, shocks: np.ndarray
) -> None:
    """Move prices and variances to the close."""
    realised = close - state[_LEVEL]
    if numbers.is_gjr:
        shock = numbers.drift + math.sqrt(state[_VARIANCE]) * _standard(numbers, shocks)
        slope = numbers.alpha + (numbers.leverage if shock < 0.0 else 0.0)
        state[_VARIANCE] = numbers.omega + slope * shock * shock + numbers.beta * state[_VARIANCE]
        state[_SEEN] = state[_VARIANCE]
    else:
        state[_SEEN] += (1.0 - numbers.iv_memory) * (realised**2 - state[_SEEN])
    state[_LEVEL] = close
    state[_LAST] = realised
    state[_GIVE_BACK] = (1.0 - numbers.permanent) * push


@compiled()
def _quoted(numbers: PathNumbers, variance: float) -> float:
    """Return the implied volatility that is quoted on a daily variance."""
    iv: float = numbers.iv_ratio * math.sqrt(EXCHANGE_SESSIONS * variance) + numbers.iv_premium
    return iv


@compiled()
def _measure(
    numbers: PathNumbers,
    calls: np.ndarray,
    puts: np.ndarray,
    origin: int,
    sign: float,
    state: np.ndarray,
    with_flip: bool,
    row: np.ndarray,
) -> None:
    """Fill the gammas at the close, and remember the dealers' true one."""
    level = state[_LEVEL]
    iv = _quoted(numbers, state[_SEEN])
    row[0], row[1] = grid_gamma(calls, puts, level, origin, iv)
    state[_NET] = sign * (numbers.reliability * row[0] + state[_UNSEEN] * row[1])
    state[_RATIO] = state[_NET] / row[1]
    row[2] = state[_NET]
    row[3] = grid_flip(calls, puts, level, origin, iv) if with_flip else math.nan
    row[4] = iv


@compiled()
def _advance_customers(numbers: PathNumbers, state: np.ndarray, draws: np.ndarray) -> None:
    memory = numbers.demand_memory
    fresh = math.sqrt(1.0 - memory**2)
    state[_DEMAND] = memory * state[_DEMAND] + fresh * draws[0]
    state[_UNSEEN] = memory * state[_UNSEEN] + fresh * numbers.noise_sd * draws[1]


@compiled()
def _ill_posed(numbers: PathNumbers, kappa: float) -> bool:
    moves = numbers.damping != 0 or numbers.close_share != 0 or numbers.pin != 0
    clears = kappa > -1.0 / max(numbers.damping, 1.0) or not moves
    return not clears or abs(numbers.lag * kappa) >= 1.0


@compiled()
def _expect(
    numbers: PathNumbers,
    kappa: float,
    sign: float,
    state: np.ndarray,
    row: np.ndarray,
) -> None:
    row[0] = kappa
    row[1] = math.sqrt(state[_VARIANCE])
    row[2] = 1.0 / (1.0 + numbers.damping * kappa)
    row[3] = -numbers.lag * kappa
    row[4] = numbers.rebalancing - numbers.close_share * kappa
    row[5] = 0.0
    row[6] = state[_GIVE_BACK]
    row[7:10] = math.nan
    row[10] = sign * numbers.reliability
    row[11] = sign * state[_UNSEEN]
    side = side_of(kappa, numbers.echo, _quoted(numbers, state[_SEEN]))
    row[12] = -numbers.transient * side * state[_LAST]


@compiled()
def _session(
    numbers: PathNumbers,
    state: np.ndarray,
    shocks: np.ndarray,
    uniforms: np.ndarray,
    pins: np.ndarray,
    may_pin: bool,
    close_bars: int,
    row: np.ndarray,
    out: np.ndarray,
) -> float:
    count = out.shape[0]
    level, ratio = state[_LEVEL], state[_RATIO]
    sd = row[1] * row[2]
    step = sd * math.sqrt((1.0 - numbers.overnight_share) / count)
    opening = numbers.drift + sd * math.sqrt(numbers.overnight_share) * shocks[0] - row[6]
    push = 0.0
    if may_pin and numbers.pin != 0.0:
        whole = step * math.sqrt(count)
        strike = _nearest_strike(level + opening, numbers.pin_spacing)
        row[7] = strike
        row[8] = numbers.pin * ratio
        row[9] = (level + opening - math.log(strike)) / whole
        pinned_bars(pins, row[9] * whole, row[8], whole, count, out)
        out += level + opening
    else:
        push = session_bars(
            shocks[1:], uniforms, step, opening, row[3], row[4], close_bars, out, row[12]
        )
        out += level
    row[5] = push
    return push


@compiled()
def _nearest_strike(log_price: float, spacing: float) -> float:
    steps: float = max(round(math.exp(log_price) / spacing), 1.0)
    return steps * spacing


@compiled()
def _standard(numbers: PathNumbers, shocks: np.ndarray) -> float:
    within = math.sqrt((1.0 - numbers.overnight_share) / (shocks.shape[0] - 1))
    total: float = math.sqrt(numbers.overnight_share) * shocks[0]
    for i in range(1, shocks.shape[0]):
        total += within * shocks[i]
    return total


@compiled()
def trade_on_grid(
    numbers: PathNumbers,
    calls: np.ndarray,
    puts: np.ndarray,
    level: float,
    origin: int,
    demand: float,
) -> None:
    """Close a share of the book, then let customers sell calls and buy puts."""
    share = 1.0 / (1.0 + math.exp(-numbers.call_logit - numbers.demand_swing * demand))
    contracts = numbers.contracts * math.exp(numbers.log_spot - level)
    here = round(level / _SPACING) - origin
    for k in range(_CELLS):
        calls[k] *= 1.0 - numbers.decay
        puts[k] *= 1.0 - numbers.decay
    sold = 0.0
    for j in range(8):
        sold += math.exp(-(((j - 2) / 2.5) ** 2))
    bought = 0.0
    for j in range(14):
        bought += math.exp(-(((j - 4) / 4.0) ** 2))
    for j in range(8):
        calls[here + j] += share * contracts * math.exp(-(((j - 2) / 2.5) ** 2)) / sold
    for j in range(14):
        weight = math.exp(-(((j - 4) / 4.0) ** 2)) / bought
        puts[here - j] += (1.0 - share) * contracts * weight


@compiled()
def grid_gamma(
    calls: np.ndarray, puts: np.ndarray, level: float, origin: int, iv: float
) -> tuple[float, float]:
    """Return net and gross gamma of the naive book, $ of delta per 1 %."""
    v = iv * math.sqrt(_YEARS)
    here = round(level / _SPACING) - origin
    net = 0.0
    gross = 0.0
    for k in range(here - _REACH, here + _REACH + 1):
        d1 = (level - _SPACING * (k + origin)) / v + v / 2.0
        weight = math.exp(-0.5 * d1 * d1)
        net += (calls[k] - puts[k]) * weight
        gross += (calls[k] + puts[k]) * weight
    scale = _PER_CONTRACT * math.exp(level) / (v * math.sqrt(2.0 * math.pi))
    return net * scale, gross * scale


@compiled()
def grid_flip(calls: np.ndarray, puts: np.ndarray, level: float, origin: int, iv: float) -> float:
    """Return the level nearest to the spot at which net gamma changes sign; NaN: none in 20 %."""
    below = above = _grid_sum(calls, puts, level, 0.0, origin, iv)
    for i in range(1, 201):
        u = 0.001 * i
        lower = _grid_sum(calls, puts, level, -u, origin, iv)
        upper = _grid_sum(calls, puts, level, u, origin, iv)
        low = high = math.inf
        if (lower < 0.0) != (below < 0.0):
            low = u - 0.001 * lower / (lower - below)
        if (upper < 0.0) != (above < 0.0):
            high = u - 0.001 * upper / (upper - above)
        if low <= high and math.isfinite(low):
            return math.exp(level - low)
        if math.isfinite(high):
            return math.exp(level + high)
        below, above = lower, upper
    return math.nan


@compiled()
def _grid_sum(
    calls: np.ndarray, puts: np.ndarray, level: float, u: float, origin: int, iv: float
) -> float:
    v = iv * math.sqrt(_YEARS)
    here = round(level / _SPACING) - origin
    total = 0.0
    for k in range(here - _REACH, here + _REACH + 1):
        d1 = (level + u - _SPACING * (k + origin)) / v + v / 2.0
        total += (calls[k] - puts[k]) * math.exp(-0.5 * d1 * d1)
    return total
