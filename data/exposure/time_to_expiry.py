"""Years to expiration, never less than the definition's floor while a contract is live."""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from ..base.compiling import compiled

__all__ = ["fill_years", "years_between"]

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

_US_PER_YEAR: Final = 365.0 * 86_400e6


def years_between(start_us: int, end_us: Ints, floor_minutes: float) -> Floats:
    """Return ACT/365 years from a moment to others, floored; NaN where not positive.

    Examples
    --------
    One hour, and twenty minutes under a floor of thirty:

    >>> hours = years_between(0, np.array([3_600_000_000, 1_200_000_000, 0]), 30) * 365 * 24
    >>> [float(round(x, 9)) for x in hours]
    [1.0, 0.5, nan]
    """
    years = np.empty(end_us.size)
    fill_years(start_us, end_us, floor_minutes, years)
    return years


@compiled()
def fill_years(start_us: int, end_us: Ints, floor_minutes: float, out: Floats) -> None:
    """Fill `out` with what `years_between` returns."""
    floor = floor_minutes * 60e6 / _US_PER_YEAR
    for i in range(end_us.size):
        years = (end_us[i] - start_us) / _US_PER_YEAR
        out[i] = max(years, floor) if years > 0.0 else np.nan
