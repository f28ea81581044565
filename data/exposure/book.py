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
from .profile_kernel import Mixture
from .strike_lines import REJECTED, REJECTED_OI, USED, USED_OI, Lines

__all__ = [
    "Book",
    "SpotExposure",
    "exposure_at_spot",
    "mixture_of",
    "value_book",
]

Floats: TypeAlias = npt.NDArray[np.float64]
Flags: TypeAlias = npt.NDArray[np.bool_]
Ints: TypeAlias = npt.NDArray[np.int64]

_SQRT_2PI = math.sqrt(2.0 * math.pi)
_SQRT_HALF = math.sqrt(0.5)


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

    def counted(self) -> tuple[int, int, float]:
        """Count the live contracts: used, rejected, and the share of open interest rejected.

        Returns
        -------
        used : int
            Of positive open interest, with a volatility.
        rejected : int
            Of unknown open interest, or of a positive one without a volatility.
        share : float
            Rejected open interest over rejected and used; NaN where there is none of either.
        """
        living = self.lines.tally[self.live]
        rejected = float(living[:, REJECTED_OI].sum())
        known = rejected + float(living[:, USED_OI].sum())
        share = rejected / known if known > 0.0 else math.nan
        return int(living[:, USED].sum()), int(living[:, REJECTED].sum()), share


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
    """

    call_gex: Floats
    put_gex: Floats
    gross: Floats
    delta: Floats
    vanna: Floats
    charm: Floats

    @property
    def net_gex(self) -> float:
        """Dollars of delta per +1 % move."""
        return float(self.call_gex.sum() + self.put_gex.sum())

    @property
    def gross_gex(self) -> float:
        """Dollars per 1 %, all amounts taken absolutely."""
        return float(self.gross.sum())


def value_book(
    lines: Lines, market: ForwardCurve, spot: float, valuation_us: int, time: Floats
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
    time : ndarray, shape (g,)
        Years from the valuation to each group's end, after the floor; NaN where expired.
    """
    live = ~(np.isnan(time) | np.isnan(market.time))
    shift = (market.rate - market.dividend_yield) * (time - market.time)
    return Book(
        valuation_us=valuation_us,
        spot=spot,
        lines=lines if live[lines.group].all() else _only(lines, live),
        live=live,
        time=np.where(live, time, np.nan),
        forward=market.forward * np.exp(shift),
        discount=np.exp(-market.rate * time),
        shift=shift,
        rate=market.rate,
        dividend_yield=market.dividend_yield,
    )


def _only(lines: Lines, live: Flags) -> Lines:
    """Keep the lines of groups that are live."""
    keep = live[lines.group]
    kept = np.concatenate(([0], np.cumsum(keep)))
    return Lines(
        strike=lines.strike[keep],
        volatility=lines.volatility[keep],
        group=lines.group[keep],
        call=lines.call[keep],
        put=lines.put[keep],
        call_size=lines.call_size[keep],
        put_size=lines.put_size[keep],
        log_moneyness=lines.log_moneyness[keep],
        start=kept[lines.start],
        tally=lines.tally,
    )


@compiled(nogil=True, fastmath={"contract"})
def _standardise(
    start: Ints, live: Flags, time: Floats, shift: Floats, height: Floats,
    log_moneyness: Floats, volatility: Floats,
    centre: Floats, inverse_width: Floats, unit: Floats,
) -> None:  # fmt: skip
    for g in range(live.size):
        root = math.sqrt(time[g]) if live[g] else 1.0
        for i in range(start[g], start[g + 1]):
            v = volatility[i] * root
            centre[i] = log_moneyness[i] - shift[g] - 0.5 * v * v
            inverse_width[i] = 1.0 / v
            unit[i] = height[g] * inverse_width[i]


def mixture_of(book: Book) -> Mixture:
    """Return the book as Gaussians in log spot, volatilities staying with their strikes."""
    lines = book.lines
    m = lines.strike.size
    centre, inverse_width, unit = np.empty(m), np.empty(m), np.empty(m)
    height = 0.01 * book.discount * book.forward / _SQRT_2PI
    _standardise(
        lines.start, book.live, book.time, book.shift, height,
        lines.log_moneyness, lines.volatility, centre, inverse_width, unit,
    )  # fmt: skip
    return Mixture(
        centre,
        inverse_width,
        unit * (lines.call + lines.put),
        unit * (lines.call_size + lines.put_size),
    )


@compiled(nogil=True, fastmath={"contract"})
def _densities(centre: Floats, inverse_width: Floats, out: Floats) -> None:
    for i in range(centre.size):
        d1 = centre[i] * inverse_width[i]
        out[i] = exp_nonpositive(-0.5 * d1 * d1) / _SQRT_2PI


@compiled(nogil=True)
def _spot_sums(
    start: Ints, live: Flags, time: Floats, forward_value: Floats,
    rate: Floats, dividend_yield: Floats,
    volatility: Floats, call: Floats, put: Floats, call_size: Floats, put_size: Floats,
    centre: Floats, inverse_width: Floats, density: Floats, out: Floats,
) -> None:  # fmt: skip
    """Fill the rows of `out` with the fields of `SpotExposure`."""
    for g in range(live.size):
        if not live[g]:
            continue
        e, carry = forward_value[g], rate[g] - dividend_yield[g]
        for i in range(start[g], start[g + 1]):
            inverse, amount = inverse_width[i], call[i] + put[i]
            d1 = -centre[i] * inverse
            d2 = d1 - 1.0 / inverse
            gamma = 0.01 * e * density[i] * inverse
            delta = e * (amount * 0.5 * math.erfc(-d1 * _SQRT_HALF) - put[i])
            bend = amount * e * density[i]
            out[0, i] = call[i] * gamma
            out[1, i] = put[i] * gamma
            out[2, i] = (call_size[i] + put_size[i]) * gamma
            out[3, i] = delta
            out[4, i] = -0.01 * bend * d2 / volatility[i]
            drift = carry * inverse - d2 / (2.0 * time[g])
            out[5, i] = (dividend_yield[g] * delta - bend * drift) / 365.0


def exposure_at_spot(book: Book, mixture: Mixture) -> SpotExposure:
    """Return gamma, delta, vanna and charm exposure of every line at the unmoved spot.

    Parameters
    ----------
    book : Book
        m lines.
    mixture : Mixture
        The same book standardised, from `mixture_of`.
    """
    lines = book.lines
    m = lines.strike.size
    density, out = np.empty(m), np.empty((6, m))
    _densities(mixture.centre, mixture.inverse_width, density)
    _spot_sums(
        lines.start, book.live, book.time, book.discount * book.forward,
        book.rate, book.dividend_yield,
        lines.volatility, lines.call, lines.put, lines.call_size, lines.put_size,
        mixture.centre, mixture.inverse_width, density, out,
    )  # fmt: skip
    return SpotExposure(out[0], out[1], out[2], out[3], out[4], out[5])
