"""What a strategy is called in results, and what it is to the verdict."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...strategies import RULED, is_control
from ..run.strategy_results import InputSpec, Role, StrategySpec
from .ledger_rows import columns_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ...strategies import Component, Strategy

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
        inputs=tuple(_inputs(strategy)),
        within=strategy.intraday,
    )


def _inputs(strategy: Strategy) -> Iterator[InputSpec]:
    parts: dict[str, Component] = {"filter": strategy.filter, "sizing": strategy.sizing}
    parts |= {label: strategy.rule(label) for label in RULED}
    for part, component in parts.items():
        for past in dict.fromkeys(columns_of(component)):
            yield InputSpec(
                part, component.describe(), str(past.of), past.window, past.skip_missing
            )


def role_of(strategy: Strategy, *, main: bool) -> Role:
    """Return what a strategy is to the verdict: its subject, what it is held against, or neither.

    A built-in control that a configuration has changed is a strategy of the user's own.
    """
    if main:
        return "main"
    return "control" if is_control(strategy) else "custom"
