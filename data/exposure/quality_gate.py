"""The quality gate: when a session gets no label."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final, TypeAlias

import numpy as np
import numpy.typing as npt

from ..base.compiling import compiled

__all__ = [
    "COPY_SHARE",
    "FEWEST_FROZEN",
    "FROZEN_SHARE",
    "REJECTED_SHARE",
    "Likeness",
    "gate_reasons",
    "likeness",
]

Floats: TypeAlias = npt.NDArray[np.float64]
Contracts: TypeAlias = tuple[
    npt.NDArray[np.int32], npt.NDArray[np.uint8], Floats, Floats, Floats, Floats, Floats
]

#: A session is a copy where this share of the contracts it has in common is unchanged.
COPY_SHARE: Final = 0.95
#: It is one too where this share of them has the same open interest, at the very same spot.
FROZEN_SHARE: Final = 0.98
#: Contracts in common that the second rule needs: few may well keep their open interest.
FEWEST_FROZEN: Final = 50
#: A regime is not called where more open interest than this was rejected.
REJECTED_SHARE: Final = 0.05


@compiled(nogil=True)
def _order(
    expiry: int, kind: int, strike: float, its_expiry: int, its_kind: int, its_strike: float
) -> int:
    """Return -1, 0 or 1: the order of two contracts as the lake sorts them."""
    if expiry != its_expiry:
        return -1 if expiry < its_expiry else 1
    if (kind ^ its_kind) & 1:
        return -1 if kind & 1 else 1
    if strike != its_strike:
        return -1 if strike < its_strike else 1
    if (kind ^ its_kind) & 2:
        return -1 if kind & 2 else 1
    return 0


@compiled(nogil=True)
def _same(x: float, y: float) -> bool:
    return x == y or (math.isnan(x) and math.isnan(y))


@compiled()
def _compare(x: Contracts, y: Contracts, same_spot: bool) -> tuple[int, int, int]:
    """Merge two sorted chains; return contracts in common, equal ones, equal open interest.

    Only until more differ than may of a copy, whatever else they have in common.
    """
    i, j, common, equal, frozen = 0, 0, 0, 0, 0
    most = min(x[0].size, y[0].size)
    changed, thawed = (1.0 - COPY_SHARE) * most, (1.0 - FROZEN_SHARE) * most
    while i < x[0].size and j < y[0].size:
        if common - equal > changed and not (same_spot and common - frozen <= thawed):
            break
        order = _order(x[0][i], x[1][i], x[2][i], y[0][j], y[1][j], y[2][j])
        if order < 0:
            i += 1
        elif order > 0:
            j += 1
        else:
            common += 1
            frozen += x[3][i] == y[3][j]
            equal += (
                _same(x[3][i], y[3][j])
                and _same(x[4][i], y[4][j])
                and _same(x[5][i], y[5][j])
                and _same(x[6][i], y[6][j])
            )
            i += 1
            j += 1
    return common, equal, frozen


@dataclass(frozen=True, slots=True)
class Likeness:
    """How much a session resembles the lake's previous session.

    Attributes
    ----------
    common : int
        Contracts in both; of a session that is no copy as many as it takes to see that.
    unchanged : float
        Share of them whose open interest, volatility, bid and ask are the same, 0 ... 1; NaN
        where there is none in common.
    frozen : float
        Share of them whose open interest is known and the same; likewise.
    same_spot : bool
        Whether the spot is the same to the last digit.
    """

    common: int = 0
    unchanged: float = math.nan
    frozen: float = math.nan
    same_spot: bool = False

    @property
    def is_copy(self) -> bool:
        """Whether the session is the one before under another date.

        A copy fetched in the evening has volatilities of its own, but neither the open interest
        of another day nor another spot.

        Examples
        --------
        >>> Likeness(72, 0.1, 1.0, same_spot=True).is_copy
        True
        >>> Likeness(72, 0.1, 1.0, same_spot=False).is_copy
        False
        """
        evening = self.same_spot and self.common >= FEWEST_FROZEN and self.frozen >= FROZEN_SHARE
        return self.unchanged >= COPY_SHARE or evening

    @property
    def words(self) -> str:
        """What was measured, in words."""
        if self.unchanged >= COPY_SHARE:
            return f"{self.unchanged:.1%} of the common contracts are unchanged"
        return (
            f"{self.frozen:.1%} of {self.common} common contracts have the open interest of the "
            "previous session, and the spot is the same to the last digit"
        )


def likeness(
    today: Contracts, before: Contracts, *, spot: float = math.nan, spot_before: float = math.nan
) -> Likeness:
    """Return how much a session resembles the lake's previous session.

    Parameters
    ----------
    today, before : tuple of ndarray
        A session and the lake's previous session, sorted as in the lake: expiry (days), kind
        (bit 0: AM, bit 1: call), strike, open interest, volatility, bid, ask. NaN equals NaN,
        except that unknown open interest is never the same.
    spot, spot_before : float
        Of the two snapshots.
    """
    same_spot = spot == spot_before
    common, equal, frozen = _compare(today, before, same_spot)
    if not common:
        return Likeness(same_spot=same_spot)
    return Likeness(common, equal / common, frozen / common, same_spot)


def gate_reasons(
    *,
    known_before_quotes: bool,
    copied: bool,
    oi_rejected_share: float,
    gross_gex: float,
    contradicting_duplicates: bool = False,
    unit_contradicted: bool = False,
) -> tuple[str, ...]:
    """Return the reasons why the quality gate refuses a label; empty where it does not.

    Examples
    --------
    >>> gate_reasons(known_before_quotes=False, copied=True, oi_rejected_share=0.01,
    ...              gross_gex=1e9)
    ('copy_of_previous_session',)
    """
    failed = {
        "known_before_quotes": known_before_quotes,
        "copy_of_previous_session": copied,
        "open_interest_rejected": oi_rejected_share > REJECTED_SHARE,
        "empty_book": not gross_gex > 0.0,
        "contradicting_duplicates": contradicting_duplicates,
        "unit_contradicted": unit_contradicted,
    }
    return tuple([reason for reason, fails in failed.items() if fails])
