"""Traces of a Plotly figure as shapes in the units of their axes: what a still picture draws."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    from .still_scales import Reader

    Values = NDArray[np.float64]

__all__ = ["Boxes", "Cells", "Fill", "Points", "Shape", "Stroke", "shapes_of"]

#: Share of the room between two bars' middles that stays free where a figure does not say it.
_BAR_GAP: Final = 0.2
_NO_COLOUR: Final = "css:ink"


@dataclass(frozen=True, slots=True)
class Stroke:
    """A line through points; NaN interrupts it."""

    axis: str
    x: Values
    y: Values
    colour: str
    width: float
    dash: str = "solid"


@dataclass(frozen=True, slots=True)
class Fill:
    """What lies between a line and its base."""

    axis: str
    x: Values
    y: Values
    base: Values
    colour: str


@dataclass(frozen=True, slots=True)
class Boxes:
    """Rectangles of one colour; `text` stands inside, at their ends."""

    axis: str
    x0: Values
    x1: Values
    y0: Values
    y1: Values
    colour: str
    text: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Points:
    """Marks of one kind."""

    axis: str
    x: Values
    y: Values
    colour: str
    symbol: str
    size: float


@dataclass(frozen=True, slots=True)
class Cells:
    """A map: edges of its columns and rows, and a value in each cell."""

    axis: str
    x: Values
    y: Values
    z: NDArray[np.float64]
    low: float
    high: float
    scale: tuple[tuple[float, str], ...]
    unit: str = ""
    is_told: bool = False


Shape = Stroke | Fill | Boxes | Points | Cells


def shapes_of(spec: Mapping[str, Any], read: Reader) -> list[Shape]:
    """Return what a figure draws, in the order in which it is drawn.

    Parameters
    ----------
    spec : mapping
        A figure as `charts.figure` returns it.
    read : Reader
        Turns the values of an axis into numbers.
    """
    found: list[Shape] = []
    stacks: dict[tuple[str, float, bool], float] = {}
    kinds = [t["type"] for t in spec["data"]]
    grouped = spec["layout"].get("barmode", "group") == "group"
    place, before = 0, None
    for trace in spec["data"]:
        axis = trace.get("yaxis", "y")
        if trace["type"] == "heatmap":
            found.append(_cells(trace, axis, read))
            continue
        x, y = read.x(trace["x"]), read.y(axis, trace["y"])
        if trace["type"] == "bar":
            slot = (place, kinds.count("bar")) if grouped else (0, 1)
            place += 1
            found.append(_bars(trace, axis, (x, y), spec["layout"], slot, stacks))
        elif trace["type"] == "waterfall":
            found += _waterfall(trace, axis, x, y)
        else:
            found += _scatter(trace, axis, x, y, before)
            before = y
    return found


def _scatter(
    trace: Mapping[str, Any], axis: str, x: Values, y: Values, before: Values | None
) -> Iterator[Shape]:
    mode, fill = trace.get("mode", "lines"), trace.get("fill")
    line = trace.get("line", {})
    if line.get("shape") == "hvh":
        x, y = _steps(x, y)
    if fill == "tozeroy":
        yield Fill(axis, x, y, np.zeros(len(y)), trace["fillcolor"])
    elif fill == "tonexty" and before is not None and len(before) == len(y):
        yield Fill(axis, x, y, before, trace["fillcolor"])
    if "lines" in mode and line.get("width", 2.0) > 0:
        colour, width = line.get("color", _NO_COLOUR), float(line.get("width", 2.0))
        yield Stroke(axis, x, y, colour, width, line.get("dash", "solid"))
    yield from _whiskers(trace, axis, x, y)
    if "markers" in mode:
        marker = trace.get("marker", {})
        colour, size = marker.get("color", _NO_COLOUR), float(marker.get("size", 6))
        yield Points(axis, x, y, colour, marker.get("symbol", "circle"), size)


def _steps(x: Values, y: Values) -> tuple[Values, Values]:
    """Return a line of steps, each half way to the neighbours."""
    if len(x) < 2:
        return x, y
    middles = (x[:-1] + x[1:]) / 2.0
    edges = np.concatenate(([x[0]], middles, [x[-1]]))
    return np.repeat(edges, 2)[1:-1], np.repeat(y, 2)


def _whiskers(trace: Mapping[str, Any], axis: str, x: Values, y: Values) -> Iterator[Stroke]:
    for name, along in (("error_x", x), ("error_y", y)):
        if name not in trace:
            continue
        error = trace[name]
        up = _numbers(error["array"])
        down = _numbers(error.get("arrayminus", error["array"]))
        ends = np.column_stack((along - down, along + up, np.full(len(along), np.nan))).ravel()
        other = np.repeat(y if name == "error_x" else x, 3)
        across, upward = (ends, other) if name == "error_x" else (other, ends)
        colour, width = error.get("color", _NO_COLOUR), float(error.get("thickness", 1.4))
        yield Stroke(axis, across, upward, colour, width)


def _numbers(values: Sequence[Any]) -> Values:
    return np.array([np.nan if v is None else v for v in values], dtype=np.float64)


def _bars(
    trace: Mapping[str, Any],
    axis: str,
    at: tuple[Values, Values],
    layout: Mapping[str, Any],
    slot: tuple[int, int],
    stacks: dict[tuple[str, float, bool], float],
) -> Boxes:
    lying = trace.get("orientation") == "h"
    where, size = at[::-1] if lying else at
    room = min((b - a for a, b in pairwise(sorted(set(where[np.isfinite(where)])))), default=1.0)
    whole = room * (1.0 - layout.get("bargap", _BAR_GAP))
    number, of = slot
    low = where - whole / 2.0 + whole * number / of
    base = np.zeros(len(size))
    if layout.get("barmode") == "relative":
        for i, (place, value) in enumerate(zip(where, size, strict=True)):
            if np.isfinite(value):
                key = (axis, float(place), bool(value >= 0))
                base[i] = stacks.get(key, 0.0)
                stacks[key] = base[i] + value
    colour = trace.get("marker", {}).get("color", _NO_COLOUR)
    sides = (low, low + whole / of, base, base + size)
    text = tuple(trace.get("text", ())) if trace.get("textposition") == "inside" else ()
    if lying:
        return Boxes(axis, sides[2], sides[3], sides[0], sides[1], colour, text)
    return Boxes(axis, *sides, colour, text)


def _waterfall(trace: Mapping[str, Any], axis: str, x: Values, y: Values) -> Iterator[Boxes]:
    """Return steps that rise, steps that fall, and sums: each of its own colour."""
    lying = trace.get("orientation") == "h"
    where, size = (y, x) if lying else (x, y)
    base, end = np.zeros(len(size)), np.zeros(len(size))
    at = 0.0
    for i, (kind, value) in enumerate(zip(trace["measure"], size, strict=True)):
        value = 0.0 if np.isnan(value) else float(value)
        base[i] = at if kind == "relative" else 0.0
        at = at + value if kind == "relative" else at if kind == "total" else value
        end[i] = at
    relative = np.array([kind == "relative" for kind in trace["measure"]])
    half = (1.0 - _BAR_GAP) / 2.0
    for name, which in (
        ("increasing", relative & (end >= base)),
        ("decreasing", relative & (end < base)),
        ("totals", ~relative),
    ):
        low, high = where[which] - half, where[which] + half
        colour = trace[name]["marker"]["color"]
        if lying:
            yield Boxes(axis, base[which], end[which], low, high, colour)
        else:
            yield Boxes(axis, low, high, base[which], end[which], colour)


def _cells(trace: Mapping[str, Any], axis: str, read: Reader) -> Cells:
    z = np.array([_numbers(row) for row in trace["z"]])
    scale = trace["colorscale"]
    lowest, highest = _numbers((trace["zmin"], trace["zmax"])).tolist()
    return Cells(
        axis,
        _edges(read.x(trace["x"])),
        _edges(read.y(axis, trace["y"])),
        z,
        lowest,
        highest,
        tuple((float(at), str(colour)) for at, colour in scale),
        trace.get("colorbar", {}).get("title", {}).get("text", ""),
        trace.get("showscale", True),
    )


def _edges(middles: Values) -> Values:
    """Return where cells begin and end whose middles are these."""
    if len(middles) < 2:
        return np.array([middles[0] - 0.5, middles[0] + 0.5]) if len(middles) else middles
    between = (middles[:-1] + middles[1:]) / 2.0
    first, last = 2.0 * middles[0] - between[0], 2.0 * middles[-1] - between[-1]
    return np.concatenate(([first], between, [last]))
