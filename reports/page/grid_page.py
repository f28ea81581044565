"""The page of a grid: every trial in a table to sort and filter, any two parameters as a map."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final

from ...data import shown
from .formats import fixed, interval, interval_heading, percent, plural

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import pandas as pd

    from ...backtest import GridResult

__all__ = ["METRICS", "extremes", "underlyings", "varying", "write_grid_page"]

#: Metrics of the page and the terminal, with the digits that they are shown with.
METRICS: Final[dict[str, tuple[str, int]]] = {
    "sharpe": ("Sharpe ratio", 2),
    "sharpe_low": ("low", 2),
    "sharpe_high": ("high", 2),
    "cagr": ("growth a year", 3),
    "volatility": ("volatility", 3),
    "max_drawdown": ("max. drawdown", 3),
    "turnover": ("turnover a year", 1),
    "trades": ("trades", 0),
    "exposure": ("exposure", 2),
    "break_even_bps": ("break-even, bp a side", 1),
    "hit_rate": ("hit rate", 3),
    "late": ("late sessions", 0),
    "undefined": ("undefined sessions", 0),
    "n": ("returns", 0),
}
#: Metrics that stand before the parameters.
_HEADLINE: Final = ("sharpe", "sharpe_low", "sharpe_high")


def write_grid_page(result: GridResult, path: Path) -> Path:
    """Write ``grid.html``: one file, nothing loaded from elsewhere."""
    from ...backtest import luck_sentence
    from .html import write_template

    changing = varying(result)
    fixed_ones = {
        name: _value(result.table[name].iloc[0])
        for name in result.parameters
        if name not in changing
    }
    # the answer first: parameters are many, and a narrow window cuts what stands last
    names = ("trial_id", *_HEADLINE, *changing, *(m for m in METRICS if m not in _HEADLINE))
    data = {
        "columns": [
            {
                "name": name,
                "title": METRICS[name][0] if name in METRICS else name,
                "digits": METRICS[name][1] if name in METRICS else None,
                "parameter": name in changing,
            }
            for name in names
        ],
        "rows": [[_value(cell) for cell in row] for row in _rows(result.table, names)],
    }
    return write_template(
        "grid.html.j2",
        "grid.js",
        path,
        simulated=result.simulated,
        heading=f"{plural(result.trials, 'trial')} on {underlyings(result)}",
        sentence=luck_sentence(result),
        fixed=fixed_ones,
        changing=list(changing),
        extremes=[
            (title, [_line(row, changing) for row in rows]) for title, rows in extremes(result)
        ],
        headings=(
            "trial",
            "Sharpe ratio",
            interval_heading(result.level),
            "growth a year",
            "max. drawdown",
            *changing,
        ),
        data=data,
    )


def underlyings(result: GridResult) -> str:
    """Return what a grid is about: names, or how many of a universe."""
    if result.portfolios is not None:
        return plural(len(result.underlyings), "underlying")
    return ", ".join(result.underlyings)


def varying(result: GridResult) -> tuple[str, ...]:
    """Return the parameters that are not the same in every trial."""
    table = result.table
    return tuple(name for name in result.parameters if table[name].nunique(dropna=False) > 1)


def extremes(result: GridResult, most: int = 10) -> list[tuple[str, list[dict[str, Any]]]]:
    """Return the best and the worst trials by Sharpe ratio; undefined ones are neither."""
    table = result.table[result.table["sharpe"].notna()]
    ordered = table.sort_values(["sharpe", "trial_id"], ascending=[False, True], kind="stable")
    best = ordered.head(most).to_dict("records")
    worst = ordered.tail(min(most, max(len(ordered) - len(best), 0))).to_dict("records")
    found = [("The best", best)]
    if worst:
        found.append(("The worst", worst))
    return [(title, [{str(k): v for k, v in row.items()} for row in rows]) for title, rows in found]


def _line(row: dict[str, Any], changing: Sequence[str]) -> list[str]:
    """Return the cells of a trial in the short table."""
    return [
        str(row["trial_id"]),
        fixed(row["sharpe"]),
        interval(row["sharpe_low"], row["sharpe_high"]),
        percent(row["cagr"]),
        percent(row["max_drawdown"]),
        *("–" if _value(row[name]) is None else str(_value(row[name])) for name in changing),
    ]


def _rows(table: pd.DataFrame, names: Sequence[str]) -> list[tuple[Any, ...]]:
    return list(zip(*(table[name].tolist() for name in names), strict=True))


def _value(cell: Any) -> Any:
    """Return a cell as JSON has it; undefined is None."""
    if cell is None or type(cell).__name__ in {"NAType", "NaTType"}:
        return None
    if isinstance(cell, float):
        return cell if math.isfinite(cell) else None
    return shown(cell) if isinstance(cell, str) else cell
