"""Paths of still pictures: places in a box of 2,000 by 1,000 units, as short as they can be."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from .still_shapes import Cells

    Values = NDArray[np.float64]

__all__ = [
    "HEIGHT",
    "WIDTH",
    "area_path",
    "box_path",
    "cell_paths",
    "colour_of",
    "dot_path",
    "line_path",
]

WIDTH: Final = 2000
HEIGHT: Final = 1000
#: Columns of a picture: of more points than twice that, the lowest and highest of each are drawn.
_COLUMNS: Final = 500
#: Shades of a map.
_SHADES: Final = 24
#: As far as a place may lie outside of its box.
_OUTSIDE: Final = 3.0


def _units(x: Values, y: Values) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return places of fractions: from the left and from the top."""
    across = np.clip(x, -_OUTSIDE, _OUTSIDE) * WIDTH
    down = (1.0 - np.clip(y, -_OUTSIDE, _OUTSIDE)) * HEIGHT
    return np.rint(across).astype(np.int64), np.rint(down).astype(np.int64)


def line_path(x: Values, y: Values) -> str:
    """Return a line; NaN interrupts it."""
    return "".join(_polyline(*_thinned(x[run], y[run])) for run in _runs(x, y))


def area_path(x: Values, y: Values, base: Values) -> str:
    """Return the area between a line and its base."""
    return "".join(_between(x[run], y[run], base[run]) for run in _runs(x, y + base))


def _between(x: Values, y: Values, base: Values) -> str:
    kept = _kept(y)
    if (base == base[0]).all():
        around = np.concatenate((x[kept], x[[-1, 0]])), np.concatenate((y[kept], base[[-1, 0]]))
    else:
        under = _kept(base)[::-1]
        around = np.concatenate((x[kept], x[under])), np.concatenate((y[kept], base[under]))
    return _polyline(*around) + "z"


def _runs(x: Values, y: Values) -> Iterator[slice]:
    """Return where neighbouring points are all defined."""
    defined = np.concatenate(([False], np.isfinite(x) & np.isfinite(y), [False]))
    edges = np.flatnonzero(np.diff(defined.astype(np.int8)))
    for first, last in edges.reshape(-1, 2).tolist():
        yield slice(first, last)


def _thinned(x: Values, y: Values) -> tuple[Values, Values]:
    kept = _kept(y)
    return x[kept], y[kept]


def _kept(y: Values) -> NDArray[np.int64]:
    """Return which points are drawn: all, or first, lowest, highest and last of each column."""
    n = len(y)
    if n <= 2 * _COLUMNS:
        return np.arange(n)
    ends = np.linspace(0, n, _COLUMNS + 1).astype(np.int64)
    found = {0, n - 1}
    for first, last in zip(ends[:-1].tolist(), ends[1:].tolist(), strict=True):
        part = y[first:last]
        found |= {first + int(part.argmin()), first + int(part.argmax())}
    return np.array(sorted(found))


def _polyline(x: Values, y: Values) -> str:
    across, down = _units(x, y)
    start = f"M{across[0]} {down[0]}"
    if len(across) == 1:
        return start + "h0"
    steps = np.column_stack((np.diff(across), np.diff(down))).ravel().tolist()
    return f"{start}l{_joined(steps)}"


def _joined(numbers: list[int]) -> str:
    """Return numbers in a row: a sign parts them as well as a space does."""
    return " ".join(map(str, numbers)).replace(" -", "-")


def dot_path(x: Values, y: Values) -> str:
    """Return dots: lines without length, whose ends are round."""
    seen = (x >= 0) & (x <= 1) & (y >= 0) & (y <= 1)
    places = zip(*(part.tolist() for part in _units(x[seen], y[seen])), strict=True)
    return "".join(f"M{across} {down}h0" for across, down in places)


def box_path(x0: Values, x1: Values, y0: Values, y1: Values) -> str:
    """Return rectangles; those without any extent, or undefined, are left out."""
    held = np.isfinite(x0 + x1 + y0 + y1)
    left, low = _units(x0[held], y0[held])
    right, high = _units(x1[held], y1[held])
    sides = zip(*(part.tolist() for part in (left, right, low, high)), strict=True)
    return "".join(_box(*side) for side in sides)


def _box(left: int, right: int, low: int, high: int) -> str:
    wide, tall = right - left or 1, high - low
    return f"M{left} {low}h{wide}v{tall}h{-wide}z" if tall else ""


def cell_paths(cells: Cells, x: Values, y: Values) -> list[tuple[str, str]]:
    """Return a map's colours, each with the path of its cells; neighbours of a row are one."""
    found: dict[str, list[str]] = {}
    left = np.rint(np.clip(x, 0, 1) * WIDTH).astype(np.int64).tolist()
    top = np.rint((1 - np.clip(y, 0, 1)) * HEIGHT).astype(np.int64).tolist()
    for i, row in enumerate(cells.z.tolist()):
        colours = [colour_of(cells, value) for value in row]
        begin = 0
        for end in range(1, len(colours) + 1):
            if end == len(colours) or colours[end] != colours[begin]:
                box = _box(left[begin], left[end], top[i], top[i + 1])
                if colours[begin] and box:
                    found.setdefault(colours[begin], []).append(box)
                begin = end
    return [(colour, "".join(boxes)) for colour, boxes in found.items()]


def colour_of(cells: Cells, value: float) -> str:
    """Return the colour of a value of a map; empty where there is none.

    A colour between two of the scale is one of a number of steps, ``css:a 40 css:b`` for 40 % of
    the first.
    """
    if not np.isfinite(value):
        return ""
    share = min(max((value - cells.low) / (cells.high - cells.low or 1.0), 0.0), 1.0)
    for (low, first), (high, second) in zip(cells.scale, cells.scale[1:], strict=False):
        if share <= high and high > low:
            if first == second:
                return first
            steps = max(round((high - low) * _SHADES), 1)
            of_first = round(steps * (1.0 - (share - low) / (high - low))) / steps
            return f"{first} {100 * of_first:.0f} {second}"
    return cells.scale[-1][1]
