"""Critical values from a market without dealers (world S0), calibrated to the user's returns.

GEX is built from where the price has been, and so is volatility: losses raise volatility and
leave the book short gamma. A regression of one on the other rejects far too often although
nobody hedges. The remedy is to run the same regression on simulated markets of that kind.

Returns follow a GJR-GARCH fitted to the user's own by ``arch``, with resampled residuals.
Customers sell calls above the spot and buy puts below it by a fixed rule; the book loses a
thirtieth a session. Nothing in it feeds back into prices.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt

from ...data import EXCHANGE_SESSIONS, NotEnoughDataError
from ..statistics import realised
from .features import Daily, daily, needs, percentile
from .protocol import MissingDataError

if TYPE_CHECKING:
    from collections.abc import Callable

    from .protocol import Dataset, Settings

__all__ = [
    "NullParameters",
    "NullPaths",
    "fit_null",
    "null_features",
    "simulate_null",
    "simulated_p",
]

Floats = npt.NDArray[np.float64]

_BURN_IN: Final = 300
_STEP: Final = 0.01  # distance of strikes, log
_REACH: Final = 40  # strikes either side that count
_YEARS: Final = 21.0 / EXCHANGE_SESSIONS
_DECAY: Final = 29.0 / 30.0
_PROXY_NOISE: Final = 0.35
_VIX_NOISE: Final = 0.05


@dataclass(frozen=True, slots=True, eq=False)
class NullParameters:
    """A GJR-GARCH: h' = omega + (alpha + leverage 1{e < 0}) e^2 + beta h, r = drift + e.

    Attributes
    ----------
    drift, omega, alpha, leverage, beta : float
        Per session, decimal.
    residuals : ndarray or None
        Standardised residuals to draw from; None: standard normal.
    """

    drift: float = 2e-4
    omega: float = 1.2e-6
    alpha: float = 0.02
    leverage: float = 0.16
    beta: float = 0.88
    residuals: Floats | None = None

    @property
    def persistence(self) -> float:
        """Share of variance that is left after one session."""
        return self.alpha + 0.5 * self.leverage + self.beta


def fit_null(returns: npt.ArrayLike) -> NullParameters:
    """Fit the null market to log returns per session (NaN is left out)."""
    from arch import arch_model

    x = np.asarray(returns, dtype=np.float64)
    x = 100.0 * x[np.isfinite(x)]
    needs(len(x) >= 250, f"at least 250 returns to calibrate the null market, found {len(x)}")
    fit = arch_model(x, mean="Constant", vol="GARCH", p=1, o=1, q=1).fit(
        disp="off", show_warning=False
    )
    p = {name: float(value) for name, value in fit.params.items()}
    # a fit at the edge of stationarity would explode over a long sample
    shrink = min(1.0, 0.995 / (p["alpha[1]"] + 0.5 * p["gamma[1]"] + p["beta[1]"]))
    z = np.asarray(fit.std_resid, dtype=np.float64)
    return NullParameters(
        drift=p["mu"] / 100.0,
        omega=p["omega"] / 1e4,
        alpha=shrink * p["alpha[1]"],
        leverage=shrink * p["gamma[1]"],
        beta=shrink * p["beta[1]"],
        residuals=(z - z.mean()) / z.std(),
    )


@dataclass(frozen=True, slots=True, eq=False)
class NullPaths:
    """Simulated markets; arrays of shape (markets, sessions), each known at its close.

    Attributes
    ----------
    ret : ndarray
        Log return.
    log_sigma : ndarray
        Log of the session's true standard deviation.
    log_iv : ndarray
        Log of implied volatility, a year, for the coming month.
    gex : ndarray
        Net GEX under the naive rule; any unit.
    call, put : ndarray
        Dollar gamma of calls and of puts, positive.
    """

    ret: Floats
    log_sigma: Floats
    log_iv: Floats
    gex: Floats
    call: Floats
    put: Floats


def simulate_null(parameters: NullParameters, sessions: int, markets: int, seed: int) -> NullPaths:
    """Simulate markets without dealers.

    Parameters
    ----------
    parameters : NullParameters
    sessions : int
        Kept, after 300 that fill the book.
    markets : int
    seed : int
    """
    rng = np.random.default_rng(seed)
    total = sessions + _BURN_IN
    ret, variance = _returns(parameters, total, markets, rng)
    log_iv = np.log(1.1 * np.sqrt(EXCHANGE_SESSIONS * variance) + 0.02)
    call, put = _gamma(ret, log_iv)
    keep = slice(_BURN_IN, None)
    sigma = 0.5 * np.log(variance)
    return NullPaths(
        *(x[:, keep] for x in (ret, sigma, log_iv, call - put, call, put)),
    )


def _returns(
    p: NullParameters, total: int, markets: int, rng: np.random.Generator
) -> tuple[Floats, Floats]:
    if p.residuals is None:
        z = rng.standard_normal((total, markets))
    else:
        z = rng.choice(p.residuals, size=(total, markets))
    variance = np.empty((total, markets))
    h = np.full(markets, p.omega / (1.0 - p.persistence))
    shock = np.empty((total, markets))
    for t in range(total):
        variance[t] = h
        e = np.sqrt(h) * z[t]
        shock[t] = e
        h = p.omega + (p.alpha + p.leverage * (e < 0.0)) * e**2 + p.beta * h
    return (p.drift + shock).T, variance.T


def _gamma(ret: Floats, log_iv: Floats) -> tuple[Floats, Floats]:
    """Return dollar gamma of calls and of puts from a book that follows the price."""
    markets, total = ret.shape
    log_price = ret.cumsum(axis=1)
    nearest = np.rint(log_price / _STEP).astype(np.int64)
    start = nearest.min() - _REACH - 20
    nearest -= start
    book = np.zeros((2, markets, int(nearest.max()) + _REACH + 20))
    above, below = np.arange(8), np.arange(14)
    sold = np.exp(-(((above - 2) / 2.5) ** 2))
    bought = np.exp(-(((below - 4) / 4.0) ** 2))
    reach = np.arange(-_REACH, _REACH + 1)
    rows = np.arange(markets)[:, None]
    out = np.empty((2, markets, total))
    growth = 1.0
    for t in range(total):
        growth /= _DECAY  # the book is kept undecayed: adding more is the same as decaying all
        at = nearest[:, t, None]
        book[0, rows, at + above] += growth * sold
        book[1, rows, at - below] += growth * bought
        strike = (at + reach + start) * _STEP
        v = (np.exp(log_iv[:, t]) * np.sqrt(_YEARS))[:, None]
        d1 = (log_price[:, t, None] - strike) / v + 0.5 * v
        gamma = np.exp(log_price[:, t, None] - 0.5 * d1**2) / v / growth
        out[:, :, t] = (book[:, rows, at + reach] * gamma).sum(axis=-1)
    return out[0], out[1]


def null_features(paths: NullPaths, market: int, seed: int) -> Daily:
    """Return the daily features of one simulated market, with noisy volatility and VIX."""
    import pandas as pd

    rng = np.random.default_rng([seed, market])
    ret, gex = paths.ret[market], paths.gex[market]
    n = len(ret)
    log_vol = paths.log_sigma[market] + _PROXY_NOISE * rng.standard_normal(n)
    return Daily(
        sessions=np.arange(n).astype("datetime64[D]"),
        close=ret.cumsum(),
        ret=ret,
        next_ret=np.append(ret[1:], np.nan),
        log_vol=log_vol,
        next_log_vol=np.append(log_vol[1:], np.nan),
        har=realised.har_regressors(log_vol),
        gex=gex,
        gex_rank=percentile(pd.Series(gex)) - 0.5,
        log_vix=paths.log_iv[market] + _VIX_NOISE * rng.standard_normal(n),
    )


def _drawn(statistic: Callable[[Daily], float], features: Daily) -> float:
    """Return the statistic; NaN where the market is too calm for the test."""
    try:
        return statistic(features)
    except (MissingDataError, NotEnoughDataError):
        return float("nan")


def simulated_p(
    statistic: Callable[[Daily], float],
    dataset: Dataset,
    settings: Settings,
    t_stat: float,
    *,
    upper: bool,
) -> tuple[float, float]:
    """Return the p-value and the critical value of a t statistic against markets without dealers.

    Parameters
    ----------
    statistic : callable
        Features of a market to the t statistic of the test.
    dataset : Dataset
        Its returns calibrate the markets; its sessions with GEX set their length.
    settings : Settings
        ``simulations`` markets, from the seed of the resampling; those in which the test cannot
        run (too few losses, say) are left out.
    t_stat : float
    upper : bool
        Whether large values speak for the claim.

    Returns
    -------
    tuple of float
        p-value, one-sided in the direction of the claim, and the quantile at the test's level.
    """
    features = daily(dataset)
    known = int(np.isfinite(features.gex).sum())
    seed = settings.resampling.seed
    paths = simulate_null(
        fit_null(features.ret[dataset.counted]), known, settings.simulations, seed
    )
    every = (_drawn(statistic, null_features(paths, m, seed)) for m in range(settings.simulations))
    drawn = np.array([t for t in every if np.isfinite(t)])
    needs(
        len(drawn) >= max(1, settings.simulations // 2),
        f"returns whose null market lets the test run: {len(drawn)} of {settings.simulations} did",
    )
    beyond = drawn >= t_stat if upper else drawn <= t_stat
    p = (1.0 + float(beyond.sum())) / (1.0 + len(drawn))
    level = 1.0 - settings.alpha if upper else settings.alpha
    return p, float(np.quantile(drawn, level))
