"""S4: hedging pulls the price towards a strike, or away from it, as expiration nears.

On the last session of each week, with ``z = ln(S/K) / (sigma sqrt(T))`` and s the share of the
session that has passed, ``dz = -beta z (1-s)^(-3/2) exp(-z^2 / (2 (1-s))) ds + dW``. K is the
strike of the expiring contracts with the largest net position within two standard deviations of
the open, and ``beta = pin x (net / gross position at K)``: dealers long pull (beta > 0), dealers
short push (beta < 0).

References
----------
Avellaneda and Lipkin (2003); Golez and Jackwerth (2012) for both signs.
"""

from __future__ import annotations

from .calibrations import REALISTIC, VISIBLE
from .parameters import Mechanism
from .registry import World

__all__ = ["WORLD", "effects"]


def effects(mechanism: Mechanism) -> dict[str, float]:
    """Return the true numbers."""
    return {"beta_per_net_to_gross_at_the_strike": mechanism.pin}


WORLD = World(
    name="S4",
    title="pinning at expiration",
    equation="dz = -beta z (1-s)^(-3/2) exp(-z^2 / (2 (1-s))) ds + dW",
    truth="P(abs(z_T) < 0.05) by beta and z_0; more often near the strike where dealers are long",
    parameters=("pin",),
    visible=(VISIBLE, Mechanism(pin=1.0)),
    realistic=(REALISTIC, Mechanism(pin=0.1)),
    effects=effects,
)
