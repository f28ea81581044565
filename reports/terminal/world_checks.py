"""Checks of simulated worlds in the terminal: theory beside what was measured."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.text import Text

from ..page.formats import DASH, count, fixed, is_defined
from .fitting import FittingTable, plain_text
from .tables import simple_table

if TYPE_CHECKING:
    from rich.text import Text

    from ...data.simulate import WorldCheck, WorldsCheck

__all__ = ["checks_table", "checks_words"]

_SIGNS = {"<": "< ", ">": "> ", "=": "", "reported": ""}


def checks_table(result: WorldsCheck) -> FittingTable:
    """Return a row per quantity below its world: theory, measured value, simulation error, z."""
    table = simple_table(
        "", "theory", "measured", "error", "z", "n", "holds",
        right=("theory", "measured", "error", "z", "n"),
    )  # fmt: skip
    before = ""
    for check in result.checks:
        if check.world != before:
            table.add_row(*_heading(check.world), style="bold")
            before = check.world
        table.add_row(*_cells(check), _verdict(check, result.limit))
    return table


def _heading(world: str) -> tuple[str, ...]:
    from ...data.simulate import worlds

    return (f"{world} {worlds()[world].title}", *[""] * 6)


def checks_words(result: WorldsCheck) -> str:
    """Return what the table amounts to, in a sentence or two."""
    failed = len(result.failed)
    verdict = (
        f"{failed} of {len(result.checks)} fail" if failed else f"all {len(result.checks)} hold"
    )
    if not any(check.is_random for check in result.checks):
        return f"{verdict} ({fixed(result.seconds, 0)} s)"
    return (
        f"{verdict}: a check fails beyond {fixed(result.limit)} standard errors, so that sound "
        f"worlds fail anywhere in {result.false_alarm:.0%} of the seeds (seed {result.seed}, "
        f"{fixed(result.seconds, 0)} s)"
    )


def _cells(check: WorldCheck) -> tuple[str, ...]:
    return (
        f"  {check.quantity}",
        _SIGNS[check.relation] + _number(check.theory),
        _number(check.measured),
        _number(check.error) if check.is_random else _allowance(check),
        fixed(check.z) if check.is_random else "",
        f"{count(check.n)} {check.unit}",
    )


def _allowance(check: WorldCheck) -> str:
    """Return what stands in for an error where nothing is random: the tolerance."""
    if check.relation == "reported":
        return DASH
    return f"≤ {check.tolerance:.0e}" if check.tolerance else "exact"


def _number(value: float) -> str:
    """Return four decimals, very small numbers as a power of ten.

    Examples
    --------
    >>> _number(-1.0), _number(7.6e-14), _number(0.0), _number(float("nan"))
    ('−1.0000', '8e-14', '0.0000', '–')
    """
    if not is_defined(value):
        return DASH
    return f"{value:.0e}" if 0 < abs(value) < 5e-5 else fixed(value, 4)


def _verdict(check: WorldCheck, limit: float) -> Text:
    if check.relation == "reported":
        return plain_text(DASH, style="dim")
    return (
        plain_text("yes", style="green")
        if check.holds(limit)
        else plain_text("NO", style="bold red")
    )
