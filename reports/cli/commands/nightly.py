"""``gexlab nightly``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from ...terminal.output import emit
from ...terminal.progress import progress_on_stderr
from ..options import ConfigArgument, DebugOption, JsonOption, PdfOption, PngOption

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.console import Console

    from ...nightly.nightly import NightlyResult

EXAMPLES = ("gexlab nightly config.toml", "gexlab nightly config.toml --as-of 2026-07-01")

#: Differences of a replay that the terminal shows; the document has all.
_SHOWN = 20


def command(
    config: ConfigArgument,
    as_of: Annotated[
        str | None,
        typer.Option(
            "--as-of",
            metavar="DATE",
            help="Make the night of that session again from what it read; nothing is ingested.",
        ),
    ] = None,
    pdf: PdfOption = False,
    png: PngOption = False,
    as_json: JsonOption = False,
    debug: DebugOption = False,
) -> None:
    """Ingest what is new, rebuild what changed, backtest, report, publish the night.

    Run it as often as you like: no work is repeated, and an interrupted night resumes. The section
    [nightly] of the configuration says what to ingest. Exit code 0: a fresh night; 3: nothing new;
    4: data stale, refused or missing, whatever else is true; 1: failed.

    With --as-of an archived night is replayed to the same bytes, from the lake's version and the
    stored inputs that it read; live record, newer nights and latest stay as they are. Where none
    of that date is archived, the lake as it was at the date's end is read.
    """
    from ...nightly.nightly import nightly

    with progress_on_stderr("nightly") as progress:
        result = nightly(config, as_of=as_of, pdf=pdf, png=png, progress=progress)
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
    if result.replay is not None:
        console.print(result.replay.told)
        for found in result.replay.differences[:_SHOWN]:
            console.print(f"{found.kind} {found.name}: {found.first} then, {found.second} now")
        console.print(f"report: {result.report}")
        return
    for told in _beside(result):
        console.print(told)
    if result.made_again:
        console.print(f"made again: {result.made_again}")
    state = "new report" if result.ran else "nothing has changed; report"
    console.print(f"{state}: {result.report}")


def _beside(result: NightlyResult) -> Iterator[str]:
    """Yield a line for each side work that stands, and for each message that was sent."""
    for work in result.beside:
        if work.page:
            yield f"{work.name} of {work.session}: {result.folder.parent / work.page}"
    for told in result.deliveries:
        if told.status == "sent":
            yield f"{told.name} sent"
