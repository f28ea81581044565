"""S10: as S9, but implied volatility decides, and gamma only echoes it.

Moves revert where implied volatility at the close before was below a level, and run on where it was
above. Customers sell more calls, and buy fewer puts, the lower it is, so that dealers are long
gamma in calm markets: what gamma seems to earn is owed to volatility, and nothing is left of it
once that is known.
"""

from __future__ import annotations

from .calibrations import IMPACT_REALISTIC, IMPACT_VISIBLE
from .parameters import MarketParameters, Mechanism
from .registry import World
from .s9_regime_pays import rule_sharpe

__all__ = ["ECHO", "WORLD", "effects"]

#: About the median of implied volatility in this market.
ECHO = 0.13
_MARKET = MarketParameters(dynamics="gjr", call_share=0.48, demand_swing=0.3)


def effects(mechanism: Mechanism) -> dict[str, float]:
    """Return the true numbers."""
    return {
        "hours_on_return_before_signed_by_volatility": -mechanism.transient,
        "sharpe_of_the_rule_on_volatility": rule_sharpe(mechanism.transient),
        "gamma_beside_volatility": 0.0,
    }


WORLD = World(
    name="S10",
    title="gamma echoes volatility",
    equation="r_(t+1) = eps - phi sign(level - iv_(t-1)) r_t, over the hours of t + 1",
    truth="nothing is owed to gamma once implied volatility is known",
    parameters=("impact", "transient", "echo"),
    visible=(_MARKET, Mechanism(impact=IMPACT_VISIBLE, transient=0.118, echo=ECHO)),
    realistic=(_MARKET, Mechanism(impact=IMPACT_REALISTIC, transient=0.03, echo=ECHO)),
    effects=effects,
)
