"""The engine's records as tables."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

__all__ = ["frame_like", "orders_of", "round_trips_of", "with_state"]

Floats = npt.NDArray[np.float64]


def frame_like(values: Any, like: pd.DataFrame) -> pd.DataFrame:
    """Return values with the rows and columns of another table."""
    table = np.asarray(values, dtype=np.float64).reshape(like.shape)
    return pd.DataFrame(table, index=like.index, columns=like.columns)


def orders_of(records: npt.NDArray[Any]) -> pd.DataFrame:
    """Return vectorbt's order records as a table, sizes signed."""
    sign = np.where(records["side"] == 0, 1.0, -1.0)
    return pd.DataFrame(
        {
            "strategy": records["col"],
            "row": records["idx"],
            "size": sign * records["size"],
            "price": records["price"],
            "fees": records["fees"],
        }
    )


def with_state(
    orders: pd.DataFrame, price: Floats, shares: pd.DataFrame, money: Floats, cash: float
) -> pd.DataFrame:
    """Return orders with what the portfolio held just before each."""
    row, column = orders["row"].to_numpy(), orders["strategy"].to_numpy()
    held = np.vstack([np.zeros(shares.shape[1]), shares.to_numpy()])[row, column]
    before = np.vstack([np.full(shares.shape[1], cash), money.reshape(shares.shape)])[row, column]
    return orders.assign(
        cause=np.zeros(len(orders), dtype=np.int64),
        bar_price=price[row],
        cash_before=before,
        shares_before=held,
        worth=before + held * price[row],
    )


def round_trips_of(records: npt.NDArray[Any]) -> pd.DataFrame:
    """Return vectorbt's position records as a table."""
    return pd.DataFrame(
        {
            "strategy": records["col"],
            "size": records["size"],
            "entry_row": records["entry_idx"],
            "entry_price": records["entry_price"],
            "exit_row": records["exit_idx"],
            "exit_price": records["exit_price"],
            "fees": records["entry_fees"] + records["exit_fees"],
            "pnl": records["pnl"],
            "return": records["return"],
            "direction": np.where(records["direction"] == 0, "long", "short"),
            "status": np.where(records["status"] == 0, "open", "closed"),
        }
    )
