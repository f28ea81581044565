"""An exponential that compilers can run on many numbers at once; see `fast_exponential`.

Its intrinsics need Numba, which is not loaded before a loop is compiled.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..base.compiling import found_when_called

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["exp_nonpositive"]

exp_nonpositive: Callable[[float], float] = found_when_called(
    f"{__package__}.fast_exponential", "exp_nonpositive"
)
