"""Why net gamma is not what it was a session ago.

The contracts of both books are split into those that are gone because they expired, those that
dealers hold in both, those that were opened or closed, and those of which one session does not
tell enough (no volatility, or unknown open interest). What is held in both changes because of the
spot, the time, the volatility at fixed strikes, the forwards, and the amounts. Each of these five
gets its average effect over all orders in which they can be changed (Shapley), so that the parts
add up and do not depend on an order.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, fields
from typing import Final, TypeAlias

import numpy as np
import numpy.typing as npt

from ..base.compiling import compiled
from .book import Book
from .contract_matching import LineKeys, line_keys, match_lines
from .evaluation import BookResult, PreparedChain
from .fastexp import exp_nonpositive

__all__ = ["NetChange", "net_change"]

Floats: TypeAlias = npt.NDArray[np.float64]
Ints: TypeAlias = npt.NDArray[np.int64]
Flags: TypeAlias = npt.NDArray[np.bool_]

_SQRT_2PI: Final = math.sqrt(2.0 * math.pi)
#: Bit of each factor in the number of a combination.
_FACTORS: Final = ("spot", "time", "volatility", "forwards", "open_interest")


@dataclass(frozen=True, slots=True)
class NetChange:
    """The change of net gamma from one session to the next; all in dollars per 1 %.

    Attributes
    ----------
    before, after : float
        Net gamma of the two books; 0 where a book is empty.
    gross : float
        The larger of their gross gammas: what errors are compared with.
    expired : float
        Gamma that went because its contracts stopped existing before the later valuation.
    spot, time, volatility, forwards : float
        Of the contracts held in both books: the underlying moved; the valuation moved on;
        volatilities changed at their strikes; forwards changed by more than spot and carry, or
        rates changed.
    open_interest : float
        Positions that changed, were opened or were closed. (With ``signed`` positions the
        dealers' sign is part of this.)
    coverage : float
        Contracts of which one of the two chains lacks the volatility, the open interest or the
        dealers' position.
    residual : float
        ``after - before`` less all parts: rounding.
    """

    before: float
    after: float
    gross: float
    expired: float
    spot: float
    time: float
    volatility: float
    forwards: float
    open_interest: float
    coverage: float
    residual: float

    @property
    def parts(self) -> dict[str, float]:
        """The parts that add up to ``after - before``, the residual included."""
        names = [f.name for f in fields(self) if f.name not in ("before", "after", "gross")]
        return {name: getattr(self, name) for name in names}


def net_change(
    before: tuple[PreparedChain, BookResult],
    after: tuple[PreparedChain, BookResult],
    *,
    by_right: bool,
) -> NetChange:
    """Return the split of the change of net gamma between two sessions' books of one kind.

    Parameters
    ----------
    before, after : tuple of PreparedChain and BookResult
        The earlier and the later session, under one definition and dealer model.
    by_right : bool
        Whether each contract is a line of its own: ``iv_source = own``.

    Notes
    -----
    The forward is taken as S b exp((r - q) t): spot, a basis b that stays with the expiry, and
    carry over the time that passes. Known when the later chain is.
    """
    old, new = before[1].book, after[1].book
    old_keys = line_keys(old.lines, before[0].groups, by_right=by_right)
    new_keys = line_keys(new.lines, after[0].groups, by_right=by_right)
    there = match_lines(old_keys, new_keys)
    fresh = match_lines(new_keys, old_keys) < 0
    expired = before[0].groups.expiry_us[old.lines.group] <= new.valuation_us
    closed = (there < 0) & ~expired
    unlisted_new = fresh & _is_unlisted(new_keys, before[0], by_right=by_right)
    unlisted_old = closed & _is_unlisted(old_keys, after[0], by_right=by_right)
    old_net, new_net = _nets(before[1]), _nets(after[1])
    parts = _effects(old, new, there)
    parts["expired"] = -_sum(old_net[(there < 0) & expired])
    parts["coverage"] = _sum(new_net[unlisted_new]) - _sum(old_net[unlisted_old])
    parts["open_interest"] += _sum(new_net[fresh & ~unlisted_new])
    parts["open_interest"] -= _sum(old_net[closed & ~unlisted_old])
    start, end = _sum(old_net), _sum(new_net)
    return NetChange(
        before=start,
        after=end,
        gross=max(before[1].gross_gex, after[1].gross_gex),
        residual=math.fsum([end, -start, *(-part for part in parts.values())]),
        **parts,
    )


def _sum(values: Floats) -> float:
    return float(values.sum())


def _nets(result: BookResult) -> Floats:
    """Return the net gamma of each line of a book, dollars per 1 %."""
    return result.exposure.call_gex + result.exposure.put_gex


def _is_unlisted(keys: LineKeys, other: PreparedChain, *, by_right: bool) -> Flags:
    """Return which lines the other chain has, without saying what they weigh there."""
    chain = other.chain
    held = chain.open_interest > 0.0
    missing = np.isnan(other.own.value) | np.isnan(chain.position)
    (at,) = np.nonzero(np.isnan(chain.open_interest) | (held & missing))
    side = ~chain.is_call[at] if by_right else np.zeros(at.size, np.bool_)
    series = 2 * chain.expiry[at].astype(np.int64) + ~chain.morning[at]
    return match_lines(keys, LineKeys(series, chain.strike[at], side.astype(np.int8))) >= 0


def _effects(old: Book, new: Book, there: Ints) -> dict[str, float]:
    """Return the effect of each factor on the lines held in both books."""
    (i,) = np.nonzero(there >= 0)
    values = np.zeros(1 << len(_FACTORS))
    _combinations(old.lines.strike[i], *_state(old, i), *_state(new, there[i]), values)
    return {name: _shapley(values, factor) for factor, name in enumerate(_FACTORS)}


def _state(book: Book, at: Ints) -> tuple[float, Floats]:
    """Return the spot, and what the gamma of some lines depends on besides, one row each."""
    lines, group = book.lines, book.lines.group[at]
    rows = (
        book.time[group],
        lines.volatility[at],
        book.forward[group] / book.spot,
        book.rate[group],
        book.rate[group] - book.dividend_yield[group],
        (lines.call + lines.put)[at],
    )
    return book.spot, np.ascontiguousarray(np.stack(rows))


@compiled(nogil=True)
def _combinations(
    strike: Floats, old_spot: float, old: Floats, new_spot: float, new: Floats, out: Floats
) -> None:
    """Fill out[c] with net gamma where the factors whose bit is set in c have their new value."""
    spots = (old_spot, new_spot)
    states = (old, new)
    for c in range(16):
        spot, time = spots[c & 1], states[c >> 1 & 1][0]
        volatility, market = states[c >> 2 & 1][1], states[c >> 3 & 1]
        for i in range(strike.size):
            v = volatility[i] * math.sqrt(time[i])
            basis = market[2, i] * math.exp(market[4, i] * (time[i] - market[0, i]))
            d1 = math.log(basis * spot / strike[i]) / v + 0.5 * v
            discount = math.exp(-market[3, i] * time[i])
            density = exp_nonpositive(-0.5 * d1 * d1) / _SQRT_2PI
            gamma = 0.01 * spot * discount * basis * density / v
            out[c] += old[5, i] * gamma
            out[c + 16] += new[5, i] * gamma


def _shapley(values: Floats, factor: int) -> float:
    """Return a factor's effect, averaged over all orders in which the factors can change."""
    n = len(_FACTORS)
    total = 0.0
    for c in range(values.size):
        if not c >> factor & 1:
            size = c.bit_count()
            orders = math.factorial(size) * math.factorial(n - size - 1)
            total += orders * float(values[c | 1 << factor] - values[c])
    return total / math.factorial(n)
