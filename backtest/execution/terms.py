"""What a portfolio pays and earns beyond its fills, and what limits it: the terms of trading."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import numpy.typing as npt

from ...data import ConfigError

__all__ = ["LOTS", "Lot", "Terms", "lot_named", "plain_terms"]

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Lot:
    """The smallest amount that is traded.

    Attributes
    ----------
    units : float
        Units of the bars' instrument in one share or contract.
    index : bool
        Whether the bars have to be those of the S&P 500 index or its future.
    """

    units: float
    index: bool = False


#: Lots by name. A point of the index is 50 dollars in ES, 5 in MES; SPY is a tenth of the index.
LOTS: Final[dict[str, Lot]] = {
    "share": Lot(1.0),
    "SPY": Lot(1.0),
    "ES": Lot(50.0, index=True),
    "MES": Lot(5.0, index=True),
}
#: Underlyings whose price is the index itself, or that of its future.
_INDEX: Final = ("SPX", "ES", "MES")
_SPY_ON_INDEX: Final = 0.1


def lot_named(name: str | float | None, underlying: str) -> float:
    """Return how many units of the bars' instrument one lot has; 0 where fractions are traded.

    Parameters
    ----------
    name : str, float or None
        One of `LOTS`, or the number of units itself.
    underlying : str
        What the bars are of.

    Raises
    ------
    ConfigError
        If the lot does not go with the underlying.

    Examples
    --------
    >>> lot_named("ES", "SPX"), lot_named("SPY", "SPX"), lot_named("SPY", "SPY"), lot_named(25, "X")
    (50.0, 0.1, 1.0, 25.0)
    """
    if name is None:
        return 0.0
    if not isinstance(name, str):
        return float(name)
    lot, index = LOTS[name], underlying.upper() in _INDEX
    if (lot.index and not index) or (name == "SPY" and not index and underlying.upper() != "SPY"):
        wanted = "SPX or ES" if lot.index else "SPY or SPX"
        raise ConfigError(
            f"execution.lot = {name!r}: expected bars of {wanted}, found those of "
            f"{underlying!r}: use their bars, or give the units of one contract as a number"
        )
    return _SPY_ON_INDEX if name == "SPY" and index else lot.units


@dataclass(frozen=True, slots=True, eq=False)
class Terms:
    """Terms of trading, by session.

    Attributes
    ----------
    half_spread : ndarray, shape (n,)
        Half of the spread between bid and ask, in units of the price: paid by every fill.
    cash_rate, financing_rate, borrow_rate : ndarray, shape (n,)
        Yearly, decimal: earned by cash, paid on money borrowed, paid on the value of shares
        borrowed, from the session's close to the next one's, ACT/365.
    dividends : ndarray, shape (n,)
        Per share, of those who held it at the close before the session.
    days : ndarray, shape (n,)
        Calendar days from the previous bar's session; 0 for the first.
    lot : float
        Units of the smallest amount traded; 0 where fractions are.
    unit : float
        Units of one share or contract, to which fixed fees apply.
    stop_loss, take_profit : float
        Distance from the price paid at which a position is closed, decimal; NaN for none.
    max_holding : int
        Sessions after which a position is closed; 0 for none.
    max_leverage : float
        Largest position at a fill as a multiple of equity.
    funded : bool
        Whether a position is paid for; a future is not, and all equity earns the cash rate.
    """

    half_spread: Floats
    cash_rate: Floats
    financing_rate: Floats
    borrow_rate: Floats
    dividends: Floats
    days: Floats
    lot: float = 0.0
    unit: float = 1.0
    stop_loss: float = np.nan
    take_profit: float = np.nan
    max_holding: int = 0
    max_leverage: float = 1.0
    funded: bool = True

    @property
    def stops(self) -> bool:
        """Whether positions may be closed within a bar."""
        return bool(np.isfinite(self.stop_loss) or np.isfinite(self.take_profit))

    @property
    def carries(self) -> bool:
        """Whether anything accrues between fills."""
        earned = (self.cash_rate, self.financing_rate, self.borrow_rate, self.dividends)
        return any(bool(np.any(values != 0.0)) for values in earned)

    @property
    def plain(self) -> bool:
        """Whether the engine's own kernel knows everything that there is."""
        limits = self.lot == 0.0 and self.max_leverage == 1.0 and self.max_holding == 0
        return limits and not (self.stops or self.carries)

    def within_kernel(self, target: Floats) -> bool:
        """Return whether the engine's own kernel can trade targets under these terms."""
        return self.plain and not bool((np.abs(target) > 1.0 + 1e-12).any())

    def without_spread(self) -> Terms:
        """Return the terms of fills in the middle of the spread."""
        return replace(self, half_spread=np.zeros_like(self.half_spread))


def plain_terms(sessions: int) -> Terms:
    """Return terms under which nothing is paid or earned beyond the fills themselves."""
    nothing = np.zeros(sessions)
    return Terms(nothing, nothing, nothing, nothing, nothing, nothing)
