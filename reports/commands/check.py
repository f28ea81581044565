"""``gexlab check``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ..options import DebugOption, JsonOption, LakeOption
from ..output import emit

if TYPE_CHECKING:
    from rich.console import Console

    from ...data.quality import CheckResult

EXAMPLES = ("gexlab check --lake lake", "gexlab check --lake lake --underlying SPX --json")


def command(
    lake: LakeOption,
    underlying: Annotated[
        str | None, typer.Option("--underlying", metavar="X", help="All of the lake unless named.")
    ] = None,
    thresholds: Annotated[
        Path | None,
        typer.Option("--thresholds", metavar="FILE.toml", help="When something is a finding."),
    ] = None,
    as_json: JsonOption = False,
    debug: DebugOption = False,
) -> None:
    """Look for whatever is wrong with the lake's chains.

    Each finding has a severity, a count and the open interest it touches. A finding is no
    failure of the command: the exit code stays 0.
    """
    from ...data.lake import open_lake
    from ...data.quality import check
    from ..choices import thresholds_from

    result = check(open_lake(lake), underlying, thresholds=thresholds_from(thresholds))
    emit(result, as_json, lambda console: _show(console, result))


def _show(console: Console, result: CheckResult) -> None:
    from ..formats import plural
    from ..terminal import findings_table

    for name, found in result.findings.items():
        sessions = plural(result.sessions[name], "session")
        console.print(f"[bold]{name}[/bold]: {plural(len(found), 'finding')} in {sessions}")
        if found:
            console.print(findings_table(found))
