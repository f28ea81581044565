"""The truth of a simulated market next to what was found."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ....backtest import NORMAL_LEVEL
from ..formats import DASH, count, fixed, interval, interval_heading, is_defined
from ..views import Column, Row, Section, Table, text_column

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ....backtest import Quantity

__all__ = ["truth_section", "truth_table"]


def truth_section(quantities: Sequence[Quantity]) -> Section:
    """Return the section that only a simulated market can have."""
    text = (
        "The dealers' positions of this market are known. The first rows say how exactly the "
        "chains give them back; the slopes are estimated from prices and rebuilt gamma. kappa is "
        "how far dealers' hedging pushes the price back per unit of a move (below zero: on), by "
        "the gamma of the previous session.",
    )
    return Section("truth", "Truth next to estimate", text, tables=(truth_table(quantities),))


def truth_table(quantities: Sequence[Quantity]) -> Table:
    """Return one row per quantity: truth, estimate, interval, and whether it holds the truth."""
    columns = (
        text_column("Quantity"),
        Column("Truth"),
        Column("Estimate"),
        Column(interval_heading(NORMAL_LEVEL)),
        text_column("Holds the truth"),
        Column("n"),
    )
    rows = tuple(_row(quantity) for quantity in quantities)
    return Table("tab-truth", "Truth and estimate", columns, rows)


def _row(q: Quantity) -> Row:
    word = {True: "yes", False: "no", None: DASH}[q.covered]
    cells = (
        q.name,
        _number(q.truth),
        _number(q.estimate),
        interval(q.low, q.high, 3),
        word,
        count(q.n),
    )
    return Row(cells, "warn" if q.covered is False else "")


def _number(value: float) -> str:
    """Return a number of three decimals, very small ones as a power of ten.

    Examples
    --------
    >>> _number(-0.5), _number(7.6e-14), _number(0.0)
    ('−0.500', '8e-14', '0')
    """
    if not is_defined(value):
        return DASH
    if value == 0:
        return "0"
    return f"{value:.0e}" if abs(value) < 5e-4 else fixed(value, 3)
