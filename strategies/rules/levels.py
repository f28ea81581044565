"""By levels: breakouts and failed breakouts of the previous range and of walls, the pin."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from ..component import Past, Rule

__all__ = ["Breakout", "FailedBreakout", "Pin", "WallBreakout"]

Floats = npt.NDArray[np.float64]


class Breakout(Rule):
    """With a close beyond the range of the `sessions` sessions before."""

    bounds: ClassVar = {"sessions": (1, 1e4)}

    sessions: int = 1

    def inputs(self) -> Mapping[str, Past]:
        """Read today's close and the ranges up to the previous session."""
        window = self.sessions + 1
        return {"high": Past("high", window), "low": Past("low", window), "close": Past("close")}

    def targets(self, high: Floats, low: Floats, close: Floats) -> Floats:
        """Return one target a decision."""
        top, bottom = high[:, :-1].max(axis=1), low[:, :-1].min(axis=1)
        today = close[:, -1]
        return np.where(today > top, 1.0, np.where(today < bottom, -1.0, 0.0))


class FailedBreakout(Rule):
    """Against a session that left the previous range on one side and closed inside it again."""

    bounds: ClassVar = {"sessions": (1, 1e4)}

    sessions: int = 1

    def inputs(self) -> Mapping[str, Past]:
        """Read today's bar and the ranges up to the previous session."""
        window = self.sessions + 1
        return {"high": Past("high", window), "low": Past("low", window), "close": Past("close")}

    def targets(self, high: Floats, low: Floats, close: Floats) -> Floats:
        """Return one target a decision; flat where both sides were left."""
        top, bottom = high[:, :-1].max(axis=1), low[:, :-1].min(axis=1)
        inside = (close[:, -1] <= top) & (close[:, -1] >= bottom)
        above, below = inside & (high[:, -1] > top), inside & (low[:, -1] < bottom)
        target: Floats = below.astype(np.float64) - above.astype(np.float64)
        return target


class WallBreakout(Rule):
    """With a close beyond the walls that were public a session ago.

    Above the call wall long, below the put wall short, flat between; `fade` reverses it.
    """

    fade: bool = False

    def inputs(self) -> Mapping[str, Past]:
        """Read today's close and the previous row's walls."""
        return {
            "close": Past("close"),
            "call_wall": Past("regime.call_wall", 2, complete=False),
            "put_wall": Past("regime.put_wall", 2, complete=False),
        }

    def targets(self, close: Floats, call_wall: Floats, put_wall: Floats) -> Floats:
        """Return one target a decision; without both walls none."""
        top, bottom, today = call_wall[:, 0], put_wall[:, 0], close[:, -1]
        out = np.where(today > top, 1.0, np.where(today < bottom, -1.0, 0.0))
        out = np.where(np.isnan(top) | np.isnan(bottom), np.nan, out)
        return 0.0 - out if self.fade else out


class Pin(Rule):
    """Towards the pin strike in the last `before` sessions to the monthly expiration."""

    bounds: ClassVar = {"before": (0, 60), "nearest": (0.0, 1.0)}

    before: int = 2
    nearest: float = 0.001

    def inputs(self) -> Mapping[str, Past]:
        """Read close, pin strike and the sessions left to the next monthly expiration."""
        return {
            "close": Past("close"),
            "pin": Past("regime.pin_strike"),
            "ahead": Past("calendar.sessions_to_expiration"),
        }

    def targets(self, close: Floats, pin: Floats, ahead: Floats) -> Floats:
        """Return one target a decision; flat within `nearest` (in log) of the strike."""
        distance = np.log(pin[:, -1] / close[:, -1])
        near = (np.abs(distance) <= self.nearest) | (ahead[:, -1] > self.before)
        return np.where(near, 0.0, np.sign(distance))
