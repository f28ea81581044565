"""How many reasonable definitions agree on the sign of net gamma.

The 16 definitions: volatility source ``otm`` or ``own``, both books, a floor of 30 minutes or of
one day, and rates and parity as configured or no carry at all (r = q = 0, F = S). It measures
agreement between definitions; it is not a probability.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final, TypeAlias

import numpy as np
import numpy.typing as npt

from ..base.compiling import compiled
from .fastexp import exp_nonpositive
from .forwards import ForwardCurve, fill_forwards
from .side_means import side_means
from .snapshot import Groups, Snapshot
from .strike_lines import IvSource, fill_own
from .time_to_expiry import fill_years

__all__ = [
    "FLOORS_OF_KERNEL",
    "SignAgreement",
    "definition_agreement",
    "sixteen_nets",
    "sixteen_signs",
]

Floats: TypeAlias = npt.NDArray[np.float64]
Ints: TypeAlias = npt.NDArray[np.int64]
Flags: TypeAlias = npt.NDArray[np.bool_]

_FLOORS: Final = (30.0, 1440.0)
#: Minutes, as `sixteen_nets` takes them.
FLOORS_OF_KERNEL: Final = np.array(_FLOORS)
_SOURCES: Final[tuple[IvSource, ...]] = ("otm", "own")
_DAY_US: Final = 86_400_000_000
_SQRT_2PI: Final = math.sqrt(2.0 * math.pi)


@dataclass(frozen=True, slots=True)
class SignAgreement:
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


# What the 16 sums add up is laid out twice. Of ``otm`` each item is an expiry group's strike, in
# the rows ln(K); volatility and its inverse if the call is out of the money; the same if the put
# is; the dealers' signed amount. Of ``own`` each is a contract, in the rows ln(K); volatility; its
# inverse; amount. What has no volatility or no amount is left out.


@compiled(nogil=True, error_model="numpy")
def _invert(values: Floats, out: Floats) -> None:
    # on its own, it becomes vector instructions
    for i in range(values.size):
        out[i] = 1.0 / values[i]


@compiled(nogil=True)
def _fill_items(
    start: Ints, strike: Floats, is_call: Flags, open_interest: Floats, position: Floats,
    volatility: Floats, otm_start: Ints, otm: Floats, own_start: Ints, own: Floats,
) -> None:  # fmt: skip
    m, n = 0, 0
    logs = np.empty(strike.size)
    for g in range(start.size - 1):
        i, k = start[g], start[max(g - 1, 0)]
        while i < start[g + 1]:
            begin, total = i, 0.0
            # most strikes are those of the group before: no logarithm is taken twice in a row
            while k < start[g] and strike[k] < strike[i]:
                k += 1
            known = k < start[g] and strike[k] == strike[i]
            log_strike = logs[k] if known else math.log(strike[i])
            logs[i] = log_strike
            while i < start[g + 1] and strike[i] == strike[begin]:
                if open_interest[i] > 0.0 and not math.isnan(position[i]):
                    total += position[i]
                    if not math.isnan(volatility[i]):
                        own[0, n], own[1, n], own[3, n] = log_strike, volatility[i], position[i]
                        n += 1
                i += 1
            call, put = side_means(begin, i, is_call, volatility)
            if total == 0.0 or (math.isnan(call) and math.isnan(put)):
                continue
            call, put = put if math.isnan(call) else call, call if math.isnan(put) else put
            otm[0, m], otm[1, m], otm[3, m], otm[5, m] = log_strike, call, put, total
            m += 1
        otm_start[g + 1], own_start[g + 1] = m, n
    _invert(otm[1][:m], otm[2][:m])
    _invert(otm[3][:m], otm[4][:m])
    _invert(own[1][:n], own[2][:n])


# Both loops divide nothing, call nothing and count from 0, so that they become vector instructions:
# inverse volatilities are prepared once for all definitions.


@compiled(nogil=True, forceinline=True, fastmath={"reassoc", "contract"})
def _otm_sum(
    log_forward: float, shift: float, root: float, log_strike: Floats, if_call: Floats,
    over_call: Floats, if_put: Floats, over_put: Floats, amount: Floats,
) -> float:  # fmt: skip
    total, inverse_root = 0.0, 1.0 / root
    for i in range(amount.size):
        x = log_forward - log_strike[i]
        call = x <= 0.0
        v = (if_call[i] if call else if_put[i]) * root
        inverse = (over_call[i] if call else over_put[i]) * inverse_root
        d1 = (x + shift) * inverse + 0.5 * v
        total += amount[i] * exp_nonpositive(-0.5 * d1 * d1) * inverse
    return total


@compiled(nogil=True, forceinline=True, fastmath={"reassoc", "contract"})
def _own_sum(
    log_forward: float, shift: float, root: float,
    log_strike: Floats, volatility: Floats, over: Floats, amount: Floats,
) -> float:  # fmt: skip
    total, inverse_root = 0.0, 1.0 / root
    for i in range(amount.size):
        inverse = over[i] * inverse_root
        d1 = (log_forward - log_strike[i] + shift) * inverse + 0.5 * volatility[i] * root
        total += amount[i] * exp_nonpositive(-0.5 * d1 * d1) * inverse
    return total


@compiled(nogil=True)
def _net_sums(
    wanted: Flags, quoted: Floats, times: Floats, forward: Floats, rate: Floats,
    dividend_yield: Floats, otm_start: Ints, otm: Floats, own_start: Ints, own: Floats,
    out: Floats,
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
            i, j = otm_start[g], otm_start[g + 1]
            out[0, b, g] = height * _otm_sum(
                log_forward, shift, root,
                otm[0][i:j], otm[1][i:j], otm[2][i:j], otm[3][i:j], otm[4][i:j], otm[5][i:j],
            )  # fmt: skip
            i, j = own_start[g], own_start[g + 1]
            out[1, b, g] = height * _own_sum(
                log_forward, shift, root, own[0][i:j], own[1][i:j], own[2][i:j], own[3][i:j]
            )


@compiled(nogil=True)
def _needs_solving(volatility: Floats, mid: Floats) -> bool:
    needed = False
    for i in range(volatility.size):
        needed |= math.isnan(volatility[i]) and not math.isnan(mid[i])
    return needed


@compiled(nogil=True)
def _take_known(quoted: Floats, time: Floats, known: Floats, forward: Floats) -> bool:
    """Take the forwards of the row's own definition where its times are the same; else say no."""
    same = True
    for i in range(quoted.size):
        forward[i] = known[i]
        same &= quoted[i] == time[i] or (math.isnan(quoted[i]) and math.isnan(time[i]))
    return same


@compiled(nogil=True)
def _mark_wanted(
    first: bool, latest: int, expiry_us: Ints, quoted: Floats, wanted: Flags, masked: Floats
) -> None:
    """Mark what a floor changes: a later one only what is closer to its end than a day."""
    for i in range(expiry_us.size):
        wanted[i] = first or expiry_us[i] - latest < _DAY_US
        masked[i] = quoted[i] if wanted[i] else np.nan


@compiled(nogil=True)
def sixteen_nets(
    quote_us: int, moments: Ints, floors: Floats, spot: float, use_parity: bool,
    time: Floats, known: Floats, rate: Floats, dividend_yield: Floats,
    start: Ints, expiry_us: Ints, strike: Floats, is_call: Flags,
    open_interest: Floats, position: Floats, mid: Floats, vendors: Floats,
) -> Floats:  # fmt: skip
    """Return net gamma at spot under each of the 16 definitions, dollars per 1 %.

    Parameters
    ----------
    quote_us : int
        Moment of the quotes, microseconds since 1970, UTC.
    moments : ndarray, shape (b,)
        When each book is valued, likewise.
    floors : ndarray
        ``FLOORS_OF_KERNEL``.
    spot : float
        Points.
    use_parity : bool
        Whether the row's definition takes forwards from parity.
    time, known, rate, dividend_yield : ndarray, shape (g,)
        Of the `ForwardCurve` of the row's own definition.
    start, expiry_us : ndarray, shapes (g + 1,), (g,)
        Of the `Groups`.
    strike, is_call, open_interest, position, mid, vendors : ndarray, shape (n,)
        Of the `Snapshot`.

    Returns
    -------
    ndarray, shape (2, 2, 2, b)
        By carry (configured, none), floor (30 minutes, a day), source (otm, own) and book.
    """
    n, g, b = strike.size, expiry_us.size, moments.size
    nets = np.empty((2, floors.size, 2, b))
    otm, own = np.empty((6, n)), np.empty((4, n))
    otm_start, own_start = np.zeros(g + 1, np.int64), np.zeros(g + 1, np.int64)
    volatility, code = vendors.copy(), np.empty(n, np.int8)
    quoted, times, masked = np.empty(g), np.empty((b, g)), np.empty(g)
    wanted = np.empty(g, np.bool_)
    forward = np.empty(g)
    from_parity, outside_guard = np.empty(g, np.bool_), np.empty(g, np.bool_)
    nothing, sums = np.zeros(g), np.zeros((2, b, g))
    latest, solve = quote_us, _needs_solving(vendors, mid)
    for k in range(b):
        latest = max(latest, moments[k])
    if not solve:
        _fill_items(
            start, strike, is_call, open_interest, position, volatility,
            otm_start, otm, own_start, own,
        )  # fmt: skip
    for c in range(2):
        r, q = (rate, dividend_yield) if c == 0 else (nothing, nothing)
        for f in range(floors.size):
            fill_years(quote_us, expiry_us, floors[f], quoted)
            for k in range(b):
                fill_years(moments[k], expiry_us, floors[f], times[k])
            _mark_wanted(f == 0, latest, expiry_us, quoted, wanted, masked)
            if c + f > 0 or not _take_known(quoted, time, known, forward):
                fill_forwards(
                    start, masked, r, q, spot, use_parity and c == 0, strike, is_call, mid,
                    forward, from_parity, outside_guard,
                )  # fmt: skip
            if solve:
                fill_own(start, masked, forward, r, strike, is_call, mid, vendors, volatility, code)
                _fill_items(
                    start, strike, is_call, open_interest, position, volatility,
                    otm_start, otm, own_start, own,
                )  # fmt: skip
            _net_sums(wanted, quoted, times, forward, r, q, otm_start, otm, own_start, own, sums)
            for s in range(2):
                for k in range(b):
                    nets[c, f, s, k] = 0.01 / _SQRT_2PI * _total(sums[s, k])
    return nets


@compiled(nogil=True)
def _total(values: Floats) -> float:
    # loops, here and above: numpy's own functions cost seconds of compilation
    total = 0.0
    for i in range(values.size):
        total += values[i]
    return total


def sixteen_signs(
    chain: Snapshot,
    groups: Groups,
    configured: ForwardCurve,
    valuations: dict[str, int],
    *,
    use_parity: bool,
) -> list[SignAgreement]:
    """Return net gamma at spot under each of the 16 definitions.

    Parameters
    ----------
    chain, groups : Snapshot, Groups
    configured : ForwardCurve
        The groups under the row's own definition: its rates, and its forwards where they are
        those of the floor of 30 minutes too.
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
    nets = sixteen_nets(
        chain.quote_us, np.array([*valuations.values()]), FLOORS_OF_KERNEL, chain.spot,
        use_parity, configured.time, configured.forward, configured.rate,
        configured.dividend_yield, groups.start, groups.expiry_us, chain.strike, chain.is_call,
        chain.open_interest, chain.position, chain.mid, chain.volatility,
    )  # fmt: skip
    return [
        SignAgreement(source, book, floor, carry, float(nets[c, f, s, b]))
        for c, carry in enumerate((True, False))
        for f, floor in enumerate(_FLOORS)
        for s, source in enumerate(_SOURCES)
        for b, book in enumerate(valuations)
    ]


def definition_agreement(nets: Floats, net_gex: float) -> float:
    """Return the share of the definitions whose sign of net gamma is that of `net_gex`.

    Parameters
    ----------
    nets : ndarray
        Net gamma under each, any shape; one that is not a number agrees with none.
    net_gex : float

    Examples
    --------
    >>> definition_agreement(np.array([1.0, 2.0, -1.0, 3.0]), 5.0)
    0.75
    """
    if math.isnan(net_gex) or not nets.size:
        return math.nan
    agree = nets > 0.0 if net_gex > 0.0 else (nets < 0.0 if net_gex < 0.0 else nets == 0.0)
    return int(np.count_nonzero(agree)) / nets.size
