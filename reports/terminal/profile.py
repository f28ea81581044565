"""The gamma profile of one session in the terminal: facts, and bars around spot."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from rich.console import Group
from rich.table import Table
from rich.text import Text

from ..page.formats import day, fixed, is_defined, level
from ..page.sections.explanation import (
    contracts_table,
    decisions_table,
    definitions_table,
    disagreement,
    findings_table,
    roots_table,
)
from ..page.sections.profile import MARKS, facts_of, sentence_of, unit_of
from ..page.sections.story import change_table, future_table
from ..page.sections.words import regime
from .tables import simple_table, table_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

    from ..session.audit import Decision
    from ..session.picture import SessionPicture
    from ..session.story import SessionStory

__all__ = ["explanation_text", "profile_text"]

_ROWS = 21
_NEAR = 0.06
_STYLE = {"long": "blue", "short": "dark_orange3"}


def profile_text(picture: SessionPicture, width: int) -> Group:
    """Return the facts and a bar chart of net gamma by strike, `width` characters wide."""
    row = picture.row
    head = Text(f"{row['underlying']} {day(row['session'])}  {regime(row['regime'])}", style="bold")
    return Group(
        head, Text(sentence_of(picture)), Text(), _facts(picture), Text(), _bars(picture, width)
    )


def explanation_text(
    picture: SessionPicture, story: SessionStory, decisions: Sequence[Decision]
) -> Group:
    """Return the facts and the tables of ``gexlab explain``, largest contracts first."""
    row = picture.row
    head = Text(f"{row['underlying']} {day(row['session'])}  {regime(row['regime'])}", style="bold")
    tables = [contracts_table(picture), roots_table(picture), findings_table(picture)]
    against = [row for row in definitions_table(picture).rows if row.tone]
    if against:
        tables.insert(2, replace(definitions_table(picture), rows=tuple(against)))
    if story.change is not None:
        tables.append(change_table(story.change, story.sign))
    tables.append(future_table(story.structure, story.sign))
    if decisions:
        tables.append(decisions_table(decisions, picture.sign))
    parts = [part for table in tables if table.rows for part in (Text(), table_of(table, most=10))]
    about = Text(disagreement(picture))
    return Group(head, Text(sentence_of(picture)), Text(), _facts(picture), Text(), about, *parts)


def _facts(picture: SessionPicture) -> Table:
    table = Table(box=None, show_header=False, pad_edge=False)
    facts = facts_of(picture)
    half = (len(facts) + 1) // 2
    for left, right in zip(facts[:half], (*facts[half:], None), strict=False):
        cells = [left.label, left.value]
        cells += [right.label, right.value] if right else ["", ""]
        table.add_row(*cells)
    table.columns[0].style = table.columns[2].style = "dim"
    return table


def _bars(picture: SessionPicture, width: int) -> Table:
    """Return net gamma of strikes around spot, bundled to at most `_ROWS` lines."""
    spot = float(picture.row["spot"])
    bundles = _bundles(picture.strikes, spot)
    largest = max((abs(net) for _, net in bundles), default=0.0) or 1.0
    marks = _marks(picture.row, [strike for strike, _ in bundles])
    taken = max((len(mark) for mark in marks.values()), default=0)
    space = max((width - 24 - taken) // 2, 8)
    scale, unit = unit_of([net for _, net in bundles], picture.sign)
    amount = f"net GEX, {unit} / 1 %"
    table = simple_table("strike", amount, "", "", right=(amount,))
    table.columns[2].justify = "right"
    for strike, net in reversed(bundles):
        bar = "█" * round(space * abs(net) / largest)
        left = Text(bar if net < 0 else "", style=_STYLE["short"])
        right = Text(bar if net >= 0 else "", style=_STYLE["long"])
        mark = marks.get(strike, "")
        table.add_row(
            Text(level(strike) + mark, style="bold" if mark else ""),
            fixed(net / scale),
            left,
            right,
        )
    return table


def _marks(row: dict[str, Any], strikes: list[float]) -> dict[float, str]:
    """Return what to write beside the strikes that are nearest to spot, flip and walls."""
    names: dict[float, list[str]] = {}
    for key, name, _, _ in MARKS:
        if strikes and is_defined(row[key]) and strikes[0] <= row[key] <= strikes[-1]:
            nearest = min(strikes, key=lambda strike: abs(strike - row[key]))
            names.setdefault(nearest, []).append(name)
    return {strike: " ◂ " + ", ".join(found) for strike, found in names.items()}


def _bundles(strikes: pd.DataFrame, spot: float) -> list[tuple[float, float]]:
    """Return (strike, net) with neighbouring strikes added up where there are too many."""
    near = strikes[(strikes["strike"] / spot - 1.0).abs() <= _NEAR]
    pairs = list(zip(near["strike"].tolist(), near["net_gex"].tolist(), strict=True))
    size = -(-len(pairs) // _ROWS) if pairs else 1
    groups = [pairs[i : i + size] for i in range(0, len(pairs), size)]
    return [(group[len(group) // 2][0], sum(net for _, net in group)) for group in groups]
