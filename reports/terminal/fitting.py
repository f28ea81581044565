"""Tables that never cut an answer: where columns don't fit, each row becomes a list of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from rich.cells import cell_len
from rich.table import Table
from rich.text import Text

from ...data import shown

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from rich.console import Console, ConsoleOptions, JustifyMethod, RenderableType, RenderResult

__all__ = ["FittingTable", "plain_text"]

#: Characters between two columns.
_GAP: Final = 2
#: A longer word of a text may be broken; numbers never are.
_WORD: Final = 24


class FittingTable:
    """A table without frame that fits any width.

    Columns get their full width where there is room; else texts wrap; and where even their
    longest words and the numbers don't fit side by side, every row is shown as a list of
    headings and values. Nothing is ever shortened.

    Parameters
    ----------
    columns : sequence of str
        Headings; a line break in them is kept.
    right : collection of str
        Headings whose column holds numbers: set flush right, never broken.
    title : str, optional
        Line above the table.
    header : bool
        Show the headings.
    """

    def __init__(
        self,
        columns: Sequence[str],
        *,
        right: Sequence[bool] | None = None,
        title: str | None = None,
        header: bool = True,
        styles: Sequence[str] | None = None,
    ) -> None:
        self.headings = [_cell(name, keep="\n") for name in columns]
        self.right = list(right or [False] * len(columns))
        self.styles = list(styles or [""] * len(columns))
        self.title, self.header = title, header
        self.rows: list[tuple[list[Text], str]] = []

    def add_row(self, *cells: str | Text, style: str = "") -> None:
        """Add a row: texts as they are, whatever they hold."""
        padded = [*cells, *[""] * (len(self.headings) - len(cells))]
        self.rows.append(([_cell(cell) for cell in padded], style))

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Yield the title and the layout that fits."""
        if self.title:
            yield Text(shown(self.title, keep="\n"), style="bold", overflow="fold")
        widths = self._widths(options.max_width)
        if widths is None:
            yield from self._lists(options.max_width)
        else:
            yield self._table(widths)

    def _table(self, widths: Sequence[int]) -> Table:
        table = Table(box=None, pad_edge=False, show_header=self.header)
        named = zip(self.headings, self.right, self.styles, widths, strict=True)
        for heading, right, style, width in named:
            justify: JustifyMethod = "right" if right else "left"
            table.add_column(
                heading, justify=justify, header_style="dim", style=style, width=width,
                overflow="fold",
            )  # fmt: skip
        for cells, style in self.rows:
            table.add_row(*cells, style=style)
        return table

    def _widths(self, width: int) -> list[int] | None:
        """Return a width for each column, None where they don't fit side by side."""
        columns = list(zip(*(cells for cells, _ in self.rows), strict=True))
        columns = columns or [() for _ in self.headings]
        least, most = [], []
        for heading, right, cells in zip(self.headings, self.right, columns, strict=True):
            head = _longest_word(heading.plain) if self.header else 0
            whole = max((cell_len(line) for c in cells for line in c.plain.split("\n")), default=0)
            words = max((_longest_word(c.plain) for c in cells), default=0)
            least.append(max(head, whole if right else min(words, _WORD), 1))
            lines = heading.plain.split("\n") if self.header else []
            most.append(max(whole, *(cell_len(line) for line in lines), least[-1]))
        room = width - _GAP * (len(least) - 1)
        if sum(least) > room:
            return None
        return _shared(least, most, room)

    def _lists(self, width: int) -> Iterator[RenderableType]:
        """Yield one list a row: the heading, and its value beside it."""
        names = [" ".join(heading.plain.split()) for heading in self.headings]
        first = min(max((cell_len(name) for name in names), default=0), width // 3)
        second = max(width - first - _GAP, 1)
        for number, (cells, style) in enumerate(self.rows):
            table = Table(box=None, pad_edge=False, show_header=False)
            table.add_column(style="dim", width=first, overflow="fold")
            table.add_column(width=second, overflow="fold")
            for name, cell in zip(names, cells, strict=True):
                if cell.plain:
                    table.add_row(name if self.header else "", cell, style=style)
            if number:
                yield Text()
            yield table


def plain_text(text: str, style: str = "") -> Text:
    """Return a styled text; what would act on a terminal is escaped before rich drops it."""
    return Text(shown(text), style=style)


def _cell(text: str | Text, *, keep: str = "") -> Text:
    if isinstance(text, Text):
        return Text(shown(text.plain, keep=keep), style=text.style)
    return Text(shown(text, keep=keep))


def _longest_word(text: str) -> int:
    return max((cell_len(word) for word in text.split()), default=0)


def _shared(least: list[int], most: list[int], room: int) -> list[int]:
    """Give every column its least, and the rest evenly to those that want more.

    Examples
    --------
    >>> _shared([3, 3], [5, 90], 30)
    [5, 25]
    """
    widths = list(least)
    spare = room - sum(widths)
    while spare > 0 and (open_ := [i for i, w in enumerate(widths) if w < most[i]]):
        share = max(spare // len(open_), 1)
        for i in open_[:spare]:
            more = min(share, most[i] - widths[i], spare)
            widths[i] += more
            spare -= more
    return widths
