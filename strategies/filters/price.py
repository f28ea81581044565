"""By prices alone, without options: realised volatility, GARCH, hidden states, trend, averages."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from ...data import EXCHANGE_SESSIONS, NOISE
from ..codes import ABSTAIN, LONG, SHORT, by_sign
from ..component import Filter, Past

__all__ = [
    "GarchForecast",
    "HiddenMarkov",
    "MovingAverage",
    "RealisedVolatility",
    "Trend",
    "filtered_wild",
    "fit_two_states",
]

Floats = npt.NDArray[np.float64]


def _calm(volatility: Floats, level: Floats | float) -> Floats:
    below = level - volatility > NOISE * np.abs(level)  # not where rounding alone differs
    out = np.where(below, LONG, SHORT)
    return np.where(np.isnan(volatility) | np.isnan(level), ABSTAIN, out)


class RealisedVolatility(Filter):
    """Close-to-close volatility of `window` sessions below its median over `history`: long."""

    bounds: ClassVar = {"window": (2, 1e4), "history": (2, 1e5)}

    window: int = 21
    history: int = EXCHANGE_SESSIONS

    def inputs(self) -> Mapping[str, Past]:
        """Read the closes that both need."""
        return {"close": Past("close", self.window + self.history, skip_missing=True)}

    def labels(self, close: Floats) -> Floats:
        """Return one code a decision."""
        returns = np.diff(np.log(close), axis=1)
        squares = np.cumsum(returns**2, axis=1)
        squares = np.concatenate([np.zeros((len(close), 1)), squares], axis=1)
        volatility = np.sqrt((squares[:, self.window :] - squares[:, : -self.window]) / self.window)
        return _calm(volatility[:, -1], np.median(volatility, axis=1))


class Trend(Filter):
    """The sign of the return over `lookback` sessions."""

    bounds: ClassVar = {"lookback": (1, 1e4)}

    lookback: int = 63

    def inputs(self) -> Mapping[str, Past]:
        """Read the closes that it needs."""
        return {"close": Past("close", self.lookback + 1, skip_missing=True)}

    def labels(self, close: Floats) -> Floats:
        """Return one code a decision."""
        return by_sign(close[:, -1] / close[:, 0] - 1.0)


class MovingAverage(Filter):
    """Close above its mean of `window` sessions long, below it short: a flip without options."""

    bounds: ClassVar = {"window": (2, 1e4), "band": (0.0, 1.0)}

    window: int = 50
    band: float = 0.0

    def inputs(self) -> Mapping[str, Past]:
        """Read the closes that it needs."""
        return {"close": Past("close", self.window, skip_missing=True)}

    def labels(self, close: Floats) -> Floats:
        """Return one code a decision."""
        return by_sign(close[:, -1] / close.mean(axis=1) - 1.0, self.band)


class GarchForecast(Filter):
    """The next session's volatility by GARCH(1,1) below its own median so far: long.

    The model is fitted with ``arch`` on everything before, anew every `refit` sessions after the
    first `history`; between fits its variance runs on with the coefficients of the last fit.
    """

    bounds: ClassVar = {"history": (100, 1e5), "refit": (1, 1e5)}

    recursive = True
    history: int = 504
    refit: int = 63

    def inputs(self) -> Mapping[str, Past]:
        """Read all closes so far."""
        return {"close": Past("close", None)}

    def labels(self, close: Floats) -> Floats:
        """Return one code a decision."""
        there = np.flatnonzero(np.isfinite(close))
        returns = 100.0 * np.diff(np.log(close[there]))
        forecast = np.full(returns.size, np.nan)
        for start in range(self.history, returns.size, self.refit):
            stop = min(start + self.refit, returns.size)
            forecast[start:stop] = _garch(returns[:stop], start)
        out = np.full(close.size, ABSTAIN)
        for k in range(self.history, returns.size):
            median = float(np.median(forecast[self.history : k + 1]))
            out[there[k + 1]] = LONG if forecast[k] < median else SHORT
        return out


def _garch(returns: Floats, start: int) -> Floats:
    """Return the forecasts made after each of the returns from `start` on, fitted before them."""
    from arch import arch_model

    model = arch_model(returns[:start], mean="Constant", vol="GARCH", rescale=False)
    fit = model.fit(disp="off", show_warning=False)
    mean, omega, alpha, beta = (float(v) for v in fit.params)
    variance = float(fit.conditional_volatility[-1]) ** 2
    variance = omega + alpha * (returns[start - 1] - mean) ** 2 + beta * variance
    out = np.empty(returns.size - start)
    for i, value in enumerate(returns[start:]):
        variance = omega + alpha * (value - mean) ** 2 + beta * variance
        out[i] = np.sqrt(variance)
    return out


class HiddenMarkov(Filter):
    """Two states of volatility: long in the calm one, by the filtered probability alone.

    Means, deviations and transitions are fitted by expectation-maximisation on everything
    before, anew every `refit` sessions after the first `history`. The probability of a session is
    filtered, never smoothed: it knows no later return.
    """

    bounds: ClassVar = {"history": (100, 1e5), "refit": (1, 1e5)}

    recursive = True
    history: int = 504
    refit: int = 126

    def inputs(self) -> Mapping[str, Past]:
        """Read all closes so far."""
        return {"close": Past("close", None)}

    def labels(self, close: Floats) -> Floats:
        """Return one code a decision."""
        there = np.flatnonzero(np.isfinite(close))
        returns = 100.0 * np.diff(np.log(close[there]))
        out = np.full(close.size, ABSTAIN)
        for start in range(self.history, returns.size, self.refit):
            stop = min(start + self.refit, returns.size)
            fitted = fit_two_states(returns[:start])
            wild = filtered_wild(returns[:stop], *fitted)[start:]
            out[there[start + 1 : stop + 1]] = np.where(wild < 0.5, LONG, SHORT)
        return out


def fit_two_states(returns: Floats, steps: int = 40) -> tuple[Floats, Floats, Floats]:
    """Return means, deviations and transition matrix of two states, the calmer one first.

    Expectation-maximisation (Baum and Welch) from the quiet and the loud half of the sample.
    """
    split = np.abs(returns - np.median(returns)) > np.median(np.abs(returns - np.median(returns)))
    mean = np.array([returns[~split].mean(), returns[split].mean()])
    sd = np.maximum(np.array([returns[~split].std(), returns[split].std()]), 1e-8)
    move = np.array([[0.95, 0.05], [0.05, 0.95]])
    for _ in range(steps):
        ahead, density = _forward(returns, mean, sd, move)
        behind = np.ones_like(ahead)
        for t in range(returns.size - 2, -1, -1):
            step = move @ (density[t + 1] * behind[t + 1])
            behind[t] = step / step.sum()
        weight = ahead * behind
        weight /= weight.sum(axis=1, keepdims=True)
        pairs = ahead[:-1, :, None] * move[None] * (density[1:] * behind[1:])[:, None, :]
        pairs /= pairs.sum(axis=(1, 2), keepdims=True)
        move = pairs.sum(axis=0) / pairs.sum(axis=(0, 2))[:, None]
        total = weight.sum(axis=0)
        mean = (weight * returns[:, None]).sum(axis=0) / total
        sd = np.sqrt((weight * (returns[:, None] - mean) ** 2).sum(axis=0) / total)
        sd = np.maximum(sd, 1e-8)
    order = np.argsort(sd)
    return mean[order], sd[order], move[np.ix_(order, order)]


def _forward(returns: Floats, mean: Floats, sd: Floats, move: Floats) -> tuple[Floats, Floats]:
    density = np.exp(-0.5 * ((returns[:, None] - mean) / sd) ** 2) / sd + 1e-300
    ahead = np.empty_like(density)
    state = np.array([0.5, 0.5])
    for t in range(returns.size):
        state = (state @ move) * density[t]
        state = state / state.sum()
        ahead[t] = state
    return ahead, density


def filtered_wild(returns: Floats, mean: Floats, sd: Floats, move: Floats) -> Floats:
    """Return the probability of the wilder state after each return, given it and those before."""
    probability: Floats = _forward(returns, mean, sd, move)[0][:, 1]
    return probability
