"""S3: dealers leave a share of the day's hedge to the last half hour.

With ``r_ROD`` the return from the previous close to half an hour before the close,
``r_LH = eps - kappa_t phi r_ROD``, spread evenly over the last half hour's bars. The share
``1 - theta`` of that push is given back overnight.

References
----------
Baltussen, Da, Lammers and Martens (2021): 6.63 when gamma is negative, 0.82 when it is not.
"""

from __future__ import annotations

from .calibrations import IMPACT_REALISTIC, IMPACT_VISIBLE, REALISTIC, VISIBLE
from .parameters import Mechanism
from .registry import World

__all__ = ["WORLD", "effects"]


def effects(mechanism: Mechanism) -> dict[str, float]:
    """Return the true slopes."""
    return {
        "slope_last_half_hour_per_kappa": -mechanism.close_share,
        "share_given_back": 1 - mechanism.permanent,
    }


WORLD = World(
    name="S3",
    title="hedging into the close",
    equation="r_LH,t = eps - lambda Gamma$_{t-1} phi r_ROD,t; next open gives back (1 - theta)",
    truth="slope of r_LH on r_ROD is -kappa phi; of r_{t+1} on r_LH it is -(1 - theta) R2",
    parameters=("impact", "close_share", "permanent"),
    visible=(VISIBLE, Mechanism(impact=IMPACT_VISIBLE, close_share=0.5, permanent=0.4)),
    realistic=(REALISTIC, Mechanism(impact=IMPACT_REALISTIC, close_share=0.5, permanent=0.4)),
    effects=effects,
)
