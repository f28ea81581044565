"""Sections of a report in a notebook: what the page says, as objects, and nothing but text."""

from __future__ import annotations

import ast
import json
from dataclasses import replace
from pathlib import Path

import nbformat
import pytest

from gexlab.backtest.run.results import BacktestResult
from gexlab.data import ConfigError
from gexlab.reports import ReportSection, sections
from gexlab.reports.page.backtest_page import backtest_page

from .notebook_cells import NOTEBOOK, executed, read

HOSTILE = "</script><img src=x onerror=alert(1)>\u202e"


def test_every_section_of_the_page_is_there(result: BacktestResult) -> None:
    page = backtest_page(result)
    found = sections(result)
    assert list(found) == [one.id for one in page.sections]
    for one in page.sections:
        made = found[one.id]
        assert made.text == (*one.text, *one.warnings)
        assert list(made.facts) == [fact.label for fact in one.facts]
        assert [f"fig-{name}" for name in made.figures] == [figure.id for figure in one.figures]
        tables = {f"tab-{name}": frame for name, frame in made.frames.items()}
        for table in one.tables:
            cells = [tuple(row) for row in tables[table.id].itertuples(index=False)]
            assert cells == [row.cells for row in table.rows]


def test_first_of_each_and_a_line_about_all(result: BacktestResult) -> None:
    equity = sections(result)["equity"]
    assert equity.frame is not None
    assert equity.frame is equity.frames["metrics"]
    assert equity.figure is equity.figures["equity"]
    assert equity.frame["Strategy"].iloc[0] == "fade-long-follow-short"
    assert repr(equity) == "<Equity: figures equity; frames metrics, by-regime>"
    nothing = ReportSection("a", "A", (), {}, {}, {})
    assert (nothing.figure, nothing.frame) == (None, None)
    assert repr(nothing) == "<A: figures none; frames none>"


def test_names_are_text(result: BacktestResult) -> None:
    main = replace(result.main, spec=replace(result.main.spec, name=HOSTILE))
    text = sections(replace(result, strategies={HOSTILE: main}))["equity"]._repr_html_()
    assert "<img" not in text
    assert "\u202e" not in text
    assert "&lt;/script&gt;&lt;img src=x onerror=alert(1)&gt;" in text
    assert text.count("</script>") == 1  # the chart's own end
    assert "http" not in text.replace("http://www.w3.org", "")


def test_what_has_no_sections_says_what_has() -> None:
    with pytest.raises(ConfigError, match=r"int has no page of sections: expected BacktestResult"):
        sections(3)


def test_the_notebook_is_whole() -> None:
    """Valid, every cell a program, and everything that is shown stands there."""
    found = read()
    nbformat.validate(nbformat.from_dict(found))  # type: ignore[no-untyped-call]
    for cell in found["cells"]:
        if cell["cell_type"] == "code":
            tree = ast.parse("".join(cell["source"]))
            shows = isinstance(tree.body[-1], ast.Expr)
            assert bool(cell["outputs"]) == shows, cell["source"]
    assert "/tmp/" not in json.dumps(found)


@pytest.mark.slow
def test_the_notebook_shows_what_its_cells_give(tmp_path: Path) -> None:
    """Where it differs and is meant to: run notebook_cells.py and read the difference."""
    stored = read()
    assert executed(stored, tmp_path) == stored, NOTEBOOK
