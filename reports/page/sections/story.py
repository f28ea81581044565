"""Where a session's gamma came from and where it goes, as views."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..charts import axis, bars, dots, figure, layout, line, rounded
from ..formats import DASH, day, fixed, level, moment, money, percent, signed
from ..views import Column, Figure, Row, Section, Table, text_column
from . import words
from .profile import unit_of

if TYPE_CHECKING:
    from ....data import BookState, TimeStructure
    from ...session.story import SessionStory

__all__ = [
    "PARTS",
    "change_figure",
    "change_section",
    "change_table",
    "future_section",
    "future_table",
]

#: Parts of the change of net gamma, in the order in which they are shown.
PARTS = {
    "expired": "contracts that died",
    "spot": "spot moved",
    "time": "time passed",
    "volatility": "volatility changed",
    "forwards": "forwards and rates",
    "open_interest": "open interest",
    "coverage": "data missing on one side",
    "residual": "rounding",
}

_AHEAD = (1, 2, 3, 5, 10, 20)
#: How many sessions on which gamma dies are listed.
_NEAREST = 12


def change_section(change: dict[str, Any], sign: str) -> Section:
    """Return the change of net gamma since the previous session."""
    text = (
        f"From {day(change['previous_session'])} to {day(change['session'])} net GEX went from "
        f"{money(change['before'], sign=sign)} to {money(change['after'], sign=sign)} per 1 %. "
        "The parts add up exactly.",
    )
    return Section(
        "change",
        "Change since the previous session",
        text,
        figures=(change_figure(change, sign),),
        tables=(change_table(change, sign),),
    )


def change_figure(change: dict[str, Any], sign: str, *, height: int = 360) -> Figure:
    """Return net GEX of the previous session, the parts of its change, and net GEX now."""
    names = ["before", *PARTS.values(), "after"]
    values = [change["before"], *(change[part] for part in PARTS), change["after"]]
    scale, unit = unit_of(values, sign)
    trace = {
        "type": "waterfall",
        "orientation": "h",
        "y": names,
        "x": rounded([value / scale for value in values]),
        "measure": ["absolute", *["relative"] * len(PARTS), "total"],
        "increasing": {"marker": {"color": "css:more"}},
        "decreasing": {"marker": {"color": "css:less"}},
        "totals": {"marker": {"color": "css:series-6"}},
        "connector": {"line": {"color": "css:rule", "width": 1}},
        "hovertemplate": f"%{{y}}: %{{delta:.4g}} {unit} per 1 %<extra></extra>",
    }
    shape = layout(
        legend=False,
        xaxis=axis(f"net GEX, {unit} per 1 %", zeroline=True),
        yaxis=axis(type="category", showgrid=False, autorange="reversed"),
        hovermode="closest",
    )
    caption = "Net GEX of the previous session, what changed it, and net GEX now."
    title = _main_part(change, sign)
    return Figure("fig-change", title, caption, figure([trace], shape), height)


def _main_part(change: dict[str, Any], sign: str) -> str:
    """Return the change and its largest part in a sentence."""
    moved = change["after"] - change["before"]
    name = max(PARTS, key=lambda part: abs(change[part]))
    if moved == 0.0 and change[name] == 0.0:
        return "Net GEX has not changed since the previous session."
    word = "rose" if moved > 0 else "fell"
    size, before = money(abs(moved), sign=sign), day(change["previous_session"])
    return (
        f"Net GEX {word} by {size} since {before}; the largest part, {PARTS[name]}: "
        f"{money(change[name], sign=sign)}."
    )


def change_table(change: dict[str, Any], sign: str) -> Table:
    """Return the parts of the change, each as an amount and as a share of gross."""
    gross = float(change["gross"])
    rows = tuple(
        Row(
            (
                name,
                money(change[part], sign=sign),
                percent(change[part] / gross, 2, sign=True) if gross > 0 else DASH,
            )
        )
        for part, name in PARTS.items()
    )
    columns = (text_column("Because of"), Column("Net GEX", "per 1 %"), Column("Share", "of gross"))
    return Table("tab-change", "Change of net GEX since the previous session", columns, rows)


def future_section(story: SessionStory) -> Section:
    """Return what becomes of the book if nothing trades."""
    text = (
        "The book as it will be once expirations pass, at an unmoved spot and with unmoved "
        "volatilities: what is known today about tomorrow's gamma, if nobody trades.",
    )
    return Section(
        "future",
        "Roll-off",
        text,
        figures=(_decay_figure(story.structure, story.sign),),
        tables=(
            future_table(story.structure, story.sign),
            _roll_off_table(story.structure, story.sign),
        ),
    )


def _decay_figure(structure: TimeStructure, sign: str) -> Figure:
    states = [structure.today, *structure.decay]
    days = [day(state.moment) for state in states]
    scale, unit = unit_of([state.gross_gex for state in states], sign)
    last = days[-1]
    dying = [r for r in structure.roll_off if day(r.session) <= last]
    hover = {"hovertemplate": f"%{{y:.4g}} {unit} per 1 %"}
    data = [
        bars(
            [day(r.session) for r in dying],
            [r.gross_gex / scale for r in dying],
            "gross that dies",
            "soft",
            **hover,
        ),
        line(days, [s.gross_gex / scale for s in states], "gross", "series-6", 1.4, **hover),
        line(days, [s.net_gex / scale for s in states], "net", "ink", 2.2, **hover),
        *_monthly(dying, scale),
    ]
    shape = layout(
        xaxis=axis(showgrid=False, type="date"),
        yaxis=axis(f"{unit} per 1 %", zeroline=True),
    )
    caption = "Net and gross of today's book over the sessions ahead; bars are what dies on a day."
    return Figure("fig-decay", _left_in_words(structure), caption, figure(data, shape), 360)


def _left_in_words(structure: TimeStructure) -> str:
    """Return what is left of today's gross gamma in a week of sessions, in a sentence."""
    states = structure.decay[: _AHEAD[3]]
    gross = structure.today.gross_gex
    if not states or not gross > 0:
        return "Roll-off and decay."
    share = percent(states[-1].gross_gex / gross, 0)
    return f"In {len(states)} sessions {share} of today's gross gamma is left, if nobody trades."


def _monthly(dying: list[Any], scale: float) -> list[dict[str, Any]]:
    monthly = [r for r in dying if r.monthly]
    if not monthly:
        return []
    x, y = [day(r.session) for r in monthly], rounded([r.gross_gex / scale for r in monthly])
    return [dots(x, y, "monthly expiration", "ink", "diamond") | {"hoverinfo": "skip"}]


def future_table(structure: TimeStructure, sign: str) -> Table:
    """Return the book now, after expirations, and some sessions ahead."""
    columns = (
        text_column("Book"),
        text_column("Valued"),
        Column("Net GEX", "per 1 %"),
        Column("Gross", "per 1 %"),
        Column("Net / gross"),
        text_column("Regime"),
        Column("Flip", "points"),
    )
    named: list[tuple[str, BookState | None]] = [
        ("today", structure.today),
        ("0DTE alone", structure.zero_dte),
        ("after the next expiration", structure.after_next_expiration),
        ("after the next monthly", structure.after_next_monthly),
    ]
    named += [
        (f"in {n} session{'s' if n > 1 else ''}", structure.decay[n - 1])
        for n in _AHEAD
        if n <= len(structure.decay)
    ]
    rows = tuple(_state_row(name, state, sign) for name, state in named if state is not None)
    return Table("tab-future", "The book from today on", columns, rows)


def _state_row(name: str, state: BookState, sign: str) -> Row:
    cells = (
        name,
        moment(state.moment),
        money(state.net_gex, sign=sign),
        money(state.gross_gex, sign=sign),
        signed(state.net_to_gross, 3),
        words.regime(state.regime),
        level(state.flip),
    )
    return Row(cells, words.tone(state.regime))


def _roll_off_table(structure: TimeStructure, sign: str) -> Table:
    columns = (
        text_column("Dies on"),
        Column("Net GEX", "per 1 %"),
        Column("Gross", "per 1 %"),
        Column("Share", "of gross"),
        text_column("Monthly"),
    )
    rows = tuple(
        Row(
            (
                day(r.session),
                money(r.net_gex, sign=sign),
                money(r.gross_gex, sign=sign),
                percent(r.share),
                "yes" if r.monthly else "",
            )
        )
        for r in structure.roll_off[:_NEAREST]
    )
    dying = len(structure.roll_off)
    note = "" if dying <= _NEAREST else f"The first {_NEAREST} of {fixed(dying, 0)} sessions."
    return Table("tab-roll-off", "Gamma that rolls off", columns, rows, note)
