"""Views to HTML: one template, Plotly embedded once, no network, the same bytes every time."""

from __future__ import annotations

from importlib import resources
from typing import TYPE_CHECKING, Any, Final

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape
from markupsafe import Markup

from ...data import encodable, published_file, shown
from .packed import compressed, packed_figures
from .palette import DARK, LIGHT, css_variables, in_style
from .stills import still_of

if TYPE_CHECKING:
    from pathlib import Path

    from .views import Page, Section, Table

__all__ = ["render_page", "write_page", "write_template"]


def render_page(page: Page, *, plotly: str | None = None) -> str:
    """Return a page as one self-contained HTML document.

    Parameters
    ----------
    page : Page
        What it shows.
    plotly : str, optional
        The library as `compressed` returns it; default the copy that the installed plotly carries.

    Notes
    -----
    Nothing in the document depends on the clock, on random numbers or on the machine: equal
    pages give equal bytes.
    """
    sections = _sections(page)
    figures = [figure for section in sections for figure in section.figures]
    specs, columns = packed_figures(figures)
    source = compressed() if plotly is None and figures else plotly
    return (
        _environment()
        .get_template("page.html.j2")
        .render(
            page=page,
            has_figures=bool(figures),
            has_tables=any(section.tables for section in sections),
            specs=specs,
            stills={figure.id: still_of(figure) for figure in figures},
            columns=columns,
            shown_rows=_shown_rows,
            rest_of=_rest_of,
            # our own files and Plotly's are trusted; everything else goes through autoescape
            light=Markup(css_variables(LIGHT)),
            dark=Markup(css_variables(DARK)),
            style=Markup(_template("page.css")),
            script=Markup(_template("page.js")),
            tables_script=Markup(_template("tables.js")),
            plotly=Markup(source or ""),
        )
    )


def _sections(page: Page) -> tuple[Section, ...]:
    return page.sections if page.first is None else (page.first, *page.sections)


#: Cells with more letters than this wrap; others are never broken.
_LENGTHY: Final = 44
#: Longer tables show their first rows and keep the rest as data, which the page's script shows.
_LONGEST: Final = 60
_FIRST: Final = 40


def _shown_rows(table: Table) -> int:
    return len(table.rows) if len(table.rows) <= _LONGEST else _FIRST


def _rest_of(table: Table) -> list[list[str]]:
    """Return the rows that are kept as data: class of the line, then its cells."""
    return [
        [f"{row.tone}{' strong' if row.strong else ''}", *(shown(cell) for cell in row.cells)]
        for row in table.rows[_shown_rows(table) :]
    ]


def write_page(page: Page, path: Path) -> Path:
    """Write a page; a reader sees the old file or the new one, never half of it."""
    with published_file(path) as draft:
        draft.write_text(encodable(render_page(page)), encoding="utf-8")
    return path


def write_template(template: str, script: str, path: Path, **values: Any) -> Path:
    """Write a page with a template and scripts of its own, in the house's colours and style.

    Parameters
    ----------
    template, script : str
        Names of files; several scripts are set apart by commas.
    path : Path
    **values
        What the template shows; with ``figures`` in it, Plotly is embedded.
    """
    figures = values.get("figures", ())
    specs, columns = packed_figures(figures)
    text = (
        _environment()
        .get_template(template)
        .render(
            **values,
            specs=specs,
            stills={figure.id: still_of(figure) for figure in figures},
            columns=columns,
            plotly=Markup(compressed() if specs else ""),
            light=Markup(css_variables(LIGHT)),
            dark=Markup(css_variables(DARK)),
            style=Markup(_template("page.css")),
            script=Markup("\n".join(_template(name) for name in script.split(","))),
        )
    )
    with published_file(path) as draft:
        draft.write_text(encodable(text), encoding="utf-8")
    return path


def _template(name: str) -> str:
    return (resources.files(__package__ or "") / "templates" / name).read_text(encoding="utf-8")


def _finalized(value: object) -> object:
    """Escape characters that nobody sees in a text; our own markup stays as it is."""
    return shown(value, keep="\n\t") if type(value) is str else value


def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("gexlab.reports.page"),
        autoescape=select_autoescape(enabled_extensions=("html", "j2"), default=True),
        undefined=StrictUndefined,
        finalize=_finalized,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals["lengthy"] = _LENGTHY
    environment.filters["colour"] = in_style
    return environment
