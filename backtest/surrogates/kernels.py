"""Compiled loops of books that rules make on a given path of prices.

All books on one path share its gammas: what a contract of a strike and an expiration contributes
per unit of open interest is computed once, and each book is a walk through its own open interest.
"""

from __future__ import annotations

import math

import numpy as np

from ...data import EXCHANGE_SESSIONS, compiled

__all__ = [
    "CALL_REACH",
    "EXPIRIES",
    "KERNELS",
    "PUT_REACH",
    "REACH",
    "STEP",
    "fill_gammas",
    "walk_book",
]

#: Changes where a kept book would come out otherwise.
KERNELS = 2
#: Distance of strikes, log.
STEP = 0.01
#: Strikes either side of the spot that count.
REACH = 32
#: Expirations listed at once, at most.
EXPIRIES = 18
#: Strikes above and below the spot at which customers trade.
CALL_REACH = 16
PUT_REACH = 26
_SESSIONS_A_YEAR = float(
    EXCHANGE_SESSIONS
)  # scale of the parameters alone: no price or date depends on it
_INV_SQRT_2PI = 0.3989422804014327
_LARGEST = 3.0  # of the exponent of a reaction
_FEWEST_SHARE = 0.004  # of a session's trades: less goes nowhere


@compiled(nogil=True)
def fill_gammas(
    log_price: np.ndarray,
    volatility: np.ndarray,
    first_price: float,
    sessions_left: np.ndarray,
    gammas: np.ndarray,
    width: np.ndarray,
) -> None:
    """Fill the dollar gamma of one contract by session, expiration and strike.

    Parameters
    ----------
    log_price, volatility : ndarray, shape (n,)
        At each close; volatility a year, decimal.
    first_price : float
        Log price of the grid's origin.
    sessions_left : ndarray of int, shape (n, EXPIRIES)
        Until expiration; -1 where the slot is empty.
    gammas : ndarray, shape (n, EXPIRIES, 2 REACH + 1)
        Receives dollars of delta per 1 % for a multiplier of 100.
    width : ndarray of int, shape (n, EXPIRIES)
        Receives the strikes either side that matter.
    """
    for t in range(len(log_price)):
        price = math.exp(log_price[t])
        place = (log_price[t] - first_price) / STEP
        offset = (place - math.floor(place + 0.5)) * STEP
        for a in range(EXPIRIES):
            left = sessions_left[t, a]
            if left < 0:
                continue
            years = max(float(left), 0.25) / _SESSIONS_A_YEAR
            # a cell holds strikes one step wide
            v = math.sqrt(volatility[t] ** 2 * years + STEP * STEP / 12.0)
            reach = min(REACH, int(3.2 * v / STEP) + 1)
            width[t, a] = reach
            for j in range(-reach, reach + 1):
                d1 = (offset - j * STEP) / v + 0.5 * v
                gammas[t, a, REACH + j] = price * _INV_SQRT_2PI * math.exp(-0.5 * d1 * d1) / v


@compiled(nogil=True)
def _by_tenor(tenor: float, spread: float, longest: int) -> np.ndarray:
    """Return the weight of an expiration by the sessions that it is away."""
    out = np.zeros(longest + 1)
    for left in range(1, len(out)):
        d = math.log(left / (5.0 * tenor)) / spread
        out[left] = math.exp(-0.5 * d * d) + 1e-12
    return out


@compiled(nogil=True)
def _by_age(closed: float, oldest: int) -> np.ndarray:
    """Return by how much a book has decayed by the sessions since its expiration was listed."""
    closing = -math.log(1.0 - closed)
    out = np.empty(oldest + 1)
    for age in range(len(out)):
        out[age] = math.exp(closing * age)
    return out


@compiled(nogil=True)
def _shares_by_expiry(
    left: np.ndarray, monthly: np.ndarray, by_tenor: np.ndarray, weekly: float, out: np.ndarray
) -> None:
    total = 0.0
    for a in range(EXPIRIES):
        out[a] = 0.0
        if left[a] > 0:
            out[a] = by_tenor[left[a]] * (1.0 if monthly[a] else min(weekly, 1.0))
            total += out[a]
    for a in range(EXPIRIES):
        out[a] = out[a] / total if total > 0.0 else 0.0
        if out[a] < _FEWEST_SHARE:
            out[a] = 0.0


@compiled(nogil=True)
def _shares_by_strike(center: float, spread: float, out: np.ndarray) -> None:
    total = 0.0
    for j in range(len(out)):
        d = (j * STEP - center) / spread
        out[j] = math.exp(-0.5 * d * d) + 1e-9
        total += out[j]
    for j in range(len(out)):
        out[j] /= total


@compiled(nogil=True)
def _factor(exponent: float) -> float:
    return math.exp(min(max(exponent, -_LARGEST), _LARGEST))


@compiled(nogil=True)
def _grow(
    by_age: np.ndarray, left: np.ndarray, age: np.ndarray, grown: np.ndarray, book: np.ndarray
) -> None:
    """Keep books undecayed: adding more is the same as closing a share of all."""
    for a in range(EXPIRIES):
        if left[a] >= 0:
            grown[a] = by_age[age[a]]
            if age[a] == 0:
                book[a, :, :] = 0.0


@compiled(nogil=True)
def _open_calls(
    place: int,
    amount: float,
    by_expiry: np.ndarray,
    grown: np.ndarray,
    by_strike: np.ndarray,
    book: np.ndarray,
) -> None:
    for a in range(EXPIRIES):
        if by_expiry[a] > 0.0:
            size = amount * by_expiry[a] * grown[a]
            above = book[a, 0, place : place + CALL_REACH]
            for j in range(CALL_REACH):
                above[j] += size * by_strike[j]


@compiled(nogil=True)
def _open_puts(
    place: int,
    amount: float,
    by_expiry: np.ndarray,
    grown: np.ndarray,
    by_strike: np.ndarray,
    book: np.ndarray,
) -> None:
    for a in range(EXPIRIES):
        if by_expiry[a] > 0.0:
            size = amount * by_expiry[a] * grown[a]
            below = book[a, 1, place - PUT_REACH + 1 : place + 1]
            for j in range(PUT_REACH):
                below[j] += size * by_strike[PUT_REACH - 1 - j]


@compiled(nogil=True)
def _expired(left: np.ndarray, grown: np.ndarray, book: np.ndarray) -> tuple[float, float]:
    calls, puts = 0.0, 0.0
    for a in range(EXPIRIES):
        if left[a] == 0:
            calls += book[a, 0, :].sum() / grown[a]
            puts += book[a, 1, :].sum() / grown[a]
    return calls, puts


@compiled(nogil=True)
def walk_book(
    p: np.ndarray,
    place: np.ndarray,
    price: np.ndarray,
    drivers: np.ndarray,
    slots_left: np.ndarray,
    slots_monthly: np.ndarray,
    slots_age: np.ndarray,
    gammas: np.ndarray,
    width: np.ndarray,
    noise: np.ndarray,
    book: np.ndarray,
    out: np.ndarray,
) -> None:
    """Fill the gamma of one book of customers' trades, calls and puts apart.

    Row t of the output depends on rows up to t of the inputs alone.

    Parameters
    ----------
    p : ndarray
        One value for each of `parameters.NAMES`.
    place : ndarray of int, shape (n,)
        Cell of the strike nearest to the close.
    price : ndarray, shape (n,)
        Close over the first close.
    drivers : ndarray, shape (n, 5)
        What customers react to, see `path.Path`.
    slots_left, slots_monthly, slots_age : ndarray, shape (n, EXPIRIES)
        Sessions until expiration (-1: empty), whether it is a monthly one, sessions since listing.
    gammas, width : ndarray
        Of `fill_gammas`.
    noise : ndarray, shape (n, 2)
        Standard normal.
    book : ndarray, shape (EXPIRIES, 2, cells)
        Zeros; scratch.
    out : ndarray, shape (n, 2)
        Receives gamma of calls and of puts, each positive.
    """
    n = len(place)
    calls_by_strike, puts_by_strike = np.empty(CALL_REACH), np.empty(PUT_REACH)
    calls_by_expiry, puts_by_expiry = np.empty(EXPIRIES), np.empty(EXPIRIES)
    grown = np.empty(EXPIRIES)
    # what depends on whole sessions alone is computed once a book
    by_age = _by_age(p[12], slots_age.max())
    longest = slots_left.max()
    call_tenors, put_tenors = _by_tenor(p[8], p[10], longest), _by_tenor(p[9], p[10], longest)
    late, dying = p[21] > 0.5, p[22] > 0.5
    call_noise, put_noise, kept = 0.0, 0.0, p[24]
    fresh = math.sqrt(1.0 - kept * kept)
    call_rolled, put_rolled = 0.0, 0.0
    for t in range(n):
        _grow(by_age, slots_left[t], slots_age[t], grown, book)
        if late:
            _measure(t, place[t], dying, slots_left, gammas, width, grown, book, out)
        calm, trend, day, change, month = drivers[t]
        call_noise = kept * call_noise + fresh * noise[t, 0]
        put_noise = kept * put_noise + fresh * noise[t, 1]
        size = price[t] ** (-p[1]) * math.exp(p[2] * t / _SESSIONS_A_YEAR + p[25] * month)
        roughness = max(p[23], 0.0)
        calls = -p[13] * calm + p[15] * trend + p[17] * day + roughness * call_noise
        puts = p[14] * calm + p[16] * trend + p[18] * day + p[19] * change + roughness * put_noise
        call_amount = size * p[0] * _factor(calls) + p[20] * call_rolled
        put_amount = size * (1.0 - p[0]) * _factor(puts) + p[20] * put_rolled
        scale = math.exp(p[7] * _level(calm))
        _shares_by_strike(p[3] * scale, p[4] * scale, calls_by_strike)
        _shares_by_strike(p[5] * scale, p[6] * scale, puts_by_strike)
        left, monthly = slots_left[t], slots_monthly[t]
        _shares_by_expiry(left, monthly, call_tenors, p[11], calls_by_expiry)
        _shares_by_expiry(left, monthly, put_tenors, p[11], puts_by_expiry)
        _open_calls(place[t], call_amount, calls_by_expiry, grown, calls_by_strike, book)
        _open_puts(place[t], put_amount, puts_by_expiry, grown, puts_by_strike, book)
        if not late:
            _measure(t, place[t], dying, slots_left, gammas, width, grown, book, out)
        call_rolled, put_rolled = _expired(left, grown, book)


@compiled(nogil=True)
def _level(calm: float) -> float:
    """Return the log of volatility over its usual level, bounded, that distances scale with."""
    return min(max(calm, -1.0), 1.5)


@compiled(nogil=True, fastmath=True)
def _measure(
    t: int,
    place: int,
    dying: bool,
    slots_left: np.ndarray,
    gammas: np.ndarray,
    width: np.ndarray,
    grown: np.ndarray,
    book: np.ndarray,
    out: np.ndarray,
) -> None:
    calls, puts = 0.0, 0.0
    last = book.shape[2] - 1
    for a in range(EXPIRIES):
        left = slots_left[t, a]
        if left < 0 or (left == 0 and not dying):
            continue
        reach = width[t, a]
        first, end = max(place - reach, 0), min(place + reach, last)
        shift = REACH - place
        # slices, so that the loop's indices are plainly not negative and it runs on vectors
        g = gammas[t, a, first + shift : end + shift + 1]
        held_calls, held_puts = book[a, 0, first : end + 1], book[a, 1, first : end + 1]
        c, q = np.float32(0.0), np.float32(0.0)
        for k in range(len(g)):
            c += g[k] * held_calls[k]
            q += g[k] * held_puts[k]
        calls += c / grown[a]
        puts += q / grown[a]
    out[t, 0] = calls
    out[t, 1] = puts
