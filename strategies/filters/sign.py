"""By the sign of a value: the regime's own label, a series, vanna, charm, the side of the flip."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from ..codes import ABSTAIN, LONG, by_sign, latched
from ..component import Filter, Past

__all__ = ["Always", "CharmSign", "FlipSide", "Hysteresis", "NetToGross", "Sign", "VannaSign"]

Floats = npt.NDArray[np.float64]


def source_of(column: str) -> str:
    """Return a column in words: the regime, or a named series."""
    if column == "regime":
        return "the regime"
    prefix, _, name = column.partition(".")
    return f"series {name}" if prefix == "series" else column


class Sign(Filter):
    """The regime's own label, or the sign of another column: above 0 long, below 0 short.

    Of the regime, a band replaces the definition's: neutral where abs(net/gross) is below it.
    """

    bounds: ClassVar = {"band": (0.0, 1.0)}

    on: str = "regime"
    band: float | None = None

    def describe(self) -> str:
        """Return what it reads."""
        band = "" if self.band is None else f", neutral within {self.band:g}"
        return f"sign of {source_of(self.on)}{band}"

    def inputs(self) -> Mapping[str, Past]:
        """Read today's label; with a band, net/gross; of another column its value."""
        if self.on != "regime":
            return {"value": Past(self.on)}
        if self.band is None:
            return {"label": Past("regime.label")}
        return {"label": Past("regime.label"), "ratio": Past("regime.net_to_gross")}

    def labels(
        self, label: Floats | None = None, value: Floats | None = None, ratio: Floats | None = None
    ) -> Floats:
        """Return one code a decision."""
        if value is not None:
            return by_sign(value[:, -1], self.band or 0.0)
        assert label is not None
        if ratio is None:
            return label[:, -1]
        return np.where(label[:, -1] == ABSTAIN, ABSTAIN, by_sign(ratio[:, -1], self.band or 0.0))


class Always(Filter):
    """Every session long, without reading anything: for rules that ignore the regime."""

    def describe(self) -> str:
        """Return what it does."""
        return "every session alike"

    def labels(self) -> Floats:
        """Return long, for as many decisions as there are."""
        return np.array(LONG)


class Hysteresis(Filter):
    """Net/gross with a band against flutter: entered at `enter`, left below `exit`."""

    bounds: ClassVar = {"enter": (0.0, 1.0), "exit": (0.0, 1.0)}

    recursive = True
    enter: float = 0.05
    exit: float = 0.02
    on: str = "regime.net_to_gross"

    def inputs(self) -> Mapping[str, Past]:
        """Read today's ratio; the label before is remembered."""
        return {"ratio": Past(self.on)}

    def labels(self, ratio: Floats) -> Floats:
        """Return one code a decision."""
        return latched(ratio[:, -1], self.enter, self.exit)


class NetToGross(Filter):
    """Long where net/gross is at least `level`, short where it is at most -`level`."""

    bounds: ClassVar = {"level": (0.0, 1.0)}

    level: float = 0.1

    def inputs(self) -> Mapping[str, Past]:
        """Read today's net/gross."""
        return {"ratio": Past("regime.net_to_gross")}

    def labels(self, ratio: Floats) -> Floats:
        """Return one code a decision."""
        return by_sign(ratio[:, -1], self.level)


class FlipSide(Filter):
    """Spot above the flip long, below it short, within `band` of it (in log) neutral."""

    bounds: ClassVar = {"band": (0.0, 1.0)}

    band: float = 0.0

    def inputs(self) -> Mapping[str, Past]:
        """Read ln(spot / flip); without a flip the filter abstains."""
        return {"distance": Past("regime.flip_distance")}

    def labels(self, distance: Floats) -> Floats:
        """Return one code a decision."""
        return by_sign(distance[:, -1], self.band)


class VannaSign(Filter):
    """The sign of the dealers' vanna exposure, dollars of delta per volatility point."""

    def inputs(self) -> Mapping[str, Past]:
        """Read today's net vanna exposure."""
        return {"vanna": Past("regime.net_vex")}

    def labels(self, vanna: Floats) -> Floats:
        """Return one code a decision."""
        return by_sign(vanna[:, -1])


class CharmSign(Filter):
    """The sign of the dealers' charm exposure, dollars of delta per day."""

    def inputs(self) -> Mapping[str, Past]:
        """Read today's net charm exposure."""
        return {"charm": Past("regime.net_cex")}

    def labels(self, charm: Floats) -> Floats:
        """Return one code a decision."""
        return by_sign(charm[:, -1])
