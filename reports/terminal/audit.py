"""The ledger's fills in the terminal: what was read, and the arithmetic, one sum a line."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.text import Text

from ...strategies import LABELS

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ..session.audit import Fill, InputRead

__all__ = ["fill_lines", "fills_text"]

_WHY = {
    "order": "order",
    "stop_loss": "exit at the stop",
    "take_profit": "exit at the profit level",
    "max_holding": "exit after its time",
}
_WIDTH = 26


def fills_text(fills: Sequence[Fill]) -> Text:
    """Return every fill; to be printed unbroken, so that lines can be copied and computed."""
    lines = [line for fill in fills for line in ("", *fill_lines(fill))]
    return Text("\n".join(lines))


def fill_lines(fill: Fill) -> Iterator[str]:
    """Yield the lines of one fill."""
    yield (
        f"{fill.strategy}, fill {fill.number}: {_WHY[fill.cause]} decided after {fill.decided}"
        f"{f' under the label {fill.label}' if fill.label else ''}, filled {fill.filled}"
    )
    for read in fill.inputs:
        yield from _input_lines(read)
    for step in fill.steps:
        formula = f"{step.formula} = " if step.formula else ""
        yield f"  {step.what:<{_WIDTH}} {formula}{step.value + 0.0:.15g}"


def _input_lines(read: InputRead) -> Iterator[str]:
    window = "everything so far" if read.window is None else f"of {read.window}"
    listed = "" if read.window == 1 else f" (the last {len(read.values)} {window})"
    yield f"  {read.part} {read.component} reads {read.column}{listed}"
    for when, value, known in read.values:
        public = f", public {known}" if known else ", known in advance"
        shown = LABELS[int(value)] if read.column.endswith(".label") else f"{value:.15g}"
        yield f"    {when}: {shown}{public}"
