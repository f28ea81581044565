"""What counts as rounding: one bound, so that no ratio is taken over a denominator of noise."""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

__all__ = ["CANCELLED", "NOISE", "real_difference", "real_divisor", "varies", "without_rounding"]

Floats = npt.NDArray[np.float64]

#: Largest return, position, range or spread of returns that is taken for rounding. A return is a
#: ratio of two prices less 1 and so carries errors of about 1e-16; a cent on a billion is 1e-11.
NOISE: Final = 1e-12

#: Share of a sum of squares that its difference to another such sum may owe to rounding.
CANCELLED: Final = 1e-13


def real_difference(value: npt.ArrayLike, minuend: npt.ArrayLike) -> Floats:
    """Return a difference of sums of squares; 0 where it is what their rounding leaves.

    Parameters
    ----------
    value : array_like
        The difference.
    minuend : array_like
        The larger of the two sums, of the same shape.

    Returns
    -------
    ndarray of float
        Of the same shape.

    Examples
    --------
    >>> real_difference([1e-20, 1e-5], [1e-4, 1e-4]).tolist()
    [0.0, 1e-05]
    """
    x, whole = np.asarray(value, dtype=np.float64), np.asarray(minuend, dtype=np.float64)
    return np.where(x <= CANCELLED * whole, 0.0, x)  # NaN stays NaN


def real_divisor(value: npt.ArrayLike, noise: float = NOISE) -> Floats:
    """Return a divisor; NaN where it is not above what rounding makes of zero.

    Parameters
    ----------
    value : array_like of float
    noise : float
        What rounding makes of zero.

    Returns
    -------
    ndarray of float
        Of the same shape.

    Examples
    --------
    >>> real_divisor([0.02, 1e-17, -1.0]).tolist()
    [0.02, nan, nan]
    """
    x = np.asarray(value, dtype=np.float64)
    return np.where(x > noise, x, np.nan)


def without_rounding(values: npt.ArrayLike) -> Floats:
    """Return values of which those that differ by rounding alone are equal, for ranks.

    Two neighbours in size differ by rounding alone where their distance is at most `NOISE` of the
    larger one's size. Every group of such neighbours takes its lowest value.

    Parameters
    ----------
    values : array_like of float, shape (n,)

    Returns
    -------
    ndarray of float
        Of the same shape; NaN stays.

    Examples
    --------
    >>> without_rounding([0.1 + 0.2, 5.0, 0.3, float("nan")]).tolist()
    [0.3, 5.0, 0.3, nan]
    """
    x = np.array(values, dtype=np.float64)
    there = np.flatnonzero(np.isfinite(x))
    order = there[np.argsort(x[there], kind="stable")]
    ordered = x[order]
    if len(order) > 1:
        size = np.maximum(np.abs(ordered[1:]), np.abs(ordered[:-1]))
        starts = np.append(True, np.diff(ordered) > NOISE * size)
        x[order] = ordered[starts][np.cumsum(starts) - 1]
    return x


def varies(values: npt.ArrayLike) -> bool:
    """Return whether a series has two values that differ by more than rounding.

    Where it has not, ranks, groups and slopes of it say nothing.

    Parameters
    ----------
    values : array_like of float
        NaN counts as unknown.

    Returns
    -------
    bool

    Examples
    --------
    >>> varies([0.3, 0.1 + 0.2]), varies([0.3, 0.31]), varies([])
    (False, True, False)
    """
    x = np.asarray(values, dtype=np.float64)
    x = x[np.isfinite(x)]
    return bool(x.size) and bool(np.ptp(x) > NOISE * np.abs(x).max())
