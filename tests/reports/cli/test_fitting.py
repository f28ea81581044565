"""Text in the terminal: as it is, and never cut."""

from __future__ import annotations

import io

import pytest

from gexlab.data.base.printable import shown
from gexlab.reports.terminal.fitting import _GAP, FittingTable, plain_text
from gexlab.reports.terminal.plain_console import PlainConsole

HOSTILE = [
    "[/x]",
    "[bold]b[/bold]",
    "[zz]",
    ":smile:",
    "\x1b[31mred\x1b[0m",
    "\x1b]0;title\x07",
    "\u202eevil",
    "a\x00b",
    "a\rb",
    "a\nb",
    "a\u200bb",
    "caf\udce9",
    "x" * 200,
    "{{ 7 * 7 }}",
    "<script>",
    "\\",
]


def _printed(width: int, *parts: object) -> str:
    console = PlainConsole(stderr=False, width=width)
    console.file = io.StringIO()
    for part in parts:
        console.print(part)
    text = console.file.getvalue()
    assert all(len(line.rstrip()) <= width for line in text.splitlines())
    return text


@pytest.mark.parametrize("text", HOSTILE)
@pytest.mark.parametrize("width", [40, 80, 100])
def test_hostile_text_is_shown_as_text(text: str, width: int) -> None:
    table = FittingTable(("name", text), title=text)
    table.add_row(text, plain_text(text, "red"))
    for part in (text, plain_text(text), table):
        found = _printed(width, part)
        assert shown(text) in found.replace("\n", "") or shown(text, keep="\n") in found
        assert all(char == "\n" or char.isprintable() for char in found)
        assert "…" not in found


@pytest.mark.parametrize("width", [30, 60, 80, 100, 200])
def test_no_number_is_ever_cut(width: int) -> None:
    table = FittingTable(("strategy", "Sharpe", "95 % interval", "CAGR"), right=[False, True] * 2)
    table.add_row("fade-long-follow-short", "−1,234.56", "[−0.12, 3.45]", "−123,456,789.0 %")
    found = _printed(width, table)
    for cell in ("−1,234.56", "−123,456,789.0 %"):
        assert cell in found
    assert "…" not in found


def test_rows_that_do_not_fit_become_lists() -> None:
    table = FittingTable(("name", "value"), right=[False, True])
    table.add_row("net GEX", "1" * 60)
    assert _printed(70, table).splitlines()[0].split() == ["name", "value"]
    assert [line.split() for line in _printed(68, table).splitlines()] == [
        ["name", "value"],
        ["net", "1" * 60],
        ["GEX"],
    ]
    assert [line.split() for line in _printed(62, table).splitlines()] == [
        ["name", "net", "GEX"],
        ["value", "1" * 55],
        ["1" * 5],
    ]


def test_columns_that_fill_a_line_stand_side_by_side() -> None:
    """Two columns of four and the gap between them: that wide they fit, one less they don't."""
    table = FittingTable(("abcd", "efgh"))
    table.add_row(plain_text("1234"), plain_text("5678"))
    assert table._widths(8 + _GAP) == [4, 4]
    assert table._widths(7 + _GAP) is None
