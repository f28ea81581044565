"""The gamma profile of one session in the terminal: facts, and bars around spot."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from rich.console import Group
from rich.text import Text

from ..page.formats import day, fixed, is_defined
from ..page.sections.explanation import (
    contracts_table,
    decisions_table,
    definitions_table,
    disagreement,
    findings_table,
    roots_table,
)
from ..page.sections.profile import MARKS, carry_warnings, facts_of, sentence_of, unit_of
from ..page.sections.story import change_table, future_table
from ..page.sections.words import regime
from .fitting import FittingTable, plain_text
from .tables import table_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

    from ..session.audit import Decision
    from ..session.picture import SessionPicture
    from ..session.story import SessionStory

__all__ = ["explanation_text", "profile_text"]

_ROWS = 21
#: Rows of a table of ``gexlab explain``.
_LINES = 10
_NEAR = 0.06
_STYLE = {"long": "blue", "short": "dark_orange3"}


def profile_text(picture: SessionPicture, width: int) -> Group:
    """Return the facts and a bar chart of net gamma by strike, `width` characters wide."""
    row = picture.row
    head = plain_text(
        f"{row['underlying']} {day(row['session'])}  {regime(row['regime'])}", style="bold"
    )
    return Group(
        head,
        plain_text(sentence_of(picture)),
        *_carry(picture),
        Text(),
        _facts(picture),
        Text(),
        _bars(picture, width),
    )


def explanation_text(
    picture: SessionPicture, story: SessionStory, decisions: Sequence[Decision]
) -> Group:
    """Return the facts and the tables of ``gexlab explain``, largest contracts first."""
    row = picture.row
    head = plain_text(
        f"{row['underlying']} {day(row['session'])}  {regime(row['regime'])}", style="bold"
    )
    tables = [contracts_table(picture, _LINES), roots_table(picture), findings_table(picture)]
    against = [row for row in definitions_table(picture).rows if row.tone]
    if against:
        tables.insert(2, replace(definitions_table(picture), rows=tuple(against)))
    if story.change is not None:
        tables.append(change_table(story.change, story.sign))
    tables.append(future_table(story.structure, story.sign))
    if decisions:
        tables.append(decisions_table(decisions, picture.sign))
    parts = [
        part for table in tables if table.rows for part in (Text(), table_of(table, most=_LINES))
    ]
    about = plain_text(disagreement(picture))
    opening = (head, plain_text(sentence_of(picture)), *_carry(picture))
    return Group(*opening, Text(), _facts(picture), Text(), about, *parts)


def _carry(picture: SessionPicture) -> list[Text]:
    return [plain_text(sentence, style="yellow") for sentence in carry_warnings(picture)]


def _facts(picture: SessionPicture) -> FittingTable:
    table = FittingTable(("",) * 4, header=False, styles=("dim", "", "dim", ""))
    facts = facts_of(picture)
    half = (len(facts) + 1) // 2
    for left, right in zip(facts[:half], (*facts[half:], None), strict=False):
        cells = [left.label, left.value]
        cells += [right.label, right.value] if right else ["", ""]
        table.add_row(*cells)
    return table


def _bars(picture: SessionPicture, width: int) -> FittingTable:
    """Return net gamma of strikes around spot, bundled to at most `_ROWS` lines."""
    spot = float(picture.row["spot"])
    bundles, size = _bundles(picture.strikes, spot, _named_strikes(picture.row))
    largest = max((abs(net) for _, net in bundles), default=0.0) or 1.0
    marks = _marks(picture.row, [strike for strike, _ in bundles])
    labels = {strike: strike_label(strike) + marks.get(strike, "") for strike, _ in bundles}
    taken = max((len(label) for label in labels.values()), default=0)
    scale, unit = unit_of([net for _, net in bundles], picture.sign)
    amount = f"net GEX, {unit} / 1 %"
    space = max((width - taken - len(amount) - 6) // 2, 4)
    title = f"each row adds up {size} neighbouring strikes" if size > 1 else None
    table = FittingTable(("strike", amount, "", ""), right=(False, True, True, False), title=title)
    for strike, net in reversed(bundles):
        bar = "█" * round(space * abs(net) / largest)
        left = plain_text(bar if net < 0 else "", style=_STYLE["short"])
        right = plain_text(bar if net >= 0 else "", style=_STYLE["long"])
        style = "bold" if strike in marks else ""
        table.add_row(plain_text(labels[strike], style=style), fixed(net / scale), left, right)
    return table


def strike_label(strike: float) -> str:
    """Return a strike with all of its decimals.

    Examples
    --------
    >>> strike_label(4350.0), strike_label(41.125), strike_label(1234.25)
    ('4,350', '41.125', '1,234.25')
    """
    whole, _, decimals = f"{strike:,.6f}".rstrip("0").partition(".")
    return f"{whole}.{decimals}" if decimals else whole


def _named_strikes(row: dict[str, Any]) -> set[float]:
    """Return the strikes that the facts name: walls and pin."""
    names = ("call_wall", "put_wall", "pin_strike")
    return {float(row[name]) for name in names if is_defined(row.get(name))}


def _marks(row: dict[str, Any], strikes: list[float]) -> dict[float, str]:
    """Return what to write beside the strikes that are nearest to spot, flip and walls."""
    names: dict[float, list[str]] = {}
    for key, name, _, _ in MARKS:
        if strikes and is_defined(row[key]) and strikes[0] <= row[key] <= strikes[-1]:
            nearest = min(strikes, key=lambda strike: abs(strike - row[key]))
            names.setdefault(nearest, []).append(name)
    return {strike: " ◂ " + ", ".join(found) for strike, found in names.items()}


def _bundles(
    strikes: pd.DataFrame, spot: float, named: set[float]
) -> tuple[list[tuple[float, float]], int]:
    """Return (strike, net), and how many neighbouring strikes are added up in each.

    A bundle goes by one of its own strikes: a wall's where it holds one, else the largest.
    """
    near = strikes[(strikes["strike"] / spot - 1.0).abs() <= _NEAR].sort_values("strike")
    pairs = list(zip(near["strike"].tolist(), near["net_gex"].tolist(), strict=True))
    size = -(-len(pairs) // _ROWS) if pairs else 1
    groups = [pairs[i : i + size] for i in range(0, len(pairs), size)]
    found = []
    for group in groups:
        label = max(group, key=lambda pair: (pair[0] in named, abs(pair[1])))[0]
        found.append((label, sum(net for _, net in group)))
    return found, size
