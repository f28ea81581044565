"""Size and power of tests on simulated markets as a page: two charts and their tables."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING, Any

from ....backtest import NORMAL_LEVEL
from ..charts import axis, figure, layout, rounded
from ..formats import count, fixed, interval_heading, is_defined, plural
from ..palette import SERIES, token
from ..views import Column, Figure, Page, Row, Section, Table, text_column

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ....backtest import Interval, RejectionRate, SimulationCheck

__all__ = ["calibration_html_page", "calibration_tables"]

_SYMBOLS = ("circle", "diamond", "square", "triangle-up", "x", "cross")
_APART = 0.24  # of the distance between two tests: the three shares of a test lie side by side
_DASHES = ("solid", "dash", "dot", "dashdot")
_KINDS: tuple[tuple[str, str, Callable[[RejectionRate], Interval]], ...] = (
    ("p as the test reports it", "series-2", lambda r: r.rejected),
    ("p if t were normal", "series-3", lambda r: r.asymptotic),
    ("the test's verdict", "series-6", lambda r: r.supported),
)


def calibration_html_page(check: SimulationCheck) -> Page:
    """Return the page of a check."""
    null = [r for r in check.rates if r.world == "S0"]
    others = [r for r in check.rates if r.world != "S0"]
    sections = [_size(check, null)] if null else []
    sections += [_power(check, others)] if others else []
    return Page(
        title="SIMULATED: size and power of the tests",
        heading="What the tests do on markets whose truth is known",
        summary=f"{plural(len({r.test for r in check.rates}), 'test')} on simulated markets of "
        f"{plural(check.sessions, 'session')}; shares with their "
        f"{interval_heading(NORMAL_LEVEL)} (Wilson).",
        simulated=True,
        sections=tuple(sections),
    )


def calibration_tables(check: SimulationCheck) -> tuple[Table, ...]:
    """Return the tables of a check: markets without dealers, then those in which one hedges."""
    null = [r for r in check.rates if r.world == "S0"]
    others = [r for r in check.rates if r.world != "S0"]
    return tuple(_table(check, rates) for rates in (null, others) if rates)


def _size(check: SimulationCheck, rates: Sequence[RejectionRate]) -> Section:
    level = 100 * check.level
    text = (
        "World S0 has no dealers: every finding is false. A share is sound where its interval "
        f"holds {level:g} % or lies below; the p that a test reports is the one that counts.",
    )
    caption = f"Share of markets without dealers, in percent; the line is the level of {level:g} %."
    names = [r.test for r in rates]
    rows = axis(tickvals=list(range(len(names))), ticktext=names, range=[len(names) - 0.5, -0.5])
    shape = layout(
        xaxis=axis("share of markets, %", rangemode="tozero"),
        yaxis=rows,
        shapes=[_line_at(level)],
        hovermode="closest",
    )
    data = [
        _points([_percent(pick(r)) for r in rates], names, name, colour, i)
        for i, (name, colour, pick) in enumerate(_KINDS)
    ]
    size = Figure(
        "fig-size",
        "How often the tests find what is not there.",
        caption,
        figure(data, shape),
        120 + 46 * len(rates),
    )
    return Section(
        "size", "Size: markets without dealers", text, (), (size,), (_table(check, rates),)
    )


def _power(check: SimulationCheck, rates: Sequence[RejectionRate]) -> Section:
    text = (
        "Strength multiplies what hedging does; 1 is the calibration's own. In S7 the last half "
        "hour follows the day for a reason that is not gamma: a low share is right there.",
    )
    ordered = sorted(rates, key=lambda r: (r.world, r.test, r.strength))
    curves = [
        _curve(f"{world} {test}", list(group), i)
        for i, ((world, test), group) in enumerate(
            groupby(ordered, key=lambda r: (r.world, r.test))
        )
    ]
    shape = layout(
        xaxis=axis("strength of hedging", rangemode="tozero"),
        yaxis=axis("verdict supported, % of markets", range=[-2, 102]),
        hovermode="closest",
    )
    caption = (
        "Share of markets in which the test's verdict is supported, by strength of the effect."
    )
    height = 380 + 26 * -(-len(curves) // 3)  # the legend has three names to a line
    power = Figure(
        "fig-power",
        "How often the tests find what is there.",
        caption,
        figure(curves, shape),
        height,
    )
    return Section(
        "power", "Power: something is hedged", text, (), (power,), (_table(check, rates),)
    )


def _curve(name: str, rates: Sequence[RejectionRate], i: int) -> dict[str, Any]:
    shares = [_percent(r.supported) for r in rates]
    colour = SERIES[i % len(SERIES)]
    return {
        "type": "scatter",
        "mode": "lines+markers",
        "name": name,
        "x": [r.strength for r in rates],
        "y": rounded([s[0] for s in shares], 4),
        "error_y": _whiskers(shares, colour),
        "line": {"color": token(colour), "dash": _DASHES[i // len(SERIES) % len(_DASHES)]},
        "marker": {"symbol": _SYMBOLS[i % len(_SYMBOLS)], "size": 9, "color": token(colour)},
        "hovertemplate": "%{y:.1f} %<extra>" + name + "</extra>",
    }


def _points(
    shares: Sequence[tuple[float, float, float]],
    names: Sequence[str],
    name: str,
    colour: str,
    i: int,
) -> dict[str, Any]:
    return {
        "type": "scatter",
        "mode": "markers",
        "name": name,
        "x": rounded([s[0] for s in shares], 4),
        "y": [row + _APART * (i - 1) for row in range(len(names))],
        "text": list(names),
        "cliponaxis": False,
        "error_x": _whiskers(shares, colour),
        "marker": {"symbol": _SYMBOLS[i], "size": 9, "color": token(colour)},
        "hovertemplate": "%{text}: %{x:.1f} %<extra></extra>",
    }


def _whiskers(shares: Sequence[tuple[float, float, float]], colour: str) -> dict[str, Any]:
    return {
        "type": "data",
        "symmetric": False,
        "array": rounded([high - share for share, _, high in shares], 4),
        "arrayminus": rounded([share - low for share, low, _ in shares], 4),
        "color": token(colour),
        "thickness": 1.2,
        "width": 3,
    }


def _line_at(x: float) -> dict[str, Any]:
    style = {"color": token("muted"), "width": 1, "dash": "dot"}
    return {"type": "line", "x0": x, "x1": x, "y0": 0, "y1": 1, "yref": "paper", "line": style}


def _percent(interval: Interval) -> tuple[float, float, float]:
    share, low, high = (100 * x for x in interval)
    return share, max(low, 0.0), high


def _table(check: SimulationCheck, rates: Sequence[RejectionRate]) -> Table:
    columns = (
        text_column("World"),
        text_column("Test"),
        Column("Strength"),
        Column("Markets"),
        *(
            Column(name)
            for name in ("as reported", "if normal", "as claimed", "verdict", "simulated")
        ),
        Column("Critical"),
    )
    rows = tuple(_row(r, check.critical.get(r.test, float("nan"))) for r in rates)
    return Table(
        f"tab-{rates[0].world}",
        f"Shares, % of markets ({interval_heading(NORMAL_LEVEL)})",
        columns,
        rows,
    )


def _row(r: RejectionRate, critical: float) -> Row:
    kinds = (r.rejected, r.asymptotic, r.claimed, r.supported, r.simulated)
    shares = (_cell(x) for x in kinds)
    return Row((r.world, r.test, fixed(r.strength), count(r.markets), *shares, fixed(critical)))


def _cell(interval: Interval) -> str:
    share, low, high = _percent(interval)
    return f"{share:.0f} ({low:.0f} to {high:.0f})" if is_defined(share) else fixed(share)
