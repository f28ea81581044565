"""A report's sections as objects for a notebook: what they say, draw and list, each by itself."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Any, Final

from ...data import ConfigError, encodable, shown
from .figures import figure_of
from .palette import LIGHT

if TYPE_CHECKING:
    from collections.abc import Callable

    import pandas as pd
    import plotly.graph_objects as go

    from ...backtest import BacktestResult, Config
    from .views import Page, Section, Table

__all__ = ["ReportSection", "sections"]

#: Rows of a table that a notebook shows; a frame has all of them.
_ROWS: Final = 20
_LINE: Final = f"border-top:1px solid {LIGHT['rule']};padding:2px 12px 2px 0"


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class ReportSection:
    """One section of a report.

    Attributes
    ----------
    id, title : str
    text : tuple of str
        Its sentences and warnings.
    facts : dict of str to str
        Its numbers by name, as the page shows them.
    frames : dict of str to DataFrame
        Its tables by name, cells as the page shows them; `gexlab.reports.frames` has every number
        in full.
    figures : dict of str to plotly.graph_objects.Figure
        Its charts by name.
    """

    id: str
    title: str
    text: tuple[str, ...]
    facts: dict[str, str]
    frames: dict[str, pd.DataFrame]
    figures: dict[str, go.Figure]

    @property
    def figure(self) -> go.Figure | None:
        """Its first chart; None where it has none."""
        return next(iter(self.figures.values()), None)

    @property
    def frame(self) -> pd.DataFrame | None:
        """Its first table; None where it has none."""
        return next(iter(self.frames.values()), None)

    def __repr__(self) -> str:
        """Return its title and what it has, in a line."""
        figures, frames = (", ".join(found) or "none" for found in (self.figures, self.frames))
        return f"<{shown(self.title)}: figures {shown(figures)}; frames {shown(frames)}>"

    def _repr_html_(self) -> str:
        """Return what a notebook shows: text, numbers, charts and the first rows of the tables."""
        said = [f"<h3>{_text(self.title)}</h3>", *(f"<p>{_text(line)}</p>" for line in self.text)]
        if self.facts:
            rows = "".join(
                f'<tr><th scope="row" style="text-align:left;{_LINE}">{_text(name)}</th>'
                f'<td style="text-align:left;{_LINE}">{_text(value)}</td></tr>'
                for name, value in self.facts.items()
            )
            said.append(f"<table>{rows}</table>")
        said += [_drawn(name, made) for name, made in self.figures.items()]
        said += [_listed(caption, frame) for caption, frame in self.frames.items()]
        return encodable("\n".join(said))


def sections(
    result: Any, config: Config | None = None, *, dark: bool = False
) -> dict[str, ReportSection]:
    """Return the sections of a result's page, each as an object that a notebook shows.

    Parameters
    ----------
    result : object
        Of `backtest`, `test`, `diff`, `explain` or `calibrate`.
    config : Config, optional
        What a backtest ran: with it come the first screen, the last session's book and the coverage
        of the chains.
    dark : bool
        Charts in colours for a dark page.

    Returns
    -------
    dict of str to ReportSection
        By id, in the order of the page.

    Raises
    ------
    ConfigError
        If the result has no page of sections; `frames` and `figures` have what it holds.
    """
    page = _page_of(result, config)
    every = page.sections if page.first is None else (page.first, *page.sections)
    return {one.id: _made(one, dark) for one in every}


def _page_of(result: Any, config: Config | None) -> Page:
    if type(result).__name__ == "BacktestResult":
        return _of_backtest(result, config)
    make = _PAGES.get(type(result).__name__)
    if make is None:
        raise ConfigError(
            f"{type(result).__name__} has no page of sections: expected BacktestResult or one of "
            f"{', '.join(sorted(_PAGES))}; frames() and figures() have what other results hold"
        )
    if config is not None:
        raise ConfigError(f"config belongs to a BacktestResult, not to {type(result).__name__}")
    return make(result)


def _of_backtest(result: BacktestResult, config: Config | None) -> Page:
    from .backtest_page import backtest_page
    from .report import report_page

    return backtest_page(result) if config is None else report_page(result, config)


def _of_hypotheses(result: Any) -> Page:
    from .sections.hypotheses import hypotheses_page

    return hypotheses_page(result)


def _of_calibration(result: Any) -> Page:
    from .sections.calibration import calibration_html_page

    return calibration_html_page(result)


def _of_difference(result: Any) -> Page:
    from .sections.difference import difference_page

    return difference_page(result, "", ("first", "second"))


def _of_explanation(result: Any) -> Page:
    from ..session.picture import picture_of
    from .profile_page import profile_page

    return profile_page(picture_of(result, sign=""))


_PAGES: Final[dict[str, Callable[[Any], Page]]] = {
    "DiffResult": _of_difference,
    "Explanation": _of_explanation,
    "HypothesesResult": _of_hypotheses,
    "SimulationCheck": _of_calibration,
}


def _made(one: Section, dark: bool) -> ReportSection:
    facts = {
        fact.label: "; ".join(part for part in (fact.value, fact.note, fact.beside) if part)
        for fact in one.facts
    }
    return ReportSection(
        one.id,
        one.title,
        (*one.text, *one.warnings),
        facts,
        {table.id.removeprefix("tab-"): _frame(table) for table in one.tables},
        {made.id.removeprefix("fig-"): figure_of(made, dark=dark) for made in one.figures},
    )


def _frame(table: Table) -> pd.DataFrame:
    import pandas as pd

    names = [f"{c.heading} ({c.unit})" if c.unit else c.heading for c in table.columns]
    found = pd.DataFrame([row.cells for row in table.rows], columns=names, dtype="str")
    found.attrs["caption"] = table.caption
    return found


def _text(value: object) -> str:
    return escape(shown(str(value)))


def _drawn(name: str, made: go.Figure) -> str:
    """Return a chart that draws itself where the notebook has loaded plotly, and else says how."""
    spec = str(made.to_json()).replace("<", "\\u003c")
    place = f"gexlab-{_text(name)}-{hashlib.sha256(spec.encode()).hexdigest()[:12]}"
    title = _text(made.layout.title.text)
    return (
        f'<div class="{place}" role="img" aria-label="{title}"><p><strong>{title}</strong> '
        "(charts appear after <code>plotly.offline.init_notebook_mode()</code>)</p></div>\n"
        f'<script>if (window.Plotly) for (const at of document.querySelectorAll(".{place}")) '
        f"{{ at.replaceChildren(); Plotly.newPlot(at, {spec}); }}</script>"
    )


def _listed(name: str, frame: pd.DataFrame) -> str:
    head = "".join(f'<th scope="col" style="{_LINE}">{_text(c)}</th>' for c in frame.columns)
    rows = "".join(
        "<tr>" + "".join(f'<td style="{_LINE}">{_text(cell)}</td>' for cell in row) + "</tr>"
        for row in frame.head(_ROWS).itertuples(index=False)
    )
    more = f"<p>The first {_ROWS} of {len(frame):,} rows.</p>" if len(frame) > _ROWS else ""
    caption = (
        f"<caption style='text-align:left'>{_text(frame.attrs.get('caption', name))}</caption>"
    )
    return f"<table>{caption}<tr>{head}</tr>{rows}</table>{more}"
