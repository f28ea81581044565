"""Markets without chains: prices, gamma and flip of hundreds of seeds in seconds.

The same mechanisms and the same session kernels as the full lake, on the aggregated book of the
null world's specification (strikes 1 % apart, one expiration). Open interest here includes the
session's own trades and is known at the next open.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

import numpy as np
import numpy.typing as npt
import pandas as pd

from ...base.errors import ConfigError
from ...calendar.trading import trading_calendar
from ..worlds.parameters import (
    Calibration,
    MarketParameters,
    Mechanism,
    override,
    require_known,
    require_seed,
    require_well_posed,
)
from ..worlds.registry import world_named
from .path_kernels import EFFECTS, GAMMAS, PathNumbers, walk
from .prices import PIN_STEPS
from .records import CLOSE_MINUTES, FULL_SESSION

__all__ = ["PathMarket", "simulate_path"]

Floats = npt.NDArray[np.float64]

_BURN_IN = 300
# One expiration 21 sessions ahead has more gamma per contract than a whole chain: with this factor
# the gamma of both books has about the same standard deviation.
_AGGREGATE = 0.65


@dataclass(frozen=True, slots=True, eq=False)
class PathMarket:
    """A simulated market without chains.

    Attributes
    ----------
    world : str
    seed : int
    minutes : int
        Length of a bar; every session has 390 minutes.
    spot : float
        Price before the first session simulated; strikes that pin are its 160ths.
    sessions : ndarray of datetime64[D], shape (n,)
        Sessions of the New York Stock Exchange.
    bars : ndarray, shape (n, m, 4)
        Open, high, low, close, index points.
    gammas : mapping of str to ndarray, shape (n,)
        At each close: `net_gex` and `gross_gex` of the naive rule and `true_net_gex`, $ per 1 %;
        `flip`, index points, NaN where there is none or it was not asked for; `iv`, decimal.
        Known at the next open.
    effects : mapping of str to ndarray, shape (n,)
        What moved each session (`kappa`, `fundamental_sd`, ...), known to nobody.
    """

    world: str
    seed: int
    minutes: int
    spot: float
    sessions: npt.NDArray[np.datetime64]
    bars: Floats
    gammas: Mapping[str, Floats]
    effects: Mapping[str, Floats]

    def daily(self) -> pd.DataFrame:
        """Return daily bars indexed by session: open, high, low, close.

        Returns
        -------
        DataFrame
            Points; one row per session.
        """
        columns = {
            "open": self.bars[:, 0, 0],
            "high": self.bars[:, :, 1].max(axis=1),
            "low": self.bars[:, :, 2].min(axis=1),
            "close": self.bars[:, -1, 3],
        }
        index = pd.DatetimeIndex(self.sessions.astype("datetime64[ns]"), name="session")
        return pd.DataFrame(columns, index=index)

    def intraday(self) -> pd.DataFrame:
        """Return intraday bars: session, ts (UTC, start of the bar), open, high, low, close.

        Returns
        -------
        DataFrame
            One row per bar, ascending.
        """
        calendar = trading_calendar()
        count = self.bars.shape[1]
        position = np.searchsorted(calendar.sessions, self.sessions)
        within = np.arange(count) * np.timedelta64(self.minutes, "m")
        start = (calendar.opens[position][:, None] + within).ravel()
        flat = self.bars.reshape(-1, 4)
        return pd.DataFrame(
            {
                "session": np.repeat(self.sessions.astype("datetime64[ns]"), count),
                "ts": pd.DatetimeIndex(start).tz_localize("UTC"),
                **{name: flat[:, i] for i, name in enumerate(("open", "high", "low", "close"))},
            }
        )

    def gamma(self) -> pd.DataFrame:
        """Return the regimes' inputs indexed by session, with spot and known_at (next open).

        Returns
        -------
        DataFrame
            Net and gross gamma, $ per 1 %; a row may be used from its ``known_at`` on.
        """
        calendar = trading_calendar()
        position = np.searchsorted(calendar.sessions, self.sessions)
        index = pd.DatetimeIndex(self.sessions.astype("datetime64[ns]"), name="session")
        frame = pd.DataFrame(dict(self.gammas), index=index)
        frame["spot"] = self.bars[:, -1, 3]
        frame["known_at"] = pd.DatetimeIndex(calendar.opens[position + 1]).tz_localize("UTC")
        return frame


def simulate_path(
    world: str,
    *,
    sessions: int,
    seed: int,
    calibration: Calibration = "visible",
    minutes: int = 5,
    start: date = date(2005, 1, 3),
    with_flip: bool = False,
    kappa: npt.ArrayLike | None = None,
    parameters: Mapping[str, object] | None = None,
) -> PathMarket:
    """Return a market of a world without its chains.

    Parameters
    ----------
    world : str
        A name of `worlds`; S8 has no path of this kind.
    sessions : int
        Sessions kept; 300 more before them fill the book.
    seed : int
        The same seed gives the same market, whatever the process.
    calibration : {"visible", "realistic"}
    minutes : int
        Length of a bar, a divisor of 30; hedging lags by one bar in S2.
    start : date
        The first session is the first one at or after this day.
    with_flip : bool
        Whether to look for the flip.
    kappa : array_like, optional
        One number for all sessions or one per session, in the place of impact times gamma.
    parameters : mapping, optional
        Fields of `MarketParameters` and `Mechanism` to replace.

    Returns
    -------
    PathMarket

    Raises
    ------
    ConfigError
        If a parameter is not valid, or hedging becomes so strong that no price clears it.
    UnknownNameError
        If the world, the calibration or a parameter does not exist.

    Examples
    --------
    >>> market = simulate_path("S2", sessions=250, seed=1, kappa=0.3)
    >>> market.bars.shape
    (250, 78, 4)
    """
    if minutes < 1 or CLOSE_MINUTES % minutes:
        raise ConfigError(f"minutes: expected a divisor of {CLOSE_MINUTES}, found {minutes}")
    require_known(parameters or {})
    require_seed(seed)
    default_market, default_mechanism = world_named(world).calibration(calibration)
    market = override(default_market, parameters or {})
    mechanism = override(default_mechanism, parameters or {})
    if mechanism.agents:
        raise ConfigError(
            f"world {world}: its prices come from an order book, which needs the full market: use "
            "simulate, or failure_rate"
        )
    days = _days(start, sessions)
    given = np.full(sessions + _BURN_IN, np.nan)
    if kappa is not None:
        given[:] = 0.0
        given[_BURN_IN:] = _given_kappa(kappa, sessions)
    reversed_from = _BURN_IN + int(np.ceil(mechanism.reversed_from * sessions))
    numbers = _numbers(market, mechanism, reversed_from)
    expires = np.concatenate([np.zeros(_BURN_IN, dtype=bool), _ends_of_weeks(days)])
    bars, effects, gammas = _walk(numbers, mechanism, seed, given, expires, minutes, with_flip)
    return PathMarket(
        world=world,
        seed=seed,
        minutes=minutes,
        spot=market.spot,
        sessions=days,
        bars=np.exp(bars[_BURN_IN:]),
        gammas={name: gammas[_BURN_IN:, i] for i, name in enumerate(GAMMAS)},
        effects={name: effects[_BURN_IN:, i] for i, name in enumerate(EFFECTS)},
    )


def _given_kappa(kappa: npt.ArrayLike, sessions: int) -> Floats:
    values = np.asarray(kappa, dtype=np.float64)
    if values.shape not in {(), (sessions,)} or not np.isfinite(values).all():
        raise ConfigError(
            f"kappa: expected one finite number or {sessions}, found shape {values.shape} with "
            f"{int((~np.isfinite(values)).sum())} that are not finite"
        )
    return values


def _walk(
    numbers: PathNumbers,
    mechanism: Mechanism,
    seed: int,
    given: Floats,
    expires: npt.NDArray[np.bool_],
    minutes: int,
    with_flip: bool,
) -> tuple[Floats, Floats, Floats]:
    count, full = len(given), FULL_SESSION // minutes
    prices, customers = (np.random.default_rng(s) for s in np.random.SeedSequence(seed).spawn(2))
    bars = np.empty((count, full, 4))
    effects, gammas = np.empty((count, len(EFFECTS))), np.empty((count, len(GAMMAS)))
    done = walk(
        numbers,
        prices.standard_normal((count, full + 1)),
        1.0 - prices.random((count, full, 2)),
        customers.standard_normal((count, 2)),
        prices.standard_normal((count, PIN_STEPS if mechanism.pin else 0)),
        expires,
        given,
        CLOSE_MINUTES // minutes,
        with_flip,
        bars,
        effects,
        gammas,
    )
    if done < count:
        require_well_posed(float(effects[done, 0]), mechanism, f"step {done - _BURN_IN}")
        raise ConfigError(
            f"price at step {done - _BURN_IN}: expected within a factor of 8,000 of the first, "
            "found farther off; lower volatility, drift or sessions"
        )
    return bars, effects, gammas


def _numbers(market: MarketParameters, mechanism: Mechanism, reversed_from: int) -> PathNumbers:
    return PathNumbers(
        log_spot=float(np.log(market.spot)),
        is_gjr=market.dynamics == "gjr",
        variance=market.long_run_variance,
        drift=market.drift,
        overnight_share=market.overnight_share,
        omega=market.omega,
        alpha=market.alpha,
        leverage=market.leverage,
        beta=market.beta,
        iv_ratio=market.iv_ratio,
        iv_premium=market.iv_premium,
        iv_memory=market.iv_memory,
        contracts=_AGGREGATE * market.contracts_traded,
        call_logit=float(np.log(market.call_share / (1 - market.call_share))),
        demand_swing=market.demand_swing,
        demand_memory=market.demand_memory,
        decay=market.decay,
        impact=mechanism.impact,
        damping=mechanism.damping,
        lag=mechanism.lag,
        close_share=mechanism.close_share,
        rebalancing=mechanism.rebalancing,
        permanent=mechanism.permanent,
        pin=mechanism.pin,
        pin_spacing=market.spot / 160,
        reversed_from=reversed_from,
        reliability=mechanism.reliability,
        noise_sd=mechanism.noise_sd,
        transient=mechanism.transient,
        echo=mechanism.echo,
    )


def _ends_of_weeks(days: npt.NDArray[np.datetime64]) -> npt.NDArray[np.bool_]:
    week = (days.astype(np.int64) + 3) // 7  # weeks start on Mondays
    return np.append(week[1:] != week[:-1], False)


def _days(start: date, sessions: int) -> npt.NDArray[np.datetime64]:
    calendar = trading_calendar()
    first = int(np.searchsorted(calendar.sessions, np.datetime64(start, "D")))
    if sessions < 1 or first + sessions >= len(calendar.sessions):
        raise ConfigError(
            f"sessions: expected 1 to {len(calendar.sessions) - first - 1} from {start}, "
            f"found {sessions}"
        )
    return calendar.sessions[first : first + sessions]
