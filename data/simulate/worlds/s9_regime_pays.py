"""S9: a session's move reverts the day after where dealers are long gamma, and runs on where short.

The customers' flow moves the price by more than it is worth. Dealers who are long gamma lean
against it, and the hours of the next session take a share phi of the move back; short ones chase
it, and it goes on by as much:
``r_(t+1) = eps - phi sign(Gamma$_(t-1)) r_t``, spread over the hours of t + 1. Fading in long gamma
and following in short, from the open after to the next, earns ``phi E abs(r)`` a session: with
normal returns a Sharpe ratio of ``phi sqrt(2 / pi) sqrt(252)``, 1.49 in the visible calibration.
"""

from __future__ import annotations

import math

from ...calendar.market_defaults import EXCHANGE_SESSIONS
from .calibrations import IMPACT_REALISTIC, IMPACT_VISIBLE, REALISTIC, VISIBLE
from .parameters import Mechanism
from .registry import World

__all__ = ["WORLD", "effects", "rule_sharpe"]


def rule_sharpe(transient: float) -> float:
    """Return the annual Sharpe ratio of the rule that knows the regime, with normal returns.

    Examples
    --------
    >>> round(rule_sharpe(0.118), 2)
    1.49
    """
    return transient * math.sqrt(2.0 / math.pi * EXCHANGE_SESSIONS)


def effects(mechanism: Mechanism) -> dict[str, float]:
    """Return the true numbers."""
    return {
        "hours_on_signed_return_before": -mechanism.transient,
        "sharpe_of_the_rule": rule_sharpe(mechanism.transient),
    }


WORLD = World(
    name="S9",
    title="the regime pays",
    equation="r_(t+1) = eps - phi sign(Gamma$_(t-1)) r_t, over the hours of t + 1",
    truth="fading in long gamma and following in short earns phi E|r| a session",
    parameters=("impact", "transient"),
    visible=(VISIBLE, Mechanism(impact=IMPACT_VISIBLE, transient=0.118)),
    realistic=(REALISTIC, Mechanism(impact=IMPACT_REALISTIC, transient=0.03)),
    effects=effects,
)
