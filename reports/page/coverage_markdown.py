"""The coverage of intervals as a section of Markdown, and as a table."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from .views import Column, Row, Table, text_column

if TYPE_CHECKING:
    from ...backtest import Coverage, CoverageCell

__all__ = ["coverage_section", "coverage_table", "section_of", "with_section"]

_HEADING = "## Intervals"
_INTRODUCTION = """\
## Intervals

By `gexlab calibrate intervals --seeds {samples} --out docs/calibration.md`: how often nominal
{level:g} % intervals hold the truth, in percent with Wilson intervals, and their median width over
that of the former percentile intervals by block bootstrap (x). {samples} samples of each kind of
returns and length n; where fewer have an interval their share is stated (of), and a dash says that
none has. Regimes have nothing to do with returns and come in spells of 21 and 31 sessions on
average, 40 % of sessions are short. {required:g} % is required, within the Wilson interval: cells
that miss it are in **bold**.

{kinds}

The last kind has no finite fourth moment, and stands here to show where the method ends.
"""


def coverage_section(found: Coverage) -> str:
    """Return the section that documents the coverage of intervals."""
    table = coverage_table(found)
    kinds = "\n".join(f"- `{name}`: {meaning}" for name, meaning in found.kinds.items())
    lines = [
        _INTRODUCTION.format(
            samples=found.samples,
            level=100 * found.level,
            required=100 * found.required,
            kinds=kinds,
        ),
        "| " + " | ".join(column.heading for column in table.columns) + " |",
        "|" + "---|" * len(table.columns),
        *("| " + " | ".join(row.cells) + " |" for row in table.rows),
        "",
        *(f"- `{name}`: {meaning}." for name, meaning in found.statistics.items()),
    ]
    return "\n".join(lines) + "\n"


def coverage_table(found: Coverage) -> Table:
    """Return one row per statistic and length, one column per kind of returns."""
    kinds = tuple(found.kinds)
    cells = {(c.statistic, c.n, c.kind): c for c in found.cells}
    rows = [
        Row((name, str(n), *(_cell(cells.get((name, n, kind))) for kind in kinds)))
        for name, n in dict.fromkeys((c.statistic, c.n) for c in found.cells)
    ]
    columns = (text_column("statistic"), Column("n"), *(Column(kind) for kind in kinds))
    return Table("tab-coverage", "Coverage of nominal intervals", columns, tuple(rows))


def _cell(cell: CoverageCell | None) -> str:
    if cell is None or not cell.printed:
        return "–"
    share, low, high = (100 * x for x in cell.coverage)
    text = f"{share:.1f} ({low:.1f} to {high:.1f}) x{cell.width / cell.former_width:.2f}"
    if cell.printed < 0.995 * cell.samples:
        text += f" of {100 * cell.printed / cell.samples:.0f}"
    return text if cell.sound else f"**{text}**"


def section_of(page: str) -> str:
    """Return the section about intervals of a page; empty where it has none."""
    found = re.search(rf"^{_HEADING}$.*?(?=^## |\Z)", page, re.MULTILINE | re.DOTALL)
    return found.group(0) if found else ""


def with_section(page: str, section: str) -> str:
    """Return a page with its section about intervals replaced, or added at the end."""
    former = section_of(page)
    if former:
        return page.replace(former, section.rstrip() + "\n\n").rstrip() + "\n"
    return f"{page.rstrip()}\n\n{section}" if page.strip() else section
