"""The regime re-checked at every intraday bar, from the morning's book."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from ..codes import by_sign
from ..component import Filter, Past

__all__ = ["Rechecked"]

Floats = npt.NDArray[np.float64]


class Rechecked(Filter):
    """Sign of the morning's book repriced at each bar, neutral within `band` of net/gross."""

    decides: ClassVar = "bar"
    bounds: ClassVar = {"band": (0.0, 1.0)}

    band: float = 0.02

    def inputs(self) -> Mapping[str, Past]:
        """Read net/gross at the bar's end; it is missing where the quality gate refuses a label."""
        return {"ratio": Past("bar.net_to_gross")}

    def labels(self, ratio: Floats) -> Floats:
        """Return one label a bar."""
        return by_sign(ratio[:, -1], self.band)
