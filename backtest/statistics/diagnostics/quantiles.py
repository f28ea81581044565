"""The quartile table beside what linear impact makes of each quartile's gamma."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ..volatility_by_regime import quantile_groups
from .magnitude import ImpactAssumptions, implied_magnitude

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["QuantileMagnitude", "magnitude_by_quantile"]


@dataclass(frozen=True, slots=True)
class QuantileMagnitude:
    """One quantile of net GEX.

    Attributes
    ----------
    name : str
        ``1`` is the lowest.
    mean : float
        Mean net GEX of its sessions, $ per 1 %.
    volatility_factor : float
        What hedging of that gamma alone does to volatility; 1 is nothing.
    next_return_sd : float
        Measured standard deviation of the next session's log return, percent a day.
    """

    name: str
    mean: float
    volatility_factor: float
    next_return_sd: float


def magnitude_by_quantile(
    value: pd.Series[float],
    next_return_sd: tuple[float, ...],
    assumptions: ImpactAssumptions | None = None,
) -> tuple[QuantileMagnitude, ...]:
    """Return the mean gamma of each quantile and the volatility that it implies.

    Parameters
    ----------
    value : Series of float
        Net GEX by session, $ per 1 %; NaN where unknown, and where no next return was measured.
    next_return_sd : tuple of float
        Measured, one per quantile, lowest first.
    assumptions : ImpactAssumptions, optional

    Returns
    -------
    tuple of QuantileMagnitude
        Lowest first.

    Examples
    --------
    >>> import pandas as pd
    >>> found = magnitude_by_quantile(pd.Series([-1e9, 5e9]), (1.2, 0.6))
    >>> [round(m.volatility_factor, 4) for m in found]
    [1.0025, 0.9877]
    """
    numbers = value.to_numpy(np.float64)
    group = quantile_groups(numbers, max(len(next_return_sd), 1))
    rows = []
    for i, sd in enumerate(next_return_sd):
        part = numbers[group == i]
        mean = float(part.mean()) if len(part) else float("nan")
        factor = implied_magnitude(mean, assumptions).volatility_factor
        rows.append(QuantileMagnitude(str(i + 1), mean, factor, sd))
    return tuple(rows)
