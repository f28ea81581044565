"""S1 and S3 together: dealers hedge at once, and leave a share of it to the last half hour."""

from __future__ import annotations

from . import s1_instantaneous, s3_close
from .calibrations import IMPACT_REALISTIC, IMPACT_VISIBLE, REALISTIC, VISIBLE
from .parameters import Mechanism
from .registry import World

__all__ = ["WORLD", "effects"]


def effects(mechanism: Mechanism) -> dict[str, float]:
    """Return the true slopes."""
    return s1_instantaneous.effects(mechanism) | s3_close.effects(mechanism)


WORLD = World(
    name="S1S3",
    title="hedging at once and into the close",
    equation="sigma_t = sigma / (1 + kappa_t); r_LH,t = eps - kappa_t phi r_ROD,t",
    truth="as in S1 and S3",
    parameters=("impact", "damping", "close_share", "permanent"),
    visible=(
        VISIBLE,
        Mechanism(impact=IMPACT_VISIBLE, damping=1.0, close_share=0.5, permanent=0.4),
    ),
    realistic=(
        REALISTIC,
        Mechanism(impact=IMPACT_REALISTIC, damping=1.0, close_share=0.5, permanent=0.4),
    ),
    effects=effects,
)
