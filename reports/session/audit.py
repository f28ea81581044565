"""From a regime to the orders it caused: what a backtest decided on a session, and the fill."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ...data import InputFileError

if TYPE_CHECKING:
    from datetime import date
    from pathlib import Path


__all__ = ["ORDERS_FILE", "Decision", "decisions_on"]

ORDERS_FILE = "orders.parquet"


@dataclass(frozen=True, slots=True)
class Decision:
    """One order, from the decision to the fill.

    Attributes
    ----------
    strategy, regime : str
        Who decided, and on which label.
    decided, filled : str
        Sessions, YYYY-MM-DD.
    decision_ts, fill_ts : object
        Moments, UTC.
    target : float
        Share of equity wanted; 1 is 100 % long.
    size : float
        Shares bought (positive) or sold (negative).
    price, fees : float
        Points; currency.
    """

    strategy: str
    regime: str
    decided: str
    filled: str
    decision_ts: Any
    fill_ts: Any
    target: float
    size: float
    price: float
    fees: float


def decisions_on(run: Path, session: date) -> list[Decision]:
    """Return the orders that a backtest decided on a session.

    Parameters
    ----------
    run : Path
        Folder that the backtest wrote to.
    session : date
        Of the decision, not of the fill.

    Raises
    ------
    InputFileError
        If the folder holds no orders.
    """
    import pandas as pd

    file = run / ORDERS_FILE
    if not file.is_file():
        raise InputFileError(
            f"{run}: no {ORDERS_FILE} there: give the --out folder of gexlab backtest"
        )
    orders = pd.read_parquet(file)
    chosen = orders[pd.to_datetime(orders["decided"]) == pd.Timestamp(session)]
    return [_decision(row) for row in chosen.to_dict("records")]


def _decision(row: dict[Any, Any]) -> Decision:
    return Decision(
        strategy=str(row["strategy"]),
        regime=str(row["regime"]),
        decided=f"{row['decided']:%Y-%m-%d}",
        filled=f"{row['session']:%Y-%m-%d}",
        decision_ts=row["decision_ts"],
        fill_ts=row["fill_ts"],
        target=float(row["target"]),
        size=float(row["size"]),
        price=float(row["price"]),
        fees=float(row["fees"]),
    )
