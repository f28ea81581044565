"""From a regime to the orders it caused: what a backtest decided on a session, and the fill."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from ...data import InputFileError
from .arithmetic import Step, steps_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import date
    from pathlib import Path

    import pandas as pd


__all__ = ["ORDERS_FILE", "Decision", "Fill", "InputRead", "decisions_on", "fills_on"]

ORDERS_FILE = "orders.parquet"
#: Values of a longer window that are listed, the latest ones.
_LISTED: Final = 6


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


@dataclass(frozen=True, slots=True)
class InputRead:
    """What one component read for a decision.

    Attributes
    ----------
    part : str
        ``filter``, ``long``, ``short``, ``neutral`` or ``sizing``.
    component, column : str
    window : int or None
        How many values it reads; None for everything so far.
    values : tuple of (str, float, str)
        When each is of, the value, and when it was public (UTC; ``""`` where it was known long
        before): the latest of the window, oldest first.
    """

    part: str
    component: str
    column: str
    window: int | None
    values: tuple[tuple[str, float, str], ...]


@dataclass(frozen=True, slots=True)
class Fill:
    """One fill of the ledger, told so that it can be done again.

    Attributes
    ----------
    strategy : str
    number : int
        Of the strategy's fills.
    cause : str
        ``order``, ``stop_loss``, ``take_profit`` or ``max_holding``.
    decided, filled : str
        Session of the decision; moment of the fill, UTC.
    label : str
    inputs : tuple of InputRead
    steps : tuple of Step
    """

    strategy: str
    number: int
    cause: str
    decided: str
    filled: str
    label: str
    inputs: tuple[InputRead, ...]
    steps: tuple[Step, ...]


def fills_on(run: Path, session: date) -> list[Fill]:
    """Return the fills that a backtest decided on a session, with all that led to them.

    Parameters
    ----------
    run : Path
        Folder that the backtest wrote to. One of an earlier version has no ledger: then none.
    session : date
        Of the decision.
    """
    import pandas as pd

    ledger, read = run / "ledger.parquet", run / "inputs.parquet"
    if not (ledger.is_file() and read.is_file()):
        return []
    table = pd.read_parquet(ledger)
    chosen = table[pd.to_datetime(table["decided"]) == pd.Timestamp(session)]
    known = pd.read_parquet(read) if len(chosen) else pd.DataFrame()
    document = json.loads((run / "results.json").read_text(encoding="utf-8"))
    specs = {name: s["spec"]["inputs"] for name, s in document["strategies"].items()}
    return [
        _fill(row, tuple(_read(row, specs[row["strategy"]], known)))
        for row in chosen.to_dict("records")
    ]


def _fill(row: dict[Any, Any], inputs: tuple[InputRead, ...]) -> Fill:
    return Fill(
        strategy=str(row["strategy"]),
        number=int(row["order"]),
        cause=str(row["cause"]),
        decided=f"{row['decided']:%Y-%m-%d}",
        filled=f"{row['fill_ts']:%Y-%m-%d %H:%M} UTC",
        label=str(row["label"]),
        inputs=inputs if row["cause"] == "order" else (),
        steps=steps_of(row),
    )


def _read(
    row: dict[Any, Any], specs: list[dict[str, Any]], known: pd.DataFrame
) -> Iterator[InputRead]:
    for spec in specs:
        if spec["part"] not in ("filter", "sizing", row["label"]):
            continue
        bar = spec["column"].partition(".")[0] in ("bar", "day")
        at = row["read_at"] if bar else row["decided"]
        mine = known[(known["column"] == spec["column"]) & (known["row"] <= at)]
        depth = min(spec["window"] or 1, _LISTED)
        values = tuple(
            (
                f"{r['row']:%Y-%m-%d %H:%M}" if bar else f"{r['row']:%Y-%m-%d}",
                float(r["value"]),
                "" if r["known_at"] != r["known_at"] else f"{r['known_at']:%Y-%m-%d %H:%M} UTC",
            )
            for r in mine.tail(depth).to_dict("records")
        )
        yield InputRead(spec["part"], spec["component"], spec["column"], spec["window"], values)
