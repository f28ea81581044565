"""A grid in the terminal: the best, the worst, the spread, and what luck alone would show."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from rich.console import Group
from rich.text import Text

from ...backtest import luck_sentence
from ..page.formats import DASH, fixed, interval, interval_heading, percent, plural
from ..page.grid_page import extremes, underlyings, varying
from .fitting import plain_text
from .tables import simple_table

if TYPE_CHECKING:
    from rich.console import RenderableType

    from ...backtest import GridResult

__all__ = ["grid_text"]

_MOST = 5
_QUANTILES = (0.0, 0.05, 0.25, 0.5, 0.75, 0.95, 1.0)


def grid_text(result: GridResult) -> Group:
    """Return the sentence, the best and the worst trials, and the spread of Sharpe ratios."""
    mark = "SIMULATED " if result.simulated else ""
    reused = f", {result.reused:,} of them known from before" if result.reused else ""
    same = (
        f"; {plural(result.duplicates, 'combination')} said the same as another"
        if result.duplicates
        else ""
    )
    head = (
        f"{mark}{underlyings(result)}: {plural(result.trials, 'trial')}{reused}{same}, "
        f"{result.seconds:.1f} s"
    )
    parts: list[RenderableType] = [plain_text(head, style="bold"), *_tables(result)]
    if result.unrecorded:
        text = (
            f"{plural(result.unrecorded, 'trial')} could not be recorded: later counts lack them. "
            "Name a folder that you may write to under [ledger] path"
        )
        parts += [Text(), plain_text(text, style="yellow")]
    parts += [Text(), _spread(result), Text(), plain_text(luck_sentence(result), style="bold")]
    return Group(*parts)


def _tables(result: GridResult) -> list[RenderableType]:
    changing = varying(result)
    found: list[RenderableType] = []
    for title, rows in extremes(result, _MOST):
        numbers = ("Sharpe ratio", interval_heading(result.level), "growth a year")
        table = simple_table("trial", "parameters", *numbers, title=title, right=numbers)
        for row in rows:
            table.add_row(
                str(row["trial_id"]),
                ", ".join(f"{n} {row[n]}" for n in changing if _there(row[n])) or DASH,
                fixed(row["sharpe"]),
                interval(row["sharpe_low"], row["sharpe_high"]),
                percent(row["cagr"]),
            )
        found += [Text(), table]
    return found


def _there(value: Any) -> bool:
    return value is not None and value == value and type(value).__name__ != "NAType"


def _spread(result: GridResult) -> RenderableType:
    sharpe = result.table["sharpe"].to_numpy(dtype=np.float64)
    defined = sharpe[np.isfinite(sharpe)]
    headings = ("lowest", "5th", "25th", "median", "75th", "95th", "highest", "undefined")
    table = simple_table("Sharpe ratios", *headings, right=headings)
    values = np.quantile(defined, _QUANTILES) if len(defined) else np.full(len(_QUANTILES), np.nan)
    table.add_row(
        plural(result.trials, "trial"),
        *map(fixed, values.tolist()),
        str(len(sharpe) - len(defined)),
    )
    return table
