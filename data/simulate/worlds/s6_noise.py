"""S6: as S1, but open interest shows the dealers' book only through noise.

True position = reliability x naive position + unseen x open interest, the unseen share a persistent
random series of its own. The noise (naive minus true) is then uncorrelated with the truth, the
correlation of the two net gammas is the root of the reliability, 0.74 as between the naive formula
and a published series, and a slope on the naive measure is the true one times the reliability.
"""

from __future__ import annotations

from .calibrations import (
    IMPACT_REALISTIC,
    IMPACT_VISIBLE,
    NOISE_SD,
    REALISTIC,
    VISIBLE,
)
from .parameters import Mechanism
from .registry import World

__all__ = ["WORLD", "effects"]


def effects(mechanism: Mechanism) -> dict[str, float]:
    """Return the true numbers."""
    return {
        "slope_ln_sd_on_ln_1_plus_kappa": -mechanism.damping,
        "attenuation": mechanism.reliability,
        "correlation_with_truth": mechanism.reliability**0.5,
    }


WORLD = World(
    name="S6",
    title="measurement noise",
    equation="sigma_t = sigma / (1 + lambda Gamma$_{t-1}), naive = true + noise",
    truth="slope on the naive measure = true slope x reliability",
    parameters=("impact", "damping", "reliability", "noise_sd"),
    visible=(
        VISIBLE,
        Mechanism(impact=IMPACT_VISIBLE, damping=1.0, reliability=0.5476, noise_sd=NOISE_SD),
    ),
    realistic=(
        REALISTIC,
        Mechanism(impact=IMPACT_REALISTIC, damping=1.0, reliability=0.5476, noise_sd=NOISE_SD),
    ),
    effects=effects,
)
