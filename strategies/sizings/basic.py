"""Fixed, volatility target, by strength of the regime, capped."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from ..component import Past, Sizing

__all__ = ["Fixed", "Strength", "TurnoverLimit", "VolatilityTarget"]

Floats = npt.NDArray[np.float64]


class Fixed(Sizing):
    """A stated share of equity at full signal; more than 1 needs `execution.max_leverage`."""

    bounds: ClassVar = {"size": (1e-9, 20.0)}

    size: float = 1.0

    def describe(self) -> str:
        """Return the share."""
        return f"size {self.size:g}"

    def positions(self, target: Floats) -> Floats:
        """Return one position a decision."""
        return self.size * target


class VolatilityTarget(Sizing):
    """The position whose volatility was `target` a year over the last `window` sessions.

    At most `cap`, a multiple of equity.
    """

    bounds: ClassVar = {"target": (1e-9, 10.0), "window": (2, 1e4), "cap": (1e-9, 20.0)}

    target: float = 0.10
    window: int = 21
    cap: float = 1.0

    def inputs(self) -> Mapping[str, Past]:
        """Read the closes, and how many sessions a year the calendar has."""
        return {
            "close": Past("close", self.window + 1, skip_missing=True),
            "year": Past("calendar.sessions_a_year"),
        }

    def positions(self, target: Floats, close: Floats, year: Floats) -> Floats:
        """Return one position a decision; without any volatility there is none."""
        daily = np.diff(np.log(close), axis=1).std(axis=1, ddof=1)
        annual = np.where(daily > 0.0, daily, np.nan) * np.sqrt(year[:, -1])
        return target * np.minimum(self.target / annual, self.cap)


class Strength(Sizing):
    """In proportion to abs(net/gross), full at `full`."""

    bounds: ClassVar = {"full": (1e-9, 1.0)}

    full: float = 0.2

    def inputs(self) -> Mapping[str, Past]:
        """Read today's net/gross."""
        return {"ratio": Past("regime.net_to_gross")}

    def positions(self, target: Floats, ratio: Floats) -> Floats:
        """Return one position a decision."""
        return target * np.minimum(np.abs(ratio[:, -1]) / self.full, 1.0)


class TurnoverLimit(Sizing):
    """Move at most `most` (a share of equity) a session towards the target; flat without one.

    A session without a target is flat at once, whatever the limit; afterwards the position is
    built up from there.
    """

    bounds: ClassVar = {"most": (1e-9, 2.0)}

    recursive = True
    most: float = 0.25

    def positions(self, target: Floats) -> Floats:
        """Return one position a decision; NaN, which is traded as flat, without a target."""
        out = np.full(target.size, np.nan)
        position = 0.0
        for t, wanted in enumerate(target):
            if np.isnan(wanted):
                position = 0.0
                continue
            position += float(np.clip(wanted - position, -self.most, self.most))
            out[t] = position
        return out
