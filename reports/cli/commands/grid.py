"""``gexlab grid``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...terminal.output import emit
from ...terminal.progress import progress_on_stderr
from ..options import (
    AsOfOption,
    ConfigArgument,
    DebugOption,
    JsonOption,
    OutOption,
    SchedulerOption,
    WorkersOption,
)

if TYPE_CHECKING:
    from pathlib import Path

    from rich.console import Console

    from ....backtest import GridResult

EXAMPLES = (
    "gexlab grid config.toml --out out",
    "gexlab grid config.toml --out out --workers 4",
)


def command(
    config: ConfigArgument,
    out: OutOption,
    as_of: AsOfOption = None,
    workers: WorkersOption = 1,
    scheduler: SchedulerOption = None,
    as_json: JsonOption = False,
    debug: DebugOption = False,
) -> None:
    """Evaluate every combination of the section [grid].

    Writes trials.parquet (one row per trial), grid.json and grid.html. An interrupted run resumes;
    only trials whose parameters, data or code changed are computed again. With [grid.long_short]
    the trials are long-short portfolios of a universe's names.
    """
    from ....backtest import Store, grid_as_of, grid_document, load_grid, run_grid, write_grid
    from ....data import Workers, published
    from ...page.grid_page import write_grid_page

    crew = Workers(workers, scheduler)
    settings = grid_as_of(load_grid(config), as_of)
    store = Store(out)
    with progress_on_stderr("grid") as progress, published(out) as stage:
        result = run_grid(settings, store, workers=crew, progress=progress)
        write_grid(result, stage)
        write_grid_page(result, stage / "grid.html")
    store.clear()
    report = out / "grid.html"
    document = grid_document(result) | {"report": report}
    emit(document, as_json, lambda console: _show(console, result, report))


def _show(console: Console, result: GridResult, report: Path) -> None:
    from ...terminal.grid import grid_text

    console.print(grid_text(result))
    console.print(f"report: {report}", style="bold", markup=False)
