"""Small canonical chains to write into lakes."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pyarrow as pa
import pytest

from gexlab.data.lake.parts import CHAIN_SCHEMA

ChainMaker = Callable[..., Any]


def _row(day: date, strike: float, right: str, open_interest: float | None) -> dict[str, Any]:
    close = datetime(day.year, day.month, day.day, 21, tzinfo=UTC)
    return {
        "underlying": "SPX",
        "session": day,
        "quote_ts": close,
        "root": None,
        "expiry": day + timedelta(days=30),
        "settlement": "PM",
        "expiry_ts": close + timedelta(days=30),
        "strike": strike,
        "right": right,
        "open_interest": open_interest,
        "oi_asof": None,
        "volume": None,
        "bid": 1.0,
        "ask": 1.5,
        "last": None,
        "iv": 0.2,
        "delta": 0.5,
        "gamma": 0.01,
        "spot": 100.0,
        "multiplier": 100.0,
        "known_at": close + timedelta(hours=2),
        "source": "made:1",
    }


def _chain(days: list[date], *, strikes: int = 3, open_interest: float | None = 10.0) -> Any:
    rows = [
        _row(day, 100.0 + k, right, open_interest)
        for day in days
        for k in range(strikes)
        for right in ("C", "P")
    ]
    return pa.Table.from_pylist(rows, schema=CHAIN_SCHEMA)


@pytest.fixture
def make_chain() -> ChainMaker:
    """Return a function from days (and strikes, open interest) to canonical rows."""
    return _chain
