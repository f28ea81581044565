"""The label rule: what a value, or a ratio with a neutral band, is called."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from ..base.schema import Regime

__all__ = ["labels_by_band", "labels_by_sign", "regime_of"]


def labels_by_sign(value: npt.ArrayLike) -> npt.NDArray[np.object_]:
    """Return ``long`` above zero, ``short`` below, ``neutral`` at zero, ``abstain`` where NaN.

    Parameters
    ----------
    value : array_like of float

    Returns
    -------
    ndarray of object
        Of the shape of `value`.

    Examples
    --------
    >>> labels_by_sign([2.0, -1.0, 0.0, float("nan")]).tolist()
    ['long', 'short', 'neutral', 'abstain']
    """
    return labels_by_band(value, 0.0)


def labels_by_band(
    value: npt.ArrayLike, band: float, abstain: npt.ArrayLike | None = None
) -> npt.NDArray[np.object_]:
    """Return labels by sign, ``neutral`` where a value is nearer to zero than the band.

    Parameters
    ----------
    value : array_like
        E.g. net over gross; NaN abstains. A value exactly as large as the band has a sign.
    band : float
    abstain : array_like of bool, optional
        Rows that abstain whatever their value.

    Returns
    -------
    ndarray of object
        ``long``, ``short``, ``neutral`` or ``abstain``; of the shape of `value`.

    Examples
    --------
    >>> labels_by_band([0.02, 0.0199, -0.02, 0.5], 0.02, [False, False, False, True]).tolist()
    ['long', 'neutral', 'short', 'abstain']
    """
    x = np.asarray(value, dtype=np.float64)
    gated = np.isnan(x) if abstain is None else np.isnan(x) | np.asarray(abstain, dtype=bool)
    small = (np.abs(x) < band) | (x == 0.0)
    names = np.full(x.shape, "short", dtype=object)
    names[x > 0.0] = "long"
    names[small] = "neutral"
    names[gated] = "abstain"
    return names


def regime_of(net_to_gross: float, band: float, *, degraded: bool) -> Regime:
    """Return the regime of a book.

    Parameters
    ----------
    net_to_gross : float
        -1 ... 1; NaN for an empty book, which abstains.
    band : float
        Smaller absolute values are neutral.
    degraded : bool
        Whether the quality gate refuses a label.

    Returns
    -------
    {"long", "short", "neutral", "abstain"}

    Examples
    --------
    >>> regime_of(-0.019, 0.02, degraded=False), regime_of(-0.021, 0.02, degraded=False)
    ('neutral', 'short')
    """
    # as `labels_by_band`, without its arrays
    if degraded or math.isnan(net_to_gross):
        return "abstain"
    if abs(net_to_gross) < band or net_to_gross == 0.0:
        return "neutral"
    return "long" if net_to_gross > 0.0 else "short"
