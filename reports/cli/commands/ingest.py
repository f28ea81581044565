"""``gexlab ingest``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ...terminal.output import emit
from ...terminal.progress import progress_on_stderr
from ..options import DebugOption, JsonOption, LakeOption, UnderlyingOption

if TYPE_CHECKING:
    from rich.console import Console

    from ....data.ingest.ingest import IngestResult

EXAMPLES = (
    "gexlab ingest chains/*.parquet --vendor columns --map map.toml --underlying SPX --lake lake",
    "gexlab ingest quotes.csv --vendor cboe_quote_table --underlying SPX --lake lake --dry-run",
)


def command(
    paths: Annotated[
        list[str], typer.Argument(metavar="PATH...", help="Files, folders, archives or globs.")
    ],
    vendor: Annotated[str, typer.Option("--vendor", help="Name of the vendor's format.")],
    underlying: UnderlyingOption,
    lake: LakeOption,
    mapping: Annotated[
        Path | None,
        typer.Option("--map", metavar="FILE.toml", help="Column map, for the vendor columns."),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Read, check and count; write nothing.")
    ] = False,
    as_json: JsonOption = False,
    debug: DebugOption = False,
) -> None:
    """Read vendor files into the lake, all of them or none.

    Every rejected row is counted by its reason. Files that the lake already holds are skipped;
    changed files replace their rows.
    """
    from ....data.ingest.ingest import ingest

    with progress_on_stderr("ingest") as progress:
        result = ingest(
            paths,
            vendor=vendor,
            underlying=underlying,
            lake=lake,
            mapping=mapping,
            dry_run=dry_run,
            progress=progress,
        )
    emit(result, as_json, lambda console: _show(console, result))


def _show(console: Console, result: IngestResult) -> None:
    from ...page.formats import count, plural

    would = "would be written" if result.dry_run else "written"
    console.print(
        f"{plural(result.rows_read, 'row')} read, {count(result.rows_written)} {would} in "
        f"{plural(result.sessions, 'session')}, {count(result.rows_rejected)} rejected"
    )
    for reason, number in sorted(result.rejects.items()):
        console.print(f"  {reason.replace('_', ' ')}: {count(number)}")
    if result.files_unchanged:
        unchanged = plural(result.files_unchanged, "file")
        console.print(f"{unchanged} already in the lake", style="dim")
