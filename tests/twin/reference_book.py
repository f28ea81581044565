"""From one session's chain to the valued contracts of one book: times, forwards, volatilities.

Plain loops and small frames, written from docs/conventions: nothing here imports gexlab.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import date

import numpy as np
import pandas as pd
from reference_calendar import next_session, session_open
from reference_greeks import (
    HIGHEST_VOLATILITY,
    LOWEST_VOLATILITY,
    Array,
    implied_volatility,
)

SECONDS_PER_YEAR = 365.0 * 86400.0
BOOKS = ("as_of_close", "post_expiry")


@dataclass(frozen=True, slots=True)
class Settings:
    """What a regime row depends on besides the chain."""

    rate: float = 0.0
    dividend_yield: float = 0.0
    iv_source: str = "otm"
    iv_dynamics: str = "sticky_strike"
    parity: bool = True
    floor_seconds: float = 1800.0
    band: float = 0.02
    last_is_settlement: bool = False
    calendar: str = "XNYS"


@dataclass(frozen=True, slots=True)
class Book:
    """One book, valued.

    `contracts` has one row per contract live in the book: chain columns plus `years` (T),
    `forward` (of the book), `volatility` (NaN: none), `used`, `rejected`, `dies` (session).
    `surface` has the own volatilities of all rows live at the quotes, for moving the spot.
    """

    spot: float
    valuation: pd.Timestamp
    valuation_session: date
    contracts: pd.DataFrame
    surface: pd.DataFrame
    forwards: pd.DataFrame
    expired: int
    settings: Settings


def latest_snapshot(chain: pd.DataFrame) -> pd.DataFrame:
    latest: pd.DataFrame = chain[chain["quote_ts"] == chain["quote_ts"].max()]
    return latest.reset_index(drop=True)


def seconds_until(moments: pd.Series, start: pd.Timestamp) -> Array:
    return np.array([(moment - start).total_seconds() for moment in moments], dtype=np.float64)


def years_with_floor(seconds: Array, floor_seconds: float) -> Array:
    """Year fraction of what is live; the floor is for 0 < T only."""
    return np.maximum(seconds, floor_seconds) / SECONDS_PER_YEAR


def quoted_values(rows: pd.DataFrame, *, last_is_settlement: bool) -> pd.Series:
    """Mid of a two-sided quote, else an official settlement price where there are no quotes."""
    two_sided = (rows["bid"] > 0.0) & (rows["ask"] >= rows["bid"])
    values = ((rows["bid"] + rows["ask"]) / 2.0).where(two_sided)
    if last_is_settlement:
        unquoted = rows["bid"].isna() & rows["ask"].isna() & (rows["last"] > 0.0)
        values = values.where(~unquoted, rows["last"])
    return values


def parity_forward(group: pd.DataFrame, spot: float, years: float, rate: float) -> float:
    """Median parity forward over the ten nearest strikes; NaN where fewer than three qualify."""
    near = group[group["value"].notna() & (np.log(group["strike"] / spot).abs() <= 0.10)]
    calls = near[near["right"] == "C"].groupby("strike")["value"].mean()
    puts = near[near["right"] == "P"].groupby("strike")["value"].mean()
    strikes = sorted(set(calls.index) & set(puts.index), key=lambda k: (abs(k - spot), k))[:10]
    if len(strikes) < 3:
        return math.nan
    growth = math.exp(rate * years)
    return float(np.median([k + (calls[k] - puts[k]) * growth for k in strikes]))


def forward_of(
    group: pd.DataFrame, spot: float, years: float, settings: Settings
) -> tuple[float, str]:
    """Forward at the quotes and where it comes from."""
    carried = spot * math.exp((settings.rate - settings.dividend_yield) * years)
    if not settings.parity:
        return carried, "rates"
    forward = parity_forward(group, spot, years, settings.rate)
    if math.isnan(forward) or abs(math.log(forward / carried)) > 0.002 + 0.02 * years:
        return carried, "rates"
    return forward, "parity"


def own_volatilities(group: pd.DataFrame, forward: float, years: float, rate: float) -> list[float]:
    """The vendor's volatility of each row, else the one solved from the row's own quote."""
    found = []
    columns = (group[name] for name in ("iv", "value", "strike", "right"))
    for vendor, value, strike, right in zip(*columns, strict=True):
        if LOWEST_VOLATILITY <= vendor <= HIGHEST_VOLATILITY:
            found.append(vendor)
        elif math.isnan(value):
            found.append(math.nan)
        else:
            call = right == "C"
            found.append(implied_volatility(value, forward, strike, years, rate, call=call))
    return found


def out_of_the_money_volatility(strike: float, forward: float, sides: dict[str, float]) -> float:
    """Volatility of the out-of-the-money side, else of the other one."""
    first, second = ("C", "P") if strike >= forward else ("P", "C")
    preferred = sides.get(first, math.nan)
    return sides.get(second, math.nan) if math.isnan(preferred) else preferred


def with_volatilities(group: pd.DataFrame, forward: float, iv_source: str) -> pd.DataFrame:
    """Add `volatility`: of the strike's out-of-the-money side (`otm`) or the row's own."""
    if iv_source == "own":
        return group.assign(volatility=group["own"])
    sides: dict[float, dict[str, float]] = {}
    for right, side in group.groupby("right"):
        means = side.groupby("strike")["own"].mean()
        for strike, mean in zip(means.index.to_numpy(dtype=np.float64), means, strict=True):
            sides.setdefault(strike, {})[str(right)] = mean
    chosen = {k: out_of_the_money_volatility(k, forward, side) for k, side in sides.items()}
    return group.assign(volatility=group["strike"].map(chosen))


def quoted_contracts(chain: pd.DataFrame, settings: Settings) -> pd.DataFrame:
    """Everything live at the quotes, with forward at the quotes and volatility.

    Both books share it: forwards and volatilities belong to the moment of the quotes.
    """
    quotes = chain["quote_ts"].iloc[0]
    spot = float(chain["spot"].median())
    seconds = seconds_until(chain["expiry_ts"], quotes)
    live = chain.assign(quote_years=years_with_floor(seconds, settings.floor_seconds))
    live = live[seconds > 0.0]
    values = quoted_values(live, last_is_settlement=settings.last_is_settlement)
    live = live.assign(value=values)
    pieces = []
    for _, group in live.groupby(["expiry", "settlement"], sort=True):
        years = float(group["quote_years"].iloc[0])
        forward, source = forward_of(group, spot, years, settings)
        own = own_volatilities(group, forward, years, settings.rate)
        group = group.assign(quote_forward=forward, forward_source=source, own=own)
        pieces.append(with_volatilities(group, forward, settings.iv_source))
    if not pieces:
        names = ["quote_forward", "forward_source", "own", "volatility"]
        return live.assign(**{name: np.array([], dtype=np.float64) for name in names})
    return pd.concat(pieces).sort_index()


def valuation_moment(chain: pd.DataFrame, book: str, calendar: str) -> tuple[pd.Timestamp, date]:
    """When a book is valued, and the session that moment belongs to."""
    session: date = chain["session"].iloc[0]
    if book == "as_of_close":
        return pd.Timestamp(chain["quote_ts"].iloc[0]), session
    following = next_session(session, calendar)
    return session_open(following, calendar), following


def value_book(
    chain: pd.DataFrame, book: str, settings: Settings, quoted: pd.DataFrame | None = None
) -> Book:
    """Value one book of one session's chain (all snapshots; the latest one counts)."""
    chain = latest_snapshot(chain)
    if quoted is None:
        quoted = quoted_contracts(chain, settings)
    valuation, valuation_session = valuation_moment(chain, book, settings.calendar)
    seconds = seconds_until(quoted["expiry_ts"], valuation)
    years = years_with_floor(seconds, settings.floor_seconds)
    drift = settings.rate - settings.dividend_yield
    valued = quoted.assign(
        years=years,
        forward=quoted["quote_forward"] * np.exp(drift * (years - quoted["quote_years"])),
        dies=[moment.tz_convert("America/New_York").date() for moment in quoted["expiry_ts"]],
    )
    valued = valued[seconds > 0.0]
    interest = valued["open_interest"]
    valued = valued.assign(
        used=(interest > 0) & valued["volatility"].notna(),
        rejected=interest.isna() | ((interest > 0) & valued["volatility"].isna()),
    )
    columns = ["expiry", "settlement", "forward_source", "quote_forward"]
    return Book(
        spot=float(chain["spot"].median()),
        valuation=valuation,
        valuation_session=valuation_session,
        contracts=valued,
        surface=quoted,
        forwards=quoted[columns].drop_duplicates().reset_index(drop=True),
        expired=len(chain) - len(valued),
        settings=settings,
    )
