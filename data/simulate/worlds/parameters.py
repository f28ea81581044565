"""What a simulated market is made of: the fundamental, the customers, and what hedging does.

Values only: the worlds fill them in, the generators read them.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any, Literal, TypeVar

from ...base.errors import ConfigError, UnknownNameError
from ...calendar.market_defaults import EXCHANGE_SESSIONS

__all__ = [
    "Calibration",
    "Dynamics",
    "MarketParameters",
    "Mechanism",
    "override",
    "require_known",
    "require_seed",
    "require_well_posed",
]

Calibration = Literal["visible", "realistic"]
Dynamics = Literal["constant", "gjr"]


@dataclass(frozen=True, slots=True)
class MarketParameters:
    """The market without its dealers: fundamental returns, implied volatility, customers.

    Attributes
    ----------
    spot : float
        Price before the first session, index points.
    dynamics : {"constant", "gjr"}
        Daily variance of the fundamental: constant, or GJR-GARCH(1, 1) (volatility clusters and
        rises after losses).
    volatility : float
        Annual volatility of the fundamental where it is constant, decimal.
    drift : float
        Mean log return of a session.
    overnight_share : float
        Share of a session's variance that falls between the previous close and the open.
    omega, alpha, leverage, beta : float
        GJR-GARCH: ``h' = omega + (alpha + leverage 1{r < 0}) r^2 + beta h``.
    iv_ratio, iv_premium : float
        At-the-money implied volatility at one month: ``iv_ratio sqrt(252 h) + iv_premium``.
    iv_memory : float
        Decay of the moving average of squared returns that stands in for `h` where the
        fundamental's variance is constant.
    skew, smile : float
        Change of implied volatility, as a share of its level, per standardised log moneyness and
        per its square.
    contracts_traded : float
        Option contracts that customers open in a session while the price is `spot`; at another
        price the number that has the same notional.
    call_share : float
        Mean share of them that are calls sold (the rest are puts bought).
    demand_swing, demand_memory : float
        Standard deviation (in logits) and first autocorrelation of that share.
    decay : float
        Share of the open interest that is closed in a session.
    """

    spot: float = 4000.0
    dynamics: Dynamics = "constant"
    volatility: float = 0.16
    drift: float = 2e-4
    overnight_share: float = 0.2
    omega: float = 1.2e-6
    alpha: float = 0.02
    leverage: float = 0.16
    beta: float = 0.88
    iv_ratio: float = 1.1
    iv_premium: float = 0.02
    iv_memory: float = 0.94
    skew: float = -0.08
    smile: float = 0.012
    contracts_traded: float = 70_000.0
    call_share: float = 0.5
    demand_swing: float = 0.0
    demand_memory: float = 0.97
    decay: float = 1.0 / 30.0

    def __post_init__(self) -> None:
        _require_within(self, _MARKET_BOUNDS)
        if self.dynamics not in _DYNAMICS:
            raise UnknownNameError("dynamics", self.dynamics, _DYNAMICS)
        if self.alpha + self.leverage / 2 + self.beta >= 1:
            raise ConfigError(
                "market parameters alpha + leverage / 2 + beta: expected below 1 (a variance that "
                f"comes back), found {self.alpha + self.leverage / 2 + self.beta:g}; lower one"
            )

    @property
    def long_run_variance(self) -> float:
        """Variance of a session of the fundamental in the long run."""
        if self.dynamics == "gjr":
            return self.omega / (1 - self.alpha - self.leverage / 2 - self.beta)
        return self.volatility**2 / EXCHANGE_SESSIONS

    @property
    def long_run_volatility(self) -> float:
        """The same as a volatility, a year."""
        return math.sqrt(EXCHANGE_SESSIONS * self.long_run_variance)


@dataclass(frozen=True, slots=True)
class Mechanism:
    """What dealers' hedging does to prices; all zero (and `permanent` one) means nothing.

    With ``kappa_t = impact x Gamma$_{t-1}`` (dollars of delta per 100 % move, positive = long):

    Attributes
    ----------
    impact : float
        Lambda: return per dollar traded.
    damping : float
        Session volatility is divided by ``1 + damping kappa``.
    lag : float
        Each bar's return carries ``-lag kappa`` times the bar before.
    close_share : float
        Phi: share of the day's hedge left to the last half hour, whose return gains
        ``-phi kappa r_ROD``.
    rebalancing : float
        Slope of the last half hour on the rest of the day that has nothing to do with gamma
        (leveraged funds): ``impact x NAV (x^2 - x)``.
    permanent : float
        Theta: share of the last half hour's push that stays; the rest is given back overnight.
    pin : float
        Beta of the pull towards the pin strike, per unit of net-to-gross at that strike.
    reversed_from : float
        Share of the sample after which dealers hold the opposite of the naive rule; 1 = never.
    reliability : float
        Squared correlation of the naive measure with the truth; 1 = no measurement noise.
    noise_sd : float
        Standard deviation of the unobserved part of dealers' positions, as a share of the gross.
    agents : float
        Options that the hedger on the agents' order book holds per unit of kappa; 0 = no agents.
    immediacy : float
        Share of market orders among the agents'.
    transient : float
        Share of a session's return that the hours of the next one take back where dealers are
        long gamma, and repeat where they are short.
    echo : float
        Implied volatility (decimal) that takes the place of gamma there: below it moves revert,
        above it they run on, and customers sell more calls the lower it is, so that gamma only
        echoes it. 0: none.
    """

    impact: float = 0.0
    damping: float = 0.0
    lag: float = 0.0
    close_share: float = 0.0
    rebalancing: float = 0.0
    permanent: float = 1.0
    pin: float = 0.0
    reversed_from: float = 1.0
    reliability: float = 1.0
    noise_sd: float = 0.0
    agents: float = 0.0
    immediacy: float = 0.3
    transient: float = 0.0
    echo: float = 0.0

    def __post_init__(self) -> None:
        _require_within(self, _MECHANISM_BOUNDS)

    @property
    def uses_gamma(self) -> bool:
        """Whether dealers' gamma moves prices at all."""
        return any(
            (self.damping, self.lag, self.close_share, self.pin, self.agents, self.transient)
        )


_Values = TypeVar("_Values", MarketParameters, Mechanism)


def override(value: _Values, changes: Mapping[str, object]) -> _Values:
    """Return `value` with the parameters in `changes` that it has replaced.

    Parameters
    ----------
    value : _Values
        A frozen dataclass of parameters.
    changes : mapping of str to object
        Fields to replace; those it does not have are passed over.

    Returns
    -------
    object
        Of the same class.

    Examples
    --------
    >>> override(MarketParameters(), {"spot": 100.0, "impact": 1e-13}).spot
    100.0
    """
    names = {field.name for field in fields(value)}
    chosen: dict[str, Any] = {name: new for name, new in changes.items() if name in names}
    return replace(value, **chosen)


def require_known(changes: Mapping[str, object]) -> None:
    """Refuse a parameter that neither a market nor a mechanism has.

    Raises
    ------
    UnknownNameError
        With the nearest name.
    """
    known = [field.name for kind in (MarketParameters, Mechanism) for field in fields(kind)]
    for name in changes:
        if name not in known:
            raise UnknownNameError("parameter", name, known)


def require_seed(seed: int) -> None:
    """Refuse a seed that no random numbers can be drawn from.

    Raises
    ------
    ConfigError
        If it is negative.
    """
    if seed < 0:
        raise ConfigError(f"seed: expected a whole number of at least 0, found {seed}")


def require_well_posed(kappa: float, mechanism: Mechanism, when: str) -> None:
    """Refuse hedging that no price can clear.

    Wherever gamma moves prices, ``kappa > -1`` (below, the hedge moves the price by more than the
    move that caused it), and so is ``damping kappa``; lagged hedging also needs
    ``abs(lag kappa) < 1``.

    Parameters
    ----------
    kappa : float
        Impact times dollar gamma.
    mechanism : Mechanism
        What hedging does.
    when : str
        Session or step, for the message.

    Raises
    ------
    ConfigError
        If the market is not well posed.

    Examples
    --------
    >>> require_well_posed(0.3, Mechanism(damping=1.0), "2020-01-02")
    >>> require_well_posed(-1.0, Mechanism(damping=1.0), "2020-01-02")
    Traceback (most recent call last):
        ...
    gexlab.data.base.errors.ConfigError: impact x dollar gamma on 2020-01-02: expected more than \
-1 (below, hedging moves the price by more than the move that caused it), found -1; lower impact \
or contracts_traded
    """
    least = -1.0 / max(mechanism.damping, 1.0)
    if kappa <= least and mechanism.uses_gamma:
        problem = (
            f"more than {least:g} (below, hedging moves the price by more than the move that "
            "caused it)"
        )
    elif abs(mechanism.lag * kappa) >= 1:
        bound = 1 / mechanism.lag
        problem = (
            f"between {-bound:g} and {bound:g} (outside, lagged hedging overshoots more each step)"
        )
    else:
        return
    raise ConfigError(
        f"impact x dollar gamma on {when}: expected {problem}, found {kappa:.4g}; lower impact or "
        "contracts_traded"
    )


_DYNAMICS = ("constant", "gjr")

# Least and largest value of each parameter, and what it is
_Bounds = Mapping[str, tuple[float, float, str]]
_SHARE = (0.0, 1.0, "a share")
_MARKET_BOUNDS: _Bounds = {
    "spot": (1.0, 1e6, "index points"),
    "volatility": (0.001, 2.0, "decimal, a year"),
    "drift": (-0.01, 0.01, "log return of a session"),
    "overnight_share": (0.0, 0.99, "a share"),
    "omega": (1e-12, 0.01, "daily variance"),
    "alpha": (0.0, 1.0, "else a variance can be negative"),
    "leverage": (0.0, 2.0, "else a variance can be negative"),
    "beta": (0.0, 1.0, "else a variance can be negative"),
    "iv_ratio": (0.1, 10.0, "implied over realised volatility"),
    "iv_premium": (0.0, 1.0, "decimal, a year"),
    "iv_memory": _SHARE,
    "skew": (-1.0, 1.0, "per standardised log moneyness"),
    "smile": (-1.0, 1.0, "per its square"),
    "contracts_traded": (1e-6, math.inf, "contracts a session"),
    "call_share": (0.001, 0.999, "a share; customers trade calls and puts"),
    "demand_swing": (0.0, 10.0, "standard deviation, in logits"),
    "demand_memory": (0.0, 0.9999, "a first autocorrelation"),
    "decay": _SHARE,
}
_MECHANISM_BOUNDS: _Bounds = {
    "impact": (0.0, math.inf, "return per dollar; the sign belongs to the gamma"),
    "damping": (0.0, math.inf, "the sign belongs to the gamma"),
    "lag": (0.0, math.inf, "the sign belongs to the gamma"),
    "close_share": _SHARE,
    "rebalancing": (0.0, 0.99, "funds trade with the day, and by less than it"),
    "permanent": _SHARE,
    "pin": (0.0, 1e3, "the sign belongs to the gamma"),
    "reversed_from": _SHARE,
    "reliability": _SHARE,
    "noise_sd": (0.0, math.inf, "a share of the gross"),
    "agents": (0.0, 1e5, "options per unit of kappa"),
    "immediacy": _SHARE,
    "transient": (0.0, 0.9, "a share of the previous session"),
    "echo": (0.0, 2.0, "decimal, a year"),
}


def _require_within(value: MarketParameters | Mechanism, bounds: _Bounds) -> None:
    for name, (low, high, what) in bounds.items():
        found = getattr(value, name)
        if isinstance(found, bool) or not isinstance(found, int | float):
            raise ConfigError(f"parameter {name}: expected a number, found {found!r}")
        if not low <= found <= high or math.isinf(found):
            span = f"of at least {low:g}" if math.isinf(high) else f"between {low:g} and {high:g}"
            raise ConfigError(
                f"parameter {name}: expected a number {span} ({what}), found {found:g}"
            )
