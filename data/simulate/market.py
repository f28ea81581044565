"""One simulated market, session by session: prices, quotes, positions and their feedback.

The order of events in session t:

1. prices move, with whatever hedging the book of session t-1 causes;
2. at the close the exchange quotes; the published open interest is the one settled after t-1;
3. the dealers' gamma on that book, valued at the next open, is what they hedge in t+1;
4. customers' trades of the session settle overnight.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from ..calendars import TradingCalendar
from . import kernels
from .book import Book, Listing, empty_book, listing, trade
from .layout import Expiry, Ladder, Layout, expiries, ladder_for
from .parameters import Market, Mechanism, require_well_posed
from .pricing import black_scholes, net_gamma, smile

__all__ = ["CLOSE_MINUTES", "Effects", "Quotes", "Session", "Setting", "run"]

Floats = npt.NDArray[np.float64]

CLOSE_MINUTES = 30
FULL_SESSION = 390  # minutes
BURN_IN = 90  # sessions in which the book fills before the first one that is kept
MULTIPLIER = 100.0
_YEAR = np.timedelta64(365, "D") / np.timedelta64(1, "ns")
_FLOOR = 30.0 / (365 * 24 * 60)
_PIN_STEPS = 500


@dataclass(frozen=True, slots=True)
class Setting:
    """Everything that a run depends on besides the seed.

    Attributes
    ----------
    market : Market
    mechanism : Mechanism
    layout : Layout
    calendar : TradingCalendar
    first, last : int
        Positions in the calendar of the first and last session kept.
    minutes : int
        Length of an intraday bar; a divisor of 30.
    """

    market: Market
    mechanism: Mechanism
    layout: Layout
    calendar: TradingCalendar
    first: int
    last: int
    minutes: int


@dataclass(frozen=True, slots=True)
class Effects:
    """What moved one session's prices, known to nobody in the market.

    Attributes
    ----------
    kappa : float
        Impact times the dealers' dollar gamma of the session before.
    fundamental_sd : float
        Daily standard deviation of the fundamental.
    volatility_multiplier : float
        Factor on it from damping.
    bar_memory : float
        AR(1) coefficient of the bars' returns.
    close_slope : float
        Slope of the last half hour on the rest of the day.
    close_push : float
        Log return that hedging and rebalancing added to the last half hour.
    given_back : float
        Part of the previous session's push that the overnight return took back.
    pin_strike, pin_beta : float
        Strike that pulled and how strongly; NaN in a session without.
    naive_share : float
        Factor of the naive position in the dealers' true one.
    unseen : float
        Dealers' further position as a share of the open interest.
    """

    kappa: float
    fundamental_sd: float
    volatility_multiplier: float
    bar_memory: float
    close_slope: float
    close_push: float
    given_back: float
    pin_strike: float
    pin_beta: float
    naive_share: float
    unseen: float


@dataclass(frozen=True, slots=True)
class Quotes:
    """The chain at the close, one row per (expiry, settlement, strike).

    Attributes
    ----------
    listed : Listing
    years, years_open : ndarray, shape (n,)
        Time left at the close and at the next open, years; not positive where dead.
    iv, otm, delta, gamma : ndarray, shape (n,)
        Volatility, price of the out-of-the-money side, call delta, gamma; NaN where dead.
    traded : tuple of ndarray
        Calls and puts opened in the session.
    """

    listed: Listing
    years: Floats
    years_open: Floats
    iv: Floats
    otm: Floats
    delta: Floats
    gamma: Floats
    traded: tuple[Floats, Floats]


@dataclass(frozen=True, slots=True)
class Session:
    """One session as it happened.

    Attributes
    ----------
    position : int
        Position in the calendar.
    bars : ndarray, shape (m, 4)
        Open, high, low, close of each bar, index points, rounded to 0.01.
    quotes : Quotes
    effects : Effects
    net : float
        Dealers' true net gamma at the next open, $ per 1 %.
    """

    position: int
    bars: Floats
    quotes: Quotes
    effects: Effects
    net: float

    @property
    def spot(self) -> float:
        """Price at the close."""
        return float(self.bars[-1, 3])


@dataclass(slots=True)
class _State:
    log_price: float
    variance: float
    seen_variance: float
    demand: float
    unseen: float
    net: float
    give_back: float
    previous: Quotes | None


def run(setting: Setting, seed: int) -> Iterator[Session]:
    """Yield the sessions of a market, in order; the same seed gives the same sessions.

    Raises
    ------
    ConfigError
        If the market is or becomes ill posed.
    """
    market = setting.market
    shocks, bridges, demand, unseen = (
        np.random.default_rng(s) for s in np.random.SeedSequence(seed).spawn(4)
    )
    start = max(setting.first - BURN_IN, 0)
    schedule = expiries(setting.layout, setting.calendar, start, setting.last)
    ladder = ladder_for(setting.layout, market.spot)
    book = empty_book(_most_quoted(schedule), ladder)
    state = _initial(market)
    for position in range(start, setting.last + 1):
        effects = _effects(setting, state, position)
        bars, effects = _prices(setting, state, effects, position, shocks, bridges)
        quoted = tuple(e for e in schedule if _is_quoted(e, position))
        quotes = _quote(setting, state, book, ladder, quoted, position, float(bars[-1, 3]))
        state.net = _dealers_net(quotes, effects, float(bars[-1, 3]))
        _advance_customers(market, setting.mechanism, state, demand, unseen)
        if position >= setting.first:
            yield Session(position, bars, quotes, effects, state.net)


def dealer_positions(listed: Listing, effects: Effects) -> tuple[Floats, Floats]:
    """Return dealers' true positions in calls and puts, contracts, positive = long."""
    calls = (effects.naive_share + effects.unseen) * listed.calls
    puts = (-effects.naive_share + effects.unseen) * listed.puts
    return calls, puts


def book_inputs(quotes: Quotes, effects: Effects, book: str) -> tuple[Floats, Floats, Floats]:
    """Return position (contracts x multiplier), strike and volatility times root time of a book.

    Rows dead at the quotes or at the valuation, and rows without a position, are left out.
    """
    years = quotes.years if book == "as_of_close" else quotes.years_open
    calls, puts = dealer_positions(quotes.listed, effects)
    position = MULTIPLIER * (calls + puts)
    kept = (years > 0) & (quotes.years > 0) & (position != 0)
    v = quotes.iv[kept] * np.sqrt(np.maximum(years[kept], _FLOOR))
    return position[kept], quotes.listed.strike[kept], v


def _initial(market: Market) -> _State:
    if market.dynamics == "gjr":
        variance = market.omega / (1 - market.alpha - market.leverage / 2 - market.beta)
    else:
        variance = market.volatility**2 / 252
    return _State(float(np.log(market.spot)), variance, variance, 0.0, 0.0, 0.0, 0.0, None)


def _effects(setting: Setting, state: _State, position: int) -> Effects:
    mechanism = setting.mechanism
    kappa = mechanism.impact * 100.0 * state.net
    when = str(setting.calendar.sessions[position])
    require_well_posed(kappa, mechanism, when)
    share = (position - setting.first) / max(setting.last + 1 - setting.first, 1)
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
        naive_share=sign * mechanism.reliability,
        unseen=sign * state.unseen,
    )


def _prices(
    setting: Setting,
    state: _State,
    effects: Effects,
    position: int,
    shocks: np.random.Generator,
    bridges: np.random.Generator,
) -> tuple[Floats, Effects]:
    """Return the session's bars, and its effects completed; moves the state to the close."""
    market, minutes = setting.market, setting.minutes
    full = FULL_SESSION // minutes
    bars = _bars_in(setting.calendar, position, minutes)
    z = shocks.standard_normal(full + 1)
    u = 1.0 - bridges.random((full, 2))
    sd = effects.fundamental_sd * effects.volatility_multiplier
    step = sd * np.sqrt((1 - market.overnight_share) / full)
    gap = sd * np.sqrt(market.overnight_share) * z[0]
    out = np.empty((bars, 4))
    push = kernels.session_bars(
        z[1 : bars + 1],
        u[:bars],
        step,
        market.drift + gap - effects.given_back,
        effects.bar_memory,
        effects.close_slope,
        CLOSE_MINUTES // minutes,
        out,
    )
    prices: Floats = np.exp(state.log_price + out).round(2)
    shock = market.drift + effects.fundamental_sd * (
        np.sqrt(market.overnight_share) * z[0]
        + np.sqrt((1 - market.overnight_share) / full) * z[1 : bars + 1].sum()
    )
    _advance_prices(setting, state, float(np.log(prices[-1, 3])), float(shock), push)
    return prices, replace(effects, close_push=push)


def _advance_prices(
    setting: Setting, state: _State, log_price: float, shock: float, push: float
) -> None:
    market = setting.market
    realised = log_price - state.log_price
    if market.dynamics == "gjr":
        slope = market.alpha + (market.leverage if shock < 0 else 0.0)
        state.variance = market.omega + slope * shock**2 + market.beta * state.variance
        state.seen_variance = state.variance
    else:
        state.seen_variance += (1 - market.iv_memory) * (realised**2 - state.seen_variance)
    state.log_price = log_price
    state.give_back = (1 - setting.mechanism.permanent) * push


def _quote(
    setting: Setting,
    state: _State,
    book: Book,
    ladder: Ladder,
    quoted: tuple[Expiry, ...],
    position: int,
    spot: float,
) -> Quotes:
    """Return the chain at the close; settles the session's trades into the book."""
    market, calendar = setting.market, setting.calendar
    at_close = _years_left(calendar, quoted, calendar.closes[position])
    at_open = _years_left(calendar, quoted, calendar.opens[position + 1])
    listed = listing(book, quoted, at_close, setting.layout, ladder, spot)
    years = at_close[listed.expiry]
    level = market.iv_ratio * np.sqrt(252 * state.seen_variance) + market.iv_premium
    iv = smile(np.log(listed.strike / spot), years, float(level), market)
    otm, delta, gamma = black_scholes(spot, listed.strike, years, iv)
    share = _call_share(market, state.demand)
    traded = trade(
        book,
        listed,
        at_close,
        spot,
        calls=share * market.contracts_traded,
        puts=(1 - share) * market.contracts_traded,
        decay=market.decay,
    )
    return Quotes(listed, years, at_open[listed.expiry], iv, otm, delta, gamma, traded)


def _dealers_net(quotes: Quotes, effects: Effects, spot: float) -> float:
    position, strike, v = book_inputs(quotes, effects, "post_expiry")
    return float(net_gamma(position, strike, v, np.array([spot]))[0])


def _call_share(market: Market, demand: float) -> float:
    logit = np.log(market.call_share / (1 - market.call_share)) + market.demand_swing * demand
    return float(1 / (1 + np.exp(-logit)))


def _advance_customers(
    market: Market,
    mechanism: Mechanism,
    state: _State,
    demand: np.random.Generator,
    unseen: np.random.Generator,
) -> None:
    memory = market.demand_memory
    fresh = np.sqrt(1 - memory**2)
    state.demand = memory * state.demand + fresh * float(demand.standard_normal())
    state.unseen = memory * state.unseen + fresh * mechanism.noise_sd * float(
        unseen.standard_normal()
    )


def _bars_in(calendar: TradingCalendar, position: int, minutes: int) -> int:
    length = calendar.closes[position] - calendar.opens[position]
    return int(length / np.timedelta64(minutes, "m"))


def _is_quoted(expiry: Expiry, position: int) -> bool:
    last = expiry.dies - (1 if expiry.settlement == "AM" else 0)
    return expiry.listed <= position <= last


def _years_left(
    calendar: TradingCalendar, quoted: tuple[Expiry, ...], moment: np.datetime64
) -> Floats:
    dies = np.array([e.dies for e in quoted])
    is_am = np.array([e.settlement == "AM" for e in quoted])
    end = np.where(is_am, calendar.opens[dies], calendar.closes[dies])
    nanoseconds: Floats = (end - moment).astype("timedelta64[ns]").astype(np.float64)
    return nanoseconds / float(_YEAR)


def _most_quoted(schedule: tuple[Expiry, ...]) -> int:
    changes = sorted([(e.listed, 1) for e in schedule] + [(e.dies + 1, -1) for e in schedule])
    return int(np.cumsum([step for _, step in changes]).max())
