"""Chains written down contract by contract, for tests whose answer one works out by hand."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
from lakes import lake_of
from reference_calendar import expiry_moment, session_close

from gexlab.data import Definition, rebuild, regimes, side_table
from gexlab.data.lake.lake import Lake

#: A Monday, and the Friday of its week, a monthly expiration.
SESSION = date(2022, 12, 12)
FRIDAY = date(2022, 12, 16)


@dataclass(frozen=True, slots=True)
class Contract:
    """One row; what is not said is ordinary."""

    right: str
    strike: float
    open_interest: float = 1000.0
    iv: float = 0.2
    expiry: date = FRIDAY
    root: str | None = "SPXW"
    settlement: str = "PM"
    bid: float = np.nan
    ask: float = np.nan
    multiplier: float = 100.0


def plain_chain(
    *contracts: Contract,
    spot: float = 4000.0,
    session: date = SESSION,
    quote_ts: pd.Timestamp | None = None,
    known_hours: float = 4.0,
) -> pd.DataFrame:
    """One session's canonical rows; quotes at the close unless said otherwise."""
    quotes = session_close(session) if quote_ts is None else quote_ts
    rows = [
        {
            "underlying": "SPX",
            "session": session,
            "quote_ts": quotes,
            "root": c.root,
            "expiry": c.expiry,
            "settlement": c.settlement,
            "expiry_ts": expiry_moment(c.expiry, c.settlement),
            "strike": c.strike,
            "right": c.right,
            "open_interest": c.open_interest,
            "bid": c.bid,
            "ask": c.ask,
            "iv": c.iv,
            "spot": spot,
            "multiplier": c.multiplier,
            "known_at": quotes + pd.Timedelta(hours=known_hours),
        }
        for c in contracts
    ]
    return pd.DataFrame(rows)


def rebuilt(
    folder: Path,
    *chains: pd.DataFrame,
    definition: Definition | None = None,
    dealer: str = "naive",
) -> Lake:
    """A lake with these sessions, rebuilt."""
    lake = lake_of(folder, "SPX", *chains)
    rebuild(lake, "SPX", definition=definition or Definition(), dealer=dealer)
    return lake


def one_row(
    folder: Path,
    *chains: pd.DataFrame,
    book: str = "as_of_close",
    definition: Definition | None = None,
    dealer: str = "naive",
) -> pd.Series:
    """The last session's row of the regime table."""
    lake = rebuilt(folder, *chains, definition=definition, dealer=dealer)
    rows: pd.DataFrame = regimes(lake, "SPX", dealer_model=dealer)
    return rows[rows["book"] == book].iloc[-1]


def by_expiry(lake: Lake, book: str = "as_of_close") -> pd.DataFrame:
    """Rows of the table of exposures by expiry."""
    rows: pd.DataFrame = side_table(lake, "exposure_by_expiry", "SPX")
    return rows[rows["book"] == book].reset_index(drop=True)


def by_strike(lake: Lake, book: str = "as_of_close") -> pd.DataFrame:
    """Rows of the table of exposures by strike, strikes as index."""
    rows: pd.DataFrame = side_table(lake, "exposure_by_strike", "SPX")
    return rows[rows["book"] == book].set_index("strike")
