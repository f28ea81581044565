"""``gexlab check``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ...terminal.output import emit
from ..options import (
    AsOfOption,
    BarsColumnsOption,
    DebugOption,
    JsonOption,
    LakeOption,
    SettingsOption,
)

if TYPE_CHECKING:
    from rich.console import Console

    from ....data import CheckResult

EXAMPLES = (
    "gexlab check --lake lake",
    "gexlab check --lake lake --underlying SPX --json",
    "gexlab check --lake lake --underlying SPX --bars spx.csv --bars-columns close=c",
)


def command(
    lake: LakeOption,
    underlying: Annotated[
        str | None,
        typer.Option(
            "--underlying",
            metavar="X|X,Y|'A*'",
            help="Underlying, several with commas, or a pattern; default: every one in the lake.",
        ),
    ] = None,
    thresholds: Annotated[
        Path | None,
        typer.Option(
            "--thresholds", metavar="FILE.toml", help="Limits above which a check is a finding."
        ),
    ] = None,
    bars: Annotated[
        Path | None,
        typer.Option(
            "--bars", metavar="FILE", help="Daily bars, to compare spots with their closes."
        ),
    ] = None,
    bars_columns: BarsColumnsOption = None,
    rate: Annotated[
        float, typer.Option("--rate", metavar="R", help="Continuous rate, as for rebuild.")
    ] = 0.0,
    dividend_yield: Annotated[
        float,
        typer.Option("--dividend-yield", metavar="Q", help="Continuous yield, as for rebuild."),
    ] = 0.0,
    settings: SettingsOption = None,
    as_of: AsOfOption = None,
    as_json: JsonOption = False,
    debug: DebugOption = False,
) -> None:
    """Check the lake's chains and report data quality findings.

    Each finding has a severity, a count and the open interest it touches. A finding is no
    failure of the command: the exit code stays 0.

    With daily bars, spots are also held against the official closes (spot_off_close), in the
    sessions that both have. The bars are checked too: what contradicts its neighbours is a finding
    and is compared with nothing.
    """
    from ....data import check, chosen, is_several, open_lake, with_findings
    from ..arguments import thresholds_from
    from ..daily_bars import closes_from

    opened = open_lake(lake, as_of=as_of)
    one = underlying
    if underlying is not None and is_several(underlying):
        names = chosen(underlying, opened.underlyings())
        one = names[0] if len(names) == 1 else None
    daily = closes_from(bars, bars_columns, opened, one)
    result = check(
        opened,
        underlying,
        thresholds=thresholds_from(thresholds),
        bars=None if daily is None else daily.frame.dropna(subset=["close"]),
        rate=rate,
        dividend_yield=dividend_yield,
        settings=settings,
    )
    if daily is not None:
        result = with_findings(result, daily.findings)
    emit(_listed(result), as_json, lambda console: _show(console, result))


def _listed(result: CheckResult) -> list[dict[str, Any]]:
    """Return one entry a finding, of all underlyings."""
    return [
        {
            "finding": found.check,
            "severity": found.severity,
            "underlying": name,
            "session": found.session,
            "count": found.count,
            "example": found.detail,
            "open_interest": found.open_interest,
            "field": found.field,
        }
        for name, each in result.findings.items()
        for found in each
    ]


def _show(console: Console, result: CheckResult) -> None:
    from ...page.formats import plural
    from ...terminal.tables import findings_table

    for name, found in result.findings.items():
        sessions = plural(result.sessions[name], "session")
        console.print(f"{name}: {plural(len(found), 'finding')} in {sessions}")
        if found:
            console.print(findings_table(found))
