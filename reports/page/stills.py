"""Still pictures of charts, as a page shows them before its script draws, or without one.

A still is the chart's own data as lines, boxes and marks in percent of the room that it has, in
the page's colours by name. It fits every width and both themes, and needs no script.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from html import unescape
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from .still_paths import area_path, box_path, cell_paths, colour_of, dot_path, line_path
from .still_scales import Reader, Scale, Tick, layout_axis, reader_of, ticks_of
from .still_shapes import Boxes, Cells, Fill, Points, Shape, Stroke, shapes_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from numpy.typing import NDArray

    from .views import Figure

__all__ = ["Still", "still_of"]

#: Ticks of the horizontal axis: as many as a telephone has room for.
_ACROSS: Final = 6
#: Pixels between ticks of a vertical axis, and of one whose ticks are names.
_LINE: Final = 40
_NAME: Final = 17
_LETTER: Final = 6.7
#: Width of a letter that is slanted by 45 degrees, and of a chart on the narrowest screen.
_SLANTED: Final = 4.8
_NARROW: Final = 280
_MARGIN: Final = 0.05
#: Letters side by side below a chart; with more of them they are slanted.
_LEVEL: Final = 46
_BRIEF: Final = 44
#: Marks that have a shape of their own; more of them are dots.
_MOST_MARKS: Final = 300
_DASHES: Final = {"dash": "6 4", "dot": "2 3", "dashdot": "6 3 2 3"}


@dataclass(frozen=True, slots=True)
class Line:
    """A path: filled with a colour, or drawn with one."""

    d: str
    stroke: str = ""
    fill: str = ""
    width: float = 0.0
    dash: str = ""
    is_dots: bool = False
    is_sharp: bool = False


@dataclass(frozen=True, slots=True)
class Mark:
    """A mark at a place in percent from the left and the top."""

    x: float
    y: float
    symbol: str
    colour: str


@dataclass(frozen=True, slots=True)
class Note:
    """Words at a place in percent from the left and the top."""

    x: float
    y: float
    text: str
    colour: str
    anchor: str = "middle"


@dataclass(frozen=True, slots=True)
class Area:
    """What one vertical axis has: its place from the top, ticks, and all that is drawn."""

    top: float
    height: float
    title: str
    ticks: tuple[Tick, ...]
    grid: bool
    lines: tuple[Line, ...]
    marks: tuple[Mark, ...] = ()
    notes: tuple[Note, ...] = ()


@dataclass(frozen=True, slots=True)
class Swatch:
    """A name of the legend and its mark."""

    name: str
    colour: str
    symbol: str


@dataclass(frozen=True, slots=True)
class Colours:
    """The scale beside a map: its unit, colours from top to bottom, and their ends."""

    unit: str
    colours: tuple[str, ...]
    high: str
    low: str


@dataclass(frozen=True, slots=True)
class Still:
    """A whole picture; margins in pixels."""

    top: int
    left: int
    bottom: int
    right: int
    areas: tuple[Area, ...]
    ticks: tuple[Tick, ...]
    title: str
    slanted: bool
    across: tuple[Line, ...] = ()
    notes: tuple[Note, ...] = ()
    swatches: tuple[Swatch, ...] = ()
    scale: Colours | None = field(default=None)


def still_of(figure: Figure) -> Still:
    """Return a figure's still picture."""
    spec = figure.spec
    layout = spec["layout"]
    reader = reader_of(spec)
    shapes = shapes_of(spec, reader)
    axes = [axis for axis in reader.kinds if axis != "x"]
    x_axis = layout.get("xaxis", {})
    x = _scale("x", x_axis, shapes, reader)
    scales = {axis: _scale(axis, _axis(layout, axis), shapes, reader) for axis in axes}
    areas = tuple(_area(axis, layout, shapes, x, scales[axis], figure.height) for axis in axes)
    ticks = _ticks(x, x_axis, _ACROSS, upward=False)
    if x.kind == "category":
        ticks = _ticks(x, x_axis, 16, upward=False)
    slanted = "tickangle" in x_axis or sum(len(tick.text) + 2 for tick in ticks) > _LEVEL
    lowest = max((len(tick.text) for tick in ticks), default=0)
    title = _text(x_axis)
    maps = [shape for shape in shapes if isinstance(shape, Cells) and shape.is_told]
    return Still(
        top=22 if maps else 10,
        left=max(_left(areas), _overhang(ticks) if slanted else 0),
        bottom=int(22 + (22 if title else 0) + (_SLANTED * lowest if slanted else 0)),
        right=64 if maps else 12,
        areas=areas,
        ticks=ticks,
        title=title,
        slanted=slanted,
        across=tuple(_lines_across(layout, x)),
        notes=tuple(_notes(layout, x)),
        swatches=_swatches(spec) if layout.get("showlegend") else (),
        scale=_colours(maps[0]) if maps else None,
    )


def _axis(layout: Mapping[str, Any], axis: str) -> Mapping[str, Any]:
    found: Mapping[str, Any] = layout.get(layout_axis(axis), {})
    return found


def _text(axis: Mapping[str, Any]) -> str:
    return unescape(axis.get("title", {}).get("text", ""))


def _left(areas: Sequence[Area]) -> int:
    letters = max((len(tick.text) for area in areas for tick in area.ticks), default=0)
    titled = any(area.title for area in areas)
    return max(48, int(12 + _LETTER * letters + (20 if titled else 0)))


def _overhang(ticks: Sequence[Tick]) -> int:
    """Return how far slanted words reach to the left of a chart on the narrowest screen."""
    return max((int(_SLANTED * len(t.text) + 10 - 0.01 * t.at * _NARROW) for t in ticks), default=0)


def _scale(axis: str, settings: Mapping[str, Any], shapes: list[Shape], reader: Reader) -> Scale:
    kind, names = reader.kinds[axis], reader.names.get(axis, ())
    if (said := _range(kind, settings)) is not None:
        return Scale(kind, names, *said)
    if kind == "category":
        ends = (-0.5, len(names) - 0.5)
    else:
        ends = _extent(axis, shapes, to_zero=settings.get("rangemode") == "tozero")
    if settings.get("autorange") == "reversed":
        ends = ends[::-1]
    return Scale(kind, names, *ends)


def _range(kind: str, settings: Mapping[str, Any]) -> tuple[float, float] | None:
    """Return the range that a figure states, where it is one of numbers."""
    low, high = settings.get("range", (None, None))
    if kind == "date" or not all(isinstance(end, (int, float)) for end in (low, high)):
        return None
    return float(low), float(high)


def _extent(axis: str, shapes: list[Shape], *, to_zero: bool) -> tuple[float, float]:
    """Return the range of an axis: what is drawn, and some room where it would touch the end."""
    held: list[NDArray[np.float64]] = [np.zeros(1)] if to_zero else []
    based = to_zero
    padded = False
    for shape in shapes:
        if axis not in ("x", shape.axis):
            continue
        values, has_base, has_room = _reach(axis, shape)
        held.append(values)
        based, padded = based or has_base, padded or has_room
    all_of = np.concatenate(held) if held else np.zeros(0)
    all_of = all_of[np.isfinite(all_of)]
    if not all_of.size:
        return 0.0, 1.0
    low, high = float(all_of.min()), float(all_of.max())
    room = _MARGIN * (high - low) if high > low else abs(high) * 0.5 or 1.0
    if not padded:
        return (low, high) if high > low else (low - room, high + room)
    return (
        low if based and low == 0 else low - room,
        high if based and high == 0 else high + room,
    )


def _reach(axis: str, shape: Shape) -> tuple[NDArray[np.float64], bool, bool]:
    """Return a shape's values on an axis, if they begin at zero, and if they need room."""
    across = axis == "x"
    if isinstance(shape, Boxes):
        one, other = (shape.x0, shape.x1) if across else (shape.y0, shape.y1)
        based = bool(np.nanmin(np.abs(one), initial=1.0) == 0.0)
        return np.concatenate((one, other)), based, based
    if isinstance(shape, Fill):
        if across:
            return shape.x, False, False
        return np.concatenate((shape.y, shape.base)), not shape.base.any(), True
    values = shape.x if across else shape.y
    return values, False, isinstance(shape, Points) or (isinstance(shape, Stroke) and not across)


def _ticks(
    scale: Scale, settings: Mapping[str, Any], most: int, *, upward: bool
) -> tuple[Tick, ...]:
    named = ticks_of(scale, settings, most)
    at = scale.fractions(np.array([value for value, _ in named], dtype=np.float64))
    found = []
    for share, (_, text) in zip(at.tolist(), named, strict=True):
        if -1e-9 <= share <= 1 + 1e-9:
            found.append(Tick(round(100 * (1 - share if upward else share), 2), text))
    return tuple(found)


def _area(
    axis: str,
    layout: Mapping[str, Any],
    shapes: list[Shape],
    x: Scale,
    y: Scale,
    height: int,
) -> Area:
    settings = _axis(layout, axis)
    low, high = settings.get("domain", (0.0, 1.0))
    room = (height - 80) * (high - low)
    most = max(int(room / (_NAME if y.kind == "category" else _LINE)), 3)
    own = [shape for shape in shapes if shape.axis == axis]
    ticks = _ticks(y, settings, most, upward=True)
    zero = []
    if settings.get("zeroline") and y.kind == "linear" and y.low < 0 < y.high:
        at = y.fractions(np.zeros(2))
        zero = [Line(line_path(np.array([0.0, 1.0]), at), "css:muted", width=1)]
    return Area(
        top=round(100 * (1 - high), 2),
        height=round(100 * (high - low), 2),
        title=_text(settings),
        ticks=ticks,
        grid=settings.get("showgrid", True),
        lines=(*zero, *(line for shape in own for line in _lines(shape, x, y))),
        marks=tuple(mark for shape in own for mark in _marks(shape, x, y)),
        notes=tuple(note for shape in own for note in _inside(shape, x, y)),
    )


def _lines(shape: Shape, x: Scale, y: Scale) -> Iterable[Line]:
    across, up = x.fractions, y.fractions
    if isinstance(shape, Stroke):
        d = line_path(across(shape.x), up(shape.y))
        yield Line(d, shape.colour, width=shape.width, dash=_DASHES.get(shape.dash, ""))
    elif isinstance(shape, Fill):
        d = area_path(across(shape.x), up(shape.y), up(shape.base))
        yield Line(d, fill=shape.colour)
    elif isinstance(shape, Boxes):
        d = box_path(across(shape.x0), across(shape.x1), up(shape.y0), up(shape.y1))
        yield Line(d, fill=shape.colour)
    elif isinstance(shape, Cells):
        for colour, d in cell_paths(shape, across(shape.x), up(shape.y)):
            yield Line(d, fill=colour, is_sharp=True)
    elif _as_dots(shape):
        d = dot_path(across(shape.x), up(shape.y))
        yield Line(d, shape.colour, width=shape.size, is_dots=True)


def _as_dots(shape: Points) -> bool:
    return shape.symbol == "circle" or len(shape.x) > _MOST_MARKS


def _marks(shape: Shape, x: Scale, y: Scale) -> Iterable[Mark]:
    if not isinstance(shape, Points) or _as_dots(shape):
        return
    for across, up in zip(x.fractions(shape.x), y.fractions(shape.y), strict=True):
        if 0 <= across <= 1 and 0 <= up <= 1:
            at = round(100 * float(across), 2), round(100 - 100 * float(up), 2)
            yield Mark(*at, shape.symbol, shape.colour)


def _inside(shape: Shape, x: Scale, y: Scale) -> Iterable[Note]:
    """Return the words that stand in bars, at their foot."""
    if not isinstance(shape, Boxes) or not shape.text:
        return
    middles = x.fractions((shape.x0 + shape.x1) / 2.0)
    feet = y.fractions(shape.y0)
    for across, up, text in zip(middles, feet, shape.text, strict=True):
        at = round(100 * float(across), 2), round(98 - 100 * float(up), 2)
        yield Note(*at, unescape(text), "css:paper")


def _lines_across(layout: Mapping[str, Any], x: Scale) -> Iterable[Line]:
    """Return the lines over all areas, from bottom to top."""
    for shape in layout.get("shapes", ()):
        at = x.fractions(np.array([shape["x0"], shape["x1"]], dtype=np.float64))
        if shape.get("yref") != "paper" or not ((at >= 0) & (at <= 1)).all():
            continue
        line = shape["line"]
        yield Line(
            line_path(at, np.array([shape["y0"], shape["y1"]], dtype=np.float64)),
            line["color"],
            width=line["width"],
            dash=_DASHES.get(line["dash"], ""),
        )


_ANCHORS: Final = {"left": "start", "right": "end", "center": "middle"}


def _notes(layout: Mapping[str, Any], x: Scale) -> Iterable[Note]:
    for note in layout.get("annotations", ()):
        at = float(x.fractions(np.array([note["x"]], dtype=np.float64))[0])
        if note.get("yref") == "paper" and 0 <= at <= 1:
            yield Note(
                round(100 * at, 2),
                round(100 - 100 * note["y"], 2),
                unescape(note["text"]),
                note["font"]["color"],
                _ANCHORS[note["xanchor"]],
            )


def _swatches(spec: Mapping[str, Any]) -> tuple[Swatch, ...]:
    told = [t for t in spec["data"] if t.get("showlegend", True) and t.get("name")]
    told.sort(key=lambda trace: trace.get("legendrank", 1000))
    return tuple(Swatch(_brief(unescape(t["name"])), *_swatch(t)) for t in told)


def _swatch(trace: Mapping[str, Any]) -> tuple[str, str]:
    """Return colour and symbol of a trace in the legend."""
    if trace["type"] == "bar" or "fill" in trace:
        return trace.get("fillcolor") or trace["marker"]["color"], "square"
    if "markers" in trace.get("mode", ""):
        return trace["marker"]["color"], trace["marker"].get("symbol", "circle")
    return trace["line"]["color"], "line"


def _brief(name: str) -> str:
    """Return a name as a legend has room for it; the tables have the whole of it."""
    return name if len(name) <= _BRIEF else f"{name[: _BRIEF - 12]}…{name[-11:]}"


def _colours(cells: Cells) -> Colours:
    levels = np.linspace(cells.high, cells.low, 16)
    return Colours(
        unescape(cells.unit),
        tuple(colour_of(cells, level) for level in levels.tolist()),
        f"{cells.high:.3g}",
        f"{cells.low:.3g}".replace("-", "\N{MINUS SIGN}"),
    )
