"""By rank or size among past values: percentile, tercile, z-score, change, residual on VIX."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Final

import numpy as np
import numpy.typing as npt

from ...data import EXCHANGE_SESSIONS, NOISE
from ..codes import ABSTAIN, LONG, NEUTRAL, SHORT, between, by_sign
from ..component import Filter, Past
from ..kernels import latched_ranks, ranks_of_last
from .sign import source_of

__all__ = ["Change", "Percentile", "Residual", "Tercile", "ZScore", "rank_of_last"]

Floats = npt.NDArray[np.float64]

# ranks are fractions of a window; 1 - 0.8 as a double is less than the rank 0.2
_ROUNDING: Final = NOISE

# of the value: residuals of an exact relation are up to 1e-12 of it, by the sums they come from
_EXPLAINED: Final = 100.0 * NOISE


def rank_of_last(windows: Floats) -> Floats:
    """Return the rank of each window's last value within it, in (0, 1]; ties share their mean.

    Values that differ from the last one by rounding alone (`NOISE` of their size) are ties. In a
    window of nothing but ties no value has a rank: NaN.

    Parameters
    ----------
    windows : ndarray of float, shape (n, window)

    Examples
    --------
    >>> rank_of_last(np.array([[3.0, 1.0, 2.0], [1.0, 2.0, 2.0]])).tolist()
    [0.6666666666666666, 0.8333333333333334]
    """
    return ranks_of_last(windows)


class Percentile(Filter):
    """Percentile among the last `window` values, with a band against flutter.

    Long from the session on which it reaches `enter` until it falls below `exit`; short,
    mirrored, from 1 - `enter` until it rises above 1 - `exit`; neutral otherwise.
    """

    bounds: ClassVar = {"window": (2, 1e5), "enter": (0.5, 1.0), "exit": (0.5, 1.0)}

    recursive = True
    window: int = EXCHANGE_SESSIONS
    enter: float = 0.6
    exit: float = 0.5
    on: str = "regime"

    def describe(self) -> str:
        """Return what it reads, and when it enters and leaves a label."""
        return (
            f"percentile of {source_of(self.on)} within {self.window} values, in at "
            f"{self.enter:g}, out at {self.exit:g}"
        )

    def inputs(self) -> Mapping[str, Past]:
        """Read the last values that there were: the window counts values, not sessions."""
        return {"value": Past(self.on, self.window, skip_missing=True)}

    @staticmethod
    def common(value: Floats) -> Floats:
        """Return the rank of the last value of each window."""
        return rank_of_last(value)

    def labels(self, common: Floats) -> Floats:
        """Return one code a decision."""
        return latched_ranks(common, self.enter, self.exit, _ROUNDING)


class Tercile(Filter):
    """Upper third of the last `window` values long, lower third short, the middle neutral."""

    bounds: ClassVar = {"window": (2, 1e5)}

    window: int = EXCHANGE_SESSIONS
    on: str = "regime"

    def describe(self) -> str:
        """Return what it reads."""
        return f"tercile of {source_of(self.on)} within {self.window} values"

    def inputs(self) -> Mapping[str, Past]:
        """Read the last values that there were."""
        return {"value": Past(self.on, self.window, skip_missing=True)}

    @staticmethod
    def common(value: Floats) -> Floats:
        """Return the rank of the last value of each window."""
        return rank_of_last(value)

    def labels(self, common: Floats) -> Floats:
        """Return one code a decision."""
        out = np.where(common > 2 / 3, LONG, np.where(common <= 1 / 3, SHORT, NEUTRAL))
        return np.where(np.isnan(common), ABSTAIN, out)


class ZScore(Filter):
    """Long at `level` standard deviations above the mean of the last `window` values, and so on."""

    name = "z-score"
    bounds: ClassVar = {"window": (3, 1e5), "level": (0.0, 1e3)}

    window: int = EXCHANGE_SESSIONS
    level: float = 0.5
    on: str = "regime"

    def inputs(self) -> Mapping[str, Past]:
        """Read the last values that there were."""
        return {"value": Past(self.on, self.window, skip_missing=True)}

    @staticmethod
    def common(value: Floats) -> Floats:
        """Return the score of the last value of each window; without any spread there is none."""
        mean, sd = value.mean(axis=1), value.std(axis=1, ddof=1)
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.where(sd > NOISE * np.abs(mean), (value[:, -1] - mean) / sd, np.nan)

    def labels(self, common: Floats) -> Floats:
        """Return one code a decision."""
        return between(common, -self.level, self.level)


class Change(Filter):
    """The sign of the value's change over `lookback` sessions."""

    bounds: ClassVar = {"lookback": (1, 1e5)}

    lookback: int = 5
    on: str = "regime"

    def inputs(self) -> Mapping[str, Past]:
        """Read the last values that there were."""
        return {"value": Past(self.on, self.lookback + 1, skip_missing=True)}

    def labels(self, value: Floats) -> Floats:
        """Return one code a decision."""
        change = value[:, -1] - value[:, 0]
        return by_sign(np.where(np.abs(change) <= NOISE * np.abs(value[:, -1]), 0.0, change))


class Residual(Filter):
    """Percentile of what the value says beyond VIX: residual of an expanding regression.

    On each session the value is regressed on the logarithm of `on_level` over all sessions so
    far; today's residual is ranked among the residuals of the last `window` sessions by the same
    coefficients. Where the level explains the value in full, nothing is left to rank: it abstains.
    """

    bounds: ClassVar = {"window": (3, 1e5), "enter": (0.5, 1.0), "exit": (0.5, 1.0)}

    window: int = EXCHANGE_SESSIONS
    enter: float = 0.6
    exit: float = 0.5
    on: str = "regime"
    on_level: str = "series.vix"
    recursive = True

    def inputs(self) -> Mapping[str, Past]:
        """Read everything there was."""
        return {"value": Past(self.on, None), "level": Past(self.on_level, None)}

    def labels(self, value: Floats, level: Floats) -> Floats:
        """Return one code a decision."""
        there = np.flatnonzero(np.isfinite(value) & (level > 0.0))
        y, x = value[there], np.log(level[there])
        count = np.arange(1, there.size + 1)
        sx, sy = np.cumsum(x), np.cumsum(y)
        sxx, sxy = np.cumsum(x * x), np.cumsum(x * y)
        with np.errstate(invalid="ignore", divide="ignore"):
            slope = (count * sxy - sx * sy) / (count * sxx - sx * sx)
        rank = np.full(value.size, np.nan)
        for k in range(self.window - 1, there.size):
            past = slice(k + 1 - self.window, k + 1)
            left = y[past] - slope[k] * x[past]
            if np.ptp(left) > _EXPLAINED * np.abs(y[past]).max():
                rank[there[k]] = rank_of_last(left[None, :])[0]
        return latched_ranks(rank, self.enter, self.exit, _ROUNDING)
