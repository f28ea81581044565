"""By past closes: fade and follow, RSI, Bollinger, distance to a moving average, hold, flat."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Literal

import numpy as np
import numpy.typing as npt

from ...data import real_divisor
from ..component import Past, Rule

__all__ = ["Bollinger", "Fade", "Flat", "Follow", "Hold", "MeanDistance", "Rsi", "past_signal"]

Floats = npt.NDArray[np.float64]
Scale = Literal["sign", "scaled"]

#: Sessions over which the volatility of a scaled signal is measured.
VOLATILITY_WINDOW = 21


def past_signal(close: Floats, lookback: int, scale: str) -> Floats:
    """Return the return over the last `lookback` sessions as a signal in -1 ... 1, shape (n,).

    ``sign``: its sign. ``scaled``: itself over its volatility (that of one-session returns over
    the last 21 sessions times the root of the lookback), cut at 1; NaN without any volatility.

    Parameters
    ----------
    close : ndarray of float, shape (n, window)
        Oldest first.

    Examples
    --------
    >>> past_signal(np.array([[100.0, 101.0], [101.0, 99.0]]), 1, "sign").tolist()
    [1.0, -1.0]
    """
    past = close[:, -1] / close[:, -1 - lookback] - 1.0
    if scale == "sign":
        return np.sign(past)
    recent = close[:, -1 - VOLATILITY_WINDOW :]
    daily = recent[:, 1:] / recent[:, :-1] - 1.0
    unit = daily.std(axis=1, ddof=1) * np.sqrt(lookback)
    # without any volatility there is no unit to measure a move in
    signal: Floats = np.clip(past / real_divisor(unit), -1.0, 1.0)
    return signal


class Follow(Rule):
    """With the return of the last `lookback` sessions, by its sign or by its size."""

    bounds: ClassVar = {"lookback": (1, 1e4)}

    lookback: int = 1
    scale: Scale = "sign"

    def describe(self) -> str:
        """Return name, sessions and scale in words."""
        unit = "session" if self.lookback == 1 else "sessions"
        how = "by sign" if self.scale == "sign" else "scaled"
        return f"{self.name} {self.lookback} {unit} {how}"

    def inputs(self) -> Mapping[str, Past]:
        """Read the closes that the return, and its volatility, need."""
        window = self.lookback + 1
        if self.scale == "scaled":
            window = max(window, VOLATILITY_WINDOW + 1)
        return {"close": Past("close", window, skip_missing=True)}

    def targets(self, close: Floats) -> Floats:
        """Return one target a decision."""
        return past_signal(close, self.lookback, self.scale)


class Fade(Follow):
    """Against the return of the last `lookback` sessions, by its sign or by its size."""

    def targets(self, close: Floats) -> Floats:
        """Return one target a decision."""
        return 0.0 - super().targets(close)  # not -0.0 where nothing moved


class Hold(Rule):
    """Fully long."""

    def targets(self) -> Floats:
        """Return 1."""
        return np.array(1.0)


class Flat(Rule):
    """No position."""

    def targets(self) -> Floats:
        """Return 0."""
        return np.array(0.0)


class Rsi(Rule):
    """Fade extremes of the relative strength index over `window` sessions (RSI-2 by default).

    Long below `low`, short above `high`, flat between. The index is Cutler's: mean gain over the
    sum of mean gain and mean loss, times 100.
    """

    bounds: ClassVar = {"window": (1, 1e4), "low": (0.0, 100.0), "high": (0.0, 100.0)}

    window: int = 2
    low: float = 10.0
    high: float = 90.0

    def inputs(self) -> Mapping[str, Past]:
        """Read the closes that it needs."""
        return {"close": Past("close", self.window + 1, skip_missing=True)}

    def targets(self, close: Floats) -> Floats:
        """Return one target a decision; where nothing moved there is no index, and none."""
        change = np.diff(close, axis=1)
        gain, loss = np.maximum(change, 0.0).sum(axis=1), np.maximum(-change, 0.0).sum(axis=1)
        with np.errstate(invalid="ignore", divide="ignore"):
            index = 100.0 * gain / (gain + loss)
        out = np.where(index < self.low, 1.0, np.where(index > self.high, -1.0, 0.0))
        return np.where(np.isnan(index), np.nan, out)


class Bollinger(Rule):
    """Fade closes outside `width` standard deviations about the mean of `window` sessions."""

    bounds: ClassVar = {"window": (2, 1e4), "width": (0.0, 100.0)}

    window: int = 20
    width: float = 2.0

    def inputs(self) -> Mapping[str, Past]:
        """Read the closes that it needs."""
        return {"close": Past("close", self.window, skip_missing=True)}

    def targets(self, close: Floats) -> Floats:
        """Return one target a decision."""
        band = self.width * close.std(axis=1, ddof=0)
        away = close[:, -1] - close.mean(axis=1)
        return np.where(away > band, -1.0, np.where(away < -band, 1.0, 0.0))


class MeanDistance(Rule):
    """Fade the distance to the mean of `window` sessions, fully at `full` (a share of price)."""

    bounds: ClassVar = {"window": (2, 1e4), "full": (1e-9, 1e9)}

    window: int = 20
    full: float = 0.05

    def inputs(self) -> Mapping[str, Past]:
        """Read the closes that it needs."""
        return {"close": Past("close", self.window, skip_missing=True)}

    def targets(self, close: Floats) -> Floats:
        """Return one target a decision."""
        distance = close[:, -1] / close.mean(axis=1) - 1.0
        target: Floats = np.clip(-distance / self.full, -1.0, 1.0)
        return target
