"""How much volatility the measured gamma could move, through linear impact with stated inputs.

lambda = Y sigma / ADV is the return per dollar traded; dealers with dollar gamma Gamma (dollars of
delta per 100 % move) change volatility by the factor 1 / (1 + lambda Gamma). Printed beside
tables of volatility by quantile, it says how much of their spread hedging could explain.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ....data import DEFAULT_VOLUME, NotEnoughDataError

__all__ = ["ImpactAssumptions", "ImpliedMagnitude", "implied_magnitude"]

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class ImpactAssumptions:
    """Inputs of linear impact: assumptions, not measurements.

    Attributes
    ----------
    dollar_volume : float
        Value of the underlying traded a day, futures included, in the currency of the gamma;
        default about that of S&P 500 futures.
    daily_volatility : float
        Decimal.
    coefficient : float
        Y: impact of trading one day's volume, in daily standard deviations.
    """

    dollar_volume: float = DEFAULT_VOLUME
    daily_volatility: float = 0.01
    coefficient: float = 1.0

    def __post_init__(self) -> None:
        if not min(self.dollar_volume, self.daily_volatility, self.coefficient) > 0.0:
            raise NotEnoughDataError(
                "dollar volume, volatility and coefficient of linear impact must be positive, got "
                f"{self.dollar_volume:g}, {self.daily_volatility:g}, {self.coefficient:g}"
            )

    @property
    def impact(self) -> float:
        """Lambda: return per dollar."""
        return self.coefficient * self.daily_volatility / self.dollar_volume


@dataclass(frozen=True, slots=True)
class ImpliedMagnitude:
    """What linear impact makes of a gamma.

    Attributes
    ----------
    lambda_gamma : float
        Impact times dollar gamma.
    volatility_factor : float
        1 / (1 + lambda_gamma); NaN where hedging would outrun every price (at or below -1).
    """

    lambda_gamma: float
    volatility_factor: float


def implied_magnitude(
    net_gex: float, assumptions: ImpactAssumptions | None = None
) -> ImpliedMagnitude:
    """Return what a net GEX (dollars per 1 % move) does to volatility.

    Examples
    --------
    $5bn per 1 % lowers volatility by 1.23 %:

    >>> found = implied_magnitude(5e9)
    >>> round(found.lambda_gamma, 4), round(1 - found.volatility_factor, 4)
    (0.0125, 0.0123)
    """
    how = assumptions or ImpactAssumptions()
    product = how.impact * 100.0 * net_gex
    factor = 1.0 / (1.0 + product) if product > -1.0 else float("nan")
    return ImpliedMagnitude(product, factor)
