"""The section about intervals: what it says of a cell, and where it stands in a page."""

from __future__ import annotations

from gexlab.backtest import Coverage, CoverageCell
from gexlab.reports.page.coverage_markdown import coverage_section, section_of, with_section

CELLS = (
    CoverageCell("sharpe", "normal", 60, 1000, 1000, 950, 3.0, 2.0),
    CoverageCell("sharpe", "t", 60, 1000, 600, 480, 3.0, 2.0),
    CoverageCell("ratio_next_21", "normal", 60, 1000, 0, 0, float("nan"), float("nan")),
)


def test_cells_by_hand() -> None:
    text = coverage_section(Coverage(CELLS, 1000, 0))
    # Wilson: (.95 + .00192 +- 1.96 sqrt(.0000475 + .00000096)) / 1.00384
    assert "| sharpe | 60 | 95.0 (93.5 to 96.2) x1.50 |" in text
    assert "**80.0 (76.6 to 83.0) x1.50 of 60**" in text
    assert "| ratio_next_21 | 60 | – | – |" in text
    assert "independent, normal" in text


def test_the_section_is_replaced_where_it_stands() -> None:
    section = coverage_section(Coverage(CELLS, 1000, 0))
    page = with_section("# Title\n\ntext\n", section)
    assert page.startswith("# Title\n\ntext\n\n## Intervals\n")
    assert with_section(page, section) == page
    more = page + "\n## After\n\nmore\n"
    other = with_section(more, section.replace("1000", "2000"))
    assert other.count("## Intervals") == other.count("## After") == 1
    assert section_of(other).count("2000") == section.count("1000")
    assert with_section("", section) == section
