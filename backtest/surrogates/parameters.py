"""What a rule-made book is drawn from: one range a parameter."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

__all__ = ["NAMES", "PARAMETERS", "Parameter", "from_unit"]

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter of a book and the range that it is drawn from, uniformly.

    Attributes
    ----------
    name : str
    low, high : float
    meaning : str
    logarithmic : bool
        Whether its logarithm is uniform.
    """

    name: str
    low: float
    high: float
    meaning: str
    logarithmic: bool = False


#: In the order in which `kernels.walk_book` takes them.
PARAMETERS: Final = (
    Parameter("call_share", 0.10, 0.90, "share of calls in what customers open"),
    Parameter("by_amount", 0.0, 1.2, "0: fixed contracts a session, 1: fixed amounts"),
    Parameter("growth", -0.10, 0.25, "growth of what is opened, a year"),
    Parameter("call_distance", -0.01, 0.06, "calls' usual distance above the spot"),
    Parameter("call_width", 0.01, 0.05, "spread of it"),
    Parameter("put_distance", -0.01, 0.11, "puts' usual distance below the spot"),
    Parameter("put_width", 0.01, 0.08, "spread of it"),
    Parameter("by_volatility", 0.0, 1.0, "how far distances scale with volatility"),
    Parameter("call_tenor", 0.6, 20.0, "calls' usual time to expiration, weeks", True),
    Parameter("put_tenor", 0.6, 20.0, "puts' usual time to expiration, weeks", True),
    Parameter("tenor_width", 0.3, 1.2, "spread of its log"),
    # a third of the books know no difference: a plain ladder of weeks
    Parameter("weekly", 0.02, 1.5, "weight of one that is no monthly expiration, at most 1"),
    Parameter("closing", 0.002, 0.15, "share of open interest closed a session", True),
    Parameter("calm_calls", -1.0, 3.0, "calls sold the more, the calmer"),
    Parameter("calm_puts", -2.0, 2.0, "puts bought the more, the wilder"),
    Parameter("trend_calls", -1.0, 1.0, "reaction of calls to the return of 20 sessions"),
    Parameter("trend_puts", -1.0, 1.0, "reaction of puts to it"),
    Parameter("day_calls", -0.5, 0.5, "reaction of calls to the session's return"),
    Parameter("day_puts", -0.5, 0.5, "reaction of puts to it"),
    Parameter("change_puts", -0.5, 0.5, "reaction of puts to the change of volatility"),
    Parameter("rolled", 0.0, 0.9, "share of expired positions that is opened again"),
    Parameter("late", 0.0, 1.0, "above a half: open interest of the previous session"),
    Parameter("dying", 0.0, 1.0, "above a half: contracts count on the day they expire"),
    # noise makes a book foretell less: half of the books have none, as the null least in favour
    Parameter(
        "noise", -0.3, 0.3, "spread of the log of what is opened for no reason; none below 0"
    ),
    Parameter("memory", 0.0, 0.98, "how long that lasts"),
    Parameter("monthly_week", -0.7, 0.7, "log factor in the week of a monthly expiration"),
)
NAMES: Final = tuple(p.name for p in PARAMETERS)


def from_unit(u: Floats) -> Floats:
    """Return parameters for points of the unit cube.

    Parameters
    ----------
    u : ndarray, shape (m, len(PARAMETERS))

    Examples
    --------
    >>> import numpy as np
    >>> float(from_unit(np.full((1, len(PARAMETERS)), 0.5))[0, 0])
    0.5
    """
    out = np.empty_like(u)
    for i, p in enumerate(PARAMETERS):
        if p.logarithmic:
            out[:, i] = p.low * (p.high / p.low) ** u[:, i]
        else:
            out[:, i] = p.low + (p.high - p.low) * u[:, i]
    return out
