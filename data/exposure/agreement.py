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
from .lines import IvSource, Lines, book_lines, own_volatility
from .snapshot import Groups, Snapshot

__all__ = ["Verdict", "definition_agreement", "sixteen_signs"]

Floats: TypeAlias = npt.NDArray[np.float64]
Ints: TypeAlias = npt.NDArray[np.int64]

_FLOORS: Final = (30.0, 1440.0)
_SOURCES: Final[tuple[IvSource, ...]] = ("otm", "own")
_DAY_IN_YEARS: Final = 1.0 / 365.0
_FLOOR_30: Final = 30.0


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


@numba.njit(nogil=True, cache=True, fastmath={"reassoc", "contract"})
def _group_sum(
    begin: int, end: int, shift: float, root: float,
    log_moneyness: Floats, volatility: Floats, call: Floats, put: Floats,
) -> float:  # fmt: skip
    total = 0.0
    for i in range(begin, end):
        v = volatility[i] * root
        d1 = (shift - log_moneyness[i]) / v + 0.5 * v
        total += (call[i] + put[i]) * exp_nonpositive(-0.5 * d1 * d1) / v
    return total


@numba.njit(nogil=True, cache=True)
def _net_by_group(
    start: Ints, forward: Floats, market_time: Floats, time: Floats, rate: Floats,
    dividend_yield: Floats, log_moneyness: Floats, volatility: Floats, call: Floats, put: Floats,
) -> Floats:  # fmt: skip
    """Return net dollar gamma at spot of every group that is alive, 0 for the others."""
    out = np.zeros(time.size)
    for g in range(time.size):
        if math.isnan(time[g]) or math.isnan(market_time[g]):
            continue
        shift = (rate[g] - dividend_yield[g]) * (time[g] - market_time[g])
        e = forward[g] * math.exp(shift - rate[g] * time[g])
        out[g] = 0.01 * e / math.sqrt(2.0 * math.pi) * _group_sum(
            start[g], start[g + 1], shift, math.sqrt(time[g]),
            log_moneyness, volatility, call, put,
        )  # fmt: skip
    return out


def _nets(lines: Lines, market: Market, time: Floats) -> Floats:
    nets: Floats = _net_by_group(
        lines.start, market.forward, market.time, time, market.rate, market.dividend_yield,
        lines.log_moneyness, lines.volatility, lines.call, lines.put,
    )  # fmt: skip
    return nets


def _markets(
    chain: Snapshot, groups: Groups, time: Floats, configured: Market, *, use_parity: bool
) -> tuple[Market, Market]:
    """Return the market with the configured carry and without any, at given times."""
    nothing = np.zeros_like(time)
    return (
        parity_forwards(
            chain, groups, time, configured.rate, configured.dividend_yield, use_parity=use_parity
        ),
        parity_forwards(chain, groups, time, nothing, nothing, use_parity=False),
    )


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
    """
    verdicts: list[Verdict] = []
    base: dict[tuple[bool, IvSource, str], Floats] = {}
    for floor in _FLOORS:
        quoted = years_between(chain.quote_us, groups.expiry_us, floor)
        times = {
            book: years_between(moment, groups.expiry_us, floor)
            for book, moment in valuations.items()
        }
        touched = _touched(chain.quote_us, groups, valuations) if floor > _FLOOR_30 else None
        quoted_here = quoted if touched is None else np.where(touched, quoted, np.nan)
        markets = _markets(chain, groups, quoted_here, configured, use_parity=use_parity)
        for carry, market in zip((True, False), markets, strict=True):
            own = own_volatility(chain, groups, market)
            for source in _SOURCES:
                lines = book_lines(chain, groups, market, own, source)
                for book, time in times.items():
                    nets = _nets(lines, market, time)
                    key = (carry, source, book)
                    if touched is None:
                        base[key] = nets
                    else:
                        nets = np.where(touched, nets, base[key])
                    verdicts.append(Verdict(source, book, floor, carry, float(nets.sum())))
    return verdicts


def _touched(quote_us: int, groups: Groups, valuations: dict[str, int]) -> npt.NDArray[np.bool_]:
    """Return the groups that a floor of a day changes in some book: the others are reused."""
    moments = (quote_us, *valuations.values())
    times = [years_between(moment, groups.expiry_us, 0.0) for moment in moments]
    return np.asarray(np.any([time < _DAY_IN_YEARS for time in times], axis=0))


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
