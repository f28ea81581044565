"""From fills to equity: many portfolios in one pass, to the bit what the engine itself marks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ...data import compiled
from ..execution.account import rounded_sum

__all__ = ["Accounts", "accounts_of"]

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
    signed = np.where(records["side"] == 0, records["size"], -records["size"])
    equity, shares, notional, trades = _accounts(
        records["col"].astype(np.int64),
        records["idx"].astype(np.int64),
        signed,
        np.ascontiguousarray(records["price"]),
        np.ascontiguousarray(records["fees"]),
        portfolios,
        np.ascontiguousarray(close),
        cash,
    )
    return Accounts(equity, shares, notional, trades)


@compiled(nogil=True)
def _accounts(
    column: Ints,
    row: Ints,
    signed: Floats,
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
                after = rounded_sum(held, signed[i])
                money = rounded_sum(money, rounded_sum(0.0, -signed[i] * price[i] - fees[i]))
                notional[c, t] = abs(signed[i] * price[i])
                if after != 0.0 and (held == 0.0 or (held > 0.0) != (after > 0.0)):
                    trades[c] += 1
                held = after
                i += 1
            shares[c, t] = held
            equity[c, t] = money + held * close[t]
    return equity, shares, notional, trades
