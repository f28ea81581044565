"""Compiled limit order book with agents of no intelligence, and one who hedges options.

Prices are levels (whole ticks) of an array whose middle is the fundamental's start; volumes are
real numbers, in lots. Row 0 of a book holds bids, row 1 asks.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from ...base.compiling import compiled

__all__ = ["LEVELS", "AgentNumbers", "agent_session", "seed_book"]

LEVELS = 4001
_BUY, _SELL = 0, 1
_DUST = 1e-9


class AgentNumbers(NamedTuple):
    """What the agents do.

    Attributes
    ----------
    immediacy : float
        Share of the orders that are market orders.
    informed : float
        Share that know the fundamental, and trade towards it.
    spread, spread_sd : float
        Mean and standard deviation of a limit order's distance behind the mid, ticks.
    decay : float
        Share of the resting volume that is withdrawn in a quarter.
    position : float
        Options that the hedger holds; positive is long gamma.
    option_sd : float
        Standard deviation of the log price until the options expire, for their delta.
    start : float
        Price in ticks at the middle level.
    orders : float
        Mean number of orders in a quarter, for the book's first fill.
    """

    immediacy: float
    informed: float
    spread: float
    spread_sd: float
    decay: float
    position: float
    option_sd: float
    start: float
    orders: float


@compiled()
def seed_book(numbers: AgentNumbers, book: np.ndarray, own: np.ndarray) -> None:
    """Fill a book around the middle with the volume it would hold in the long run."""
    book[:] = 0.0
    own[:] = 0.0
    inflow = 0.25 * numbers.orders * (1.0 - 2.0 * numbers.immediacy)
    rest = max(inflow / numbers.decay, 1.0)
    reach = int(numbers.spread + 4.0 * numbers.spread_sd)
    total = 0.0
    for k in range(1, reach + 1):
        total += math.exp(-0.5 * ((k - numbers.spread) / numbers.spread_sd) ** 2)
    for k in range(1, reach + 1):
        share = math.exp(-0.5 * ((k - numbers.spread) / numbers.spread_sd) ** 2) / total
        book[_BUY, LEVELS // 2 - k] = rest * share
        book[_SELL, LEVELS // 2 + k] = rest * share


@compiled()
def agent_session(
    numbers: AgentNumbers,
    book: np.ndarray,
    own: np.ndarray,
    fundamental: np.ndarray,
    counts: np.ndarray,
    draws: np.ndarray,
    out: np.ndarray,
) -> int:
    """Trade one session, a quarter after the other; the hedger's contract is at the money.

    A hedger who is long gamma rests the hedge in the book (sells above, buys below): it adds
    depth. One who is short gamma must take: it buys at the market after a rise and sells after a
    fall.

    Parameters
    ----------
    book, own : ndarray, shape (2, LEVELS)
        Resting volume of the agents and of the hedger; changed in place.
    fundamental : ndarray, shape (q,)
        Level that the informed trade towards, by quarter.
    counts : ndarray of int64, shape (q,)
        Orders that arrive in each quarter.
    draws : ndarray, shape (sum of counts, 4)
        Per order: uniforms for its kind and its side, a standard normal for its distance, a
        uniform for its volume.
    out : ndarray, shape (q, 4)
        Receives the mid's open, high, low, close by quarter, levels.

    Returns
    -------
    int
        Quarters traded: fewer than q where one side of the book ran empty, the market failed.
    """
    edge = np.array([LEVELS - 1, 0])
    mid = _mid(book, own, edge)
    struck = mid
    held = -_target(numbers, mid, struck)
    used = 0
    for quarter in range(len(counts)):
        out[quarter, :] = mid
        status, held = _hedge(numbers, book, own, edge, mid, struck, held)
        resting = own[_BUY].sum() - own[_SELL].sum()
        if status < 0:
            return quarter
        for k in range(used, used + counts[quarter]):
            _arrive(numbers, book, own, edge, fundamental[quarter], mid, draws[k])
            mid = _mid(book, own, edge)
            if mid < 0.0:
                return quarter
            out[quarter, 1] = max(out[quarter, 1], mid)
            out[quarter, 2] = min(out[quarter, 2], mid)
        used += counts[quarter]
        held += resting - (own[_BUY].sum() - own[_SELL].sum())
        own[:] = 0.0
        book *= 1.0 - numbers.decay
        edge[:] = (LEVELS - 1, 0)
        mid = _mid(book, own, edge)
        if mid < 0.0:
            return quarter
        out[quarter, 3] = mid
        out[quarter, 1] = max(out[quarter, 1], mid)
        out[quarter, 2] = min(out[quarter, 2], mid)
    return len(counts)


@compiled()
def _target(numbers: AgentNumbers, level: float, struck: float) -> float:
    """Return position times delta of a call struck at `struck`; the hedge is minus that."""
    start = numbers.start - LEVELS // 2
    x = math.log((level + start) / (struck + start)) / numbers.option_sd
    return numbers.position * 0.5 * math.erfc(-(x + numbers.option_sd / 2.0) / math.sqrt(2.0))


@compiled()
def _hedge(
    numbers: AgentNumbers,
    book: np.ndarray,
    own: np.ndarray,
    edge: np.ndarray,
    mid: float,
    struck: float,
    held: float,
) -> tuple[int, float]:
    if numbers.position > 0.0:
        _rest(numbers, own, edge, mid, struck, held)
        return 0, held
    wanted = -_target(numbers, mid, struck) - held
    if abs(wanted) <= _DUST:
        return 0, held
    side = _BUY if wanted > 0.0 else _SELL
    left = _take(book, own, edge, side, abs(wanted), LEVELS if side == _BUY else -1)
    empty = left > _DUST or _mid(book, own, edge) < 0.0
    return (-1 if empty else 0), held + wanted


@compiled()
def _rest(
    numbers: AgentNumbers,
    own: np.ndarray,
    edge: np.ndarray,
    mid: float,
    struck: float,
    held: float,
) -> None:
    """Rest the hedge of a long-gamma position: at each level what is due once it is reached."""
    reach = int(numbers.spread + 3.0 * numbers.spread_sd)
    sold = bought = 0.0
    for k in range(1, reach + 1):
        above = min(math.floor(mid) + k, LEVELS - 2)
        due = max(held + _target(numbers, float(above), struck) - sold, 0.0)
        own[_SELL, above] += due
        sold += due
        below = max(math.ceil(mid) - k, 1)
        due = max(-_target(numbers, float(below), struck) - held - bought, 0.0)
        own[_BUY, below] += due
        bought += due
    edge[:] = (LEVELS - 1, 0)


@compiled()
def _mid(book: np.ndarray, own: np.ndarray, edge: np.ndarray) -> float:
    """Return the mid in levels, -1 where one side is empty; moves the edges to the best quotes."""
    while edge[_BUY] >= 0 and book[_BUY, edge[_BUY]] + own[_BUY, edge[_BUY]] <= _DUST:
        edge[_BUY] -= 1
    while edge[_SELL] < LEVELS and book[_SELL, edge[_SELL]] + own[_SELL, edge[_SELL]] <= _DUST:
        edge[_SELL] += 1
    if edge[_BUY] < 0 or edge[_SELL] >= LEVELS:
        return -1.0
    middle: float = 0.5 * (edge[_BUY] + edge[_SELL])
    return middle


@compiled()
def _take(
    book: np.ndarray, own: np.ndarray, edge: np.ndarray, side: int, volume: float, limit: int
) -> float:
    """Execute an order that buys (0) or sells (1) up to a limit; return what is left of it.

    At one level the agents' volume goes before the hedger's.
    """
    other = 1 - side
    step = 1 if side == _BUY else -1
    level = edge[other]
    while volume > _DUST and 0 <= level < LEVELS and (limit - level) * step >= 0:
        for rows in (book, own):
            done = min(volume, rows[other, level])
            rows[other, level] -= done
            volume -= done
        if volume > _DUST:
            level += step
    edge[other] = level
    return volume


@compiled()
def _arrive(
    numbers: AgentNumbers,
    book: np.ndarray,
    own: np.ndarray,
    edge: np.ndarray,
    fundamental: float,
    mid: float,
    draw: np.ndarray,
) -> None:
    side = _BUY if draw[1] < 0.5 else _SELL
    if 2.0 * draw[1] % 1.0 < numbers.informed and fundamental != mid:
        side = _BUY if fundamental > mid else _SELL
    volume = draw[3]
    if draw[0] < numbers.immediacy:
        _take(book, own, edge, side, volume, LEVELS if side == _BUY else -1)
        return
    away = numbers.spread + numbers.spread_sd * draw[2]
    level = math.floor(mid - away) if side == _BUY else math.ceil(mid + away)
    level = min(max(level, 1), LEVELS - 2)
    left = _take(book, own, edge, side, volume, level)
    if left > _DUST:
        book[side, level] += left
        edge[side] = max(edge[side], level) if side == _BUY else min(edge[side], level)
