"""Records of a simulated market: its setting, and what happens in a session."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from ...calendar.trading import TradingCalendar
from ..worlds.parameters import MarketParameters, Mechanism
from .book import Listing
from .listings import ListingRules

__all__ = [
    "CLOSE_MINUTES",
    "FULL_SESSION",
    "MULTIPLIER",
    "Effects",
    "Quotes",
    "Session",
    "Setting",
    "State",
]

Floats = npt.NDArray[np.float64]

CLOSE_MINUTES: Final = 30
FULL_SESSION: Final = 390  # minutes
MULTIPLIER: Final = 100.0


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

    market: MarketParameters
    mechanism: Mechanism
    layout: ListingRules
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
        Impact times the dealers' dollar gamma of the previous session.
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
    pin_strike, pin_beta, pin_distance : float
        Strike that pulled, how strongly, and z of the open; NaN in a session without.
    failed : float
        1 where the agents' order book ran empty in the session, else 0.
    naive_share : float
        Factor of the naive position in the dealers' true one.
    unseen : float
        Dealers' further position as a share of the open interest.
    reversion : float
        Log return of the session's hours that takes back, or repeats, the previous session.
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
    pin_distance: float
    failed: float
    naive_share: float
    unseen: float
    reversion: float = 0.0


@dataclass(frozen=True, slots=True)
class Quotes:
    """The chain at the close, one row per (expiry, settlement, strike).

    Attributes
    ----------
    listed : Listing
    years, years_open : ndarray, shape (n,)
        Time left at the close and at the next open, years; not positive where expired.
    iv, otm, delta, gamma : ndarray, shape (n,)
        Volatility, price of the out-of-the-money side, call delta, gamma; NaN where expired.
    traded : tuple of ndarray
        Calls and puts that changed hands in the session, whole contracts.
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
class State:
    """What a market carries from one session to the next; changed in place.

    Attributes
    ----------
    log_price : float
        At the last close.
    variance : float
        Daily variance of the fundamental in the coming session.
    seen_variance : float
        Daily variance that implied volatilities are quoted on.
    demand : float
        Customers' taste for selling calls, standard normal in the long run.
    unseen : float
        Dealers' positions that open interest does not show, as a share of it.
    net : float
        Dealers' true net gamma, $ per 1 %.
    give_back : float
        Log return that the next open takes back.
    last_return : float
        Log return of the last session.
    pin : tuple of ndarray or None
        Strikes of the contracts that expire in the coming session and dealers' net-to-gross
        position at each; None where no expiration pins.
    """

    log_price: float
    variance: float
    seen_variance: float
    demand: float = 0.0
    unseen: float = 0.0
    net: float = 0.0
    give_back: float = 0.0
    last_return: float = 0.0
    pin: tuple[Floats, Floats] | None = None
