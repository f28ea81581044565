"""Two maps: exposure by strike and expiry, and the book at other spots, times and volatilities."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ..charts import axis, figure, layout, rounded
from ..formats import DASH, day, is_defined, level, moment, money, percent, signed
from ..palette import token
from ..views import Column, Figure, Row, Section, Table, text_column
from .expiries import largest_expiries
from .profile import NEAR, unit_of

if TYPE_CHECKING:
    import pandas as pd

    from ...session.picture import SessionPicture

__all__ = ["heat_figure", "heat_trace", "map_section", "what_if_grids", "what_if_section"]

#: Most cells in each direction that a map shows before strikes are joined.
_STRIKES = 60
#: Minus to plus: the farther from zero, the farther from the page's paper.
_DIVERGING = [
    [0.0, token("minus-2")],
    [0.25, token("minus-1")],
    [0.5, token("zero")],
    [0.75, token("plus-1")],
    [1.0, token("plus-2")],
]


def map_section(picture: SessionPicture) -> Section:
    """Return the exposure by strike and expiry as a heat map."""
    text = (
        "Where dealers' gamma lies, by strike and expiry: positive dampens moves there, negative "
        "amplifies them, if dealers are who the model says.",
    )
    return Section("map", "By strike and expiry", text, figures=(heat_figure(picture),))


def heat_figure(picture: SessionPicture) -> Figure:
    """Return net GEX by strike, within 10 % of spot, and the largest expiries."""
    spot = float(picture.row["spot"])
    largest = largest_expiries(picture.expiries, 16)
    names = {(r.expiry, r.settlement): f"{day(r.expiry)} {r.settlement}"
             for r in largest.itertuples()}  # fmt: skip
    lines = picture.lines
    named = [names.get(pair, "") for pair in zip(lines["expiry"], lines["settlement"], strict=True)]
    lines = lines.assign(name=named)
    near = lines[(lines["name"] != "") & ((lines["strike"] / spot - 1.0).abs() <= NEAR)]
    width = _width(sorted(set(near["strike"].tolist())))
    bins = (np.floor(near["strike"] / width + 1e-9) * width).round(9) if width else near["strike"]
    cells = near.assign(bin=bins).pivot_table("net_gex", "bin", "name", "sum", sort=True)
    cells = cells.reindex(columns=[n for n in names.values() if n in cells])
    scale, unit = unit_of(cells.to_numpy().ravel().tolist(), picture.sign)
    caption = "Net GEX by strike and expiry; blank: no open interest."
    if width:
        caption += f" Strikes are joined in steps of {level(width)} points, named by the lowest."
    trace = heat_trace(list(cells.columns), cells.index.tolist(), cells.to_numpy() / scale,
                  f"{unit} per 1 %")  # fmt: skip
    shape = layout(
        legend=False,
        xaxis=axis("expiry", type="category", showgrid=False, tickangle=-45),
        yaxis=axis("strike, points", showgrid=False, tickformat=","),
        hovermode="closest",
    )
    return Figure(
        "fig-map", _largest_cell(cells, picture.sign), caption, figure([trace], shape), 520
    )


def _width(strikes: list[float]) -> float:
    """Return the step in which strikes are joined; 0 where they are few."""
    if len(strikes) <= _STRIKES:
        return 0.0
    wanted = (strikes[-1] - strikes[0]) / _STRIKES
    size = 10.0 ** np.floor(np.log10(wanted))
    return float(next(size * k for k in (1, 2, 2.5, 5, 10) if size * k >= wanted))


def _largest_cell(cells: pd.DataFrame, sign: str) -> str:
    flat = cells.stack()
    if flat.empty:
        return "No expiry carries gamma near spot."
    strike, name = flat.abs().idxmax()  # type: ignore[misc]
    largest = float(cells.to_numpy()[cells.index.get_loc(strike), cells.columns.get_loc(name)])
    return f"Most at {level(strike)} of {name}: {money(largest, sign=sign)}."


def heat_trace(x: list[Any], y: list[Any], z: Any, unit: str) -> dict[str, Any]:
    """Return a heat map whose colours part at zero; `y` gets nine digits."""
    largest = float(np.nanmax(np.abs(z))) if np.isfinite(z).any() else 1.0
    return {
        "type": "heatmap",
        "x": x,
        "y": rounded(y, 9),
        "z": [rounded(row) for row in z.tolist()],
        "zmin": -largest or -1.0,
        "zmax": largest or 1.0,
        "colorscale": _DIVERGING,
        "colorbar": {"title": {"text": unit}, "thickness": 12},
        "hovertemplate": f"%{{y}}, %{{x}}: %{{z:.4g}} {unit}<extra></extra>",
    }


def what_if_section(found: pd.DataFrame, sign: str) -> Section:
    """Return net GEX over spot and time as a map, and net, flip and flow with other volatilities.

    Parameters
    ----------
    found : DataFrame
        As `gexlab.data.what_if` returns it.
    sign : str
        Of the currency.
    """
    text = (
        "The book if nobody trades: repriced at other spots, sessions ahead and volatilities. Flow "
        "is what dealers trade from now to there to stay hedged; positive buys.",
    )
    tables = (_table(found, sign),)
    return Section("what-if", "What if", text, figures=(_what_if_figure(found, sign),),
                   tables=tables)  # fmt: skip


def _what_if_figure(found: pd.DataFrame, sign: str) -> Figure:
    same = found[found["volatility_shift"] == 0.0]
    cells = same.pivot_table("net_gex", "spot_move", "sessions_ahead", sort=True, dropna=False)
    scale, unit = unit_of(cells.to_numpy().ravel().tolist(), sign)
    names = [f"+{k}" if int(k) else "now" for k in cells.columns]
    moves = [percent(move, 0, sign=True) for move in cells.index]
    trace = heat_trace(names, [], cells.to_numpy() / scale, f"{unit} per 1 %") | {"y": moves}
    shape = layout(
        legend=False,
        xaxis=axis("sessions ahead", type="category", showgrid=False),
        yaxis=axis("move of spot", type="category", showgrid=False),
        hovermode="closest",
    )
    caption = "Net GEX by move of spot and sessions ahead, volatilities unmoved."
    return Figure("fig-what-if", _turns(cells), caption, figure([trace], shape), 400)


def _turns(cells: pd.DataFrame) -> str:
    """Return which moves of today change the sign of net GEX, in a sentence."""
    now = cells.iloc[:, 0]
    here = float(now.loc[0.0]) if 0.0 in now.index else float("nan")
    if not is_defined(here) or here == 0.0:
        return "Net GEX at other spots and times."
    other = [move for move in now.index if now[move] * here < 0]
    if not other:
        return "No move shown turns the sign of net GEX today."
    nearest = min(other, key=abs)
    return f"A move of {percent(nearest, 0, sign=True)} turns the sign of net GEX today."


def _table(found: pd.DataFrame, sign: str) -> Table:
    # unmoved volatilities first
    moved = found["volatility_shift"].abs()
    ordered = found.assign(moved=moved).sort_values("moved", kind="stable")
    columns = (
        Column("Move", "of spot"),
        Column("Spot", "points"),
        Column("Sessions", "ahead"),
        text_column("Valued"),
        Column("Volatility", "points"),
        Column("Net GEX", "per 1 %"),
        Column("Net / gross"),
        Column("Flip", "points"),
        Column("Hedge flow", "from now"),
        Column("Unwind", "settled"),
    )
    rows = tuple(
        Row(
            (
                percent(r["spot_move"], 0, sign=True),
                level(r["spot"]),
                str(r["sessions_ahead"]),
                moment(r["moment"]),
                signed(100.0 * r["volatility_shift"], 0),
                money(r["net_gex"], sign=sign) if is_defined(r["net_gex"]) else DASH,
                signed(r["net_to_gross"], 3),
                level(r["flip"]),
                money(r["flow_dollars"], sign=sign),
                money(r["unwind_dollars"], sign=sign),
            )
        )
        for r in ordered.to_dict("records")
    )
    return Table("tab-what-if", "The book elsewhere", columns, rows)


def what_if_grids(found: pd.DataFrame, sign: str) -> tuple[Table, ...]:
    """Return net GEX, flip and hedge flow by move of spot and sessions ahead, volatilities unmoved.

    Parameters
    ----------
    found : DataFrame
        As `gexlab.data.what_if` returns it.
    sign : str
        Of the currency.
    """
    return (
        _grid(found, "net_gex", "Net GEX per 1 %, by sessions ahead", sign),
        _grid(found, "flip", "Flip, points, by sessions ahead", sign),
        _grid(found, "flow_dollars", "Hedge flow from now, by sessions ahead", sign),
    )


def _grid(found: pd.DataFrame, what: str, caption: str, sign: str) -> Table:
    same = found[found["volatility_shift"] == 0.0]
    cells = same.pivot_table(what, "spot_move", "sessions_ahead", sort=True, dropna=False)
    columns = (Column("Move"), *(Column(f"+{k}" if k else "now") for k in cells.columns))
    rows = tuple(
        Row(
            (
                percent(move, 0, sign=True),
                *(level(v) if what == "flip" else money(v, sign=sign) for v in values),
            )
        )
        for move, values in zip(cells.index, cells.to_numpy().tolist(), strict=True)
    )
    return Table(f"tab-grid-{what}", caption, columns, rows)
