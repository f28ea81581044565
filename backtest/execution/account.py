"""A portfolio's account where the engine's own kernel has no argument for it.

One pass over the sessions. In each: what accrued since the close before (interest, borrowing,
dividends); an exit between the open and the fill; the fill of the order; an exit after it. The
order's size follows from what the account then holds, so the pass gives the sizes of all fills,
which the engine then simulates as amounts. The rules are in ``docs/backtest.md``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt

from ...data import compiled

if TYPE_CHECKING:
    from .costs import Costs
    from .terms import Terms

__all__ = ["CAUSES", "PHASES", "Account", "Prices", "account_of", "rounded_sum"]

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

#: Why a fill happened, by code.
CAUSES: Final = ("order", "stop_loss", "take_profit", "max_holding")
#: Fills that one session can have: before the order's moment, at it, after it.
PHASES: Final = 3
#: What the engine takes for rounding where two amounts nearly cancel.
_RELATIVE, _ABSOLUTE = 1e-9, 1e-12
_COLUMNS: Final = 9


@dataclass(frozen=True, slots=True, eq=False)
class Prices:
    """Prices by session, arrays of shape (n,); NaN where a session has no such part.

    Attributes
    ----------
    fill : ndarray
        At which orders fill.
    opened, close : ndarray
    high_before, low_before, high_after, low_after : ndarray
        Ranges between the open and the fill, and between the fill and the close.
    """

    fill: Floats
    opened: Floats
    close: Floats
    high_before: Floats
    low_before: Floats
    high_after: Floats
    low_after: Floats


@dataclass(frozen=True, slots=True, eq=False)
class Account:
    """One portfolio, session by session, and its fills.

    Attributes
    ----------
    equity, shares, cash : ndarray, shape (n,)
        At each close.
    interest, borrowing, dividends : ndarray, shape (n,)
        Accrued since the close before, currency; what is paid is negative.
    capped : int
        Orders that the cap on leverage made smaller.
    row, phase, cause : ndarray of int, shape (fills,)
        Session of each fill, its part of it, and why (see `CAUSES`).
    size, bar_price, worth, cash_before, shares_before : ndarray, shape (fills,)
        Signed units traded, the bar's price, and equity, cash and units held just before.
    """

    equity: Floats
    shares: Floats
    cash: Floats
    interest: Floats
    borrowing: Floats
    dividends: Floats
    capped: int
    row: Ints
    phase: Ints
    cause: Ints
    size: Floats
    bar_price: Floats
    worth: Floats
    cash_before: Floats
    shares_before: Floats


def account_of(target: Floats, prices: Prices, costs: Costs, terms: Terms, cash: float) -> Account:
    """Return the account of one portfolio.

    Parameters
    ----------
    target : ndarray, shape (n,)
        Share of equity wanted at each session's fill; NaN where no order goes out.
    prices : Prices
    costs : Costs
    terms : Terms
    cash : float
        Initial capital.
    """
    daily, capped, fills = _account(
        target,
        (prices.fill, prices.opened, prices.close),
        (prices.high_before, prices.low_before, prices.high_after, prices.low_after),
        (terms.cash_rate, terms.financing_rate, terms.borrow_rate, terms.dividends, terms.days),
        terms.half_spread,
        (costs.fees_bps / 1e4, costs.fixed_per_share / terms.unit, costs.slippage),
        (terms.lot, terms.stop_loss, terms.take_profit, terms.max_leverage),
        terms.max_holding,
        terms.funded,
        cash,
    )
    row, phase, cause = fills[:, :3].astype(np.int64).T
    size, bar_price, worth, money, held = fills[:, 3:8].T
    equity, shares, left, interest, borrowing, dividends = daily
    return Account(
        equity=equity,
        shares=shares,
        cash=left,
        interest=interest,
        borrowing=borrowing,
        dividends=dividends,
        capped=capped,
        row=row,
        phase=phase,
        cause=cause,
        size=size,
        bar_price=bar_price,
        worth=worth,
        cash_before=money,
        shares_before=held,
    )


@compiled(nogil=True)
def _account(
    target: Floats,
    levels: tuple[Floats, Floats, Floats],
    ranges: tuple[Floats, Floats, Floats, Floats],
    carry: tuple[Floats, Floats, Floats, Floats, Floats],
    half_spread: Floats,
    costs: tuple[float, float, float],
    limits: tuple[float, float, float, float],
    holding: int,
    funded: bool,
    money: float,
) -> tuple[Floats, int, Floats]:
    close, leverage = levels[2], limits[3]
    n, count, capped = target.size, 0, 0
    daily = np.zeros((6, n))
    fills = np.empty((3 * n, _COLUMNS))
    held, entry, since, blocked = 0.0, 0.0, 0, 0.0
    for t in range(n):
        if t > 0:
            accrued = _accrued(carry, t, held, money, close[t - 1], funded)
            for k in range(3):
                daily[3 + k, t] = accrued[k]
                money += accrued[k]
        for phase in range(3):
            state = (held, entry, blocked, float(since))
            wanted, at, cause, blocked = _wish(
                phase, t, target[t], levels, ranges, limits, holding, state
            )
            if abs(wanted) > leverage:
                capped += 1
                wanted = np.sign(wanted) * leverage
            worth = money + held * at
            slip = costs[2] + half_spread[t] / at
            rate = costs[0] + costs[1] / at
            size = _size(wanted, worth, held, money, at, slip, rate, limits)
            if size == 0.0:
                continue
            paid = at * (1.0 + np.sign(size) * slip)
            fills[count, :3] = (t, phase, cause)
            fills[count, 3:8] = (size, at, worth, money, held)
            count += 1
            blocked = np.sign(held) if cause > 0 else blocked
            after = rounded_sum(held, size)
            entry, since = _entered(held, size, after, paid, entry, since, t)
            money = rounded_sum(money, rounded_sum(0.0, -size * paid - abs(size) * paid * rate))
            held = after
        daily[1, t], daily[2, t] = held, money
        daily[0, t] = money + held * close[t]
    return daily, capped, fills[:count].copy()


@compiled(nogil=True)
def _wish(
    phase: int,
    t: int,
    target: float,
    levels: tuple[Floats, Floats, Floats],
    ranges: tuple[Floats, Floats, Floats, Floats],
    limits: tuple[float, float, float, float],
    holding: int,
    state: tuple[float, float, float, float],
) -> tuple[float, float, int, float]:
    """Return what is wanted in one part of a session, at which price, why, and what is blocked."""
    held, entry, blocked, since = state
    stop, profit = limits[1], limits[2]
    at = levels[0][t]
    if phase == 1:
        overdue = holding > 0 and t - since >= holding
        wanted, cause, blocked = _order(target, held, blocked, overdue)
        return wanted, at, cause, blocked
    if phase == 0:
        if t == 0:
            return np.nan, at, 0, blocked
        wanted, at, cause = _exit(
            held, entry, stop, profit, levels[1][t], ranges[0][t], ranges[1][t]
        )
        return wanted, at, cause, blocked
    if np.isnan(ranges[2][t]):
        return np.nan, at, 0, blocked
    wanted, at, cause = _exit(held, entry, stop, profit, at, ranges[2][t], ranges[3][t])
    return wanted, at, cause, blocked


@compiled(nogil=True)
def _entered(
    held: float, size: float, after: float, paid: float, entry: float, since: int, t: int
) -> tuple[float, int]:
    """Return the mean price paid for a position, and the session in which it was opened."""
    if after != 0.0 and held * after <= 0.0:
        return paid, t
    if abs(after) > abs(held):
        return (entry * abs(held) + paid * abs(size)) / abs(after), since
    return entry, since


@compiled(nogil=True)
def _accrued(
    carry: tuple[Floats, Floats, Floats, Floats, Floats],
    t: int,
    held: float,
    money: float,
    close: float,
    funded: bool,
) -> tuple[float, float, float]:
    """Return interest, the price of borrowed shares, and dividends since the close before."""
    earning, financing, borrowing, dividends, days = carry
    year = days[t] / 365.0
    base = money if funded else money + held * close
    rate = earning[t - 1] if base > 0.0 else financing[t - 1]
    paid = min(held, 0.0) * close * borrowing[t - 1] * year
    return base * rate * year, paid, held * dividends[t]


@compiled(nogil=True)
def _order(target: float, held: float, blocked: float, overdue: bool) -> tuple[float, int, float]:
    """Return what is wanted at the fill, why, and on which side no order goes out any more."""
    due = overdue and held != 0.0
    if target == target and (blocked == 0.0 or np.sign(target) != blocked):
        blocked = 0.0
        if not (due and np.sign(target) == np.sign(held)):
            return target, 0, blocked
    if due:
        return 0.0, 3, blocked
    return np.nan, 0, blocked


@compiled(nogil=True)
def _exit(
    held: float, entry: float, stop: float, profit: float, at: float, high: float, low: float
) -> tuple[float, float, int]:
    """Return a target of 0, the price and the cause where an exit is reached; NaN otherwise.

    `at` is where the price stands at the beginning; both reached in one bar: the stop counts.
    """
    if held == 0.0:
        return np.nan, at, 0
    side = np.sign(held)
    loss, gain = entry * (1.0 - side * stop), entry * (1.0 + side * profit)
    worst, best = (low, high) if held > 0.0 else (high, low)
    if side * at <= side * loss:
        return 0.0, at, 1
    if side * at >= side * gain:
        return 0.0, at, 2
    if side * worst <= side * loss:
        return 0.0, loss, 1
    if side * best >= side * gain:
        return 0.0, gain, 2
    return np.nan, at, 0


@compiled(nogil=True)
def _size(
    target: float,
    worth: float,
    held: float,
    money: float,
    price: float,
    slip: float,
    rate: float,
    limits: tuple[float, float, float, float],
) -> float:
    """Return the signed units to trade: towards the target, in lots, as far as money goes."""
    lot, leverage = limits[0], limits[3]
    if not (target == target and worth > 0.0):
        return 0.0
    aim = _whole(target * worth / price, lot)
    wanted = aim - held
    if abs(wanted) <= _RELATIVE * max(abs(aim), abs(held)):
        return 0.0
    if wanted > 0.0:
        funds = max(money + (leverage - 1.0) * worth, 0.0)
        bought = _whole(funds / (price * (1.0 + slip) * (1.0 + rate)), lot)
        return min(wanted, bought)
    return wanted


@compiled(nogil=True)
def _whole(units: float, lot: float) -> float:
    """Return units in whole lots, towards zero; what rounding lacks to a lot is not missed."""
    if lot == 0.0:
        return units
    whole: float = np.floor(abs(units) / lot * (1.0 + _RELATIVE)) * lot
    return whole if units > 0.0 else -whole


@compiled(nogil=True)
def rounded_sum(a: float, b: float) -> float:
    """Return a + b; 0 where that is rounding."""
    if np.sign(a) != np.sign(b):
        size, other = abs(a), abs(b)
        near = abs(size - other) <= max(_RELATIVE * max(size, other), _ABSOLUTE)
    else:
        near = abs(a + b) <= max(_RELATIVE * abs(a + b), _ABSOLUTE)
    return 0.0 if near else a + b
