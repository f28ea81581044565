"""What doubts a chain, in one loop without the interpreter's lock.

Other definitions of its exposure, rows that contradict each other. Each formula is in a module of
its own; here they follow each other, as in `book_measures`.
"""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from ..base.compiling import compiled
from .contradictions import UnitMeasures, any_repeated, measure_units
from .definition_agreement import sixteen_nets

__all__ = ["checks_of_chain"]

Floats: TypeAlias = npt.NDArray[np.float64]
Flags: TypeAlias = npt.NDArray[np.bool_]
Ints: TypeAlias = npt.NDArray[np.int64]
Days: TypeAlias = npt.NDArray[np.int32]
Codes: TypeAlias = npt.NDArray[np.uint8]


@compiled(nogil=True)
def checks_of_chain(
    quote_us: int, moments: Ints, floors: Floats, spot: float, use_parity: bool,
    time: Floats, forward: Floats, rate: Floats, dividend_yield: Floats,
    start: Ints, expiry_us: Ints, strike: Floats, is_call: Flags,
    open_interest: Floats, position: Floats, mid: Floats, vendor: Floats,
    expiry: Days, kind: Codes, multiplier: Floats,
) -> tuple[Floats, bool, UnitMeasures]:  # fmt: skip
    """Return net gamma under 16 definitions, whether contracts repeat, and what tells units.

    Parameters
    ----------
    quote_us, moments, floors, spot, use_parity, time, forward, rate, dividend_yield, start,
    expiry_us, strike, is_call, open_interest, position, mid, vendor
        As `sixteen_nets` takes them.
    expiry, kind, multiplier : ndarray, shape (n,)
        Columns of the chain.

    Returns
    -------
    nets : ndarray
        As `sixteen_nets` returns them.
    repeated : bool
        As `any_repeated` says.
    units : tuple
        As `measure_units` returns them.
    """
    nets = sixteen_nets(
        quote_us, moments, floors, spot, use_parity, time, forward, rate, dividend_yield,
        start, expiry_us, strike, is_call, open_interest, position, mid, vendor,
    )  # fmt: skip
    repeated = any_repeated(expiry, kind, strike)
    units = measure_units(
        spot, start, time, strike, is_call, mid, vendor, open_interest, multiplier
    )
    return nets, repeated, units
