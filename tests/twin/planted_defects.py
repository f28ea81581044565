"""Defects to plant into clean chains: one function each, and the checks that must see it."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Final

import numpy as np
import pandas as pd
from synthetic_chains import Rng, black_scholes, volatility

from gexlab.data.calendar.trading import trading_calendar

#: Takes all chains, the session to spoil and a random generator; returns the spoilt chains.
Plant = Callable[[pd.DataFrame, date, Rng], pd.DataFrame]


@dataclass(frozen=True, slots=True)
class Defect:
    """A way to spoil a session, and the check that must report it (on the day it shows)."""

    plant: Plant
    check: str
    day_after: bool = False


def _here(chains: pd.DataFrame, day: date) -> pd.Series:
    return chains.session == day


def _some(mask: pd.Series, share: float, rng: Rng, at_least: int = 1) -> pd.Series:
    """Return a random part of the rows in `mask`."""
    rows = np.flatnonzero(mask.to_numpy())
    n = min(len(rows), max(at_least, round(share * len(rows))))
    chosen = pd.Series(False, index=mask.index)
    chosen.iloc[rng.choice(rows, n, replace=False)] = True
    return chosen


def _set(chains: pd.DataFrame, mask: pd.Series, **values: Any) -> pd.DataFrame:
    spoilt = chains.copy()
    for column, value in values.items():
        spoilt.loc[mask, column] = value
    return spoilt


def _before(day: date) -> date:
    return trading_calendar("XNYS").shift(day, -1)


def holiday(chains: pd.DataFrame, day: date, rng: Rng) -> pd.DataFrame:
    return _set(chains, _here(chains, day), session=day + timedelta(days=5 - day.weekday()))


def copied(chains: pd.DataFrame, day: date, rng: Rng) -> pd.DataFrame:
    """Put the previous session under this session's date; up to 4 % of the rows may differ."""
    yesterday = chains[_here(chains, _before(day))]
    stamps = chains[_here(chains, day)].iloc[0]
    copy = yesterday.assign(
        session=day, quote_ts=stamps.quote_ts, known_at=stamps.known_at, source=stamps.source
    )
    touched = _some(copy.bid > 1, 0.04 * rng.random(), rng)
    copy.loc[touched, "bid"] -= 0.01
    return pd.concat([chains[~_here(chains, day)], copy], ignore_index=True)


def copied_from_earlier(chains: pd.DataFrame, day: date, rng: Rng) -> pd.DataFrame:
    """Put the previous session last under this session's date."""
    old = chains[_here(chains, _before(_before(day)))]
    stamps = chains[_here(chains, day)].iloc[0]
    copy = old.assign(
        session=day, quote_ts=stamps.quote_ts, known_at=stamps.known_at, source=stamps.source
    )
    return pd.concat([chains[~_here(chains, day)], copy], ignore_index=True)


def before_the_open(chains: pd.DataFrame, day: date, rng: Rng) -> pd.DataFrame:
    stamp = chains.quote_ts - pd.Timedelta(minutes=int(rng.integers(420, 1140)))
    return _set(chains, _here(chains, day), known_at=stamp[_here(chains, day)])


def stale_spot(chains: pd.DataFrame, day: date, rng: Rng) -> pd.DataFrame:
    old = chains.loc[_here(chains, _before(day)), "spot"].iloc[0]
    return _set(chains, _here(chains, day), spot=old)


def spot_off(chains: pd.DataFrame, day: date, rng: Rng) -> pd.DataFrame:
    off = 1 + rng.choice([-1, 1]) * rng.uniform(0.003, 0.05)
    return _set(chains, _here(chains, day), spot=chains.spot[_here(chains, day)] * off)


def spot_in_another_unit(chains: pd.DataFrame, day: date, rng: Rng) -> pd.DataFrame:
    factor = rng.choice([0.1, 10.0, 0.01, 2.0])
    return _set(chains, _here(chains, day), spot=chains.spot[_here(chains, day)] * factor)


def two_spots(chains: pd.DataFrame, day: date, rng: Rng) -> pd.DataFrame:
    rows = _some(_here(chains, day), rng.uniform(0.001, 0.4), rng)
    return _set(chains, rows, spot=chains.spot[rows] * (1 + rng.uniform(1e-5, 0.01)))


def expired(chains: pd.DataFrame, day: date, rng: Rng) -> pd.DataFrame:
    rows = _some(_here(chains, day), 0.02 * rng.random(), rng)
    gone = day - timedelta(days=int(rng.integers(7, 400)))
    ended = pd.Timestamp(trading_calendar("XNYS").expiry_ts(gone, "PM"))
    extra = chains[rows].assign(expiry=gone, expiry_ts=ended)
    return pd.concat([chains, extra], ignore_index=True)


def repeated(chains: pd.DataFrame, day: date, rng: Rng) -> pd.DataFrame:
    rows = _some(_here(chains, day) & (chains.open_interest > 0), 0.05 * rng.random(), rng)
    return pd.concat([chains, chains[rows]], ignore_index=True)


def repeated_without_root(chains: pd.DataFrame, day: date, rng: Rng) -> pd.DataFrame:
    whole = chains.assign(root=None)
    return repeated(whole, day, rng)


def crossed(chains: pd.DataFrame, day: date, rng: Rng) -> pd.DataFrame:
    rows = _some(_here(chains, day) & (chains.bid < chains.ask), rng.uniform(0.01, 0.5), rng)
    return _set(chains, rows, bid=chains.ask[rows], ask=chains.bid[rows])


def below_zero(chains: pd.DataFrame, day: date, rng: Rng) -> pd.DataFrame:
    rows = _some(_here(chains, day), 0.02 * rng.random(), rng)
    return _set(chains, rows, bid=-float(rng.uniform(0.01, 50)))


def one_side_gone(chains: pd.DataFrame, day: date, rng: Rng) -> pd.DataFrame:
    rows = _some(_here(chains, day), rng.uniform(0.3, 1), rng)
    return _set(chains, rows, **{str(rng.choice(["bid", "ask"])): 0.0})


def no_volatility(chains: pd.DataFrame, day: date, rng: Rng) -> pd.DataFrame:
    rows = _some(_here(chains, day), rng.uniform(0.25, 1), rng)
    return _set(chains, rows, iv=np.nan)


def percent_volatility(chains: pd.DataFrame, day: date, rng: Rng) -> pd.DataFrame:
    rows = _some(_here(chains, day) & chains.iv.notna(), rng.uniform(0.001, 1), rng)
    return _set(chains, rows, iv=chains.iv[rows] * 100)


def doubled_volatility(chains: pd.DataFrame, day: date, rng: Rng) -> pd.DataFrame:
    factor = rng.choice([0.4, 2.5])
    return _set(chains, _here(chains, day), iv=chains.iv[_here(chains, day)] * factor)


def delta_of_the_other_side(chains: pd.DataFrame, day: date, rng: Rng) -> pd.DataFrame:
    held = _here(chains, day) & (chains.delta.abs() > 1e-6)
    rows = _some(held, rng.uniform(0.001, 1), rng)
    return _set(chains, rows, delta=-chains.delta[rows])


def prices_out_of_order(chains: pd.DataFrame, day: date, rng: Rng) -> pd.DataFrame:
    rows = _some(_here(chains, day) & (chains.bid > 1), rng.uniform(0.1, 0.4), rng)
    factor = rng.uniform(1.5, 4, int(rows.sum()))
    return _set(chains, rows, bid=chains.bid[rows] * factor, ask=chains.ask[rows] * factor)


def prices_not_convex(chains: pd.DataFrame, day: date, rng: Rng) -> pd.DataFrame:
    """Raise single prices a little: still in order, no longer convex."""
    rows = _some(_here(chains, day) & (chains.bid > 5), 0.25, rng)
    return _set(chains, rows, bid=chains.bid[rows] * 1.15, ask=chains.ask[rows] * 1.15)


def falling_variance(chains: pd.DataFrame, day: date, rng: Rng) -> pd.DataFrame:
    """Cut the volatility of later expiries until their total variance is below earlier ones'."""
    later = _here(chains, day) & (chains.expiry > day + timedelta(days=9))
    return _set(chains, later, iv=chains.iv[later] * rng.uniform(0.2, 0.45))


def open_interest_unknown(chains: pd.DataFrame, day: date, rng: Rng) -> pd.DataFrame:
    rows = _some(_here(chains, day), rng.uniform(0.08, 1), rng)
    return _set(chains, rows, open_interest=np.nan)


def open_interest_negative(chains: pd.DataFrame, day: date, rng: Rng) -> pd.DataFrame:
    rows = _some(_here(chains, day), 0.02 * rng.random(), rng)
    return _set(chains, rows, open_interest=-float(rng.integers(1, 1000)))


def open_interest_zero(chains: pd.DataFrame, day: date, rng: Rng) -> pd.DataFrame:
    return _set(chains, _here(chains, day), open_interest=0.0)


def open_interest_not_updated(chains: pd.DataFrame, day: date, rng: Rng) -> pd.DataFrame:
    key = ["expiry", "root", "strike", "right"]
    old = chains[_here(chains, _before(day))].set_index(key).open_interest
    here = _here(chains, day)
    known = pd.MultiIndex.from_frame(chains.loc[here, key])
    return _set(chains, here, open_interest=old.reindex(known).to_numpy())


def open_interest_collapsed(chains: pd.DataFrame, day: date, rng: Rng) -> pd.DataFrame:
    here = _here(chains, day)
    left = np.floor(chains.open_interest[here] * rng.uniform(0.01, 0.65))
    return _set(chains, here, open_interest=left)


def open_interest_in_shares(chains: pd.DataFrame, day: date, rng: Rng) -> pd.DataFrame:
    here = _here(chains, day)
    return _set(chains, here, open_interest=chains.open_interest[here] * rng.choice([2, 100]))


def told_twice(chains: pd.DataFrame, day: date, rng: Rng) -> pd.DataFrame:
    rows = _some(_here(chains, day) & (chains.open_interest > 0), 0.05 * rng.random(), rng)
    other = chains[rows].assign(open_interest=chains.open_interest[rows] + 1)
    return pd.concat([chains, other], ignore_index=True)


def prices_in_cents(chains: pd.DataFrame, day: date, rng: Rng) -> pd.DataFrame:
    here, factor = _here(chains, day), float(rng.choice([100.0, 0.01, 0.1]))
    return _set(chains, here, bid=chains.bid[here] * factor, ask=chains.ask[here] * factor)


def open_interest_ahead(chains: pd.DataFrame, day: date, rng: Rng) -> pd.DataFrame:
    return _set(chains, _here(chains, day), oi_asof=trading_calendar("XNYS").shift(day, 1))


def half_the_chain(chains: pd.DataFrame, day: date, rng: Rng) -> pd.DataFrame:
    return chains[~_some(_here(chains, day), rng.uniform(0.5, 0.9), rng)]


def an_expiry_gone(chains: pd.DataFrame, day: date, rng: Rng) -> pd.DataFrame:
    there = sorted(chains.expiry[_here(chains, _before(day)) & (chains.expiry > day)].unique())
    gone: pd.Series = _here(chains, day) & (chains.expiry == rng.choice(there))
    return chains[~gone]


def contracts_gone(chains: pd.DataFrame, day: date, rng: Rng) -> pd.DataFrame:
    held = _here(chains, day) & (chains.open_interest > 0) & (chains.expiry > day)
    return chains[~_some(held, rng.uniform(0.12, 0.3), rng)]


def puts_gone(chains: pd.DataFrame, day: date, rng: Rng) -> pd.DataFrame:
    right = rng.choice(["C", "P"])
    rows = _some(_here(chains, day) & (chains.right == right), rng.uniform(0.85, 1), rng)
    return chains[~rows]


def strikes_cut(chains: pd.DataFrame, day: date, rng: Rng) -> pd.DataFrame:
    side = rng.choice([-1, 1])
    x = (chains.strike / chains.spot).map(math.log) * side
    gone: pd.Series = _here(chains, day) & (x > rng.uniform(0.005, 0.03))
    return chains[~gone]


def hole_at_spot(chains: pd.DataFrame, day: date, rng: Rng) -> pd.DataFrame:
    x = (chains.strike / chains.spot).map(math.log)
    gone: pd.Series = _here(chains, day) & (x.abs() < rng.uniform(0.012, 0.04))
    return chains[~gone]


def in_the_evening(chains: pd.DataFrame, day: date, rng: Rng) -> pd.DataFrame:
    here = _here(chains, day)
    later = pd.Timedelta(minutes=int(rng.integers(5, 170)))
    return _set(chains, here, quote_ts=chains.quote_ts[here] + later)


def session_gone(chains: pd.DataFrame, day: date, rng: Rng) -> pd.DataFrame:
    return chains[~_here(chains, day)]


def rights_swapped(chains: pd.DataFrame, day: date, rng: Rng) -> pd.DataFrame:
    here = _here(chains, day)
    return _set(chains, here, right=chains.right[here].map({"C": "P", "P": "C"}))


def quotes_of_another_moment(chains: pd.DataFrame, day: date, rng: Rng) -> pd.DataFrame:
    """Reprice the chain at a spot 1 to 3 % away; the spot that the rows state stays."""
    here = _here(chains, day)
    x = chains[here]
    moved = float(x.spot.iloc[0] * (1 + rng.choice([-1, 1]) * rng.uniform(0.01, 0.03)))
    t = (x.expiry_ts - x.quote_ts).dt.total_seconds().to_numpy() / (365 * 86400)
    strikes = x.strike.to_numpy()
    iv = volatility(strikes, moved, 0.15)
    price, _, _ = black_scholes(moved, strikes, np.maximum(t, 0), iv, (x.right == "C").to_numpy())
    half = 0.05 + 0.01 * price
    return _set(chains, here, bid=np.maximum(price - half, 0), ask=price + half)


def two_files(chains: pd.DataFrame, day: date, rng: Rng) -> pd.DataFrame:
    return _set(chains, _some(_here(chains, day), rng.random(), rng), source="synthetic:other")


def other_multiplier(chains: pd.DataFrame, day: date, rng: Rng) -> pd.DataFrame:
    return _set(chains, _some(_here(chains, day), 0.4 * rng.random(), rng), multiplier=10.0)


def multiplier_changes(chains: pd.DataFrame, day: date, rng: Rng) -> pd.DataFrame:
    return _set(chains, _here(chains, day), multiplier=float(rng.choice([10, 50, 1000])))


DEFECTS: Final[dict[str, Defect]] = {
    "holiday": Defect(holiday, "not_a_session"),
    "copied": Defect(copied, "copy_of_previous_session"),
    "copied_from_earlier": Defect(copied_from_earlier, "copy_of_earlier_session"),
    "before_the_open": Defect(before_the_open, "known_before_quotes"),
    "stale_spot": Defect(stale_spot, "spot_unchanged"),
    "spot_off": Defect(spot_off, "spot_off_close"),
    "spot_in_another_unit": Defect(spot_in_another_unit, "spot_jump"),
    "two_spots": Defect(two_spots, "several_spots"),
    "expired": Defect(expired, "expired_before"),
    "repeated": Defect(repeated, "duplicate_contracts"),
    "repeated_without_root": Defect(repeated_without_root, "duplicate_contracts"),
    "crossed": Defect(crossed, "crossed_quotes"),
    "below_zero": Defect(below_zero, "negative_quotes"),
    "one_side_gone": Defect(one_side_gone, "one_sided_quotes"),
    "no_volatility": Defect(no_volatility, "missing_volatility"),
    "percent_volatility": Defect(percent_volatility, "impossible_volatility"),
    "doubled_volatility": Defect(doubled_volatility, "volatility_jump"),
    "delta_of_the_other_side": Defect(delta_of_the_other_side, "impossible_greeks"),
    "prices_out_of_order": Defect(prices_out_of_order, "vertical_arbitrage"),
    "prices_not_convex": Defect(prices_not_convex, "butterfly_arbitrage"),
    "falling_variance": Defect(falling_variance, "calendar_arbitrage"),
    "open_interest_unknown": Defect(open_interest_unknown, "unknown_open_interest"),
    "open_interest_negative": Defect(open_interest_negative, "negative_open_interest"),
    "open_interest_zero": Defect(open_interest_zero, "no_open_interest"),
    "open_interest_not_updated": Defect(open_interest_not_updated, "frozen_open_interest"),
    "open_interest_collapsed": Defect(open_interest_collapsed, "open_interest_collapse"),
    "told_twice": Defect(told_twice, "contradicting_duplicates"),
    "prices_in_cents": Defect(prices_in_cents, "unit_contradicted"),
    "open_interest_in_shares": Defect(open_interest_in_shares, "open_interest_jump"),
    "open_interest_ahead": Defect(open_interest_ahead, "open_interest_of_the_future"),
    "half_the_chain": Defect(half_the_chain, "fewer_contracts"),
    "an_expiry_gone": Defect(an_expiry_gone, "missing_expiries"),
    "contracts_gone": Defect(contracts_gone, "missing_contracts"),
    "puts_gone": Defect(puts_gone, "one_right_only"),
    "strikes_cut": Defect(strikes_cut, "strike_coverage"),
    "hole_at_spot": Defect(hole_at_spot, "strike_gap"),
    "in_the_evening": Defect(in_the_evening, "quotes_outside_session"),
    "session_gone": Defect(session_gone, "missing_sessions", day_after=True),
    "rights_swapped": Defect(rights_swapped, "parity_spread"),
    "quotes_of_another_moment": Defect(quotes_of_another_moment, "spot_off_parity"),
    "two_files": Defect(two_files, "several_sources"),
    "other_multiplier": Defect(other_multiplier, "several_multipliers"),
    "multiplier_changes": Defect(multiplier_changes, "multiplier_change"),
}
