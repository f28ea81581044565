"""Two definitions side by side: where the regime changes, and what that was worth."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pandas as pd

from ...data import Lake, TradingCalendar, diff_regimes, open_lake, short_repr, trading_calendar
from ...strategies import MAIN, Column, Evaluation, Panel, strategy

if TYPE_CHECKING:
    from pathlib import Path

    from ...data import Book, Definition, Finding, Lake, PeerRule

__all__ = ["DiffResult", "diff"]

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class DiffResult:
    """What changes between two definitions.

    Attributes
    ----------
    first_id, second_id : str
        The definitions.
    sessions, changed : int
        Sessions compared, and those whose regime differs.
    transitions : dict of str to int
        ``"long to neutral"`` and the like: sessions, most frequent first.
    priced_with : str
        ``spot`` of the lake, or ``bars``.
    return_a, return_b : float
        Sum over the changed sessions of what the main strategy earned on them, decimal, before
        costs; NaN where none could be priced.
    rows : DataFrame
        One row per changed session: ``session, regime_a, regime_b, net_to_gross_a,
        net_to_gross_b, flip_a, flip_b, return_a, return_b``. A return belongs to the decision at
        the close of that session, filled at the next close and held to the one after; NaN for the
        last two sessions, and where one of the prices it needs is missing: no return spans a
        session without a price, and a spot that the quality gate refused counts as missing.
    unpriced : int
        Changed sessions whose return is NaN under either definition.
    bars : tuple of Finding
        What was found in the bars that priced it; those that gate have no price.
    """

    first_id: str
    second_id: str
    sessions: int
    changed: int
    transitions: dict[str, int]
    priced_with: str
    return_a: float
    return_b: float
    rows: pd.DataFrame
    unpriced: int = 0
    bars: tuple[Finding, ...] = ()
    __repr__ = short_repr


def diff(
    lake: Lake | str | Path,
    underlying: str,
    first: Definition | PeerRule,
    second: Definition | PeerRule,
    *,
    book: Book = "post_expiry",
    dealers: tuple[str, str] = ("naive", "naive"),
    positions: str | Path | None = None,
    closes: pd.Series[float] | None = None,
) -> DiffResult:
    """Return the sessions whose regime changes between two definitions, and the P&L on them.

    Parameters
    ----------
    lake : Lake or path
    underlying : str
    first, second : Definition
        Evaluated in memory as far as the lake does not hold their rows; nothing is written.
    book : {"post_expiry", "as_of_close"}
    dealers : tuple of str
        Dealer model of each.
    positions : path, optional
        The dealers' positions, for whichever of the two is ``signed``.
    closes : Series, optional
        Close by session; the lake's own spots where it is left out.

    Returns
    -------
    DiffResult
    """
    frame = diff_regimes(
        lake, underlying, first, second, book=book, dealers=dealers, positions=positions
    )
    prices = _spots(frame) if closes is None else closes
    opened = open_lake(lake)
    calendar = trading_calendar(opened.calendar(underlying))
    earned = _returns_by_label(_on_calendar(prices, calendar)).reindex(
        pd.DatetimeIndex(frame["session"])
    )
    for side in ("a", "b"):
        frame[f"return_{side}"] = _earned(frame[f"regime_{side}"], earned)
    rows = frame[frame["changed"]].reset_index(drop=True)
    pairs = zip(rows["regime_a"], rows["regime_b"], strict=True)
    return DiffResult(
        first_id=first.definition_id,
        second_id=second.definition_id,
        sessions=len(frame),
        changed=len(rows),
        transitions=dict(Counter(f"{a} to {b}" for a, b in pairs).most_common()),
        priced_with="spot" if closes is None else "bars",
        return_a=float(rows["return_a"].sum(min_count=1)),
        return_b=float(rows["return_b"].sum(min_count=1)),
        unpriced=int(rows[["return_a", "return_b"]].isna().any(axis="columns").sum()),
        rows=rows[_COLUMNS],
    )


_COLUMNS = [
    "session",
    "regime_a",
    "regime_b",
    "net_to_gross_a",
    "net_to_gross_b",
    "flip_a",
    "flip_b",
    "return_a",
    "return_b",
]


def _spots(frame: pd.DataFrame) -> pd.Series[float]:
    """Return the lake's spots by session, NaN where the quality gate refused the session."""
    refused = (frame["regime_a"] == "abstain") | (frame["regime_b"] == "abstain")
    spots = frame["spot_a"].astype(float).where(~refused)
    return pd.Series(spots.to_numpy(), index=pd.DatetimeIndex(frame["session"]))


def _on_calendar(prices: pd.Series[float], calendar: TradingCalendar) -> pd.Series[float]:
    """Return prices by session of the calendar, NaN where there is none."""
    days = calendar.sessions.astype("datetime64[ns]")
    ends = pd.DatetimeIndex(prices.index)[[0, -1]].to_numpy().astype("datetime64[ns]")
    inside = (days >= ends[0]) & (days <= ends[1])
    return prices.reindex(pd.DatetimeIndex(days[inside]))


def _returns_by_label(closes: pd.Series[float]) -> pd.DataFrame:
    """Return what each label's rule earns, by session of the decision."""
    main = strategy(MAIN)
    prices: Floats = np.asarray(closes, np.float64)
    held = np.full(len(prices), np.nan)
    held[:-2] = prices[2:] / prices[1:-1] - 1.0
    never = np.full(len(prices), np.datetime64("NaT", "ns"))
    sessions = pd.DatetimeIndex(closes.index)
    known = sessions.to_numpy().astype("datetime64[ns]")
    panel = Panel(sessions, {"close": Column("close", prices, known, "price")})
    evaluation = Evaluation(panel, never)
    earned = {
        label: evaluation.targets(main.rule(label)).values * held
        for label in ("long", "short", "neutral", "abstain")
    }
    return pd.DataFrame(earned, index=closes.index)


def _earned(labels: pd.Series[str], earned: pd.DataFrame) -> Floats:
    """Return for each session what its label's rule earned; NaN without a label."""
    names = list(earned.columns)
    table = earned.to_numpy(np.float64)
    found = [
        table[i, names.index(label)] if label in names else np.nan for i, label in enumerate(labels)
    ]
    return np.array(found, np.float64)
