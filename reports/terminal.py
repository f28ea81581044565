"""Terminal tables: short, readable, the same words as the report."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    from .health import Health

__all__ = ["health_table", "simple_table"]

_MARKS = {"ok": ("ok", "green"), "warning": ("warning", "yellow"), "failed": ("failed", "red")}


def simple_table(*columns: str, title: str | None = None, right: tuple[str, ...] = ()) -> Table:
    """Return an empty table in the house style: no frame, a rule below the head.

    Parameters
    ----------
    columns : str
        Headings.
    title : str, optional
        Line above the table.
    right : tuple of str
        Headings whose column holds numbers and is set flush right.
    """
    table = Table(box=None, title=title, title_justify="left", title_style="bold", pad_edge=False)
    for name in columns:
        table.add_column(name, justify="right" if name in right else "left", header_style="dim")
    return table


def health_table(health: Health) -> Table:
    """Return the checks of ``gexlab doctor``, one line each."""
    table = simple_table("check", "status", "found", "what to do")
    for check in health.checks:
        word, colour = _MARKS[check.status]
        table.add_row(check.name, Text(word, style=colour), check.found, check.remedy)
    return table
