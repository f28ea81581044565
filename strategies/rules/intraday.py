"""Within the session: last half hour, opening range, first hour, gap. All are flat at the close."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from ..component import Past, Rule

__all__ = ["FirstHourFade", "GapFade", "LastHalfHour", "OpeningRange"]

Floats = npt.NDArray[np.float64]


class LastHalfHour(Rule):
    """With the move from the previous close to `minutes` before the close, held to the close.

    The move is taken at the last bar that ends at or before that moment, and decides once a
    session (Baltussen, Da, Lammers and Martens 2021: the rest of the day).
    """

    decides: ClassVar = "bar"
    bounds: ClassVar = {"minutes": (1, 1440)}

    minutes: int = 30

    def inputs(self) -> Mapping[str, Past]:
        """Read the bars' closes, the previous session's close and the minutes left."""
        return {
            "close": Past("bar.close", None),
            "before": Past("day.close", None),
            "left": Past("bar.left", None),
            "length": Past("bar.minutes", None),
        }

    def targets(self, close: Floats, before: Floats, left: Floats, length: Floats) -> Floats:
        """Return one target a bar; flat before the last bar that may decide."""
        with np.errstate(invalid="ignore"):
            moment = (left >= self.minutes) & (left - length < self.minutes)
            signal = np.where(moment, np.sign(close / before - 1.0), np.nan)
            acting = left - length < self.minutes
        return np.where(acting, _carried(signal, left), 0.0)


class OpeningRange(Rule):
    """With the first close beyond the range of the first `minutes`, held to the close."""

    decides: ClassVar = "bar"
    bounds: ClassVar = {"minutes": (1, 1440)}

    minutes: int = 30

    def inputs(self) -> Mapping[str, Past]:
        """Read the bars and the minutes since the open."""
        names = {"high": "high", "low": "low", "close": "close", "elapsed": "elapsed"}
        return {name: Past(f"bar.{column}", None) for name, column in names.items()}

    def targets(self, high: Floats, low: Floats, close: Floats, elapsed: Floats) -> Floats:
        """Return one target a bar; flat inside the range until it is left."""
        out = np.zeros(close.size)
        top, bottom, held, before = -np.inf, np.inf, 0.0, np.inf
        for t in range(close.size):
            if not elapsed[t] > before:  # another session
                top, bottom, held = -np.inf, np.inf, 0.0
            before = elapsed[t]
            if elapsed[t] <= self.minutes:
                top, bottom = max(top, high[t]), min(bottom, low[t])
            elif held == 0.0:
                held = float(close[t] > top) - float(close[t] < bottom)
            out[t] = held
        return out


class FirstHourFade(Rule):
    """Against the move of the first `minutes`, from their end to the close."""

    decides: ClassVar = "bar"
    bounds: ClassVar = {"minutes": (1, 1440)}

    minutes: int = 60

    def inputs(self) -> Mapping[str, Past]:
        """Read the bars' closes, the session's first price and the minutes since the open."""
        return {
            "close": Past("bar.close", None),
            "first": Past("bar.session_open", None),
            "elapsed": Past("bar.elapsed", None),
            "length": Past("bar.minutes", None),
        }

    def targets(self, close: Floats, first: Floats, elapsed: Floats, length: Floats) -> Floats:
        """Return one target a bar; flat until the first `minutes` are over."""
        with np.errstate(invalid="ignore"):
            over = elapsed >= self.minutes
            moment = over & (elapsed - length < self.minutes)
            signal = np.where(moment, 0.0 - np.sign(close / first - 1.0), np.nan)
        return np.where(over, _carried(signal, -elapsed), 0.0)


class GapFade(Rule):
    """Against the gap from the previous close to the open, from the first bar's end to the close.

    Gaps smaller than `least` (a share of price) are left alone.
    """

    decides: ClassVar = "bar"
    bounds: ClassVar = {"least": (0.0, 1.0)}

    least: float = 0.0

    def inputs(self) -> Mapping[str, Past]:
        """Read the previous close and the session's first price."""
        return {"before": Past("day.close"), "first": Past("bar.session_open")}

    def targets(self, before: Floats, first: Floats) -> Floats:
        """Return one target a bar, the same all session."""
        gap = first[:, -1] / before[:, -1] - 1.0
        return np.where(np.abs(gap) < self.least, 0.0, 0.0 - np.sign(gap))


def _carried(signal: Floats, left: Floats) -> Floats:
    """Return each session's signal from where it was given on; NaN before it.

    `left` falls within a session and rises where another begins.
    """
    out = np.full(signal.size, np.nan)
    held = np.nan
    for t in range(signal.size):
        if t and not left[t] < left[t - 1]:
            held = np.nan
        held = signal[t] if signal[t] == signal[t] else held
        out[t] = held
    return out
