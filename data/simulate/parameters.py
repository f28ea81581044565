"""What a simulated market is made of: the fundamental, the customers, and what hedging does.

Values only: the worlds fill them in, the generators read them.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any, Literal, TypeVar

from ..errors import ConfigError, UnknownNameError

__all__ = [
    "Calibration",
    "Dynamics",
    "Market",
    "Mechanism",
    "override",
    "require_known",
    "require_well_posed",
]

Calibration = Literal["visible", "realistic"]
Dynamics = Literal["constant", "gjr"]


@dataclass(frozen=True, slots=True)
class Market:
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
        _require_finite(self)
        _require_positive(self, "spot", "volatility", "omega", "contracts_traded", "iv_ratio")
        _require_share(self, "overnight_share", "call_share", "decay", "iv_memory")
        if self.alpha + self.leverage / 2 + self.beta >= 1:
            raise ConfigError(
                "market parameters alpha + leverage / 2 + beta: expected below 1 (a variance that "
                f"comes back), found {self.alpha + self.leverage / 2 + self.beta:g}; lower one"
            )


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

    def __post_init__(self) -> None:
        _require_finite(self)
        _require_share(self, "permanent", "reversed_from", "reliability", "immediacy")
        if self.impact < 0 or self.noise_sd < 0:
            raise ConfigError(
                f"mechanism: expected impact and noise_sd of at least 0, found impact "
                f"{self.impact:g} and noise_sd {self.noise_sd:g}; the sign belongs to the gamma"
            )

    @property
    def uses_gamma(self) -> bool:
        """Whether dealers' gamma moves prices at all."""
        return any((self.damping, self.lag, self.close_share, self.pin, self.agents))


_Values = TypeVar("_Values", Market, Mechanism)


def override(value: _Values, changes: Mapping[str, object]) -> _Values:
    """Return `value` with the parameters in `changes` that it has replaced.

    Examples
    --------
    >>> override(Market(), {"spot": 100.0, "impact": 1e-13}).spot
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
    known = [field.name for kind in (Market, Mechanism) for field in fields(kind)]
    for name in changes:
        if name not in known:
            raise UnknownNameError("parameter", name, known)


def require_well_posed(kappa: float, mechanism: Mechanism, when: str) -> None:
    """Refuse hedging that no price can clear.

    Wherever gamma moves prices, ``kappa > -1`` (below, the hedge moves the price by more than the
    move that caused it); lagged hedging also needs ``abs(lag kappa) < 1``.

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
    gexlab.data.errors.ConfigError: impact x dollar gamma on 2020-01-02: expected more than -1 \
(below, hedging moves the price by more than the move that caused it), found -1; lower impact \
or contracts_traded
    """
    if kappa <= -1 and mechanism.uses_gamma:
        raise ConfigError(
            f"impact x dollar gamma on {when}: expected more than -1 (below, hedging moves the "
            f"price by more than the move that caused it), found {kappa:.4g}; lower impact or "
            "contracts_traded"
        )
    if abs(mechanism.lag * kappa) >= 1:
        raise ConfigError(
            f"impact x dollar gamma on {when}: expected between -1 and 1 (outside, lagged "
            f"hedging overshoots more each step), found {kappa:.4g}; lower impact or "
            "contracts_traded"
        )


def _require_finite(value: Market | Mechanism) -> None:
    for field in fields(value):
        found = getattr(value, field.name)
        if isinstance(found, float | int) and not math.isfinite(found):
            raise ConfigError(f"parameter {field.name}: expected a finite number, found {found}")


def _require_positive(value: Market, *names: str) -> None:
    for name in names:
        if not getattr(value, name) > 0:
            raise ConfigError(
                f"parameter {name}: expected more than 0, found {getattr(value, name):g}"
            )


def _require_share(value: Market | Mechanism, *names: str) -> None:
    for name in names:
        if not 0 <= getattr(value, name) <= 1:
            raise ConfigError(
                f"parameter {name}: expected a share between 0 and 1, "
                f"found {getattr(value, name):g}"
            )
