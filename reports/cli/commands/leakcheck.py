"""``gexlab leakcheck``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from ...terminal.output import emit
from ..options import AsOfOption, ConfigArgument, DebugOption, JsonOption

if TYPE_CHECKING:
    from rich.console import Console

    from ....backtest import LeakResult

EXAMPLES = ("gexlab leakcheck config.toml", "gexlab leakcheck config.toml --json")


def command(
    config: ConfigArgument,
    cuts: Annotated[
        int, typer.Option("--cuts", min=1, help="Number of sessions at which the data are cut off.")
    ] = 25,
    as_of: AsOfOption = None,
    as_json: JsonOption = False,
    debug: DebugOption = False,
) -> None:
    """Look for look-ahead in data, filters and rules.

    Compares time stamps, recomputes every decision from data cut off at a session, and traces
    values of later sessions. Exit code 1 if there is a leak.
    """
    from ....backtest import leakcheck

    result = leakcheck(config, cuts=cuts, as_of=as_of)
    emit(result, as_json, lambda console: _show(console, result))
    if result.leaks:
        raise typer.Exit(1)


def _show(console: Console, result: LeakResult) -> None:
    from ...page.formats import day, plural
    from ...terminal.tables import simple_table

    found = plural(len(result.leaks), "leak")
    of = f"; definition {result.definition_id}" if result.definition_id else ""
    console.print(f"{found} in {plural(result.checked, 'check')}{of}")
    if result.leaks:
        table = simple_table("input", "first session", "kind", "what")
        for leak in result.leaks:
            table.add_row(leak.input, day(leak.session), leak.kind.replace("_", " "), leak.detail)
        console.print(table)
