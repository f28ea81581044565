# mypy: disable-error-code="no-any-return,attr-defined,operator,arg-type,call-overload,index"
"""Regime rows of real chains from the vendors' own files, by pandas, numpy and scipy alone.

At rates of 0, as the samples are tested: forwards from put-call parity, volatilities stated or
solved from the price of the out-of-the-money side.
"""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from scipy.optimize import brentq
from scipy.stats import norm
from told_raw import FLOOR, Clock

YEAR = 365.0 * 86400.0


def monthlies(calendar: str, years: tuple[int, ...]) -> set[date]:
    """Return the monthly expirations of some years by the exchange's own rule."""
    sessions = {day.date() for day in Clock(calendar).sessions}
    found, end = set(), max(sessions)
    for year in years:
        for month in range(1, 13):
            weekday, which = {"XTAI": (2, 3), "24/7": (4, -1)}.get(calendar, (4, 3))
            if calendar == "XBOM":
                weekday, which = (3, -1) if (year, month) < (2025, 9) else (1, -1)
            last = pd.Period(f"{year}-{month}").days_in_month
            days = [date(year, month, d) for d in range(1, last + 1)]
            days = [d for d in days if d.weekday() == weekday]
            day, step = days[which if which < 0 else which - 1], 1 if calendar == "XTAI" else -1
            while day not in sessions and day < end:
                day += timedelta(days=step)
            found.add(day)
    return found


def canonical(name: str, folder: Path, clock: Clock) -> pd.DataFrame:
    """Return the raw rows of a sample in one shape; price is what volatility is solved from."""
    frame = {"NIFTY": _nifty, "BTC": _btc, "TAIEX": _taiex, "SPY": _spy, "AMD": _amd}[name](folder)
    frame = frame[frame["session"].isin(clock.sessions)].copy()
    frame["quote_ts"] = frame["session"].map(clock.closes) if "at" not in frame else frame["at"]
    dies = {day: clock.dies(day) for day in frame["expiry"].unique()}
    frame["dies"] = frame["expiry"].map(dies)
    closing = frame["dies"].map(clock.closes)
    eight = pd.to_datetime(frame["expiry"]).dt.tz_localize("UTC") + pd.Timedelta(hours=8)
    frame["ends"] = eight if name == "BTC" else closing
    if "spot" not in frame:
        implied = {day: _implied_spot(chain) for day, chain in frame.groupby("session")}
        frame["spot"] = frame["session"].map(implied)
    return frame.reset_index(drop=True)


def _shape(raw: pd.DataFrame, **columns: Any) -> pd.DataFrame:
    frame = pd.DataFrame({"price": np.nan, "iv": np.nan, **columns}, index=raw.index)
    for name in ("session", "expiry"):
        frame[name] = pd.to_datetime(frame[name]).dt.tz_localize(None).astype("datetime64[ns]")
    return frame


def _nifty(folder: Path) -> pd.DataFrame:
    raw = pd.read_parquet(folder / "raw.parquet")
    return _shape(
        raw, session=raw["TradDt"], expiry=raw["XpryDt"], strike=raw["StrkPric"],
        right=raw["OptnTp"].str[0], multiplier=raw["NewBrdLotQty"], spot=raw["UndrlygPric"],
        oi=raw["OpnIntrst"] / raw["NewBrdLotQty"], price=raw["SttlmPric"],
    )  # fmt: skip


def _btc(folder: Path) -> pd.DataFrame:
    raw = pd.read_parquet(folder / "raw.parquet")
    stamp = pd.to_datetime(raw["snapshot_utc"]).dt.tz_localize("UTC")
    first = raw.sort_values("expiry").groupby("snapshot_utc")["underlying_price"].first()
    two = (raw["bid"] > 0) & (raw["ask"] >= raw["bid"])
    return _shape(
        raw, session=pd.to_datetime(raw["snapshot_utc"]).dt.normalize(), expiry=raw["expiry"],
        strike=raw["strike"].astype(float), right=raw["type"].str[0].str.upper(), multiplier=1.0,
        spot=raw["snapshot_utc"].map(first), oi=raw["open_interest"], iv=raw["mark_iv"] / 100.0,
        price=((raw["bid"] + raw["ask"]) / 2.0 * raw["underlying_price"]).where(two), at=stamp,
    )  # fmt: skip


def _taiex(folder: Path) -> pd.DataFrame:
    raw = pd.read_csv(folder / "raw.csv")
    days = {d.strftime("%Y-%m"): d for d in monthlies("XTAI", (2014, 2015))}
    return _shape(
        raw, session=raw["date"], expiry=raw["LTD"].map(days), strike=raw["strike"].astype(float),
        right=raw["c_or_p"].str[0].str.upper(), multiplier=50.0, oi=raw["OI"].astype(float),
        price=raw["Final_p"].astype(float),
    )  # fmt: skip


def _spy(folder: Path) -> pd.DataFrame:
    raw = pd.read_parquet(folder / "raw.parquet")
    two = (raw["bid"] > 0) & (raw["ask"] >= raw["bid"])
    return _shape(
        raw, session=raw["quotedate"], expiry=raw["expiration"], strike=raw["strike"],
        right=raw["type"].str[0].str.upper(), multiplier=100.0, spot=raw["underlying_last"],
        oi=raw["openinterest"].astype(float), iv=raw["impliedvol"],
        price=((raw["bid"] + raw["ask"]) / 2.0).where(two),
    )  # fmt: skip


def _amd(folder: Path) -> pd.DataFrame:
    raw = pd.read_parquet(folder / "raw.parquet")
    return _shape(
        raw, session=raw["quote_date"], expiry=raw["expiry"], strike=raw["strike"],
        right=raw["cp"], multiplier=100.0, spot=raw["spot"], oi=raw["oi"].astype(float),
        iv=raw["iv_pct"] / 100.0,
    )  # fmt: skip


def _implied_spot(chain: pd.DataFrame) -> float:
    """Return the forward of the shortest expiry: median over the five strikes nearest to parity."""
    for _, group in chain[chain["expiry"] > chain["session"]].groupby("expiry"):
        both = group[group["price"] > 0].pivot_table(
            index="strike", columns="right", values="price"
        ).dropna()  # fmt: skip
        if len(both) >= 5:
            gap = (both["C"] - both["P"]).abs()
            best = both.loc[gap.sort_values(kind="stable").index[:5]]
            return float((best.index + best["C"] - best["P"]).median())
    return np.nan


def row_of(chain: pd.DataFrame, clock: Clock, book: str, sign: float, monthly: set[date]) -> Any:
    """Return sums, walls and shares of one session."""
    day = chain["session"].iloc[0]
    following = clock.following(day)
    quoted = chain["quote_ts"].max()
    chain = chain[(chain["quote_ts"] == quoted) & (chain["ends"] > quoted)].copy()
    spot = float(chain["spot"].median())
    chain["iv"] = chain["iv"].where(chain["iv"].between(0.01, 10.0))
    parts = [_with_sigma(group, spot, quoted) for _, group in chain.groupby("expiry")]
    chain = pd.concat(parts)
    valued = quoted if book == "as_of_close" else clock.opens[following]
    chain = chain[(chain["ends"] > valued) & (chain["oi"] > 0)]
    used = chain[chain["sigma"].notna()]
    time = np.maximum((used["ends"] - valued).dt.total_seconds() / YEAR, FLOOR)
    v = used["sigma"] * np.sqrt(time)
    d1 = np.log(used["forward"] / used["strike"]) / v + v / 2.0
    call = used["right"] == "C"
    size = used["oi"] * used["multiplier"] * used["forward"] / spot * norm.pdf(d1) / (spot * v)
    gex = size * spot**2 * 0.01 * np.where(call, sign, -sign)
    by_strike, gross = gex.groupby(used["strike"]).sum(), float(gex.abs().sum())
    share = gex.abs().groupby(used["dies"]).sum() / gross
    months = [d for d in share.index if d.date() in monthly]
    dead = float(chain["oi"].sum() - used["oi"].sum())
    return {
        "spot": spot, "net_gex": float(gex.sum()), "gross_gex": gross,
        "net_to_gross": float(gex.sum()) / gross, "contracts_used": len(used),
        "contracts_rejected": len(chain) - len(used),
        "oi_rejected_share": dead / float(chain["oi"].sum()),
        "pin_strike": by_strike.abs().idxmax(),
        "pin_strength": float(by_strike.abs().max()) / gross,
        "gex_next_expiry_share": float(share.iloc[0]),
        "gex_next_opex_share": float(share[months[0]]) if months else np.nan,
    }  # fmt: skip


def _with_sigma(group: pd.DataFrame, spot: float, quoted: pd.Timestamp) -> pd.DataFrame:
    """Return one expiry with its forward, and for both sides the volatility of each strike."""
    time = max((group["ends"].iloc[0] - quoted).total_seconds() / YEAR, FLOOR)
    forward = _forward(group, spot, time)
    own = group["iv"].to_numpy(float).copy()
    for i in np.flatnonzero(np.isnan(own)):
        row = group.iloc[i]
        own[i] = _solved(row["price"], forward, row["strike"], time, row["right"] == "C")
    group = group.assign(forward=forward, own=own)
    table = group.pivot_table(index="strike", columns="right", values="own", dropna=False)
    table = table.reindex(columns=["C", "P"])
    above = table.index >= forward
    first = pd.Series(np.where(above, table["C"], table["P"]), table.index)
    other = pd.Series(np.where(above, table["P"], table["C"]), table.index)
    return group.assign(sigma=group["strike"].map(first.fillna(other)))


def _forward(group: pd.DataFrame, spot: float, time: float) -> float:
    near = group[(np.log(group["strike"] / spot).abs() <= 0.10) & (group["price"] > 0)]
    both = near.pivot_table(index="strike", columns="right", values="price")
    both = both.reindex(columns=["C", "P"]).dropna().reset_index()
    both["away"] = (both["strike"] - spot).abs()
    both = both.sort_values(["away", "strike"]).head(10)
    if len(both) < 3:
        return spot
    forward = float((both["strike"] + both["C"] - both["P"]).median())
    return forward if abs(np.log(forward / spot)) <= 0.002 + 0.02 * time else spot


def _solved(price: float, forward: float, strike: float, time: float, call: bool) -> float:
    low, high = (
        (max(forward - strike, 0.0), forward) if call else (max(strike - forward, 0.0), strike)
    )
    if not low < price < high:
        return np.nan

    def gap(sigma: float) -> float:
        v = sigma * np.sqrt(time)
        d1 = np.log(forward / strike) / v + v / 2.0
        worth = forward * norm.cdf(d1) - strike * norm.cdf(d1 - v)
        return worth - price if call else worth - forward + strike - price

    try:
        return float(brentq(gap, 0.01, 10.0, xtol=1e-13))
    except ValueError:
        return np.nan
