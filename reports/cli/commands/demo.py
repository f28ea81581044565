"""``gexlab demo``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ...terminal.output import emit
from ...terminal.progress import progress_on_stderr
from ..options import DebugOption, JsonOption

if TYPE_CHECKING:
    from rich.console import Console

    from ..demo import DemoResult

EXAMPLES = ("gexlab demo", "gexlab demo --out out/demo")


def command(
    out: Annotated[
        Path, typer.Option("--out", metavar="DIR", help="Folder for lake, results and report.")
    ] = Path("out/demo"),
    as_json: JsonOption = False,
    debug: DebugOption = False,
) -> None:
    """Run the whole job on a simulated market whose truth is known.

    Chains, regimes, backtest, volatility and report, in under a minute; ends with the path of
    the report and the truth next to what was found.
    """
    from ..demo import demo

    with progress_on_stderr("demo") as progress:
        done = demo(out, progress=progress)
    emit(_document(done), as_json, lambda console: _show(console, done))


def _document(done: DemoResult) -> dict[str, object]:
    return {
        "report": done.report,
        "config": done.config,
        "lake": done.market.lake,
        "simulated": True,
        "sessions": done.rebuilt.sessions,
        "contracts": done.market.contracts,
        "definition_id": done.rebuilt.definition_id,
        "truth": done.truth,
        "seconds": done.seconds,
    }


def _show(console: Console, done: DemoResult) -> None:
    from ...page.formats import fixed
    from ...page.sections.truth import truth_table
    from ...terminal.backtest import backtest_text
    from ...terminal.tables import table_of

    console.print(backtest_text(done.result))
    console.print()
    console.print(table_of(truth_table(done.truth)))
    console.print()
    console.print(f"Lake, configuration and results in {done.report.parent}", style="dim")
    console.print(f"Report after {fixed(done.seconds, 0)} s: {done.report}", style="bold")
