"""Valuing a book: what is live at a moment, and its greeks at spot."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from ..base.compiling import compiled
from .fastexp import exp_nonpositive
from .forwards import ForwardCurve
from .pairwise import pairwise_sum
from .profile_kernel import Mixture
from .strike_lines import Lines
from .time_to_expiry import fill_years

__all__ = [
    "Book",
    "SpotExposure",
    "exposure_at_spot",
    "fill_exposure",
    "mixture_of",
    "spot_exposure",
    "value_book",
]

Floats: TypeAlias = npt.NDArray[np.float64]
Flags: TypeAlias = npt.NDArray[np.bool_]
Ints: TypeAlias = npt.NDArray[np.int64]

_SQRT_2PI = math.sqrt(2.0 * math.pi)
_SQRT_HALF = math.sqrt(0.5)
#: Fields of `SpotExposure` that have a value a line.
_OF_LINES = ("call_gex", "put_gex", "gross", "delta", "vanna", "charm")


@dataclass(frozen=True, slots=True)
class Book:
    """Live lines at a valuation moment, and what holds for their expiry groups then.

    Attributes
    ----------
    valuation_us : int
        Microseconds since 1970, UTC.
    spot : float
    lines : Lines
        Only lines of groups that are live; ``group`` and ``start`` index the groups below.
    live : ndarray of bool, shape (g,)
    time : ndarray, shape (g,)
        Years to expiry after the floor; NaN where expired.
    forward, discount : ndarray, shape (g,)
        F = F_q exp((r - q)(T - T_q)), and exp(-rT).
    shift : ndarray, shape (g,)
        ln(F/F_q).
    rate, dividend_yield : ndarray, shape (g,)
    """

    valuation_us: int
    spot: float
    lines: Lines
    live: Flags
    time: Floats
    forward: Floats
    discount: Floats
    shift: Floats
    rate: Floats
    dividend_yield: Floats


@dataclass(frozen=True, slots=True)
class SpotExposure:
    """Exposures at the unmoved spot.

    Attributes
    ----------
    call_gex, put_gex : ndarray, shape (m,)
        Signed dollar gamma of each line's calls and puts, dollars per 1 %.
    gross : ndarray, shape (m,)
        Absolute dollar gamma of each line.
    delta, vanna, charm : ndarray, shape (m,)
        Each line's dollars; dollars per volatility point; dollars per day.
    by_group : ndarray, shape (5, g)
        Sums over the lines of each expiry group: net and gross gamma, delta, vanna, charm.
    totals : dict of str to float
        Sums over all lines, by the names of the six fields above `by_group`.
    """

    call_gex: Floats
    put_gex: Floats
    gross: Floats
    delta: Floats
    vanna: Floats
    charm: Floats
    by_group: Floats
    totals: dict[str, float]

    @property
    def net_gex(self) -> float:
        """Dollars of delta per +1 % move."""
        return self.totals["call_gex"] + self.totals["put_gex"]

    @property
    def gross_gex(self) -> float:
        """Dollars per 1 %, all amounts taken absolutely."""
        return self.totals["gross"]


def value_book(
    lines: Lines,
    market: ForwardCurve,
    spot: float,
    valuation_us: int,
    expiry_us: Ints,
    floor_minutes: float,
) -> Book:
    """Return the book as it is valued at a moment.

    Parameters
    ----------
    lines : Lines
        Everything live at the moment of the quotes.
    market : Market
        The groups at that moment.
    spot : float
        Points.
    valuation_us : int
        Microseconds since 1970, UTC.
    expiry_us : ndarray of int64, shape (g,)
        When each group ends, likewise.
    floor_minutes : float
        No live group counts as closer to its end than this.
    """
    live, groups = np.empty(expiry_us.size, np.bool_), np.empty((4, expiry_us.size))
    first, stop = _fill_groups(
        valuation_us, expiry_us, floor_minutes, market.time, market.rate, market.dividend_yield,
        lines.start, live, groups,
    )  # fmt: skip
    growth, discount = np.exp(groups[2:])  # numpy's own, whose last digits are not those of a loop
    return Book(
        valuation_us=valuation_us,
        spot=spot,
        lines=lines if stop - first == lines.strike.size else _only(lines, live, first, stop),
        live=live,
        time=groups[0],
        forward=market.forward * growth,
        discount=discount,
        shift=groups[1],
        rate=market.rate,
        dividend_yield=market.dividend_yield,
    )


@compiled()
def _fill_groups(
    valuation_us: int, expiry_us: Ints, floor_minutes: float, quoted: Floats, rate: Floats,
    dividend_yield: Floats, start: Ints, live: Flags, out: Floats,
) -> tuple[int, int]:  # fmt: skip
    """Fill which groups are live, and time, shift and the logarithms of growth and discount.

    Return the first live line and one past the last, where the dead lie before and after them;
    else an empty range that ends before its beginning.
    """
    first, stop, apart, time = 0, 0, False, out[0]
    fill_years(valuation_us, expiry_us, floor_minutes, time)
    for g in range(time.size):
        live[g] = not (math.isnan(time[g]) or math.isnan(quoted[g]))
        shift = (rate[g] - dividend_yield[g]) * (time[g] - quoted[g])
        out[1, g] = out[2, g] = shift
        out[3, g] = -rate[g] * time[g]
        time[g] = time[g] if live[g] else np.nan
        if live[g] and start[g + 1] > start[g]:
            if stop == 0:
                first = start[g]
            apart |= stop > 0 and start[g] > stop
            stop = start[g + 1]
    return (first, first - 1) if apart else (first, stop)


def _only(lines: Lines, live: Flags, first: int, stop: int) -> Lines:
    """Keep the lines of groups that are live: a view of them where they are neighbours."""
    keep: slice | Flags = slice(first, stop)
    # np.clip takes four times as long
    start = np.minimum(np.maximum(lines.start, first), stop) - first
    if stop < first:
        keep = live[lines.group]
        start = np.concatenate(([0], np.cumsum(keep)))[lines.start]
    return Lines(
        strike=lines.strike[keep],
        volatility=lines.volatility[keep],
        group=lines.group[keep],
        call=lines.call[keep],
        put=lines.put[keep],
        call_size=lines.call_size[keep],
        put_size=lines.put_size[keep],
        log_moneyness=lines.log_moneyness[keep],
        start=start,
        tally=lines.tally,
    )


@compiled(nogil=True, fastmath={"contract"})
def _standardise(
    start: Ints, live: Flags, time: Floats, shift: Floats, forward: Floats, discount: Floats,
    log_moneyness: Floats, volatility: Floats, call: Floats, put: Floats, call_size: Floats,
    put_size: Floats, out: Floats,
) -> None:  # fmt: skip
    """Fill the rows of `out` with the fields of `Mixture`."""
    for g in range(live.size):
        root = math.sqrt(time[g]) if live[g] else 1.0
        height = 0.01 * discount[g] * forward[g] / _SQRT_2PI
        for i in range(start[g], start[g + 1]):
            v = volatility[i] * root
            inverse = 1.0 / v
            unit = height * inverse
            out[0, i] = log_moneyness[i] - shift[g] - 0.5 * v * v
            out[1, i] = inverse
            out[2, i] = unit * (call[i] + put[i])
            out[3, i] = unit * (call_size[i] + put_size[i])


def mixture_of(book: Book) -> Mixture:
    """Return the book as Gaussians in log spot, volatilities staying with their strikes."""
    lines = book.lines
    out = np.empty((4, lines.strike.size))
    _standardise(
        lines.start, book.live, book.time, book.shift, book.forward, book.discount,
        lines.log_moneyness, lines.volatility, lines.call, lines.put, lines.call_size,
        lines.put_size, out,
    )  # fmt: skip
    return Mixture(out[0], out[1], out[2], out[3])


@compiled(nogil=True, fastmath={"contract"})
def _densities(centre: Floats, inverse_width: Floats, out: Floats) -> None:
    for i in range(centre.size):
        d1 = centre[i] * inverse_width[i]
        out[i] = exp_nonpositive(-0.5 * d1 * d1) / _SQRT_2PI


@compiled(nogil=True)
def fill_exposure(
    start: Ints, live: Flags, time: Floats, shift: Floats, forward: Floats, discount: Floats,
    rate: Floats, dividend_yield: Floats, log_moneyness: Floats,
    volatility: Floats, call: Floats, put: Floats, call_size: Floats, put_size: Floats,
    mixture: Floats, out: Floats, by_group: Floats, totals: Floats,
) -> None:  # fmt: skip
    """Fill the rows of `mixture` as `Mixture`, all else as `SpotExposure` describes it."""
    _standardise(
        start, live, time, shift, forward, discount,
        log_moneyness, volatility, call, put, call_size, put_size, mixture,
    )  # fmt: skip
    centre, inverse_width = mixture[0], mixture[1]
    _densities(centre, inverse_width, out[5])
    for g in range(live.size):
        net, gross, dollars, by_volatility, by_day = 0.0, 0.0, 0.0, 0.0, 0.0
        e, carry = discount[g] * forward[g], rate[g] - dividend_yield[g]
        for i in range(start[g], start[g + 1]):
            inverse, amount, density = inverse_width[i], call[i] + put[i], out[5, i]
            d1 = -centre[i] * inverse
            d2 = d1 - 1.0 / inverse
            gamma = 0.01 * e * density * inverse
            delta = e * (amount * 0.5 * math.erfc(-d1 * _SQRT_HALF) - put[i])
            bend = amount * e * density
            out[0, i] = call[i] * gamma
            out[1, i] = put[i] * gamma
            out[2, i] = (call_size[i] + put_size[i]) * gamma
            out[3, i] = delta
            out[4, i] = -0.01 * bend * d2 / volatility[i]
            drift = carry * inverse - d2 / (2.0 * time[g])
            out[5, i] = (dividend_yield[g] * delta - bend * drift) / 365.0
            net += out[0, i] + out[1, i]
            gross += out[2, i]
            dollars += delta
            by_volatility += out[4, i]
            by_day += out[5, i]
        by_group[0, g], by_group[1, g], by_group[2, g] = net, gross, dollars
        by_group[3, g], by_group[4, g] = by_volatility, by_day
    for k in range(totals.size):
        totals[k] = pairwise_sum(out[k])


def exposure_at_spot(book: Book) -> SpotExposure:
    """Return exposures at the unmoved spot: gamma, delta, vanna and charm of every line."""
    lines = book.lines
    m = lines.strike.size
    out, by_group, totals = np.empty((6, m)), np.empty((5, book.live.size)), np.empty(6)
    fill_exposure(
        lines.start, book.live, book.time, book.shift, book.forward, book.discount,
        book.rate, book.dividend_yield, lines.log_moneyness,
        lines.volatility, lines.call, lines.put, lines.call_size, lines.put_size,
        np.empty((4, m)), out, by_group, totals,
    )  # fmt: skip
    return spot_exposure(out, by_group, totals)


def spot_exposure(out: Floats, by_group: Floats, totals: Floats) -> SpotExposure:
    """Return what `fill_exposure` has filled."""
    named = dict(zip(_OF_LINES, totals.tolist(), strict=True))
    return SpotExposure(out[0], out[1], out[2], out[3], out[4], out[5], by_group, named)
