"""What the lake holds through time: contracts, open interest, and what was missing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..charts import axis, figure, layout, line
from ..formats import DASH, count, day, percent
from ..views import SEVERITY_TONES, Column, Figure, Row, Section, Table, text_column

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

    from ....data import Finding

__all__ = ["coverage_figure", "coverage_section", "lake_findings_table"]


def coverage_section(coverage: pd.DataFrame, found: Sequence[Finding]) -> Section:
    """Return the coverage of the chains through time, and what was found in them."""
    return Section(
        "coverage",
        "Coverage of the chains",
        figures=(coverage_figure(coverage),),
        tables=(lake_findings_table(found),),
    )


def coverage_figure(coverage: pd.DataFrame) -> Figure:
    """Return contracts per session, and the shares of them that can be used."""
    days = [day(session) for session in coverage["session"]]
    data = [
        line(days, coverage["contracts"], "contracts", "ink", 1.4),
        _share(days, coverage["volatility_known"], "with volatility", "series-2"),
        _share(days, coverage["two_sided"], "quoted on both sides", "series-4"),
        _share(days, coverage["open_interest_known"], "open interest known", "series-3"),
    ]
    shape = layout(
        xaxis=axis(anchor="y2", showgrid=False, type="date"),
        yaxis=axis("contracts", domain=[0.46, 1], rangemode="tozero", tickformat=","),
        yaxis2=axis("share, %", domain=[0, 0.38], range=[0, 104]),
    )
    caption = "Contracts in each session's chain, and the shares of them that can be used."
    return Figure("fig-coverage", _last_in_words(coverage), caption, figure(data, shape), 400)


def _last_in_words(coverage: pd.DataFrame) -> str:
    if coverage.empty:
        return "No chain in the period."
    last = coverage.iloc[-1]
    return (
        f"{count(last['contracts'])} contracts in the last chain, "
        f"{percent(last['volatility_known'], 0)} with a volatility."
    )


def _share(days: list[str], values: pd.Series[float], name: str, colour: str) -> dict[str, object]:
    hover = {"hovertemplate": "%{y:.1f} %", "yaxis": "y2"}
    return line(days, values * 100.0, name, colour, 1.3, **hover)


def lake_findings_table(found: Sequence[Finding]) -> Table:
    """Return what a check of the lake found, one row per check."""
    by_check: dict[str, list[Finding]] = {}
    for finding in found:
        by_check.setdefault(finding.check, []).append(finding)
    columns = (
        text_column("Check"),
        text_column("Severity"),
        Column("Sessions"),
        text_column("First"),
        text_column("Last"),
        text_column("The first one"),
    )
    order = {"error": 0, "warning": 1, "info": 2}
    groups = sorted(by_check.values(), key=lambda group: order[group[0].severity])
    rows = tuple(_group(group) for group in groups)
    return Table("tab-lake-findings", "Findings in chains, bars and series", columns, rows)


def _group(group: Sequence[Finding]) -> Row:
    days = sorted({f.session for f in group if f.session is not None})
    first, last = (day(days[0]), day(days[-1])) if days else (DASH, DASH)
    name = group[0].check.replace("_", " ")
    severity = group[0].severity
    sessions = count(len(days)) if days else DASH
    cells = (name, severity, sessions, first, last, group[0].detail)
    return Row(cells, SEVERITY_TONES.get(severity, ""))
