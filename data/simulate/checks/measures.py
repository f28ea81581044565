"""What checks measure of a simulated market: parts of its returns, and ratios of means."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from ..market.paths import PathMarket

__all__ = ["LAST_BARS", "bar_returns", "close_parts", "ratio_of_means", "realised_variance"]

Floats = npt.NDArray[np.float64]

#: Bars of five minutes in the last half hour.
LAST_BARS = 6


def bar_returns(market: PathMarket) -> Floats:
    """Return the log return of each bar from its open to its close."""
    logs: Floats = np.log(market.bars)
    return logs[:, :, 3] - logs[:, :, 0]


def realised_variance(market: PathMarket) -> Floats:
    """Return realised variance from the open to the close."""
    total: Floats = (bar_returns(market) ** 2).sum(axis=1)
    return total


def close_parts(market: PathMarket) -> tuple[Floats, Floats, Floats]:
    """Return from the previous close to 15:30, the last half hour, and the next session."""
    close, half = np.log(market.bars[:, -1, 3]), np.log(market.bars[:, -1 - LAST_BARS, 3])
    return (half[1:-1] - close[:-2]), (close - half)[1:-1], np.diff(close)[1:]


def ratio_of_means(above: Floats, below: Floats) -> tuple[float, float]:
    """Return a ratio of means and its standard error by the delta method."""
    found = float(above.mean() / below.mean())
    spread = (above - found * below).std(ddof=1) / below.mean()
    return found, float(spread / np.sqrt(len(above)))
