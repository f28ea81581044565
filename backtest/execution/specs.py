"""What a strategy is called in results, and what it is to the verdict."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...strategies import is_control
from ..run.strategy_results import Role, StrategySpec

if TYPE_CHECKING:
    from ...strategies import Strategy

__all__ = ["role_of", "spec_of"]


def spec_of(strategy: Strategy) -> StrategySpec:
    """Return a strategy as results state it."""
    return StrategySpec(
        name=strategy.name,
        filter=strategy.filter.name,
        long=strategy.long.name,
        short=strategy.short.name,
        neutral=strategy.neutral.name,
        parameters=strategy.parameters(),
        description=strategy.describe(),
    )


def role_of(strategy: Strategy, *, main: bool) -> Role:
    """Return what a strategy is to the verdict: its subject, what it is held against, or neither.

    A built-in control that a configuration has changed is a strategy of the user's own.
    """
    if main:
        return "main"
    return "control" if is_control(strategy) else "custom"
