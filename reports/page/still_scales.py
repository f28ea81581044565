"""Axes of still pictures: values as numbers, the range that they span, and what ticks say."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, timedelta
from html import unescape
from math import ceil, floor, log10
from typing import TYPE_CHECKING, Any, Final

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    Values = NDArray[np.float64]

__all__ = ["Reader", "Scale", "Tick", "reader_of", "ticks_of"]

_DAY: Final = re.compile(r"\d{4}-\d\d-\d\d")
_EPOCH: Final = date(1970, 1, 1)
_MINUS: Final = "\N{MINUS SIGN}"


@dataclass(frozen=True, slots=True)
class Tick:
    """A place on an axis in percent of its length from the left or the top, and its words."""

    at: float
    text: str


@dataclass(frozen=True, slots=True)
class Scale:
    """An axis: its kind, its names where it has any, and the range that is seen."""

    kind: str
    names: tuple[str, ...]
    low: float
    high: float

    def fractions(self, values: Values) -> Values:
        """Return where values lie: 0 at the lower end of the axis, 1 at the upper one."""
        return np.asarray((values - self.low) / ((self.high - self.low) or 1.0), dtype=np.float64)


@dataclass(frozen=True, slots=True)
class Reader:
    """Turns the values of a figure's axes into numbers: days, logarithms, places of names."""

    kinds: Mapping[str, str]
    names: Mapping[str, tuple[str, ...]]

    def x(self, values: Sequence[Any]) -> Values:
        """Return values of the horizontal axis."""
        return self.of("x", values)

    def y(self, axis: str, values: Sequence[Any]) -> Values:
        """Return values of a vertical axis."""
        return self.of(axis, values)

    def of(self, axis: str, values: Sequence[Any]) -> Values:
        """Return values of an axis as numbers, NaN where there is none."""
        kind = self.kinds[axis]
        if kind == "date":
            days = np.array(["NaT" if v is None else v for v in values], dtype="datetime64[m]")
            found = days.astype(np.float64) / 1440.0
            return np.asarray(np.where(np.isnat(days), np.nan, found))
        if kind == "category":
            at = {name: float(i) for i, name in enumerate(self.names[axis])}
            return np.array([at.get(str(v), np.nan) for v in values], dtype=np.float64)
        found = np.array([np.nan if v is None else float(v) for v in values], dtype=np.float64)
        if kind == "log":
            with np.errstate(divide="ignore", invalid="ignore"):
                return np.where(found > 0, np.log10(found), np.nan)
        return found


def reader_of(spec: Mapping[str, Any]) -> Reader:
    """Return how a figure's axes are read: as they say, else by what stands on them."""
    held: dict[str, list[Any]] = {"x": []}
    for trace in spec["data"]:
        held.setdefault("x", []).extend(trace["x"])
        held.setdefault(trace.get("yaxis", "y"), []).extend(trace["y"])
    kinds = {axis: _kind(spec["layout"], axis, values) for axis, values in held.items()}
    names = {
        axis: tuple(dict.fromkeys(str(v) for v in values if v is not None))
        for axis, values in held.items()
        if kinds[axis] == "category"
    }
    return Reader(kinds, names)


def layout_axis(axis: str) -> str:
    """Return the layout's name of an axis: ``yaxis2`` of ``y2``."""
    return f"{axis[0]}axis{axis[1:]}"


def _kind(layout: Mapping[str, Any], axis: str, values: Sequence[Any]) -> str:
    said = layout.get(layout_axis(axis), {}).get("type")
    if said:
        return str(said)
    words = [v for v in values if isinstance(v, str)]
    if not words:
        return "linear"
    return "date" if all(_DAY.match(v) for v in words) else "category"


def ticks_of(scale: Scale, axis: Mapping[str, Any], most: int) -> list[tuple[float, str]]:
    """Return values of an axis that are named, and what they are called.

    Parameters
    ----------
    scale : Scale
    axis : mapping
        The figure's own settings of it.
    most : int
        About how many have room.
    """
    if not axis.get("showticklabels", True):
        return []
    if "tickvals" in axis:
        texts = (unescape(str(text)) for text in axis["ticktext"])
        return list(zip(map(float, axis["tickvals"]), texts, strict=True))
    if scale.kind == "category":
        every = ceil(len(scale.names) / most) or 1
        named = [(float(i), unescape(name)) for i, name in enumerate(scale.names)]
        return named[::every]
    low, high = sorted((scale.low, scale.high))
    if scale.kind == "date":
        return _dates(low, high, most)
    if scale.kind == "log":
        return _powers(low, high, most)
    step = _step(high - low, most)
    return [(at, _number(at, step)) for at in _multiples(low, high, step)]


def _step(span: float, most: int) -> float:
    """Return 1, 2 or 5 times a power of ten, so that at most so many steps fill a span."""
    wanted = span / max(most, 1)
    if not wanted > 0 or not np.isfinite(wanted):
        return 1.0
    size = 10.0 ** floor(log10(wanted))
    return float(next(size * k for k in (1, 2, 5, 10) if size * k >= wanted * (1 - 1e-9)))


def _multiples(low: float, high: float, step: float) -> list[float]:
    first, last = ceil(low / step - 1e-9), floor(high / step + 1e-9)
    return [i * step for i in range(first, last + 1)]


def _number(value: float, step: float) -> str:
    digits = max(0, -floor(log10(step) + 1e-9))
    text = f"{value:,.{digits}f}" if digits <= 6 else f"{value:.2g}"
    return text.replace("-", _MINUS) if float(text.replace(",", "")) else text.lstrip("-")


def _powers(low: float, high: float, most: int) -> list[tuple[float, str]]:
    if high - low < 1.0:  # within a power of ten: round numbers, where they lie
        ends = 10.0**low, 10.0**high
        step = _step(ends[1] - ends[0], most)
        return [(log10(v), _number(v, step)) for v in _multiples(*ends, step) if v > 0]
    every = ceil((high - low) / most)
    return [
        (float(i), f"{10.0**i:,g}") for i in range(ceil(low), floor(high) + 1) if i % every == 0
    ]


#: Months between ticks, and days where months are too long.
_MONTHS: Final = (1, 3, 6, 12, 24, 60, 120)
_DAYS: Final = (1, 2, 7, 14)


def _dates(low: float, high: float, most: int) -> list[tuple[float, str]]:
    first, last = _EPOCH + timedelta(days=floor(low)), _EPOCH + timedelta(days=floor(high))
    span = (last - first).days or 1
    for days in _DAYS:
        if span / days <= most:
            found = [first + timedelta(days=i) for i in range(0, span + 1, days)]
            return [(float((d - _EPOCH).days), f"{d:%Y-%m-%d}") for d in found]
    months = next((m for m in _MONTHS if span / (30.4 * m) <= most), _MONTHS[-1])
    found = []
    for i in range(first.year * 12 + first.month - 1, last.year * 12 + last.month):
        if i % months == 0 and first <= (day := date(i // 12, i % 12 + 1, 1)) <= last:
            found.append(day)
    form = "%Y" if months >= 12 else "%Y-%m"
    return [(float((d - _EPOCH).days), d.strftime(form)) for d in found]
