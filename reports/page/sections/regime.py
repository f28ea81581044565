"""The regime through time, over the price."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ...session.morning import run_length
from ..charts import REGIME_WORDS, axis, figure, layout, line, rounded
from ..formats import count, day, percent, plural
from ..palette import token
from ..views import Column, Figure, Row, Section, Table, text_column
from . import words

if TYPE_CHECKING:
    import pandas as pd

    from ....backtest import BacktestResult, RegimeSummary

__all__ = ["regime_figure", "regime_section"]

_COLOURS = {"long": "long", "short": "short", "neutral": "neutral", "abstain": "abstain"}


def regime_section(result: BacktestResult) -> Section:
    """Return the section on the regime through time."""
    regime = result.regime
    text = (
        f"The regime comes from {regime.name}. A session's label is used only once it was "
        f"public ({regime.known}).",
    )
    return Section(
        id="regime",
        title="Regime through time",
        text=text,
        figures=(regime_figure(regime, result.data.underlying),),
        tables=tuple(t for t in (_counts(regime), _years(regime)) if t.rows),
    )


def regime_figure(regime: RegimeSummary, underlying: str) -> Figure:
    """Return price, a strip of labels and the value behind them, one below the other."""
    table = regime.table
    days = [day(session) for session in table.index]
    value, unit = _value(table, regime.source)
    data = [
        line(days, table["close"].tolist(), "close", "ink", 1.3, yaxis="y", showlegend=False),
        _strip(days, table["regime"].tolist()),
        *_areas(days, value, table["regime"].tolist()),
        _readout(days, value, table["regime"].tolist()),
    ]
    shape = layout(
        xaxis=axis(anchor="y3", showgrid=False, type="date"),
        yaxis=axis(f"{underlying}, points", domain=[0.44, 1], tickformat=","),
        yaxis2=axis(domain=[0.37, 0.40], showticklabels=False, showgrid=False, fixedrange=True),
        yaxis3=axis(unit, domain=[0, 0.33], zeroline=True),
    )
    caption = "Close, the label in force, and the value it comes from. Hover for a session."
    return Figure("fig-regime", _in_words(regime), caption, figure(data, shape), 520)


def _in_words(regime: RegimeSummary) -> str:
    """Return the label in force, since when, and how usual it is, in a sentence."""
    labels = regime.table["regime"]
    if not len(labels):
        return "No session has a regime."
    last = str(labels.iloc[-1])
    since, share = run_length(labels), float((labels == last).mean())
    return (
        f"{words.regime(last).capitalize()} for {plural(since, 'session')}, and in "
        f"{percent(share, 0)} of {count(len(labels))}."
    )


def _value(table: pd.DataFrame, source: str) -> tuple[list[float], str]:
    """Return what the lower panel shows: net over gross from a lake, else the series' value."""
    if source == "lake" and "net_to_gross" in table:
        return table["net_to_gross"].tolist(), "net / gross"
    return table["value"].tolist(), "value, own unit"


def _strip(days: list[str], labels: list[str]) -> dict[str, Any]:
    names = list(_COLOURS)
    steps = [token(colour) for colour in _COLOURS.values()]
    scale = [[(i + end) / len(steps), c] for i, c in enumerate(steps) for end in (0, 1)]
    return {
        "type": "heatmap",
        "x": days,
        "y": [""],
        "z": [[names.index(label) if label in names else None for label in labels]],
        "zmin": -0.5,
        "zmax": len(steps) - 0.5,
        "colorscale": scale,
        "showscale": False,
        "yaxis": "y2",
        "hoverinfo": "skip",
    }


def _areas(days: list[str], value: list[float], labels: list[str]) -> list[dict[str, Any]]:
    """Return one stepped area per label; zero elsewhere is a way of drawing, not a value."""
    areas = []
    for name, colour in _COLOURS.items():
        if name not in labels:
            continue
        own = [v if label == name else 0.0 for v, label in zip(value, labels, strict=True)]
        area = line(days, own, REGIME_WORDS[name], colour, 0, yaxis="y3", hoverinfo="skip")
        areas.append(
            area
            | {
                "fill": "tozeroy",
                "fillcolor": token(colour),
                "line": {"shape": "hvh", "width": 0, "color": token(colour)},
            }
        )
    return areas


def _readout(days: list[str], value: list[float], labels: list[str]) -> dict[str, Any]:
    words_of = [REGIME_WORDS.get(label, label) for label in labels]
    return line(days, rounded(value), "value", "ink", 0, yaxis="y3", showlegend=False) | {
        "text": words_of,
        "hovertemplate": "%{text}: %{y:.4g}<extra></extra>",
    }


def _counts(regime: RegimeSummary) -> Table:
    total = sum(regime.counts.values())
    rows = tuple(
        Row((words.regime(name), count(n), percent(n / total)), words.tone(name))
        for name, n in regime.counts.items()
        if total
    )
    columns = (text_column("Regime"), Column("Sessions"), Column("Share"))
    return Table("tab-regimes", "How often each regime was in force", columns, rows)


def _years(regime: RegimeSummary) -> Table:
    rows = tuple(
        Row((str(year), percent(share)))
        for year, share in sorted(regime.negative_share_by_year.items())
    )
    columns = (text_column("Year"), Column("Share"))
    return Table("tab-years", "Sessions with a value below zero", columns, rows)
