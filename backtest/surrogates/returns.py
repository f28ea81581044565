"""How returns can be made where nobody hedges, fitted to the user's own: five makes."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, Literal, Protocol

import numpy as np
import numpy.typing as npt

from ...data import EXCHANGE_SESSIONS

__all__ = ["MAKES", "Observed", "Simulated", "fitted_makes"]

Floats = npt.NDArray[np.float64]

_YEAR: Final = float(EXCHANGE_SESSIONS)  # scale of volatility alone
_MONTH: Final = 21
_PROXY_NOISE: Final = 0.30  # of the log of a session's range over its true volatility
_IMPLIED_NOISE: Final = 0.05  # of the log of implied volatility
_IMPLIED: Final = (1.1, 0.02)  # implied over expected volatility, and what is added
_BURN_IN: Final = 250
_BLOCK: Final = 60  # sessions on average
_FEWEST: Final = 250


@dataclass(frozen=True, slots=True, eq=False)
class Observed:
    """The user's own sessions, in order; each of shape (n,).

    Attributes
    ----------
    ret, log_vol, log_vix : ndarray
        Log return, log of Parkinson's volatility, log of implied volatility in percent; NaN where
        unknown.
    """

    ret: Floats
    log_vol: Floats
    log_vix: Floats


@dataclass(frozen=True, slots=True, eq=False)
class Simulated:
    """One simulated market; each of shape (n,), known at its close.

    Attributes
    ----------
    ret, log_vol, log_vix : ndarray
    """

    ret: Floats
    log_vol: Floats
    log_vix: Floats


class Make(Protocol):
    """One way of making returns, fitted."""

    def __call__(self, n: int, rng: np.random.Generator) -> Simulated:
        """Return a market of n sessions."""
        ...


def _seen(ret: Floats, variance: Floats, expected: Floats, rng: np.random.Generator) -> Simulated:
    """Return a market as it is seen: its range, and volatility implied for the coming month."""
    n = len(ret)
    factor, premium = _IMPLIED
    implied = factor * np.sqrt(_YEAR * expected) + premium
    return Simulated(
        ret,
        0.5 * np.log(variance) + _PROXY_NOISE * rng.standard_normal(n),
        np.log(100.0 * implied) + _IMPLIED_NOISE * rng.standard_normal(n),
    )


def _month_ahead(variance: Floats, usual: float, memory: float) -> Floats:
    """Return the mean variance expected over a month, as it falls back to its usual level."""
    share = (1.0 - memory**_MONTH) / (_MONTH * (1.0 - memory))
    return usual + (variance - usual) * share


def _gjr(seen: Observed, shocks: Literal["normal", "t"]) -> Make:
    from arch import arch_model

    x = 100.0 * seen.ret[np.isfinite(seen.ret)]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        fit = arch_model(x, mean="Constant", vol="GARCH", p=1, o=1, q=1, dist=shocks).fit(
            disp="off", show_warning=False
        )
    p = {name: float(value) for name, value in fit.params.items()}
    persistence = p["alpha[1]"] + 0.5 * p["gamma[1]"] + p["beta[1]"]
    # a fit at the edge of stationarity would explode over a long sample
    shrink = min(1.0, 0.995 / persistence)
    memory = shrink * persistence
    usual = float(np.var(x)) / 1e4
    omega = usual * (1.0 - memory)
    alpha, leverage, beta = (shrink * p[k] for k in ("alpha[1]", "gamma[1]", "beta[1]"))
    degrees = max(p.get("nu", 0.0), 2.5) if shocks == "t" else 0.0

    def make(n: int, rng: np.random.Generator) -> Simulated:
        total = n + _BURN_IN
        if degrees:
            z = rng.standard_t(degrees, total) * np.sqrt((degrees - 2.0) / degrees)
        else:
            z = rng.standard_normal(total)
        h, e = np.empty(total), np.empty(total)
        level = usual
        for t in range(total):
            h[t] = level
            e[t] = np.sqrt(level) * z[t]
            level = omega + (alpha + leverage * (e[t] < 0.0)) * e[t] ** 2 + beta * level
            level = min(level, 400.0 * usual)
        keep = slice(_BURN_IN, None)
        # at the close of t the variance of t + 1 is known
        ahead = np.append(h[1:], level)
        expected = _month_ahead(ahead, usual, memory)
        return _seen(p["mu"] / 100.0 + e[keep], h[keep], expected[keep], rng)

    return make


def _lagged(x: Floats, lag: int) -> float:
    a, b = x[lag:], x[:-lag]
    both = np.isfinite(a) & np.isfinite(b)
    return float(np.corrcoef(a[both], b[both])[0, 1])


def _stochastic(seen: Observed) -> Make:
    """Log variance of first order with leverage (Harvey and Shephard 1996), by moments."""
    x = seen.log_vol
    first, second = _lagged(x, 1), _lagged(x, 5)
    memory = float(np.clip((max(second, 0.02) / max(first, 0.05)) ** 0.25, 0.80, 0.995))
    signal = float(np.clip(first / memory, 0.1, 0.95)) * float(np.nanvar(x))
    spread = np.sqrt(signal * (1.0 - memory**2))
    ahead = np.append(x[1:], np.nan)
    z = seen.ret / np.exp(x)
    both = np.isfinite(ahead) & np.isfinite(z)
    rough = float(np.corrcoef(np.clip(z[both], -3, 3), (ahead - memory * x)[both])[0, 1])
    noise = np.sqrt(spread**2 + (1.0 + memory**2) * max(float(np.nanvar(x)) - signal, 0.0))
    leverage = float(np.clip(rough * noise / spread, -0.95, 0.5))
    known = seen.ret[np.isfinite(seen.ret)]
    usual, drift = float(np.var(known)), float(np.mean(known))
    center = 0.5 * np.log(usual) - signal

    def make(n: int, rng: np.random.Generator) -> Simulated:
        total = n + _BURN_IN
        z, u = rng.standard_normal(total), rng.standard_normal(total)
        logs = np.empty(total + 1)
        level = 0.0
        for t in range(total + 1):
            logs[t] = level
            if t < total:
                shock = leverage * z[t] + np.sqrt(1.0 - leverage**2) * u[t]
                level = memory * level + spread * shock
        sigma = np.exp(center + logs)
        keep = slice(_BURN_IN, total)
        expected = _month_ahead(sigma[1:] ** 2, usual, memory)[_BURN_IN:]
        return _seen(drift + sigma[keep] * z[keep], sigma[keep] ** 2, expected, rng)

    return make


def _two_states(seen: Observed) -> Make:
    """Calm and wild, more likely wild after a loss (Hamilton and Susmel 1994 in outline)."""
    x = seen.log_vol
    smooth = np.convolve(np.nan_to_num(x, nan=float(np.nanmean(x))), np.ones(5) / 5, mode="same")
    wild = smooth > np.quantile(smooth, 0.7)
    loss = np.nan_to_num(seen.ret) < 0.0
    known = seen.ret[np.isfinite(seen.ret)]
    sds = [float(np.nanstd(seen.ret[rows])) for rows in (~wild, wild)]
    # chance of wild tomorrow by state and sign today
    chance = np.array(
        [
            [
                (wild[1:][rows].sum() + 1.0) / (rows.sum() + 2.0)
                for rows in ((wild[:-1] == s) & (loss[:-1] == sign) for sign in (False, True))
            ]
            for s in (False, True)
        ]
    )
    chance = np.clip(chance, 0.005, 0.995)
    drift, usual = float(known.mean()), float(known.var())
    memory = float(np.clip(chance[1].mean() - chance[0].mean(), 0.5, 0.99))

    def make(n: int, rng: np.random.Generator) -> Simulated:
        total = n + _BURN_IN
        z, u = rng.standard_normal(total), rng.random(total)
        sigma = np.empty(total + 1)
        state = 0
        for t in range(total + 1):
            sigma[t] = sds[state]
            if t < total:
                state = int(u[t] < chance[state, int(z[t] < 0.0)])
        keep = slice(_BURN_IN, total)
        expected = _month_ahead(sigma[1:] ** 2, usual, memory)[_BURN_IN:]
        return _seen(drift + sigma[keep] * z[keep], sigma[keep] ** 2, expected, rng)

    return make


def _blocks(seen: Observed) -> Make:
    """The user's own sessions in blocks (Politis and Romano 1994), volatility along with them."""
    rows = np.column_stack([seen.ret, seen.log_vol, seen.log_vix])
    if not np.isfinite(seen.log_vix).any():
        rows[:, 2] = 0.0
    rows = rows[np.isfinite(rows).all(axis=1)]

    def make(n: int, rng: np.random.Generator) -> Simulated:
        starts = rng.random(n) < 1.0 / _BLOCK
        starts[0] = True
        place = rng.integers(0, len(rows), size=n)
        index = np.empty(n, dtype=np.int64)
        at = 0
        for t in range(n):
            at = int(place[t]) if starts[t] else (at + 1) % len(rows)
            index[t] = at
        ret, log_vol, log_vix = rows[index].T
        return Simulated(ret.copy(), log_vol.copy(), log_vix.copy())

    return make


#: Name to what fits it.
MAKES: Final[Mapping[str, Callable[[Observed], Make]]] = {
    "GJR-GARCH with normal shocks": lambda seen: _gjr(seen, "normal"),
    "GJR-GARCH with t shocks": lambda seen: _gjr(seen, "t"),
    "stochastic volatility with leverage": _stochastic,
    "two states of volatility": _two_states,
    "own returns in blocks": _blocks,
}


def fitted_makes(seen: Observed) -> dict[str, Make]:
    """Return every make, fitted to the user's sessions; none where they are fewer than 250."""
    if int(np.isfinite(seen.ret).sum()) < _FEWEST:
        return {}
    return {name: fit(seen) for name, fit in MAKES.items()}
