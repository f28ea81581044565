"""An exponential that compilers can run on many numbers at once.

``math.exp`` is a call per number; this is plain arithmetic without a branch, so that a loop over it
becomes vector instructions. Its error is below two units in the last place.
"""

from __future__ import annotations

from typing import Any

import numba
from llvmlite import ir
from numba.core import types
from numba.extending import intrinsic

__all__ = ["exp_nonpositive"]

# 1.5 * 2^52: adding it rounds a number to an integer and leaves that integer in the low bits.
_ROUND = 6755399441055744.0
_LOG2_E = 1.4426950408889634
_LN2_HIGH = 6.93147180369123816490e-01
_LN2_LOW = 1.90821492927058770002e-10
#: Below this the result would be subnormal, and is given as 0.
_LOWEST = -708.0


@intrinsic
def _bits_of(_context: Any, number: Any) -> Any:
    """Return the 64 bits of a float as an integer."""

    def codegen(_c: Any, builder: Any, _s: Any, args: Any) -> Any:
        return builder.bitcast(args[0], ir.IntType(64))

    return types.int64(types.float64), codegen


@intrinsic
def _float_of(_context: Any, bits: Any) -> Any:
    """Return the float that 64 bits stand for."""

    def codegen(_c: Any, builder: Any, _s: Any, args: Any) -> Any:
        return builder.bitcast(args[0], ir.DoubleType())

    return types.float64(types.int64), codegen


@numba.njit(inline="always")
def exp_nonpositive(x: float) -> float:
    """Return exp(x) for x <= 0.

    Parameters
    ----------
    x : float
        At most 0 (small positive values, to 300, are also right). NaN gives NaN.

    Returns
    -------
    float
        exp(x), relative error below 3e-16; exactly 0 below -708, where it would be subnormal.
    """
    bounded = x if x > _LOWEST else _LOWEST
    shifted = bounded * _LOG2_E + _ROUND
    k = shifted - _ROUND
    r = (bounded - k * _LN2_HIGH) - k * _LN2_LOW
    p = 1.6059043836821613e-10  # 1/13!, and so on down to 1/0!
    p = p * r + 2.08767569878681e-09
    p = p * r + 2.505210838544172e-08
    p = p * r + 2.755731922398589e-07
    p = p * r + 2.7557319223985893e-06
    p = p * r + 2.48015873015873e-05
    p = p * r + 1.984126984126984e-04
    p = p * r + 1.3888888888888889e-03
    p = p * r + 8.333333333333333e-03
    p = p * r + 4.1666666666666664e-02
    p = p * r + 1.6666666666666666e-01
    p = p * r + 0.5
    p = p * r + 1.0
    p = p * r + 1.0
    y: float = _float_of(_bits_of(p) + (_bits_of(shifted) << 52))  # type: ignore[call-arg]
    return y if x >= _LOWEST else (0.0 if x < _LOWEST else x)
