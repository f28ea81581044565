"""Labels as codes, for components that decide all sessions at once."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

__all__ = ["ABSTAIN", "LONG", "NEUTRAL", "SHORT", "between", "by_sign", "latched"]

Floats = npt.NDArray[np.float64]
Codes = npt.NDArray[np.float64]

ABSTAIN, LONG, SHORT, NEUTRAL = 0.0, 1.0, 2.0, 3.0


def by_sign(values: Floats, band: float = 0.0) -> Codes:
    """Return long above, short below, neutral within the band (its bounds excluded).

    Examples
    --------
    >>> by_sign(np.array([0.03, -0.02, 0.01, np.nan]), band=0.02)
    array([1., 2., 3., 0.])
    """
    out = np.where(values > 0.0, LONG, SHORT)
    out[(values == 0.0) | (np.abs(values) < band)] = NEUTRAL
    out[np.isnan(values)] = ABSTAIN
    return out


def between(values: Floats, low: float, high: float) -> Codes:
    """Return long at or above `high`, short at or below `low`, neutral between.

    Examples
    --------
    >>> between(np.array([1.0, 2.0, 3.0]), low=1.0, high=3.0)
    array([2., 3., 1.])
    """
    out = np.full(values.shape, NEUTRAL)
    out[values <= low] = SHORT
    out[values >= high] = LONG
    out[np.isnan(values)] = ABSTAIN
    return out


def latched(values: Floats, enter: float, leave: float) -> Codes:
    """Return labels with hysteresis: entered at `enter`, left below `leave`; short mirrored.

    A missing value abstains and ends what was entered.

    Examples
    --------
    >>> latched(np.array([0.7, 0.55, 0.4, -0.7, -0.55]), enter=0.6, leave=0.5)
    array([1., 1., 3., 2., 2.])
    """
    out = np.full(values.shape, ABSTAIN)
    state = NEUTRAL
    for t, value in enumerate(values.tolist()):
        if value != value:
            state = NEUTRAL
            continue
        if value >= enter:
            state = LONG
        elif value <= -enter:
            state = SHORT
        elif not ((state == LONG and value >= leave) or (state == SHORT and value <= -leave)):
            state = NEUTRAL
        out[t] = state
    return out
