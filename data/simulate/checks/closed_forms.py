"""What theory says of the worlds: closed forms, apart from the code that simulates them."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.special import ndtr

__all__ = [
    "NULL_TABLE",
    "PIN_STARTS",
    "PIN_TABLE",
    "long_run_ratio",
    "one_step_ratio",
    "pin_law",
    "reversal_slope",
    "variance_ratio",
]

Floats = npt.NDArray[np.float64]

#: Standard deviation (%) of the next return by quartile of gamma in the null world, lowest first,
#: as computed once on 12 other seeds of the same specification.
NULL_TABLE = (0.90, 0.87, 0.60, 0.48)

#: P(abs(z_T) < .05) by beta, for the z at the open in `PIN_STARTS`: simulated once on 20,000 paths
#: (standard error up to .0035) and printed to two digits; exact where beta is 0.
PIN_TABLE = (
    (0.0, (0.0399, 0.0352, 0.0242, 0.0054)),
    (0.25, (0.39, 0.36, 0.26, 0.06)),
    (0.5, (0.63, 0.59, 0.46, 0.13)),
    (1.0, (0.87, 0.83, 0.70, 0.24)),
    (2.0, (0.98, 0.97, 0.91, 0.42)),
)
PIN_STARTS = (0.0, 0.5, 1.0, 2.0)

_REACH = 8.192  # of the grid of z, both ways
_SPACING = 0.002


def variance_ratio(kappa: float, q: int) -> float:
    """Return VR(q) of ``r_i = eps_i - kappa r_{i-1}``.

    Examples
    --------
    >>> round(variance_ratio(-0.3, 30), 3), round(variance_ratio(0.1, 30), 3)
    (1.816, 0.824)
    """
    return 1 + 2 * sum((1 - j / q) * (-kappa) ** j for j in range(1, q))


def one_step_ratio(kappa: float) -> float:
    """Return the standard deviation of a step over that of its shock, lagged hedging.

    Examples
    --------
    >>> round(one_step_ratio(0.3), 3), round(one_step_ratio(-0.3), 3)
    (1.048, 1.048)
    """
    return float((1 - kappa**2) ** -0.5)


def long_run_ratio(kappa: float) -> float:
    """Return the long-run standard deviation over that of independent shocks, lagged hedging.

    Examples
    --------
    >>> round(long_run_ratio(-0.3), 3), round(long_run_ratio(0.3), 3)
    (1.429, 0.769)
    """
    return 1 / (1 + kappa)


def reversal_slope(b: float, given_back: float, overnight: float, late: float) -> float:
    """Return the slope of the next session's return on this one's last half hour (S3).

    The last half hour is ``b r_ROD + eps``, and the next open gives back a share of ``b r_ROD``.
    The rest of the day is then a first-order autoregression over sessions with coefficient
    ``-given_back b``, and the next last half hour trades with the reversal as with the rest of
    its day: the slope is ``-given_back R2 (1 + b)``.

    Parameters
    ----------
    b : float
        Slope of the last half hour on the rest of the day, constant.
    given_back : float
        Share of the push that the next open takes back, 1 - theta.
    overnight : float
        Share of a session's variance that falls overnight.
    late : float
        Share of the trading hours that the last half hour takes.

    Examples
    --------
    >>> round(reversal_slope(0.45, 0.6, 0.2, 30 / 390), 3)
    -0.669
    """
    within = 1 - overnight
    rest = (overnight + within * (1 - late)) / (1 - (given_back * b) ** 2)
    r2 = b**2 * rest / (b**2 * rest + within * late)
    return -given_back * r2 * (1 + b)


def pin_law(
    beta: float, starts: npt.ArrayLike, *, within: float = 0.05, steps: int = 500
) -> Floats:
    """Return P(abs(z_T) < within) of the discretised pinning equation, without random numbers.

    The expectation is carried backwards from the expiration, step by step, over a grid of z:
    a step first moves z by its capped drift, then adds a normal shock. Exact to 3e-4, and where
    beta is 0 to 1e-9.

    Parameters
    ----------
    beta : float
        Pull; negative repels.
    starts : array_like
        z at the open.
    within : float
        Distance from the strike that counts as pinned.
    steps : int
        Steps of the grid of times ``s_j = 1 - (1 - j/steps)^2``.

    Examples
    --------
    >>> [round(p, 4) for p in pin_law(0.0, [0.0, 1.0]).tolist()]
    [0.0399, 0.0242]
    """
    count = round(2 * _REACH / _SPACING)
    z: Floats = (np.arange(count) - count // 2).astype(np.float64) * _SPACING
    frequency = 2 * np.pi * np.fft.rfftfreq(count, _SPACING)
    times: Floats = 1 - (1 - np.arange(steps + 1, dtype=np.float64) / steps) ** 2
    moved, sd = _moved(z, times, steps - 1, beta)
    chance: Floats = ndtr((within - moved) / sd) - ndtr((-within - moved) / sd)
    for j in range(steps - 2, -1, -1):
        moved, sd = _moved(z, times, j, beta)
        damped = np.fft.rfft(chance) * np.exp(-0.5 * (frequency * sd) ** 2)
        chance = np.interp(moved, z, np.fft.irfft(damped, count))
    found: Floats = np.interp(np.asarray(starts, dtype=np.float64), z, chance)
    return found


def _moved(z: Floats, times: Floats, j: int, beta: float) -> tuple[Floats, float]:
    """Return where the drift of step j takes each z, and the standard deviation of its shock."""
    left, ds = 1 - times[j], times[j + 1] - times[j]
    drift = beta * z * left**-1.5 * np.exp(-(z**2) / (2 * left)) * ds
    return z - np.clip(drift, -np.abs(z), np.abs(z)), float(np.sqrt(ds))
