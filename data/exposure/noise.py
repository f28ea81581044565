"""How far net gamma and the flip move when open interest and volatilities are not exact."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from .evaluation import BookResult

__all__ = ["OPEN_INTEREST_NOISE", "VOLATILITY_NOISE", "NoiseBand", "noise_band"]

#: Standard deviation of each open interest, as a share of it.
OPEN_INTEREST_NOISE: Final = 0.10
#: Standard deviation of each strike's volatility, decimal: one volatility point.
VOLATILITY_NOISE: Final = 0.01


@dataclass(frozen=True, slots=True)
class NoiseBand:
    """Standard deviations under independent noise in each contract, to first order.

    Attributes
    ----------
    net_gex : float
        Dollars per 1 %; NaN for an empty book.
    flip : float
        Of the flip's logarithm, by the profile's slope there and the noise at spot; NaN without a
        flip.
    """

    net_gex: float
    flip: float


def noise_band(
    result: BookResult,
    open_interest: float = OPEN_INTEREST_NOISE,
    volatility: float = VOLATILITY_NOISE,
) -> NoiseBand:
    """Return how uncertain net gamma and flip are under stated noise.

    Parameters
    ----------
    result : BookResult
    open_interest : float
        Standard deviation of each open interest, as a share of it.
    volatility : float
        Standard deviation of each strike's volatility, decimal.

    Returns
    -------
    NoiseBand
        Noise that contracts share (a lag of the whole file, a parallel shift of volatilities, the
        dealers' sign) is not in it.
    """
    book, exposure = result.book, result.exposure
    lines = book.lines
    if not lines.strike.size:
        return NoiseBand(math.nan, math.nan)
    width = lines.volatility * np.sqrt(book.time[lines.group])
    d1 = np.log(book.forward[lines.group] / lines.strike) / width + 0.5 * width
    # gamma is phi(d1) / (S v): its derivative to the volatility is (d1 d2 - 1) / sigma of it
    net = exposure.call_gex + exposure.put_gex
    by_volatility = net * (d1 * (d1 - width) - 1.0) / lines.volatility
    squares = open_interest**2 * (exposure.call_gex**2 + exposure.put_gex**2)
    squares += (volatility * by_volatility) ** 2
    deviation = float(np.sqrt(squares.sum()))
    if result.flip is None or not result.flip.slope:
        return NoiseBand(deviation, math.nan)
    return NoiseBand(deviation, deviation / abs(result.flip.slope))
