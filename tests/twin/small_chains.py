"""Random small chains with everything in them that real ones have and engines stumble over."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np
import pandas as pd
from reference_book import SECONDS_PER_YEAR
from reference_calendar import (
    expiry_moment,
    next_session,
    session_at_or_before,
    session_close,
    third_friday,
)
from reference_greeks import price

#: A Thursday before a shifted monthly, a half day, a week of a clock change, a monthly Friday,
#: a day whose monthly is listed on a Saturday.
SESSIONS = (
    date(2022, 4, 13),
    date(2022, 11, 25),
    date(2022, 3, 11),
    date(2022, 6, 17),
    date(2012, 6, 14),
    date(2023, 7, 3),
)


@dataclass(frozen=True, slots=True)
class Oddities:
    """What to put into a chain besides ordinary rows."""

    roots_known: bool = True
    intraday: bool = False
    two_snapshots: bool = False
    unequal_spots: bool = False
    early_knowledge: bool = False
    few_quotes: bool = False
    stale_spot: bool = False
    settlement_prices: bool = False
    carry: float = 0.02


def expiries_of(session: date) -> list[tuple[date, str, str]]:
    """(expiry, settlement, root): today, tomorrow, a month's AM and PM series, a long one."""
    monthly = {
        date(2022, 4, 13): date(2022, 4, 15),
        date(2022, 11, 25): date(2022, 12, 16),
        date(2022, 3, 11): date(2022, 3, 18),
        date(2022, 6, 17): date(2022, 6, 17),
        date(2012, 6, 14): date(2012, 6, 16),
        date(2023, 7, 3): date(2023, 7, 21),
    }[session]
    following = next_session(session)
    later = session_at_or_before(date(session.year + 1, 6, 28))
    return [
        (session, "PM", "SPXW"),
        (following, "PM", "SPXW"),
        (monthly, "AM", "SPX"),
        (monthly, "PM", "SPXW"),
        (later, "PM", "SPXW"),
        (third_friday(session.year + 2, 1), "AM", "SPX"),
    ]


def random_chain(rng: np.random.Generator, session: date, oddities: Oddities) -> pd.DataFrame:
    """One session of 60 to 250 rows."""
    spot = float(np.round(rng.uniform(90.0, 4100.0), 2))
    quote_ts = session_close(session)
    if oddities.intraday:
        quote_ts -= pd.Timedelta(minutes=int(rng.integers(1, 120)))
    pieces = []
    for expiry, settlement, root in expiries_of(session):
        if rng.random() < 0.9:
            pieces.append(_one_expiry(rng, spot, quote_ts, (expiry, settlement, root), oddities))
    chain = pd.concat(pieces, ignore_index=True)
    chain = chain.assign(underlying="SPX", session=session, quote_ts=quote_ts, multiplier=100.0)
    chain["spot"] = spot
    chain["last"] = np.nan
    if oddities.stale_spot:  # quotes and spot of different moments: parity must not be believed
        chain["spot"] = np.round(spot * 1.006, 2)
    if oddities.settlement_prices:  # an official price instead of quotes and volatility
        middle = (chain["bid"] + chain["ask"]) / 2.0
        chain = chain.assign(last=middle, bid=np.nan, ask=np.nan, iv=np.nan)
    if oddities.unequal_spots:
        chain.loc[chain.index[: len(chain) // 4], "spot"] = spot * 1.01
    lag = pd.Timedelta(hours=-1 if oddities.early_knowledge else 5)
    chain["known_at"] = quote_ts + lag
    if not oddities.roots_known:
        chain["root"] = pd.Series([None] * len(chain), dtype="object")
        repeated = chain.sample(5, random_state=7)
        chain = pd.concat([chain, repeated], ignore_index=True)
    if oddities.two_snapshots:
        earlier = chain.assign(
            quote_ts=quote_ts - pd.Timedelta(hours=1), spot=spot * 0.97, open_interest=1.0
        )
        chain = pd.concat([earlier, chain], ignore_index=True)
    return chain


def _one_expiry(
    rng: np.random.Generator,
    spot: float,
    quote_ts: pd.Timestamp,
    listed: tuple[date, str, str],
    oddities: Oddities,
) -> pd.DataFrame:
    expiry, settlement, root = listed
    dies = expiry_moment(expiry, settlement)
    years = max((dies - quote_ts).total_seconds(), 1800.0) / SECONDS_PER_YEAR
    forward = spot * np.exp(oddities.carry * years)
    width = max(0.25 * np.sqrt(years), 0.02)
    ratios = np.concatenate([np.linspace(-2.5, 2.0, int(rng.integers(4, 14))) * width, [-0.6, 0.5]])
    strikes = np.unique(np.round(spot * np.exp(ratios) * 2.0) / 2.0)
    level = rng.uniform(0.08, 0.6)
    sides = []
    for right in ("C", "P"):
        volatility = level * (1.0 - 0.4 * np.log(strikes / spot)) + rng.normal(
            0, 0.01, len(strikes)
        )
        volatility = np.clip(volatility, 0.02, 4.0)
        value = price(forward, strikes, years, volatility, 0.03, call=right == "C")
        half = np.minimum(0.02 * value + 0.005, value * 0.5)
        frame = pd.DataFrame({"strike": strikes, "iv": volatility, "bid": value - half})
        frame["ask"] = value + half
        frame["right"] = right
        sides.append(_spoiled(rng, frame, oddities))
    both = pd.concat(sides, ignore_index=True)
    return both.assign(expiry=expiry, settlement=settlement, root=root, expiry_ts=dies)


def _spoiled(rng: np.random.Generator, frame: pd.DataFrame, oddities: Oddities) -> pd.DataFrame:
    """Missing volatilities, quotes and open interest; crossed and one-sided markets."""
    n = len(frame)

    def some(share: float) -> np.ndarray:
        return rng.random(n) < share

    interest = np.round(rng.lognormal(5.0, 2.0, n))
    interest = np.where(some(0.15), 0.0, interest)
    interest = np.where(some(0.03), 1e7, interest)
    frame["open_interest"] = np.where(some(0.03), np.nan, interest)
    frame.loc[some(0.25), "iv"] = np.nan
    frame.loc[some(0.6 if oddities.few_quotes else 0.05), ["bid", "ask"]] = np.nan
    frame.loc[some(0.05), "bid"] = 0.0
    crossed = some(0.03)
    frame.loc[crossed, "ask"] = frame.loc[crossed, "bid"] * 0.9
    return frame
