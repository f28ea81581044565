"""Realised volatility by regime and by quantile, with the ratio's interval."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..charts import axis, bars, dots, figure, layout, rounded
from ..formats import count, fixed, interval, interval_heading, is_defined, joined, percent
from ..palette import token
from ..views import Column, Figure, Row, Section, Table, text_column
from . import words
from .verdict import main_ratio

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from ....backtest import BacktestResult, Estimate, VolatilityCell

__all__ = [
    "quantile_figure",
    "ratio_figure",
    "volatility_figure",
    "volatility_section",
    "without_dealers",
]

_SYMBOLS = {"long": "circle", "short": "diamond", "neutral": "square", "abstain": "x"}
_HORIZONS = {"today": "same session", "next_1": "next session", "next_5": "next 5"}
_PERCENT = 100.0


def volatility_section(result: BacktestResult) -> Section:
    """Return what the regime did to realised volatility."""
    text = (
        f"All volatilities are annualised with {result.data.sessions_per_year} sessions. High "
        "gamma follows calm sessions as well as preceding them, so a difference here is no proof "
        "that dealers caused it.",
    )
    figures = [volatility_figure(result), ratio_figure(result), quantile_figure(result)]
    tables = (
        _by_regime(result),
        _ratios(result),
        _quantiles(result),
        _autocorrelation(result),
        _efficiency(result),
    )
    return Section(
        "volatility",
        "Volatility by regime",
        text,
        figures=tuple(f for f in figures if f.spec["data"]),
        tables=tuple(table for table in tables if table.rows),
    )


def volatility_figure(result: BacktestResult) -> Figure:
    """Return the next session's volatility by regime, one line per estimator."""
    by_regime = result.volatility.by_regime
    names = list(by_regime)[::-1]
    data = []
    for label, symbol in _SYMBOLS.items():
        cells = [by_regime[name].get(label) for name in names]
        if any(cell is not None for cell in cells):
            x = rounded([None if c is None else c.next_1 * _PERCENT for c in cells])
            y = [words.estimator(name) for name in names]
            data.append(dots(x, y, words.regime(label), label, symbol) | {"hovertemplate": _HOVER})
    shape = layout(
        xaxis=axis("next session's volatility, % a year", rangemode="tozero"),
        yaxis=axis(showgrid=True, type="category"),
        hovermode="closest",
    )
    caption = "Each line is one estimator; each mark one regime at the previous session."
    height = 120 + 34 * len(names)
    return Figure("fig-volatility", _next_in_words(result), caption, figure(data, shape), height)


_HOVER = "%{y}: %{x:.1f} % a year<extra></extra>"


def _next_in_words(result: BacktestResult) -> str:
    name, _ = main_ratio(result)
    cells = result.volatility.by_regime.get(name, {})
    said = [
        f"{percent(cells[label].next_1)} a year after {words.regime(label)}"
        for label in ("long", "short")
        if label in cells and is_defined(cells[label].next_1)
    ]
    if not said:
        return "Next session's volatility by regime."
    return f"Next session's volatility: {joined(said)} ({words.estimator(name)})."


def _ratio_in_words(result: BacktestResult) -> str:
    name, ratio = main_ratio(result)
    if ratio is None or not is_defined(ratio.value):
        return "Volatility after short over that after long gamma."
    return (
        f"After short gamma {fixed(ratio.value)} times as volatile as after long, "
        f"{interval(ratio.low, ratio.high)} ({words.estimator(name)})."
    )


def _ends_in_words(own: Sequence[float]) -> str:
    if len(own) < 2:
        return "The next return's deviation by quartile of the regime's value."
    return (
        f"Next return's deviation {fixed(own[0])} % a day after the lowest quarter of values, "
        f"{fixed(own[-1])} % after the highest."
    )


def ratio_figure(result: BacktestResult) -> Figure:
    """Return the ratio short over long per estimator with its interval, and a line at 1."""
    ratios = {n: h["next_1"] for n, h in result.volatility.ratio.items() if "next_1" in h}
    names = list(ratios)[::-1]
    value = [ratios[name].value for name in names]
    trace = dots(rounded(value), [words.estimator(n) for n in names], "short / long", "ink") | {
        "error_x": {
            "type": "data",
            "symmetric": False,
            "array": rounded([ratios[n].high - ratios[n].value for n in names]),
            "arrayminus": rounded([ratios[n].value - ratios[n].low for n in names]),
            "color": token("ink"),
            "thickness": 1.4,
            "width": 4,
        },
        "hovertemplate": "%{y}: %{x:.2f}<extra></extra>",
    }
    one = {"type": "line", "x0": 1, "x1": 1, "y0": 0, "y1": 1, "yref": "paper"}
    shape = layout(
        legend=False,
        xaxis=axis("short / long"),
        yaxis=axis(type="category"),
        shapes=[one | {"line": {"color": token("muted"), "width": 1, "dash": "dot"}}],
        hovermode="closest",
    )
    level = interval_heading(result.provenance.level).removesuffix(" interval")
    caption = f"Above 1: more volatile after short gamma. Bars are {level} intervals."
    data = [trace] if any(is_defined(v) for v in value) else []
    return Figure(
        "fig-ratio", _ratio_in_words(result), caption, figure(data, shape), 90 + 34 * len(names)
    )


def quantile_figure(result: BacktestResult) -> Figure:
    """Return the next return's standard deviation by quartile of the regime value."""
    own, vix = result.next_return_sd_by_quantile, result.vix_return_sd_by_quantile
    names = _quantile_names(len(own))
    data = [_quantile_bars(names, own, "by regime value", "series-2")] if own else []
    if vix:
        # the highest is set against the lowest GEX, so that both fall from left to right
        data.append(_quantile_bars(names, vix[::-1], "by implied volatility, reversed", "series-6"))
    if own:
        data.append(_null_marks(names, without_dealers(own)))
    shape = layout(
        legend=bool(own),
        xaxis=axis(type="category", showgrid=False),
        yaxis=axis("s.d. of next return, % a day", rangemode="tozero"),
        bargap=0.35,
        hovermode="closest",
    )
    caption = (
        "Standard deviation of the next session's log return by quartile of today's value. "
        "Diamonds: a simulated market without any dealers, at the same overall volatility; a "
        "fall as steep as theirs is no sign of hedging."
    )
    return Figure("fig-quantiles", _ends_in_words(own), caption, figure(data, shape), 300)


def without_dealers(own: Sequence[float]) -> tuple[float, ...]:
    """Return the same quartiles in the null world S0, scaled to the same root mean square.

    Empty where there are not four.

    Examples
    --------
    >>> [round(x, 2) for x in without_dealers((1.0, 1.0, 1.0, 1.0))]
    [1.23, 1.14, 0.84, 0.68]
    """
    from ....data import QUARTILES

    if len(own) != len(QUARTILES):
        return ()
    overall = (sum(x * x for x in own) / len(own)) ** 0.5
    return tuple(overall * x for x in QUARTILES)


def _null_marks(names: list[str], values: tuple[float, ...]) -> dict[str, object]:
    marks = dots(names, list(values), "without any dealers (S0)", "series-3", "diamond")
    return marks | {"hovertemplate": "without dealers, %{x}: %{y:.2f} % a day<extra></extra>"}


def _quantile_bars(
    names: list[str], values: tuple[float, ...], name: str, colour: str
) -> dict[str, object]:
    return bars(names, list(values), name, colour) | {
        "text": [fixed(v) for v in values],
        "textposition": "inside",
        "insidetextanchor": "start",
        "hovertemplate": "%{x}: %{y:.2f} % a day<extra></extra>",
    }


def _quantile_names(number: int) -> list[str]:
    """Return the quantiles' names, lowest first.

    Examples
    --------
    >>> _quantile_names(3)
    ['1 (lowest)', '2', '3 (highest)']
    """
    names = [str(i + 1) for i in range(number)]
    if number > 1:
        names[0] += " (lowest)"
        names[-1] += " (highest)"
    return names


def _cell(cell: VolatilityCell) -> tuple[str, ...]:
    return (percent(cell.today), percent(cell.next_1), percent(cell.next_5), count(cell.n))


def _horizon_columns() -> tuple[Column, ...]:
    return (*(Column(word, "a year") for word in _HORIZONS.values()), Column("Sessions"))


def _by_regime(result: BacktestResult) -> Table:
    rows = tuple(
        Row((words.estimator(name), words.regime(label), *_cell(cell)), words.tone(label))
        for name, cells in result.volatility.by_regime.items()
        for label, cell in cells.items()
    )
    columns = (text_column("Estimator"), text_column("Regime"), *_horizon_columns())
    return Table("tab-volatility", "Realised volatility by regime", columns, rows)


def _ratios(result: BacktestResult) -> Table:
    rows = []
    for name, horizons in result.volatility.ratio.items():
        cells = [words.estimator(name)]
        for horizon in _HORIZONS:
            e = horizons.get(horizon)
            cells += ["–", "–"] if e is None else [fixed(e.value), interval(e.low, e.high)]
        rows.append(Row(tuple(cells)))
    columns = [text_column("Estimator")]
    for word in _HORIZONS.values():
        columns += [Column(word), Column(interval_heading(result.provenance.level))]
    caption = "Volatility in short gamma over that in long gamma"
    shown = (h[name] for h in result.volatility.ratio.values() for name in _HORIZONS if name in h)
    return Table("tab-ratios", caption, tuple(columns), tuple(rows), without_interval(shown))


def without_interval(estimates: Iterable[Estimate]) -> str:
    """Return why some estimates have no interval; empty where all have one."""
    reasons = dict.fromkeys(e.reason for e in estimates if e.reason)
    return f"No interval: {joined(reasons)}." if reasons else ""


def _quantiles(result: BacktestResult) -> Table:
    own, vix = result.next_return_sd_by_quantile, result.vix_return_sd_by_quantile
    rows = [Row(("by regime value", *(fixed(v) for v in own)))]
    if null := without_dealers(own):
        rows.append(
            Row(("the same without dealers (S0), scaled", *(fixed(v) for v in null)), "muted")
        )
    if vix:
        rows.append(Row(("by implied volatility", *(fixed(v) for v in vix))))
    columns = (text_column("Sorted"), *(Column(name) for name in _quantile_names(len(own))))
    caption = "Standard deviation of the next session's return by quartile, % a day"
    note = (
        "Quartiles use the whole sample: a description, never an input to a strategy. S0 is a "
        "simulated market whose volatility rises after losses and in which nobody hedges, scaled "
        "to the overall volatility of this one: losses leave the book short gamma, and volatility "
        "high."
    )
    return Table("tab-quantiles", caption, columns, tuple(rows) if own else (), note)


def _autocorrelation(result: BacktestResult) -> Table:
    rows = tuple(
        Row(
            (words.regime(name), fixed(e.value), interval(e.low, e.high), count(e.n)),
            words.tone(name),
        )
        for name, e in result.autocorrelation.items()
    )
    columns = (
        text_column("Regime"),
        Column("Lag 1"),
        Column(interval_heading(result.provenance.level)),
        Column("Sessions"),
    )
    return Table(
        "tab-autocorrelation",
        "First-order autocorrelation of daily returns",
        columns,
        rows,
        without_interval(result.autocorrelation.values()),
    )


def _efficiency(result: BacktestResult) -> Table:
    rows = tuple(
        Row(
            (words.regime(name), fixed(e.value, 3), interval(e.low, e.high, 3), count(e.n)),
            words.tone(name),
        )
        for name, e in result.volatility.range_efficiency.items()
    )
    columns = (
        text_column("Regime"),
        Column("Efficiency"),
        Column(interval_heading(result.provenance.level)),
        Column("Sessions"),
    )
    note = "Mean of the open-to-close move over the high-low range, in logs: 1 is a straight line."
    note = f"{note} {without_interval(result.volatility.range_efficiency.values())}".strip()
    return Table("tab-efficiency", "Range efficiency", columns, rows, note)
