"""S1: dealers hedge at once, so that their gamma divides volatility.

``sigma_t = sigma / (1 + kappa_t)`` with ``kappa_t = lambda Gamma$_{t-1}``: a return that needs a
hedge of ``-Gamma$ r`` dollars and moves the price by lambda per dollar solves
``r = eps - lambda Gamma$ r``. Well posed while ``kappa > -1``.

References
----------
Frey and Stremme (1997); Anderegg, Ulmann and Sornette (2022), linear permanent impact.
"""

from __future__ import annotations

from .calibrations import IMPACT_REALISTIC, IMPACT_VISIBLE, REALISTIC, VISIBLE
from .parameters import Mechanism
from .registry import World

__all__ = ["WORLD", "effects"]


def effects(mechanism: Mechanism) -> dict[str, float]:
    """Return the true slopes."""
    return {"slope_ln_sd_on_ln_1_plus_kappa": -mechanism.damping}


WORLD = World(
    name="S1",
    title="instantaneous hedging",
    equation="sigma_t = sigma / (1 + lambda Gamma$_{t-1})",
    truth="slope of ln sigma_t on ln(1 + lambda Gamma$_{t-1}) is -1 (of ln variance: -2)",
    parameters=("impact", "damping"),
    visible=(VISIBLE, Mechanism(impact=IMPACT_VISIBLE, damping=1.0)),
    realistic=(REALISTIC, Mechanism(impact=IMPACT_REALISTIC, damping=1.0)),
    effects=effects,
)
