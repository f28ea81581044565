"""What an order costs."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ...data import NOISE

__all__ = ["FREE", "Costs", "break_even_bps", "break_even_of_each"]

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Costs:
    """Costs per side.

    Attributes
    ----------
    fees_bps : float
        Basis points of the notional at the price paid.
    slippage_bps : float
        Basis points by which that price is worse than the bar's.
    fixed_per_share : float
        Currency per share or contract.
    """

    fees_bps: float = 0.0
    slippage_bps: float = 0.0
    fixed_per_share: float = 0.0

    @property
    def free(self) -> bool:
        """Whether orders cost nothing."""
        return self == FREE

    @property
    def slippage(self) -> float:
        """Slippage as a fraction of the price."""
        return self.slippage_bps / 1e4

    def describe(self) -> str:
        """Return the costs in words.

        Examples
        --------
        >>> Costs(1.0, 0.5).describe(), FREE.describe()
        ('fees 1 bp and slippage 0.5 bp a side', 'no costs')
        """
        parts = [
            f"{name} {value:g} bp"
            for name, value in (("fees", self.fees_bps), ("slippage", self.slippage_bps))
            if value
        ]
        if self.fixed_per_share:
            parts.append(f"{self.fixed_per_share:g} per share")
        return f"{' and '.join(parts)} a side" if parts else "no costs"

    def fee_rate(self, price: Floats) -> Floats:
        """Return fees as a fraction of the notional at each price.

        The fixed amount per share becomes the share of the bar's price that it is. Slippage moves
        the notional, and with it the fixed amount, by its own basis points.
        """
        return self.fees_bps / 1e4 + self.fixed_per_share / price


FREE = Costs()


def break_even_bps(gross_returns: Floats, traded: Floats) -> float:
    """Return the cost per side, in basis points, at which the gross profit would be gone.

    Parameters
    ----------
    gross_returns : ndarray, shape (n,)
        Simple returns without any cost.
    traded : ndarray, shape (n,)
        Notional traded per session as a multiple of equity, without any cost either: what a
        strategy could bear does not depend on what it is charged.

    Returns
    -------
    float
        NaN where nothing was traded, there is no gross profit or the equity is gone.

    Examples
    --------
    Two trades of 100 % each earn 0.4 % in all: 20 basis points each way eat it up.

    >>> break_even_bps(np.array([0.0, 0.003, 0.001]), np.array([1.0, 0.0, 1.0]))
    20.0
    """
    return float(break_even_of_each(gross_returns, traded))


def break_even_of_each(gross_returns: Floats, traded: Floats) -> Floats:
    """Return `break_even_bps` of portfolios, shape (...,), of arrays of shape (..., n)."""
    profit, sides = np.sum(gross_returns, axis=-1), np.sum(traded, axis=-1)
    defined = (sides > NOISE) & (profit > NOISE)
    return np.where(defined, 1e4 * profit / np.where(defined, sides, 1.0), np.nan)
