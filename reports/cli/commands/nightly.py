"""``gexlab nightly``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from ...terminal.output import emit
from ...terminal.progress import progress_on_stderr
from ..options import ConfigArgument, DebugOption, JsonOption, PdfOption, PngOption

if TYPE_CHECKING:
    from rich.console import Console

    from ...nightly.nightly import NightlyResult

EXAMPLES = ("gexlab nightly config.toml",)


def command(
    config: ConfigArgument,
    pdf: PdfOption = False,
    png: PngOption = False,
    as_json: JsonOption = False,
    debug: DebugOption = False,
) -> None:
    """Ingest what is new, rebuild what changed, backtest, report, publish the night.

    Run it as often as you like: no work is repeated, and an interrupted night resumes. The section
    [nightly] of the configuration says what to ingest. Exit code 0: a fresh night; 3: nothing new;
    4: data stale, refused or missing, whatever else is true; 1: failed.
    """
    from ...nightly.nightly import nightly

    with progress_on_stderr("nightly") as progress:
        result = nightly(config, pdf=pdf, png=png, progress=progress)
    emit(result, as_json, lambda console: _show(console, result))
    if result.exit_code:
        raise typer.Exit(result.exit_code)


def _show(console: Console, result: NightlyResult) -> None:
    from ...page.formats import count, plural
    from ...page.sections.words import regime

    for alert in result.alerts:
        console.print(alert, style="bold red")
    if result.ingested is not None:
        unchanged = plural(result.ingested.files_unchanged, "file")
        rows = plural(result.ingested.rows_written, "row")
        console.print(f"ingested {rows}; already in the lake: {unchanged}")
    if result.rebuilt is not None:
        console.print(
            f"rebuilt {count(result.rebuilt.rebuilt)} of "
            f"{plural(result.rebuilt.sessions, 'session')}; definition "
            f"{result.rebuilt.definition_id}"
        )
    for file in result.put_aside:
        console.print(f"put aside {file.file}: {file.reason}", style="yellow")
    why = "" if result.quality == "ok" else f" ({result.quality.replace('_', ' ')})"
    console.print(f"{result.last_session}: {regime(result.regime)}{why}", style="bold")
    line = result.summary.removeprefix(". ".join(result.alerts)).removeprefix(". ")
    console.print(line)
    for sentence in result.carry:
        console.print(sentence, style="yellow")
    state = "new report" if result.ran else "nothing has changed; report"
    console.print(f"{state}: {result.report}")
