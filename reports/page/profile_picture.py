"""Pictures as PNG, drawn by matplotlib: no browser and no network."""

from __future__ import annotations

import textwrap
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from ...data import published_file
from ..session.picture import SPANS, span_of
from .formats import day, is_defined, level, percent
from .palette import LIGHT
from .sections import words
from .sections.expiries import largest_expiries
from .sections.profile import (
    MARKS,
    NEAR,
    carry_warnings,
    sentence_of,
    side_of,
    strike_range,
    unit_of,
)

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd
    from matplotlib.axes import Axes

    from ..session.picture import SessionPicture

__all__ = ["draw_profile"]

_DASHES = {"solid": "-", "dash": "--", "dot": ":"}


def draw_profile(picture: SessionPicture, path: Path, *, simulated: bool = False) -> Path:
    """Write the picture of one session: strikes, profile, expiries, flip and walls.

    Parameters
    ----------
    picture : SessionPicture
    path : Path
        Of the PNG file.
    simulated : bool
        Says SIMULATED in the title.
    """
    from matplotlib import rc_context
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    with rc_context(_style()):
        figure = Figure(figsize=(11, 11.5), facecolor=LIGHT["paper"], layout="constrained")
        FigureCanvasAgg(figure)
        axes = figure.subplots(4, 1, height_ratios=[1.25, 1.0, 0.85, 0.7])
        axes[1].sharex(axes[0])
        axes[2].sharex(axes[0])
        _draw_strikes(axes[0], picture)
        _draw_curve(axes[1], picture)
        _draw_spans(axes[2], picture)
        _draw_expiries(axes[3], picture)
        title = _title(picture, simulated=simulated)
        lacking = [textwrap.fill(sentence, 110) for sentence in carry_warnings(picture)]
        figure.suptitle("\n".join((title, *lacking)), x=0.01, ha="left", fontsize=15)
        with published_file(path) as draft:
            # without the library's version in it, equal pictures are equal files
            figure.savefig(draft, dpi=110, metadata={"Software": None})
    return path


def _style() -> Any:
    ink, muted, rule = LIGHT["ink"], LIGHT["muted"], LIGHT["rule"]
    return {
        "axes.facecolor": LIGHT["paper"],
        "axes.edgecolor": rule,
        "axes.labelcolor": muted,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.grid": True,
        "axes.axisbelow": True,
        "grid.color": LIGHT["grid"],
        "xtick.color": muted,
        "ytick.color": muted,
        "text.color": ink,
        "font.size": 10,
        "font.family": "sans-serif",
    }


def _title(picture: SessionPicture, *, simulated: bool) -> str:
    row = picture.row
    mark = "SIMULATED  " if simulated else ""
    head = f"{mark}{row['underlying']} {day(row['session'])}: {words.regime(row['regime'])}"
    whole = f"{head}\n{sentence_of(picture).split('. ')[0]}"
    return whole.replace("$", r"\$")  # two of them would set mathematics


def _draw_strikes(axes: Axes, picture: SessionPicture) -> None:
    frame, spot = picture.strikes, float(picture.row["spot"])
    axes.xaxis.set_major_formatter("{x:,.0f}")
    near = frame[(frame["strike"] / spot - 1.0).abs() <= NEAR]
    scale, unit = unit_of([*near["call_gex"], *near["put_gex"]], picture.sign)
    width = _bar_width(near["strike"].tolist())
    axes.bar(near["strike"], near["call_gex"] / scale, width, color=LIGHT["call"], label="calls")
    axes.bar(near["strike"], near["put_gex"] / scale, width, color=LIGHT["put"], label="puts")
    axes.axhline(0, color=LIGHT["rule"], linewidth=1)
    axes.set_ylabel(f"by strike, {unit} per 1 %")
    axes.set_xlim(spot * (1 - NEAR), spot * (1 + NEAR))
    low, high = strike_range(frame, spot)
    axes.set_ylim(low / scale, high / scale)
    _legend(axes)
    _draw_marks(axes, picture.row, named=True)


def _bar_width(strikes: list[float]) -> float:
    gaps = [b - a for a, b in pairwise(strikes) if b > a]
    return 0.85 * min(gaps, default=1.0)


def _draw_marks(axes: Axes, row: dict[str, Any], *, named: bool) -> None:
    top = axes.get_xaxis_transform()
    low, high = axes.get_xlim()
    shown = [mark for mark in MARKS if is_defined(row[mark[0]]) and low <= row[mark[0]] <= high]
    for i, (key, name, dash, colour) in enumerate(shown):
        axes.axvline(row[key], color=LIGHT[colour], linestyle=_DASHES[dash], linewidth=1.2)
        if named:
            text = f" {name} {level(row[key])} "
            at = (row[key], 0.985 - 0.07 * i)
            side: Literal["left", "right"] = side_of(row[key] / row["spot"] - 1.0, text)
            ink = LIGHT[colour]
            paper = {"facecolor": LIGHT["paper"], "edgecolor": "none", "pad": 1.0}
            axes.annotate(
                text, at, xycoords=top, fontsize=9.5, ha=side, va="top", color=ink, bbox=paper
            )


def _draw_curve(axes: Axes, picture: SessionPicture) -> None:
    levels = picture.profile["level"].to_numpy()
    scale, unit = unit_of(picture.profile["net_gex"].tolist(), picture.sign)
    net = picture.profile["net_gex"].to_numpy() / scale
    axes.fill_between(levels, net, 0, where=net >= 0, color=LIGHT["long"], alpha=0.22, linewidth=0)
    axes.fill_between(levels, net, 0, where=net <= 0, color=LIGHT["short"], alpha=0.22, linewidth=0)
    axes.plot(levels, net, color=LIGHT["ink"], linewidth=1.6)
    axes.axhline(0, color=LIGHT["muted"], linewidth=0.8)
    roots = picture.roots["level"].to_numpy()
    axes.plot(roots, [0.0] * len(roots), "o", color=LIGHT["ink"], markerfacecolor=LIGHT["paper"])
    axes.set_ylabel(f"repriced profile, {unit} per 1 %")
    _draw_marks(axes, picture.row, named=False)


def _draw_spans(axes: Axes, picture: SessionPicture) -> None:
    """Draw net gamma by strike, stacked by how far away the expiry is."""
    lines = picture.lines.assign(span=span_of(picture))
    table = lines.pivot_table("net_gex", "strike", "span", "sum", fill_value=0.0)
    spot = float(picture.row["spot"])
    table = table[(table.index.to_series() / spot - 1.0).abs() <= NEAR]
    scale, unit = unit_of(table.to_numpy().ravel().tolist(), picture.sign)
    strikes = table.index.to_numpy()
    above, below = np.zeros(len(strikes)), np.zeros(len(strikes))
    for i, name in enumerate(SPANS):
        if name in table:
            net = table[name].to_numpy() / scale
            base = np.where(net >= 0, above, below)
            colour = LIGHT[f"span-{i + 1}"]
            axes.bar(strikes, net, _bar_width(strikes.tolist()), base, color=colour, label=name)
            above, below = above + net.clip(min=0), below + net.clip(max=0)
    axes.axhline(0, color=LIGHT["rule"], linewidth=1)
    axes.set_ylabel(f"net by expiry, {unit} per 1 %")
    axes.set_xlabel("level, points")
    _legend(axes)


def _legend(axes: Axes) -> None:
    """Put the legend above the picture, where no bar, line or name can reach it."""
    axes.legend(
        loc="lower left", bbox_to_anchor=(0.0, 1.0), frameon=False, ncols=4, borderaxespad=0.2
    )


def _draw_expiries(axes: Axes, picture: SessionPicture) -> None:
    frame = largest_expiries(picture.expiries)
    scale, unit = unit_of(frame["gross_gex"].tolist(), picture.sign)
    names = [f"{day(e)} {s}" for e, s in zip(frame["expiry"], frame["settlement"], strict=True)]
    net = (frame["net_gex"] / scale).to_numpy()
    places = range(len(names))
    axes.bar(places, frame["gross_gex"] / scale, 0.8, color=LIGHT["rule"], label="gross")
    axes.bar(places, net.clip(min=0), 0.8, color=LIGHT["long"], label="net, long")
    axes.bar(places, net.clip(max=0), 0.8, color=LIGHT["short"], label="net, short")
    axes.set_xticks(list(places), names, rotation=45, ha="right", fontsize=8)
    axes.grid(visible=False, axis="x")
    axes.set_ylabel(f"by expiry, {unit} per 1 %")
    axes.set_xlabel(_share_shown(picture, frame))
    _legend(axes)


def _share_shown(picture: SessionPicture, frame: pd.DataFrame) -> str:
    """Return how many expiries are drawn, and how much of the gamma they carry."""
    carrying = int((picture.expiries["gross_gex"] > 0).sum())
    share = frame["gross_gex"].sum() / picture.expiries["gross_gex"].sum()
    if carrying == len(frame):
        return f"all {carrying} expiries"
    return f"the {len(frame)} largest of {carrying} expiries, {percent(share, 0)} of gross"
