"""Plotly figures as plain data: no plotly import, colours as placeholders of the page's theme.

Every function returns ``{"data": [...], "layout": {...}}``. Undefined values become null, which
Plotly leaves out.
"""

from __future__ import annotations

from html import escape as in_html
from typing import TYPE_CHECKING, Any

from ...data import shown
from ..terminal.output import plain
from .palette import token

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = [
    "FONT",
    "REGIME_WORDS",
    "axis",
    "bars",
    "dots",
    "figure",
    "layout",
    "line",
    "rounded",
]

#: What a label is called in a legend; the order is that of the strip's colours.
REGIME_WORDS = {
    "long": "long gamma",
    "short": "short gamma",
    "neutral": "neutral",
    "abstain": "abstain",
}

FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif"

Spec = dict[str, Any]


def figure(data: Sequence[Spec], layout: Spec) -> Spec:
    """Return a figure of traces and layout in plain JSON values."""
    return {"data": [plain(trace) for trace in data], "layout": plain(layout)}


def layout(*, legend: bool = True, **more: Any) -> Spec:
    """Return the house layout: no frame, faint grid, legend above, labels in the page's font."""
    return {
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "font": {"family": FONT, "size": 12.5, "color": token("muted")},
        "margin": {"l": 56, "r": 12, "t": 34 if legend else 10, "b": 40},
        "showlegend": legend,
        "legend": {
            "orientation": "h",
            "x": 0,
            "y": 1.0,
            "xanchor": "left",
            "yanchor": "bottom",
            "font": {"color": token("ink")},
            "itemwidth": 30,
        },
        "hovermode": "x unified",
        "hoverlabel": {
            "bgcolor": token("panel"),
            "bordercolor": token("rule"),
            "font": {"color": token("ink")},
        },
        "autosize": True,
        "separators": ".,",
        **more,
    }


def axis(title: str = "", **more: Any) -> Spec:
    """Return an axis in the house style; `title` carries the unit."""
    return {
        "title": {"text": as_label(title), "standoff": 8, "font": {"size": 12}},
        "gridcolor": token("grid"),
        "linecolor": token("rule"),
        "zerolinecolor": token("rule"),
        "tickcolor": token("rule"),
        "automargin": True,
        **more,
    }


def as_label(text: str) -> str:
    """Return a text that Plotly and the page's script show as it is.

    Plotly knows tags and ``%{...}`` in texts, the page's script ``css:...``; both decode entities.

    Examples
    --------
    >>> as_label("<b>%{y}</b> css:ink")
    '&lt;b&gt;%&#123;y}&lt;/b&gt; css&#58;ink'
    """
    return in_html(shown(text)).replace("%{", "%&#123;").replace("css:", "css&#58;")


def line(x: Any, y: Any, name: str, colour: str, width: float = 1.6, **more: Any) -> Spec:
    """Return a line; gaps stay gaps."""
    return {
        "type": "scatter",
        "mode": "lines",
        "x": x,
        "y": rounded(y),
        "name": as_label(name),
        "line": {"color": token(colour), "width": width},
        "connectgaps": False,
        **more,
    }


def bars(x: Any, y: Any, name: str, colour: str, **more: Any) -> Spec:
    """Return bars of one colour."""
    return {
        "type": "bar",
        "x": x,
        "y": rounded(y),
        "name": as_label(name),
        "marker": {"color": token(colour), "line": {"width": 0}},
        **more,
    }


def dots(x: Any, y: Any, name: str, colour: str, symbol: str = "circle", **more: Any) -> Spec:
    """Return markers; the symbol repeats what the colour says."""
    return {
        "type": "scatter",
        "mode": "markers",
        "x": x,
        "y": y,
        "name": as_label(name),
        "marker": {"color": token(colour), "symbol": symbol, "size": 9},
        **more,
    }


def rounded(values: Any, digits: int = 6) -> list[Any]:
    """Return numbers to a number of significant digits, undefined ones as None.

    Examples
    --------
    >>> rounded([1234.56789, float("nan"), 0.0])
    [1234.57, None, 0.0]
    """
    listed = values.tolist() if hasattr(values, "tolist") else values
    return [_significant(value, digits) for value in plain(listed)]


def _significant(value: Any, digits: int) -> Any:
    return float(f"{value:.{digits}g}") if isinstance(value, float) else value
