"""How prices move through one session, and what moved them."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from ...calendar.market_defaults import EXCHANGE_SESSIONS
from ...calendar.trading import TradingCalendar
from ..worlds.parameters import MarketParameters, require_well_posed
from . import session_kernels as kernels
from .agents import Agents, agent_bars
from .records import CLOSE_MINUTES, FULL_SESSION, Effects, Setting, State

__all__ = [
    "Draws",
    "Moves",
    "advance",
    "draws_of",
    "expected_effects",
    "pin_candidates",
    "quoted_volatility",
    "session_prices",
]

Floats = npt.NDArray[np.float64]

PIN_STEPS = 500
_NEWS_TICKS = 3.0  # standard deviation of the fundamental's move in a bar, ticks of the book


@dataclass(frozen=True, slots=True)
class Draws:
    """The random numbers of one session, the same in every world.

    Attributes
    ----------
    shocks : ndarray, shape (m + 1,)
        Standard normal: overnight, then one per bar of a full session.
    uniforms : ndarray, shape (m, 2)
        In (0, 1]: highest and lowest within each bar.
    pin : ndarray, shape (500,) or (0,)
        Standard normal, for the pinning equation.
    orders : int
        Seed of the agents' orders.
    """

    shocks: Floats
    uniforms: Floats
    pin: Floats
    orders: int


@dataclass(frozen=True, slots=True)
class Moves:
    """What a session did to prices.

    Attributes
    ----------
    bars : ndarray, shape (m, 4)
        Open, high, low, close, index points, rounded to 0.01.
    effects : Effects
        Completed with what happened.
    shock : float
        Log return of the fundamental.
    """

    bars: Floats
    effects: Effects
    shock: float

    @property
    def close(self) -> float:
        """Price at the close, index points."""
        return float(self.bars[-1, 3])


def draws_of(setting: Setting, source: np.random.Generator) -> Draws:
    """Return a session's random numbers."""
    full = FULL_SESSION // setting.minutes
    return Draws(
        shocks=source.standard_normal(full + 1),
        uniforms=1.0 - source.random((full, 2)),
        pin=source.standard_normal(PIN_STEPS if setting.mechanism.pin else 0),
        orders=int(source.integers(2**63)) if setting.mechanism.agents else 0,
    )


def expected_effects(setting: Setting, state: State, position: int) -> Effects:
    """Return what is known before the open about what will move the session.

    Raises
    ------
    ConfigError
        If hedging is so strong that no price clears it.
    """
    mechanism = setting.mechanism
    kappa = mechanism.impact * 100.0 * state.net
    require_well_posed(kappa, mechanism, str(setting.calendar.sessions[position]))
    share = (position - setting.first) / (setting.last + 1 - setting.first)
    sign = -1.0 if share >= mechanism.reversed_from else 1.0
    return Effects(
        kappa=kappa,
        fundamental_sd=float(np.sqrt(state.variance)),
        volatility_multiplier=1.0 / (1.0 + mechanism.damping * kappa),
        bar_memory=-mechanism.lag * kappa,
        close_slope=mechanism.rebalancing - mechanism.close_share * kappa,
        close_push=0.0,
        given_back=state.give_back,
        pin_strike=float("nan"),
        pin_beta=float("nan"),
        pin_distance=float("nan"),
        failed=0.0,
        naive_share=sign * mechanism.reliability,
        unseen=sign * state.unseen,
        reversion=-mechanism.transient
        * kernels.side_of(kappa, mechanism.echo, quoted_volatility(setting.market, state))
        * state.last_return,
    )


def quoted_volatility(market: MarketParameters, state: State) -> float:
    """Return the at-the-money implied volatility at one month, decimal a year."""
    daily = float(np.sqrt(EXCHANGE_SESSIONS * state.seen_variance))
    return market.iv_ratio * daily + market.iv_premium


def session_prices(
    setting: Setting, state: State, effects: Effects, position: int, draws: Draws
) -> Moves:
    """Return the bars of session `position` of the calendar."""
    market, full = setting.market, FULL_SESSION // setting.minutes
    bars = _bars_in(setting.calendar, position, setting.minutes)
    sd = effects.fundamental_sd * effects.volatility_multiplier
    step = float(sd * np.sqrt((1 - market.overnight_share) / full))
    gap = sd * float(np.sqrt(market.overnight_share) * draws.shocks[0])
    opening = market.drift + gap - effects.given_back
    if setting.mechanism.agents:
        return _agents_trade(setting, state, effects, draws, bars, opening)
    out = np.empty((bars, 4))
    pull = _pull(setting, state, opening, step * float(np.sqrt(bars)))
    if pull is None:
        push = kernels.session_bars(
            draws.shocks[1 : bars + 1],
            draws.uniforms[:bars],
            step,
            opening,
            effects.bar_memory,
            effects.close_slope,
            CLOSE_MINUTES // setting.minutes,
            out,
            effects.reversion,
        )
        effects = replace(effects, close_push=push)
    else:
        strike, beta, z = pull
        sd_session = step * float(np.sqrt(bars))
        kernels.pinned_bars(draws.pin, z * sd_session, beta, sd_session, bars, out)
        out += opening
        effects = replace(effects, pin_strike=strike, pin_beta=beta, pin_distance=z)
    prices: Floats = np.exp(state.log_price + out).round(2)
    return Moves(prices, effects, _shock(setting, effects, draws, bars))


def _agents_trade(
    setting: Setting, state: State, effects: Effects, draws: Draws, bars: int, opening: float
) -> Moves:
    market, full = setting.market, FULL_SESSION // setting.minutes
    step = effects.fundamental_sd * float(np.sqrt((1 - market.overnight_share) / full))
    tick = step / _NEWS_TICKS
    ticks, ahead, failed = agent_bars(
        setting.mechanism.agents * effects.kappa,
        _NEWS_TICKS * draws.shocks[1 : bars + 1],
        np.random.default_rng(draws.orders),
        Agents(immediacy=setting.mechanism.immediacy),
    )
    prices: Floats = np.exp(state.log_price + opening + tick * ticks).round(2)
    effects = replace(effects, close_push=tick * ahead, failed=float(failed))
    return Moves(prices, effects, _shock(setting, effects, draws, bars))


def advance(setting: Setting, state: State, moves: Moves) -> None:
    """Move the state to the close: price, variances, what the next open gives back."""
    market = setting.market
    log_price = float(np.log(moves.close))
    realised = log_price - state.log_price
    if market.dynamics == "gjr":
        slope = market.alpha + (market.leverage if moves.shock < 0 else 0.0)
        state.variance = market.omega + slope * moves.shock**2 + market.beta * state.variance
        state.seen_variance = state.variance
    else:
        state.seen_variance += (1 - market.iv_memory) * (realised**2 - state.seen_variance)
    state.log_price = log_price
    state.last_return = realised
    kept = 0.0 if setting.mechanism.agents else setting.mechanism.permanent
    state.give_back = (1 - kept) * moves.effects.close_push


def pin_candidates(strike: Floats, net: Floats, gross: Floats) -> tuple[Floats, Floats] | None:
    """Return strikes by size of dealers' net position, largest first, and their net to gross."""
    if strike.size == 0:
        return None
    order = np.lexsort((strike, -np.abs(net)))
    return strike[order], (net / gross)[order]


def _pull(
    setting: Setting, state: State, opening: float, sd: float
) -> tuple[float, float, float] | None:
    """Return strike, beta and z of the open where an expiration pins the session."""
    if state.pin is None:
        return None
    z = (state.log_price + opening - np.log(state.pin[0])) / sd
    near = np.flatnonzero(np.abs(z) <= 2.0)
    if near.size == 0:
        return None
    i = int(near[0])
    return float(state.pin[0][i]), setting.mechanism.pin * float(state.pin[1][i]), float(z[i])


def _shock(setting: Setting, effects: Effects, draws: Draws, bars: int) -> float:
    """Return the fundamental's log return: the same shocks without any hedging."""
    market, full = setting.market, FULL_SESSION // setting.minutes
    overnight = np.sqrt(market.overnight_share) * draws.shocks[0]
    within = np.sqrt((1 - market.overnight_share) / full) * draws.shocks[1 : bars + 1].sum()
    return market.drift + effects.fundamental_sd * float(overnight + within)


def _bars_in(calendar: TradingCalendar, position: int, minutes: int) -> int:
    length = calendar.closes[position] - calendar.opens[position]
    return int(length / np.timedelta64(minutes, "m"))
