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

import numpy as np

from ..market import session_kernels as kernels
from .calibrations import REALISTIC, VISIBLE
from .parameters import Mechanism
from .registry import World

__all__ = ["WORLD", "effects", "pin_probability"]


def effects(mechanism: Mechanism) -> dict[str, float]:
    """Return the true numbers."""
    return {"beta_per_net_to_gross_at_the_strike": mechanism.pin}


def pin_probability(
    beta: float,
    start: float,
    *,
    within: float = 0.05,
    paths: int = 20_000,
    steps: int = 500,
    seed: int = 0,
) -> tuple[float, float]:
    """Return how often the price ends at the strike, and the standard error of that.

    Parameters
    ----------
    beta : float
        Pull; negative repels, 0 is a Brownian motion.
    start : float
        z at the open, ln(S/K) in units of the session's standard deviation.
    within : float
        Distance from the strike that counts as pinned, in the same units.
    paths, steps : int
        Sessions, and steps in each.
    seed : int

    Returns
    -------
    tuple of float
        Share of ``abs(z_T) < within`` and its binomial standard error.
    """
    source = np.random.default_rng(seed)
    ends = np.empty(paths)
    for first in range(0, paths, 2_000):
        part = ends[first : first + 2_000]
        kernels.pin_ends(source.standard_normal((len(part), steps)), start, beta, part)
    share = float(np.mean(np.abs(ends) < within))
    return share, (share * (1 - share) / paths) ** 0.5


WORLD = World(
    name="S4",
    title="pinning at expiration",
    equation="dz = -beta z (1-s)^(-3/2) exp(-z^2 / (2 (1-s))) ds + dW",
    truth="P(abs(z_T) < 0.05) by beta and z_0; more often near the strike where dealers are long",
    parameters=("pin",),
    visible=(VISIBLE, Mechanism(pin=3.0)),
    realistic=(REALISTIC, Mechanism(pin=0.3)),
    effects=effects,
)
