"""Compiled steps of a simulated session. Arrays and scalars in, buffers filled; nothing else.

Each has a readable twin in ``tests/twin/session_twin.py``.
"""

from __future__ import annotations

import math

import numpy as np

from ...base.compiling import compiled

__all__ = ["echoed_demand", "pin_ends", "pinned_bars", "session_bars", "side_of"]

# Demand for calls sold, in standard deviations, per unit of level / volatility - 1
_ECHO_GAIN = 8.0


@compiled()
def session_bars(
    shocks: np.ndarray,
    uniforms: np.ndarray,
    step_sd: float,
    overnight: float,
    memory: float,
    close_slope: float,
    close_bars: int,
    out: np.ndarray,
    drift: float = 0.0,
) -> float:
    """Fill the bars of one session, log prices relative to the previous close.

    Parameters
    ----------
    shocks : ndarray, shape (m,)
        Standard normal, one per bar.
    uniforms : ndarray, shape (m, 2)
        In (0, 1]: the bridge's highest and lowest within each bar.
    step_sd : float
        Standard deviation of a bar's shock.
    overnight : float
        Log return from the previous close to the open.
    memory : float
        AR(1) coefficient of a bar's return, minus kappa where hedging lags; the first bar is
        drawn from the stationary law, so that every bar has the same variance.
    close_slope : float
        Log return of the last `close_bars` bars per unit of the session's return before them.
    out : ndarray, shape (m, 4)
        Receives open, high, low, close.
    drift : float
        Log return that is spread evenly over the bars.

    Returns
    -------
    float
        The push in the last `close_bars` bars.
    """
    bars = shocks.shape[0]
    first_late = bars - close_bars
    level = overnight
    carried = 0.0
    push = 0.0
    scale = 1.0 / math.sqrt(1.0 - memory * memory)
    for i in range(bars):
        carried = step_sd * shocks[i] * scale + memory * carried
        scale = 1.0
        if i == first_late:
            push = close_slope * level
        move = carried + drift / bars
        if i >= first_late:
            move += push / close_bars
        _bar(level, move, step_sd, uniforms[i, 0], uniforms[i, 1], out[i])
        level += move
    return push


@compiled()
def side_of(kappa: float, echo: float, iv: float) -> float:
    """Return 1 where a move reverts, -1 where it runs on: the sign of gamma, or calm volatility.

    Parameters
    ----------
    kappa : float
        Impact times dollar gamma.
    echo : float
        Implied volatility that parts calm from agitated; 0: the sign of gamma decides.
    iv : float
        Implied volatility at the last close.
    """
    value = kappa if echo == 0.0 else echo - iv
    if value == 0.0:
        return 0.0
    return math.copysign(1.0, value)


@compiled()
def echoed_demand(echo: float, iv: float) -> float:
    """Return by how much customers sell more calls because volatility is low; 0 without an echo."""
    if echo == 0.0:
        return 0.0
    return _ECHO_GAIN * (echo / iv - 1.0)


@compiled()
def _bar(
    level: float, move: float, sd: float, u_high: float, u_low: float, out: np.ndarray
) -> None:
    # Exact laws of the maximum and of the minimum of a Brownian bridge from 0 to `move`
    twice = 2.0 * sd * sd
    out[0] = level
    out[1] = level + 0.5 * (move + math.sqrt(move * move - twice * math.log(u_high)))
    out[2] = level + 0.5 * (move - math.sqrt(move * move - twice * math.log(u_low)))
    out[3] = level + move


@compiled()
def pinned_bars(
    shocks: np.ndarray,
    distance: float,
    beta: float,
    sd: float,
    bars: int,
    out: np.ndarray,
) -> float:
    """Fill the bars of one session that ends in an expiration, pulled towards a strike.

    ``dz = -beta z (1-s)^(-3/2) exp(-z^2 / (2 (1-s))) ds + dW`` on the grid
    ``s_j = 1 - (1 - j/N)^2``; the drift of a step is capped at abs(z), so that a step never
    overshoots the strike. Log prices are relative to the open.

    Parameters
    ----------
    shocks : ndarray, shape (N,)
        Standard normal.
    distance : float
        ln(open / strike), in log points.
    beta : float
        Pull; negative repels.
    sd : float
        Standard deviation of the session's log return, sigma sqrt(T).
    bars : int
        Bars of equal length; N must be well above it.
    out : ndarray, shape (bars, 4)
        Receives open, high, low, close.

    Returns
    -------
    float
        z at the expiration, ln(close / strike) / sd.
    """
    steps = shocks.shape[0]
    z = distance / sd
    s = 0.0
    bar = 0
    out[0, :] = 0.0
    for j in range(1, steps + 1):
        left = 1.0 - j / steps
        s_next = 1.0 - left * left
        z = pin_step(z, s, s_next - s, beta, shocks[j - 1])
        s = s_next
        while bar < bars - 1 and s > (bar + 1) / bars:
            bar += 1
            out[bar, :] = out[bar - 1, 3]
        level = z * sd - distance
        out[bar, 1] = max(out[bar, 1], level)
        out[bar, 2] = min(out[bar, 2], level)
        out[bar, 3] = level
    return z


@compiled()
def pin_step(z: float, s: float, ds: float, beta: float, shock: float) -> float:
    """Return z after one step of the pinning equation."""
    left = 1.0 - s
    drift = beta * z * left**-1.5 * math.exp(-z * z / (2.0 * left)) * ds
    if abs(drift) > abs(z):
        drift = math.copysign(z, drift)
    after: float = z - drift + math.sqrt(ds) * shock
    return after


@compiled()
def pin_ends(shocks: np.ndarray, start: float, beta: float, out: np.ndarray) -> None:
    """Fill z at the expiration of many sessions that start at one distance from the strike.

    Parameters
    ----------
    shocks : ndarray, shape (n, N)
        Standard normal; N steps of the grid ``s_j = 1 - (1 - j/N)^2``.
    start, beta : float
        z at the open, and the pull.
    out : ndarray, shape (n,)
        Receives z.
    """
    steps = shocks.shape[1]
    for i in range(shocks.shape[0]):
        z = start
        s = 0.0
        for j in range(steps):
            left = 1.0 - (j + 1) / steps
            s_next = 1.0 - left * left
            z = pin_step(z, s, s_next - s, beta, shocks[i, j])
            s = s_next
        out[i] = z
