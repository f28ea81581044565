"""One simulated market, session by session: prices, quotes, positions and their feedback.

The order of events in session t:

1. prices move, with whatever hedging the book of session t-1 causes;
2. at the close the exchange quotes; the published open interest is the one settled after t-1;
3. the dealers' gamma on that book, valued at the next open, is what they hedge in t+1;
4. customers' trades of the session settle overnight.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from ...base.errors import ConfigError
from ...calendar.market_defaults import EXCHANGE_SESSIONS
from ...calendar.trading import TradingCalendar
from ..worlds.parameters import MarketParameters, Mechanism
from .book import CustomerBook, empty_book, listing, trade
from .dealers import dealer_positions, dealers_net
from .listings import Expiry, Ladder, expiries, ladder_for
from .prices import (
    advance,
    draws_of,
    expected_effects,
    pin_candidates,
    quoted_volatility,
    session_prices,
)
from .pricing import black_scholes, smile
from .records import Effects, Quotes, Session, Setting, State
from .session_kernels import echoed_demand

__all__ = ["run"]

Floats = npt.NDArray[np.float64]

_BURN_IN = 90  # sessions in which the book fills before the first one that is kept
_YEAR = np.timedelta64(365, "D") / np.timedelta64(1, "ns")


def run(setting: Setting, seed: int) -> Iterator[Session]:
    """Yield the sessions of a market, in order; the same seed gives the same sessions.

    Raises
    ------
    ConfigError
        If the market is or becomes ill posed.
    """
    market = setting.market
    prices_draws, *customers = (
        np.random.default_rng(s) for s in np.random.SeedSequence(seed).spawn(3)
    )
    start = max(setting.first - _BURN_IN, 1)
    schedule = expiries(setting.layout, setting.calendar, start, setting.last)
    listed, last = _quoted_days(schedule)
    ladder = ladder_for(setting.layout, market.spot)
    book = empty_book(_most_quoted(schedule), ladder)
    state = _initial(market)
    for position in range(start, setting.last + 1):
        effects = expected_effects(setting, state, position)
        moves = session_prices(setting, state, effects, position, draws_of(setting, prices_draws))
        advance(setting, state, moves)
        _require_listed(moves.close, ladder, str(setting.calendar.sessions[position]))
        here = np.flatnonzero((listed <= position) & (position <= last))
        quoted = tuple(schedule[i] for i in here.tolist())
        quotes = _quote(setting, state, book, ladder, quoted, position, moves.close)
        state.net = dealers_net(quotes, moves.effects, moves.close)
        state.pin = _pin_of(setting, quotes, moves.effects, position)
        _advance_customers(market, setting.mechanism, state, *customers)
        if position >= setting.first:
            yield Session(position, moves.bars, quotes, moves.effects, state.net)


def _require_listed(close: float, ladder: Ladder, when: str) -> None:
    """Refuse a market that has run away from every strike that the exchange may list."""
    low, high = 20 * ladder.base, ladder.base * ladder.count / 1.25
    if not low <= close <= high:
        raise ConfigError(
            f"price on {when}: expected between {low:g} and {high:g} (the strikes that can be "
            f"listed), found {close:g}; lower volatility, drift or years"
        )


def _initial(market: MarketParameters) -> State:
    variance = market.long_run_variance
    return State(float(np.log(market.spot)), variance, variance)


def _quote(
    setting: Setting,
    state: State,
    book: CustomerBook,
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
    level = market.iv_ratio * np.sqrt(EXCHANGE_SESSIONS * state.seen_variance) + market.iv_premium
    iv = smile(np.log(listed.strike / spot), years, float(level), market)
    otm, delta, gamma = black_scholes(spot, listed.strike, years, iv)
    level = quoted_volatility(market, state)
    demand = state.demand + echoed_demand(setting.mechanism.echo, level)
    share = _call_share(market, demand)
    contracts = market.contracts_traded * market.spot / spot
    traded = trade(
        book,
        listed,
        at_close,
        spot,
        calls=share * contracts,
        puts=(1 - share) * contracts,
        decay=market.decay,
    )
    return Quotes(listed, years, at_open[listed.expiry], iv, otm, delta, gamma, traded)


def _call_share(market: MarketParameters, demand: float) -> float:
    logit = np.log(market.call_share / (1 - market.call_share)) + market.demand_swing * demand
    return float(1 / (1 + np.exp(-logit)))


def _advance_customers(
    market: MarketParameters,
    mechanism: Mechanism,
    state: State,
    demand: np.random.Generator,
    unseen: np.random.Generator,
) -> None:
    memory = market.demand_memory
    fresh = np.sqrt(1 - memory**2)
    state.demand = memory * state.demand + fresh * float(demand.standard_normal())
    state.unseen = memory * state.unseen + fresh * mechanism.noise_sd * float(
        unseen.standard_normal()
    )


def _pin_of(
    setting: Setting, quotes: Quotes, effects: Effects, position: int
) -> tuple[Floats, Floats] | None:
    """Return the strikes that may pin the next session, where it ends a week."""
    if setting.mechanism.pin == 0 or not _ends_week(setting.calendar, position + 1):
        return None
    listed = quotes.listed
    dying = np.array([e.dies == position + 1 and e.settlement == "PM" for e in listed.expiries])
    here = dying[listed.expiry] & (listed.calls + listed.puts > 0)
    calls, puts = dealer_positions(listed, effects)
    return pin_candidates(
        listed.strike[here], (calls + puts)[here], (listed.calls + listed.puts)[here]
    )


def _ends_week(calendar: TradingCalendar, position: int) -> bool:
    week = [calendar.sessions[i].item().isocalendar()[1] for i in (position, position + 1)]
    return bool(week[0] != week[1])


def _quoted_days(
    schedule: tuple[Expiry, ...],
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Return the first and the last session in which each expiration is quoted."""
    last = [e.dies - (1 if e.settlement == "AM" else 0) for e in schedule]
    return np.array([e.listed for e in schedule], np.int64), np.array(last, np.int64)


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
