"""S0: no dealers at all, and yet the famous table of volatility by quartile.

Returns ``r = 2e-4 + sqrt(h) z`` with GJR-GARCH variance
``h' = 1.2e-6 + (0.02 + 0.16 1{r < 0}) r^2 + 0.88 h``: volatility rises after losses. Customers
follow a fixed rule (sell calls above the spot, buy puts below, close a thirtieth a session), so
that losses leave the book short gamma. Gamma then sorts the next session's volatility although
nobody hedges: every test of gamma against volatility must be held against this world.
"""

from __future__ import annotations

from ...base.errors import ConfigError
from .parameters import MarketParameters, Mechanism
from .registry import World

__all__ = ["QUARTILES", "WORLD", "effects"]

#: Standard deviation of the next return by quartile of gamma, lowest first, over the root mean
#: square of the four: means of 400 markets of 3,200 sessions (standard errors .003 to .007).
QUARTILES = (1.23, 1.14, 0.84, 0.68)


def effects(mechanism: Mechanism) -> dict[str, float]:
    """Return the true numbers.

    Raises
    ------
    ConfigError
        If something is hedged after all.
    """
    if mechanism.uses_gamma or mechanism.rebalancing:
        raise ConfigError(
            "world S0: expected no hedging, found a parameter of a mechanism above 0: leave "
            "damping, lag, close_share, pin, agents and rebalancing at 0, or choose another world"
        )
    return {"effect_on_volatility": 0.0, "effect_on_direction": 0.0}


WORLD = World(
    name="S0",
    title="null: leverage effect, no dealers",
    equation="r_t = drift + sqrt(h_t) z_t, GJR-GARCH h; no feedback",
    truth="every effect of gamma is zero; the table of volatility by quartile of gamma is not flat",
    parameters=("omega", "alpha", "leverage", "beta"),
    visible=(MarketParameters(dynamics="gjr", call_share=0.379), Mechanism()),
    realistic=(MarketParameters(dynamics="gjr", call_share=0.379), Mechanism()),
    effects=effects,
)
