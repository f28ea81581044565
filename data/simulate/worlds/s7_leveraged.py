"""S7: leveraged funds rebalance at the close; dealers do nothing.

Flow ``NAV (x^2 - x) r`` with the day, so that ``r_LH = eps + b r_ROD``,
``b = lambda NAV (x^2 - x) > 0`` in every session: momentum into the close that owes nothing to
gamma. A share is given back overnight.

References
----------
Cheng and Madhavan (2010), through equation (16) of Baltussen et al. (2021).
"""

from __future__ import annotations

from .calibrations import REALISTIC, VISIBLE
from .parameters import Mechanism
from .registry import World

__all__ = ["WORLD", "effects"]


def effects(mechanism: Mechanism) -> dict[str, float]:
    """Return the true numbers."""
    return {"slope_last_half_hour": mechanism.rebalancing, "slope_difference_by_gamma": 0.0}


WORLD = World(
    name="S7",
    title="leveraged funds",
    equation="r_LH,t = eps + lambda NAV (x^2 - x) r_ROD,t",
    truth="slope of r_LH on r_ROD is b > 0 and the same for either sign of gamma",
    parameters=("rebalancing", "permanent"),
    visible=(VISIBLE, Mechanism(rebalancing=0.10, permanent=0.4)),
    realistic=(REALISTIC, Mechanism(rebalancing=0.02, permanent=0.4)),
    effects=effects,
)
