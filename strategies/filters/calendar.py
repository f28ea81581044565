"""By the calendar: day of the week, distance to the monthly expiration."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from ..codes import LONG, NEUTRAL, SHORT
from ..component import Filter, Past

__all__ = ["DayOfWeek", "ExpirationWeek"]

Floats = npt.NDArray[np.float64]


class DayOfWeek(Filter):
    """Long on some days of the week, short on others; 0 is Monday."""

    long: tuple[int, ...] = (0, 4)
    short: tuple[int, ...] = (2,)

    def inputs(self) -> Mapping[str, Past]:
        """Read the day of the week of the next session, which is known in advance."""
        return {"day": Past("calendar.next_weekday")}

    def labels(self, day: Floats) -> Floats:
        """Return one code a decision."""
        today = day[:, -1]
        out = np.where(np.isin(today, self.short), SHORT, NEUTRAL)
        return np.where(np.isin(today, self.long), LONG, out)


class ExpirationWeek(Filter):
    """Long up to `before` sessions before a monthly expiration, short as many after it."""

    bounds: ClassVar = {"before": (0, 60), "after": (0, 60)}

    before: int = 4
    after: int = 4

    def inputs(self) -> Mapping[str, Past]:
        """Read how many sessions the next and the last monthly expiration are away."""
        return {
            "ahead": Past("calendar.sessions_to_expiration"),
            "since": Past("calendar.sessions_since_expiration"),
        }

    def labels(self, ahead: Floats, since: Floats) -> Floats:
        """Return one code a decision."""
        out = np.where(since[:, -1] <= self.after, SHORT, NEUTRAL)
        return np.where(ahead[:, -1] <= self.before, LONG, out)
