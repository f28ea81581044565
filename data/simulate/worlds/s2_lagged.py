"""S2: dealers hedge the previous bar's move in the next bar.

``r_i = eps_i - kappa_t r_{i-1}`` within a session, started from the stationary law. Then the first
autocorrelation is ``-kappa``, the standard deviation of one bar ``1 / sqrt(1 - kappa^2)`` times
that of eps whatever the sign, the long-run one ``1 / (1 + kappa)``, and
``VR(q) = 1 + 2 sum_{j<q} (1 - j/q) (-kappa)^j``: within the session and from close to close the
variances can move in opposite directions. Well posed while ``abs(kappa) < 1``.
"""

from __future__ import annotations

from .calibrations import IMPACT_REALISTIC, IMPACT_VISIBLE, REALISTIC, VISIBLE
from .parameters import Mechanism
from .registry import World

__all__ = ["WORLD", "effects"]


def effects(mechanism: Mechanism) -> dict[str, float]:
    """Return the true numbers."""
    return {"first_autocorrelation_per_kappa": -mechanism.lag}


WORLD = World(
    name="S2",
    title="lagged hedging",
    equation="r_i = eps_i - lambda Gamma$_{t-1} r_{i-1}",
    truth="AC(1) of bars = -kappa; VR(q) = 1 + 2 sum (1 - j/q) (-kappa)^j",
    parameters=("impact", "lag"),
    visible=(VISIBLE, Mechanism(impact=0.75 * IMPACT_VISIBLE, lag=1.0)),
    realistic=(REALISTIC, Mechanism(impact=IMPACT_REALISTIC, lag=1.0)),
    effects=effects,
)
