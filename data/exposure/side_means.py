"""Means of calls and of puts over the rows of one strike."""

from __future__ import annotations

import math
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from ..base.compiling import compiled

__all__ = ["side_means"]

Floats: TypeAlias = npt.NDArray[np.float64]
Flags: TypeAlias = npt.NDArray[np.bool_]


# inlined, for it is called for each strike: a call costs more than what is done in it
@compiled(nogil=True, forceinline=True)
def side_means(begin: int, end: int, is_call: Flags, value: Floats) -> tuple[float, float]:
    """Return the mean of the calls and of the puts of one strike; NaN where a side has none.

    Parameters
    ----------
    begin, end : int
        The strike's rows are begin ... end - 1, in any order.
    is_call, value : ndarray, shape (n,)
        Rows whose value is NaN do not count.

    Examples
    --------
    >>> is_call, price = np.array([True, True, False]), np.array([4.0, 5.0, np.nan])
    >>> side_means(0, 3, is_call, price)
    (4.5, nan)
    """
    if end - begin == 2 and is_call[begin] and not is_call[begin + 1]:  # nearly every strike
        return value[begin], value[begin + 1]
    calls, puts, call_sum, put_sum = 0, 0, 0.0, 0.0
    for i in range(begin, end):
        if not math.isnan(value[i]):
            if is_call[i]:
                calls += 1
                call_sum += value[i]
            else:
                puts += 1
                put_sum += value[i]
    # of one row nothing has to be divided, which takes longer than the rest
    call = call_sum if calls == 1 else (call_sum / calls if calls else np.nan)
    put = put_sum if puts == 1 else (put_sum / puts if puts else np.nan)
    return call, put
