"""What a page shows, as plain values: text is final here, the template only arranges it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final, Literal

__all__ = [
    "SEVERITY_TONES",
    "Column",
    "Fact",
    "Figure",
    "Page",
    "Row",
    "Section",
    "Table",
    "Tone",
    "Verdict",
    "text_column",
]

Tone = Literal["", "long", "short", "good", "bad", "muted", "warn"]
#: How a row that tells a finding or a notice looks.
SEVERITY_TONES: Final[dict[str, Tone]] = {"error": "bad", "warning": "warn", "info": ""}


@dataclass(frozen=True, slots=True)
class Column:
    """A column's heading, the unit below it, and whether it holds numbers."""

    heading: str
    unit: str = ""
    numeric: bool = True


def text_column(heading: str) -> Column:
    """Return a column of words."""
    return Column(heading, numeric=False)


@dataclass(frozen=True, slots=True)
class Row:
    """The cells of one line; `tone` colours it, `strong` sets it in bold."""

    cells: tuple[str, ...]
    tone: Tone = ""
    strong: bool = False


@dataclass(frozen=True, slots=True)
class Table:
    """A table: every row has as many cells as there are columns."""

    id: str
    caption: str
    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    note: str = ""

    def __post_init__(self) -> None:
        wrong = [row for row in self.rows if len(row.cells) != len(self.columns)]
        if wrong:
            raise ValueError(f"table {self.id!r}: {len(self.columns)} columns, row {wrong[0]}")


@dataclass(frozen=True, slots=True)
class Figure:
    """A Plotly figure as data.

    `title` is a sentence that says what to see, `caption` what is drawn; together they are what a
    screen reader reads.
    """

    id: str
    title: str
    caption: str
    spec: dict[str, Any]
    height: int = 380


@dataclass(frozen=True, slots=True)
class Fact:
    """One number with its name, unit and a remark; `beside` says what it was before."""

    label: str
    value: str
    note: str = ""
    tone: Tone = ""
    beside: str = ""


@dataclass(frozen=True, slots=True)
class Verdict:
    """One question, the answer in a word, and the sentence that it rests on."""

    question: str
    answer: str
    reason: str
    tone: Tone = ""


@dataclass(frozen=True, slots=True)
class Section:
    """One part of a page, in the order: text, facts, figures, tables, notes."""

    id: str
    title: str
    text: tuple[str, ...] = ()
    facts: tuple[Fact, ...] = ()
    figures: tuple[Figure, ...] = ()
    tables: tuple[Table, ...] = ()
    warnings: tuple[str, ...] = ()
    folded: bool = False


@dataclass(frozen=True, slots=True)
class Page:
    """A whole page.

    Attributes
    ----------
    title : str
        Of the document; begins with SIMULATED where the market is simulated.
    heading : str
        The headline.
    summary : str
        One line below it: what was run on which data.
    simulated : bool
        Shows a banner that no part of the page is a real market.
    verdicts : tuple of Verdict
        Answers first.
    sections : tuple of Section
        The rest, in order.
    first : Section or None
        What stands before everything else: facts beside the first figure, then the other figures
        and tables side by side.
    alert : str
        Stands above all else, e.g. that the data are stale; empty: nothing.
    """

    title: str
    heading: str
    summary: str
    simulated: bool = False
    verdicts: tuple[Verdict, ...] = ()
    sections: tuple[Section, ...] = field(default=())
    first: Section | None = None
    alert: str = ""
