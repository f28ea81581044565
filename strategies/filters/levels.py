"""By fixed levels: distance to the flip, 0DTE share, concentration, agreement, round numbers."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from ..codes import ABSTAIN, LONG, NEUTRAL, SHORT, between, by_sign
from ..component import Filter, Past

__all__ = [
    "Agreement",
    "Concentration",
    "FlipDistance",
    "Level",
    "RoundNumbers",
    "VixLevel",
    "VixTermStructure",
    "ZeroDteShare",
]

Floats = npt.NDArray[np.float64]


class FlipDistance(Filter):
    """Long where spot lies more than `level` (in log) above the flip, short as far below it."""

    level: float = 0.01

    def inputs(self) -> Mapping[str, Past]:
        """Read ln(spot / flip)."""
        return {"distance": Past("regime.flip_distance")}

    def labels(self, distance: Floats) -> Floats:
        """Return one code a decision."""
        return between(distance[:, -1], -self.level, self.level)


class ZeroDteShare(Filter):
    """The regime's label where same-day expiries carry at most `most` of gross, else neutral."""

    most: float = 0.5

    def inputs(self) -> Mapping[str, Past]:
        """Read today's label and the share of gross that expires on the valuation session."""
        return {"label": Past("regime.label"), "share": Past("regime.gex_0dte_share")}

    def labels(self, label: Floats, share: Floats) -> Floats:
        """Return one code a decision."""
        return np.where(share[:, -1] <= self.most, label[:, -1], NEUTRAL)


class Concentration(Filter):
    """The regime's label where gross is concentrated by at least `least`, else neutral."""

    least: float = 0.02

    def inputs(self) -> Mapping[str, Past]:
        """Read today's label and the concentration over strikes, 0 ... 1."""
        return {"label": Past("regime.label"), "concentration": Past("regime.concentration")}

    def labels(self, label: Floats, concentration: Floats) -> Floats:
        """Return one code a decision."""
        return np.where(concentration[:, -1] >= self.least, label[:, -1], NEUTRAL)


class Agreement(Filter):
    """The regime's label where at least `least` of the definitions agree on its sign."""

    least: float = 0.9

    def inputs(self) -> Mapping[str, Past]:
        """Read today's label and the share of definitions of the same sign."""
        return {"label": Past("regime.label"), "agreement": Past("regime.definition_agreement")}

    def labels(self, label: Floats, agreement: Floats) -> Floats:
        """Return one code a decision."""
        return np.where(agreement[:, -1] >= self.least, label[:, -1], NEUTRAL)


class RoundNumbers(Filter):
    """A placebo: above the nearest multiple of `step` long, below it short.

    It knows nothing of options, and flips wherever price crosses half-way between multiples or a
    multiple itself.
    """

    step: float = 100.0

    def inputs(self) -> Mapping[str, Past]:
        """Read today's close."""
        return {"close": Past("close")}

    def labels(self, close: Floats) -> Floats:
        """Return one code a decision."""
        nearest = np.round(close[:, -1] / self.step) * self.step
        return by_sign(close[:, -1] - nearest)


class Level(Filter):
    """Calm below `level` long, at or above it short: VIX, or any other column."""

    level: float = 20.0
    on: str = "series.vix"

    def inputs(self) -> Mapping[str, Past]:
        """Read today's value."""
        return {"value": Past(self.on)}

    def labels(self, value: Floats) -> Floats:
        """Return one code a decision."""
        today = value[:, -1]
        return np.where(np.isnan(today), ABSTAIN, np.where(today < self.level, LONG, SHORT))


class VixLevel(Level):
    """VIX below `level` long, at or above it short: the first competitor of any GEX filter."""


class VixTermStructure(Filter):
    """Long where the near volatility lies below the far one (contango), short above it."""

    near: str = "series.vix"
    far: str = "series.vix3m"

    def inputs(self) -> Mapping[str, Past]:
        """Read today's two values."""
        return {"near": Past(self.near), "far": Past(self.far)}

    def labels(self, near: Floats, far: Floats) -> Floats:
        """Return one code a decision."""
        return by_sign(far[:, -1] - near[:, -1])
