"""S8: nobody's returns are assumed; agents trade on a small limit order book.

The hedger's option position is ``agents x kappa`` lots, at the money each session. Long gamma it
rests its hedge and adds depth, short gamma it takes: volatility falls and the book fails less
often the longer dealers' gamma is. The mid's distance from the fundamental at the close is given
back overnight.

References
----------
Buis, Pieterse-Bloem, Verschoor and Zwinkels (2024).
"""

from __future__ import annotations

from .calibrations import IMPACT_VISIBLE, VISIBLE
from .parameters import Mechanism
from .registry import World

__all__ = ["WORLD", "effects"]


def effects(mechanism: Mechanism) -> dict[str, float]:
    """Return the true numbers."""
    return {"option_position_per_kappa": mechanism.agents}


WORLD = World(
    name="S8",
    title="agents on a limit order book",
    equation="orders by agents without intelligence; option position = agents x kappa",
    truth="volatility and the share of failed sessions fall with the hedger's gamma",
    parameters=("impact", "agents", "immediacy"),
    visible=(VISIBLE, Mechanism(impact=IMPACT_VISIBLE, agents=200.0, immediacy=0.35)),
    realistic=(VISIBLE, Mechanism(impact=IMPACT_VISIBLE, agents=20.0, immediacy=0.3)),
    effects=effects,
)
