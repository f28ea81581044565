"""One session's gamma by expiry."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ...session.picture import SPANS, span_of
from ..charts import axis, bars, figure, layout, rounded
from ..formats import DASH, day, fixed, level, money, percent
from ..views import Column, Figure, Row, Section, Table, text_column
from .profile import MARKS, NEAR, has, mark_at, unit_of

if TYPE_CHECKING:
    import pandas as pd

    from ...session.picture import SessionPicture

__all__ = ["expiry_figure", "expiry_section", "largest_expiries", "span_figure"]


def expiry_section(picture: SessionPicture) -> Section:
    """Return the book by expiry: near to far by strike, the largest, and all of them."""
    return Section(
        id="expiries",
        title="By expiry",
        figures=(span_figure(picture), expiry_figure(picture)),
        tables=(_expiry_table(picture),),
    )


def span_figure(picture: SessionPicture) -> Figure:
    """Return net exposure by strike, stacked by how far away the expiry is."""
    lines = picture.lines.assign(span=span_of(picture))
    table = lines.pivot_table("net_gex", "strike", "span", "sum", fill_value=0.0)
    spot = float(picture.row["spot"])
    near = table[(table.index.to_series() / spot - 1.0).abs() <= NEAR]
    scale, unit = unit_of(near.to_numpy().ravel().tolist(), picture.sign)
    hover = {
        "hovertemplate": f"%{{x:,}}: %{{y:.4g}} {unit} per 1 %<extra>%{{fullData.name}}</extra>"
    }
    at = rounded(table.index.to_series(), 9)
    data = [
        bars(at, table[name] / scale, name, f"span-{i + 1}", **hover)
        for i, name in enumerate(SPANS)
        if name in table
    ]
    marks = [mark for mark in MARKS if mark[0] in ("spot", "flip") and has(picture.row, mark[0])]
    shape = layout(
        barmode="relative",
        bargap=0.15,
        xaxis=axis("strike, points", range=[spot * (1 - NEAR), spot * (1 + NEAR)], tickformat=","),
        yaxis=axis(f"net, {unit} per 1 %", zeroline=True),
        shapes=[mark_at(picture.row[key], dash, colour) for key, _, dash, colour in marks],
        hovermode="closest",
    )
    caption = "Net dealer gamma by strike, stacked by expiry: what stands out most is gone soonest."
    return Figure("fig-spans", _largest_span(lines), caption, figure(data, shape), 340)


def _largest_span(lines: pd.DataFrame) -> str:
    gross = lines.groupby("span")["gross_gex"].sum()
    if not gross.sum() > 0:
        return "Net GEX by time to expiry."
    share, span = percent(gross.max() / gross.sum(), 0), str(gross.idxmax())
    return f"Net GEX by time to expiry: most of gross, {share}, expires {_WHEN[span]}."


#: When the contracts of a span expire, as the end of a sentence.
_WHEN = {
    "next expiry": "first of all",
    "within 7 days": "within 7 days",
    "within 31 days": "within 31 days",
    "later": "later than in 31 days",
}


def expiry_figure(picture: SessionPicture) -> Figure:
    """Return net against gross exposure of the expiries that carry most, in order of time."""
    frame = largest_expiries(picture.expiries)
    scale, unit = unit_of(frame["gross_gex"].tolist(), picture.sign)
    names = _expiry_names(frame)
    hover = {"hovertemplate": f"%{{x}}: %{{y:.4g}} {unit} per 1 %<extra>%{{fullData.name}}</extra>"}
    net = frame["net_gex"] / scale
    data = [
        bars(names, frame["gross_gex"] / scale, "gross", "soft", **hover),
        bars(names, net.where(net >= 0), "net, long", "long", **hover),
        bars(names, net.where(net < 0), "net, short", "short", **hover),
    ]
    shape = layout(
        barmode="overlay",
        bargap=0.25,
        xaxis=axis(type="category", showgrid=False, tickangle=-45),
        yaxis=axis(f"{unit} per 1 %", zeroline=True),
        hovermode="closest",
    )
    caption = f"Net against gross of the {len(frame)} largest expiries, in order of time."
    return Figure(
        "fig-expiries", _largest_expiry(frame, picture), caption, figure(data, shape), 380
    )


def _largest_expiry(frame: pd.DataFrame, picture: SessionPicture) -> str:
    if frame.empty:
        return "No expiry carries gamma."
    top = frame.nlargest(1, "gross_gex").iloc[0]
    share = percent(top["gross_gex"] / picture.expiries["gross_gex"].sum(), 0)
    return f"{day(top['expiry'])} {top['settlement']} carries most gamma: {share} of gross."


def largest_expiries(expiries: pd.DataFrame, largest: int = 20) -> pd.DataFrame:
    """Return the expiries that carry most gross exposure, in order of time."""
    top = expiries[expiries["gross_gex"] > 0].nlargest(largest, "gross_gex")
    return top.sort_values(["expiry", "settlement"])


def _expiry_names(frame: pd.DataFrame) -> list[str]:
    pairs = zip(frame["expiry"], frame["settlement"], strict=True)
    return [f"{day(expiry)} {settlement}" for expiry, settlement in pairs]


def _expiry_table(picture: SessionPicture) -> Table:
    gross = float(picture.expiries["gross_gex"].sum())
    columns = (
        text_column("Expiry"),
        text_column("Settles"),
        Column("Forward", "points"),
        text_column("From"),
        Column("Net GEX", "per 1 %"),
        Column("Gross", "per 1 %"),
        Column("Share", "of gross"),
        Column("Open interest", "contracts"),
        Column("Used"),
        Column("Rejected"),
    )
    rows = tuple(_expiry_row(r, gross, picture.sign) for r in picture.expiries.to_dict("records"))
    return Table("tab-expiries", "Every expiry in the book", columns, rows)


def _expiry_row(r: dict[Any, Any], gross: float, sign: str) -> Row:
    cells = (
        day(r["expiry"]),
        str(r["settlement"]),
        level(r["forward"]),
        str(r["forward_source"]),
        money(r["net_gex"], sign=sign),
        money(r["gross_gex"], sign=sign),
        percent(r["gross_gex"] / gross) if gross > 0 else DASH,
        fixed(r["open_interest"], 0),
        fixed(r["contracts_used"], 0),
        fixed(r["contracts_rejected"], 0),
    )
    return Row(cells)
