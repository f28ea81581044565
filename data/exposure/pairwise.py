"""The sum of numbers in the order in which numpy adds them, for loops that are compiled.

`ndarray.sum` adds in blocks, each in eight strands, and then the blocks: rounding stays small, and
the last digits are those of that order. A compiled loop that adds for Python must keep to it.
"""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from ..base.compiling import compiled

__all__ = ["pairwise_sum"]

Floats: TypeAlias = npt.NDArray[np.float64]

#: Numbers that are added without being halved.
_BLOCK = 128


@compiled(nogil=True)
def _block_sum(values: Floats) -> float:
    """Return the sum of at most a block of numbers, in eight strands."""
    n = values.size
    if n < 8:
        total = 0.0
        for i in range(n):
            total += values[i]
        return total
    a, b, c, d = values[0], values[1], values[2], values[3]
    e, f, g, h = values[4], values[5], values[6], values[7]
    for i in range(8, n - n % 8, 8):
        a += values[i]
        b += values[i + 1]
        c += values[i + 2]
        d += values[i + 3]
        e += values[i + 4]
        f += values[i + 5]
        g += values[i + 6]
        h += values[i + 7]
    total = ((a + b) + (c + d)) + ((e + f) + (g + h))
    for i in range(n - n % 8, n):
        total += values[i]
    return float(total)


@compiled(nogil=True)
def pairwise_sum(values: Floats) -> float:
    """Return what ``values.sum()`` returns, to the last digit; 0 for no values.

    Parameters
    ----------
    values : ndarray, shape (n,)
        Contiguous.
    """
    if values.size <= _BLOCK:
        return _block_sum(values)
    half = values.size // 2
    half -= half % 8
    return pairwise_sum(values[:half]) + pairwise_sum(values[half:])
