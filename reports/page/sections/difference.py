"""Two definitions side by side, as a page."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..charts import axis, bars, figure, layout
from ..formats import count, day, fixed, level, percent, plural
from ..views import Column, Fact, Figure, Page, Row, Section, Table, text_column
from . import words

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ....backtest import DiffResult

__all__ = ["changes_table", "difference_page", "summary_of"]


def difference_page(
    result: DiffResult,
    underlying: str,
    names: tuple[str, str],
    *,
    simulated: bool = False,
    warnings: Sequence[str] = (),
) -> Page:
    """Return the page of a comparison; `warnings` are about the bars that priced it."""
    mark = "SIMULATED: " if simulated else ""
    facts = (
        Fact("Sessions compared", count(result.sessions)),
        Fact("Regime differs", count(result.changed), _share(result)),
        Fact(f"Return by {names[0]}", percent(result.return_a, 2, sign=True), result.first_id),
        Fact(f"Return by {names[1]}", percent(result.return_b, 2, sign=True), result.second_id),
    )
    text = (
        "Returns are those of the main strategy on the sessions whose regime differs: decided at "
        f"the close, filled at the next close, held for one session, before costs, priced with "
        f"{_prices(result)}.",
    )
    figures = (_figure(result, names),) if result.changed else ()
    changes = Section(
        "changes",
        "Sessions that change",
        text,
        facts,
        figures,
        (_transitions(result), changes_table(result)),
        warnings=tuple(warnings),
    )
    return Page(
        title=f"{mark}{underlying}: {names[0]} against {names[1]}",
        heading=f"{underlying}: {names[0]} against {names[1]}",
        summary=summary_of(result),
        simulated=simulated,
        sections=(changes,),
    )


def summary_of(result: DiffResult) -> str:
    """Return the comparison in a sentence."""
    if not result.changed:
        return (
            f"The regimes of {_ids(result)} agree on all of {plural(result.sessions, 'session')}."
        )
    lacking = f" ({count(result.unpriced)} could not be priced)" if result.unpriced else ""
    return (
        f"Definitions {_ids(result)}: the regime differs on {count(result.changed)} of "
        f"{plural(result.sessions, 'session')} ({_share(result)}); on them{lacking} the main "
        f"strategy earned {percent(result.return_a, 2, sign=True)} under the first and "
        f"{percent(result.return_b, 2, sign=True)} under the second definition."
    )


def _ids(result: DiffResult) -> str:
    return f"{result.first_id} and {result.second_id}"


def _share(result: DiffResult) -> str:
    return percent(result.changed / result.sessions) if result.sessions else "–"


def _prices(result: DiffResult) -> str:
    return "the lake's own spots" if result.priced_with == "spot" else "the closes of the bars"


def _figure(result: DiffResult, names: tuple[str, str]) -> Figure:
    days = [day(session) for session in result.rows["session"]]
    data = [
        bars(days, result.rows["net_to_gross_a"], names[0], "series-2"),
        bars(days, result.rows["net_to_gross_b"], names[1], "series-3"),
    ]
    shape = layout(
        barmode="group",
        xaxis=axis(type="category", showgrid=False, nticks=12),
        yaxis=axis("net / gross", zeroline=True),
    )
    caption = "Net over gross on the sessions whose regime differs, under either definition."
    title = (
        f"The regime differs on {count(result.changed)} of {plural(result.sessions, 'session')}."
    )
    return Figure("fig-changes", title, caption, figure(data, shape), 340)


def _transitions(result: DiffResult) -> Table:
    rows = tuple(Row((name, count(n))) for name, n in result.transitions.items())
    columns = (text_column("From first to second"), Column("Sessions"))
    return Table("tab-transitions", "What becomes what", columns, rows)


def changes_table(result: DiffResult) -> Table:
    """Return one row per session whose regime differs."""
    columns = (
        text_column("Session"),
        text_column("First"),
        text_column("Second"),
        Column("Net / gross", "first"),
        Column("Net / gross", "second"),
        Column("Flip", "first"),
        Column("Flip", "second"),
        Column("Return", "first"),
        Column("Return", "second"),
    )
    rows = tuple(
        Row(
            (
                day(r["session"]),
                words.regime(str(r["regime_a"])),
                words.regime(str(r["regime_b"])),
                fixed(r["net_to_gross_a"], 3),
                fixed(r["net_to_gross_b"], 3),
                level(r["flip_a"]),
                level(r["flip_b"]),
                percent(r["return_a"], 2, sign=True),
                percent(r["return_b"], 2, sign=True),
            )
        )
        for r in result.rows.to_dict("records")
    )
    return Table("tab-changes", "Sessions whose regime differs", columns, rows)
