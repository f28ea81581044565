"""``gexlab ingest``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ...terminal.output import emit
from ...terminal.progress import progress_on_stderr
from ..options import (
    DebugOption,
    JsonOption,
    LakeOption,
    SchedulerOption,
    SettingsOption,
    UnderlyingsOption,
    WorkersOption,
)

if TYPE_CHECKING:
    from rich.console import Console

    from ....data import IngestResult
    from ...terminal.fitting import FittingTable

EXAMPLES = (
    "gexlab ingest chains/*.parquet --vendor columns --map map.toml --underlying SPX --lake lake",
    "gexlab ingest us.parquet --vendor columns --map us.toml --underlying '*' --lake lake",
    "gexlab ingest us.parquet --vendor columns --map us.toml --underlying '*' --lake lake "
    "--workers 2",
    "gexlab ingest quotes.csv --vendor cboe_quote_table --underlying SPX --lake lake --dry-run",
)


def command(
    paths: Annotated[
        list[str], typer.Argument(metavar="PATH...", help="Files, folders, archives or globs.")
    ],
    vendor: Annotated[str, typer.Option("--vendor", help="Name of the vendor's format.")],
    underlying: UnderlyingsOption,
    lake: LakeOption,
    mapping: Annotated[
        Path | None,
        typer.Option("--map", metavar="FILE.toml", help="Column map, for the vendor columns."),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Read, check and count; write nothing.")
    ] = False,
    allow_rejects: Annotated[
        bool,
        typer.Option("--allow-rejects", help="Write the accepted rows even if most are rejected."),
    ] = False,
    settings: SettingsOption = None,
    workers: WorkersOption = 1,
    scheduler: SchedulerOption = None,
    as_json: JsonOption = False,
    debug: DebugOption = False,
) -> None:
    """Read vendor files into the lake, all of them or none.

    Files that name the underlyings of their rows are read once for all of them; each enters the
    lake under its own name (capitals matter).
    Every rejected row is counted by its reason. Files that the lake already holds are skipped;
    changed files replace their rows.
    """
    from ....data import Workers, ingest

    with progress_on_stderr("ingest") as progress:
        result = ingest(
            paths,
            vendor=vendor,
            underlying=underlying,
            lake=lake,
            mapping=mapping,
            dry_run=dry_run,
            allow_rejects=allow_rejects,
            settings=settings,
            workers=Workers(workers, scheduler),
            progress=progress,
        )
    emit(result, as_json, lambda console: _show(console, result))


def _show(console: Console, result: IngestResult) -> None:
    from ...page.formats import count, plural
    from ...terminal.tables import assumed_table

    would = "would be written" if result.dry_run else "written"
    console.print(
        f"{plural(result.rows_read, 'row')} read, {count(result.rows_written)} {would} in "
        f"{plural(result.sessions, 'session')}, {count(result.rows_rejected)} rejected"
    )
    for reason, number in sorted(result.rejects.items()):
        console.print(f"  {reason.replace('_', ' ')}: {count(number)}")
    for line in _left_out(result):
        console.print(line, highlight=False, markup=False)
    if result.by_underlying:
        console.print(_by_underlying(result))
    if result.assumed:
        console.print(assumed_table(result.assumed))
    if result.settings_unused:
        console.print(f"settings of others: {', '.join(result.settings_unused)}", style="yellow")
    for row in result.first_rows:
        said = ", ".join(f"{k} {v}" for k, v in row.items() if v is not None and k != "source")
        console.print(f"  {said}", highlight=False, markup=False)
    if result.files_unchanged:
        unchanged = plural(result.files_unchanged, "file")
        console.print(f"{unchanged} already in the lake", style="dim")


def _by_underlying(result: IngestResult) -> FittingTable:
    """Return one line an underlying."""
    from ...page.formats import count
    from ...terminal.tables import simple_table

    table = simple_table("underlying", "sessions", "rows read", "written", "rejected", "why")
    for name, one in result.by_underlying.items():
        why = ", ".join(f"{k.replace('_', ' ')} {count(v)}" for k, v in one.rejects.items())
        table.add_row(name, count(one.sessions), count(one.rows_read), count(one.rows_written),
                      count(one.rows_rejected), why)  # fmt: skip
    return table


def _left_out(result: IngestResult) -> list[str]:
    """Return a line for whatever did not enter the lake, or not as the files have it."""
    from ...page.formats import count, plural

    lines = []
    if result.rows_of_others:
        named = ", ".join(f"{name} {count(n)}" for name, n in result.others.items())
        lines.append(f"  of other underlyings, left out: {count(result.rows_of_others)} ({named})")
    if result.unusable:
        named = ", ".join(result.unusable)
        lines.append(f"  among them no usable names (the map's [aliases] gives others): {named}")
    if result.rows_left_out:
        lines.append(f"  not asked for by [where], left out: {count(result.rows_left_out)}")
    if result.rows_repeated:
        lines.append(f"  repetitions of another row, written once: {count(result.rows_repeated)}")
    lines += _made_or_missing(result)
    for name, number in result.unmatched.items():
        if number:
            lines.append(f"  without a match in join {name}: {count(number)}")
    if result.files_empty:
        lines.append(f"  {plural(result.files_empty, 'file')} without rows")
    if result.ignored:
        named = ", ".join(path.rpartition("/")[2] for path in result.ignored[:10])
        more = f" and {len(result.ignored) - 10} more" if len(result.ignored) > 10 else ""
        lines.append(f"  {plural(len(result.ignored), 'file')} ignored: {named}{more}")
    lines += [f"  changes in time: {change}" for change in result.changes]
    return lines


def _made_or_missing(result: IngestResult) -> list[str]:
    """Return a line for what no file states, and for what was taken as unknown."""
    from ....data import implied_spot_sentence
    from ...page.formats import count

    lines = []
    if result.spots_implied:
        said = implied_spot_sentence(result.spots_implied, result.sessions)
        lines.append(f"  {said}")
    if result.volatilities_outside:
        few = 2 * result.volatilities_outside < result.rows_written
        hint = "" if few else "; if they are in percent, say so in the map: [scale] iv = 0.01"
        lines.append(
            "  volatilities outside 0.01 ... 10, taken as unknown: "
            f"{count(result.volatilities_outside)}{hint}"
        )
    if result.without:
        named = " and ".join(name.replace("_", " ") for name in result.without)
        lines.append(
            f"  no row has {named}, so that these sessions have no regime: map the column, or "
            f"take it from another file with [join.{result.without[0]}] (docs/lake.md)"
        )
    return lines
