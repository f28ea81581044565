"""Clean chains of a made-up index, for tests that plant defects into them.

Prices are Black and Scholes on a smile that is the same function of moneyness for every expiry, so
that they hold no arbitrage; quotes stand symmetrically around them. Open interest walks at random.
"""

from __future__ import annotations

from datetime import date, timedelta
from typing import Final

import numpy as np
import pandas as pd
import pyarrow as pa
from scipy.special import ndtr

from gexlab.data.base.schema import CHAIN_COLUMNS
from gexlab.data.calendar.trading import TradingCalendar, trading_calendar

Rng = np.random.Generator

RATE: Final = 0.04
DIVIDENDS: Final = 0.01
#: The first of six sessions; a holiday (2024-03-29) follows within the month.
FIRST: Final = date(2024, 3, 11)
SESSIONS: Final = 6
_ARROW: Final = {
    "VARCHAR": pa.string(),
    "DATE": pa.date32(),
    "TIMESTAMPTZ": pa.timestamp("us", "UTC"),
    "DOUBLE": pa.float64(),
}


def table(frame: pd.DataFrame) -> pa.Table:
    """Return a frame of canonical columns with the lake's types."""
    schema = pa.schema([(name, _ARROW[kind]) for name, kind in CHAIN_COLUMNS.items()])
    return pa.Table.from_pandas(
        frame.reindex(columns=list(CHAIN_COLUMNS)), schema=schema, preserve_index=False
    )


def clean_market(rng: Rng, sessions: int = SESSIONS) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the chains of some sessions and the daily bars (index: session, column: close)."""
    calendar = trading_calendar("XNYS")
    days = [calendar.shift(FIRST, i) for i in range(sessions)]
    spots = 5000 * np.exp(np.cumsum(rng.normal(0.0002, 0.008, sessions)))
    spots = np.round(spots, 2)
    level = 0.15 * np.exp(np.cumsum(rng.normal(0, 0.03, sessions)))
    contracts = _contracts(days[0], rng)
    chains = []
    for i, day in enumerate(days):
        live = contracts[contracts.expiry >= day]
        chains.append(_session(calendar, day, live, float(spots[i]), float(level[i]), i, rng))
        contracts = contracts.assign(open_interest=_walk(contracts.open_interest, rng))
    bars = pd.DataFrame({"close": spots}, index=pd.DatetimeIndex(days, name="session"))
    return pd.concat(chains, ignore_index=True), bars


def _contracts(first: date, rng: Rng) -> pd.DataFrame:
    """Return all contracts: dailies, a monthly expiration in both settlements, and later ones."""
    monday = first - timedelta(days=first.weekday())
    expiries = [monday + timedelta(days=n) for n in (0, 1, 2, 3, 4, 7, 8, 9, 10, 11, 18, 39, 67)]
    calendar = trading_calendar("XNYS")
    rows = []
    for expiry in expiries:
        day = calendar.last_session_at_or_before(expiry)
        roots = ["SPXW", "SPX"] if calendar.is_monthly(day) else ["SPXW"]
        for root in roots:
            for strike in range(4300, 5750, 50):
                rows += [(day, root, float(strike), right) for right in "CP"]
    frame = pd.DataFrame(rows, columns=pd.Index(["expiry", "root", "strike", "right"]))
    frame = frame.drop_duplicates().reset_index(drop=True)
    distance = np.abs(np.log(frame.strike.to_numpy() / 5000))
    mean = 4000 * np.exp(-distance / 0.05) + 40
    return frame.assign(open_interest=np.round(rng.gamma(2.0, mean / 2)))


def _walk(open_interest: pd.Series, rng: Rng) -> np.ndarray:
    held = open_interest.to_numpy()
    moved = rng.random(len(held)) < 0.5
    return np.asarray(
        np.where(moved, np.maximum(np.round(held * rng.normal(1.02, 0.08, len(held))), 0), held)
    )


def _session(
    calendar: TradingCalendar,
    day: date,
    contracts: pd.DataFrame,
    spot: float,
    level: float,
    number: int,
    rng: Rng,
) -> pd.DataFrame:
    close = pd.Timestamp(calendar.close_of(day))
    frame = contracts.copy()
    frame["settlement"] = np.where(frame.root == "SPX", "AM", "PM")
    ends = {
        key: pd.Timestamp(calendar.expiry_ts(*key))
        for key in set(zip(frame.expiry, frame.settlement, strict=True))
    }
    keys = zip(frame.expiry, frame.settlement, strict=True)
    frame["expiry_ts"] = pd.DatetimeIndex([ends[key] for key in keys])
    t = (frame.expiry_ts - close).dt.total_seconds().to_numpy() / (365 * 86400)
    strikes, calls = frame.strike.to_numpy(), (frame.right == "C").to_numpy()
    iv = volatility(strikes, spot, level)
    price, delta, gamma = black_scholes(spot, strikes, np.maximum(t, 0), iv, calls)
    half = 0.05 + 0.01 * price
    frame["bid"] = np.maximum(np.round(price - half, 2), 0)
    frame["ask"] = np.round(price + half, 2)
    noisy = iv * (1 + rng.normal(0, 0.001, len(iv)))
    return frame.assign(
        underlying="SPX",
        session=day,
        quote_ts=close,
        oi_asof=calendar.shift(day, -1),
        volume=np.round(rng.gamma(1.0, 50, len(iv))),
        last=np.nan,
        iv=np.where(t > 0, noisy, np.nan),
        delta=np.where(t > 0, delta, np.nan),
        gamma=np.where(t > 0, gamma, np.nan),
        spot=spot,
        multiplier=100.0,
        known_at=close + pd.Timedelta(hours=3),
        source=f"synthetic:{number:04d}",
    )


def volatility(strikes: np.ndarray, spot: float, level: float) -> np.ndarray:
    """Return a smile: dearer below spot, never below half the level."""
    x = np.log(strikes / spot)
    return np.asarray(level * (1 - 0.8 * x + 1.5 * x * x))


def black_scholes(
    spot: float, strikes: np.ndarray, t: np.ndarray, iv: np.ndarray, calls: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return prices, deltas and gammas of European options with the test's rates."""
    v = iv * np.sqrt(np.maximum(t, 1e-9))
    forward = spot * np.exp((RATE - DIVIDENDS) * t)
    d1 = np.log(forward / strikes) / v + v / 2
    sign = np.where(calls, 1.0, -1.0)
    discount = np.exp(-RATE * t)
    price = discount * sign * (forward * ndtr(sign * d1) - strikes * ndtr(sign * (d1 - v)))
    density = np.exp(-d1 * d1 / 2) / np.sqrt(2 * np.pi)
    carry = np.exp(-DIVIDENDS * t)
    return price, carry * sign * ndtr(sign * d1), carry * density / (spot * v)
