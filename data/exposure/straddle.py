"""The straddle that the market prices the coming sessions with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from .forwards import ForwardCurve
    from .snapshot import Groups, Snapshot

__all__ = ["Straddle", "next_straddle"]

Days: TypeAlias = npt.NDArray[np.int32]


@dataclass(frozen=True, slots=True)
class Straddle:
    """A call and a put of one strike, at the middle of their quotes.

    Attributes
    ----------
    price : float
        Points. At zero rates it is the expected distance of the underlying from the strike when
        the two expire.
    strike : float
        Of the strikes priced on both sides the one nearest to the forward; ties: the lower.
    dies : int
        Session on which it expires, days since 1970.
    """

    price: float
    strike: float
    dies: int


def next_straddle(
    chain: Snapshot, groups: Groups, market: ForwardCurve, dies: Days, session: int
) -> Straddle | None:
    """Return the straddle of the first expiration after a session; None where none is priced.

    Parameters
    ----------
    chain : Snapshot
    groups : Groups
    market : ForwardCurve
    dies : ndarray of int32, shape (g,)
        Session on which each group expires, days since 1970.
    session : int
        The chain's own session, likewise. Of two groups of one session the later counts: what
        settles at an open prices the night alone.
    """
    later = np.flatnonzero(dies > session)
    for g in later[np.lexsort((-groups.expiry_us[later], dies[later]))].tolist():
        found = _at_the_money(chain, slice(*groups.start[g : g + 2]), float(market.forward[g]))
        if found is not None:
            return Straddle(*found, int(dies[g]))
    return None


def _at_the_money(chain: Snapshot, part: slice, forward: float) -> tuple[float, float] | None:
    """Return price and strike of a group's straddle nearest to its forward."""
    strike, call, mid = chain.strike[part], chain.is_call[part], chain.mid[part]
    priced = np.isfinite(mid)
    both = np.intersect1d(strike[priced & call], strike[priced & ~call])
    if not both.size or not np.isfinite(forward):
        return None
    nearest = float(both[np.argmin(np.abs(both - forward))])
    sides = [mid[priced & (strike == nearest) & side].mean() for side in (call, ~call)]
    return float(sum(sides)), nearest
