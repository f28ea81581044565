"""Returns of stated kinds, and regimes that have nothing to do with them."""

from __future__ import annotations

from dataclasses import dataclass
from math import exp, sqrt
from typing import Final

import numpy as np
import numpy.typing as npt

from ...data import EXCHANGE_SESSIONS, UnknownNameError
from ..statistics import realised

__all__ = ["KINDS", "Kind", "Sample", "kind_named", "samples"]

Floats = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]

_DAILY: Final = 0.01
_SHARPE: Final = 1.0
_STEPS: Final = 26
_BURN: Final = 750
#: Share of sessions in short gamma, and how often the regime is drawn anew: spells of 21 and 31.
_SHORT: Final = 0.4
_REDRAWN: Final = 0.08


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of returns, of unconditional variance 1 before scaling.

    Attributes
    ----------
    name, meaning : str
    freedom : float
        Of Student's t shocks; infinite: normal.
    news, losses, memory : float
        Of the variance: weights of the squared return, of a squared loss besides, and of the
        variance before (Glosten, Jagannathan, Runkle 1993).
    lag : float
        Autocorrelation of the returns.
    efficiency : float
        Mean of abs(close - open) over high - low of 26 normal steps between them: by 2 million
        sessions, standard error .0002.
    """

    name: str
    meaning: str
    freedom: float = float("inf")
    news: float = 0.0
    losses: float = 0.0
    memory: float = 0.0
    lag: float = 0.0
    efficiency: float = 0.5328

    def truth(self, statistic: str) -> float:
        """Return the true value of a statistic."""
        mean = _DAILY * _SHARPE / sqrt(EXCHANGE_SESSIONS)
        if statistic == "sharpe":
            return _SHARPE
        if statistic == "cagr":
            # E ln(1 + r) to third order: returns are symmetric but for losses' weight
            second = mean**2 + _DAILY**2
            growth = mean - second / 2.0 + mean * _DAILY**2
            return exp(EXCHANGE_SESSIONS * growth) - 1.0
        if statistic == "autocorrelation":
            return self.lag
        if statistic == "efficiency":
            return self.efficiency
        return 1.0 if statistic.startswith("ratio") else 0.0


KINDS: Final = {
    kind.name: kind
    for kind in (
        Kind("normal", "independent, normal"),
        Kind(
            "t",
            "independent, Student's t with 5 degrees of freedom",
            freedom=5.0,
            efficiency=0.4912,
        ),
        Kind("garch", "GARCH .08 / .90, normal shocks", news=0.08, memory=0.90),
        Kind("autocorrelated", "normal, lag-1 autocorrelation .3", lag=0.3),
        Kind(
            "gjr-t",
            "GJR .00 / .28 / .83, t6 shocks: no finite fourth moment",
            freedom=6.0,
            losses=0.28,
            memory=0.83,
            efficiency=0.5006,
        ),
    )
}


def kind_named(name: str) -> Kind:
    """Return a kind by its name.

    Raises
    ------
    UnknownNameError
    """
    if name not in KINDS:
        raise UnknownNameError("kind of returns", name, tuple(KINDS))
    return KINDS[name]


@dataclass(frozen=True, slots=True, eq=False)
class Sample:
    """One market.

    Attributes
    ----------
    returns, total : ndarray, shape (n,)
        Simple returns of a strategy with the Sharpe ratio that is true; log returns of the index.
    logs : LogBars
    short : ndarray of bool
    regressor : ndarray
        Persistent, standard normal.
    """

    returns: Floats
    total: Floats
    logs: realised.LogBars
    short: Mask
    regressor: Floats

    def log_volatility_ahead(self, sessions: int) -> Floats:
        """Return the log of Parkinson's volatility of the next sessions; NaN at the end."""
        variance = realised.parkinson(self.logs)
        out = np.full(len(variance), np.nan)
        windows = np.lib.stride_tricks.sliding_window_view(variance[1:], sessions)
        out[: len(windows)] = windows.mean(axis=-1)
        return realised.log_volatility(out)


def samples(kind: Kind, n: int, count: int, seed: tuple[int, ...]) -> list[Sample]:
    """Return samples of a kind; the same for the same seed."""
    rng = np.random.default_rng([*seed, len(kind.name), ord(kind.name[0])])
    shocks, scale = _returns(kind, n, count, rng)
    path = rng.standard_normal((count, n, _STEPS))
    # a bridge whose end is the session's own shock
    path += (shocks * sqrt(_STEPS) - path.sum(axis=2))[..., None] / _STEPS
    walk = np.cumsum(path, axis=2) * (_DAILY * scale / sqrt(_STEPS))[..., None]
    close = walk[..., -1]
    high, low = np.maximum(walk.max(axis=2), 0.0), np.minimum(walk.min(axis=2), 0.0)
    short = _spells(n, count, rng)
    regressor = _persistent(n, count, rng)
    mean = _DAILY * _SHARPE / sqrt(EXCHANGE_SESSIONS)
    zero = np.zeros(n)
    return [
        Sample(
            returns=close[i] + mean,
            total=close[i],
            logs=realised.LogBars(zero, high[i], low[i], close[i]),
            short=short[i],
            regressor=regressor[i],
        )
        for i in range(count)
    ]


def _returns(kind: Kind, n: int, count: int, rng: np.random.Generator) -> tuple[Floats, Floats]:
    """Return shocks over their scale, and scales: their product has variance 1."""
    total = n + _BURN
    if np.isfinite(kind.freedom):
        z = rng.standard_t(kind.freedom, (total, count))
        z *= sqrt((kind.freedom - 2.0) / kind.freedom)
    else:
        z = rng.standard_normal((total, count))
    variance = np.ones((total, count))
    base = 1.0 - kind.news - kind.losses / 2.0 - kind.memory
    moving = kind.news + kind.losses + kind.memory > 0.0
    for t in range(1, total):
        if moving:
            last = variance[t - 1] * z[t - 1] ** 2
            weight = kind.news + kind.losses * (z[t - 1] < 0.0)
            variance[t] = base + weight * last + kind.memory * variance[t - 1]
        if kind.lag:
            z[t] = kind.lag * z[t - 1] + sqrt(1.0 - kind.lag**2) * z[t]
    return z[_BURN:].T, np.sqrt(variance[_BURN:]).T


def _spells(n: int, count: int, rng: np.random.Generator) -> Mask:
    short = rng.random((count, n)) < _SHORT
    kept = rng.random((count, n)) >= _REDRAWN
    for t in range(1, n):
        short[:, t] = np.where(kept[:, t], short[:, t - 1], short[:, t])
    return short


def _persistent(n: int, count: int, rng: np.random.Generator) -> Floats:
    x = rng.standard_normal((count, n))
    for t in range(1, n):
        x[:, t] = 0.95 * x[:, t - 1] + sqrt(1.0 - 0.95**2) * x[:, t]
    return x
