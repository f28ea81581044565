"""From fills to equity: many portfolios in one pass, to the bit what the engine itself marks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ...data import compiled
from ..execution.account import rounded_sum

__all__ = ["Accounts", "accounts_of", "marks_of"]

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Accounts:
    """Portfolios by session, one a row.

    Attributes
    ----------
    equity, shares, notional : ndarray, shape (portfolios, sessions)
        At each close; ``notional`` is the amount traded in the session.
    trades : ndarray of int, shape (portfolios,)
        Positions opened; one that is turned over counts as two.
    """

    equity: Floats
    shares: Floats
    notional: Floats
    trades: Ints


def accounts_of(records: npt.NDArray[Any], portfolios: int, close: Floats, cash: float) -> Accounts:
    """Return portfolios from their fills.

    Parameters
    ----------
    records : ndarray of records
        Of `engine.simulated_orders`: by portfolio, then by bar, at most one a bar.
    portfolios : int
    close : ndarray, shape (sessions,)
    cash : float
    """
    equity, shares, notional, trades = _accounts(
        records["col"],
        records["idx"],
        records["side"],
        records["size"],
        records["price"],
        records["fees"],
        portfolios,
        np.ascontiguousarray(close),
        cash,
    )
    return Accounts(equity, shares, notional, trades)


def marks_of(accounts: Accounts, close: Floats, cash: float) -> tuple[Floats, Floats, Floats]:
    """Return shares of equity held, shares of equity traded, and returns, from plain accounts.

    Parameters
    ----------
    accounts : Accounts
    close : ndarray, shape (sessions,)
    cash : float
        Capital before the first session.

    Returns
    -------
    tuple of ndarray
        Positions and traded amounts, shape (portfolios, sessions), and returns after the first
        session: as `measures.share_traded` and `metrics.equity_returns` define them. Of equity
        that is gone there is no share and no return: NaN.
    """
    found: tuple[Floats, Floats, Floats] = _marks(
        accounts.equity, accounts.shares, accounts.notional, np.ascontiguousarray(close), cash
    )
    return found


@compiled(nogil=True)
def _marks(
    equity: Floats, shares: Floats, notional: Floats, close: Floats, cash: float
) -> tuple[Floats, Floats, Floats]:
    portfolios, sessions = equity.shape
    positions = np.full((portfolios, sessions), np.nan)
    traded = np.zeros((portfolios, sessions))
    returns = np.full((portfolios, max(sessions - 1, 0)), np.nan)
    for c in range(portfolios):
        before, live = cash, True
        for t in range(sessions):
            now = equity[c, t]
            live = live and now > 0.0
            if live:
                positions[c, t] = shares[c, t] * close[t] / now
            if before > 0.0:
                traded[c, t] = notional[c, t] / before
            if t > 0 and live:
                returns[c, t - 1] = now / (cash if t == 1 else before) - 1.0
            before = now
    return positions, traded, returns


@compiled(nogil=True)
def _accounts(
    column: Ints,
    row: Ints,
    side: Ints,
    size: Floats,
    price: Floats,
    fees: Floats,
    portfolios: int,
    close: Floats,
    cash: float,
) -> tuple[Floats, Floats, Floats, Ints]:
    sessions, i = close.size, 0
    equity = np.empty((portfolios, sessions))
    shares = np.empty((portfolios, sessions))
    notional = np.zeros((portfolios, sessions))
    trades = np.zeros(portfolios, dtype=np.int64)
    for c in range(portfolios):
        held, money = 0.0, cash
        for t in range(sessions):
            if i < row.size and column[i] == c and row[i] == t:
                signed = size[i] if side[i] == 0 else -size[i]
                after = rounded_sum(held, signed)
                money = rounded_sum(money, rounded_sum(0.0, -signed * price[i] - fees[i]))
                notional[c, t] = abs(signed * price[i])
                if after != 0.0 and (held == 0.0 or (held > 0.0) != (after > 0.0)):
                    trades[c] += 1
                held = after
                i += 1
            shares[c, t] = held
            equity[c, t] = money + held * close[t]
    return equity, shares, notional, trades
