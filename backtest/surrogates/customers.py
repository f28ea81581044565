"""Six rules by which customers trade options, as points among the parameters of books."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import numpy as np
import numpy.typing as npt

from .parameters import PARAMETERS

__all__ = ["CUSTOMERS", "rule"]

Floats = npt.NDArray[np.float64]

#: What the rules below change: calls sold 2 % above, puts bought 4 % below, a month ahead.
_USUAL: Final[Mapping[str, float]] = {
    "call_share": 0.5,
    "by_amount": 0.0,
    "growth": 0.0,
    "call_distance": 0.02,
    "call_width": 0.018,
    "put_distance": 0.04,
    "put_width": 0.028,
    "by_volatility": 0.0,
    "call_tenor": 4.0,
    "put_tenor": 4.0,
    "tenor_width": 0.5,
    "weekly": 0.3,
    "closing": 0.02,
    "calm_calls": 0.0,
    "calm_puts": 0.0,
    "trend_calls": 0.0,
    "trend_puts": 0.0,
    "day_calls": 0.0,
    "day_puts": 0.0,
    "change_puts": 0.0,
    "rolled": 0.0,
    "late": 0.0,
    "dying": 1.0,
    "noise": 0.0,
    "memory": 0.0,
    "monthly_week": 0.0,
}

#: Rule to what it changes.
CUSTOMERS: Final[Mapping[str, Mapping[str, float]]] = {
    "calls sold and puts bought, fixed contracts": {},
    "calls sold and puts bought, fixed amounts": {"by_amount": 1.0, "by_volatility": 0.7},
    "calls sold in calm": {"calm_calls": 2.0, "call_share": 0.55},
    "puts bought in fear": {"calm_puts": 1.5, "change_puts": 0.3, "call_share": 0.55},
    "options bought with the trend": {"trend_calls": 0.6, "trend_puts": -0.4},
    "weekly sellers who roll": {
        "call_tenor": 1.0,
        "put_tenor": 2.0,
        "weekly": 1.0,
        "rolled": 0.6,
        "closing": 0.005,
        "monthly_week": 0.3,
    },
}


def rule(name: str) -> Floats:
    """Return a rule's parameters in the order of `PARAMETERS`."""
    values = {**_USUAL, **CUSTOMERS[name]}
    return np.array([values[p.name] for p in PARAMETERS])
