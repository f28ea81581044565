"""S5: as S1, but dealers hold the opposite of the naive rule in the second half.

Customers buy the calls and sell the puts there, as in single stocks: the naive measure has the
wrong sign, and its slope over the whole sample averages to about zero.
"""

from __future__ import annotations

from .calibrations import IMPACT_REALISTIC, IMPACT_VISIBLE, REALISTIC, VISIBLE
from .parameters import Mechanism
from .registry import World

__all__ = ["WORLD", "effects"]


def effects(mechanism: Mechanism) -> dict[str, float]:
    """Return the true numbers."""
    return {
        "slope_ln_sd_on_ln_1_plus_kappa": -mechanism.damping,
        "naive_sign_before": 1.0,
        "naive_sign_after": -1.0,
    }


WORLD = World(
    name="S5",
    title="sign flip",
    equation="sigma_t = sigma / (1 + lambda Gamma$_{t-1}), Gamma$ = -naive from the middle on",
    truth="naive slope +1 in the second half (-1 in the first); sign-audit must flag it",
    parameters=("impact", "damping", "reversed_from"),
    visible=(VISIBLE, Mechanism(impact=IMPACT_VISIBLE, damping=1.0, reversed_from=0.5)),
    realistic=(
        REALISTIC,
        Mechanism(impact=IMPACT_REALISTIC, damping=1.0, reversed_from=0.5),
    ),
    effects=effects,
)
