"""How many reasonable definitions agree on the sign of net gamma.

The 16 definitions: volatility source ``otm`` or ``own``, both books, a floor of 30 minutes or of
one day, and rates and parity as configured or no carry at all (r = q = 0, F = S). It measures
agreement between definitions; it is not a probability.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final, TypeAlias

import numba
import numpy as np
import numpy.typing as npt

from .book import years_between
from .fastexp import exp_nonpositive
from .forwards import Market, parity_forwards
from .lines import IvSource, Volatility, own_volatility, side_volatility
from .snapshot import Groups, Snapshot

__all__ = ["Verdict", "definition_agreement", "sixteen_signs"]

Floats: TypeAlias = npt.NDArray[np.float64]
Ints: TypeAlias = npt.NDArray[np.int64]
Flags: TypeAlias = npt.NDArray[np.bool_]

_FLOORS: Final = (30.0, 1440.0)
_SOURCES: Final[tuple[IvSource, ...]] = ("otm", "own")
_DAY_US: Final = 86_400_000_000
_SQRT_2PI: Final = math.sqrt(2.0 * math.pi)


@dataclass(frozen=True, slots=True)
class Verdict:
    """The sign that one definition gives.

    Attributes
    ----------
    iv_source : {"otm", "own"}
    book : str
    floor_minutes : float
    carry : bool
        False: r = q = 0 and F = S.
    net_gex : float
        Dollars per 1 %.
    """

    iv_source: IvSource
    book: str
    floor_minutes: float
    carry: bool
    net_gex: float


@dataclass(frozen=True, slots=True)
class _Slots:
    """Strikes of a snapshot and their contracts, as the 16 sums need them.

    A slot is an expiry group's strike: the volatility it takes where its call, or its put, is out
    of the money, and the dealers' amounts of both. Where a strike has no volatility at all, or a
    contract none, the amount is 0.
    """

    start: Ints
    log_strike: Floats
    if_call: Floats
    if_put: Floats
    amount: Floats
    contract_log_strike: Floats
    contract_volatility: Floats
    contract_amount: Floats


@numba.njit(nogil=True, cache=True)
def _fill_slots(
    start: Ints, strike: Floats, is_call: Flags, open_interest: Floats, position: Floats,
    own: Floats, first: Ints, slots: Floats, contracts: Floats,
) -> int:  # fmt: skip
    m = 0
    for g in range(start.size - 1):
        first[g] = m
        i = start[g]
        while i < start[g + 1]:
            begin, total = i, 0.0
            while i < start[g + 1] and strike[i] == strike[begin]:
                counts = open_interest[i] > 0.0 and not math.isnan(position[i])
                total += position[i] if counts else 0.0
                has = counts and not math.isnan(own[i])
                contracts[1, i] = own[i] if has else 1.0
                contracts[2, i] = position[i] if has else 0.0
                i += 1
            slots[1, m] = side_volatility(begin, i, is_call, own, True)
            slots[2, m] = side_volatility(begin, i, is_call, own, False)
            if math.isnan(slots[1, m]):
                slots[1, m], slots[2, m], total = 1.0, 1.0, 0.0
            slots[0, m] = math.log(strike[begin])
            slots[3, m] = total
            contracts[0, begin:i] = slots[0, m]
            m += 1
    first[start.size - 1] = m
    return m


def _slots(chain: Snapshot, groups: Groups, own: Volatility) -> _Slots:
    n = chain.strike.size
    first, slots, contracts = (
        np.empty(groups.start.size, np.int64),
        np.empty((4, n)),
        np.empty((3, n)),
    )
    m = _fill_slots(
        groups.start, chain.strike, chain.is_call, chain.open_interest, chain.position,
        own.value, first, slots, contracts,
    )  # fmt: skip
    return _Slots(first, *slots[:, :m], *contracts)


@numba.njit(nogil=True, cache=True, fastmath={"reassoc", "contract"})
def _otm_sum(
    begin: int, end: int, log_forward: float, shift: float, root: float,
    log_strike: Floats, if_call: Floats, if_put: Floats, amount: Floats,
) -> float:  # fmt: skip
    total = 0.0
    for i in range(begin, end):
        x = log_forward - log_strike[i]
        v = (if_call[i] if x <= 0.0 else if_put[i]) * root
        inverse = 1.0 / v
        d1 = (x + shift) * inverse + 0.5 * v
        total += amount[i] * exp_nonpositive(-0.5 * d1 * d1) * inverse
    return total


@numba.njit(nogil=True, cache=True)
def _net_sums(
    wanted: Flags, quoted: Floats, times: Floats, forward: Floats, rate: Floats,
    dividend_yield: Floats, slot_start: Ints, slots: tuple[Floats, Floats, Floats, Floats],
    start: Ints, contracts: tuple[Floats, Floats, Floats], out: Floats,
) -> None:  # fmt: skip
    """Set out[source, book, group] to net dollar gamma at spot, for the groups wanted."""
    for g in range(wanted.size):
        for b in range(times.shape[0]):
            if not wanted[g]:
                continue
            out[0, b, g] = out[1, b, g] = 0.0
            if math.isnan(times[b, g]) or math.isnan(quoted[g]):
                continue
            shift = (rate[g] - dividend_yield[g]) * (times[b, g] - quoted[g])
            height = forward[g] * math.exp(shift - rate[g] * times[b, g])
            log_forward, root = math.log(forward[g]), math.sqrt(times[b, g])
            out[0, b, g] = height * _otm_sum(
                slot_start[g], slot_start[g + 1], log_forward, shift, root,
                slots[0], slots[1], slots[2], slots[3],
            )  # fmt: skip
            out[1, b, g] = height * _otm_sum(
                start[g], start[g + 1], log_forward, shift, root,
                contracts[0], contracts[1], contracts[1], contracts[2],
            )  # fmt: skip


def _market(
    chain: Snapshot, groups: Groups, time: Floats, configured: Market, *, carry: bool, parity: bool
) -> Market:
    """Return the market with the configured carry or without any, at given times."""
    rate = configured.rate if carry else np.zeros_like(time)
    dividend_yield = configured.dividend_yield if carry else rate
    return parity_forwards(chain, groups, time, rate, dividend_yield, use_parity=parity and carry)


def sixteen_signs(
    chain: Snapshot,
    groups: Groups,
    configured: Market,
    valuations: dict[str, int],
    *,
    use_parity: bool,
) -> list[Verdict]:
    """Return net gamma at spot under each of the 16 definitions.

    Parameters
    ----------
    chain, groups : Snapshot, Groups
    configured : Market
        The groups under the row's own definition; only its rates are taken.
    valuations : dict of str to int
        Book to its valuation moment, microseconds since 1970.
    use_parity : bool
        Whether the row's definition takes forwards from parity.

    Returns
    -------
    list of Verdict
        Dollars per 1 %.

    Notes
    -----
    The floor of a day changes only what is closer to its end than that; the sums of all other
    groups are those of the floor of 30 minutes. Volatilities depend on the forward only where
    they are solved from prices.
    """
    verdicts: list[Verdict] = []
    shared = None if _needs_solving(chain) else _slots(chain, groups, _vendors(chain))
    for carry in (True, False):
        out = np.zeros((len(_SOURCES), len(valuations), groups.expiry.size))
        for floor in _FLOORS:
            wanted = np.ones(groups.expiry.size, np.bool_)
            if floor > _FLOORS[0]:
                wanted = _touched(chain.quote_us, groups, valuations)
            quoted = years_between(chain.quote_us, groups.expiry_us, floor)
            market = _market(
                chain, groups, np.where(wanted, quoted, np.nan), configured,
                carry=carry, parity=use_parity,
            )  # fmt: skip
            slots = shared or _slots(chain, groups, own_volatility(chain, groups, market))
            times = np.stack(
                [years_between(moment, groups.expiry_us, floor) for moment in valuations.values()]
            )
            _net_sums(
                wanted, quoted, times, market.forward, market.rate, market.dividend_yield,
                slots.start, (slots.log_strike, slots.if_call, slots.if_put, slots.amount),
                groups.start,
                (slots.contract_log_strike, slots.contract_volatility, slots.contract_amount),
                out,
            )  # fmt: skip
            nets = 0.01 / _SQRT_2PI * out.sum(axis=2)
            verdicts += [
                Verdict(source, book, floor, carry, float(nets[s, b]))
                for s, source in enumerate(_SOURCES)
                for b, book in enumerate(valuations)
            ]
    return verdicts


def _needs_solving(chain: Snapshot) -> bool:
    return bool((np.isnan(chain.volatility) & ~np.isnan(chain.mid)).any())


def _vendors(chain: Snapshot) -> Volatility:
    return Volatility(chain.volatility, np.zeros(chain.volatility.size, np.int8))


def _touched(quote_us: int, groups: Groups, valuations: dict[str, int]) -> Flags:
    """Return the groups that a floor of a day changes in some book: the others are reused."""
    latest = max(quote_us, *valuations.values())
    return np.asarray((groups.expiry_us - latest) < _DAY_US)


def definition_agreement(verdicts: list[Verdict], net_gex: float) -> float:
    """Return the share of the definitions whose sign of net gamma is that of `net_gex`.

    Examples
    --------
    >>> signs = [Verdict("otm", "as_of_close", 30.0, True, x) for x in (1.0, 2.0, -1.0, 3.0)]
    >>> definition_agreement(signs, 5.0)
    0.75
    """
    if math.isnan(net_gex) or not verdicts:
        return math.nan
    same = [np.sign(verdict.net_gex) == np.sign(net_gex) for verdict in verdicts]
    return sum(map(bool, same)) / len(same)
